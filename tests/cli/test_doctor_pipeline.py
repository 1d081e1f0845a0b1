"""``doctor --pipeline``: schedules as text, for a terminal, a pipe, and without colours."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli.conftest import COMMAND, call


def test_both_schedules_are_drawn_with_what_follows_from_them() -> None:
    answer = call("doctor", "--pipeline", "--stages", "2", "--micro-batches", "3")
    assert (answer.returncode, answer.stderr) == (0, "")
    for line in (
        "gpipe  2 stages, 3 micro-batches, 8 clock cycles",
        "stage 0  F0 F1 F2 ·  ·  B2 B1 B0",
        "stage 1  ·  F0 F1 F2 B2 B1 B0 ·",
        "bubble in theory  25.0 %, (n-1)/(m+n-1) = 1/4",
        "held in memory    activations of 3 micro-batches on every stage",
        "1f1b  2 stages, 3 micro-batches, 8 clock cycles",
        "stage 0  F0 F1 ·  B0 F2 B1 ·  B2",
        "held in memory    activations of 2 micro-batches on stage 0, 1 on the last",
    ):
        assert line in answer.stdout.splitlines()
    # Beside the drawings, which take the room there is, nothing is broken on a small terminal.
    assert all(len(line) <= 80 for line in answer.stdout.splitlines())
    assert "\x1b" not in answer.stdout


def test_one_schedule_and_what_does_not_fit_is_counted() -> None:
    answer = call(
        "doctor", "--pipeline", "--stages", "4", "--micro-batches", "99", "--schedule", "1f1b"
    )
    assert answer.returncode == 0
    assert "gpipe" not in answer.stdout
    assert "in the middle left out" in answer.stdout
    assert all(len(line) <= 160 for line in answer.stdout.splitlines())


def test_a_terminal_without_utf_8_gets_ascii() -> None:
    answer = subprocess.run(
        [COMMAND, "doctor", "--pipeline", "--micro-batches", "99"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout.isascii()
    assert b"?" not in answer.stdout


def test_a_flag_of_the_drawing_alone_is_refused() -> None:
    answer = call("doctor", "--stages", "3")
    assert answer.returncode == 2
    assert answer.stderr == "resnet-tui: --stages goes with --pipeline; add it\n"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--stages", "0"), "--stages is 0; it may be 1 to 64"),
        (("--stages", "x"), "--stages is 'x'; give a whole number"),
        (("--micro-batches", "1.5"), "--micro-batches is '1.5'; give a whole number"),
        (("--schedule", "zb"), "--schedule is 'zb'; choose one of gpipe, 1f1b"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(
    flags: tuple[str, str], sentence: str
) -> None:
    answer = call("doctor", "--pipeline", *flags)
    assert answer.returncode == 2
    assert answer.stderr == f"resnet-tui: {sentence}\n"
