"""The hook, as pre-commit installs and runs it."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
pytestmark = [
    pytest.mark.tf,  # not TensorFlow, but slow as well: pre-commit builds an environment
    pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a repository of its own, so that uncommitted changes are tested as well."""
    copy = tmp_path_factory.mktemp("hook") / "losslint"
    skipped = shutil.ignore_patterns(".*_cache", ".venv", ".git", "__pycache__", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=skipped)
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-qm", "losslint")
    return copy


def try_repo(hook: Path, folder: Path, name: str = "losslint") -> "subprocess.CompletedProcess[str]":
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hook), name, "--all-files", "--verbose"]
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # what the hook installed counts
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, env=own)


def test_the_hook(hook: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no Python here\n")
    ran = try_repo(hook, tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr

    (tmp_path / "train.py").write_text("import tensorflow as tf\ndef f(:\n")
    (tmp_path / "left_out").mkdir()
    (tmp_path / "left_out" / "a.py").write_text("def f(:\n")
    (tmp_path / "losslint.toml").write_text('extend-exclude = ["left_out"]\n')
    ran = try_repo(hook, tmp_path)
    assert ran.returncode == 1 and "train.py:2:7: LL001 [syntax-error]" in ran.stdout, ran.stdout + ran.stderr
    assert "left_out" not in ran.stdout


@pytest.mark.slow  # TensorFlow is downloaded and unpacked
def test_the_hook_that_runs_losses(hook: Path, tmp_path: Path) -> None:
    """It brings TensorFlow along: what is flagged in a file and in a notebook is confirmed by a run."""
    (tmp_path / "notes.txt").write_text("no Python here\n")
    loss = "def {}(y_true, y_pred):\n    return tf.reduce_sum(tf.square(y_true - y_pred))\nmodel.compile(loss={})\n"
    (tmp_path / "train.py").write_text("import tensorflow as tf\n" + loss.format("first_loss", "first_loss"))
    cells = ["import tensorflow as tf", loss.format("second_loss", "second_loss")]
    notebook = {
        "cells": [
            {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
            for text in cells
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    (tmp_path / "train.ipynb").write_text(json.dumps(notebook))
    ran = try_repo(hook, tmp_path, "losslint-confirm")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    for place in ("train.py:3:12:", "train.ipynb:cell 2:2:12:"):
        (line,) = (line for line in ran.stdout.splitlines() if line.startswith(place))
        assert "LL302" in line and line.endswith("(confirmed)"), ran.stdout
    assert "2 confirmed" in ran.stdout
