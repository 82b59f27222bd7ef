"""Calls of ``model.compile``: what is really given as loss, and for how many outputs."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import libcst as cst

from losslint.budget import BudgetExceeded
from losslint.frontend.discovery import definitions, qualified
from losslint.frontend.module import Module, below, every
from losslint.frontend.names import is_metric_name
from losslint.frontend.project import Project
from losslint.frontend.survey import Definition
from losslint.frontend.way import needed_for
from losslint.graph import Node, Site, SomeOf
from losslint.interpreter.calls import DECORATORS
from losslint.interpreter.core import Event
from losslint.interpreter.machine import Machine
from losslint.interpreter.values import Api, Class, Function, Instance, Partial
from losslint.loss import Consumer
from losslint.ops.catalogue.keras_losses import loss_by_name
from losslint.ops.catalogue.keras_metrics import CLASSES
from losslint.ops.registry import Callback
from losslint.options import Options
from losslint.subjects import provider
from losslint.tracing import keras_of, reach

_CONSUMER = Consumer("keras", "it is compiled here", True)
_METRICS = ("keras.metrics.", "tensorflow_addons.metrics.", "sklearn.metrics.")
_HARD = ("accuracy", "pearson_correlation", "concordance_correlation")
"""Functions of ``keras.metrics`` that are no losses; the others are found in ``keras.losses`` as well."""
_NO_TENSORS = frozenset(("source", "opaque", "model", "join", "loop", "identity", "index", "const"))
"""Primitives whose result may be anything that Python code can hold."""
_STEPS = 20_000
"""Steps and operations for the calls of one file. Of 90 real training scripts 3 take more, 80 less than a tenth."""
_OWN_STEPS = ("train_step", "compute_loss", "test_step")


class Given(NamedTuple):
    """One loss that a model is compiled with."""

    value: Any
    site: Site
    name: str  # what it is called
    metric: str = ""  # the metric that it is
    tensor: bool = False  # it is the value of a loss, not the loss
    makes: bool = False  # a function that returns a loss, which was not called
    arity: tuple[int, int | None] | None = None  # how many arguments it needs, and takes; None where not known
    unreduced: bool = False  # a loss object that returns one value per sample
    late: tuple[str, ...] = ()  # variables of a loop that go on changing until it is called


@dataclass(slots=True)
class Compile:
    """A call of ``compile`` with a loss."""

    name: str  # the function it stands in
    site: Site
    consumer: Consumer
    keras: str  # "2" or "3"
    loss: Site  # the argument
    given: tuple[Given, ...]
    listed: bool = False  # the losses stand in a list of known length
    outputs: int | None = None  # how many outputs the model has, None where that is unknown
    own_steps: bool = False  # the model, or the file, differentiates the loss itself
    known_model: bool = False  # the model is one that Keras trains


@provider
def compiles(module: Module, project: Project, options: Options) -> Iterator[Compile]:
    """The calls of ``compile`` in ``module``. A function that is too large to be followed is left out."""
    survey = module.survey
    chains = [c for c in definitions(module.tree.body) if c[-1] in survey.compiling]
    if module.tree in survey.compiling:
        chains.append([])
    left = _STEPS
    for chain in chains:
        machine = Machine(project, options, keras_of(module, options))
        machine.limit = left
        try:
            _run(machine, module, chain, survey.compiling[chain[-1] if chain else module.tree])
            name = qualified(chain) if chain else "<module>"
            for event in [e for e in machine.events if e.kind == "compile"]:
                yield _Reader(machine, event, survey.evidence.tape).read(name)
        except BudgetExceeded:
            continue
        finally:
            left -= machine.done


def _run(machine: Machine, module: Module, chain: list[Definition], calls: list[ast.AST]) -> None:
    """Execute what ``calls`` depend on in the function that ``chain`` leads to, or in the module."""
    scope = machine.module_scope(module)
    if not chain:
        machine.run_module(scope, needed_for(calls, module.tree.body))
        return
    function = reach(machine, scope, chain)
    if function is not None:
        args, kwargs = machine.parameters.for_entry(function, "step")
        machine.enter(function, function.given(args), kwargs, needed_for(calls, chain[-1].body))


class _Reader:
    """Reads one call."""

    def __init__(self, machine: Machine, event: Event, tape: bool) -> None:
        self.machine, self.event, self.tape = machine, event, tape

    def read(self, name: str) -> Compile:
        event, owner = self.event, self.event.owner
        argument = Site(event.site.module, self._argument(), event.site.function, event.site.caller)
        values = event.value
        given = tuple(self._given(v, s) for v, s in self._parts(values, argument))
        found = Compile(name, event.site, _CONSUMER, self.machine.keras, argument, given)
        found.listed = isinstance(values, (list, tuple)) and not isinstance(values, SomeOf)
        found.outputs = _outputs(owner)
        steps = isinstance(owner, Instance) and any(owner.cls.find(step) is not None for step in _OWN_STEPS)
        found.own_steps = self.tape or steps
        found.known_model = isinstance(owner, (Callback, Instance))
        return found

    def _argument(self) -> cst.CSTNode:
        """What stands for the loss in the call."""
        call = self.event.site.tree
        if not isinstance(call, cst.Call):
            return call  # type: ignore[no-any-return]
        named = next((a.value for a in call.args if a.keyword is not None and a.keyword.value == "loss"), None)
        return named or (call.args[1].value if len(call.args) > 1 else call)

    def _parts(self, value: Any, site: Site) -> Iterator[tuple[Any, Site]]:
        """The losses in ``value``, each with its place where it is written out."""
        if isinstance(value, dict):
            values: list[Any] = list(value.values())
            trees: list[Any] = [e.value for e in site.tree.elements] if isinstance(site.tree, cst.Dict) else []
        elif isinstance(value, (list, tuple)):
            values = list(value)
            written = isinstance(site.tree, (cst.List, cst.Tuple))
            trees = [e.value for e in site.tree.elements] if written else []
        else:
            yield value, site
            return
        trees = trees if len(trees) == len(values) else [site.tree] * len(values)
        for part, tree in zip(values, trees, strict=True):
            yield part, Site(site.module, tree, site.function, site.caller)

    def _given(self, value: Any, site: Site) -> Given:
        if isinstance(value, Function):
            makes = self._makes(value)
            late = _late(value) if isinstance(self.event.value, (list, tuple, dict)) else ()
            if late:
                site = Site(value.slice, value.tree, value.name)
            arity = None if _is_wrapped(value) else _arity(value)
            return Given(value, site, _short(value.name), makes=makes, arity=arity, late=late)
        if isinstance(value, Partial) and isinstance(value.function, Function) and not _is_wrapped(value.function):
            return Given(value, site, _short(value.function.name), arity=_arity(value.function, value))
        metric = _metric(value)
        if metric:
            return Given(value, site, metric, metric=metric)
        if isinstance(value, Node):
            name = _short(value.api) or value.op
            return Given(value, site, name, tensor=value.op not in _NO_TENSORS and value.site is not None)
        name = value.name if isinstance(value, Callback) else value.cls.name if isinstance(value, Instance) else ""
        return Given(value, site, _short(name), unreduced=self._is_unreduced(value))

    # -- functions -------------------------------------------------------------------------------------------------
    def _makes(self, function: Function) -> bool:
        """Whether whatever ``function`` returns is a function."""
        if _is_wrapped(function):
            return False
        args, kwargs = self.machine.parameters.for_entry(function, "factory")
        outputs = self.machine.enter(function, function.given(args), kwargs).outputs
        return bool(outputs) and all(isinstance(o.value, (Function, Partial)) or _is_loss(o.value) for o in outputs)

    # -- objects ---------------------------------------------------------------------------------------------------
    def _is_unreduced(self, value: Any) -> bool:
        none = (None, "none") if self.machine.keras == "3" else ("none",)  # Keras 2 refuses None
        if isinstance(value, Callback):
            return _is_loss(value) and value.name != "keras.losses.Dice" and value.attrs["reduction"] in none
        if not isinstance(value, Instance) or value.cls.library_loss() is None:
            return False
        made = [h.kwargs for h in self.machine.happenings if h.kind == "super" and h.result is value]
        told = made[-1].get("reduction", "") if made else ""
        told = value.attrs.get("reduction", told)
        return told in none if isinstance(told, (str, type(None))) and self._is_per_sample(value) else False

    def _is_per_sample(self, instance: Instance) -> bool:
        """Whether ``call`` certainly returns more than a scalar: nothing is left to reduce else."""
        method = instance.cls.find("call")
        if not isinstance(method, Function) or instance.cls.find("__call__") is not None:
            return False
        bound = method.bind(instance)
        args, kwargs = self.machine.parameters.for_entry(bound, "loss", keras=True)
        outputs = self.machine.enter(bound, [instance, *args], kwargs).outputs
        return bool(outputs) and all(isinstance(o.value, Node) and o.value.shape.min_rank > 0 for o in outputs)


def _is_loss(value: Any) -> bool:
    """Whether ``value`` is an object of a loss class of a library."""
    return isinstance(value, Callback) and "reduction" in value.attrs and "fn" in value.attrs


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _is_wrapped(function: Function) -> bool:
    """Whether a decorator that is not known may have changed it, or it computes its own gradient."""
    if isinstance(function.tree, cst.Lambda):
        return False
    names = [_last(d.decorator) for d in function.tree.decorators]
    return any(name not in (*DECORATORS, "staticmethod", "classmethod") for name in names)


def _last(tree: cst.BaseExpression) -> str:
    if isinstance(tree, cst.Call):
        return _last(tree.func)
    return tree.attr.value if isinstance(tree, cst.Attribute) else tree.value if isinstance(tree, cst.Name) else ""


def _arity(function: Function, partial: Partial | None = None) -> tuple[int, int | None]:
    """How many positional arguments ``function`` needs and takes; a required keyword counts as one too many."""
    params = function.tree.params
    positional = [*params.posonly_params, *params.params]
    if function.bound is not None:
        positional = positional[1:]
    named = set(partial.kwargs) if partial is not None else set()
    positional = positional[len(partial.args) :] if partial is not None else positional
    # what follows a parameter that is bound by keyword can be passed by keyword only
    open_to = list(itertools.takewhile(lambda p: p.name.value not in named, positional))
    rest = positional[len(open_to) :]
    needed = [p for p in (*positional, *params.kwonly_params) if p.default is None and p.name.value not in named]
    most = None if isinstance(params.star_arg, cst.Param) and not rest else len(open_to)
    return len(needed), most


_LOOPS = (cst.For, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


def _late(function: Function) -> tuple[str, ...]:
    """The variables of a loop around the def that its body reads: each call sees their last value."""
    free = _free(function.tree)
    loops = [tree for tree in below(function.slice.tree) if isinstance(tree, _LOOPS)]
    found: list[str] = []
    for loop in loops:
        way = _way(loop, function.tree)
        if way is None:
            continue
        bound = {name for outer in way for name in _bound(outer)}
        found += [name for name in _targets(loop) if name in free and name not in bound]
    return tuple(dict.fromkeys(found))


def _way(root: cst.CSTNode, wanted: cst.CSTNode) -> list[cst.CSTNode] | None:
    """The functions between ``root`` and ``wanted`` below it, None where it is not."""
    if root is wanted:
        return []
    for child in root.children:
        way = _way(child, wanted)
        if way is not None:
            inside = child is not wanted and isinstance(child, (cst.FunctionDef, cst.Lambda))
            return [child, *way] if inside else way
    return None


def _targets(loop: cst.CSTNode) -> Iterator[str]:
    """The variables of a loop or a comprehension."""
    if isinstance(loop, cst.For):
        yield from _names(loop.target)
        return
    part = loop.for_in  # type: ignore[attr-defined]
    while part is not None:
        yield from _names(part.target)
        part = part.inner_for_in


def _names(tree: cst.CSTNode) -> Iterator[str]:
    for name in every(tree, cst.Name):
        yield name.value


def _bound(tree: cst.CSTNode) -> Iterator[str]:
    """The names that a function binds itself: parameters, and what its body assigns."""
    for param in every(tree.params, cst.Param):  # type: ignore[attr-defined]
        yield param.name.value
    for target in below(tree.body):  # type: ignore[attr-defined]
        if isinstance(target, (cst.AssignTarget, cst.For)):
            yield from _names(target.target)


def _free(tree: cst.FunctionDef | cst.Lambda) -> set[str]:
    """The names that the body of a function reads and does not bind."""
    body = tree.body
    mute = {id(a.attr) for a in every(body, cst.Attribute)}
    mute |= {id(a.keyword) for a in every(body, cst.Arg)}
    read = {n.value for n in every(body, cst.Name) if id(n) not in mute}
    return read - set(_bound(tree))


def _metric(value: Any) -> str:
    """The metric that ``value`` is, as the user would call it; "" where it is none."""
    if isinstance(value, str):
        return value if is_metric_name(value) and loss_by_name(value) is None else ""
    if isinstance(value, Callback):
        return str(value.attrs.get("metric") or "")
    if isinstance(value, Instance):
        value = value.cls
    if isinstance(value, Class):
        apis = [b.name for b in value.lineage() if isinstance(b, Api)]
        return value.name if any(a.startswith("keras.metrics.") or a == "keras.Metric" for a in apis) else ""
    if isinstance(value, Api) and value.name.startswith(_METRICS):
        short = _short(value.name)
        measures = short in CLASSES.split() or short.endswith(_HARD) or not value.name.startswith("keras.")
        return value.name if measures else ""
    return ""


def _outputs(owner: Any) -> int | None:
    """How many outputs the model ``owner`` has, None where that is unknown."""
    if not isinstance(owner, Callback):
        return None
    if "layers" in owner.attrs and "add" in owner.attrs:
        return 1  # Sequential
    made: Any = owner.attrs.get("output")
    outputs: Iterable[Any] = made if isinstance(made, (list, tuple)) and not isinstance(made, SomeOf) else (made,)
    # what a layer of the user's returns may be several tensors
    known = all(isinstance(o, Node) and o.shape.rank is not None for o in outputs)
    return len(list(outputs)) if known else None
