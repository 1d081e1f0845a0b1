"""The draft of a training, and the folders that are remembered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.plan.userfiles import of_user
from tui import recent
from tui.draft import Draft, look_up


def answered(draft: Draft) -> bool:
    return draft.take(look_up(*draft.question()))


def field(draft: Draft, name: str) -> tuple[str, str, str]:
    (found,) = (each for each in draft.fields() if each.name == name)
    return found.text, found.source, found.problem


def test_flags_typed_texts_and_defaults_have_their_sources() -> None:
    draft = Draft({"epochs": 3})
    draft.edit("batch_size", "16")
    draft.edit("max_time", "5m")
    assert answered(draft)
    assert field(draft, "epochs") == ("3", "flag", "")
    assert field(draft, "batch_size") == ("16", "you", "")
    assert field(draft, "max_time") == ("5m", "you", "")
    assert field(draft, "momentum") == ("0.9", "default", "")
    draft.edit("epochs", None)
    assert answered(draft)
    assert field(draft, "epochs") == ("90", "default", "")


def test_a_wrong_text_is_kept_beside_and_the_last_good_value_stays() -> None:
    draft = Draft({})
    draft.edit("epochs", "4")
    assert answered(draft)
    draft.edit("epochs", "\x1bfour")
    assert answered(draft)
    text, source, problem = field(draft, "epochs")
    assert (text, source) == ("\ufffdfour", "you")
    assert "epochs" in problem
    assert draft.wrong is not None and draft.wrong[0] == "epochs"
    assert draft.settings.epochs == 4
    draft.edit("epochs", "5")
    assert answered(draft) and draft.wrong is None and draft.settings.epochs == 5


def test_a_file_of_weights_that_is_not_there_is_wrong_too(tmp_path: Path) -> None:
    draft = Draft({})
    draft.edit("weights", str(tmp_path / "gone.pt"))
    assert not answered(draft)
    assert answered(draft)
    assert "there is no file" in field(draft, "weights")[2]
    assert draft.settings.weights == "none"


def test_a_file_of_the_users_own_is_at_fault_and_not_what_was_typed() -> None:
    of_user().parent.mkdir(parents=True)
    of_user().write_text("[training]\nepochs = 0\n")
    draft = Draft({})
    draft.edit("epochs", "4")
    assert answered(draft)
    assert draft.problem.startswith(str(of_user()))
    assert draft.wrong is None
    of_user().write_text("[training]\nlr = 2\n")
    assert answered(draft)
    assert (draft.problem, draft.settings.epochs) == ("", 4)
    assert field(draft, "lr") == ("2.0", "your config.toml", "")


def test_an_answer_to_an_older_question_does_not_count() -> None:
    draft = Draft({})
    old = look_up(*draft.question())
    draft.edit("epochs", "2")
    new = look_up(*draft.question())
    assert not draft.take(old) and not draft.settled
    assert draft.take(new) and draft.settled
    assert draft.settings.epochs == 2


def test_the_folders_used_last_come_first_and_gone_ones_go(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\n\xff"))
    folders = [tmp_path / "one", strange, tmp_path / "three"]
    for folder in folders:
        folder.mkdir()
        recent.remember(folder)
    recent.remember(folders[0])
    folders[2].rmdir()
    assert recent.recent() == [folders[0], strange]


def test_a_state_directory_that_cannot_be_written_to_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    recent.remember(tmp_path)
    assert recent.recent() == []
