"""The recipes as data, and where what they set stands among flags and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.plan import learning_rate
from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.defaults import (
    FROM_DATASET,
    FROM_FLAG,
    FROM_HERE,
    FROM_US,
    FROM_USER,
    asked_for,
    resolve,
)
from engine.plan.recipes import NAMES, RECIPES, Recipe, settings_of
from engine.plan.userfiles import FILE, of_user
from engine.plan.values import from_data, show

recipes = pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)


@recipes
def test_a_recipe_is_valid_settings_with_a_sentence_and_a_source(recipe: Recipe) -> None:
    made = Settings(**recipe.settings)
    for name, value in recipe.settings.items():
        # Of the setting's own type too, as a file would give it.
        assert from_data(name, value) == value
        assert type(getattr(made, name)) is type(value)
        assert show(name, value)
    assert recipe.about.strip()
    assert len(recipe.about) < 90
    assert "Differs: " in recipe.source
    assert "arXiv" in recipe.source or "github.com" in recipe.source
    assert "recipe" not in recipe.settings


def test_their_names_are_those_of_the_setting() -> None:
    assert declarations()["recipe"].choices == ("none", *NAMES)
    assert NAMES == ("imagenet", "tiny-imagenet", "finetune", "quick")
    assert settings_of("none") == {}


@pytest.mark.parametrize(
    ("name", "peak", "warmup"),
    [
        ("imagenet", 0.1, 5),
        ("tiny-imagenet", 0.2, 5),
        ("finetune", 0.005, 1),
        ("quick", 0.0125, 0.5),
    ],
)
def test_the_learning_rates_are_those_of_the_sources(name: str, peak: float, warmup: float) -> None:
    made = resolve(None, {"recipe": name}).settings
    assert learning_rate.peak(made) == pytest.approx(peak)
    assert learning_rate.warmup_epochs(made) == warmup
    eight = resolve(None, {"recipe": name, "batch_size": 8 * made.batch_size}).settings
    # Linear in the batch (Goyal et al. 2017), where the recipe says so.
    assert learning_rate.peak(eight) == pytest.approx(8 * peak if made.scale_lr else peak)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "recipe": st.sampled_from(["none", *NAMES]),
    "epochs": st.integers(1, 300),
    "batch_size": st.integers(1, 4096),
    "lr": st.floats(0.001, 10),
    "momentum": st.sampled_from([0.0, 0.5]),
    "label_smoothing": st.sampled_from([0.0, 0.2]),
    "nesterov": st.booleans(),
    "model": st.sampled_from(["resnet34", "resnet101"]),
}
LAYER = st.fixed_dictionaries({}, optional=VALUES)


def write(path: Path, layer: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
        for name, value in layer.items()
    ]
    path.write_text("\n".join(["[training]", *lines]))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flags=LAYER, dataset=LAYER, here=LAYER, user=LAYER)
def test_a_recipe_stands_directly_below_what_named_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: dict[str, Any],
    dataset: dict[str, Any],
    here: dict[str, Any],
    user: dict[str, Any],
) -> None:
    """Against the order written out: the first that has a setting wins."""
    folder, work = tmp_path / "data", tmp_path / "work"
    work.mkdir(exist_ok=True)
    monkeypatch.chdir(work)
    write(folder / FILE, dataset)
    write(work / FILE, here)
    write(of_user(), user)

    found = resolve(folder, flags)

    order: list[tuple[str, dict[str, Any]]] = []
    named = ""
    for source, layer in (
        (FROM_FLAG, flags),
        (FROM_DATASET, dataset),
        (FROM_HERE, here),
        (FROM_USER, user),
    ):
        order.append((source, layer))
        if "recipe" in layer and not named:
            named = layer["recipe"]
            order.append((f"recipe {named}", dict(settings_of(named))))
    for name in declarations():
        source, value = next(
            ((source, layer[name]) for source, layer in order if name in layer),
            (FROM_US, getattr(Settings(), name)),
        )
        assert getattr(found.settings, name) == value, name
        assert found.sources[name] == source, name
    assert asked_for(found.sources) == set(flags)


def test_none_takes_back_the_recipe_of_a_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[training]\nrecipe = 'finetune'\n")
    assert resolve(tmp_path, {}).settings.weights == "imagenet"
    assert resolve(tmp_path, {}).sources["weights"] == "recipe finetune"
    assert resolve(tmp_path, {"recipe": "none"}).settings == Settings()
    # The recipe of a flag replaces that of the file as a whole.
    quick = resolve(tmp_path, {"recipe": "quick"}).settings
    assert (quick.weights, quick.nesterov) == ("none", False)


def test_the_page_of_the_recipes_says_what_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
    words = " ".join(page.split())
    for recipe in RECIPES:
        part = page.split(f"### `{recipe.name}`\n")[1].split("\n## ")[0].split("\n### ")[0]
        rows = [line for line in part.splitlines() if line.startswith("| `")]
        assert rows == [
            f"| `{flag(name)}` | {told(name, value)} | {told(name, getattr(Settings(), name))} |"
            for name, value in recipe.settings.items()
        ]
        assert " ".join(recipe.source.split()) in words
    for name, declared in declarations().items():
        if declared.group in ("recipe", "images"):
            default = told(name, getattr(Settings(), name))
            assert f"| `{flag(name)}` | {declared.about} | {default} | " in page, name


def told(name: str, value: Any) -> str:
    return show(name, value) or "no limit"
