"""Classes that derive from a ``Loss`` of Keras: their constructors, what they define, and what they keep when saved."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import libcst as cst

from losslint.budget import BudgetExceeded
from losslint.domain.shape import Shape
from losslint.frontend.discovery import evidence_of
from losslint.frontend.module import Module, every, is_stub, toplevel
from losslint.frontend.names import is_loss_name, role_of
from losslint.frontend.project import Project
from losslint.frontend.survey import Evidence
from losslint.frontend.words import CLASS_WORDS
from losslint.graph import Node, Site, ancestors
from losslint.interpreter.machine import Machine
from losslint.interpreter.merging import merged
from losslint.interpreter.values import Api, Class, Function, Instance, dependencies
from losslint.loss import Consumer
from losslint.options import Options
from losslint.subjects import provider
from losslint.tracing import keras_of

_PLAIN = ("keras.losses.Loss", "keras.Loss", "tensorflow.losses.Loss")
"""The class that computes nothing itself; its last part alone tells it in modules that Keras keeps to itself."""
_NOT_DATA = re.compile(
    r"(_fn|_func|_function|_cls|_class|_factory|callback|callable|hook|optimizer|metric)s?$|^f[nx]?$|(^|_)loss(es)?$"
)
"""Arguments that are code and no numbers: no configuration can hold them as they are."""


class Argument(NamedTuple):
    """An argument of a call: its value, and how the source spells it where it is a name."""

    value: Any
    spelled: str


class Init(NamedTuple):
    """A call of the constructor of a library's loss class, ``library``; ``positional`` are its arguments in order."""

    site: Site
    library: str
    positional: tuple[Argument, ...]


class Parameter(NamedTuple):
    """A parameter of the constructor. ``attribute`` is the one that it is stored in, as it is; "" where it is not."""

    name: str
    site: Site
    required: bool
    attribute: str = ""
    code: bool = False  # a function, a model, a class: what no configuration can hold
    passed_on: bool = False  # to the constructor of the library's class


class Override(NamedTuple):
    """A ``__call__`` of the class's own. ``takes`` is how many positional arguments it accepts, None for any number."""

    site: Site
    takes: int | None
    defers: bool  # it calls the one of its base
    scalar: bool | None  # whether it returns a scalar, None where that is unknown


class Config(NamedTuple):
    """``keys`` are what ``get_config`` returns, None where that is unknown; ``site`` is its name, if there is one."""

    keys: frozenset[str] | None
    site: Site | None


@dataclass(slots=True)
class LossClass:
    """A class whose bases, also through classes of the linted tree, end in a loss of Keras."""

    name: str  # qualified
    site: Site  # its name
    consumer: Consumer
    library: str  # the nearest library class: "keras.losses.Loss"
    keras: str  # "2" or "3"
    tree: cst.ClassDef
    parameters: tuple[Parameter, ...] = ()
    open_ended: bool = False  # the constructor takes **kwargs
    init: Site | None = None  # the name of a constructor of its own
    initialises: bool = True  # that one calls the constructor of its base
    inits: tuple[Init, ...] = ()  # where the library's constructor is called
    config: Config = field(default_factory=lambda: Config(None, None))
    from_config: bool = False  # it says itself how it is made from a configuration
    calls: bool = True  # there is a call(), its own or a base's
    override: Override | None = None
    abstract: bool = False  # it is made to be derived from
    empty: bool = False  # it defines no method
    tape: bool = False  # the file differentiates losses itself

    @property
    def is_plain(self) -> bool:
        """Whether the library's class is ``Loss`` itself, which computes nothing."""
        return self.library in _PLAIN or self.library.endswith(".Loss")


@provider
def loss_classes(module: Module, project: Project, options: Options) -> Iterator[LossClass]:
    """The loss classes of ``module``. One that is too large to be followed is left out."""
    keras = keras_of(module, options)
    for statement in _candidates(module):
        machine = Machine(project, options, keras)
        scope = machine.module_scope(module)
        try:
            machine.run_statement(statement, scope)
            if not _is_loss_class(scope.names.get(statement.name), statement):
                continue
            machine.run_statement(statement, scope, whole=True)
            cls = scope.names.get(statement.name)
            if isinstance(cls, Class):
                yield _Reader(machine, module, cls, evidence_of(module, options)).read()
        except BudgetExceeded:
            continue


def _is_loss_class(value: Any, statement: ast.ClassDef) -> bool:
    same = isinstance(value, Class) and value.tree.name.value == statement.name
    return same and value.library_loss() is not None


def _candidates(module: Module) -> Iterator[ast.ClassDef]:
    """The classes of ``module`` that may be losses, as far as names tell."""
    evidence = module.survey.evidence
    for statement in toplevel(module.tree.body):
        if isinstance(statement, ast.ClassDef) and statement.bases:
            names = (statement.name, *evidence.lineage(statement.name))
            if any(re.search(CLASS_WORDS, n) or is_loss_name(n) for n in names):
                yield statement


class _Reader:
    """Reads one class: syntax where a def tells, and what the machine makes of constructor and ``get_config``."""

    def __init__(self, machine: Machine, module: Module, cls: Class, evidence: Evidence) -> None:
        self.machine, self.module, self.cls, self.evidence = machine, module, cls, evidence
        self.instance = Instance(cls)
        machine.instances.append(self.instance)

    def read(self) -> LossClass:
        cls, evidence = self.cls, self.evidence
        found = LossClass(
            cls.name, self.site(cls.tree.name), self._consumer(), cls.library_loss() or "", self.machine.keras, cls.tree
        )
        own: Any = cls.members.get("__init__")
        if isinstance(own, Function):
            found.init = self.site(own.tree.name)  # type: ignore[union-attr]
            found.initialises = any(_calls(call, "__init__") for call in every(own.tree, cst.Call))
        init: Any = cls.find("__init__")
        if isinstance(init, Function):
            given = self._construct(init)
            found.inits = tuple(self._inits())
            found.open_ended = init.tree.params.star_kwarg is not None
            if init is own:
                found.parameters = tuple(self._parameters(init, given))
        found.config = self._config()
        found.from_config = isinstance(cls.find("from_config"), Function)
        found.calls = not self._all_known() or any(isinstance(cls.find(n), Function) for n in ("call", "__call__"))
        found.override = self._override()
        found.abstract = self._is_abstract() or any(cls.name in bases for bases in evidence.bases.values())
        found.empty = not any(isinstance(member, Function) for member in cls.members.values())
        found.tape = evidence.tape
        return found

    def site(self, tree: cst.CSTNode, function: str = "") -> Site:
        """A place in the class."""
        return Site(self.cls.slice, tree, function or self.cls.name)

    def _consumer(self) -> Consumer:
        if self.cls.name in self.evidence.compiled:
            return Consumer("keras", f"compile(loss={self.cls.name}(...))", True)
        return Consumer("keras", "a subclass of Loss")

    # -- the constructor -------------------------------------------------------------------------------------------
    def _construct(self, init: Function) -> dict[str, Node]:
        """Run the constructor on an argument of its own for each parameter; these, by name."""
        graph = self.machine.graph
        given = {p.name.value: graph.source(p.name.value, "config", Shape.unknown()) for p in _own_parameters(init)}
        self.machine.enter(init.bind(self.instance), [self.instance], dict(given))
        return given

    def _inits(self) -> Iterator[Init]:
        for happening in self.machine.happenings:
            call = happening.site.tree
            if happening.kind != "super" or happening.result is not self.instance or not isinstance(call, cst.Call):
                continue
            spelled = [a for a in call.args if a.keyword is None and not a.star]
            if len(spelled) == len(happening.args):
                pairs = zip(happening.args, spelled, strict=True)
                arguments = tuple(Argument(value, _dotted(a.value)) for value, a in pairs)
                yield Init(happening.site, happening.name, arguments)

    def _parameters(self, init: Function, given: dict[str, Node]) -> Iterator[Parameter]:
        passed = [h for h in self.machine.happenings if h.kind == "super" and h.result is self.instance]
        reaching = {id(n) for h in passed for n in ancestors(dependencies((h.args, h.kwargs)))}
        for param in _own_parameters(init):
            name, value = param.name.value, given[param.name.value]
            stored = [a for a, v in self.instance.attrs.items() if v is value]
            attribute = next((a for a in stored if a.lstrip("_") == name), stored[0] if stored else "")
            yield Parameter(
                name,
                Site(init.slice, param.name, init.name),
                param.default is None,
                attribute,
                self._is_code(name, [name, *(f"self.{a}" for a in stored)]),
                id(value) in reaching,
            )

    def _is_code(self, name: str, spellings: list[str]) -> bool:
        """Whether a parameter is a function, a model or the like: by its name, or because it is called."""
        called = {_dotted(call.func) for call in every(self.cls.tree, cst.Call)}
        known = role_of(name) == "model" or bool(_NOT_DATA.search(name))
        return known or not called.isdisjoint(spellings)

    # -- saving ----------------------------------------------------------------------------------------------------
    def _config(self) -> Config:
        method = self.cls.find("get_config")
        if not isinstance(method, Function):
            return Config(frozenset(self.machine.library_config(self.instance)), None)
        site = Site(method.slice, method.tree.name, method.name)  # type: ignore[union-attr]
        outputs = self.machine.enter(method.bind(self.instance), [self.instance], {}).outputs
        keys: set[str] = set()
        for output in outputs:
            if not isinstance(output.value, dict) or any(not isinstance(k, str) or "?" in k for k in output.value):
                return Config(None, site)
            keys |= set(output.value)
        return Config(frozenset(keys) if outputs else None, site)

    # -- calling ---------------------------------------------------------------------------------------------------
    def _all_known(self) -> bool:
        """Whether every base is a class of the tree, or one of a library that is known."""
        bases = [b for b in self.cls.lineage() if not isinstance(b, Class)]
        return all(
            isinstance(b, Api) and b.name.startswith(("keras.", "tensorflow.", "abc.", "builtins.")) for b in bases
        )

    def _override(self) -> Override | None:
        method = self.cls.members.get("__call__")
        if not isinstance(method, Function) or isinstance(method.tree, cst.Lambda):
            return None
        params = method.tree.params
        takes = len([*params.posonly_params, *params.params]) - 1
        return Override(
            self.site(method.tree.name, method.name),
            None if isinstance(params.star_arg, cst.Param) else takes,
            any(_calls(call, "__call__") and _is_super(call.func) for call in every(method.tree, cst.Call)),
            self._is_scalar(method),
        )

    def _is_scalar(self, method: Function) -> bool | None:
        bound = method.bind(self.instance)
        args, kwargs = self.machine.parameters.for_entry(bound, "loss", keras=True)
        values = [o.value for o in self.machine.enter(bound, [self.instance, *args], kwargs).outputs]
        result = merged(self.machine.graph, values) if values else None
        if not isinstance(result, Node):
            return None
        return False if result.shape.min_rank else True if result.shape.rank == 0 else None

    def _is_abstract(self) -> bool:
        """Whether it is made to be derived from: it says so, or the methods that compute only raise."""
        if re.search(r"^_*(Base|Abstract)|Base$|Mixin$", self.cls.name):
            return True
        if any(isinstance(b, Api) and b.name in ("abc.ABC", "abc.ABCMeta") for b in self.cls.lineage()):
            return True
        decorators = [d for f in every(self.cls.tree, cst.FunctionDef) for d in f.decorators]
        if any(_dotted(d.decorator).endswith("abstractmethod") for d in decorators):
            return True
        call = self.cls.find("__call__") or self.cls.find("call")
        tree = call.tree if isinstance(call, Function) else None
        return isinstance(tree, cst.FunctionDef) and is_stub(tree.body.body)


def _calls(call: cst.Call, method: str) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == method


def _is_super(function: cst.BaseExpression) -> bool:
    """Whether ``function`` is an attribute of ``super()``."""
    owner = function.value if isinstance(function, cst.Attribute) else None
    return isinstance(owner, cst.Call) and isinstance(owner.func, cst.Name) and owner.func.value == "super"


def _own_parameters(init: Function) -> list[cst.Param]:
    """The named parameters of a constructor without ``self``."""
    params = init.tree.params
    return [*[*params.posonly_params, *params.params][1:], *params.kwonly_params]


def _dotted(tree: cst.BaseExpression) -> str:
    """A dotted name as the source has it, or a string in quotes; "" for anything else."""
    if isinstance(tree, cst.Attribute):
        owner = _dotted(tree.value)
        return f"{owner}.{tree.attr.value}" if owner else ""
    if isinstance(tree, (cst.Name, cst.SimpleString)):
        return tree.value
    return ""
