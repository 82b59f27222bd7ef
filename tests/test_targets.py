"""Which versions a file is judged by: configuration, then declarations, then the newest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from losslint.dependencies import Requirement, declared, requirement
from losslint.targets import KERAS, NEWEST, TENSORFLOW, Target, target_for

NEW_TF, NEW_KERAS = TENSORFLOW[-1], KERAS[-1]


def target(folder: Path, name: str, text: str, **configured: str) -> Target:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return target_for(folder / "losses.py", **configured)


def test_without_a_word_it_is_the_newest(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    found = target_for(tmp_path / "losses.py")
    assert found == Target(NEW_TF, NEW_KERAS, NEWEST) and found.major == "3"


@pytest.mark.parametrize(
    ("line", "tensorflow", "keras"),
    [
        ("tensorflow", NEW_TF, NEW_KERAS),
        ("tensorflow==2.13.*", "2.13", "2.13"),
        ("tensorflow==2.13.1", "2.13", "2.13"),
        ("tensorflow>=2.10,<2.14", "2.13", "2.13"),
        ("tensorflow-gpu ~= 2.12.0 ; python_version > '3.8'", "2.12", "2.12"),
        ("tensorflow_cpu[and-cuda]==2.16.2", "2.16", NEW_KERAS),
        ("tensorflow==1.15.0  # the old one", "1.15", "2.6"),
        ("keras>=3", NEW_TF, NEW_KERAS),
        ("keras>=3,<3.5", NEW_TF, "3.4"),
        ("keras<3", "2.15", "2.15"),
        ("Keras==2.3.1", "2.6", "2.3"),
        ("tensorflow>=2.22", None, NEW_KERAS),
        ("tensorflow @ git+ssh://somewhere", None, NEW_KERAS),
    ],
)
def test_one_line_of_requirements(tmp_path: Path, line: str, tensorflow: str | None, keras: str) -> None:
    found = target(tmp_path / "project", "requirements.txt", f"numpy\n{line}\n")
    assert (found.tensorflow, found.keras) == (tensorflow, keras)
    assert found.origin == "requirements.txt"


def test_what_no_release_is_within_is_not_judged(tmp_path: Path) -> None:
    found = target(tmp_path / "project", "requirements.txt", "tensorflow==99.0\nkeras==98.1\n")
    assert (found.tensorflow, found.keras, found.origin) == (None, None, "requirements.txt")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["tensorflow==2.13.*"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\ntf = ["tensorflow>=2.11,<2.14"]\n'),
        ("pyproject.toml", '[dependency-groups]\ndev = ["tensorflow<2.14", {include-group = "x"}]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.9"\ntensorflow = "~2.13"\n'),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\ntensorflow = {version = "2.13.0", extras = ["x"]}\n'),
        ("Pipfile", '[packages]\ntensorflow = "==2.13.1"\n'),
        ("requirements-dev.txt", "-r other.txt\n# tensorflow==1.0\ntensorflow==2.13.0rc1\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    tensorflow==2.13.*\n"),
        ("setup.cfg", "[options.extras_require]\ntf = tensorflow==2.13.*\n"),
        ("setup.py", "needs = ['tensorflow>=2,<2.14']\nsetup(name='x', keywords=['keras'], install_requires=needs)\n"),
        ("setup.py", "setup(extras_require={'keras': ['tensorflow==2.13.0']})\n"),
        ("environment.yml", "dependencies:\n  - python=3.9\n  - tensorflow=2.13\n"),
        ("environment.yaml", "dependencies:\n  - pip:\n    - tensorflow==2.13.1\n"),
    ],
)
def test_every_kind_of_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    assert target(tmp_path / "project", name, text) == Target("2.13", "2.13", name)


def test_the_caret_of_poetry() -> None:
    found = requirement("tensorflow ^2.13", "pyproject.toml")
    assert found is not None and set((found.specifier or "").split(",")) == {">=2.13", "<3"}


@pytest.mark.parametrize(
    "line", ["numpy==1.2", "tensorflow-probability==0.20", "keras-cv", "", "# keras", "tensorflow_addons"]
)
def test_other_packages_declare_nothing(line: str) -> None:
    assert requirement(line, "requirements.txt") is None


def test_the_nearest_folder_speaks_up_to_the_repository(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==1.15")
    inner = tmp_path / "repository" / "package"
    inner.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    assert target_for(inner / "a.py").origin == NEWEST
    (tmp_path / "plain").mkdir()
    assert target_for(tmp_path / "plain" / "a.py").tensorflow == "1.15"


def test_files_of_one_folder_hold_together(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(install_requires=['tensorflow>=2.2'])")
    (tmp_path / "requirements.txt").write_text("tensorflow<2.15")
    found = target_for(tmp_path / "a.py")
    assert found.tensorflow == "2.14" and found.origin == "requirements.txt and setup.py"


def test_contradicting_files_leave_the_older(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.11.1")
    (tmp_path / "requirements-gpu.txt").write_text("tensorflow-gpu==2.12.0")
    assert target_for(tmp_path / "a.py").tensorflow == "2.11"


def test_a_placeholder_leaves_it_open(tmp_path: Path) -> None:
    found = target(tmp_path, "setup.py", "setup(extras_require={'tf': ['tensorflow>={},<{}'.format(a, b)]})")
    assert found.tensorflow is None


def test_broken_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile"):
        (tmp_path / name).write_text("tensorflow = = [")
    assert declared(tmp_path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "project = 3",
        "tool = 3",
        "project.dependencies = 3",
        "project.optional-dependencies = 3",
        "project.optional-dependencies.a = 3",
        "dependency-groups = 3",
        "tool.poetry = 3",
        "tool.poetry.dependencies = 3",
        "tool.poetry.group.a = 3",
    ],
)
def test_odd_types_declare_nothing(tmp_path: Path, text: str) -> None:
    assert target(tmp_path, "pyproject.toml", f"{text}  # tensorflow") == Target()


@pytest.mark.parametrize("specifier", ["==" + "9" * 5000, ">=2," + ",".join(f"!=2.{n}" for n in range(20_000))])
def test_a_specifier_of_any_length_leaves_it_open(tmp_path: Path, specifier: str) -> None:
    assert target(tmp_path, "requirements.txt", f"tensorflow{specifier}").tensorflow is None


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    assert declared(tmp_path) == ()


def test_the_configuration_comes_first(tmp_path: Path) -> None:
    found = target(tmp_path, "requirements.txt", "tensorflow==1.15", tensorflow="2.14")
    assert found == Target("2.14", "2.14", "configured")
    assert target_for(tmp_path / "a.py", keras="3") == Target("1.15", "3.15", "configured")
    other = target(tmp_path / "other", "requirements.txt", "tensorflow", keras="2")
    assert (other.tensorflow, other.keras, other.major) == ("2.15", "2.15", "2")


def test_legacy_keras_may_be_meant(tmp_path: Path) -> None:
    found = target(tmp_path, "requirements.txt", "tensorflow\ntf-keras\n")
    assert found.legacy and found.tensorflow == NEW_TF


def test_requirements_are_kept_as_they_are() -> None:
    assert requirement('"keras>=3"', "f") == Requirement("keras", ">=3", "f")
