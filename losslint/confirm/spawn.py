"""A fresh interpreter for each job, where processes cannot be forked. What it uses is measured with psutil."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from losslint.confirm import ends
from losslint.confirm.jobs import LARGEST, STARTUP, Limits, Outcome

_TICK = 0.05  # seconds between two looks at what a job uses
_PLAIN = "each job in a fresh interpreter, without a sandbox"


class Spawner:
    """Runs jobs by ``command``, which is told the folder where the job lies and its answer is to be put."""

    def __init__(self, command: Sequence[str], environment: Callable[[str], dict[str, str]], limits: Limits) -> None:
        self._command = command
        self._environment = environment
        self._limits = limits
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()  # of what runs
        self._closed = False

    @property
    def enforced(self) -> dict[str, str]:
        """Limit -> what enforces it."""
        seen = f"watched every {_TICK * 1000:.0f} ms" if _psutil() else "not enforced: psutil is not installed"
        return {
            "time": "wall clock, killed",
            "memory": f"resident memory {seen}" if _psutil() else seen,
            "processes": f"counted, {seen}" if _psutil() else seen,
            "output": f"size of a file {seen}" if _psutil() else f"size of a file, every {_TICK * 1000:.0f} ms",
            "environment": "allow-list",
            "stdin": os.devnull,
            "files": f"not enforced: {_PLAIN}; a temporary working folder",
            "disk": f"not enforced: {_PLAIN}",
            "network": f"not enforced: {_PLAIN}",
            "privileges": f"not enforced: {_PLAIN}",
        }

    def run(self, folder: Path, settings: dict[str, Any]) -> Outcome:
        """Run the job in ``settings`` with ``folder`` as its own."""
        (folder / "job.json").write_text(json.dumps(settings))
        with tempfile.TemporaryFile() as output:  # of no name: what lies in its folder the job may replace
            with self._lock:
                if self._closed:
                    return Outcome("exit", detail="closed")
                process = subprocess.Popen(
                    [*self._command, "--one", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    env=self._environment(str(folder)),
                    start_new_session=True,
                )
                self._running.add(process)
            try:
                kind, detail, seconds = self._supervised(process, folder, output.fileno())
            finally:
                _kill(process)
                with self._lock:
                    self._running.discard(process)
            answer, result = _answer(folder / "answer"), None
            if answer:
                kind, detail, result = ends.told("done" if answer[:1] == b"=" else "failed", answer[1:])
            else:
                output.seek(-min(ends.TAIL, os.fstat(output.fileno()).st_size), os.SEEK_END)
                detail = ends.with_tail(detail, output.read())
        return Outcome(kind, result, detail, seconds, self.enforced)

    def _supervised(self, process: subprocess.Popen[bytes], folder: Path, output: int) -> tuple[str, str, float]:
        """Wait for the end, or bring it about: its kind, its detail, and the seconds until then."""
        began, base, limits = time.monotonic(), -1, self._limits
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
            if base < 0 and (folder / "started").exists():
                began, base = time.monotonic(), sum(_used(process)[0])
            spent, (memory, threads) = time.monotonic() - began, _used(process)
            broken = None
            if spent > (limits.seconds if base >= 0 else STARTUP):
                broken = ends.too_late(limits.seconds)
            elif len(memory) > limits.processes:
                broken = ends.too_many(len(memory), limits.processes)
            elif threads > limits.threads:
                broken = ends.too_many(threads, limits.threads, "threads")
            elif base >= 0 and sum(memory) - base > limits.memory:
                broken = ends.too_large(sum(memory) - base, limits.memory)
            elif os.fstat(output).st_size > limits.output:
                broken = ends.too_much(limits.output)
            if broken:
                return (*broken, spent)
        return (*ends.ended(process.returncode), time.monotonic() - began)

    def close(self) -> None:
        """End all that runs."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _kill(process)


def _psutil() -> Any:
    try:
        return importlib.import_module("psutil")
    except ImportError:
        return None


def _answer(path: Path) -> bytes:
    """What lies at ``path`` if it can be an answer: the job may have put a link, a pipe or a device there."""
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        file = os.open(path, flags)
    except OSError:
        return b""
    with os.fdopen(file, "rb") as opened:
        about = os.fstat(file)
        return opened.read() if stat.S_ISREG(about.st_mode) and about.st_size <= LARGEST else b""


def _used(process: subprocess.Popen[bytes]) -> tuple[list[int], int]:
    """Bytes of memory of ``process`` and of each one below it, and the number of all their threads."""
    psutil = _psutil()
    if psutil is None:
        return [], 0
    found, threads = [], 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(process.pid)
        for one in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                found.append(one.memory_info().rss)
                threads += one.num_threads()
    return found, threads


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End ``process`` and all below it; where there are sessions, also what has left it but not its session."""
    psutil = _psutil()
    below = []
    if psutil is not None:
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(process.pid).children(recursive=True)
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    for one in below:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()
