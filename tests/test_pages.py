"""Every rule page is complete, and its examples do what the page says."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.rule_pages import PAGES, ROOT, Example, Page, lint, read

HEADINGS = ["What it does", "Why is this bad?", "Bad", "Good", "When to ignore it", "Fix safety", "References"]
DECIDED = "How a run decides it"  # after the examples, where a run decides
FAMILIES = {"0": "tool", "1": "output", "2": "gradient", "3": "normalization", "4": "numerics", "5": "graph"}
PROBES = {"", *"output gradient batch edges trace modes precision logits sign missing keras".split()}
SEVERITIES = ["error", "warning", "info"]
NOT_RUNNABLE = {"LL004"}  # whatever makes the analysis fail is mended when it is known

pages = [read(path) for path in PAGES]
examples = [example for page in pages for kind in ("bad", "good") for example in page.examples(kind)]
severity_of = {page.code: page.meta["severity"] for page in pages}


def by_code(page: Page) -> str:
    return page.code


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The findings in each example, by its name; all examples are linted by one process."""
    folder: Path = tmp_path_factory.mktemp("examples")
    for example in examples:
        (folder / f"{example.name}.py").write_text(example.source, encoding="utf-8")
    found = defaultdict(list)
    for finding in lint(".", cwd=folder):
        found[Path(finding["filename"]).stem].append(finding)
    return found


@pytest.mark.parametrize("page", pages, ids=by_code)
def test_front_matter_is_complete(page: Page) -> None:
    meta = page.meta
    assert set(meta) == {"code", "name", "severity", "family", "summary", "probe", "fix", "added"}
    assert meta["code"] == page.path.stem
    assert meta["family"] == FAMILIES[page.code[2]]
    assert meta["severity"] == [s for s in SEVERITIES if s in meta["severity"]] != [], "highest first"
    assert meta["probe"] in PROBES
    assert meta["probe"] == "" or meta["family"] != "tool"
    assert meta["fix"] in {"none", "safe", "unsafe"}
    assert meta["summary"] and "\n" not in meta["summary"] and not meta["summary"].endswith(".")


@pytest.mark.parametrize("page", pages, ids=by_code)
def test_headings_are_complete(page: Page) -> None:
    assert page.title == f"# {page.meta['name']} ({page.code})"
    decided = [DECIDED] if page.meta["probe"] else []
    assert list(page.sections) == HEADINGS[:4] + decided + HEADINGS[4:]
    assert all(text.strip() for text in page.sections.values())


@pytest.mark.parametrize("page", pages, ids=by_code)
def test_page_has_examples(page: Page) -> None:
    if page.code not in NOT_RUNNABLE:
        assert page.examples("bad") and page.examples("good")


def test_codes_and_names_are_unique() -> None:
    assert len({page.code for page in pages}) == len(pages)
    assert len({page.meta["name"] for page in pages}) == len(pages)


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    checks = importlib.import_module("losslint.checks")
    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"losslint.checks.{module.name}")
    kinds = importlib.import_module("losslint.checks.base").CHECKS
    registered = {code for checks in kinds.values() for code in checks}
    assert registered == {page.code for page in pages if page.meta["family"] != "tool"}


@pytest.mark.parametrize("example", [e for e in examples if e.kind == "bad"], ids=lambda e: e.name)
def test_bad_example_fires_exactly_its_rule(example: Example, findings: dict[str, list[dict[str, Any]]]) -> None:
    found = findings[example.name]
    loud = {f["code"] for f in found if f["severity"] != "info"}
    quiet = {f["code"] for f in found if f["severity"] == "info"}
    if severity_of[example.code] == ["info"]:
        assert loud == set(), _shown(found)
        assert quiet == example.infos | {example.code}, _shown(found)
    else:
        assert loud == {example.code}, _shown(found)
        assert quiet == example.infos, _shown(found)
        assert {f["severity"] for f in found if f["code"] == example.code} <= set(severity_of[example.code])


@pytest.mark.parametrize("example", [e for e in examples if e.kind == "good"], ids=lambda e: e.name)
def test_good_example_is_silent(example: Example, findings: dict[str, list[dict[str, Any]]]) -> None:
    found = findings[example.name]
    assert [f["code"] for f in found if f["severity"] != "info"] == [], _shown(found)
    assert {f["code"] for f in found} == example.infos, _shown(found)


def test_pages_are_about_losslint_alone() -> None:
    for path in PAGES:
        assert str(ROOT) not in path.read_text(encoding="utf-8")


def _shown(found: list[dict[str, Any]]) -> str:
    lines = (f"{f['location']['row']}: {f['code']} {f['severity']}: {f['message']}" for f in found)
    return "\n".join(["found", *lines])
