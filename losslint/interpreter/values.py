"""The Python values the interpreter computes with, beside plain numbers, strings, containers and graph nodes."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import libcst as cst

from losslint.frontend.module import Module, Slice
from losslint.frontend.names import FRAMEWORKS
from losslint.graph import Node, SomeOf, Unknown

if TYPE_CHECKING:
    from losslint.interpreter.scope import Scope

CONTAINERS = (list, dict, tuple)
"""What holds values, and may be changed in place itself or by one of them."""
_LOSS_CLASS = re.compile(r"\.(Loss|LossFunctionWrapper|losses\.(\w+\.)*[A-Z]\w+)$")


def distinct(items: Iterable[Any] = ()) -> list[Any]:
    """The elements of a set: of equal numbers or texts one, and all else."""
    found: list[Any] = []
    plain: set[Any] = set()
    for item in items:
        if isinstance(item, (int, float, str)):
            if item in plain:
                continue
            plain.add(item)
        found.append(item)
    return found


@dataclass(frozen=True, slots=True)
class Api:
    """A name of a library: ``Api("tensorflow.math.log")``, or of one of its modules."""

    name: str


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the linted tree."""

    module: Module


class Bindings(dict[str, Any]):
    """What names or attributes hold. States of the program share one until somebody binds a name in it."""

    __slots__ = ("containers", "shared")

    def __init__(self, *held: Any) -> None:
        super().__init__(*held)
        self.containers = any(map(_is_container, self.values()))  # one of its values may be changed in place
        self.shared = False

    def bound(self, name: str, value: Any) -> Bindings:
        """These bindings with ``name`` bound: themselves, or a copy where they are shared."""
        own = self
        if self.shared:
            own = Bindings.__new__(Bindings)
            own.update(self)
            own.containers, own.shared = self.containers, False
        own[name] = value
        own.containers = own.containers or _is_container(value)
        return own


def _is_container(value: Any) -> bool:
    return isinstance(value, CONTAINERS) and (type(value) is not tuple or any(map(_is_container, value)))


@dataclass(eq=False, slots=True)
class Function:
    """A function of the user's, with the scope it closes over and, for a method, what it is bound to."""

    _tree: cst.FunctionDef | cst.Lambda
    _slice: Slice
    scope: Scope
    name: str  # qualified
    bound: Any = None
    owner: Class | None = None
    custom_gradient: bool = False
    kind: str = "function"  # "staticmethod", "classmethod", "property"
    autograph: bool | None = None  # True inside @tf.function, False where conversion is turned off; None: as its caller

    _left_out: ast.stmt | None = None  # the def, where the tree lacks its body

    def bind(self, instance: Any) -> Function:
        """The method of ``instance``."""
        return dataclasses.replace(self, bound=instance)

    def given(self, args: list[Any]) -> list[Any]:
        """``args`` as its parameters get them: behind what it is bound to."""
        return args if self.bound is None else [self.bound, *args]

    @property
    def tree(self) -> cst.FunctionDef | cst.Lambda:
        """Its def or lambda."""
        self._complete()
        return self._tree

    @property
    def slice(self) -> Slice:
        """Where ``tree`` stands."""
        self._complete()
        return self._slice

    def _complete(self) -> None:
        if self._left_out is not None:
            self._slice, tree = self._slice.module.slice(self._left_out)
            self._tree, self._left_out = cast("cst.FunctionDef", tree), None


@dataclass(eq=False, slots=True)
class Class:
    """A class of the user's."""

    tree: cst.ClassDef
    slice: Slice
    name: str
    bases: list[Any]
    members: dict[str, Any]

    def lineage(self) -> Iterator[Any]:
        """This class and its bases in the order in which Python searches them, each once; those of libraries as Api."""
        last_first: list[Any] = []
        seen: set[int] = set()
        todo: list[tuple[Any, bool]] = [(self, False)]
        while todo:
            cls, met = todo.pop()
            if met:
                last_first.append(cls)
            elif id(cls) not in seen:
                seen.add(id(cls))
                todo.append((cls, True))
                todo += [(base, False) for base in cls.bases] if isinstance(cls, Class) else []
        yield from reversed(last_first)

    def find(self, name: str) -> Any:
        """The member ``name`` as Python would find it, None where there is none."""
        if name in self.members:
            return self.members[name]
        for cls in self.lineage():
            if isinstance(cls, Class) and name in cls.members:
                return cls.members[name]
        return None

    def library_loss(self) -> str | None:
        """The loss class of a library that it derives from ("keras.losses.Loss"), None where there is none."""
        names = (b.name for b in self.lineage() if isinstance(b, Api) and b.name.startswith(FRAMEWORKS))
        return next((name for name in names if _LOSS_CLASS.search(name)), None)

    def is_a(self, *endings: str) -> bool:
        """Whether some base is a library class whose last name is one of ``endings``."""
        return any(isinstance(b, Api) and b.name.rsplit(".", 1)[-1] in endings for b in self.lineage())


@dataclass(eq=False, slots=True)
class Instance:
    """An object of a user's class; an attribute nobody set is made up when it is read."""

    cls: Class
    attrs: Bindings = field(default_factory=Bindings)

    def keep(self, name: str, value: Any) -> None:
        """Set an attribute."""
        self.attrs = self.attrs.bound(name, value)


@dataclass(eq=False, slots=True)
class Super:
    """``super()`` inside a method."""

    cls: Class
    instance: Any


@dataclass(eq=False, slots=True)
class Tape:
    """A ``tf.GradientTape``; ``spans`` are the ids of the nodes that were made while it recorded, as ranges."""

    spans: list[tuple[int, int]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Partial:
    """``functools.partial``."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(eq=False, slots=True)
class Method:
    """A method of a value that is no instance: of a tensor, a list, a string, a tape."""

    owner: Any
    name: str


class Text(Unknown):
    """A string that is not known."""


UNKNOWN_KEYS = "?"
"""What the keys start with that stand for any number of others: a dictionary was put in of which nothing is known."""
UNKNOWN_KEY = "??"
"""The same, where it is known what stands at them."""


def at_unknown_keys(value: dict[Any, Any], start: str = UNKNOWN_KEYS) -> list[Any]:
    """What ``value`` holds at keys that are not known; each stands for any number of them."""
    return [item for key, item in value.items() if isinstance(key, str) and key.startswith(start)]


def is_setting(value: Any) -> bool:
    """Whether ``value`` is a hyper-parameter: a number of Python's that nobody knows."""
    return isinstance(value, Node) and value.op == "source" and value.attrs["role"] == "config"


def is_known(value: Any) -> bool:
    """Whether nothing is open about a plain value, or about what a container holds."""
    if isinstance(value, (list, tuple, set)):
        return not isinstance(value, SomeOf) and all(map(is_known, value))
    if isinstance(value, dict):
        return not at_unknown_keys(value) and all(map(is_known, value.values()))
    return not isinstance(value, (Node, Unknown))


def spread(into: dict[Any, Any], value: Any) -> None:
    """Put what the dict ``value`` holds into ``into``; what is not known leaves one of ``UNKNOWN_KEYS``."""
    if isinstance(value, dict):
        into.update(value)
    elif value is not None:
        into[f"{UNKNOWN_KEYS}{len(into)}"] = value


def dependencies(value: Any) -> Iterator[Node]:
    """Every node that ``value`` may depend on; a container that stands in several places is walked over once."""
    todo, seen = [value], set[int]()
    while todo:
        part = todo.pop()
        if isinstance(part, Node):
            yield part
        elif isinstance(part, Unknown):
            yield from part.deps
        elif isinstance(part, (list, tuple, set, dict)):
            if id(part) not in seen:
                seen.add(id(part))
                todo.extend(reversed(list(part.values() if isinstance(part, dict) else part)))
        elif isinstance(part, slice):
            todo += (part.step, part.stop, part.start)
        elif isinstance(part, Partial):
            todo += (part.kwargs, part.args)
        elif isinstance(part, Method):
            todo.append(part.owner)
        elif hasattr(part, "deps"):  # a shape, a named tuple of the catalogue
            yield from part.deps
