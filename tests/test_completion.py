"""Completion, as bash does it: the function that is installed, and a line that is typed into a shell."""

import functools
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from losslint import rulebook
from losslint.cli import commands
from losslint.reporters import FORMATS
from tests.rule_pages import ROOT

SCRIPT = Path(sys.executable).parent / "losslint"
pytestmark = [
    pytest.mark.skipif(not SCRIPT.is_file(), reason=f"losslint is not installed beside {sys.executable}"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]
SET_UP = 'eval "$(_LOSSLINT_COMPLETE=bash_source losslint)"'


def environment() -> dict[str, str]:
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "TERM": "dumb", "PS1": "> ", "HISTFILE": ""}


@functools.cache
def source() -> str:
    """What bash is given to evaluate."""
    command = {**environment(), "_LOSSLINT_COMPLETE": "bash_source"}
    return subprocess.run([SCRIPT], env=command, capture_output=True, text=True, check=True).stdout


def offered(*words: str) -> list[str]:
    """What bash offers for the last of ``words``, by the function that it was given; "files" where it names files."""
    script = f"""
        compopt() {{ echo files; }}
        {source()}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _losslint_completion losslint
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    command = ["bash", "--norc", "-c", script, "bash", "losslint", *words]
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0 and not ran.stderr, ran.stderr
    return ran.stdout.split()


def test_subcommands_and_files() -> None:
    assert offered("") == ["files", *sorted(commands())]
    assert offered("exp") == ["files", "explain"]
    assert offered("src/") == ["files"] == offered("check", "src/") == offered("facts", "a") == offered("confirm", "")


def test_options_of_check_with_and_without_its_name() -> None:
    assert offered("--ext") == ["--extend-select", "--extend-exclude"] == offered("check", "--ext")
    assert offered("src", "--ext") == ["--extend-select", "--extend-exclude"]
    assert "--version" in offered("--") and "--select" in offered("--")


@pytest.mark.parametrize("option", ["--select", "--ignore", "--extend-select"])
def test_rules_behind_options(option: str) -> None:
    rules = rulebook.rules()
    assert offered("check", option, "LL40") == [code for code in rules if code.startswith("LL40")]
    assert offered(option, "unc") == ["unclipped-log"]
    assert offered("check", option, "LL3,uncl") == ["LL3,unclipped-log"]  # a list goes on
    assert offered("check", option, "") == ["ALL", *rules]


def test_rules_of_explain_and_rules() -> None:
    assert offered("explain", "LL302") == ["LL302"] and offered("explain", "no-gr") == ["no-gradient-path"]
    assert "LL101" in offered("rules", "LL1") and "ALL" not in offered("explain", "")


def test_choices() -> None:
    assert offered("--output-format", "") == list(FORMATS)
    assert offered("--fail-on", "") == ["error", "warning", "info", "never"]
    assert offered("check", "--device", "g") == ["gpu", "gpu:0"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_a_rule_is(shell: str) -> None:
    words = {"zsh": "losslint explain uncl", "fish": "losslint explain"}[shell]
    more = {"COMP_WORDS": words, "COMP_CWORD": {"zsh": "2", "fish": "uncl"}[shell]}
    more["_LOSSLINT_COMPLETE"] = f"{shell}_complete"
    ran = subprocess.run([SCRIPT], env=environment() | more, capture_output=True, text=True)
    assert "unclipped-log" in ran.stdout and rulebook.find("LL401").summary in ran.stdout, ran.stderr
    more = {"_LOSSLINT_COMPLETE": f"{shell}_source"}
    script = subprocess.run([SCRIPT], env=environment() | more, capture_output=True, text=True).stdout
    assert f"_LOSSLINT_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-c" if shell == "zsh" else "--no-execute", script], check=True, env=environment())


def test_a_line_that_is_typed(tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if not child:
        os.chdir(tmp_path)
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment())
    try:
        _typed(terminal, f"{SET_UP}; echo re''ady\n", "ready")
        _typed(terminal, "losslint explain unclipped-l\t", "losslint explain unclipped-log ")
        _typed(terminal, "\n", "## Why is this bad?")
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _typed(terminal: int, keys: str, expected: str) -> None:
    """Type ``keys``, and wait until the terminal shows what is ``expected``."""
    os.write(terminal, keys.encode())
    shown, end = "", time.monotonic() + 60
    while expected not in shown:
        ready, _, _ = select.select([terminal], [], [], max(end - time.monotonic(), 0))
        assert ready, f"not shown: {expected!r}; {shown!r}"
        shown += os.read(terminal, 65536).decode(errors="replace")
