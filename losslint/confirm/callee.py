"""From a job to the ways in which its loss can be called: the function, and what is known about its arguments."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from losslint.confirm import conventions, inputs
from losslint.confirm.conventions import Asked
from losslint.confirm.jobs import Job, output_of
from losslint.confirm.loader import Loader
from losslint.confirm.run import NotRun, Run, runs
from losslint.confirm.subject import attempts

Hints = dict[str, dict[str, Any]]
_OF_MODELS = frozenset("trainable_variables trainable_weights weights variables layers losses predict".split())
"""Attributes that models have and tensors have not."""
_MODULES = ("backend", "layers", "models", "utils")
"""What keras-applications style code is handed: ``kwargs["backend"]``."""


def accepted(job: Job, loader: Loader, files: frozenset[str]) -> Iterator[Run]:
    """The conventions under which the loss of ``job`` runs, the likeliest first.

    Raises CannotLoad, NotRun and BadDeclaration.
    Where none works as it stands, weights with the default None are given, then hyper-parameters with that default.
    """
    from losslint.confirm.standins import make

    @functools.wraps(make)
    def filling(*args: Any) -> Any:
        return make(*args)

    filling.fills = True  # type: ignore[attr-defined]  # see losslint.confirm.targets
    first_error: NotRun | None = None
    for maker, optional in ((make, False), (make, True), (filling, False)):
        if maker is filling and (job.step is not None or "." not in job.target):
            continue
        function, roles, hints = _loaded(job, loader, maker)
        about = _asked(job, function, roles, hints, optional)
        if optional and about == _asked(job, function, roles, hints, False):
            continue
        known = [p.name for p in _parameters(function)]
        given = inputs.declared(job.inputs, about.roles, known) if job.inputs else {}
        given = {n: given[n] for n in known if n in given}  # in the order of the signature
        found = runs(_injected(function), about, given, job, files)
        try:
            return itertools.chain([next(found)], found)
        except NotRun as error:
            first_error = first_error or error
    assert first_error is not None  # the first way is always tried
    raise first_error


def _loaded(job: Job, loader: Loader, make: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, str], Hints]:
    """The function, and for an inline loss the roles of its parameters, and hints on those that models give out."""
    if job.step is None:
        return loader.resolve(job.target, make), {}, job.hints
    from losslint.confirm.inline import inline

    part = inline(loader.scope.tree, job.step, loader.scope.file.text)
    kinds = {"model": "prediction", "loop": "input"}
    outputs = {n: job.hints.get(output_of(row), {}) for n, row in part.rows.items()}
    roles = {n: kinds[role] for n, role in part.parameters if role in kinds}
    return loader.resolve_inline(part, make), roles, job.hints | outputs


def _asked(job: Job, function: Callable[..., Any], roles: dict[str, str], hints: Hints, optional: bool) -> Asked:
    from losslint.confirm.standins import literals

    parameters = _parameters(function)
    known = dict.fromkeys(_called(function) - roles.keys(), "called") | roles
    words = " ".join([job.target, *(p.name for p in parameters)])
    place = " ".join(job.bundle.files[job.bundle.main].path.split(os.sep)[-3:])
    return conventions.asked(
        parameters, hints, _split(words), _split(place), known, literals(function), optional=optional
    )


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise NotRun("it has no signature that can be read") from None


def _injected(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` given the modules of Keras that it takes from its keywords."""
    source = (attempts(inspect.getsource, inspect.unwrap(function))[0] or "").replace("'", '"')
    names = [n for n in _MODULES if f'kwargs["{n}"]' in source]
    if not names or all(p.kind is not p.VAR_KEYWORD for p in _parameters(function)):
        return function
    import tensorflow as tf

    return functools.partial(function, **{n: getattr(tf.keras, n) for n in names})


def _split(words: str) -> str:
    """``words``, and once more with their parts apart: "smooth_l1 smooth l1"."""
    return f"{words} {re.sub(r'[_.+-]+|(?<=[a-z])(?=[A-Z])', ' ', words)}"


def _called(function: Callable[..., Any]) -> set[str]:
    """The names that the body of ``function`` calls, or uses as a model."""
    source, error = attempts(inspect.getsource, inspect.unwrap(function))
    tree = attempts(ast.parse, textwrap.dedent(source))[0] if error is None else None
    if tree is None:
        return set()
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    owners = [n.value for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in _OF_MODELS]
    return {n.id for n in (*calls, *owners) if isinstance(n, ast.Name)}


def as_before(tf: Any) -> None:
    """Let old code say what it may no longer: scopes with values, and logs, which raise without TensorBoard."""

    class Scope(tf.name_scope):  # type: ignore[misc]
        def __init__(self, name: Any, default: Any = None, *values: Any, **kwargs: Any) -> None:
            super().__init__(name or default or "scope")

    tf.name_scope = Scope
    for module in (tf.summary, tf.compat.v1.summary):
        for name in ("scalar", "histogram", "image", "text", "audio", "write"):
            if hasattr(module, name):
                setattr(module, name, lambda *args, **kwargs: True)
