"""Mutation testing by samples: which changes of the engine do its own tests not notice?

    python -m benchmarks.survivors domain --count 150 --seed 1

Needs cosmic-ray, whose operators make the mutants; ``--seed`` and ``--count`` choose which. Each is planted in a copy
of the package and tested in a process of its own until the first test fails. Those in annotations are left out: nothing
executes them. What survives is shown as a difference.
"""

from __future__ import annotations

import argparse
import ast
import collections
import compileall
import difflib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
TESTS = {
    "domain": ["tests/domain", "tests/ops/test_laws.py", "tests/ops/test_ranges.py", "tests/test_fixtures.py"],
    "ops": ["tests/test_fixtures.py", "tests/ops"],
    "checks": ["tests/checks", "tests/test_fixtures.py"],
}
"""Package -> the tests that are about it, in the order in which they are tried."""
_PRELOADED = "pytest hypothesis libcst click packaging.version tomllib sqlite3 json _pytest.assertion.rewrite".split()
_ASKING = frozenset({"core/VariableInserter", "core/VariableReplacer"})
"""Operators that want to be told about the program."""
_EXAMPLES = 25  # of each property; the tests themselves draw 100
_LIMIT = 900  # seconds that the tests of one mutant may take, on a busy machine


class Mutant(NamedTuple):
    """One change: an operator of cosmic-ray, at one of its occurrences in a file."""

    file: str
    operator: str
    occurrence: int
    row: int


def mutants(package: str) -> Iterator[Mutant]:
    """Every mutant there is of the files of ``package``."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    names = sorted(n for n in plugins.operator_names() if n not in _ASKING)
    operators = {name: plugins.get_operator(name)() for name in names}
    for path in sorted((ROOT / "losslint" / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        unread = _annotations(text)
        nodes = list(ast_nodes(get_ast(text)))
        for name, operator in operators.items():
            places = (place for node in nodes for place in operator.mutation_positions(node))
            for number, ((row, column), _) in enumerate(places):
                if not any(first <= (row, column) < last for first, last in unread):
                    yield Mutant(str(path.relative_to(ROOT)), name, number, row)


def _annotations(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end."""
    found = []
    for node in ast.walk(ast.parse(text)):
        for one in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(one, ast.expr):
                end = (one.end_lineno or one.lineno, one.end_col_offset or 0)
                found.append(((one.lineno, one.col_offset), end))
    return found


def mutated(mutant: Mutant) -> str:
    """The text of the file with the change."""
    from cosmic_ray import mutating, plugins

    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    operator = plugins.get_operator(mutant.operator)()
    return str(mutating.mutate_code(text, operator, mutant.occurrence) or text)


def failed(copy: Path, tests: list[str]) -> str:
    """How the tests ended in ``copy``: "" where all passed, else "test" or "time"."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        import pytest

        quiet = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        os._exit(int(pytest.main([*quiet, *tests], plugins=[_Repeating()])))
    end = time.monotonic() + _LIMIT
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return "test" if status else ""
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "time"


class _Repeating:
    """A plugin that lets Hypothesis draw the same examples for every mutant, and look for no smaller ones."""

    def pytest_collection(self) -> None:
        """After the settings of the tests are made, and before the tests are."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        known = settings.get_profile("losslint")
        settings.register_profile("mutants", known, derandomize=True, phases=phases, max_examples=_EXAMPLES)
        settings.load_profile("mutants")


def _copied(folder: Path) -> Path:
    """The repository without its history, with its modules compiled."""
    copy = folder / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    compileall.compile_dir(copy / "losslint", quiet=2)
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", choices=TESTS)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after that many, with what is known")
    parser.add_argument("--tests", nargs="*", help="other tests than those of the package")
    asked = parser.parse_args()
    there = list(mutants(asked.package))
    chosen = random.Random(asked.seed).sample(there, min(asked.count, len(there)))
    tests = asked.tests or TESTS[asked.package]
    for name in _PRELOADED:
        importlib.import_module(name)
    ends: collections.Counter[str] = collections.Counter()
    stop = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(Path(folder))
        if failed(copy, tests[:1]):
            raise SystemExit("the tests fail as it is")
        for mutant in chosen:
            if time.monotonic() > stop:
                break
            place, before = copy / mutant.file, (copy / mutant.file).read_text(encoding="utf-8")
            after = mutated(mutant)
            for compiled in (place.parent / "__pycache__").glob(f"{place.stem}.*"):
                compiled.unlink()
            place.write_text(after, encoding="utf-8")
            ended = next(filter(None, (failed(copy, [one]) for one in tests)), "survived")  # the nearest ones first
            place.write_text(before, encoding="utf-8")
            ends[ended] += 1
            print(f"{ended:<8} {mutant.file}:{mutant.row} {mutant.operator.removeprefix('core/')}", flush=True)
            if ended == "survived":
                lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
                print(*(f"    {line}" for line in list(lines)[3:]), sep="\n", flush=True)
    tried, killed = sum(ends.values()), ends["test"] + ends["time"]
    print(f"{asked.package}: {killed} of {tried} killed, of {len(there)} there are ({dict(ends)}), seed {asked.seed}")


if __name__ == "__main__":
    main()
