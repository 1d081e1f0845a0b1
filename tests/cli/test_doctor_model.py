"""``doctor --model``: a network as a table and as JSON."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import call
from tui.commands import doctor
from tui.commands.model import run, wanted


def test_resnet50_has_25_6_million_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call("doctor", "--model", "resnet50")
    assert (answer.returncode, answer.stderr) == (0, "")
    told = answer.stdout.splitlines()
    assert told[0] == "resnet50"
    assert "parameters   25.6 M (25,557,032)" in told
    assert any(line.startswith("arithmetic   8.18 GFLOP forward, 24.30 GFLOP") for line in told)
    assert any(
        line.startswith("layer4.2    2,048 x 7 x 7   4,462,592  0.44 GFLOP") for line in told
    )
    assert any(line.startswith("layers       20, of which 16 residual blocks") for line in told)


def asked(*words: str) -> int:
    import argparse

    parser = argparse.ArgumentParser(allow_abbrev=False)
    doctor.add_arguments(parser)
    arguments = parser.parse_args(words)
    assert wanted(arguments)
    return run(arguments)


def test_json_is_plain_and_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--image-size", "64", "--batch-size", "8", "--classes", "10", "--json")
    assert asked("--model", "resnet18", *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["model"], found["image_size"], found["batch_size"]) == ("resnet18", 64, 8)
    for whole, part in (
        ("parameters", "parameters"),
        ("forward_flop_per_image", "forward_flop_per_image"),
        ("activation_bytes", "activation_bytes"),
    ):
        assert found[whole] == sum(layer[part] for layer in found["layers"])
    assert found["layers"][-1] == {
        "name": "fc",
        "output": [10, 1, 1],
        "parameters": 5130,
        "forward_flop_per_image": 2 * 512 * 10,
        # Its input, and the logarithms, the labels and a sum of the loss.
        "activation_bytes": 8 * 512 * 4 + 8 * (10 * 4 + 8) + 4,
    }


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--classes", "3"), "--classes goes with --model; add it"),
        (("--json",), "--json goes with --model; add it"),
        (("--model", "vgg"), "model (--model) is 'vgg'; choose one of resnet18"),
        (("--model", "resnet18", "--image-size", "2"), "it must be at least 16"),
        (("--model", "resnet18", "--classes", "0"), "--classes is '0'; give a whole number from 1"),
        (("--model", "resnet18", "--pipeline"), "leave one of them out"),
    ],
)
def test_what_cannot_be_listed_is_refused(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], sentence: str
) -> None:
    from tui.cli import main

    assert main(["doctor", *flags]) == 2
    assert sentence in capsys.readouterr().err
