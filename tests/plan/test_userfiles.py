"""The user's own files: defaults, and strategies with names."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EXIT_WRONG_INPUT, ConfigFileError, SettingError, StrategyError
from engine.plan.defaults import (
    FROM_DATASET,
    FROM_FLAG,
    FROM_HERE,
    FROM_US,
    FROM_USER,
    asked_for,
    resolve,
)
from engine.plan.strategies import STRATEGIES, Strategy, known_strategies, strategy
from engine.plan.userfiles import FILE, of_user


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the program is called in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def write_user(text: str) -> None:
    of_user().parent.mkdir(parents=True, exist_ok=True)
    of_user().write_text(text)


def test_flags_count_first_then_the_dataset_then_here_then_the_user(
    here: Path, dataset: Path
) -> None:
    write_user("[training]\nepochs = 1\nlr = 1\nmomentum = 0.1\nbatch_size = 1\n")
    (here / FILE).write_text("[training]\nepochs = 2\nlr = 2\nmomentum = 0.2\n")
    (dataset / FILE).write_text("[training]\nepochs = 3\nlr = 3\n")
    resolved = resolve(dataset, {"epochs": 4})
    settings, sources = resolved.settings, resolved.sources
    assert (settings.epochs, sources["epochs"]) == (4, FROM_FLAG)
    assert (settings.lr, sources["lr"]) == (3.0, FROM_DATASET)
    assert (settings.momentum, sources["momentum"]) == (0.2, FROM_HERE)
    assert (settings.batch_size, sources["batch_size"]) == (1, FROM_USER)
    assert sources["seed"] == FROM_US
    assert asked_for(sources) == {"epochs"}
    assert asked_for({**sources, "seed": "you"}) == {"epochs", "seed"}


def test_the_file_of_a_dataset_that_one_stands_in_is_the_datasets(here: Path) -> None:
    (here / FILE).write_text("[training]\nepochs = 7\n")
    assert resolve(Path(), {}).sources["epochs"] == FROM_DATASET
    assert resolve(None, {}).sources["epochs"] == FROM_HERE
    (here / FILE).write_text("[training]\nworkers = 7\n")
    with pytest.raises(ConfigFileError, match="workers belongs to a machine"):
        resolve(here, {})
    assert resolve(None, {}).settings.workers == 7
    (here / FILE).write_text("[strategies.mine]\nbase = 'ddp'\n")
    with pytest.raises(ConfigFileError, match="'strategies' is not for a dataset"):
        resolve(here, {})


@pytest.mark.parametrize(
    "line", ["device = 'cpu'", "gpus = [0]", "nproc = 2", "price = 1", "memory_budget = 2"]
)
def test_a_dataset_knows_nothing_of_machines(dataset: Path, line: str) -> None:
    (dataset / FILE).write_text(f"[training]\n{line}\n")
    with pytest.raises(ConfigFileError, match=r"give --.*your config\.toml"):
        resolve(dataset, {})


def test_numbers_of_gpus_give_way_to_a_device_that_counts_more() -> None:
    write_user("[training]\ngpus = [0]\n")
    resolved = resolve(None, {"device": "cpu"})
    assert (resolved.settings.gpus, resolved.sources["gpus"]) == (None, FROM_US)
    write_user("[training]\ndevice = 'cpu'\n")
    resolved = resolve(None, {"gpus": (0,)})
    assert (resolved.settings.device, resolved.sources["device"]) == ("auto", FROM_US)
    write_user("[training]\ndevice = 'cpu'\ngpus = [0]\n")
    with pytest.raises(SettingError, match="leave one of them out"):
        resolve(None, {})


def test_weights_of_a_file_lie_where_the_file_says(tmp_path: Path) -> None:
    write_user("[training]\nweights = 'best.pt'\n")
    with pytest.raises(SettingError, match=r"as your config\.toml has it"):
        resolve(None, {})
    (of_user().parent / "best.pt").write_bytes(b"x")
    assert resolve(None, {}).settings.weights == str(of_user().parent / "best.pt")


def test_strategies_stand_behind_the_presets_under_their_names(here: Path) -> None:
    write_user(
        "[strategies.ddp-bf16]\nexplanation = \"what \\u001bwe use\"\nbase = 'ddp'\n"
        "precision = 'bf16'\nnproc = 'auto'\n"
        "[strategies.both]\nprecision = 'fp16'\n"
    )
    (here / FILE).write_text(
        "[strategies.both]\nbase = 'checkpointing'\naccumulate = 2\n"
        "[strategies.'4-stages']\nparallelism = 'pipeline'\nstages = 4\nbalance = [3, 3, 3, 3]\n"
    )
    known = known_strategies()
    assert known[: len(STRATEGIES)] == STRATEGIES
    assert known[len(STRATEGIES) :] == (
        Strategy(
            name="ddp-bf16",
            explanation="what \ufffdwe use",
            parallelism="ddp",
            precision="bf16",
        ),
        Strategy(
            name="both",
            explanation="gradient-checkpointing, accumulate 2",
            gradient_checkpointing=True,
            accumulate=2,
        ),
        Strategy(
            name="4-stages",
            explanation="pipeline, stages 4, balance 3,3,3,3",
            parallelism="pipeline",
            stages=4,
            balance=(3, 3, 3, 3),
        ),
    )
    assert strategy("both") == known[-2]
    assert strategy("checkpointing").name == "gradient-checkpointing"
    with pytest.raises(StrategyError, match="pipeline, ddp-bf16, both, 4-stages"):
        strategy("other")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[strategies.amp]\n", "'amp' is there already; choose another name"),
        ("[strategies.checkpointing]\n", "is there already"),
        ("[strategies.'[red]']\n", "take up to 40 of a-z"),
        (f"[strategies.{'a' * 41}]\n", "take up to 40 of a-z"),
        ("[strategies.Mine]\n", "take up to 40 of a-z"),
        ("[strategies.-x]\n", "a letter or digit first"),
        ("[strategies]\nmine = 3\n", "write [strategies.mine] on a line above"),
        ("strategies = 3\n", "write [strategies] on a line above"),
        ("[strategies.x]\nbase = 'vgg'\n", "base is 'vgg'; choose from single, amp"),
        ("[strategies.x]\nbase = 3\n", "base is '3'; choose from single, amp"),
        ("[strategies.x]\nparallelism = 'tp'\n", "choose from none, dp, ddp"),
        ("[strategies.x]\nbase = 'ddp'\nparallelism = 'ddp'\n", "leave one out"),
        ("[strategies.x]\nepochs = 3\n", "there is no switch 'epochs'; it may be base"),
        ("[strategies.x]\nprecision = 'fp8'\n", "choose one of auto, fp32"),
        ("[strategies.x]\nnproc = 'many'\n", "give a whole number"),
        ("[strategies.x]\nexplanation = 3\n", "put it in quotes"),
        ("[strategies.x]\nstages = 3\n", "stages means nothing to parallelism none"),
        ("[strategies.x]\nbase = 'gpipe'\ncompile = true\n", "crashes under torchgpipe"),
        ("[strategies.x\n", "is no valid TOML"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_strategy_is_told_with_file_and_remedy(
    text: str, sentence: str
) -> None:
    write_user(text)
    with pytest.raises(ConfigFileError) as refused:
        known_strategies()
    assert str(refused.value).startswith(str(of_user()))
    assert sentence in str(refused.value)
    assert refused.value.exit_code == EXIT_WRONG_INPUT


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[train]\n", "there is no table 'train'; it may be [training] or [strategies.NAME]"),
        ("[training]\nepoch = 3\n", "did you mean epochs?"),
        ("[training]\nepochs = 0\n", "it must be at least 1"),
    ],
)
def test_what_is_wrong_with_defaults_is_told_with_the_file(
    here: Path, text: str, sentence: str
) -> None:
    (here / FILE).write_text(text)
    with pytest.raises(ConfigFileError) as refused:
        resolve(None, {})
    assert str(refused.value).startswith(str(here / FILE))
    assert sentence in str(refused.value)


def test_a_strategy_that_was_read_once_stays(here: Path) -> None:
    (here / FILE).write_text("[strategies.mine]\nbase = 'amp'\n")
    assert strategy("mine").precision == "mixed"
    (here / FILE).write_text("[strategies")
    assert strategy("mine").precision == "mixed"


def test_nothing_is_asked_of_a_folder_that_is_gone(here: Path) -> None:
    here.rmdir()
    assert known_strategies() == STRATEGIES
    assert resolve(None, {}).sources["epochs"] == FROM_US
