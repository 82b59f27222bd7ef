"""Python's standard library where losses use it: partial functions, named tuples, and what iterates over containers."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from losslint.graph import Node, SomeOf, Unknown
from losslint.interpreter.merging import copied, merged
from losslint.interpreter.values import Partial, dependencies
from losslint.ops.registry import Callback
from losslint.ops.shapevalue import Record

if TYPE_CHECKING:
    from losslint.interpreter.expressions import Expressions

_MOST = 256
"""Combinations beyond which one stands for all."""


def _partial(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return Partial(args[0], tuple(args[1:]), kwargs) if args else Unknown((), "functools.partial")


def _reduce(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[1]) if len(args) > 1 else None
    if items is None:
        return Unknown(tuple(dependencies(args)), "functools.reduce")
    if isinstance(items, SomeOf):  # as a loop of unknown length
        item = machine.element_of(items)
        turns = [args[2] if len(args) > 2 else item]
        turns += [machine.call(args[0], [turns[-1], item], {})]
        turns += [machine.call(args[0], [turns[-1], item], {})]
        return merged(machine.graph, turns, loop=True)
    value, rest = (args[2], items) if len(args) > 2 else (items[0], items[1:]) if items else (Unknown(), [])
    for item in rest:
        value = machine.call(args[0], [value, item], {})
    return value


def _kept(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A decorator that leaves the function as it is, used with or without arguments."""
    if len(args) == 1 and not isinstance(args[0], (int, str, bool, type(None))):
        return args[0]
    return Callback("decorator", lambda g, function: function, {})


def _copy(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return copied(args[0]) if args else Unknown()


def _mapping(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    given = args[-1] if args else None
    if isinstance(given, (list, tuple)) and not isinstance(given, SomeOf):
        pairs = [tuple(pair) for pair in given if isinstance(pair, (list, tuple)) and len(pair) == 2]
        given = dict(pair for pair in pairs if isinstance(pair[0], (str, int)))
    return (dict(given) if isinstance(given, dict) else {}) | kwargs


def _named_tuple(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    fields = args[1] if len(args) > 1 else kwargs.get("field_names")
    names = fields.replace(",", " ").split() if isinstance(fields, str) else fields
    title = args[0] if args and isinstance(args[0], str) else "tuple"
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        return Unknown((), "a named tuple")

    last = machine.elements(kwargs.get("defaults", ())) or []
    defaults = dict(zip(names[len(names) - len(last) :], last, strict=False))

    def make(g: Any, *values: Any, **named: Any) -> Record:
        held = defaults | dict(zip(names, values, strict=False)) | named
        return Record(tuple(names), tuple(held.get(name) for name in names))

    return Callback(title, make, {"_fields": tuple(names)})


def _combined(machine: Expressions, columns: list[Any], rows: Callable[[list[list[Any]]], Any]) -> Any:
    """The tuples that ``rows`` makes of the elements of ``columns``, which hold what stands at each place of one."""
    items = [machine.elements(column) for column in columns]
    known = [column for column in items if column is not None and not isinstance(column, SomeOf)]
    if len(known) == len(items):
        found = list(itertools.islice(rows(known), _MOST + 1))
        if len(found) <= _MOST:
            return found
    return SomeOf([tuple(_one_of(machine, *pair) for pair in zip(columns, items, strict=True))])


def _one_of(machine: Expressions, column: Any, items: list[Any] | None) -> Any:
    many = items is not None and len(items) > _MOST
    return Unknown(tuple(dependencies(column)), "one of many") if many else machine.element_of(column)


def _product(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    repeat = kwargs.get("repeat", 1)
    args = args * repeat if isinstance(repeat, int) and repeat < 10 else args
    return _combined(machine, args, lambda columns: itertools.product(*columns))


def _choices(choose: Callable[..., Any]) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        count = args[1] if len(args) > 1 else kwargs.get("r")
        if args and isinstance(count, int) and 0 < count < 10:
            return _combined(machine, args[:1] * count, lambda columns: choose(columns[0], count))
        return Unknown(tuple(dependencies(args)), "combinations")

    return call


def _chain(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    chained: list[Any] = []
    for arg in args:
        items = machine.elements(arg)
        if items is None or isinstance(items, SomeOf):
            chained = SomeOf([*chained, *(items if items is not None else [machine.element_of(arg)])])
        else:
            chained.extend(items)
    return chained


def _chain_from(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[0]) if args else None
    if items is None:
        return SomeOf([machine.element_of(machine.element_of(args[0] if args else None))])
    chained = _chain(machine, items, {})
    return SomeOf(chained) if isinstance(items, SomeOf) else chained


def _repeat(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    times = args[1] if len(args) > 1 else kwargs.get("times")
    return [args[0]] * times if isinstance(times, int) and times <= _MOST else SomeOf(args[:1])


def _endless(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[0]) if args else None
    return SomeOf(items or [])


def _operator(name: str, fold: Callable[..., Any]) -> Callable[..., Any]:
    """A function of ``operator`` that is written as an operator too."""

    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if name in _OPERATORS and len(args) == 2:
            return machine.binary(_OPERATORS[name], *args)
        if not any(isinstance(a, (Node, Unknown)) for a in args):
            try:
                return fold(*args)
            except Exception:  # the program under test would raise
                return Unknown()
        return Unknown(tuple(dependencies(args)), f"operator.{name}")

    return call


def _getter(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return Callback("itemgetter", lambda g, value: machine.element(value, args[0]), {}) if args else Unknown()


_OPERATORS = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "truediv": "Divide", "floordiv": "FloorDivide",
    "mod": "Modulo", "pow": "Power", "matmul": "MatrixMultiply", "and_": "BitAnd", "or_": "BitOr",
    "concat": "Add", "iadd": "Add", "imul": "Multiply",
}  # fmt: skip

STANDARD: dict[str, Callable[..., Any]] = {
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    "functools.reduce": _reduce,
    **dict.fromkeys(("functools.wraps", "functools.lru_cache", "functools.cache"), _kept),
    **dict.fromkeys(("functools.singledispatch", "contextlib.contextmanager"), _kept),
    **dict.fromkeys(("copy.copy", "copy.deepcopy"), _copy),
    **dict.fromkeys(("collections.OrderedDict", "collections.defaultdict", "collections.Counter"), _mapping),
    "collections.namedtuple": _named_tuple,
    "collections.deque": lambda machine, args, kwargs: list(machine.elements(args[0]) or []) if args else [],
    "itertools.product": _product,
    "itertools.combinations": _choices(itertools.combinations),
    "itertools.permutations": _choices(itertools.permutations),
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": _chain_from,
    "itertools.repeat": _repeat,
    "itertools.cycle": _endless,
    "itertools.islice": _endless,
    "operator.itemgetter": _getter,
    **{f"operator.{name}": _operator(name, getattr(operator, name)) for name in (*_OPERATORS, "neg", "gt", "lt")},
}
"""Canonical name -> ``f(machine, args, kwargs)``."""
