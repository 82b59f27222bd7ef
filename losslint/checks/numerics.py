"""LL4: which values reach a log, a division or a root, and what comes back from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken
from losslint.domain.interval import Trust
from losslint.domain.shape import Dim
from losslint.findings import Severity
from losslint.graph import Node, Site, ancestors
from losslint.loss import Loss
from losslint.ops.assumptions import root_of
from losslint.ops.compositions import fused
from losslint.ops.gradients import SHAPE_ONLY
from losslint.ops.linear import constant
from losslint.ops.relations import plain
from losslint.ops.singularities import (
    LOGS,
    ROOTS,
    Singularity,
    felt,
    goes_on,
    is_taken_back,
    operand_of,
    says_nan,
    singularity,
    subject,
    users,
)

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

LOGITS_FIRST = (
    "take the logits (from_logits=True, tf.nn.*_with_logits, log_softmax, softplus), or clip the argument to "
    "[1e-7, 1 - 1e-7] first; a clip sends no gradient back where it clips"
)
_SUMS = frozenset(["sum", "mean", "max", "min", "segment", "matmul", "einsum", "tensordot"])
_THROUGH = frozenset(["mul", "square", "abs", "pow", "sub", "add", "div", "cast", "identity", "norm"])
_DATA = frozenset({"label", "prediction", "weight"})
_EPSILON = 0.02  # a constant up to this is a guard


# --- what the checks share ----------------------------------------------------------------------------------------


def candidates(loss: Loss, *ops: str) -> Iterator[tuple[Node, Site]]:
    """The user's own nodes of these primitives that a result is computed from, with their place."""
    wanted = frozenset(ops)
    for node in loss.gradients.order:
        if node.op in wanted and not node.internal and node.site is not None:
            yield node, node.site


def lowered(loss: Loss, severity: Severity) -> Severity:
    """One severity less for a metric: its value may be NaN, training is not touched."""
    return Severity(max(INFO, severity - 1)) if loss.is_metric else severity


def capped(severity: Severity, found: Singularity) -> Severity:
    """What rests on an assumption is a warning at most."""
    return min(severity, WARNING) if found.given else severity


def assuming(found: Singularity) -> str:
    """The assumptions of a finding, to end its message with."""
    return f", assuming {' and '.join(sorted(found.given))}" if found.given else ""


def fact(loss: Loss, found: Singularity, point: str = "0") -> str:
    """What was computed: the range that holds the singular point, and inputs that lead there."""
    ranges = loss.ranges
    interval = ranges.of(subject(found.node, found.operand))
    told = ranges.witness.told(found.operand, found.hits[0])
    there = f" at {told}" if told else ""
    if interval.low.trust == Trust.UNKNOWN:
        return f"reaches {point}{there}"
    return f"range {interval} contains {point}{f' (reached{there})' if there else ''}"


def _named(node: Node) -> str:
    name = spoken(node)
    return "the division" if name == "/" else "the power" if name == "**" else name


def _fires(found: Singularity | None) -> bool:
    """Whether the value itself leaves the domain, by something known or assumed."""
    return found is not None and found.trust > Trust.UNKNOWN and not found.masks


# --- logarithms ---------------------------------------------------------------------------------------------------


@check("LL401")
def unclipped_log(loss: Loss) -> Iterator[Draft]:
    """The argument of a log can be 0 or negative."""
    for node, site in candidates(loss, *LOGS):
        found = singularity(loss, node)
        if found is None or not _fires(found) or found.vanished or not _matters(loss, found):
            continue
        point = f"{LOGS[node.op]:g}"
        yield Draft(
            "LL401",
            lowered(loss, capped(ERROR, found)),
            f"the argument of {_named(node)} can be {point}, and its result -inf{assuming(found)}",
            site,
            fact(loss, found, point),
            LOGITS_FIRST,
            node,
        )


def _matters(loss: Loss, found: Singularity) -> bool:
    """Labels are under the author's control: what they are assumed to be is no reason to report their logarithm."""
    return not found.given or found.operand.id not in loss.ranges.assumptions.labels


@check("LL402")
def vanishing_epsilon(loss: Loss) -> Iterator[Draft]:
    """An epsilon is lost in rounding: exact arithmetic avoids the singular point, the dtype in force does not."""
    for node, site in candidates(loss, *LOGS, *ROOTS, "div", "reciprocal"):
        found = singularity(loss, node)
        if found is None or not _fires(found) or not found.vanished:
            continue
        if node.op in ROOTS and not loss.gradients.live(node):
            continue
        dtype = found.operand.dtype or "float32"
        yield Draft(
            "LL402",
            lowered(loss, capped(ERROR, found)),
            f"the epsilon before {_named(node)} is lost in {dtype}: its argument reaches "
            f"{LOGS.get(node.op, 0.0):g}{assuming(found)}",
            site,
            f"in {dtype} {fact(loss, found, f'{LOGS.get(node.op, 0.0):g}')}",
            "constants around a tensor are added up first and 1 - 1e-8 rounds to 1: use 1e-7 (float16 needs 1e-3, "
            "bfloat16 1e-2), or maximum(1 - p, 1e-8), which survives in every mode",
            node,
        )


@check("LL403")
def clip_after_log(loss: Loss) -> Iterator[Draft]:
    """The log is clipped, not its argument."""
    for node, site in candidates(loss, "clip", "maximum", "minimum"):
        for value in node.inputs:
            log = _behind(value)
            found = singularity(loss, log) if log is not None and not log.internal else None
            if log is None or found is None or not _fires(found) or not _matters(loss, found):
                continue
            yield Draft(
                "LL403",
                lowered(loss, capped(ERROR, found)),
                f"{_named(node)} clips the result of {_named(log)}, not its argument: the gradient is 0 * inf = NaN "
                f"where that is 0{assuming(found)}",
                site,
                fact(loss, found),
                "clip the argument of the logarithm instead",
                log,
            )


def _behind(node: Node) -> Node | None:
    """The logarithm that ``node`` is, up to its sign and a factor."""
    while True:
        node = plain(node)
        if node.op in LOGS:
            return node
        if node.op == "neg":
            node = node.inputs[0]
        elif node.op == "mul":
            logs = [x for x in node.inputs if plain(x).op in (*LOGS, "neg", "mul")]
            if len(logs) != 1:
                return None
            node = logs[0]
        else:
            return None


@check("LL409")
def unfused_composition(loss: Loss) -> Iterator[Draft]:
    """A composition for which a fused, stable operation exists."""
    for node, site in candidates(loss, "log", "log1p"):
        match = fused(loss, node)
        if match is not None:
            yield Draft(
                "LL409",
                lowered(loss, WARNING),
                f"{match.written} overflows or underflows where {match.better} is exact",
                site,
                match.fact,
                f"use {match.better}",
                node,
            )


# --- divisions ----------------------------------------------------------------------------------------------------


@check("LL404")
def unguarded_division(loss: Loss) -> Iterator[Draft]:
    """The denominator can be 0; or a mean is taken of what an empty mask leaves."""
    for node, site in candidates(loss, "div", "reciprocal"):
        found = _divides_by_zero(loss, node)
        if found is None or _outside(loss, node) is not None:
            continue
        yield Draft(
            "LL404",
            lowered(loss, WARNING),
            f"the denominator{_what(found.operand)} can be 0{assuming(found)}",
            site,
            fact(loss, found),
            "use tf.math.divide_no_nan, or add an epsilon to the denominator (to the numerator too, if both are sums)",
            node,
        )
    for node, site in candidates(loss, "mean"):
        meant = _selected(loss, node) or _keeps_some(loss, node) or not felt(loss, node)
        if _over_selection(node) and _over_first(node) and not meant:
            yield Draft(
                "LL404",
                lowered(loss, WARNING),
                f"{_named(node)} of boolean_mask is 0 / 0 = NaN where the mask is empty",
                site,
                "the number of selected elements can be 0",
                "divide the sum by maximum(count, 1), or use tf.math.divide_no_nan",
                node,
            )


def _divides_by_zero(loss: Loss, node: Node) -> Singularity | None:
    """The singularity of a division by data that can be 0."""
    found = singularity(loss, node)
    if found is None or found.masks or found.vanished or not _of_data(loss, found.operand):
        return None
    if is_taken_back(loss, node):
        return None
    return found if found.trust > Trust.UNKNOWN or _is_sum_of_data(loss, found) else None


def _of_data(loss: Loss, node: Node) -> bool:
    """Whether the value depends on data: a hyper-parameter is not set to 0."""
    return node.id in _computed_from(loss, "data", lambda n: _may_be_data(n) or _reduces_argument(loss, n))


def _reduces_argument(loss: Loss, node: Node) -> bool:
    """Whether ``node`` reduces an argument of unknown shape, which tells that it is a tensor."""
    arguments = _computed_from(loss, "arguments", lambda n: n.op == "source" and n.attrs["role"] == "argument")
    return node.op in (*_SUMS, "norm", "std", "var") and node.id in arguments


def _may_be_data(node: Node) -> bool:
    dim = node.attrs.get("dim")
    if isinstance(dim, Dim):
        return bool(dim.batch)
    role = node.attrs.get("role")
    if node.op == "source":
        if role == "argument" and not node.shape.min_rank:
            return False  # nothing says that it is a tensor
        return role in _DATA or (role in ("input", "argument", "captured") and node.shape.rank != 0)
    return node.op in ("model", "gradient_of", "opaque", "random")


def _is_tensor(node: Node) -> bool:
    if node.op == "source":
        return node.attrs["role"] in _DATA | {"input"} or bool(node.attrs["role"] != "config" and node.shape.min_rank)
    return node.op in ("model", "gradient_of", "random")


def _is_data(node: Node) -> bool:
    return node.op == "model" or (node.op == "source" and node.attrs.get("role") in _DATA)


def _computed_from(loss: Loss, name: str, start: Callable[[Node], bool]) -> set[int]:
    """The ids of all nodes that are computed from a node with ``start``."""
    memo = loss.ranges.memo
    known = memo.get(name)
    if isinstance(known, set):
        return known
    found: set[int] = set()
    for node in loss.graph.nodes:
        # how many elements there are says nothing about their values
        if start(node) or (node.op not in SHAPE_ONLY and any(x.id in found for x in node.inputs)):
            found.add(node.id)
    memo[name] = found
    return found


def _is_sum_of_data(loss: Loss, found: Singularity) -> bool:
    """Whether the denominator is a label or prediction, or a sum of such, that is 0 where all of them are."""
    data = _computed_from(loss, "labels and predictions", _is_data)
    if found.operand.id not in data or not _vanishes_with_data(loss, found):
        return False
    seen: set[int] = set()
    todo = [found.operand]
    reduced = False
    while todo:
        node = todo.pop()
        if node.id in seen or constant(node) is not None:
            continue
        if node.id in loss.ranges.assumptions.pieces:
            if node.id not in data:
                return False  # added to the data: a smoothing term of unknown value
            if not reduced and _has_name(node):
                return False  # what a model hands out under a name may be anything
            continue
        seen.add(node.id)
        if node.op in ("add", "sub") and not reduced and not all(_reduces(x) for x in node.inputs):
            return False  # a difference of single values is no amount
        if node.op == "join":  # the ways that cannot be followed take nothing from those that can
            todo.extend(x for x in node.inputs if x.op != "opaque")
        elif node.op in _SUMS | _THROUGH or plain(node) is not node:
            reduced = reduced or node.op in _SUMS
            todo.extend(_decisive(node, data))
        elif loss.ranges.of(node).low.trust == Trust.UNKNOWN:
            return False
    return True


def _decisive(node: Node, data: set[int]) -> list[Node]:
    """The inputs of ``node`` which, when they are 0, make it 0."""
    if node.op in ("mul", "matmul", "einsum"):
        return [x for x in node.inputs if x.id in data]
    return list(node.inputs[:1] if node.op == "div" else node.inputs)


def _has_name(node: Node) -> bool:
    """Whether ``node`` is ``y_pred["name"]``, or elements of it."""
    while node.op in ("index", "identity", "cast") and not isinstance(node.attrs.get("part"), str):
        node = node.inputs[0]
    return node.op == "identity"


def _reduces(node: Node) -> bool:
    """Whether ``node`` is an amount: a sum, or made of sums."""
    node = plain(node)
    if node.op in ("add", "sub", "mul"):
        return all(_reduces(x) or constant(x) is not None for x in node.inputs)
    return node.op in _SUMS and constant(node) is None


def _vanishes_with_data(loss: Loss, found: Singularity) -> bool:
    """Whether some hit has every label and prediction at 0."""
    pieces = {p.number: p for p in loss.ranges.assumptions.pieces.values()}
    leaves = {number for number in found.hits[0].leaves if number in pieces and _is_data(root_of(pieces[number]))}
    cone = loss.ranges.witness.leaves(found.operand) & leaves
    return any(not any(hit.leaves[number] for number in cone) for hit in found.hits)


def _what(node: Node) -> str:
    """The denominator in words."""
    node = plain(node)
    if node.op in ("sum", "count_nonzero", "segment"):
        return ", a sum,"
    return f", {spoken(node)}," if node.op in ("source", "norm", "std", "var", "mean", "max") else ""


def _over_selection(node: Node) -> bool:
    """Whether ``node`` reduces what a mask let through, or a value for each element of that."""
    extent = node.attrs.get("extent")
    counted = isinstance(extent, Dim) and any("#mask" in name for name, _ in extent.symbols)
    return counted or plain(node.inputs[0]).op == "boolean_mask"


def _keeps_some(loss: Loss, node: Node) -> bool:
    """Whether the masks of what ``node`` reduces keep something; of numbers all but 0 do, and shares are not all 0."""
    masks = [n.inputs[1] for n in ancestors([node]) if n.op == "boolean_mask"]
    return bool(masks) and all(loss.ranges.of(mask).excludes(0.0) or plain(mask).op == "softmax" for mask in masks)


def _over_first(node: Node) -> bool:
    axis = node.attrs.get("axis")
    return axis is None or 0 in (axis if isinstance(axis, tuple) else (axis,))


def _selected(loss: Loss, node: Node) -> bool:
    """Whether a ``where`` decides on the value right after."""
    return any(user.op == "select" for user, _ in users(loss).get(node.id, ()))


@check("LL405")
def epsilon_outside_denominator(loss: Loss) -> Iterator[Draft]:
    """``a / b + eps`` where b can be 0."""
    for node, site in candidates(loss, "div"):
        total = _outside(loss, node)
        found = _divides_by_zero(loss, node) if total is not None else None
        if total is None or found is None:
            continue
        yield Draft(
            "LL405",
            lowered(loss, WARNING),
            f"the epsilon is added to the quotient, not to the denominator, which can be 0{assuming(found)}",
            total.site or site,
            fact(loss, found),
            "write a / (b + eps)",
            node,
        )


def _outside(loss: Loss, division: Node) -> Node | None:
    """The ``a / b + eps`` that ``division`` stands in, unless the epsilon guards a logarithm or a root around it."""
    for user, _ in users(loss).get(division.id, ()):
        if user.op != "add" or user.internal:
            continue
        known = [c for c in map(constant, user.inputs) if c is not None]
        if not known or not 0 < known[0] <= _EPSILON:
            continue
        if not any(operand_of(n) is not None for n, _ in users(loss).get(user.id, ())):
            return user
    return None


# --- gradients ----------------------------------------------------------------------------------------------------


@check("LL406")
def singular_gradient(loss: Loss) -> Iterator[Draft]:
    """A root, norm, deviation or small power of 0 on the gradient path."""
    if loss.is_metric:
        return
    for node, site in candidates(loss, *ROOTS):
        found = singularity(loss, node)
        if found is None or not _fires(found) or found.vanished or not loss.gradients.live(node):
            continue
        if not goes_on(loss, found):
            continue
        slope = (
            "NaN" if node.op in ("norm", "std") or constant(node.inputs[-1]) == 0 else "infinite, NaN after a square,"
        )
        only = " under XLA (TensorFlow sends 0 back, as the slope that comes in is 0)" if found.zero_slope else ""
        yield Draft(
            "LL406",
            INFO if found.zero_slope and found.xla_only else WARNING,
            f"the gradient of {_named(node)} is {slope} at 0{only}{assuming(found)}",
            site,
            fact(loss, found),
            "add an epsilon inside the root, or use maximum(x, 1e-7) there; maximum(x, 0.0) does not help"
            if node.op not in ("norm", "std")
            else "write sqrt(sum of squares + 1e-12), or sqrt(variance + 1e-12)",
            node,
        )


@check("LL407")
def where_nan_gradient(loss: Loss) -> Iterator[Draft]:
    """The branch that ``where`` does not take still sends NaN back."""
    if loss.is_metric:
        return
    traps = (*LOGS, "div", "reciprocal", "exp", "acos", "asin", "acosh", "atanh", *ROOTS)
    for node, site in candidates(loss, *traps):
        sources = [x for x in node.inputs if loss.gradients.live_from_source(x)]
        found = singularity(loss, node) if sources and loss.gradients.live_to_result(node) else None
        if found is None or not found.masks or not _guard_is_meant(loss, found):
            continue
        if node.op in LOGS and not any(hit.value(found.operand) == LOGS[node.op] for hit in found.hits):
            continue  # the slope of log at a negative number is finite, and times 0 it is 0
        if any(mask.op == "join" or says_nan(mask) for mask in found.masks):
            continue  # tf.cond runs one branch only: the other one sends nothing back; and NaN hides nothing
        mask = min(found.masks, key=lambda n: n.id)
        yield Draft(
            "LL407",
            INFO if found.xla_only else ERROR,
            f"{_named(mask)} hides the value of {_named(node)} where it is not finite, but its gradient there is "
            f"0 * inf = NaN{' under XLA' if found.xla_only else ''}",
            site,
            fact(loss, found, "88.7" if node.op == "exp" else "1" if node.op.startswith("a") else _point(node)),
            "make the argument safe too: safe = tf.where(condition, x, 1.0), then tf.where(condition, f(safe), other)",
            node,
            {"mask": mask},
        )


def _guard_is_meant(loss: Loss, found: Singularity) -> bool:
    """Whether the guard tells that the operand comes there: a test for NaN does not say which operation makes it."""
    if found.trust > Trust.UNKNOWN:
        return True
    if found.node.op in ("div", "reciprocal") and found.operand.id not in _computed_from(loss, "tensors", _is_tensor):
        return False  # nothing says that it is more than a hyper-parameter: no mask is about it
    if any(found.node in ancestors(mask.inputs[:1]) for mask in found.masks if mask.op == "select"):
        return found.node.op == "div" and _is_sum_of_data(loss, found)
    return True


def _point(node: Node) -> str:
    return f"{LOGS.get(node.op, 0.0):g}"
