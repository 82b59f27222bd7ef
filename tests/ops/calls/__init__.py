"""Tables of calls and what losslint says about each: ``*.txt`` beside this file.

A call stands on a line of its own, after the kind of its two arguments, ``y_true`` and ``y_pred`` (see
``tests.conformance.kinds``); several statements end in a ``return``. The line below has the facts of each tensor of the
result, in the order of ``tf.nest.flatten``: shape and element type, batch law, coupling, range, and the gradient that
``y_pred`` gets from all of them. Results that are no tensors are told as Python values, and ``?`` is an unknown.

Nothing in a table may contradict the real TensorFlow, which ``test_calls.py`` asks. What the installed packages do not
have any more stands in ``absent_*.txt``, by the documentation of its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from losslint.graph import Node, Unknown
from tests.conformance.kinds import KINDS
from tests.conformance.predicted import Predicted
from tests.conformance.spelling import HEADER

HERE = Path(__file__).parent
TABLES = sorted(path.stem for path in HERE.glob("*.txt"))


class Call(NamedTuple):
    """One call of a table."""

    kind: str
    text: str
    facts: str = ""
    imports: str = ""  # beside the usual ones

    @property
    def source(self) -> str:
        """As a function."""
        statements = self.text.split("; ") if "return " in self.text else [f"return {self.text}"]
        return "def case(y_true, y_pred):\n" + "".join(f"    {statement}\n" for statement in statements)


def calls(table: str) -> Iterator[Call]:
    """The calls of ``table``."""
    imports, call = "", None
    for line in (HERE / f"{table}.txt").read_text().splitlines():
        if line.startswith(("import ", "from ")):
            imports += f"{line}\n"
        elif line.startswith("    ") and call is not None:
            yield call._replace(facts=line.strip())
            call = None
        elif line and not line.startswith("#"):
            assert call is None, f"no facts: {call}"
            kind, text = line.split(": ", 1)
            call = Call(kind, text, "", imports)
    assert call is None, f"no facts: {call}"


def told(call: Call) -> str:
    """What losslint says about ``call``, as the tables have it."""
    predicted = Predicted(call.source, KINDS[call.kind], HEADER + call.imports)
    leaves = [_leaf(predicted, leaf) for leaf in predicted.leaves]
    tensors = any(isinstance(leaf, Node) for leaf in predicted.leaves)
    return " | ".join(leaves) + f" -> {predicted.gradient}" * tensors


def _leaf(predicted: Predicted, leaf: Any) -> str:
    if isinstance(leaf, Unknown):
        return "?"
    if not isinstance(leaf, Node):
        return repr(leaf)
    facts = predicted.loss
    law = facts.laws.value(leaf)
    grows = "law ?" if law is None else "law 0 of 0" if law.zero else str(law)
    shape = re.sub(r"(?<=[SBHWCT?])#?(mask)?\d+", "", str(leaf.shape))
    dtype = leaf.dtype or "?"
    return f"{shape} {dtype}, {grows}, {facts.couplings.of(leaf)}, {facts.ranges.of(leaf)}"
