from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ExperimentError
from engine.report.export import HEADER, to_csv, write_csv
from engine.report.rows import Row, rows
from tests.report.views import folded

ROW = Row(
    name="01-single",
    strategy="single",
    state="done",
    reason="",
    batch_size=64,
    epochs=5,
    images_per_second=123.456,
    batch_seconds=0.1,
    wait_share=None,
    train_loss=1e-05,
    val_loss=float("nan"),
    top1=0.5,
    best_top1=1.0,
    top5=1.0,
    peak_memory=1073741824,
    train_seconds=12.0,
    precision="bf16",
    ranks=2,
    device_kind="cuda",
    device_count=2,
    device_batch=8,
    norm_batch=16,
    stages=2,
    micro_batches=8,
    bubble=0.25,
    bubble_in_theory=0.125,
)


def test_known_text() -> None:
    assert to_csv([ROW]) == (
        "name,strategy,state,reason,batch_size,epochs,images_per_second,batch_seconds,wait_share,"
        "train_loss,val_loss,top1,best_top1,top5,peak_memory,train_seconds,"
        "precision,ranks,device_kind,device_count,device_batch,norm_batch,"
        "stages,micro_batches,bubble,bubble_in_theory\r\n"
        "01-single,single,done,,64,5,123.456,0.1,,1e-05,nan,0.5,1.0,1.0,1073741824,12.0,"
        "bf16,2,cuda,2,8,16,2,8,0.25,0.125\r\n"
    )


def test_text_from_outside_is_quoted_and_is_no_formula() -> None:
    for begin in "=+-@\t\r":
        odd = replace(ROW, reason=f'{begin}cmd|"a", b\nc')
        _, cells = csv.reader(io.StringIO(to_csv([odd]), newline=""))
        assert cells[HEADER.index("reason")] == f"'{odd.reason}"
    plain = replace(ROW, reason='said "no", twice')
    assert '"said ""no"", twice"' in to_csv([plain])


def test_a_negative_number_stays_a_number() -> None:
    assert ",-2.5," in to_csv([replace(ROW, train_loss=-2.5)])


def test_an_unknown_run_is_empty_cells() -> None:
    (line,) = csv.DictReader(io.StringIO(to_csv(rows(folded([], queued_only=True))), newline=""))
    assert line["state"] == "queued"
    assert line["top1"] == line["peak_memory"] == line["images_per_second"] == ""
    assert line["precision"] == line["device_batch"] == line["bubble"] == ""


def test_writing(tmp_path: Path) -> None:
    path = write_csv([replace(ROW, reason="größer ✓")], tmp_path / "table.csv")
    assert path.read_bytes().decode("utf-8") == to_csv([replace(ROW, reason="größer ✓")])
    with pytest.raises(ExperimentError, match=r"cannot write .*: No such file"):
        write_csv([ROW], tmp_path / "none" / "table.csv")
