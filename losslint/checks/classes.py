"""LL106, LL504-LL506: classes that derive from ``Loss``, and what they owe to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from losslint.checks.base import Draft, check
from losslint.findings import Severity
from losslint.graph import Node
from losslint.loss import Loss
from losslint.subjects.classes import Init, LossClass, Override, Parameter

_REDUCTIONS = frozenset(("auto", "none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"))
_WEIGHTED = 3
"""What Keras passes to ``__call__``: labels, predictions and sample weights."""


_MEETING = frozenset("add sub mul div pow maximum minimum eq ne lt le gt ge xlogy div_no_nan".split())
"""Primitives that pair the elements of labels and predictions."""
_ONE_BY_ONE = frozenset(
    "neg abs square sqrt exp log log1p sigmoid log_sigmoid tanh softplus relu identity cast clip maximum minimum add "
    "sub mul div pow softmax log_softmax stop_gradient".split()
)
"""Primitives that leave the axes of a tensor as they came, beside numbers."""


@check("LL106")
def unaligned_loss_subclass(loss: Loss) -> Iterator[Draft]:
    """``call`` of a ``Loss`` in Keras 3 that lets labels meet predictions as they come, elementwise."""
    if loss.keras != "3" or not loss.base or not loss.name.endswith(".call"):
        return
    for node in loss.graph.nodes:
        if node.op not in _MEETING or node.site is None or _aligns(node.api):
            continue
        met = [_as_it_came(value) for value in node.inputs]
        roles = {source.attrs["role"] for source in met if source is not None}
        if roles == {"label", "prediction"}:
            yield Draft(
                "LL106",
                Severity.INFO,
                "Keras 3 does not align labels and predictions for a subclass of Loss: labels of shape (B,) against "
                "predictions of shape (B, 1) give (B, B) here",
                node.site,
                fact="labels meet predictions as they come",
                help="y_true = tf.reshape(y_true, tf.shape(y_pred))",
                fault=node,
            )
            return


def _aligns(api: str) -> bool:
    """Whether the function gives both the same rank itself, or refuses what has not."""
    return api.startswith(("keras.losses.", "keras.metrics.", "tensorflow.losses.", "tensorflow.nn.", "tensorflow_add"))


def _as_it_came(node: Node) -> Node | None:
    """The labels or predictions whose elements ``node`` holds, with their axes; None where it is anything else."""
    while node.op != "source":
        tensors = [value for value in node.inputs if value.op != "const"]
        if node.op not in _ONE_BY_ONE or len(tensors) != 1:
            return None
        node = tensors[0]
    # a rank is known only where uses tell it, or where the loss asks for it
    told = node.shape.rank is not None
    return node if node.attrs["role"] in ("label", "prediction") and not told else None


@check("LL504", on=LossClass)
def loss_init_positional(subject: LossClass) -> Iterator[Draft]:
    """``super().__init__(reduction, name)``, which Keras 3 takes for (name, reduction).

    ``data["keywords"]``: the names that the positional arguments are meant for, in their order.
    """
    if subject.keras != "3":
        return
    for init in subject.inits:
        if not subject.is_plain or not init.positional or not _is_reduction(init):
            continue
        meant = ("reduction", "name")[: len(init.positional)]
        swapped = ", and the name the reduction; where it is None, the gradient is the sum over the batch"
        yield Draft(
            "LL504",
            Severity.ERROR,
            "Loss.__init__ takes (name, reduction) in Keras 3: the reduction becomes the name"
            + swapped * bool(meant[1:]),
            init.site,
            fact=f"__init__({', '.join(meant)})",
            help="pass them by keyword: super().__init__(name=name, reduction=reduction)",
            data={"keywords": meant},
        )


def _is_reduction(init: Init) -> bool:
    """Whether the first argument is evidently a reduction, and the second evidently none."""
    first, *rest = init.positional
    words = first.spelled.strip("'\"").lower().split(".")
    evident = (
        words[-1] == "reduction"
        or any(w in ("reduction", "reductionv2") for w in words)
        or (first.spelled.startswith(("'", '"')) and words[-1] in _REDUCTIONS)
    )
    return evident and not (rest and rest[0].spelled.lower().endswith("reduction"))


@check("LL505", on=LossClass)
def loss_overrides_call(subject: LossClass) -> Iterator[Draft]:
    """A loss class that Keras cannot call: its ``__call__`` is its own, ``call`` or ``super().__init__`` is missing.

    ``data["missing"]`` is "super" or "call"; ``data["override"]`` is True where ``__call__`` could be called ``call``.
    """
    override = subject.override
    if override is not None and not override.defers:
        why = _overridden(override)
        if why:
            yield Draft(
                "LL505",
                _severity(subject),
                f"{subject.name} overrides __call__, where Loss weights and reduces what call() returns: {why}",
                override.site,
                fact="__call__ is overridden",
                help="name it call, with (self, y_true, y_pred), and return one value per sample",
                data={"override": True},
            )
    elif subject.init is not None and not subject.initialises:
        yield Draft(
            "LL505",
            _severity(subject),
            f"{subject.name}.__init__ does not call super().__init__: the loss has no name and no reduction, and "
            "calling it raises AttributeError",
            subject.init,
            fact="super().__init__ is missing",
            help="call super().__init__(name=..., reduction=...) first",
            data={"missing": "super"},
        )
    elif not subject.calls and subject.is_plain and not subject.abstract and not subject.empty:
        yield Draft(
            "LL505",
            _severity(subject),
            f"{subject.name} defines no call(): Loss.call raises NotImplementedError",
            subject.site,
            fact="call is missing",
            help="define call(self, y_true, y_pred)",
            data={"missing": "call"},
        )


def _severity(subject: LossClass) -> Severity:
    """Who differentiates losses itself may call an object as it likes, until Keras gets it."""
    return Severity.INFO if subject.tape and not subject.consumer.proven else Severity.ERROR


def _overridden(override: Override) -> str:
    """What goes wrong with a ``__call__`` of one's own; "" where it may do all that Keras wants."""
    if override.takes is not None and override.takes < _WEIGHTED:
        return "Keras passes the sample weights as a third argument, which raises TypeError"
    if override.scalar is False:
        return "what this one returns is not reduced, so that the gradient is the sum over the batch"
    return ""


@check("LL506", on=LossClass)
def loss_config_lost(subject: LossClass) -> Iterator[Draft]:
    """Arguments of the constructor that ``get_config`` does not return.

    ``data["parameters"]``: the names of all that are lost; ``data["attributes"]``: name -> the attribute that holds
    it, where there is one; ``data["method"]``: whether there is a ``get_config`` to be completed.
    """
    keys = subject.config.keys
    if keys is None or subject.from_config or subject.abstract:
        return
    kept = keys | {"dtype"}
    lost = [p for p in subject.parameters if p.name not in kept and not p.code and not p.passed_on]
    if not lost:
        return
    names = _listed(p.name for p in lost)
    entries = ", ".join(f'"{p.name}": self.{p.attribute or p.name}' for p in lost)
    loads = subject.open_ended or keys <= {p.name for p in subject.parameters}
    yield Draft(
        "LL506",
        Severity.INFO if subject.tape and not subject.consumer.proven else Severity.WARNING,
        f"{'get_config leaves out' if subject.config.site else 'there is no get_config that returns'} {names}: "
        + _loaded(lost, loads),
        lost[0].site,
        fact=f"get_config returns {_listed(sorted(keys)) or 'nothing'}",
        help=f"return {{**super().get_config(), {entries}}}",
        data={
            "parameters": tuple(p.name for p in lost),
            "attributes": {p.name: p.attribute for p in lost if p.attribute},
            "method": subject.config.site is not None,
            "claim": {"parameters": " ".join(p.name for p in lost)},
        },
    )


def _loaded(lost: list[Parameter], loads: bool) -> str:
    """What becomes of ``lost`` when a saved model is loaded."""
    required = [p.name for p in lost if p.required]
    if required:
        return f"a saved model cannot be loaded, as __init__ requires {_listed(required)}"
    if not loads:
        return "a saved model cannot be loaded, as __init__ does not take what get_config returns"
    return f"a saved model is loaded with the default{'s'[: len(lost) > 1]} again"


def _listed(names: Iterable[str]) -> str:
    *rest, last = [*names] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last
