"""Every error says what to do next: the place, what is wrong, and the way out."""

from pathlib import Path

import pytest

from losslint import session
from tests.command import LOSS, engine_of_marks, losslint


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(session, "lint_source", engine_of_marks)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    Path("losses.py").write_text(LOSS, encoding="utf-8")
    Path("empty.py").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        ("losess.py", 'no such file or folder: losess.py; did you mean "losses.py"?'),
        ("chekc losses.py", '"check"'),
        ("facts losess.py", 'no such file: losess.py; did you mean "losses.py"?'),
        ("facts .", "name one file in it"),
        ("facts losses.py::los", '"loss"'),
        ("facts losses.py::dice", "it has loss"),
        ("facts empty.py::dice", "it has none"),
        ("confirm losess.py", 'did you mean "losses.py"?'),
        ("confirm losses.py::dice", "losslint facts losses.py lists its losses"),
        ("confirm", "confirm --help' for help."),
        ("explain LL3O2", 'did you mean "LL302"?'),
        ("explain everything-else-there-is", "losslint rules lists them"),
        ("rules LX", "losslint rules lists them"),
        ("check --select QQ9 .", "losslint rules lists them"),
        ("check --slect LL4 .", "--select"),
        ("check --fail-on never-ever .", "'never'"),
        ("check --per-file-ignores tests .", "as in tests/*:LL3"),
        ("check --output-format sarfi .", 'did you mean "sarif"?'),
        ("check --output-format sarif= .", "write sarif=FILE"),
        ("check --output-format json --output-format sarif .", "as in sarif=losslint.sarif"),
        ("check --output-file none/out.txt .", "make the folder none first"),
        ("check --output-file . .", "is a directory"),
        ("check --device tpu .", "none of auto, cpu, gpu and gpu:N"),
        ("check --tensorflow two .", 'must be a version such as "2.21"'),
        ("check --config none.toml .", "--isolated does without a configuration"),
        ("check --config pyproject.toml .", "add that table"),
        ("check --config broken.toml .", "mend it there"),
        ("check --config odd.toml .", 'did you mean "extend-select"?'),
        ("check --baseline none.json .", "write it with --write-baseline"),
        ("check --write-baseline .", "add --baseline losslint-baseline.json"),
        ("check --add-ignore= .", "as in --add-ignore 'the batch is fixed'"),
        ("check --add-ignore why -", "name the file instead"),
        ("check --diff --confirm .", "leave out --confirm"),
        ("check - losses.py", "lint them in two"),
        ("check --jobs -1 .", "x>=0"),
    ],
)
def test_the_way_out(arguments: str, way: str) -> None:
    Path("pyproject.toml").write_text("[project]\n# losslint\n", encoding="utf-8")
    Path("broken.toml").write_text("select = [\n", encoding="utf-8")
    Path("odd.toml").write_text("extend-selects = []\n", encoding="utf-8")
    ran = losslint(*arguments.split(" ") if "why" not in arguments else ["check", "--add-ignore", "why", "-"])
    assert ran.status == 2 and "Traceback" not in ran.err
    assert way in ran.err, ran.err


def test_a_notebook_that_is_none() -> None:
    for text in ("{", "[]", '{"worksheets": []}', '{"cells": 1}'):
        Path("a.ipynb").write_text(text, encoding="utf-8")
        ran = losslint("a.ipynb")
        assert ran.status == 1 and "help: save it with a current Jupyter, or exclude it" in ran.out


def test_nothing_at_all_lints_the_current_folder(project: Path) -> None:
    assert losslint().status == 1 and losslint() == losslint(".")
