"""LL301-LL309, LL311: losses whose gradient depends on how many samples, or pixels, there are.

Of LL301-LL305 one speaks for each returned value, so one function decides which.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken, words
from losslint.domain.law import Law, Term
from losslint.domain.shape import Dim
from losslint.findings import Severity
from losslint.graph import Node, Site, ancestors
from losslint.loss import Loss
from losslint.ops.extents import names_batch_size
from losslint.ops.gradients import SHAPE_ONLY
from losslint.ops.laws import Laws

_NORMALIZERS = frozenset({"softmax", "log_softmax", "l2_normalize"})


class _Verdict(NamedTuple):
    """What is wrong with the batch law of one returned value. ``at`` is the node to point at."""

    code: str
    result: Node
    at: Node
    law: Law
    term: Term


def results(loss: Loss) -> list[Node]:
    """The returned tensors that train. Where one is part of another (``return total, mse, kl``) only the whole does."""
    found = list({n.number: n for n in loss.results}.values())
    inner: set[int] = set()
    for node in found:
        inner.update(n.number for n in ancestors([node]) if n is not node)
    return [n for n in found if n.number not in inner]


def _silent(loss: Loss) -> bool:
    """Whether no law is to be told."""
    return loss.is_metric or loss.numpy_only or loss.batch_level


def _verdicts(loss: Loss) -> Iterator[_Verdict]:
    if _silent(loss):
        return
    for result in results(loss):
        verdict = _verdict(loss, result)
        if verdict is not None:
            yield verdict


def _verdict(loss: Loss, result: Node) -> _Verdict | None:
    """The first law rule that applies to ``result``."""
    law = loss.laws.gradient(result)
    terms = [t for t in law.terms if t.rows]
    for term in terms:
        bent = term.broken or (term.bent if term.p and term.after else None)
        if bent is not None and (term.broken or _counts(loss, result, term)):
            return _Verdict("LL301", result, bent, law, term)
    known = [t for t in terms if t.p is not None and t.p != 0 and _counts(loss, result, t)]
    low = next((t for t in known if t.p is not None and t.p < 0 and t.lowered is not None), None)
    if low is not None and low.lowered is not None:
        return None if low.lowered.op in _NORMALIZERS else _Verdict("LL303", result, low.lowered, law, low)
    high = next((t for t in known if t.p is not None and t.p > 0 and t.grown is not None), None)
    if len(law.powers) > 1 and law.met is not None and terms:
        return _Verdict("LL304", result, law.met, law, high or terms[0])
    if high is None or high.grown is None:
        return None
    divided = _hard_coded(loss, result)
    if divided is not None:
        correct = loss.strategy or any("global" in word.lower() for word in _divisor_names(divided))
        return None if correct else _Verdict("LL305", result, divided, law, high)
    return _Verdict("LL302", result, high.grown, law, high)


def _counts(loss: Loss, result: Node, term: Term) -> bool:
    """Whether the power of ``term`` is that of the trained loss.

    Keras averages what is not a scalar; elsewhere it is summed, by ``tape.gradient`` or by a caller we do not see. So
    a weight ``1 / sum(weights)`` in a per-sample value is right there.
    """
    if term.p is None or term.p > 0 or loss.consumer.kind == "keras":
        return term.p is not None
    rows = result.shape.numel.batch
    return rows is not None and term.p + rows < 0


def _divisor_names(node: Node) -> list[str]:
    """The names a divisor is known by: its source's, or what stands in the code."""
    divisor = node.inputs[1]
    while divisor.op in ("cast", "identity") and divisor.inputs:
        divisor = divisor.inputs[0]
    if divisor.op == "source":
        return [str(divisor.attrs.get("name", ""))]
    if divisor.op != "const":
        return []
    if divisor.attrs.get("name"):
        return [str(divisor.attrs["name"])]
    tree = node.site.tree if node.site else None
    right = getattr(tree, "right", None)
    parts = [right] if right is not None else list(getattr(tree, "args", ()))[1:]
    return [word for part in parts for word in words(part)]


def _hard_coded(loss: Loss, result: Node) -> Node | None:
    """The division of a growing value by a constant that is called a batch size."""
    for node in ancestors([result]):
        if node.op not in ("div", "div_no_nan") or not any(map(names_batch_size, _divisor_names(node))):
            continue
        if any(p > 0 for p in loss.laws.gradient(node.inputs[0]).powers):
            return node
    return None


def _place(node: Node, loss: Loss) -> Site:
    """Where to report a law of the whole loss: a sum is no fault of the helper that computes it."""
    return loss.place(loss.site_of(node))


def _effect(p: Fraction) -> str:
    """What two copies of the batch do to a gradient of law ``p``."""
    told = {
        Fraction(0): "leave the gradient as it is",
        Fraction(1): "double the gradient",
        Fraction(-1): "halve the gradient",
    }
    return told.get(p) or f"multiply the gradient by {2 ** float(p):.3g}"


def _fact(term: Term) -> str:
    assert term.p is not None
    large = " (for large batches)" if term.asymptotic else ""
    return f"batch law {term.p}{large}: two copies of the batch {_effect(term.p)}"


def _draft(loss: Loss, verdict: _Verdict, severity: Severity, message: str, fact: str, help: str) -> Draft:
    return Draft(
        verdict.code,
        severity,
        message,
        _place(verdict.at, loss),
        fact,
        help,
        fault=verdict.result,
        data={"at": verdict.at},
    )


def _of(loss: Loss, code: str) -> Iterator[_Verdict]:
    said: set[int] = set()
    for verdict in _verdicts(loss):
        if verdict.code == code and verdict.at.number not in said:
            said.add(verdict.at.number)
            yield verdict


@check("LL301")
def normalize_after_nonlinearity(loss: Loss) -> Iterator[Draft]:
    """A nonlinear function of a batch sum that is divided by the batch size too late, or never."""
    for verdict in _of(loss, "LL301"):
        name, term = spoken(verdict.at), verdict.term
        if term.broken is not None or term.p is None:
            fact = "no batch law: the gradient depends on the batch size, and on the values, in no fixed proportion"
            message = f"{name} is applied to a sum over the batch: its slope changes with the batch size"
        else:
            fact = _fact(term)
            message = f"{name} is applied to a sum over the batch, which is divided by the batch size only afterwards"
        help = f"average over the batch first: {name} of a mean, not of a sum"
        yield _draft(loss, verdict, Severity.ERROR, message, fact, help)


@check("LL302")
def unnormalized_batch_sum(loss: Loss) -> Iterator[Draft]:
    """The gradient grows with the batch."""
    for verdict in _of(loss, "LL302"):
        message = f"{spoken(verdict.at)} sums over the batch: the step of the optimizer grows with the batch size"
        help = "take the mean over the batch axis, or divide by tf.shape(x)[0]"
        # whoever calls it may divide what it returns
        private = loss.short_name.startswith("_") and loss.called and not loss.consumer.proven
        severity = Severity.INFO if private else Severity.WARNING
        yield _draft(loss, verdict, severity, message, _fact(verdict.term), help)


@check("LL303")
def double_normalization(loss: Loss) -> Iterator[Draft]:
    """What does not grow with the batch is divided by its size."""
    for verdict in _of(loss, "LL303"):
        message = "a value that is already a mean over the batch is divided by the batch size once more"
        if verdict.result.shape.numel.batch:
            message = "each sample is divided by a sum over the batch, and Keras then averages over the batch once more"
        help = "normalize once: drop this division, or sum where the mean is taken"
        yield _draft(loss, verdict, Severity.WARNING, message, _fact(verdict.term), help)


@check("LL304")
def mixed_batch_scaling(loss: Loss) -> Iterator[Draft]:
    """Terms whose gradients grow differently are added."""
    for verdict in _of(loss, "LL304"):
        powers = sorted(verdict.law.powers)
        low, high = powers[0], powers[-1]
        ratio = f"{2 ** float(high - low):.3g}"
        laws = " and ".join(str(p) for p in powers)
        fact = f"batch laws {laws}: two copies of the batch change the ratio of the terms by {ratio}"
        message = "terms that scale differently with the batch size are added: their balance depends on it"
        help = "reduce all terms over the batch in the same way, for example each by its mean"
        yield _draft(loss, verdict, Severity.WARNING, message, fact, help)


@check("LL305")
def hardcoded_batch_size(loss: Loss) -> Iterator[Draft]:
    """A batch sum is divided by a constant in place of the batch size."""
    for verdict in _of(loss, "LL305"):
        name = next(filter(names_batch_size, _divisor_names(verdict.at)), "a constant")
        message = f"a sum over the batch is divided by {name}, a constant: other batch sizes are scaled differently"
        help = "divide by tf.shape(x)[0]; a constant is right only as global batch size under tf.distribute"
        yield _draft(loss, verdict, Severity.WARNING, message, _fact(verdict.term), help)


def _is_sample(node: Node) -> bool:
    """Whether an extent is one of the labels or predictions that the loss is called with."""
    return node.inputs[0].attrs.get("role") in ("label", "prediction")


@check("LL306")
def static_batch_dimension(loss: Loss) -> Iterator[Draft]:
    """``x.shape[0]`` is None in a graph whose batch size is not fixed."""
    if loss.is_metric or loss.numpy_only:
        return
    keras = loss.consumer.kind == "keras"
    said: set[int] = set()
    used = {x.id for node in loss.graph.nodes for x in node.inputs}
    known_to_be_missing = {n.inputs[0].number for n in loss.graph.nodes if n.attrs.get("guarded")}
    for node in loss.graph.nodes:
        dim = node.attrs.get("dim")
        if node.attrs.get("listed") and node.id not in used:
            continue  # one of all the extents that as_list() hands out
        if node.attrs.get("length") and not (node.inputs[0].op != "source" or (loss.whole and _is_sample(node))):
            continue  # len() of what may well be a list
        if node.attrs.get("length") and node.inputs[0].attrs.get("container"):
            continue  # of what the code takes for one
        if node.op != "static_dim" or node.internal or node.attrs.get("harmless") or node.number in said:
            continue
        if node.inputs[0].number in known_to_be_missing:
            continue  # a loop over the extents tests each for None
        if not (isinstance(dim, Dim) and dim.batch):
            continue
        said.add(node.number)
        yield Draft(
            "LL306",
            Severity.ERROR if keras else Severity.WARNING,
            "the static batch size is None where the last batch may be smaller",
            loss.site_of(node),
            fact=f"{spoken(node.inputs[0])}.shape[{node.attrs.get('axis', 0)}] is the batch axis",
            help="use tf.shape(x)[0], which is known when the step runs",
            fault=node,
        )


def _felt(loss: Loss) -> list[Node]:
    """The nodes whose values, not only shapes, play a part in a result: what comes of them is not always 0."""
    seen: dict[int, Node] = {}
    todo = list(loss.results)
    while todo:
        node = todo.pop()
        value = loss.laws.value(node)
        if node.id in seen or node.op in SHAPE_ONLY or (value is not None and value.zero):
            continue
        seen[node.id] = node
        if node.id not in loss.unmoved:
            todo.extend(node.inputs)
    return sorted(seen.values(), key=lambda n: n.id)


def _across_batch(loss: Loss) -> Iterator[Node]:
    """Activations over the batch axis of values that belong to single samples."""
    for node in _felt(loss):
        extent = node.attrs.get("extent")
        if node.op not in _NORMALIZERS or not isinstance(extent, Dim) or not extent.batch:
            continue
        if node.shape.numel.batch == 1 and loss.couplings.of(node.inputs[0]).kind == "row":
            yield node


@check("LL307")
def batch_axis_activation(loss: Loss) -> Iterator[Draft]:
    """softmax or l2_normalize over the batch: samples compete with each other."""
    if _silent(loss):
        return
    said: set[int] = set()
    for node in _across_batch(loss):
        if node.number in said:
            continue
        said.add(node.number)
        name = spoken(node)
        yield Draft(
            "LL307",
            Severity.WARNING,
            f"{name} normalizes over the batch axis: every sample depends on the others",
            loss.site_of(node),
            fact=f"the normalized axes hold {node.attrs['extent']} elements, B samples among them",
            help=f"pass axis=-1 to {name}"
            if node.attrs.get("axis") in (None, (0,), 0)
            else "normalize over the class axis",
            fault=node,
        )


@check("LL309")
def order_dependent(loss: Loss) -> Iterator[Draft]:
    """Samples are combined because of their place in the batch: shuffling them changes the loss."""
    for at, ordered in _coupled(loss):
        if not ordered or _picks_one(at):
            continue
        yield Draft(
            "LL309",
            Severity.INFO,
            f"the loss depends on the order of the samples: {spoken(at)} takes them by their place in the batch",
            _place(at, loss),
            fact="order matters: the same samples in another order have another loss and gradient",
            help="if the axis is time and not the batch, put the batch first; pairs are better passed as two arguments",
            fault=at,
        )


def _picks_one(node: Node) -> bool:
    """Whether ``node`` takes out one sample by its number: nothing says that it meets its neighbours."""
    key = node.attrs.get("key")
    first = next((k for k in (key if isinstance(key, tuple) else (key,)) if k is not None), None)
    return node.op == "index" and isinstance(first, int)


@check("LL308")
def batch_coupled(loss: Loss) -> Iterator[Draft]:
    """The loss of a batch is not the mean of the losses of its parts."""
    for at, _ in _coupled(loss):
        yield Draft(
            "LL308",
            Severity.INFO,
            f"the loss of a batch is not the mean over its parts: {spoken(at)} mixes the samples",
            _place(at, loss),
            fact="coupled: gradient accumulation, replicas and a smaller last batch change the result",
            help='if that is meant, say "# losslint: batch-level" above the function',
            fault=at,
        )


def _coupled(loss: Loss) -> Iterator[tuple[Node, bool]]:
    """Where returned tensors mix samples in a way that no law rule tells, and whether their order matters."""
    if _silent(loss):
        return
    spoken_for = {v.result.number for v in _verdicts(loss)}
    activations = {n.number for n in _across_batch(loss)}
    for result in results(loss):
        coupling = loss.couplings.of(result)
        if coupling.at is None or result.number in spoken_for or coupling.at.number in activations:
            continue
        if loss.laws.gradient(result).terms:
            yield coupling.at, coupling.ordered


def _spatial(loss: Loss) -> frozenset[str]:
    """The symbols that stand for extents other than the batch and the last axis of some tensor.

    Axes that are nowhere told apart (the middle of (B, ..., C)) are none: there may be none.
    """
    nodes = [n for n in loss.graph.nodes if n.op in ("source", "index", "transpose")]
    lengths = [d for n in loss.graph.nodes if n.op != "rank_of" and isinstance(d := n.attrs.get("dim"), Dim)]
    if any(name.startswith("S#") for d in lengths for name, _ in d.symbols):
        return frozenset()  # a length that cannot be told from others is at play, perhaps as a divisor
    last = {name for n in nodes for d in (n.shape.tail or n.shape.head)[-1:] for name, _ in d.symbols}
    inner = {name for n in nodes for d in (*n.shape.head[1:-1], *n.shape.tail[:-1]) for name, _ in d.symbols}
    return frozenset(n for n in inner - last if not n.startswith(("B", "?")))


def extent_laws(loss: Loss) -> Laws | None:
    """The laws over the other extents (height, width, time); None where the loss knows of none."""
    symbols = _spatial(loss)
    families = {name.partition("#")[0] for name in symbols} - {"S"}

    def degree(dim: Dim | None) -> int | None:
        if dim is None or any(name.startswith("?") for name, _ in dim.symbols):
            return None
        grows = (power for name, power in dim.symbols if name in symbols or name.partition("#")[0] in families)
        return sum(grows)

    return Laws(loss, degree) if symbols else None


@check("LL311")
def extent_scaled(loss: Loss) -> Iterator[Draft]:
    """The gradient grows with the size of an image or the length of a sequence."""
    if _silent(loss):
        return
    laws = extent_laws(loss)
    spoken_for = {v.result.number for v in _verdicts(loss)}
    for result in results(loss) if laws is not None else ():
        assert laws is not None
        p, law = laws.gradient(result).p, laws.gradient(result)
        at = next((t.grown or t.lowered for t in law.terms), None)
        if not p or at is None or result.number in spoken_for or result.shape.rest is not None:
            continue
        yield Draft(
            "LL311",
            Severity.INFO,
            "the loss depends on the size of a sample: on how many pixels, or steps, it has",
            _place(at, loss),
            fact=f"law {p} over the other axes: twice as many elements along one of them {_effect(p)}",
            help="take the mean over these axes, or divide by their extent",
            fault=result,
        )
