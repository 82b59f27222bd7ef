"""The bar: on a terminal, once something has taken a while, and gone when it is done."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from losslint import progress
from tests.rule_pages import ROOT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that ``progress`` sees."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return now


def test_it_appears_after_two_seconds_and_goes(clock: list[float]) -> None:
    terminal = Terminal()
    with progress.bar(terminal, "Linting") as told:
        assert told is not None
        for done in range(1, 20):
            clock[0] += 0.1
            told(done, 50)
        assert terminal.getvalue() == ""
        clock[0] += 0.2
        told(20, 50)
        assert "Linting" in terminal.getvalue() and "20/50" in terminal.getvalue()
        drawn = len(terminal.getvalue())
        told(21, 50)
        assert len(terminal.getvalue()) == drawn  # ten times a second is enough
        clock[0] += 0.2
        told(22, 50)
        assert "22/50" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")  # its line is empty again


def test_it_is_for_terminals(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    for file, wanted in ((io.StringIO(), True), (Terminal(), False)):
        with progress.bar(file, "Linting", wanted) as told:
            assert told is None
    monkeypatch.setenv("TERM", "dumb")
    with progress.bar(Terminal(), "Linting") as told:
        assert told is None


@pytest.mark.parametrize("option", ["--progress", "--no-progress"])
def test_on_a_real_terminal(tmp_path: Path, option: str) -> None:
    """The report goes to a file, the bar to the terminal, which is standard error."""
    for number in range(3):
        (tmp_path / f"{number}.py").write_text("import tensorflow as tf\n")
    arguments = ["check", "--no-cache", "--isolated", option, str(tmp_path)]
    code = (
        f"from losslint import progress; progress.PATIENCE = 1e-6\nfrom losslint.cli import main\nmain({arguments!r})\n"
    )
    control, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    ran = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            read = os.read(control, 65536)
        except OSError:  # how Linux says that all has been read
            break
        if not read:
            break
        shown += read
    os.close(control)
    assert ran.returncode == 0 and ran.stdout == "No findings in 3 files\n"
    assert (b"Linting" in shown) == (option == "--progress")
    assert option == "--progress" or shown == b""
