from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DamagedImages
from engine.journal.events import Notice
from engine.plan import dataset
from engine.plan.config import Settings
from engine.train.course import Key
from engine.train.damage import Damage
from engine.train.reading import Images
from tests.train.making import images


def test_a_dataset_that_is_taken_away_is_not_called_damaged(tmp_path: Path) -> None:
    folder = images(tmp_path / "data")
    listed = dataset.load(folder, 0.2, 0)
    told: list[Notice] = []
    damage = Damage(listed, told.append)
    folder.rename(tmp_path / "elsewhere")
    keys = [Key("train", 0, sample) for sample in range(len(listed.train))]
    batch = Images(listed, Settings(image_size=32)).__getitems__(keys)
    assert len(batch) == 0
    with pytest.raises(DamagedImages, match=r"data is gone: .* bring it back"):
        damage.note(batch)
    assert told == []
