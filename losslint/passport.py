"""The passport of a loss: what the analysis believes about it, as plain data and as a table for ``losslint facts``."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from losslint.checks.wording import spoken
from losslint.domain.law import Law, Power
from losslint.graph import Node, Site, Unknown
from losslint.loss import Loss
from losslint.ops.gradients import STATES, TRAINABLE_ROLES

_OPERANDS = {
    "log": 0, "log1p": 0, "log_sigmoid": 0, "xlogy": 1, "xlog1py": 1, "div": 1, "div_no_nan": 1, "reciprocal": 0,
    "mod": 1, "floordiv": 1, "sqrt": 0, "rsqrt": 0, "pow": 0, "norm": 0, "std": 0, "acos": 0, "asin": 0, "acosh": 0,
    "atanh": 0, "exp": 0, "expm1": 0,
}  # fmt: skip
"""The primitives whose domain has an edge, and the input that comes to it."""


def passport(loss: Loss) -> dict[str, Any]:
    """The facts of ``loss`` in JSON types.

    ``law`` and ``gradient_law`` are powers of the batch size ("1", "1/2"), "mixed", "broken", "absent" (no gradient)
    or None where unknown; ``law_ratio`` is the factor that a batch repeated twice brings, in ``law_asymptotic`` cases
    for large batches. ``rank``, ``shape``, laws and coupling are those of the one returned tensor, None for containers;
    the law of a container is that of its parts where they agree.
    """
    tensor = loss.value if isinstance(loss.value, Node) else None
    laws = {_value_law(loss, part) for part in loss.results}
    law, ratio = laws.pop() if len(laws) == 1 else (None, None)
    facts = {
        "name": loss.name,
        "function": loss.site.function,
        "file": getattr(loss.site.module, "path", None),
        "line": _line(loss.site),
        "consumer": {"kind": loss.consumer.kind, "evidence": loss.consumer.evidence},
        "rank": tensor.shape.rank if tensor else None,
        "shape": str(tensor.shape) if tensor else None,
        "structure": structure(loss.value),
        "law": law,
        "law_ratio": ratio,
        "law_asymptotic": bool(tensor and loss.laws.gradient(tensor).asymptotic),
        "gradient_law": _gradient_law(loss.laws.gradient(tensor)) if tensor else None,
        "coupling": loss.couplings.of(tensor).kind if tensor else None,
        "gradient": _gradients(loss),
        "ranges": list(_ranges(loss)),
        "lost_at": list(_lost(loss)),
    }
    return facts | {"understood": _understood(loss, facts)}


def structure(value: Any) -> str:
    """What kind of Python value a loss returns: "tensor", "tuple of 2", "number", "None", "unknown"."""
    if isinstance(value, Node):
        return "tensor"
    if isinstance(value, (tuple, list, dict)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, (bool, int, float)):
        return "number"
    return "None" if value is None else "unknown"


def _line(site: Site | None) -> int | None:
    """The row of ``site``; None where it has no file."""
    if site is None or site.module is None:
        return None
    row: int = site.module.span(site.tree).row
    return row


def _value_law(loss: Loss, tensor: Node) -> tuple[str | None, float | None]:
    """The law of the value and, where it is a pure power, the ratio under a batch repeated twice."""
    power: Power | None = loss.laws.value(tensor)
    kind = loss.laws.gradient(tensor).kind
    if kind in ("mixed", "broken"):
        return kind, None
    if power is None:
        return None, None
    if power.zero:
        return "0", None
    if not power.pure:
        return f"{power.p} + {'c' if power.c is None else power.c} log k", None
    return str(power.p), _ratio(power.p)


def _gradient_law(law: Law) -> str | None:
    return str(law.p) if law.kind == "known" else None if law.kind == "unknown" else law.kind


def _ratio(p: Fraction) -> float:
    return float(2.0 ** float(p))


def _gradients(loss: Loss) -> dict[str, str]:
    """Name of each source that training may move -> its best gradient."""
    found: dict[str, str] = {}
    for node in loss.graph.nodes:
        if node.op == "model" or (node.op == "source" and node.attrs.get("role") in TRAINABLE_ROLES):
            name, state = spoken(node), loss.gradients.reaches(node)
            found[name] = max(found.get(name, state), state, key=STATES.index)
    return found


def _ranges(loss: Loss) -> Iterator[dict[str, Any]]:
    """The operands that come to the edge of a domain, outside of library functions."""
    for node in loss.gradients.order:
        position = _OPERANDS.get(node.op)
        if position is None or node.internal:
            continue
        operand = node.inputs[position]
        if operand.op == "const":
            continue
        interval = loss.ranges.of(operand)
        ends = interval.low.trust, interval.high.trust
        known = "known" if all(ends) else "half known" if any(ends) else "unknown"
        status = "assumed" if interval.given else known
        yield {"op": spoken(node), "line": _line(node.site), "range": str(interval), "status": status}


def _lost(loss: Loss) -> Iterator[dict[str, Any]]:
    """Where, and why, the analysis lost track."""
    said: set[tuple[int | None, str]] = set()
    found = [(_line(node.site), str(node.attrs.get("why", ""))) for node in loss.gradients.order if node.op == "opaque"]
    unknown = [(_line(output.site), value.why) for output in loss.outputs for value in _unknowns(output.value)]
    for line, why in [*found, *unknown, *((None, note) for note in loss.notes)]:
        if (line, why) not in said:
            said.add((line, why))
            yield {"line": line, "why": why}


def _unknowns(value: Any) -> Iterator[Unknown]:
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _unknowns(item)


def _understood(loss: Loss, facts: dict[str, Any]) -> bool:
    """Whether nothing that was not followed leaves the rank, the law or a gradient open."""
    if facts["structure"] == "unknown" or any(True for output in loss.outputs for _ in _unknowns(output.value)):
        return False
    if not any(node.op == "opaque" for node in loss.gradients.order):
        return True
    known = facts["rank"] is not None and facts["law"] is not None and facts["gradient_law"] is not None
    return known and "unknown" not in facts["gradient"].values()


def render(facts: dict[str, Any]) -> str:
    """A passport as a plain text table; ``?`` stands for what is unknown."""
    ratio = f" (x{facts['law_ratio']:g} when the batch is doubled)" if facts["law_ratio"] is not None else ""
    large = " for large batches" * facts["law_asymptotic"]
    rows = [
        ("returns", f"{facts['structure']} {facts['shape'] or ''}".strip()),
        ("consumer", f"{facts['consumer']['kind']}: {facts['consumer']['evidence']}"),
        ("batch law", f"{_told(facts['law'])}{ratio}{large}"),
        ("gradient law", _told(facts["gradient_law"])),
        ("coupling", _told(facts["coupling"])),
        *(("gradient", f"{name}: {state}") for name, state in facts["gradient"].items()),
        *(("range", f"{r['op']} line {_told(r['line'])}: {r['range']} ({r['status']})") for r in facts["ranges"]),
        *(("lost", f"line {_told(lost['line'])}: {lost['why']}") for lost in facts["lost_at"]),
        ("understood", "yes" if facts["understood"] else "no"),
    ]
    place = f"{facts['file'] or '?'}:{_told(facts['line'])}"
    lines = [f"{place}  {facts['name']}"]
    before = ""
    for label, text in rows:
        lines.append(f"  {label if label != before else '':<13} {text}")
        before = label
    return "\n".join(lines)


def _told(value: object) -> str:
    return "?" if value is None else str(value)
