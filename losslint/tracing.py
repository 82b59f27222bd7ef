"""From an entry to traced losses: runs the machine on one function, training step or module."""

from __future__ import annotations

import ast
import functools
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

from losslint.domain.shape import ONE
from losslint.frontend.discovery import DEFAULTS, Entry
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.frontend.survey import Definition, Evidence
from losslint.frontend.way import needed_for
from losslint.graph import ANEW, Graph, Node, Unknown
from losslint.interpreter.changing import changing
from losslint.interpreter.machine import Machine
from losslint.interpreter.merging import merged
from losslint.interpreter.parameters import SAMPLES
from losslint.interpreter.ranks import AXES, evident_batches, evident_ranks, misfit
from losslint.interpreter.values import Class, Function, Instance, Method, Partial, Tape, dependencies
from losslint.loss import Consumer, Loss, Output
from losslint.ops.registry import Callback
from losslint.options import Options

_TURNS = 2
"""How often one and the same expression is looked at: the state of the first turn is another than that of the rest."""


def keras_of(module: Module, options: Options) -> str:
    """The Keras major version the module is written for, "2" or "3"."""
    if options.keras in ("2", "3"):
        return options.keras
    return "2" if _is_legacy(module.text) else options.target.major


@functools.lru_cache(maxsize=8)  # asked for each loss of a file
def _is_legacy(text: str) -> bool:
    return any(mark in text for mark in ("tf_keras", "compat.v1", "TF_USE_LEGACY_KERAS"))


def trace(
    entry: Entry, module: Module, project: Project, evidence: Evidence, options: Options = DEFAULTS
) -> Iterator[Loss]:
    """The losses ``entry`` holds. Raises BudgetExceeded where it is too large to be followed."""
    keras = keras_of(module, options)

    def traced(ranks: dict[str, int], batches: frozenset[str]) -> tuple[Machine, list[Loss]]:
        machine = Machine(project, options, keras)
        machine.ranks, machine.batches = ranks, batches
        return machine, list(_run(machine, entry, module, evidence))

    machine, found = traced({}, frozenset())
    ranks: dict[str, int] = {}
    batches: frozenset[str] = frozenset()
    for _ in range(2):  # what is known of one argument may tell of another
        more, others = evident_ranks(machine.graph, SAMPLES), evident_batches(machine.graph)
        if not found or (more.keys() <= ranks.keys() and others <= batches):
            break
        ranks, batches = more | ranks, batches | others
        again, retraced = traced(ranks, batches)
        if again.fails > machine.fails:
            break  # the program refuses arguments of these ranks
        machine, found = again, retraced
    if len(found) == 1 and undecided(found[0]):
        # generic code asks for the rank: what holds for tables and for images alike is believed
        open_ = [n for n in machine.graph.nodes if n.op == "source" and n.shape == SAMPLES]
        left = dict.fromkeys(n.attrs["name"] for n in open_)
        # labels of predictions whose rank is known: one a sample, or as many
        labels = bool(ranks) and all(n.attrs["role"] == "label" for n in open_)
        tried = [r for r in AXES if r < 3 or not labels][not labels :] if left else []
        trials = (traced(dict.fromkeys(left, rank) | ranks, batches) for rank in tried)
        fitting = (losses for m, losses in trials if losses and m.fails <= machine.fails and not _refutes(m.graph))
        agreed = _agreed(fitting, found[0])
        if agreed:
            (general,), found = found, agreed
            found[0].notes.append(f"assuming that {', '.join(left)} may have any number of axes")
            # what the program does for other ranks is known from the trace that leaves them open
            found[0].general = general if general.places - found[0].places else None
    yield from found


def _agreed(trials: Iterator[list[Loss]], loss: Loss) -> list[Loss]:
    """The losses of the first trial, where all ``trials`` agree on something that ``loss`` does not tell; else none.

    No trial is made after one that disagrees: each takes as long as the first trace did.
    """
    first: list[Loss] = []
    agreed: tuple[object, ...] | None = None
    for losses in trials:
        outcomes = {_outcome(loss) for loss in losses}
        if len(outcomes) > 1 or (first and outcomes != {agreed}):
            return []
        if not first:
            first, agreed = losses, outcomes.pop()
            if not _tells_more(agreed, loss):
                return []
    return first


def undecided(loss: Loss) -> bool:
    """Whether it is not even known if the result is a scalar, or how it scales with the batch."""
    return isinstance(loss.value, Node) and None in _known(loss.value, loss)


def _known(node: Node, loss: Loss) -> tuple[bool | None, str | None]:
    """Whether ``node`` has axes, and its batch law; None for what is not known."""
    shape, law = node.shape, loss.laws.value(node)
    axes = None if shape.rank is None and not shape.min_rank else bool(shape.min_rank)
    return axes, None if law is None else str(law)


def _refutes(graph: Graph) -> bool:
    """Whether the program shows that its inputs cannot have these ranks."""
    return misfit(graph) or any(map(_clashes, graph.nodes))


def _clashes(node: Node) -> bool:
    """Whether an axis of samples meets one that is none, elementwise: the hypothesis about the rank is wrong then."""
    if len(node.inputs) != 2 or node.op not in ("add", "sub", "mul", "div", "maximum", "minimum", "eq", "lt", "gt"):
        return False
    a, b = (x.shape for x in node.inputs)
    if a.rank is None or b.rank is None:
        return False
    aligned = zip(reversed(a.head), reversed(b.head), strict=False)  # from the right, as they are broadcast
    return any(x != ONE != y and (x.batch or 0) != (y.batch or 0) for x, y in aligned)


def _outcome(loss: Loss) -> tuple[object, ...] | None:
    """What has to agree between two hypotheses about the rank of the inputs."""
    node = loss.value
    if not isinstance(node, Node):
        return None
    return (*_known(node, loss), str(loss.laws.gradient(node)), loss.couplings.of(node).kind)


def _tells_more(outcome: tuple[object, ...] | None, loss: Loss) -> bool:
    """Whether ``outcome`` says something of the result that was not known, and all that was."""
    before = _known(loss.value, loss)
    after = (None, None) if outcome is None else outcome[:2]
    return before != after and all(new is not None for old, new in zip(before, after, strict=True) if old is not None)


def _run(machine: Machine, entry: Entry, module: Module, evidence: Evidence) -> Iterator[Loss]:
    scope = machine.module_scope(module)
    if entry.kind == "module":
        machine.run_module(scope)
        yield from _consumed(machine, entry, evidence)
        return
    function = reach(machine, scope, entry.chain)
    if function is None:
        return
    certain = entry.consumer.kind == "keras" and entry.consumer.proven
    numbers = changing(function)
    args, kwargs = machine.parameters.for_entry(function, "loss" if entry.kind == "function" else "step", certain)
    frame = machine.enter(function, function.given(args), kwargs)
    if entry.kind == "step":
        yield from _consumed(machine, entry, evidence)
        return
    outputs = [o for o in frame.outputs if not _is_factory(o.value)]
    if not outputs or (all(not any(dependencies(o.value)) for o in outputs) and not _returns_nothing(entry, outputs)):
        return
    value = merged(machine.graph, [o.value for o in outputs])
    site = machine_site(function, outputs[0].site)
    loss = Loss(entry.name, site, entry.consumer, machine.graph, outputs, value, keras=machine.keras)
    loss.budget = machine.options.budget
    loss.batch_level = entry.row in machine.options.batch_level
    loss.happenings, loss.changing = machine.happenings, numbers if loss.for_keras else {}
    loss.base = (function.owner.library_loss() or "") if function.owner is not None else ""
    _describe(loss, entry, evidence)
    yield loss


def machine_site(function: Function, site: Any) -> Any:
    """The def of ``function`` as a site."""
    return type(site)(function.slice, function.tree, function.name)


def _describe(loss: Loss, entry: Entry, evidence: Evidence) -> None:
    short = loss.short_name
    loss.unpacked = short in evidence.unpacked
    loss.called = short in evidence.called or short in evidence.mapped
    loss.other_floatx = evidence.floatx
    loss.tape, loss.eager = evidence.tape, evidence.eager
    loss.strategy, loss.weighted = evidence.strategy, evidence.weighted
    loss.replicated = short in evidence.replicated and evidence.applied and not evidence.aggregated


def _is_factory(value: Any) -> bool:
    """Whether a returned value is a function or object, so that what returned it is no loss but makes one."""
    return isinstance(value, (Function, Class, Instance, Callback, Partial, Method, str)) or (
        isinstance(value, (list, tuple)) and bool(value) and all(_is_factory(v) for v in value)
    )


def _returns_nothing(entry: Entry, outputs: list[Output]) -> bool:
    """Whether a certain loss returns no tensor at all, which is a finding and not a misunderstanding."""
    certain = entry.consumer.proven or entry.consumer.kind == "keras"
    return certain and all(not isinstance(o.value, Unknown) for o in outputs)


def reach(machine: Machine, scope: Any, chain: list[Definition]) -> Function | None:
    """The function that ``chain`` leads to, its factories called and its class instantiated."""
    first = chain[0]
    name = first.name
    statements = scope.source.bindings.get(name, [])
    machine.run_statement(first, scope)
    value = scope.names.get(name)
    if len(statements) > 1:
        scope.assign(name, value)
    value = _undecorated(machine, scope.source.path, name, value)
    done = name
    for outer, inner in itertools.pairwise(chain):
        done += f".{inner.name}" if isinstance(outer, ast.ClassDef) else f".<locals>.{inner.name}"
        if isinstance(value, Class):
            member = value.members.get(inner.name)
            found = machine.created.get((scope.source.path, done))
            member = member if isinstance(member, Function) else found
            if isinstance(inner, ast.ClassDef) or member is None:
                return None
            if member.kind == "staticmethod":
                value = member
            else:
                value = (found or member).bind(_instance(machine, value) if member.kind != "classmethod" else value)
        elif isinstance(value, Function) and not isinstance(outer, ast.ClassDef):
            if (scope.source.path, done) not in machine.created:
                args, kwargs = machine.parameters.for_entry(value, "factory")
                machine.enter(value, value.given(args), kwargs, needed_for([inner], outer.body))
            value = machine.created.get((scope.source.path, done))
        else:
            return None
    return value if isinstance(value, Function) else None


def _undecorated(machine: Machine, path: str, name: str, value: Any) -> Any:
    return value if isinstance(value, (Class, Function)) else machine.created.get((path, name))


def _instance(machine: Machine, cls: Class) -> Instance:
    """An object of ``cls`` whose constructor arguments have their defaults or are made up."""
    instance = Instance(cls)
    machine.instances.append(instance)
    init = cls.find("__init__")
    if isinstance(init, Function):
        bound = init.bind(instance)
        args, kwargs = machine.parameters.for_entry(bound, "factory")
        machine.enter(bound, [instance, *args], kwargs)
    return instance


def _consumed(machine: Machine, entry: Entry, evidence: Evidence) -> Iterator[Loss]:
    """One loss for every expression that was differentiated; of a loop that is unrolled two turns stand for all."""
    seen: set[tuple[object, ...]] = set()
    written = _Written(machine.graph)
    turns: Counter[tuple[object, ...]] = Counter()
    for event in machine.events:
        if event.kind == "compile":
            continue
        value = event.value
        nodes = tuple(written.number(n) for n in dependencies(value))
        if not nodes or nodes in seen or not any(isinstance(v, Node) for v in [value, *(_parts(value))]):
            continue
        seen.add(nodes)
        place = (event.kind, id(event.site.tree), *(id(n.site.tree) for n in dependencies(value) if n.site))
        turns[place] += 1
        if turns[place] > _TURNS:
            continue
        consumer = Consumer("tape", {"add_loss": "add_loss"}.get(event.kind, f"{event.kind}(...)"), True)
        loss = Loss(entry.name, event.site, consumer, machine.graph, [Output(value, event.site)], value, whole=False)
        loss.keras, loss.happenings, loss.budget = machine.keras, machine.happenings, machine.options.budget
        if isinstance(event.owner, Tape):
            loss.watched = tuple(event.owner.spans)
        _describe(loss, entry, evidence)
        yield loss


class _Written:
    """Numbers for what is written, equal for nodes of two turns that differ only in what is new each time."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._of: list[int] = []  # by the id of a node
        self._numbers: dict[tuple[object, ...], int] = {}

    def number(self, node: Node) -> int:
        """That of ``node``: its value number where it depends on nothing of that kind, else a negative one."""
        for inner in self._graph.nodes[len(self._of) : node.id + 1]:
            inputs = tuple(self._of[x.id] for x in inner.inputs)
            anew = inner.op in ANEW or inner.op == "opaque" or "place" in inner.attrs
            key = (inner.op, inputs, None if inner.site is None else id(inner.site.tree))
            same = not anew and inputs == tuple(x.number for x in inner.inputs)
            self._of.append(inner.number if same else -1 - self._numbers.setdefault(key, len(self._numbers)))
        return self._of[node.id]


def _parts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else list(value.values()) if isinstance(value, dict) else []
