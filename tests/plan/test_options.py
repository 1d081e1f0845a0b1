"""Settings as flags and as fields of a form."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EXIT_WRONG_INPUT, SettingError
from engine.plan import options
from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.values import parse, parse_duration, show

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["resnet18", "resnet152"]),
    "weights": st.sampled_from(["none", "imagenet", "/a b/last.pt", "./größe.pt"]),
    "epochs": st.integers(1, 2**53),
    "batch_size": st.integers(1, 2**53),
    "image_size": st.integers(16, 2048),
    "lr": st.floats(0, exclude_min=True, allow_infinity=False),
    "recipe": st.sampled_from(["none", "imagenet", "tiny-imagenet", "finetune", "quick"]),
    "optimizer": st.sampled_from(["sgd", "adamw"]),
    "momentum": st.floats(0, 0.9999),
    "nesterov": st.booleans(),
    "weight_decay": st.floats(0, allow_infinity=False),
    "decay_norm": st.booleans(),
    "scale_lr": st.booleans(),
    "warmup_epochs": st.none() | st.floats(0, allow_infinity=False),
    "warmup_start": st.floats(0, 1),
    "lr_floor": st.floats(0, allow_infinity=False),
    "clip_grad": st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    "ema": st.none() | st.floats(0, 0.999999, exclude_min=True),
    "zero_init": st.booleans(),
    "freeze": st.booleans(),
    "label_smoothing": st.floats(0, 0.9),
    "class_weights": st.sampled_from(["none", "balanced"]),
    "augment": st.sampled_from(["none", "randaugment", "trivialaugment"]),
    "random_erasing": st.floats(0, 1),
    "mixup": st.floats(0, 10),
    "cutmix": st.floats(0, 10),
    "resize_from": st.none() | st.integers(16, 2048),
    "backup_epochs": st.integers(0, 2**53),
    "save_steps": st.none() | st.integers(1, 2**53),
    "save_time": st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    "on_nan": st.sampled_from(["stop", "skip"]),
    "seed": st.integers(0, 2**31 - 1),
    "workers": st.none() | st.integers(0, 256),
    "device": st.sampled_from(["auto", "cuda", "mps", "cpu"]),
    "gpus": st.none()
    | st.lists(st.integers(0, 63), unique=True, min_size=1, max_size=9).map(tuple),
    "precision": st.sampled_from(["auto", "fp32", "tf32", "mixed", "bf16", "fp16"]),
    "gradient_checkpointing": st.booleans(),
    "accumulate": st.integers(1, 4096),
    "nproc": st.none() | st.integers(1, 1024),
    "stages": st.none() | st.integers(2, 2**53),
    "micro_batches": st.none() | st.integers(1, 2**53),
    "schedule": st.sampled_from(["auto", "gpipe", "1f1b"]),
    "balance": st.none() | st.lists(st.integers(1, 63), min_size=1, max_size=9).map(tuple),
    "recompute": st.sampled_from(["auto", "always", "except_last", "never"]),
    "compile": st.booleans(),
    "sync_bn": st.booleans(),
    "hang_timeout": st.floats(0, exclude_min=True, allow_infinity=False),
    "channels_last": st.sampled_from(["auto", "yes", "no"]),
    "crop_min": st.floats(0, 1, exclude_min=True),
    "flip": st.booleans(),
    "val_fraction": st.floats(0, 0.9, exclude_min=True),
    "max_steps": st.none() | st.integers(1, 2**53),
    "max_time": st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    "repeats": st.integers(1, 100),
    "find_batch": st.booleans(),
    "memory_budget": st.none() | st.floats(0, exclude_min=True, allow_infinity=False),
    "target_accuracy": st.none() | st.floats(0, 1, exclude_min=True),
    "price": st.none() | st.floats(0, allow_infinity=False),
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="x")
    options.add_flags(made)
    return made


def test_every_setting_has_values_here() -> None:
    assert VALUES.keys() == declarations().keys()


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_what_a_form_shows_can_be_typed_again(data: st.DataObject, name: str) -> None:
    value = data.draw(VALUES[name])

    assert parse(name, show(name, value)) == value
    assert type(parse(name, show(name, value))) is type(value)


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_flags_give_the_settings_that_were_given_and_no_other(given: dict[str, Any]) -> None:
    argv = []
    for name, value in given.items():
        if isinstance(value, bool):
            argv.append(flag(name) if value else flag(name).replace("--", "--no-"))
        else:
            argv.append(f"{flag(name)}={show(name, value)}")

    assert options.chosen(parser().parse_args(argv)) == given
    Settings(**given)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        (" 1h 30m ", 5400.0),
        ("1.5m", 90.0),
        ("2D", 172800.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5x", "5 minutes", "-5m", "1e999s", "5m!", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(300.0, "5m"), (7200.0, "2h"), (90.0, "90s")])
def test_a_duration_is_shown_as_people_write_it(seconds: float, text: str) -> None:
    assert show("max_time", seconds) == text


@pytest.mark.parametrize("text", ["", "auto", " AUTO ", "off", "none"])
def test_what_may_be_left_to_itself(text: str) -> None:
    assert parse("workers", text) is None
    assert parse("gpus", text) is None
    assert show("workers", None) == "auto"
    assert parse("ema", text) is None
    assert show("max_steps", None) == ""
    assert show("ema", None) == "off"


@pytest.mark.parametrize("text", ["yes", "TRUE", "on", "1"])
def test_yes(text: str) -> None:
    assert parse("flip", text) is True


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("lr", "fast", "learning rate (--lr) is 'fast'; give a number"),
        ("lr", "0", "learning rate (--lr) is 0; it must be above 0"),
        ("lr", "nan", "learning rate (--lr) is nan; give a number"),
        ("epochs", "2.5", "epochs (--epochs) is '2.5'; give a whole number"),
        ("epochs", "", "epochs (--epochs) is empty; give a whole number"),
        ("epochs", "-1", "epochs (--epochs) is -1; it must be at least 1"),
        ("epochs", "9" * 5000, "give a whole number"),
        ("epochs", "9" * 400, "too large a number"),
        ("image_size", "1000000", "image size (--image-size) is 1000000; it must be at most 2048"),
        ("model", "vgg", "model (--model) is 'vgg'; choose one of resnet18, resnet34"),
        ("flip", "maybe", "flip (--flip) is 'maybe'; give yes or no"),
        ("gpus", "0;1", "GPUs (--gpus) is '0;1'; give numbers with commas between them, as 0,2"),
        ("gpus", "1,1", "GPUs (--gpus) is 1,1; name each once"),
        ("balance", "0,12", "balance (--balance) is 0,12; give each stage 1 layer or more"),
        ("max_time", "soon", "max time (--max-time) is 'soon'; give a time such as 90s, 5m or 2h"),
        ("max_time", "0s", "must be above 0"),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_a_remedy(
    name: str, text: str, sentence: str
) -> None:
    with pytest.raises(SettingError) as refused:
        parse(name, text)

    assert sentence in str(refused.value)
    assert refused.value.field == name
    assert refused.value.exit_code == EXIT_WRONG_INPUT
    if name != "flip":
        with pytest.raises(SettingError):
            parser().parse_args([f"{flag(name)}={text}"])


@given(st.sampled_from(sorted(VALUES)), st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_sentence(name: str, text: str) -> None:
    try:
        value = parse(name, text)
    except SettingError as error:
        assert str(error).startswith(declarations()[name].label)
    else:
        Settings(**{name: value})


def test_help_says_what_each_setting_is_its_unit_and_its_default() -> None:
    text = " ".join(parser().format_help().split())

    for declared in declarations().values():
        assert declared.about in text
    assert (
        "--image-size N side of the square the network sees (in px, 16 to 2048, default 224)"
        in text
    )
    assert "--flip, --no-flip" in text
    assert "--device auto|cuda|mps|cpu" in text
    assert "(default resnet50)" in text


def test_help_has_no_heading_with_nothing_below_it() -> None:
    made = argparse.ArgumentParser()
    options.add_flags(made, shown=("workers", "save_steps"))

    text = made.format_help()
    assert "training:" in text
    assert "checkpoints:" in text
    assert "learning:" not in text
    assert "switches of strategies:" not in text


def test_channels_last_may_stand_alone() -> None:
    for words, value in (([], None), (["--channels-last"], "yes"), (["--channels-last=no"], "no")):
        assert options.chosen(parser().parse_args(words)).get("channels_last") == value
