"""Every parallelism computes what plain training computes, over several ranks as in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.train.world import ALONE
from tests.conftest import REPOSITORY
from tests.train.cases import ONE_PROCESS, SEVERAL_RANKS
from tests.train.equivalence import ANSWERS
from tests.train.laboratory import VAL, Case, Laboratory, differences, lay_out, network
from tests.train.learned import RANKS
from tests.train.measured import LATE
from tests.train.proofs import GOES_ON, SHARED, as_cells, as_row

EXACT = 1e-10
WORLDS = (2, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("equivalence"))


@pytest.fixture(scope="module")
def laboratory(folder: Path) -> Iterator[Laboratory]:
    made = Laboratory(folder, folder / "world1", ALONE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def answers(folder: Path) -> dict[int, dict[str, Any]]:
    """What came out at each world size; all are launched at once, one after another."""
    command = [sys.executable, "-m", "tests.train.equivalence", str(folder), *map(str, WORLDS)]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return {world: json.loads((folder / f"world{world}" / ANSWERS).read_text()) for world in WORLDS}


@pytest.mark.parametrize("case", ONE_PROCESS, ids=lambda case: case.name)
def test_one_process_trains_as_plainly(laboratory: Laboratory, case: Case) -> None:
    seen, plain = laboratory.train(case), laboratory.plain(case)
    _judge(differences(seen, plain), as_row(seen.validation), as_row(plain.validation))
    _judge_classes(as_row(seen.validation), as_cells(seen.judged), as_cells(plain.judged))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("case", SEVERAL_RANKS, ids=lambda case: case.name)
def test_ranks_train_as_one(answers: dict[int, dict[str, Any]], world: int, case: Case) -> None:
    answer = answers[world]["cases"][case.name]
    _judge(answer, *answer["validation"])
    _judge_classes(answer["validation"][0], *answer["judged"])
    sizes = [7, 6, 3] if case.damaged else [2, 2, 2] if "batch_size" in case.settings else [7, 7, 3]
    assert sorted(answer["images"]) == sorted(sizes)


def _judge(apart: dict[str, float], validation: list[float], plainly: list[float]) -> None:
    assert apart["steps"] == 3
    assert apart["moved"] > 1e-3  # There was something to differ in.
    assert apart["loss"] < EXACT
    assert apart["gradients"] < EXACT
    assert apart["weights"] < EXACT
    assert apart["averages"] < EXACT
    assert validation[1:] == plainly[1:]
    assert validation[3] == VAL
    assert validation[0] == pytest.approx(plainly[0], rel=EXACT)


def _judge_classes(
    validation: list[float], judged: dict[str, list[int]], plainly: dict[str, list[int]]
) -> None:
    """Cell by cell what plain training says; added up, what the validation says."""
    assert judged == plainly
    _, top1, top5, images = validation
    cells = list(zip(judged["true"], judged["said"], judged["count"], strict=True))
    assert sum(count for true, said, count in cells if true == said) == top1
    assert sum(judged["count"]) == images == VAL
    assert (sum(judged["top5"]), len(judged["top5"])) == (top5, 4)


@pytest.mark.parametrize("world", WORLDS)
def test_any_strategy_goes_on_from_a_checkpoint_of_any_other(
    answers: dict[int, dict[str, Any]], world: int
) -> None:
    pairs = answers[world]["checkpoints_are_exchanged"]
    assert len(pairs) == sum(map(len, GOES_ON.values()))
    for pair, apart in pairs.items():
        worst = max(apart["loss"], apart["gradients"], apart["weights"])
        assert worst < EXACT, pair


def test_a_resumed_run_is_the_same_to_the_last_bit(answers: dict[int, dict[str, Any]]) -> None:
    for world in WORLDS:
        different = answers[world]["a_resumed_run_is_the_same_to_the_last_bit"]
        assert (different["ddp"], different["fsdp"]) == (0, 0)
    # Three numbers can be added in more than one order: without warming up it shows.
    assert answers[3]["a_resumed_run_is_the_same_to_the_last_bit"]["ddp, cold"] > 0


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RANKS)
def test_averages_and_both_of_adamws_go_on_to_the_last_bit(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["averages_go_on"][name]
    assert answer["different"] == 0
    assert answer["moved"] > 100
    assert answer["averaged apart"] > 30
    assert answer["keys"]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RANKS)
def test_averaged_weights_are_validated_and_the_trained_ones_are_back(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["averages_are_validated"][name]
    assert answer["averaged"] == [0, 0]
    assert answer["trained"] == [0, 0]
    assert answer["moved"] > 60


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", RANKS)
def test_a_skipped_step_is_on_no_rank_as_if_it_was(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["skipped_steps_never_were"][name]
    assert answer["applied"] == [0.0, 1.0, 1.0]
    assert answer["different"] == 0
    assert answer["moved"] > 60
    assert answer["counted"] == 1


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SHARED)
def test_one_rank_that_overflows_skips_the_step_everywhere(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["one_rank_that_overflows_skips_the_step_everywhere"][name]
    assert answer["applied"] == [[0.0, 1.0]] * world
    assert answer["scale"] == [256.0, 128.0, 128.0]
    assert answer["moved"] == [False, True]
    assert answer["finite"]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SHARED)
def test_half_precision_is_close_to_one_device(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["half_precision_is_close_to_one_device"][name]
    assert answer["precision"] == "bf16"
    assert answer["dtypes"] == ["torch.bfloat16"]
    # How the batch is cut matters less than how coarse the numbers are.
    assert 0 < answer["apart"] < 0.5 * answer["rounding"] < 0.5


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SHARED)
def test_statistics_are_the_first_ranks_and_move_once_per_step(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    answer = answers[world]["statistics_are_the_first_ranks"][name]
    assert answer["over ranks"] == [True] * world
    assert answer["recomputed"] < 1e-12
    # The last batch has three images: in a world of three one each, without statistics.
    assert answer["batches"] == [3 if world == 2 else 2]
    assert answer["finite"]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", SHARED)
def test_checkpointing_computes_blocks_twice(
    answers: dict[int, dict[str, Any]], world: int, name: str
) -> None:
    assert answers[world]["blocks_are_computed_twice"][name] == [1, 2]


@pytest.mark.parametrize("world", WORLDS)
def test_waiting_for_gradients_is_told_from_computing_them(
    answers: dict[int, dict[str, Any]], world: int
) -> None:
    ranks = answers[world]["gradients_are_waited_for"]["ranks"]
    computed = ["copy", "forward", "backward"]
    # The first part of a step is not exchanged; a last one without images is.
    assert all(each["marks"] == [*computed, *computed, "exchange", "update"] for each in ranks[0])
    assert all(
        [each["marks"] for each in steps] == [each["marks"] for each in ranks[0]] for steps in ranks
    )
    *others, late = (steps[0]["seconds"] for steps in ranks)
    assert all(each["exchange"] >= LATE for each in others)
    assert late["backward"] >= LATE


@pytest.mark.parametrize("world", WORLDS)
def test_what_ranks_hold_is_their_own(answers: dict[int, dict[str, Any]], world: int) -> None:
    held = answers[world]["parts_make_a_whole"]
    model = network("group")
    whole = sum(each.nbytes for each in model.state_dict().values())
    assert set(held["fsdp"].values()) == set(held["pipeline"].values()) == {whole}
    assert set(held["ddp"].values()) == {world * whole}
