"""With what a run may go on, what is lost by it, and what its checkpoints take on the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingError, StrategyError
from engine.plan import resuming, space
from engine.plan.config import Settings, declarations
from engine.plan.machine import ANY, Device, Machine
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import strategy
from tests.plan.machines import CPU

GIB = 1 << 30


def runs(*names: str, **settings: Any) -> tuple[RunPlan, ...]:
    made = Settings(**{"batch_size": 32, "device": "cpu", **settings})
    machine = CPU if made.device == "cpu" else ANY
    return plan_runs(Path("/data"), made, tuple(strategy(name) for name in names), machine)


def replanned(
    those: tuple[RunPlan, ...], chosen: str = "", others: tuple[str, ...] = (), **given: Any
) -> tuple[RunPlan, ...]:
    return resuming.replanned(
        those,
        Settings(batch_size=32, device="cpu"),
        given,
        chosen=strategy(chosen) if chosen else None,
        others=others,
        machine=CPU,
    )


def test_what_is_learned_cannot_change_on_the_way() -> None:
    those = runs("single")
    # As it is already: that is no change.
    resuming.check_given(those, {"batch_size": 32, "workers": 3})
    others: dict[str, Any] = {"batch_size": 64, "epochs": 3, "lr": 1.0, "ema": 0.9, "mixup": 0.5}
    for name, value in others.items():
        with pytest.raises(SettingError, match="--weights CHECKPOINT") as refused:
            replanned(those, **{name: value})
        assert refused.value.field == name
        assert "01-single" in str(refused.value)


def test_every_setting_is_either_changeable_or_not() -> None:
    fixed = declarations().keys() - resuming.CHANGEABLE
    assert declarations().keys() > resuming.CHANGEABLE
    assert {"lr", "batch_size", "seed", "recipe", "val_fraction", "weights", "model"} < fixed
    assert {"precision", "nproc", "accumulate", "stages", "micro_batches"} < resuming.CHANGEABLE


def test_a_run_goes_on_under_its_name_with_another_strategy() -> None:
    single = runs("single", repeats=2)[1]
    (new,) = replanned((single,), "ddp", nproc=2)
    assert (new.run, new.repeat, new.strategy.name) == ("02-single", 1, "ddp")
    assert (new.settings.seed, new.settings.nproc, new.ranks) == (1, 2, 2)
    assert new.settings.batch_size == 32
    # Where another run is called so already it gets a name of its own, as added ones do.
    (other,) = replanned((single,), "ddp", others=("ddp", "ddp-2"), nproc=2)
    assert other.strategy.name == "ddp-3"


def test_the_batch_that_was_found_stays() -> None:
    found = replace(
        runs("amp")[0], view="best", settings=replace(runs("amp")[0].settings, batch_size=96)
    )
    (new,) = replanned((found,), "ddp", nproc=3)
    assert (new.view, new.settings.batch_size) == ("best", 96)


def test_what_says_nothing_of_computing_leaves_the_rest_as_it_is() -> None:
    those = runs("ddp", nproc=3)
    (new,) = replanned(those, workers=5, backup_epochs=0)
    assert new == replace(those[0], settings=replace(those[0].settings, workers=5, backup_epochs=0))


def test_what_was_given_before_stands_and_the_new_goes_on_top() -> None:
    asked = Settings(batch_size=32, device="cpu")
    (single,) = runs("single")
    assert resuming.still_given(single, asked) == {}
    (first,) = replanned((single,), "ddp", nproc=3, max_steps=9, gradient_checkpointing=True)
    # Other switches, another place, no switch at all, another strategy.
    (second,) = replanned((first,), precision="bf16", save_steps=4)
    (third,) = replanned((second,), device="cpu", workers=1)
    (last,) = replanned((third,), max_steps=None)
    ddp = last.settings
    assert (last.strategy.name, ddp.nproc, ddp.precision) == ("ddp", 3, "bf16")
    assert ddp.gradient_checkpointing
    assert (ddp.max_steps, ddp.save_steps, ddp.workers) == (None, 4, 1)
    assert resuming.still_given(last, asked) == {
        "strategy": "--strategy ddp",
        "workers": "--workers 1",
        "save_steps": "--save-steps 4",
        "precision": "--precision bf16",
        "nproc": "--nproc 3",
        "gradient_checkpointing": "--gradient-checkpointing",
    }
    (back,) = replanned((last,), "single", precision="fp32", gradient_checkpointing=False)
    assert (back.settings.nproc, back.settings.workers, back.settings.save_steps) == (1, 1, 4)
    assert back.settings.precision == "fp32"
    # What an earlier version kept nowhere but in the settings of the run.
    older = replace(single, settings=replace(single.settings, save_steps=7))
    (new,) = replanned((older,), accumulate=2)
    assert (new.settings.save_steps, new.settings.accumulate) == (7, 2)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(StrategyError, match="amp, single cannot all go on as ddp"):
        replanned(runs("single", "amp"), "ddp")
    with pytest.raises(StrategyError, match="precision"):
        replanned(runs("single"), precision="bf16")
    with pytest.raises(StrategyError, match="DataParallel"):
        replanned(runs("single"), "dp")


def test_what_is_not_kept_is_said() -> None:
    (single,), (ddp,), (pipe,) = runs("single"), runs("ddp", nproc=2), runs("gpipe")
    assert resuming.not_kept(single, replace(single, settings=single.settings)) == ()
    assert (
        resuming.not_kept(single, replace(single, settings=replace(single.settings, workers=1)))
        == ()
    )
    to_ddp = "; ".join(resuming.not_kept(single, ddp))
    assert "the last bits differ" in to_ddp
    assert "batch normalisation sees 16 images at once, and saw 32" in to_ddp
    assert "running statistics" not in to_ddp
    from_ddp = "; ".join(resuming.not_kept(ddp, single))
    assert "those of the first go on for all" in from_ddp
    assert "sees 4 images" in "; ".join(resuming.not_kept(single, pipe))
    half = replace(single, settings=replace(single.settings, precision="fp16"))
    assert "the scale of fp16 gradients begins anew" in resuming.not_kept(single, half)


def test_mixed_precision_scales_gradients_where_a_gpu_has_no_bf16() -> None:
    (single,), (amp,) = runs("single", device="cuda"), runs("amp", device="cuda")
    scale = "the scale of fp16 gradients begins anew"
    for bf16 in (False, True):
        machine = Machine(devices=(Device(kind="cuda", index=0, name="a GPU", bf16=bf16),))
        assert (scale in resuming.not_kept(single, amp, machine)) is not bf16
        assert scale not in resuming.not_kept(amp, amp, machine)
        half = replace(amp, settings=replace(amp.settings, precision="fp16"))
        assert (scale in resuming.not_kept(amp, half, machine)) is bf16
    assert scale not in resuming.not_kept(single, amp), "nobody knows of the GPU"


def test_what_is_not_lost_is_not_said_to_be() -> None:
    (single,), (ddp,), (pipe,) = runs("single"), runs("ddp", nproc=2), runs("pipeline", nproc=2)
    half = replace(single, settings=replace(single.settings, precision="fp16"))
    assert "fp16" not in "; ".join(resuming.not_kept(half, single)), "nothing is scaled any more"
    bf16 = replace(single, settings=replace(single.settings, precision="bf16"))
    assert "fp16" not in "; ".join(resuming.not_kept(single, bf16))
    # Each layer is on one rank of a pipeline; parts are the same ranks'; frozen ones stay.
    assert "running" not in "; ".join(resuming.not_kept(pipe, single))
    parts = replace(ddp, settings=replace(ddp.settings, accumulate=2))
    assert "running" not in "; ".join(resuming.not_kept(ddp, parts))
    still = replace(ddp, settings=replace(ddp.settings, freeze=True))
    assert "running" not in "; ".join(resuming.not_kept(still, single))


def test_a_mark_of_how_a_run_is_computed() -> None:
    (single,), (ddp,) = runs("single"), runs("ddp", nproc=2)
    other = replace(single, run="09-x", settings=replace(single.settings, lr=9.0, save_steps=3))
    assert resuming.way(single) == resuming.way(other)
    more = replace(single, settings=replace(single.settings, workers=3))
    assert len({resuming.way(each) for each in (single, ddp, more)}) == 3


def test_the_space_of_all_runs() -> None:
    one, two = runs("single", "ddp", nproc=2, epochs=25, backup_epochs=10, model="resnet18")
    size = space.checkpoint_bytes(one, 1000)
    # 11,689,512 weights and their momentum, 9,600 statistics and 20 counters: torchvision's.
    tensors = 4 * (2 * 11_689_512 + 9_600) + 8 * 20
    assert 0 < size - tensors < 0.01 * tensors
    assert space.kept_bytes(one, 1000) == 4 * size, "the last, the best, epochs 10 and 20"
    larger = space.checkpoint_bytes(two, 1000)
    assert larger > size, "each rank's own statistics"
    assert space.needed([one, two], 1000) == 4 * size + 4 * larger + larger
    assert space.needed([one], 1000, there=3 * size) == 2 * size
    assert space.needed([one], 1000, there=9 * size) == size, "one is written beside the others"
    assert space.needed([], 1000) == 0


def test_epochs_for_which_there_are_no_steps_take_no_space() -> None:
    """100 images in batches of 32 are 4 steps an epoch."""

    def copies(images: int | None = None, **settings: Any) -> int:
        (run,) = runs("single", epochs=90, backup_epochs=10, **settings)
        return space.kept_bytes(run, 10, images) // space.checkpoint_bytes(run, 10)

    assert copies(100) == copies() == 2 + 9
    assert copies(100, max_steps=36) == 2, "9 epochs"
    assert copies(100, max_steps=37) == 2 + 1, "the tenth is broken off, and kept"
    assert copies(100, max_steps=10_000) == 2 + 9
    assert copies(max_steps=9) == 2, "whatever the images are"
    assert copies(max_steps=25) == 2 + 2


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({"optimizer": "adamw"}, 3),
        ({"momentum": 0.0}, 1),
        ({"ema": 0.999}, 3),
        ({"freeze": True, "weights": "imagenet"}, 1),
    ],
)
def test_what_the_optimiser_remembers_counts(settings: dict[str, Any], times: int) -> None:
    (run,) = runs("single", model="resnet50", **settings)
    weights = 4 * 25_557_032
    assert space.checkpoint_bytes(run, 1000) == pytest.approx(times * weights, rel=0.09)


def test_too_little_room_is_a_sentence_with_a_remedy() -> None:
    assert space.too_little(3 * GIB, GIB, 4 * GIB, "/here") == ""
    assert space.too_little(3 * GIB, GIB, None, "/here") == "", "nobody knows"
    why = space.too_little(3 * GIB, GIB, 2 * GIB, "/h\x1bere")
    assert why == (
        "the checkpoints will take up to 3.0 GiB, and /h�ere has 2.0 GiB free; --backup-epochs 0 "
        "keeps none for good and takes up to 1.0 GiB, --experiments-dir names another disk, or "
        "delete something"
    )
    assert "--backup-epochs" not in space.too_little(GIB, GIB, 5, "/here")
