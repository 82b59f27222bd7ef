"""The reference of the configuration holds every key, and says of each what is so."""

import dataclasses
from pathlib import Path

import pytest

from losslint import keys, settings
from losslint.keys import KEYS, Key
from losslint.settings import Resolver, Settings
from tests.command import losslint
from tests.rule_pages import ROOT

LAYERS = {"select", "ignore", "extend-select"}


def test_every_key_is_there() -> None:
    names = [key.name for key in KEYS]
    assert sorted(names) == sorted([*settings._SELECTING, *settings._FIELDS])
    fields = {f.name.replace("_", "-") for f in dataclasses.fields(Settings)} - {"root", "origin", "selections"}
    assert set(names) - LAYERS == fields


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_example_is_read_and_sets_the_key(key: Key, tmp_path: Path) -> None:
    example = key.example if key.example.startswith("[") else f"[tool.losslint]\n{key.example}"
    (tmp_path / "pyproject.toml").write_text(example, encoding="utf-8")
    found, default = Resolver().of(tmp_path), Settings(root=tmp_path)
    changed = {f.name for f in dataclasses.fields(Settings) if getattr(found, f.name) != getattr(default, f.name)}
    assert changed == {"origin", "selections" if key.name in LAYERS else key.name.replace("-", "_")}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_default_is_what_holds(key: Key, tmp_path: Path) -> None:
    """Written down, it changes nothing."""
    if key.default == "unset":
        assert not getattr(Settings(), key.name.replace("-", "_"))
        return
    (tmp_path / "losslint.toml").write_text(f"{key.name} = {key.default}\n", encoding="utf-8")
    found, default = Resolver().of(tmp_path), Settings(root=tmp_path)
    assert found.enabled == default.enabled
    assert dataclasses.replace(found, origin=None, selections=()) == default


def test_it_is_printed() -> None:
    assert [line.split()[0] for line in losslint("config").out.splitlines()] == [key.name for key in KEYS]
    shown = losslint("config", "fail-on").out
    assert keys.by_name()["fail-on"].about in shown and 'Default value: "warning"' in shown
    ran = losslint("config", "fail-om")
    assert ran.status == 2 and 'did you mean "fail-on"?' in ran.err


def test_the_overview_names_every_key() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    overview = text.split("```toml\n", 1)[1].split("```", 1)[0]
    for key in KEYS:
        assert f"\n{key.name} = " in overview or f"[tool.losslint.{key.name}]" in overview, key.name
