"""The cases of every catalogued name, and the reasons why some names have none."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.conformance import reasons, recipes
from tests.conformance.spelling import Spelled, spelled


class Case(NamedTuple):
    """A loss-like function that calls one catalogued name."""

    kind: str
    source: str
    optional: bool  # one of several variants; that TensorFlow takes it is not required

    def __str__(self) -> str:
        return " ".join(self.source.split()[3:]).removeprefix("return ")


@functools.cache
def _recipes() -> dict[str, tuple[str, list[str]]]:
    table: dict[str, tuple[str, list[str]]] = {}
    for line in recipes.RECIPES.strip().splitlines():
        kind, rest = line.split(": ", 1)
        calls, names = rest.rsplit(": ", 1)
        for name in names.split():
            _, known = table.setdefault(name, (kind, []))
            known.extend(calls.split("; "))
    return table


@functools.cache
def _arguments() -> dict[str, str]:
    return {name: value for names, value in recipes.ARGUMENTS.items() for name in names.split()}


def cases(name: str) -> list[Case]:
    """The cases of the canonical ``name``; none where ``reason`` tells why."""
    found = spelled(name)
    if found is None or reasons.reason(name):
        return []
    kind, calls, required = _calls(name, found)
    return [
        Case(kind, f"def case(y_true, y_pred):\n    {_statement(call).replace('{f}', found.text)}\n", i >= required)
        for i, call in enumerate(calls)
    ]


def _statement(call: str) -> str:
    return f"{call}:\n        return 2.0 * y_pred" if call.startswith("with ") else f"return {call}"


def _calls(name: str, found: Spelled) -> tuple[str, list[str], int]:
    """The kind, the calls and how many of those must run."""
    table = _recipes()
    recipe = table.get(name)
    if recipe is None and reasons.place(name):
        return "matrix", [], 0
    recipe = recipe or table.get(name.rpartition(".")[2])
    if recipe is not None:
        return *recipe, 1
    arguments = _bound(found.function)
    if arguments is None or not any("y_" in argument for argument in arguments):
        return "matrix", [], 0
    return "matrix", [f"{{f}}({', '.join([*arguments, *more])})" for more in _variants(found.function)], 1


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def _bound(function: Any) -> list[str] | None:
    """An argument for every parameter that needs one; None where there is one that ``ARGUMENTS`` does not list."""
    values = []
    for parameter in _parameters(function):
        if parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            value = _arguments().get(parameter.name)
            if value is None:
                return None
            values.append(f"{parameter.name}={value}" if parameter.kind == parameter.KEYWORD_ONLY else value)
    return values


def _variants(function: Any) -> Iterator[list[str]]:
    """Nothing more; then, for what works along axes, those that matter."""
    yield []
    optional = {p.name: p.default for p in _parameters(function) if p.default is not p.empty}
    if "axis" in optional:
        yield ["axis=0"]
        yield ["axis=-1"]
        keep = next((k for k in ("keepdims", "keep_dims") if k in optional), None)
        if keep:
            yield ["axis=-1", f"{keep}=True"]
