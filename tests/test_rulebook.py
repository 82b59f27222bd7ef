import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from losslint import rulebook
from losslint.findings import Severity

PAGE = '+++\ncode = "LL999"\nname = "some-name"\nseverity = {}\nfamily = "tool"\nsummary = "s"\nprobe = ""\nfix = "none"\nadded = "0.1.0"\n+++\n\n# T\n'


def test_every_page_is_named_by_its_code_and_names_are_kebab_case() -> None:
    assert set(rulebook.rules()) == {path.stem for path in rulebook.pages_folder().glob("LL*.md")}
    for rule in rulebook.rules().values():
        assert rule.name == rule.name.lower() and " " not in rule.name
        assert rule.url.endswith(f"/rules/{rule.code}.md")


def test_the_rules_of_the_tool_are_there() -> None:
    names = [rulebook.name_of(code) for code in ("LL001", "LL002", "LL003", "LL004")]
    assert names == ["syntax-error", "unused-suppression", "unknown-suppression", "analysis-failed"]


def test_severity_is_a_string_or_a_list() -> None:
    assert rulebook.parse_page(PAGE.format('"error"'), "x").severities == (Severity.ERROR,)
    rule = rulebook.parse_page(PAGE.format('["info", "error"]'), "x")
    assert rule.severities == (Severity.ERROR, Severity.INFO)
    assert rule.severity is Severity.ERROR and rule.page == "# T\n"
    assert rule.to_json()["severity"] == "error"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# LL999\n", "front matter"),
        (PAGE.format('"fatal"'), "severity is made of"),
        (PAGE.format("[]"), "no severity"),
        (PAGE.format('"error"').replace('family = "tool"\n', ""), "lacks family"),
        (PAGE.format('"error'), "LL999.md:"),
    ],
)
def test_a_broken_page_is_named(text: str, problem: str) -> None:
    with pytest.raises(rulebook.PageError, match=problem):
        rulebook.parse_page(text, "LL999.md")


def test_without_pages_there_is_no_rulebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rulebook, "pages_folder", lambda: tmp_path / "rules")
    rulebook.rules.cache_clear()
    with pytest.raises(rulebook.NoPages, match=r"are missing from .*rules.*install losslint with pip"):
        rulebook.rules()


def test_a_copy_without_pages_reports_that(tmp_path: Path) -> None:
    shutil.copytree(rulebook.pages_folder().parent / "losslint", tmp_path / "losslint")
    (tmp_path / "loss.py").write_text("import tensorflow as tf\n")
    command = [sys.executable, "-m", "losslint", "check", "--isolated", "loss.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True)
    assert ran.returncode == 2 and b"rules are missing from" in ran.stderr and ran.stdout == b""


def test_selectors() -> None:
    everything = frozenset(rulebook.rules())
    assert rulebook.resolve("ALL") == rulebook.resolve("LL") == everything
    assert rulebook.resolve("LL302") == rulebook.resolve("unnormalized-batch-sum") == {"LL302"}
    assert rulebook.resolve("LL3") == {c for c in everything if c.startswith("LL3")}
    widest_first = sorted(["unnormalized-batch-sum", "LL3", "ALL", "LL"], key=rulebook.specificity)
    assert widest_first == ["ALL", "LL", "LL3", "unnormalized-batch-sum"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("LL3O2", "LL302"), ("ll302", "LL302"), ("unnormalised-batch-sum", "unnormalized-batch-sum"), ("all", "ALL")],
)
def test_a_wrong_selector_names_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(rulebook.UnknownRule, match=f'did you mean "{right}"'):
        rulebook.resolve(wrong)


def test_the_empty_selector_is_no_rule() -> None:
    with pytest.raises(rulebook.UnknownRule):
        rulebook.resolve("")


def test_find_takes_one_rule_only() -> None:
    assert rulebook.find("syntax-error").code == "LL001"
    with pytest.raises(rulebook.UnknownRule):
        rulebook.find("LL3")
