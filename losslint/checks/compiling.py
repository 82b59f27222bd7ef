"""LL108, LL207, LL509, LL514: what a model is compiled with, and what Keras makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losslint.checks.base import Draft, check
from losslint.checks.output import wants_vectors
from losslint.findings import Severity
from losslint.subjects.compiling import Compile, Given

_TAKEN = 2
"""Labels and predictions, which Keras calls a loss with."""


@check("LL108", on=Compile)
def unreduced_keras_loss(subject: Compile) -> Iterator[Draft]:
    """A loss object that reduces nothing: Keras shows the mean and differentiates the sum."""
    if subject.own_steps or not subject.known_model:
        return
    for given in subject.given:
        if given.unreduced and not wants_vectors(given.site):
            yield Draft(
                "LL108",
                Severity.WARNING,
                f"{given.name} reduces nothing: Keras shows the mean of what it returns, but the gradient is the sum "
                "over the batch",
                given.site,
                fact="reduction is none",
                help='leave out reduction, or write reduction="sum_over_batch_size"',
            )


@check("LL207", on=Compile)
def metric_as_loss(subject: Compile) -> Iterator[Draft]:
    """A metric in the place of a loss: it counts, or keeps a state, and has no gradient."""
    for given in subject.given:
        if given.metric:
            yield Draft(
                "LL207",
                Severity.ERROR,
                f"{given.metric} is a metric: {_no_gradient(given)}",
                given.site,
                fact="a metric",
                help="give it as metrics=[...], and train on a loss",
            )


def _no_gradient(given: Given) -> str:
    if isinstance(given.value, str):
        return "Keras knows no loss of that name"
    return "it has no gradient"


@check("LL509", on=Compile)
def bad_loss_callable(subject: Compile) -> Iterator[Draft]:
    """What is given as loss cannot be called with labels and predictions, or is not what was meant.

    ``data["bind"]``: for a function made in a loop, the variables that it has to keep as defaults (``q=q``).
    ``data["makes"]``: whether it is a factory that needs no arguments.
    """
    for given in subject.given:
        found = _misfit(given)
        if found is not None:
            message, fact, remedy = found
            data: dict[str, Any] = {}
            if given.late and not given.makes:
                data = {"bind": given.late, "claim": {"late": " ".join(given.late)}}
            if given.makes and given.arity is not None and given.arity[0] == 0:
                data["makes"] = True
            yield Draft("LL509", Severity.ERROR, message, given.site, fact, remedy, data=data)


def _misfit(given: Given) -> tuple[str, str, str] | None:
    """Message, fact and remedy for a loss that Keras cannot use; None where nothing is known against it."""
    if given.tensor:
        value = "the value of a loss is given, not the loss: Keras wants a function of labels and predictions"
        return value, "a tensor", "give the function itself"
    if given.makes:
        made = f"{given.name} makes a loss and was not called: Keras calls it with labels and predictions"
        return made, "returns a function", f"write {given.name}(...)"
    if given.late:
        *rest, last = given.late
        names = f"{', '.join(rest)} and {last}" if rest else last
        bound = f"every loss that this loop makes sees the last value of {names}"
        keep = ", ".join(f"{name}={name}" for name in given.late)
        return bound, f"{names} is read when the loss is called", f"keep it as a default: {keep}"
    if given.arity is None:
        return None
    needed, most = given.arity
    if needed <= _TAKEN and (most is None or most >= _TAKEN):
        return None
    count = f"needs {needed} arguments" if needed > _TAKEN else f"takes {most} argument{'s' * (most != 1)}"
    wrong = f"{given.name} {count}, and Keras calls a loss with two: labels and predictions"
    return wrong, count, "bind the others with a closure or functools.partial"


@check("LL514", on=Compile)
def ignored_loss_list(subject: Compile) -> Iterator[Draft]:
    """Several losses for a model that has one output: Keras takes the first and says nothing."""
    count = len(subject.given)
    if not subject.listed or subject.outputs != 1 or count < 2:
        return
    yield Draft(
        "LL514",
        Severity.WARNING,
        f"the model has one output, so that only the first of the {count} losses is used",
        subject.loss,
        fact=f"{count} losses, one output",
        help="add the losses up in one function",
    )
