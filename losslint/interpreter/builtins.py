"""Python's own functions and the methods of its containers, on abstract values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from losslint.domain.shape import SCALAR
from losslint.graph import Node, SomeOf, Unknown, ancestors
from losslint.interpreter.limits import makes_long_text
from losslint.interpreter.scope import MISSING
from losslint.interpreter.values import (
    UNKNOWN_KEY,
    Class,
    Function,
    Instance,
    Partial,
    Text,
    at_unknown_keys,
    dependencies,
    distinct,
    is_known,
    is_setting,
    spread,
)
from losslint.ops.axes import AllButFirst, AllButLast, combined, constant_of
from losslint.ops.registry import CATALOGUE, Callback
from losslint.ops.shapevalue import OF_EXTENTS, ShapeValue

if TYPE_CHECKING:
    from losslint.interpreter.expressions import Expressions

_MAX_RANGE = 10_000
_PLAIN_METHODS = frozenset(
    (
        *("lower", "upper", "startswith", "endswith", "strip", "split", "replace", "join"),  # of strings
        *("index", "count", "copy", "pop", "insert", "sort", "reverse"),
    )
)
"""Methods of strings, lists and tuples that are run as they are."""
_TEXTS = frozenset(
    "lower upper strip lstrip rstrip replace join format title capitalize removeprefix removesuffix".split()
)
"""Methods of strings that return one."""


def _unknown(args: Any, kwargs: Any, why: str) -> Unknown:
    return Unknown(tuple(dict.fromkeys(dependencies((args, kwargs)))), why)


def _number(machine: Expressions, name: str) -> Node:
    """A Python number whose value nobody can tell before the program runs."""
    return machine.graph.source(name, "config", SCALAR)


def _range(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if args and all(isinstance(a, int) for a in args):
        values = range(*args)
        return values if len(values) <= _MAX_RANGE else _unknown((), {}, "a long range")
    if len(args) == 2 and args[0] == 1 and not is_setting(args[1]):
        return AllButFirst()
    if len(args) == 1 and _is_last_axis(args[0]):
        return AllButLast()
    return SomeOf([_number(machine, "an index")])


def _is_last_axis(value: Any) -> bool:
    """Whether ``value`` is ``len(x.shape) - 1``."""
    return (
        isinstance(value, Node)
        and value.op == "sub"
        and value.inputs[0].op == "rank_of"
        and constant_of(value.inputs[1]) == 1
    )


def _len(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value = args[0] if args else None
    if isinstance(value, Node) and value.op == "model":
        return _number(machine, "how many outputs a model has")
    if isinstance(value, Node):
        return machine.graph.op("static_dim", value, axis=0, length=True)
    if isinstance(value, ShapeValue):
        return value.attribute(machine.graph, "rank")
    if isinstance(value, dict) and not at_unknown_keys(value):
        return len(value)
    if isinstance(value, (list, tuple, str, range, set)) and not isinstance(value, SomeOf):
        return len(value)
    return _unknown(args, kwargs, "len")


def _zip(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    columns = [c for a in args if (c := machine.elements(a)) is not None and not isinstance(c, SomeOf)]
    if len(columns) == len(args):
        return list(zip(*columns, strict=False))
    return SomeOf([tuple(machine.element_of(a) for a in args)])


def _enumerate(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    known = machine.elements(args[0]) if args else None
    start = args[1] if len(args) > 1 else kwargs.get("start", 0)
    if known is not None and not isinstance(known, SomeOf) and isinstance(start, int):
        return list(enumerate(known, start))
    return SomeOf([(_number(machine, "an index"), machine.element_of(args[0] if args else None))])


def _sum(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[0]) if args else None
    if items is None:
        value = args[0] if args else None
        if isinstance(value, Node):
            return machine.graph.op("sum", value, axis=(0,), keepdims=False)
        return _unknown(args, kwargs, "sum")
    total = args[1] if len(args) > 1 else kwargs.get("start", 0)
    if isinstance(items, SomeOf) and items and all(isinstance(i, (int, float, Node)) for i in items):
        items = [combined(machine.graph, "add", items)]
    for item in items:
        total = item if total == 0 and not isinstance(total, Node) else machine.binary("Add", total, item)
    return total


def _extreme(primitive: str, fold: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        items = args if len(args) > 1 else machine.elements(args[0]) if args else None
        if "key" in kwargs:
            return _unknown(args, kwargs, primitive)  # what the key says of them is not asked
        if items and all(isinstance(i, (int, float)) for i in items) and not isinstance(items, SomeOf):
            return fold(items)
        if items and all(isinstance(i, (int, float, Node)) for i in items):
            return combined(machine.graph, primitive, items)
        return _unknown(args, kwargs, primitive)

    return call


def _next(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Another one each time."""
    if not args:
        return Unknown()
    return machine.graph.apart(machine.element_of(args[0]), machine.graph.place(None))


def _callable(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Tensors are not; an argument of which little is known may be."""
    value = args[0] if args else None
    if isinstance(value, (Function, Class, Partial, Callback)):
        return True
    plain = isinstance(value, (str, int, float, list, tuple, dict, Text))
    if plain or (isinstance(value, Node) and value.attrs.get("role") in ("label", "prediction")):
        return False
    return _unknown((), {}, "callable")


def _is_source(value: Any) -> bool:
    return isinstance(value, Node) and value.op == "source"


_NO_TENSOR = frozenset({"numpy.ndarray", "numpy.generic", "builtins.str", "builtins.dict"})
"""What a tensor handed to a loss is not. (Labels can be sparse, and a hyper-parameter any number.)"""


_CONTAINERS = frozenset({"builtins.list", "builtins.tuple", "builtins.dict"})


def _isinstance(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value, kind = [*args, None, None][:2]
    names = [getattr(k, "name", "") for k in (kind if isinstance(kind, (list, tuple)) else [kind])]
    if names and all(n.rpartition(".")[2] == "KerasTensor" for n in names):
        return False  # it stands for a tensor while a model is built; a loss is called with tensors
    if _is_source(value) and not _CONTAINERS.isdisjoint(names):
        value.attrs["container"] = True  # the code reckons with several tensors in a list
    plain = {f"builtins.{t.__name__}": t for t in (str, bool, int, float, list, tuple, dict)}
    if isinstance(value, (str, int, float, list, tuple, dict)) and all(n in plain for n in names):
        return any(isinstance(value, plain[n]) for n in names)
    if isinstance(value, Node) and value.op == "opaque" and not _CONTAINERS.isdisjoint(names):
        return _unknown(args, kwargs, "isinstance")  # who knows what an unknown function returns
    if isinstance(value, Node) and value.op not in ("source", "const") and all(n in plain for n in names):
        return False
    if isinstance(value, Node) and names and all(n in _NO_TENSOR for n in names):
        return False
    if (
        isinstance(value, Node)
        and names == ["tensorflow.Tensor"]
        and any(n.api.startswith("tensorflow.") for n in ancestors([value]))
    ):
        return True  # TensorFlow made it
    return _unknown(args, kwargs, "isinstance")


def _issubclass(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """``issubclass(type(x), kinds)`` asks what ``isinstance(x, kinds)`` does."""
    kind = args[0] if args else None
    if isinstance(kind, Unknown) and kind.why == "type" and len(kind.deps) == 1:
        return _isinstance(machine, [kind.deps[0], *args[1:]], {})
    return _unknown(args, kwargs, "issubclass")


def _getattr(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) >= 2 and isinstance(args[1], str):
        return machine.attribute(args[0], args[1])
    return _unknown(args, kwargs, "getattr")


def _setattr(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if len(args) == 3 and isinstance(args[0], Instance) and isinstance(args[1], str):
        args[0].keep(args[1], args[2])


def _sequence(kind: Callable[..., Any]) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if not args:
            return kind()
        if isinstance(args[0], (AllButFirst, AllButLast)):
            return args[0]
        items = machine.elements(args[0])
        if items is None and isinstance(args[0], ShapeValue):
            return args[0]  # a shape of unknown rank
        if items is None:
            return SomeOf([machine.element_of(args[0])])
        return SomeOf(items) if isinstance(items, SomeOf) else kind(items)

    return call


def _dict(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    made: dict[Any, Any] = {}
    given = args[0] if args else {}
    pairs = None if isinstance(given, dict) else machine.elements(given)
    if pairs is not None and all(isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], (str, int)) for p in pairs):
        given = dict(pairs)
    spread(made, given)
    return made | kwargs


def _map(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[1]) if len(args) == 2 else None
    if items is None:
        return (
            SomeOf([machine.call(args[0], [machine.element_of(a) for a in args[1:]], {})])
            if len(args) > 1
            else Unknown()
        )
    results = [machine.call(args[0], [item], {}) for item in items]
    return SomeOf(results) if isinstance(items, SomeOf) else results


def _filter(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[1]) if len(args) == 2 else None
    if items is None:
        return SomeOf([machine.element_of(args[-1])]) if args else Unknown()
    tests = [machine.truth(item if args[0] is None else machine.call(args[0], [item], {})) for item in items]
    kept = [item for item, test in zip(items, tests, strict=True) if test is not False]
    return SomeOf(kept) if None in tests or isinstance(items, SomeOf) else kept


def _eval(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """``eval("ReLU")``: how a class is found by its name."""
    value = machine.scope.lookup(args[0]) if args and isinstance(args[0], str) else MISSING
    return _unknown(args, kwargs, "eval") if value is MISSING else value


def _slice(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return slice(*args) if 1 <= len(args) <= 3 else _unknown(args, kwargs, "slice")


def _sorted(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[0]) if args else None
    if items is None:
        return _unknown(args, kwargs, "sorted")
    known = not kwargs and not isinstance(items, SomeOf) and all(isinstance(i, (int, float)) for i in items)
    return sorted(items) if known else SomeOf(items)


def _reversed(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    items = machine.elements(args[0]) if args else None
    return _unknown(args, kwargs, "reversed") if items is None else type(items)(reversed(items))


def _scalar(kind: type) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        value = args[0] if args else kind()
        if isinstance(value, (int, float, str, bool)):
            try:
                return kind(value)
            except ValueError:
                return _unknown(args, kwargs, kind.__name__)
        if isinstance(value, Node):
            if value.op == "static_dim" or is_setting(value):
                return value
            return CATALOGUE[f"builtins.{kind.__name__}"](machine.graph, value)
        if not any(dependencies((args, kwargs))):
            return _number(machine, f"{kind.__name__}(...)")  # of a setting: a number, whatever it is
        return _unknown(args, kwargs, kind.__name__)

    return call


def _numeric(name: str, primitive: str, fold: Callable[..., Any]) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if args and all(isinstance(a, (int, float)) for a in args):
            return fold(*args)
        if args and isinstance(args[0], Node):
            return machine.graph.op(primitive, args[0])
        return _unknown(args, kwargs, name)

    return call


def _pow(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return machine.binary("Power", *args) if len(args) == 2 and not kwargs else _unknown(args, kwargs, "pow")


def _quantified(decides: bool) -> Callable[..., Any]:
    def call(machine: Expressions, args: list[Any], kwargs: dict[str, Any]) -> Any:
        items = machine.elements(args[0]) if args else None
        truths = {machine.truth(i) for i in items} if items is not None else {None}
        if isinstance(items, SomeOf) and decides in truths:
            return _unknown(args, kwargs, "any/all")  # there may be none of those that decide
        return decides if decides in truths else _unknown(args, kwargs, "any/all") if None in truths else not decides

    return call


BUILTINS: dict[str, Callable[..., Any]] = {
    "range": _range,
    "len": _len,
    "zip": _zip,
    "enumerate": _enumerate,
    "sum": _sum,
    "max": _extreme("maximum", max),
    "min": _extreme("minimum", min),
    "abs": _numeric("abs", "abs", abs),
    "pow": _pow,
    "round": _numeric("round", "round", round),
    "float": _scalar(float),
    "int": _scalar(int),
    "bool": _scalar(bool),
    "str": lambda machine, args, kwargs: args[0] if args and isinstance(args[0], str) else Text((), "a string"),
    "repr": lambda machine, args, kwargs: Text((), "a string"),
    "isinstance": _isinstance,
    "hasattr": lambda machine, args, kwargs: _unknown((), {}, "hasattr"),
    "callable": _callable,
    "getattr": _getattr,
    "setattr": _setattr,
    "list": _sequence(list),
    "tuple": _sequence(tuple),
    "set": _sequence(distinct),
    "dict": _dict,
    "map": _map,
    "sorted": _sorted,
    "reversed": _reversed,
    "any": _quantified(True),
    "all": _quantified(False),
    "print": lambda machine, args, kwargs: None,
    "issubclass": _issubclass,
    "type": lambda machine, args, kwargs: Unknown(tuple(a for a in args[:1] if _is_source(a)), "type"),
    "id": lambda machine, args, kwargs: Unknown((), "id"),
    "property": lambda machine, args, kwargs: args[0] if args else Unknown(),
    "staticmethod": lambda machine, args, kwargs: args[0] if args else Unknown(),
    "format": lambda machine, args, kwargs: Text((), "a string"),
    "filter": _filter,
    "eval": _eval,
    "frozenset": _sequence(distinct),
    "object": lambda machine, args, kwargs: Unknown((), "an object"),
    "slice": _slice,
    "iter": lambda machine, args, kwargs: args[0] if args else Unknown(),
    "next": _next,
}


def _of_open(machine: Expressions, owner: SomeOf, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """``owner.name(...)`` where nobody knows how many elements there are, nor in which order."""
    if name == "copy":
        return owner.copy()
    if name == "insert" and len(args) == 2:
        machine.grow(owner, args[1:])
        owner.append(args[1])
    if name in ("insert", "pop", "remove", "reverse", "sort"):
        machine.touch(owner)
        owner.stir()
    return machine.element(owner, Unknown()) if name == "pop" else _unknown((owner, args), kwargs, f"method {name}")


def call_method(machine: Expressions, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """``owner.name(...)`` where ``owner`` is a Python container or string."""
    if isinstance(owner, list) and name in OF_EXTENTS and not isinstance(owner, SomeOf):
        return OF_EXTENTS[name](machine.graph, owner, *args)
    if isinstance(owner, list):
        if name == "append" and args:
            machine.grow(owner, args[:1])
            owner.append(args[0])
            return None
        if name == "extend" and args:
            added = machine.elements(args[0]) or [machine.element_of(args[0])]
            machine.grow(owner, added)
            owner.extend(added)
            return None
        if isinstance(owner, SomeOf) and name != "clear":
            return _of_open(machine, owner, name, args, kwargs)
    if isinstance(owner, dict):
        if name in ("items", "values", "keys"):
            held = list(getattr(owner, name)())
            return SomeOf(held) if at_unknown_keys(owner) else held
        if name in ("get", "pop", "setdefault") and args and isinstance(args[0], (str, int)):
            default = args[1] if len(args) > 1 else None
            if name == "setdefault" and args[0] not in owner:
                machine.grow(owner, [default])
                owner[args[0]] = default
            found = owner.get(args[0], default)
            if at_unknown_keys(owner, UNKNOWN_KEY):
                found = machine.perhaps_at(owner, args[0], [found])
            if name == "pop" and args[0] in owner:
                machine.touch(owner)
                del owner[args[0]]
            return found
        if name == "copy":
            return dict(owner)
        if name == "update":
            machine.grow(owner, [*args, kwargs])
            if args:
                spread(owner, args[0])
            owner.update(kwargs)
            return None
    known = not any(isinstance(a, (Node, Unknown)) for a in (*args, *kwargs.values()))
    if isinstance(owner, str) and makes_long_text(owner, name, args):
        return Text((), f"method {name}")
    if isinstance(owner, list) and name == "insert":
        machine.grow(owner, args)
    elif isinstance(owner, list) and name in ("pop", "sort", "reverse"):
        machine.touch(owner)
    if name in ("index", "count") and not is_known(owner):
        known = False
    if isinstance(owner, (str, list, tuple)) and known and name in _PLAIN_METHODS:
        try:
            return getattr(owner, name)(*args, **kwargs)
        except Exception:  # the program under test would raise
            return Unknown()
    if isinstance(owner, (str, Text)) and name in _TEXTS:
        return Text((), f"method {name}")
    return _unknown((owner, args), kwargs, f"method {name}")
