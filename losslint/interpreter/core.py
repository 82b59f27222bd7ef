"""What the parts of the machine share: the state of a run, the calls it is in, and what they ask of each other."""

from __future__ import annotations

import abc
import ast
import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from losslint.budget import BudgetExceeded
from losslint.domain.shape import Shape
from losslint.frontend.module import Module, Slice
from losslint.frontend.names import role_of
from losslint.frontend.project import Project
from losslint.graph import Node, Site
from losslint.interpreter.limits import HUGE, is_heavy
from losslint.interpreter.merging import Overwritten
from losslint.interpreter.parameters import Parameters
from losslint.interpreter.scope import ModuleScope, Scope
from losslint.interpreter.tracing import TracingGraph
from losslint.interpreter.values import Api, Bindings, Class, Function, Instance
from losslint.loss import Happening, Output
from losslint.options import Options

MAX_STEPS = 150_000
"""Steps, and operations, of one trace of one loss."""
_GIVEN = ("label", "prediction", "weight")
"""Roles of arguments that are tensors for sure."""


@dataclass(slots=True)
class Event:
    """A loss was consumed: ``kind`` is "gradient", "minimize", "add_loss" or "compile".

    ``owner`` is the tape, model or optimizer whose method was called, with ``args`` and ``kwargs``.
    """

    kind: str
    value: Any
    site: Site
    owner: Any = None
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """One function call: its scope, what it returned so far, and which undecided conditions it stands under."""

    scope: Scope | ModuleScope
    slice: Slice
    outputs: list[Output] = field(default_factory=list)
    conditions: list[bool] = field(default_factory=list)  # True where only configuration decides
    skipped: list[Bindings] = field(default_factory=list)  # names at a continue
    broken: list[Bindings] = field(default_factory=list)  # and at a break
    owner: Class | None = None
    instance: Any = None
    caller: Site | None = None  # where it was called
    converted: bool = False  # AutoGraph rewrites its branches and loops
    guards: int = 0  # how many conditions around ask whether something is there already


@functools.cache
def handler(machine: type, prefix: str, kind: type) -> Callable[..., Any] | None:
    """The method of ``machine`` for trees of a ``kind``: ``_eval_Call``; None where there is none."""
    return getattr(machine, prefix + kind.__name__, None)


class Core(abc.ABC):
    """The state of one run. ``graph`` collects the operations, ``events`` the places where a loss is consumed."""

    limit = MAX_STEPS

    def __init__(self, project: Project, options: Options | None = None, keras: str = "3") -> None:
        self.project = project
        self.options = options or Options()
        self.keras = keras
        self.graph = TracingGraph(self)
        self.ranks: dict[str, int] = {}  # of sources, where a first trace told them
        self.batches: frozenset[str] = frozenset()  # arguments that it told to be batches
        self.parameters = Parameters(self)
        self.events: list[Event] = []
        self.happenings: list[Happening] = []
        self.created: dict[tuple[str, str], Function] = {}
        self.instances: list[Instance] = []
        self.overwritten: Overwritten | None = None  # what the branch that is executed has changed in place
        self.called: set[str] = set()  # qualified names of the user's functions that were inlined
        self.frames: list[Frame] = []
        self.fails = False  # an exception is raised whatever the configuration: the arguments do not fit
        self.steps = 0  # statements executed, turns of comprehensions, calls
        self._charged = 0
        self._scopes: dict[str, ModuleScope] = {}
        self._free: dict[tuple[Any, ...], Any] = {}

    # -- what the parts ask of each other --------------------------------------------------------------------------
    @abc.abstractmethod
    def eval(self, tree: cst.BaseExpression) -> Any:
        """The value of ``tree``; Unknown where its kind is not interpreted."""

    @abc.abstractmethod
    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any], spelled: str = "") -> Any:
        """The result of ``function(*args, **kwargs)``; ``spelled`` is how the source names it."""

    @abc.abstractmethod
    def bind(self, target: cst.BaseExpression, value: Any) -> None:
        """Assign ``value`` to a name, attribute, element or pattern."""

    @abc.abstractmethod
    def block(self, body: Any) -> bool:
        """Execute statements; whether control can reach the end."""

    @abc.abstractmethod
    def run_statement(self, statement: ast.stmt, scope: ModuleScope, whole: bool = False) -> None:
        """Execute one module-level statement that ``ast`` found; see ``Module.slice``."""

    @abc.abstractmethod
    def decided(self, test: ast.expr, scope: ModuleScope) -> bool | None:
        """How a test at the top level of a module turns out, None where that is not known."""

    # -- how much is done ------------------------------------------------------------------------------------------
    @property
    def done(self) -> int:
        """What was done so far, steps and operations, as ``limit`` bounds it."""
        return self.steps + len(self.graph.nodes)

    def step(self) -> None:
        """Count one step, and the operations since the last. Raises BudgetExceeded."""
        self.steps += 1
        done = self.done
        if done > self.limit:
            raise BudgetExceeded(f"more than {self.limit} steps")
        self.options.budget.spend(done - self._charged)
        self._charged = done

    def grow(self, container: Any, added: Any) -> None:
        """Look at what is put into ``container``. Raises BudgetExceeded where it gets too large to be walked over."""
        if len(container) + len(added) > HUGE or is_heavy(added):
            raise BudgetExceeded(f"a container of more than {HUGE} values")
        self.touch(container)

    def touch(self, container: list[Any] | dict[Any, Any]) -> None:
        """To be called before ``container`` is changed in place: other ways of the program share it."""
        if self.overwritten is not None and id(container) not in self.overwritten:
            self.overwritten[id(container)] = container, container.copy()

    # -- where we are ----------------------------------------------------------------------------------------------
    def module_scope(self, module: Module) -> ModuleScope:
        """The scope of ``module``, the same one at every call."""
        if module.path not in self._scopes:
            self._scopes[module.path] = ModuleScope(self, module)
        return self._scopes[module.path]

    @contextlib.contextmanager
    def inside(self, frame: Frame) -> Iterator[Frame]:
        """Make ``frame`` the innermost call."""
        self.frames.append(frame)
        try:
            yield frame
        finally:
            self.frames.pop()

    @property
    def frame(self) -> Frame:
        """The innermost call."""
        return self.frames[-1]

    @property
    def scope(self) -> Scope | ModuleScope:
        """Where names are looked up now."""
        return self.frame.scope

    def note(
        self,
        kind: str,
        site: Site,
        *args: Any,
        name: str = "",
        kwargs: dict[str, Any] | None = None,
        result: Any = None,
        callee: Any = None,
    ) -> None:
        """Leave a ``Happening``."""
        self.happenings.append(
            Happening(
                kind,
                site,
                name,
                args,
                kwargs or {},
                result,
                callee,
                by_configuration=any([True in f.conditions for f in self.frames]),
                converted=self.frame.converted,
                guarded=any([f.guards for f in self.frames]),
            )
        )

    def raises(self) -> None:
        """An exception is raised here: always, unless this place depends on a condition."""
        self.fails |= not any(f.conditions for f in self.frames)

    def site(self, tree: cst.CSTNode) -> Site:
        """``tree`` as a place in the source."""
        return Site(self.frame.slice, tree, self.scope.function, self.frame.caller)

    def qualified(self, name: str, owner: Class | None = None) -> str:
        """``name`` as ``__qualname__`` spells it for a definition made here."""
        if owner is not None:
            return f"{owner.name}.{name}"
        outer = self.scope.function
        return name if outer == "<module>" else f"{outer}.<locals>.{name}"

    # -- names nobody binds ----------------------------------------------------------------------------------------
    def free(self, name: str, owner: Any = None) -> Any:
        """The value of a name that is bound nowhere we can see: a hyper-parameter, a model or a tensor, by its name."""
        key = (name, id(owner) if owner is not None else None)
        if key not in self._free:
            self._free[key] = self._made_up(name)
        return self._free[key]

    def missing(self) -> Node:
        """The tensor that an optional argument stands for which is None here, and computed with.

        It is taken for the weights, labels or predictions whose name holds None, where there is just one such name;
        else for something that adds no axis of samples to what it meets.
        """
        scope = self.scope
        names = [n for n, v in scope.names.items() if v is None and role_of(n) in _GIVEN]
        name = names[0] if len(names) == 1 else ""
        key = ("missing", scope.function, name)
        if key not in self._free:
            unnamed = self.graph.source("a missing argument", "input", Shape((), "W"))
            self._free[key] = self.parameters.made_up(name, role_of(name)) if name else unnamed
        return self._free[key]  # type: ignore[no-any-return]

    def _made_up(self, name: str) -> Any:
        short = name.rsplit(".", 1)[-1]
        if short.strip("_") in ("K", "backend"):
            return Api("keras.backend")  # the injected module of keras-applications style code
        return self.parameters.captured(name, role_of(short))
