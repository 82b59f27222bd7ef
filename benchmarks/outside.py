"""losslint on two collections of known bugs that others published, and a one-line rule beside it.

usage: python -m benchmarks.outside [--pairs FOLDER] [--subjects FOLDER] [--pylint PYTHON]

FOLDER are checkouts of github.com/ForeverZyh/TensorFlow-Program-Bugs (ISSTA 2018: programs with a bug, and fixed) and
github.com/Jacob-yen/GRIST (FSE 2021: programs that overflow or make NaN). Nine pairs of the one are about losses: eight
logarithms that reach 0, and a loss that is no scalar. What counts there is said of a loss that the program
differentiates, at warning or worse: a helper that the fixed program does not call any more may still be wrong. Of the
other, the subjects in TensorFlow count whose defect is a logarithm in the loss.

PYTHON is an interpreter with pylint and dslinter: rule W5513, "tf.log not wrapped in clip_by_value", is run on the
same files, after a control that must fire and one that must not.

Exit 0 where every bug is found and nothing of its rule is said of a fixed program.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from losslint import session, sources
from losslint.engine import lint_module
from losslint.findings import Finding, Severity
from losslint.frontend.project import Project
from losslint.settings import Settings

LOGS = frozenset({"LL401", "LL402", "LL403", "LL407", "LL409"})
PAIRS = {
    "StackOverflow/IPS-1": LOGS,
    "StackOverflow/IPS-2": LOGS,
    "StackOverflow/IPS-6": LOGS,
    "StackOverflow/IPS-7": LOGS,
    "Github/IPS-1": LOGS,
    "Github/IPS-3": LOGS,
    "Github/IPS-6": LOGS,
    "Github/IPS-9": LOGS,
    "Github/UT-8": frozenset({"LL101"}),
}
ELSEWHERE = {4, 13, 17, 22, 28, 51, 62, 63}
"""Subjects whose defect is no logarithm in a loss: a softmax by hand, a reparametrisation, free energies, scaling."""


def findings(folder: Path) -> list[Finding]:
    """What is said, at warning or worse, of the losses of the programs below ``folder``."""
    project, found = Project(), []
    for path in sorted(folder.rglob("*.py")):
        try:
            source = sources.read(path, str(path))
            tree = sources.syntax_tree(source)
        except sources.Unreadable as error:
            print(f"  not read: {error.finding.message} ({path.name})")
            continue
        module = session.module_of(source, tree, project)
        said, failures = lint_module(module, project, session.options_of(source, tree, Settings()))
        found += [f for f in said if f.severity >= Severity.WARNING]
        for failure in failures:
            print(f"  failed: {failure.reason} ({path.name})")
    return found


def told(found: list[Finding], codes: frozenset[str]) -> list[str]:
    """``codes`` among ``found``, with their places."""
    return sorted({f"{f.code} {Path(f.filename).name}:{f.span.row}" for f in found if f.code in codes})


class Pylint:
    """dslinter's W5513, run by another interpreter."""

    def __init__(self, python: str) -> None:
        self.python = python
        with tempfile.TemporaryDirectory() as folder:
            for name, log, fires in (("must", "x", True), ("must_not", "tf.clip_by_value(x, 1e-7, 1.0)", False)):
                path = Path(folder, f"{name}.py")
                path.write_text(f"import tensorflow as tf\n\n\ndef f(x):\n    return tf.log({log})\n")
                if bool(self.rows(path)) != fires:
                    raise SystemExit(f"dslinter fails its control {name!r}")

    def rows(self, path: Path) -> list[int]:
        """The rows of ``path`` that are reported."""
        options = (
            "--load-plugins=dslinter",
            "--disable=all",
            "--enable=W5513",
            "--score=n",
            "--msg-template={line}:{msg_id}",
        )
        ran = subprocess.run(
            [self.python, "-m", "pylint", *options, str(path)], capture_output=True, text=True, timeout=300
        )
        return [int(row) for row in re.findall(r"^(\d+):W5513", ran.stdout, re.MULTILINE)]

    def told(self, folder: Path) -> list[str]:
        """Everything that is reported below ``folder``."""
        return [f"{p.name}:{row}" for p in sorted(folder.rglob("*.py")) for row in self.rows(p)]


def sides(folder: Path) -> tuple[Path, Path]:
    """The folder of the program with the bug, and that of the fixed one."""
    inner = [p for p in sorted(folder.iterdir()) if p.is_dir()]
    return tuple(next(p for p in inner if word in p.name) for word in ("buggy", "fix"))  # type: ignore[return-value]


def pairs(folder: Path, pylint: Pylint | None) -> bool:
    """Print how the pairs fare; whether all do well."""
    right = clean = theirs = 0
    for name, codes in PAIRS.items():
        buggy, fixed = sides(folder / name)
        found, left = (told([f for f in findings(side) if f.consumer == "tape"], codes) for side in (buggy, fixed))
        right, clean = right + bool(found), clean + (not left)
        beside = ""
        if pylint is not None:
            rows, still = pylint.told(buggy), pylint.told(fixed)
            theirs += not still
            beside = f"; W5513: {len(rows)} there, {len(still)} when fixed"
        print(f"{name:20} found: {', '.join(found) or 'nothing'}; when fixed: {', '.join(left) or 'nothing'}{beside}")
    print(f"pairs: {right} of {len(PAIRS)} found for the right reason, {clean} of {len(PAIRS)} clean when fixed")
    if pylint is not None:
        print(f"W5513: {theirs} of {len(PAIRS)} clean when fixed")
    return right == clean == len(PAIRS)


def subjects(folder: Path) -> Iterator[tuple[int, Path]]:
    """The subjects in TensorFlow whose defect is a logarithm in the loss."""
    for path in sorted((folder / "scripts" / "study_case").glob("ID_*"), key=lambda p: int(p.name[3:])):
        number = int(path.name[3:])
        text = "\n".join(p.read_text(encoding="utf-8", errors="replace") for p in path.rglob("*.py"))
        if number not in ELSEWHERE and "import tensorflow" in text and re.search(r"\blog\(", text):
            yield number, path


def study(folder: Path, pylint: Pylint | None) -> bool:
    """Print how the subjects fare; whether the bug of each is found."""
    all_of_them = hits = theirs = 0
    for number, path in subjects(folder):
        found = told(findings(path), LOGS)
        all_of_them, hits = all_of_them + 1, hits + bool(found)
        beside = ""
        if pylint is not None:
            rows = pylint.told(path)
            theirs += bool(rows)
            beside = f"; W5513: {len(rows)}"
        print(f"ID_{number:<3} {', '.join(found) or 'nothing'}{beside}")
    print(f"subjects: {hits} of {all_of_them} found" + (f"; W5513: {theirs}" if pylint is not None else ""))
    return hits == all_of_them


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--subjects", type=Path)
    parser.add_argument("--pylint", metavar="PYTHON")
    options = parser.parse_args()
    pylint = Pylint(options.pylint) if options.pylint else None
    good = pairs(options.pairs, pylint) if options.pairs else True
    return int(not (good & (study(options.subjects, pylint) if options.subjects else True)))


if __name__ == "__main__":
    sys.exit(main())
