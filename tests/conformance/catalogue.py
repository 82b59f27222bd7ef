"""Compares the whole catalogue, in several processes, and counts."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance.columns import COLUMNS, UNKNOWN, VERDICTS, WRONG, Verdict, worst

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "catalogue.md"
PROCESSES = 2

Verdicts = dict[str, Verdict]


class Outcome(NamedTuple):
    """What is known of a name: verdicts by column, or why there are none."""

    verdicts: Verdicts
    reason: str = ""
    refused: str = ""  # a case that must run, and what TensorFlow says
    wrong: tuple[str, ...] = ()  # "column: call: what is wrong"


def used_in_losses() -> list[str]:
    """The names that a sample of published losses calls with tensors."""
    return (HERE / "used_in_losses.txt").read_text().split()


def outcomes() -> dict[str, Outcome]:
    """The outcome of every catalogued name, and of the used names that are not catalogued."""
    import losslint.ops.catalogue  # noqa: F401
    from losslint.ops.registry import CATALOGUE
    from tests.conformance import reasons
    from tests.conformance.spelling import spelled

    found = {name: Outcome({}, "not catalogued") for name in used_in_losses() if name not in CATALOGUE}
    work: dict[Any, list[str]] = {}
    for name in sorted(CATALOGUE):
        spelling = spelled(name)
        if spelling is None:
            found[name] = Outcome({}, ABSENT)
        elif reasons.reason(name):
            found[name] = Outcome({}, reasons.reason(name))
        else:  # aliases go to the same process, which compares them once
            work.setdefault((id(spelling.function), id(CATALOGUE[name])), []).append(name)
    groups = list(work.values())
    chunks = [[name for group in groups[i :: 4 * PROCESSES] for name in group] for i in range(4 * PROCESSES)]
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for part in pool.imap_unordered(compare_names, chunks):
            found.update(part)
        pool.close()
        pool.join()  # coverage saves what a process did when that ends by itself
    return found


ABSENT = "not in the installed TensorFlow and Keras"


def compare_names(names: list[str]) -> dict[str, Outcome]:
    """The outcomes of ``names``, all of which the installed packages have."""
    import losslint.ops.catalogue  # noqa: F401
    from losslint.ops.registry import CATALOGUE
    from tests.conformance import reasons
    from tests.conformance.cases import cases
    from tests.conformance.compare import CannotRun, compared
    from tests.conformance.measured import quiet
    from tests.conformance.spelling import spelled

    quiet()
    known: dict[Any, Verdicts | str] = {}
    found = {}
    for name in names:
        spelling, listed, refused, wrong = spelled(name), cases(name), "", []
        assert spelling is not None
        results = []
        for case in listed:
            key = id(spelling.function), id(CATALOGUE[name]), str(case).replace(spelling.text, "{f}")
            if key not in known:
                try:
                    known[key] = compared(case.source, case.kind)
                except CannotRun as error:
                    known[key] = str(error)
                except Exception as error:
                    raise RuntimeError(f"{name}: {case}") from error
            result = known[key]
            if isinstance(result, str):
                refused = refused or ("" if case.optional else f"{case}: {result}")
                continue
            results.append(result)
            wrong += [f"{column}: {case}: {why}" for column, (verdict, why) in result.items() if verdict == WRONG]
        if results:
            merged = {column: worst(r[column] for r in results) for column in COLUMNS}
            found[name] = Outcome(merged, "", refused, tuple(wrong))
        else:
            found[name] = Outcome({}, reasons.place(name), refused)
    return found


def counts(found: dict[str, Outcome]) -> dict[str, Counter[str]]:
    """Column -> verdict -> number of names; what is not compared is unknown."""
    return {
        column: Counter(o.verdicts[column][0] if o.verdicts else UNKNOWN for o in found.values()) for column in COLUMNS
    }


def table(found: dict[str, Outcome]) -> str:
    """The counts in Markdown."""
    lines = ["| | " + " | ".join(VERDICTS) + " |", "|---" * (len(VERDICTS) + 1) + "|"]
    for column, counted in counts(found).items():
        lines.append(f"| {column} | " + " | ".join(str(counted[v]) for v in VERDICTS) + " |")
    return "\n".join(lines)


def split(found: dict[str, Outcome]) -> dict[str, dict[str, Outcome]]:
    """The tables that are shown, by title."""
    used = set(used_in_losses())
    present = {name: o for name, o in found.items() if o.reason != ABSENT}
    return {
        "The names that losses use": {name: o for name, o in found.items() if name in used},
        "The names that were compared": {name: o for name, o in present.items() if o.verdicts},
        "The whole catalogue, as far as the installed packages have it": present,
    }


def page(found: dict[str, Outcome]) -> str:
    """``docs/catalogue.md``."""
    reasons = Counter(o.reason or "no recipe" for o in found.values() if not o.verdicts)
    parts = [INTRODUCTION.strip()]
    for title, part in split(found).items():
        parts.append(f"## {title} ({len(part)})\n\n{table(part)}")
    parts.append(
        "## What is not compared\n\n"
        + "\n".join(f"- {n} names: {why}" for why, n in sorted(reasons.items(), key=lambda x: (-x[1], x[0])))
    )
    parts.append(REMEASURED.strip())
    parts.append(
        "Among the names that losses use, these have no certain answer in some column:\n\n" + "\n".join(_open(found))
    )
    return "\n\n".join(parts) + "\n"


def _open(found: dict[str, Outcome]) -> list[str]:
    lines = []
    for name in used_in_losses():
        outcome = found[name]
        columns = [c for c in COLUMNS if not outcome.verdicts or outcome.verdicts[c][0] == UNKNOWN]
        if columns:
            lines.append(f"- `{name}`: {', '.join(columns)}" + f" ({outcome.reason})" * bool(outcome.reason))
    return lines


REMEASURED = """
## Gradients that had been taken for none

A table of gradients that was probed with real float inputs alone has 30 functions without a gradient for which no
operation gives the reason. `pytest -m tf tests/conformance/test_remeasured.py` feeds each of them what it is made for. 19 have
none indeed. 11 do have one: `angle` and `imag` (three of each: of complex numbers), `tf.math.zeta` (towards its second
argument), `tf.experimental.numpy.polyval`, both `heaviside` (towards the value at zero) and `K.dropout` (below the level 1).

## Distributions

`pytest -m tf tests/conformance/test_distributions.py` compares 54 densities, divergences, moments and samples with TensorFlow
Probability, where that is installed. With 0.25, shape, gradient and dtype are exact in all of them, the law in 49 (samples
are random), the range is known in 27.
"""

INTRODUCTION = """
# The catalogue against the real TensorFlow

losslint knows what `tf.*`, `keras.*` and NumPy functions do to a tensor from a catalogue. `pytest -m tf tests/conformance`
traces a small function for every catalogued name, runs the very same text with TensorFlow, and compares five columns:

- **shape**: on inputs of two sizes, and with the batch repeated. *Exact*: every extent is predicted; *loose*: right, but an
  extent is only a symbol; *unknown*: nothing is said.
- **law**: how the values answer to a batch that is repeated. *Loose*: for large batches only, or not to be measured (random
  numbers); *unknown*: nothing is said, though a power of the number of copies describes it.
- **gradient**: whether the prediction gets a gradient, gets zeros or gets none. *Loose*: zeros where none was predicted.
- **range**: all values for random and extreme inputs lie in the predicted interval. *Exact*: they come within 1e-3 of its
  finite ends, and beyond 1000 towards the infinite ones; *unknown*: no end is predicted, and the values do have one.
- **dtype**.

A name is as good as its worst case, and a name that is not compared is unknown in every column. Nothing may be wrong.
`python -m tests.conformance` writes this page.
"""
