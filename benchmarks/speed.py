"""How long linting a folder takes, beside other things one might do with it: ``python benchmarks/speed.py FOLDER``.

Prints CPU time (user and system, children included) as a multiple of importing libcst, the median of several rounds in
which the commands take turns, and the peak memory. Absolute times say more about the machine than about the program.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
from pathlib import Path

PARSE = """
import ast, pathlib, sys, warnings
warnings.simplefilter("ignore")
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        pass
"""
UNIT = "import libcst"


def commands(folder: str) -> dict[str, list[str]]:
    losslint = [sys.executable, "-m", "losslint", "check", "--isolated", "--exit-zero", "--statistics", folder]
    found = {
        UNIT: [sys.executable, "-c", "import libcst"],
        "ast.parse of every file": [sys.executable, "-c", PARSE, folder],
        "losslint --jobs 1": [*losslint, "--jobs", "1"],
        "losslint --jobs 2": [*losslint, "--jobs", "2"],
    }
    if importlib.util.find_spec("ruff") is not None:
        ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--quiet"]
        found["ruff check --isolated"] = [*ruff, folder]
    return found


def cost(command: list[str]) -> tuple[float, int]:
    """CPU seconds and peak memory (MB) of one run."""
    pid = os.fork()
    if not pid:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.execv(command[0], command)
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    measured: dict[str, list[tuple[float, int]]] = {}
    for _ in range(arguments.rounds):
        for name, command in commands(str(arguments.folder)).items():
            measured.setdefault(name, []).append(cost(command))
    unit = statistics.median(seconds for seconds, _ in measured[UNIT])
    for name, runs in measured.items():
        print(f"{name:26} {statistics.median(s for s, _ in runs) / unit:7.1f} x {max(m for _, m in runs):6} MB")


if __name__ == "__main__":
    main()
