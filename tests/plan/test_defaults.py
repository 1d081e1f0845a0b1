"""Where settings come from: flags, the dataset's own file, ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EXIT_WRONG_INPUT, SettingError
from engine.plan.config import Settings, declarations
from engine.plan.defaults import FROM_DATASET, FROM_FLAG, FROM_US, resolve
from engine.plan.userfiles import FILE


def folder_with(folder: Path, text: str | bytes) -> Path:
    (folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_without_anything_they_are_ours(tmp_path: Path) -> None:
    for dataset in (None, tmp_path, tmp_path / "gone"):
        resolved = resolve(dataset, {})
        assert resolved.settings == Settings()
        assert set(resolved.sources.values()) == {FROM_US}
        assert resolved.sources.keys() == declarations().keys()


def test_flags_beat_the_dataset_and_the_dataset_beats_us(tmp_path: Path) -> None:
    folder_with(tmp_path, "[training]\nimage_size = 32\nepochs = 5\nlr = 1\nflip = false\n")

    resolved = resolve(tmp_path, {"epochs": 2, "seed": 3})

    assert resolved.settings == Settings(image_size=32, epochs=2, lr=1.0, flip=False, seed=3)
    assert isinstance(resolved.settings.lr, float)
    assert resolved.sources["epochs"] == FROM_FLAG
    assert resolved.sources["seed"] == FROM_FLAG
    assert resolved.sources["image_size"] == FROM_DATASET == "resnet-tui.toml of the dataset"
    assert resolved.sources["momentum"] == FROM_US == "default"


def test_values_may_be_written_as_on_the_command_line(tmp_path: Path) -> None:
    folder_with(
        tmp_path,
        '[training]\nmax_time = "5m"\nbalance = [3, 9]\nstages = "auto"\nweights = "none"\n',
    )

    settings = resolve(tmp_path, {}).settings

    assert settings == Settings(max_time=300.0, balance=(3, 9))


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert resolve(folder_with(tmp_path, "# nothing\n"), {}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[training\n", "is no valid TOML: Expected ']'"),
        ("[training]\nlr = \n", "(at line 2, column 6)"),
        ("[training]\nlr = 1\nlr = 2\n", "is no valid TOML"),
        (b"[training]\nmodel = '\xff'\n", "is not UTF-8 text"),
        ("a = [" + "[" * 20000, "is no valid TOML"),
        ("[training]\n" + "# \n" * 40000, "is larger than 64 kB"),
        ("training = 3\n", "write [training] on a line above"),
        ("[training]\nepoch = 3\n", "there is no setting 'epoch'; did you mean epochs?"),
        ("[training]\nqqq = 3\n", "there is no setting 'qqq'; it may be recipe, model, weights"),
        ("[training]\nepochs = 2.5\n", "epochs (--epochs) is '2.5'; give a whole number"),
        ("[training]\nepochs = true\n", "give a whole number"),
        ("[training]\nepochs = 0\n", "epochs (--epochs) is 0; it must be at least 1"),
        ('[training]\nflip = "no"\n', "give yes or no"),
        ("[training]\nimage_size = 4\n", "image size (--image-size) is 4; it must be at least 16"),
        ('[training]\nmodel = "vgg"\n', "choose one of resnet18"),
        ("[training]\nmodel = 18\n", "give one of resnet18"),
        ("[training]\nlr = inf\n", "give a number"),
        ("[training]\nlr = 1" + "0" * 400 + "\n", "give a number"),
        ("[training]\nlr = 1979-05-27\n", "give a number"),
        ("[training]\nbalance = [3, 'x']\n", "give numbers with commas between them"),
        ("[training]\nbalance = [true]\n", "give numbers with commas between them"),
        ('[training]\nmax_time = "soon"\n', "give a time such as"),
        ("[training]\n'a\\u001b[31m' = 1\n", "there is no setting"),
    ],
    ids=str,
)
def test_what_is_wrong_with_it_is_told_with_the_file(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    folder_with(tmp_path, text)

    with pytest.raises(SettingError) as refused:
        resolve(tmp_path, {})

    assert str(refused.value).startswith(str(tmp_path / FILE))
    assert sentence in str(refused.value)
    assert refused.value.exit_code == EXIT_WRONG_INPUT
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "strategies = ['amp']\n",
        "[training]\nstrategies = ['amp']\n",
        "[commands]\nbefore = 'rm -rf /'\n",
        "[training]\nweights = '/etc/passwd'\n",
        "[training]\nweights = ['none']\n",
        "[training]\nexperiments_dir = '/tmp'\n",
    ],
)
def test_a_dataset_chooses_neither_what_is_run_nor_which_files_are_read(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(SettingError):
        resolve(folder_with(tmp_path, text), {})


def test_weights_from_a_file_become_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "best.pt").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    for text in ("best.pt", "./best.pt", "~/best.pt", str(tmp_path / "best.pt")):
        settings = resolve(None, {"weights": text}).settings
        assert Path(settings.weights) == tmp_path / "best.pt"


def test_weights_that_are_not_there_are_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"there is no file .*gone\.pt to start from") as refused:
        resolve(None, {"weights": str(tmp_path / "gone.pt")})

    assert refused.value.field == "weights"


def test_the_sample_data_brings_its_own_defaults(sample_data: Path) -> None:
    settings = resolve(sample_data, {}).settings

    assert (settings.model, settings.image_size, settings.flip) == ("resnet18", 32, False)


def test_numbers_of_gpus_and_another_device_contradict_each_other() -> None:
    with pytest.raises(SettingError, match=r"--gpus.*--device.* is cpu; leave one of them out"):
        resolve(None, {"gpus": (0,), "device": "cpu"})
    assert resolve(None, {"gpus": (0,)}).settings.gpus == (0,)
