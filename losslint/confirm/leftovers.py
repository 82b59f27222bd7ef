"""Removes the folder of a pool when the process that made it is gone, however that came to its end."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

_PROGRAM = """
import os, shutil, sys, time

def opened(function, path, error):  # a job may have left folders that nobody may look into
    for one in (os.path.dirname(path), path):
        if one.startswith(sys.argv[1]) and os.path.isdir(one) and not os.path.islink(one):
            os.chmod(one, 0o700)

sys.stdin.buffer.read()  # until the other end is closed, by whatever closes it
for _ in range(100):
    shutil.rmtree(sys.argv[1], onerror=opened)
    try:
        os.lstat(sys.argv[1])
    except FileNotFoundError:
        break
    time.sleep(0.1)  # what runs in there is about to end
"""


class Remover:
    """Waits in a process of its own, which does nothing else: a killed process can clean up after itself no more."""

    def __init__(self, folder: str) -> None:
        quiet: dict[str, Any] = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, folder],
            stdin=subprocess.PIPE,
            cwd=sys.prefix,  # a working folder cannot be removed everywhere
            start_new_session=True,  # an interrupt from the terminal is for the caller alone
            **quiet,
        )

    def close(self) -> None:
        """Have the folder removed now."""
        self._process.communicate()
