"""How each primitive mixes the samples of a batch (see losslint.domain.coupling), and the pass over a loss."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from losslint.domain import coupling
from losslint.domain.coupling import CONST, ROW, SUM, UNKNOWN, Coupling
from losslint.domain.shape import Dim, Shape
from losslint.graph import Node
from losslint.ops.extents import from_weights
from losslint.ops.identities import softmax_under
from losslint.ops.reshaping import any_row, pairs_rows

if TYPE_CHECKING:
    from losslint.loss import Loss

Rule = Callable[[Node, "list[Coupling]"], Coupling]


def _degree(dim: Dim | None) -> int | None:
    return None if dim is None else dim.batch


def whole_batch(dim: Dim) -> bool:
    """Whether ``dim`` counts the samples of the batch themselves, not those that a mask kept."""
    return not any(name.startswith("B#") for name, _ in dim.symbols)


def extent(dim: Dim) -> Coupling:
    """An extent as a value. The number of rows that a mask kept is a sum over the batch."""
    if dim.batch is None:
        return UNKNOWN
    return coupling.counted(dim.batch) if whole_batch(dim) else SUM


def leaf(node: Node, xs: list[Coupling]) -> Coupling:
    """Sources, constants, random numbers: rows where they hold the batch."""
    if node.op != "source" or node.attrs.get("role") in ("config", "variable"):
        return CONST
    grows = _degree(node.shape.numel)
    return UNKNOWN if grows is None else ROW if grows else CONST


def opaque(node: Node, xs: list[Coupling]) -> Coupling:
    """Nothing is known."""
    return UNKNOWN


def linear(node: Node, xs: list[Coupling]) -> Coupling:
    """Linear in the first input."""
    return xs[0] if xs else CONST


def cast(node: Node, xs: list[Coupling]) -> Coupling:
    """Linear between numbers; a number becomes a flag by a nonlinear function."""
    return coupling.function(node, xs) if node.attrs.get("dtype") == "bool" else xs[0]


def add(node: Node, xs: list[Coupling]) -> Coupling:
    """A sum or difference."""
    return coupling.add(node, xs)


def multiply(node: Node, xs: list[Coupling]) -> Coupling:
    """A product."""
    return coupling.multiply(node, xs[0], xs[1])


def divide(node: Node, xs: list[Coupling]) -> Coupling:
    """A product with the reciprocal."""
    return coupling.multiply(node, xs[0], coupling.reciprocal(node, xs[1]))


def reciprocal(node: Node, xs: list[Coupling]) -> Coupling:
    """One over a value."""
    return coupling.reciprocal(node, xs[0])


def total(node: Node, xs: list[Coupling]) -> Coupling:
    """A sum over axes, of which the batch may be one."""
    return coupling.reduce_sum(node, xs[0], _degree(node.attrs.get("extent")))


def mean(node: Node, xs: list[Coupling]) -> Coupling:
    """A mean over the batch; a mean over the rows that a mask kept divides by a count that depends on them."""
    dim = node.attrs.get("extent")
    grows, x = _degree(dim), xs[0]
    if grows == 0 or x.at is not None or x.lost or x.constant or x.count is not None:
        return x
    if grows is None or dim is None:
        return UNKNOWN
    if not whole_batch(dim):
        return coupling.coupled(node)
    return coupling.multiply(node, coupling.reduce_sum(node, x, grows), coupling.counted(-grows))


def across(node: Node, xs: list[Coupling]) -> Coupling:
    """A nonlinear function over an axis: it couples what lies along it."""
    grows = _degree(node.attrs.get("extent"))
    if xs[0].constant and node.op in _COUNTING and grows != 0:
        return _counted(node, grows)
    if xs[0].constant or grows == 0:
        return coupling.function(node, xs)
    return UNKNOWN if grows is None and xs[0].at is None else coupling.coupled(node, xs[:1])


_COUNTING = {"norm": 1, "l2_normalize": -1, "softmax": -2, "log_softmax": None, "logsumexp": None, "prod": None}
"""Of constants along an axis, twice the power with which the result grows as their number does; None: not a power."""


def _counted(node: Node, grows: int | None) -> Coupling:
    """A function of how many constants there are."""
    power = _COUNTING[node.op]
    if grows is None or (node.op == "norm" and node.attrs.get("ord") not in (None, 2, 2.0, "euclidean", "fro")):
        return UNKNOWN
    return coupling.coupled(node) if power is None else Coupling(count=Fraction(power * grows, 2))


def ordered(node: Node, xs: list[Coupling]) -> Coupling:
    """cumsum, roll, reverse: along the batch, each sample meets its neighbours."""
    result = across(node, xs)
    if result.at is node:
        return coupling.coupled(node, [result], ordered=True)
    counts = node.op in ("cumsum", "cumprod") and result.constant and _degree(node.attrs.get("extent")) != 0
    return coupling.coupled(node, [], ordered=True) if counts else result


def count(node: Node, xs: list[Coupling]) -> Coupling:
    """count_nonzero: a sum of flags."""
    return coupling.reduce_sum(node, coupling.function(node, xs), _degree(node.attrs.get("extent")))


def contraction(node: Node, xs: list[Coupling]) -> Coupling:
    """matmul, einsum, tensordot. In an equation the batch can have several letters: samples meet samples then."""
    if node.attrs.get("batches", 1) > 1 and not all(x.constant for x in xs):
        return coupling.coupled(node, xs)
    product = xs[0]
    for other in xs[1:]:
        product = coupling.multiply(node, product, other)
    return coupling.reduce_sum(node, product, _degree(node.attrs.get("extent")))


def last_axes(node: Node, xs: list[Coupling]) -> Coupling:
    """top_k, diagonals, matrix functions: over the last axes of their input."""
    axes = 1 if node.op in ("top_k", "diag") else 2
    degrees = [_degree(node.inputs[0].shape.axis(-i)) for i in range(1, axes + 1)]
    if xs[0].constant or all(d == 0 for d in degrees):
        return coupling.function(node, xs)
    return UNKNOWN if None in degrees and xs[0].at is None else coupling.coupled(node, xs)


def index(node: Node, xs: list[Coupling]) -> Coupling:
    """Picking along the batch axis makes the order of the samples matter."""
    key = node.attrs.get("key")
    items = [k for k in (key if isinstance(key, tuple) else (key,)) if k is not None]
    first = items[0] if items else Ellipsis
    shape, x = node.inputs[0].shape, xs[0]
    if any_row(node):
        return x
    if x.constant or x.at is not None or not (shape.head and shape.head[0].batch) or first is Ellipsis:
        return x
    if isinstance(first, Node):
        return x if first.dtype == "bool" else UNKNOWN
    if isinstance(first, slice):
        whole = first.stop is None or (isinstance(first.stop, Node) and first.stop.attrs.get("dim") == shape.head[0])
        if whole and first.start in (None, 0) and first.step in (None, 1):
            return x
        fixed = all(not isinstance(b, Node) for b in (first.start, first.stop))
        return coupling.coupled(node, [x], ordered=fixed)
    return coupling.coupled(node, [x], ordered=True) if isinstance(first, int) else UNKNOWN


def gather(node: Node, xs: list[Coupling]) -> Coupling:
    """Looking up along the batch couples; in a table it does not."""
    axis, skip = node.attrs.get("axis") or 0, node.attrs.get("batch_dims") or 0
    x, at = xs[0], xs[1] if len(xs) > 1 else CONST
    if node.op == "gather_nd" and pairs_rows(*node.inputs[:2]):
        return coupling.function(node, [x])
    if not isinstance(axis, int) or not isinstance(skip, int):
        return UNKNOWN
    shape = node.inputs[0].shape
    dim = shape.axis(max(axis, skip) if axis >= 0 else axis)
    dim = Dim.of(shape.rest) if dim is None and shape.rest is not None else dim
    if x.constant or _degree(dim) == 0:
        return coupling.function(node, [x, at]) if not at.constant else x
    return UNKNOWN if _degree(dim) is None and x.at is None else coupling.coupled(node, [x])


def guarded_count(node: Node, xs: list[Coupling]) -> Coupling:
    """A question about the batch size alone, or a floor under it, guards against an empty batch: no other changes."""
    counts = [x for x in xs if x.count is not None]
    if len(counts) == 1 and all(x.constant for x in xs if x.count is None):
        return counts[0] if node.op == "maximum" else CONST
    return coupling.function(node, xs)


def select(node: Node, xs: list[Coupling]) -> Coupling:
    """A condition on single samples keeps rows apart; a constant one chooses."""
    return either(node, xs[1:]) if xs[0].constant else coupling.function(node, xs)


def either(node: Node, xs: list[Coupling]) -> Coupling:
    """One of several, or all side by side."""
    parts = [x for x in xs if not x.constant]
    if not parts:
        return CONST
    if any(x.at is not None for x in parts):
        return coupling.coupled(node, parts)
    return parts[0] if all(x == parts[0] for x in parts) else UNKNOWN


def loop(node: Node, xs: list[Coupling]) -> Coupling:
    """The turns may run over the samples and add them up, unless their number is ``fixed``."""
    result = either(node, xs)
    if node.attrs.get("fixed"):
        return result
    return result if result.constant or result.at is not None else UNKNOWN


def made(node: Node, xs: list[Coupling]) -> Coupling:
    """eye, range, unique, scatter, segment: of samples, their place in the batch is used."""
    if "mask" in node.attrs:  # back to where they were picked
        return coupling.function(node, xs[1:])
    if any(not x.constant for x in xs) and node.op in ("unique", "scatter", "segment"):
        return coupling.coupled(node, xs)
    grows = _degree(node.shape.numel)
    return CONST if grows == 0 else UNKNOWN if grows is None else coupling.coupled(node)


def statistics(node: Node, xs: list[Coupling]) -> Coupling:
    """A statistic of the whole batch."""
    return CONST if all(x.constant for x in xs) else coupling.coupled(node, xs)


def gradient_of(node: Node, xs: list[Coupling]) -> Coupling:
    """dy/dx is as additive as y where x is no sample, and a row where both are rows or sums of rows."""
    y, x = xs[0], xs[-1]
    if not y.additive or x.constant:
        return y
    power = y.row if y.row is not None else y.total
    return Coupling(row=power) if (y.row is None) != (y.total is None) else coupling.coupled(node, xs)


def _table() -> dict[str, Rule]:
    rows: list[tuple[str, Rule]] = [
        ("source const random zeros ones zeros_like ones_like rank_of", leaf),
        ("is_nan is_inf is_finite", leaf),  # the samples are taken to be finite: such a mask lets all of them through
        ("opaque numpy_function py_function", opaque),
        ("straight_through", lambda node, xs: xs[0] if node.attrs.get("valued") else UNKNOWN),
        ("identity stop_gradient leaves_tensorflow variable_of neg reshape expand_dims squeeze transpose", linear),
        ("broadcast_to tile repeat unstack pad fill", linear),
        ("cast", cast), ("add sub", add), ("mul mul_no_nan", multiply), ("div div_no_nan", divide),
        ("reciprocal", reciprocal),
        ("sum", total), ("mean", mean), ("count_nonzero", count),
        ("max min all any logsumexp std var norm median prod argmax argmin", across),
        ("softmax log_softmax l2_normalize sort argsort", across),
        ("cumsum cumprod reverse roll", ordered),
        ("matmul einsum tensordot", contraction),
        ("top_k diag diag_part band_part set_diag linalg", last_axes),
        ("index", index), ("boolean_mask", lambda node, xs: xs[0] if xs[1].additive else coupling.function(node, xs)),
        ("gather gather_nd", gather), ("select", select), ("join stack concat", either), ("loop", loop),
        ("lt le gt ge eq ne maximum", guarded_count),
        ("eye range unique scatter segment", made), ("batch_statistics contrast", statistics),
        ("gradient_of", gradient_of),
    ]  # fmt: skip
    return {name: rule for names, rule in rows for name in names.split()}


RULES: dict[str, Rule] = _table()
"""Primitive -> rule; the ones that are not listed are functions of each element."""

_EXTENTS = frozenset({"shape_of", "size_of", "dynamic_dim", "static_dim"})


_MEETINGS = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "pow", "select"})
"""Primitives in which two batches of different shapes broadcast."""


class Couplings:
    """How every node of one loss mixes the samples of the batch."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._found: list[Coupling] = []
        self._weights = from_weights(loss.graph.nodes)
        for node in loss.graph.nodes:
            self._found.append(self._of(node))

    def of(self, node: Node) -> Coupling:
        """The coupling of ``node``."""
        return self._found[node.id]

    def _of(self, node: Node) -> Coupling:
        held = node.attrs.get("dim")
        if node.id in self._weights:
            return CONST
        if isinstance(held, Dim):
            return extent(held)
        if node.op in _EXTENTS:
            shape = node.attrs.get("shape")
            return CONST if isinstance(shape, Shape) and shape.numel.batch == 0 else UNKNOWN
        inputs = [self._found[value.id] for value in node.inputs]
        if node.id in self._loss.unmoved:
            return self._unmoved(node)
        if node.op == "count_nonzero" and not inputs[0].constant and self._counts_all(node.inputs[0]):
            inputs = [CONST]
        decider = node.attrs.get("decider", node.attrs.get("condition"))
        if node.op == "join" and isinstance(decider, Node) and not self._found[decider.id].constant:
            inputs = [self._found[decider.id], *inputs]
            return coupling.function(node, inputs)
        result = RULES.get(node.op, coupling.function)(node, inputs)
        if result.additive and (crosses := self._crosses(node)) is not False:
            return coupling.coupled(node, inputs) if crosses else UNKNOWN
        return result

    @staticmethod
    def _unmoved(node: Node) -> Coupling:
        """Terms that cancel, or the shares of so many softmaxes added up."""
        shares = softmax_under(node)
        if shares is None:
            return CONST
        each = _degree(shares.attrs.get("extent"))
        over = _degree(node.attrs.get("extent")) if node.op != "mean" else 0
        return UNKNOWN if each is None or over is None else coupling.counted(over - each)

    def _counts_all(self, node: Node) -> bool:
        """Whether no element is 0 but far out: ``(1 - p) ** gamma`` is no mask, all its elements are counted."""
        samples = self._loss.ranges.witness.samples(node)
        return all(sample.extreme or sample.value(node) for sample in samples)

    def _crosses(self, node: Node) -> bool | None:
        """Whether samples meet each other here: the result has one more batch axis than each input.

        None where two batches meet and nobody knows how.
        """
        if len(node.inputs) < 2 or node.op in ("gather", "gather_nd", "index"):
            return False
        degrees = [_degree(n.shape.numel) for n in node.inputs]
        grows = _degree(node.shape.numel)
        if None in degrees:
            return False
        if grows is None:
            return None if node.op in _MEETINGS and all(degrees) else False
        return grows > max((d or 0 for d in degrees), default=0)
