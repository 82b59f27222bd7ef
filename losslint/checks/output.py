"""LL101-LL104: what a loss hands back, measured against what its consumer expects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from losslint.checks.base import Draft, check
from losslint.checks.wording import extents
from losslint.findings import Severity
from losslint.graph import Node, Site
from losslint.loss import Loss, Output
from losslint.ops.gradients import is_whole

_LEAVES = frozenset({"source", "const", "opaque"})


def _rank(output: Output) -> int | None:
    """The rank of a returned tensor; None where it is unknown or no tensor is returned."""
    return output.value.shape.rank if isinstance(output.value, Node) else None


def _silent(loss: Loss) -> bool:
    return loss.is_metric or loss.numpy_only


@check("LL101")
def non_scalar_loss(loss: Loss) -> Iterator[Draft]:
    """A tensor of rank >= 1 where a scalar is differentiated; one element trains as a scalar does."""
    if _silent(loss):
        return
    some_scalar = any(_rank(output) == 0 for output in loss.outputs)
    for output in loss.outputs:
        value = output.value
        if not isinstance(value, Node) or not value.shape.min_rank:
            continue
        severity, why = _non_scalar_severity(loss)
        if (output.by_configuration and some_scalar) or value.shape.numel.value == 1 or wants_vectors(loss.site):
            severity = Severity.INFO
        yield Draft(
            "LL101",
            severity,
            f"the loss is a tensor of shape {extents(value.shape)}, not a scalar: {why}",
            output.site,
            fact=f"shape {extents(value.shape)}",
            help="reduce it with tf.reduce_mean before it is differentiated",
        )


def wants_vectors(site: Site | None) -> bool:
    """Whether the file uses optimizers that clip the gradient of each sample, and want its loss (DP-SGD)."""
    imports = () if site is None or site.module is None else site.module.module.survey.imports
    return any(name.startswith("tensorflow_privacy") for name in imports)


_PROCEDURE = re.compile(
    r"_?(add|build|check|create|define|init|log|make|plot|print|record|register|report|save|set_?up|show|update|write)_"
)
"""Names of what is called for what it does: it keeps a loss somewhere, and returns none."""
_UNREDUCED = re.compile(
    r"(?i)(element|sample|point)_?wise|per_?(sample|example|element|instance|item|token|anchor)|unreduced|no_?reduc"
)
"""Names of functions whose authors leave it to somebody else to reduce."""


def _non_scalar_severity(loss: Loss) -> tuple[Severity, str]:
    consumer = loss.consumer
    if consumer.kind == "keras":
        return Severity.INFO, "Keras averages it; a training loop of your own would differentiate its sum"
    summed = "its gradient is the sum over all elements and grows with the batch"
    if consumer.kind == "tape" and consumer.proven:
        return Severity.ERROR, f"differentiated as it is ({consumer.evidence}), {summed}"
    if _UNREDUCED.search(loss.short_name):
        return Severity.INFO, f"as its name says; under a GradientTape {summed}"
    if loss.called:
        return Severity.INFO, f"whoever calls it has to reduce it; under a GradientTape {summed}"
    return Severity.WARNING, f"under a GradientTape {summed}"


@check("LL102")
def sequence_loss(loss: Loss) -> Iterator[Draft]:
    """A tuple, list or dict where one tensor is expected, unless the callers take it apart."""
    if _silent(loss) or loss.unpacked:
        return
    consumer = loss.consumer
    alone = all(isinstance(output.value, (tuple, list, dict)) for output in loss.outputs)
    for output in loss.outputs:
        value = output.value
        if not isinstance(value, (tuple, list, dict)):
            continue
        kind = next(t.__name__ for t in (tuple, list, dict) if isinstance(value, t))
        many = f"{kind} of {len(value)}" if type(value) in (tuple, list, dict) else kind  # else the length is unknown
        if loss.for_keras:
            severity = Severity.ERROR
            why = (
                "Keras cannot convert it to one tensor"
                if isinstance(value, dict)
                else "Keras stacks and averages what it holds where the shapes agree, and fails where they do not"
            )
        elif consumer.kind == "tape" and consumer.proven:
            severity, why = Severity.ERROR, f"it is differentiated as it is ({consumer.evidence})"
        else:
            severity, why = Severity.INFO, "whoever differentiates it must pick or add its terms first"
        if output.by_configuration and not alone:
            severity = Severity.INFO
        yield Draft(
            "LL102",
            severity,
            f"the loss is a {many}, not one tensor: {why}",
            output.site,
            fact=many,
            help="drop the trailing comma" if kind == "tuple" and len(value) == 1 else "add the terms up",
        )


@check("LL103")
def missing_return(loss: Loss) -> Iterator[Draft]:
    """A way out that hands back None, a Python number, or whole numbers: nothing to differentiate."""
    if _silent(loss) or _is_stub(loss):
        return
    tensors = any(isinstance(output.value, Node) for output in loss.outputs)
    for output in loss.outputs:
        several = isinstance(output.value, (tuple, list))
        for value in output.value if several else (output.value,):
            what = _nothing_to_differentiate(loss, value)
            if what is None:
                continue
            # a zero on an early way out ("no boxes in this image") is meant, and adds nothing
            placeholder = not isinstance(value, Node) and value == 0
            early = tensors and (placeholder or loss.consumer.kind == "unknown")
            lenient = output.by_configuration or several or early
            yield Draft(
                "LL103",
                Severity.INFO if lenient else Severity.ERROR,
                f"{'one of the returned values is' if several else 'the loss returns'} {what}: it has no gradient",
                output.site,
                fact=what,
                help="return the tensor that was computed" if value is None else "return a float tensor",
            )
            break


def _nothing_to_differentiate(loss: Loss, value: Any) -> str | None:
    """Words for a value that certainly has no gradient, else None."""
    if value is None:
        return "None"
    if isinstance(value, (bool, int, float)):
        return f"the Python number {value!r}"
    if not isinstance(value, Node) or value.op in _LEAVES or not is_whole(value.dtype):
        return None
    # a dtype that is only assumed cannot stop a gradient
    return None if loss.gradients.from_sources(value) in ("live", "unknown") else f"a tensor of type {value.dtype}"


def _is_stub(loss: Loss) -> bool:
    """Whether nothing says that the function is a loss, or nothing in it computes: a procedure, an abstract method."""
    if any(output.value is not None for output in loss.outputs):
        return False
    if _PROCEDURE.match(loss.short_name) and not loss.consumer.proven:
        return True
    return loss.consumer.kind == "unknown" or all(node.op in _LEAVES for node in loss.graph.nodes)


@check("LL104")
def scalar_keras_loss(loss: Loss) -> Iterator[Draft]:
    """A scalar where Keras would weight, mask and average the samples itself."""
    if _silent(loss) or loss.consumer.kind != "keras" or not loss.outputs:
        return
    if loss.name.endswith(".__call__"):
        return  # which is where Keras weights, masks and reduces what call() returns: it has to do all that itself
    if any(_rank(output) != 0 for output in loss.outputs):
        return
    doubled = loss.strategy and loss.keras == "3"
    # where the file differentiates itself, its weights and replicas are its own business
    heavy = (loss.weighted or loss.strategy) and (loss.consumer.proven or (not loss.tape and loss.for_keras))
    for output in loss.outputs:
        yield Draft(
            "LL104",
            Severity.WARNING if heavy else Severity.INFO,
            "the loss is a scalar where Keras expects one value per sample: sample_weight and class_weight only "
            "rescale it by their mean, and the Keras mask is ignored"
            + ("; every replica adds its own mean, so the gradient grows with their number" if doubled else ""),
            output.site,
            fact="shape ()",
            help="reduce over the last axes only (axis=-1) and leave the batch axis to Keras",
        )
        return
