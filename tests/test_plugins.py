"""A package that brings rules is built as CONTRIBUTING shows it, installed by pip, and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from losslint import plugins
from tests.rule_pages import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## A rule of your own", 1)[1].split("\n## ", 1)[0]
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))
LOSS = """
import tensorflow as tf


def tanh_loss(y_true, y_pred):
    return tf.reduce_mean(tf.tanh(y_true - y_pred))  # losslint: ignore[LL104] a scalar is meant


def squared_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))  # losslint: ignore[LL104] a scalar is meant
"""


def install(folder: Path, files: dict[str, str], module: str = "acme_rules") -> Path:
    """Install a wheel of ``files`` whose entry point names ``module``; the folder to put on the path."""
    info = "acme_rules-1.0.dist-info"
    names = f'[losslint.rules]\nacme = "{module}"\n'.replace('"', "")
    about = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": names,
    }
    wheel = folder / "acme_rules-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (files | about).items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, *about, f"{info}/RECORD"]))
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", site, wheel]
    subprocess.run(command, check=True, timeout=120)
    return site


def losslint(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    command = [sys.executable, "-m", "losslint", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    code = BLOCKS["python"]
    page = BLOCKS["markdown"]
    assert 'acme = "acme_rules"' in BLOCKS["toml"]
    assert len(code.splitlines()) + len(page.splitlines()) < 40
    files = {"acme_rules/__init__.py": code, "acme_rules/rules/ACME101.md": page}
    return install(tmp_path_factory.mktemp("acme"), files)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "losses.py").write_text(LOSS, encoding="utf-8")
    return tmp_path


def found(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode in (0, 1), done.stderr
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings


def test_its_check_runs_beside_our_own(site: Path, project: Path) -> None:
    ran = losslint(site, "check", "--output-format", "json", ".", cwd=project)
    (finding,) = found(ran)
    assert ran.returncode == 1
    assert (finding["code"], finding["name"], finding["severity"]) == ("ACME101", "negative-loss", "warning")
    assert (finding["function"], finding["location"]["row"]) == ("tanh_loss", 6)
    assert finding["message"] == "the loss can be as low as -1"


def test_its_rule_is_listed_and_explained(site: Path, project: Path) -> None:
    rules = json.loads(losslint(site, "rules", "--format", "json", cwd=project).stdout)
    assert rules[-1]["code"] == "ACME101" and rules[-1]["fixable"] == "none"
    assert "Our dashboards draw" in losslint(site, "explain", "negative-loss", cwd=project).stdout


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (("--select", "ACME"), ["ACME101"]),
        (("--select", "ACME1"), ["ACME101"]),
        (("--select", "negative-loss"), ["ACME101"]),
        (("--select", "LL"), []),
        (("--ignore", "ACME101"), []),
        (("--select", "ALL", "--ignore", "ACME"), []),
    ],
)
def test_selectors_name_it(site: Path, project: Path, options: tuple[str, ...], codes: list[str]) -> None:
    ran = losslint(site, "check", "--output-format", "json", *options, ".", cwd=project)
    assert [f["code"] for f in found(ran)] == codes


@pytest.mark.parametrize("comment", ["losslint: ignore[negative-loss]", "losslint: ignore[ACME101]", "noqa: ACME101"])
def test_comments_suppress_it(site: Path, tmp_path: Path, comment: str) -> None:
    text = LOSS.replace("# losslint: ignore[LL104] a scalar is meant", f"# {comment}", 1)
    (tmp_path / "losses.py").write_text(text, encoding="utf-8")
    assert found(losslint(site, "check", "--output-format", "json", ".", cwd=tmp_path)) == []


def test_without_it_nothing_is_left_of_it(project: Path, tmp_path: Path) -> None:
    ran = losslint(tmp_path, "check", "--select", "ACME", ".", cwd=project)
    assert ran.returncode == 2 and "no rule answers to 'ACME'" in ran.stderr


PAGE = BLOCKS["markdown"]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"other/__init__.py": ""}, "No module named 'acme_rules'"),
        ({"acme_rules/__init__.py": ""}, "holds no pages"),
        (
            {"acme_rules/__init__.py": "import nothing_of_the_kind", "acme_rules/rules/a.md": PAGE},
            "nothing_of_the_kind",
        ),
        ({"acme_rules/__init__.py": "", "acme_rules/rules/a.md": "# no front matter"}, "front matter"),
        ({"acme_rules/__init__.py": "", "acme_rules/rules/a.md": PAGE.replace("ACME101", "LL900")}, "LL excepted"),
        (
            {"acme_rules/__init__.py": "", "acme_rules/rules/a.md": PAGE.replace("negative-loss", "unclipped-log")},
            "another page as well",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    site = install(tmp_path, files)
    (tmp_path / "losses.py").write_text(LOSS, encoding="utf-8")
    ran = losslint(site, "check", "losses.py", cwd=tmp_path)
    assert ran.returncode == 2
    assert "'acme' of acme-rules 1.0" in ran.stderr and problem in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr


# -- where they are looked for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("nothing_of_the_kind.rules", "there is no package 'nothing_of_the_kind.rules'"),
        ("json.tool", "there is no package 'json.tool'"),
        ("json", "'json' holds no pages"),
    ],
)
def test_a_package_without_pages(module: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "plugins", lambda: (plugins.Plugin(module, "'acme' of acme 1.0"),))
    with pytest.raises(plugins.PluginError, match=f"^the rules 'acme' of acme 1.0 cannot be used: {problem}"):
        list(plugins.pages())


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("acme-1.0.dist-info", "[losslint.rules]\nacme = acme\n", True),
        ("acme-1.0.egg-info", "[losslint.rules]\nacme = acme\n", True),
        ("acme-1.0.dist-info", "[console_scripts]\nacme = acme\n", False),
        ("acme-1.0.dist-info", None, False),
        ("acme-1.0-py3.egg", None, True),
        ("acme", "[losslint.rules]\nacme = acme\n", False),
    ],
)
def test_they_are_named_among_entry_points(
    name: str, text: str | None, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    if text is not None:
        (tmp_path / name / "entry_points.txt").write_text(text)
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "gone")])
    assert plugins._are_named_somewhere() is named


@pytest.mark.parametrize("name", ["a.zip", "a.egg", "a.whl"])
def test_archives_may_hold_some(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path / name)])
    assert not plugins._are_named_somewhere()
    (tmp_path / name).write_bytes(b"PK")
    assert plugins._are_named_somewhere()


def test_one_without_a_distribution_is_called_by_its_name() -> None:
    assert plugins._origin(EntryPoint("acme", "acme_rules", plugins.GROUP)) == "'acme'"
