"""Executes statements abstractly: branches meet, loops run to two turns, every consumer of a loss leaves an event."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import libcst as cst

import losslint.ops.catalogue  # noqa: F401  # registers what library names mean
from losslint.domain.shape import Shape
from losslint.frontend.module import Slice, below, toplevel
from losslint.frontend.names import is_loss_name
from losslint.graph import Node, SomeOf, Unknown, ancestors
from losslint.interpreter.calls import Calls
from losslint.interpreter.core import Event, Frame, handler
from losslint.interpreter.merging import Overwritten, forked, merged
from losslint.interpreter.scope import MISSING, ModuleScope, Scope
from losslint.interpreter.values import UNKNOWN_KEY, Bindings, Class, Function, Instance, Tape, dependencies
from losslint.loss import Output

State = tuple[Bindings, list[Bindings]]
"""What the names of a scope and the attributes of all objects hold."""
MAX_TURNS = 24


class Machine(Calls):
    """Runs one loss: what it executes, evaluates and calls is left in ``graph`` and ``events``."""

    # -- modules ---------------------------------------------------------------------------------------------------
    def run_statement(self, statement: ast.stmt, scope: ModuleScope, whole: bool = False) -> None:
        """Execute one module-level statement that ``ast`` found; see ``Module.slice``."""
        slice_, tree = scope.source.slice(statement, whole)
        with self.inside(Frame(scope, slice_)):
            self.block([tree])

    def decided(self, test: ast.expr, scope: ModuleScope) -> bool | None:
        """How a test at the top level of a module turns out, None where that is not known."""
        slice_, tree = scope.source.condition(test)
        with self.inside(Frame(scope, slice_)):
            return self.truth(self.eval(tree))

    def run_module(self, scope: ModuleScope, needed: Sequence[bool] | None = None) -> None:
        """Execute the module in order, as a script or a notebook does; of its statements those that are ``needed``."""
        body = scope.source.tree.body
        for statement in body if needed is None else itertools.compress(body, needed):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                scope.bind_import(statement)
            elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or any(
                s is statement for s in toplevel(scope.source.tree.body)
            ):
                self.run_statement(statement, scope)

    # -- statements ------------------------------------------------------------------------------------------------
    def block(self, body: Any) -> bool:
        """Execute statements; whether control can reach the end."""
        for statement in body:
            self.step()
            if isinstance(statement, cst.SimpleStatementLine):
                for small in statement.body:
                    if not self._small(small):
                        return False
            else:
                kind: type[cst.CSTNode] = type(statement)
                run = handler(type(self), "_run_", kind)
                if run is not None and not run(self, statement):
                    return False
        return True

    def _small(self, tree: cst.BaseSmallStatement) -> bool:
        run = handler(type(self), "_run_", type(tree))
        return True if run is None else run(self, tree)

    def _run_Expr(self, tree: cst.Expr) -> bool:
        value = self.eval(tree.value)
        if isinstance(value, Node) and not isinstance(tree.value, (cst.Yield, cst.Await)):
            self.note("discard", self.site(tree.value), result=value)
        return True

    def _run_Return(self, tree: cst.Return) -> bool:
        value = self.eval(tree.value) if tree.value is not None else None
        self.frame.outputs.append(Output(value, self.site(tree), any(self.frame.conditions)))
        return False

    def _run_Raise(self, tree: cst.Raise) -> bool:
        self.raises()
        return False

    def _run_Continue(self, tree: cst.Continue) -> bool:
        self.frame.skipped.append(forked(self.scope.names))
        return False

    def _run_Break(self, tree: cst.Break) -> bool:
        self.frame.broken.append(forked(self.scope.names))
        return False

    def _run_Assign(self, tree: cst.Assign) -> bool:
        value = self.eval(tree.value)
        for target in tree.targets:
            self.bind(target.target, value)
        return True

    def _run_AnnAssign(self, tree: cst.AnnAssign) -> bool:
        if tree.value is not None:
            self.bind(tree.target, self.eval(tree.value))
        return True

    def _run_AugAssign(self, tree: cst.AugAssign) -> bool:
        before = self.eval(tree.target)
        value = self.eval(tree.value)
        if isinstance(before, list) and isinstance(value, (list, tuple)):
            self.grow(before, value)
            before.extend(value)
            return True
        with self.graph.at(self.site(tree)):
            self.bind(tree.target, self.binary(type(tree.operator).__name__.removesuffix("Assign"), before, value))
        return True

    def _run_Assert(self, tree: cst.Assert) -> bool:
        value = self.asked("assert", tree.test, self.eval(tree.test))
        if isinstance(value, Node):
            value.attrs["asserted"] = True
        if self.truth(value) is False:  # an argument whose default is None has to be given, for one
            self.raises()
        return True

    def _run_Del(self, tree: cst.Del) -> bool:
        return True

    def _run_Global(self, tree: cst.Global) -> bool:
        if isinstance(self.scope, Scope):
            for item in tree.names:
                self.scope.outer[item.name.value] = self.scope.module
        return True

    def _run_Nonlocal(self, tree: cst.Nonlocal) -> bool:
        if isinstance(self.scope, Scope):
            for item in tree.names:
                self.scope.outer[item.name.value] = self.scope.nearest(item.name.value)
        return True

    def _run_Import(self, tree: cst.Import) -> bool:
        return self._bind_import(tree)

    def _run_ImportFrom(self, tree: cst.ImportFrom) -> bool:
        return self._bind_import(tree)

    def _bind_import(self, tree: cst.Import | cst.ImportFrom) -> bool:
        statement = ast.parse(cst.Module([cst.SimpleStatementLine([tree])]).code.strip()).body[0]
        module = self.scope.module
        kept, module.names = module.names, Bindings()
        try:
            module.bind_import(statement)  # type: ignore[arg-type]
            bound: dict[str, Any] = module.names
        finally:
            module.names = kept
        for name, value in bound.items():
            self.scope.assign(name, value)
        return True

    def _run_FunctionDef(self, tree: cst.FunctionDef) -> bool:
        self.scope.assign(tree.name.value, self.define(tree))
        return True

    def define(self, tree: cst.FunctionDef, owner: Class | None = None) -> Any:
        """The value a ``def`` binds, decorators applied."""
        name = self.qualified(tree.name.value, owner)
        left_out = self.frame.slice.left_out.get(id(tree))
        function = Function(tree, self.frame.slice, self.scope, name, owner=owner, _left_out=left_out)  # type: ignore[arg-type]
        self.created[self.frame.slice.path, name] = function
        value: Any = function
        for decorator in reversed(tree.decorators):
            value = self.decorated(decorator.decorator, value)
        return value

    def _run_ClassDef(self, tree: cst.ClassDef) -> bool:
        bases = [self.eval(a.value) for a in tree.bases if a.star == ""]
        cls = Class(tree, self.frame.slice, self.qualified(tree.name.value), bases, {})
        scope = Scope(self.scope, cls.name)
        body = tree.body.body if isinstance(tree.body, cst.IndentedBlock) else []
        methods = [s for s in body if isinstance(s, cst.FunctionDef)]
        with self.inside(Frame(scope, self.frame.slice)):
            self.block([s for s in body if isinstance(s, cst.SimpleStatementLine)])
        cls.members.update(scope.names)
        for method in methods:
            # methods do not see the names of the class body
            defined = self.define(method, cls)
            cls.members[method.name.value] = defined
        self.scope.assign(tree.name.value, cls)
        return True

    def _run_With(self, tree: cst.With) -> bool:
        tapes = []
        for item in tree.items:
            value = self.eval(item.item)
            if item.asname is not None:
                entered = value if isinstance(value, (Tape, Instance)) else Unknown(tuple(dependencies(value)))
                self.bind(item.asname.name, entered)
            if isinstance(value, Tape):
                tapes.append(value)
        start = len(self.graph.nodes)
        falls = self.block(tree.body.body)
        for tape in tapes:
            tape.spans.append((start, len(self.graph.nodes)))
        return falls

    def _run_Try(self, tree: cst.Try) -> bool:
        falls = self.block(tree.body.body)
        if falls and tree.orelse is not None:
            falls = self.block(tree.orelse.body.body)
        if not falls and tree.handlers and not self.frame.outputs:
            falls = self.block(tree.handlers[0].body.body)  # the body only raised
        if tree.finalbody is not None:
            falls = self.block(tree.finalbody.body.body) and falls
        return falls

    def _run_If(self, tree: cst.If) -> bool:
        condition = self.asked("if", tree.test, self.eval(tree.test))
        decided = self.truth(condition)
        orelse = tree.orelse
        other: Any = [orelse] if isinstance(orelse, cst.If) else orelse.body.body if orelse is not None else []
        asks = _asks_for_presence(tree.test)
        self.frame.guards += asks
        try:
            return self._taken(tree.body.body, other, condition, decided)
        finally:
            self.frame.guards -= asks

    def _taken(self, body: Any, other: Any, condition: Any, decided: bool | None) -> bool:
        if decided is not None:
            return self.block(body if decided else other)
        roles = {n.attrs["role"] for n in ancestors(dependencies(condition)) if n.op == "source"}
        configured = roles <= {"config", "captured"}
        return self.branches([body, other], configured)

    def branches(self, bodies: list[Any], configured: bool) -> bool:
        """Execute alternatives from the same state and merge what they leave behind."""
        before = self._state()
        after = []
        self.frame.conditions.append(configured)
        around, changed = self.overwritten, Overwritten()
        try:
            for body in bodies:
                if changed:  # by the last one; this one starts from what was there before
                    before = self._before(before, changed)
                self._restore(before)
                self.overwritten = changed = {}
                if self.block(body):
                    after.append(self._state())
                if around is not None:
                    around.update(changed | around)  # the same dictionary: whoever is around looks at it
        finally:
            self.overwritten = around
        self.frame.conditions.pop()
        if not after:
            return False
        self._merge(after)
        return True

    def _state(self) -> State:
        """What is bound now. It is not copied: who goes on from here restores a state first."""
        return self.scope.names, [i.attrs for i in self.instances]

    def _before(self, state: State, overwritten: Overwritten) -> State:
        """``state`` with containers of its own, as they were when ``overwritten`` was begun."""
        memo: dict[int, Any] = {}
        return forked(state[0], memo, overwritten), [forked(attrs, memo, overwritten) for attrs in state[1]]

    def _restore(self, state: State) -> None:
        """Go on from ``state``, which others share: what is changed in it is kept in ``overwritten``."""
        names, attributes = state
        names.shared = True
        self.scope.names = names
        for instance, attrs in zip(self.instances, attributes, strict=False):
            attrs.shared = True
            instance.attrs = attrs

    def _merge(self, states: list[State]) -> None:
        names = [s[0] for s in states]
        self.scope.names = self._met(names)
        for i, instance in enumerate(self.instances):
            attrs = [s[1][i] for s in states if i < len(s[1])]
            if attrs:
                instance.attrs = self._met(attrs)

    def _met(self, states: list[Bindings]) -> Bindings:
        """What each name holds where ``states`` meet."""
        first, *others = states
        if all(s is first for s in others):
            return first
        met = Bindings()
        for name, value in first.items():
            for state in others:
                if state.get(name, value) is not value:
                    value = merged(self.graph, [s[name] for s in states if name in s])
                    break
            met[name] = value
        for name in _keys(others):
            if name not in met:
                met[name] = merged(self.graph, [s[name] for s in others if name in s])
        met.containers = any(s.containers for s in states)
        return met

    def _run_For(self, tree: cst.For) -> bool:
        items = self.eval(tree.iter)
        self.note("loop", self.site(tree.iter), items, name="for")
        known = self.elements(items)
        if known is not None and len(known) <= MAX_TURNS and not isinstance(known, SomeOf):
            return self._known_turns(tree, known)
        with self.graph.at(self.site(tree.iter)):
            self._unknown_turns(tree, lambda: self.bind(tree.target, self.element_of(items)))
        return True

    def _known_turns(self, tree: cst.For, items: Iterable[Any]) -> bool:
        """A turn for each of ``items``, until all ways have left the loop; those by ``break`` go on behind its else."""
        left: list[Bindings] = []
        falls = True
        for item in items:
            self.bind(tree.target, item)
            falls, broken = self._turn(tree.body.body)
            left += broken
            if not falls:
                break
        else:
            falls = tree.orelse is None or self.block(tree.orelse.body.body)
        if left:
            self.scope.names = self._met([*([self.scope.names] if falls else []), *left])
        return falls or bool(left)

    def _run_While(self, tree: cst.While) -> bool:
        decided = self.truth(self.asked("while", tree.test, self.eval(tree.test)))
        if decided is not False:
            self._unknown_turns(tree, lambda: self.eval(tree.test))
        return True

    def _turn(self, body: Any) -> tuple[bool, list[Bindings]]:
        """One turn of a loop: whether another may follow, and the states in which a ``break`` has left it."""
        kept = self.frame.skipped, self.frame.broken
        self.frame.skipped, self.frame.broken = [], []
        falls = self.block(body)
        skipped, broken = self.frame.skipped, self.frame.broken
        self.frame.skipped, self.frame.broken = kept
        if skipped:
            self.scope.names = self._met([*([self.scope.names] if falls else []), *skipped])
        return falls or bool(skipped), broken

    def _unknown_turns(self, tree: cst.For | cst.While, start: Any) -> None:
        """Two turns of a loop of unknown length; what changes meets in ``loop`` nodes."""
        states = [forked(self.scope.names)]
        self.frame.conditions.append(False)
        for _ in range(2):
            start()
            falls, broken = self._turn(tree.body.body)
            if broken:  # how many turns there are is not known in any case
                self.scope.names = self._met([*([self.scope.names] if falls else []), *broken])
            elif not falls:
                break
            states.append(forked(self.scope.names))
        self.frame.conditions.pop()
        names = {}
        for name in _keys(states):
            values = [s[name] for s in states if name in s]
            names[name] = merged(self.graph, values, loop=len(values) == 3)
        self.scope.names = Bindings(names)

    # -- binding ---------------------------------------------------------------------------------------------------
    def bind(self, target: cst.BaseExpression, value: Any) -> None:
        """Assign ``value`` to a name, attribute, element or pattern."""
        if isinstance(target, cst.Name):
            self.scope.assign(target.value, value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, value)
        elif isinstance(target, cst.StarredElement):
            self.bind(target.value, value)
        elif isinstance(target, cst.Attribute):
            owner = self.eval(target.value)
            if isinstance(owner, Instance):
                owner.keep(target.attr.value, value)
        elif isinstance(target, cst.Subscript):
            owner, key = self.eval(target.value), self.key(target)
            if isinstance(owner, (dict, list)):
                self.grow(owner, [value])
            if isinstance(owner, SomeOf) and isinstance(key, int) and not 0 <= key < owner.certain:
                key = Unknown((), "an element of many")
            if isinstance(owner, (dict, list)) and not isinstance(key, (Node, Unknown, slice, tuple)):
                with contextlib.suppress(Exception):
                    owner[key] = value
            elif isinstance(owner, dict):
                owner[f"{UNKNOWN_KEY}{len(owner)}"] = value
            elif isinstance(owner, list) and isinstance(key, (Node, Unknown)):
                # any of its elements may be set; None only keeps their places
                owner[:] = [value if kept is None else merged(self.graph, [kept, value]) for kept in owner]

    def _unpack(self, target: cst.Tuple | cst.List, value: Any) -> None:
        wanted = len(target.elements)
        self.note("unpack", self.site(target), value, wanted)
        starred = [i for i, e in enumerate(target.elements) if isinstance(e, cst.StarredElement)]
        items = self.elements(value)
        if isinstance(items, SomeOf):
            items = None if len(items) != wanted or items.certain < wanted else list(items)
        if items is not None and starred and len(items) >= wanted - 1:
            at, extra = starred[0], len(items) - wanted + 1
            items = [*items[:at], list(items[at : at + extra]), *items[at + extra :]]
        if items is None or len(items) != wanted:
            with self.graph.at(self.site(target)):
                items = [self.element_of(value, i, wanted) for i in range(wanted)]
            for at in starred:
                items[at] = self.held(SomeOf(value if isinstance(value, SomeOf) else [items[at]]))
        for element, item in zip(target.elements, items, strict=True):
            if isinstance(item, Node) and item.op == "static_dim" and self._is_unread(element.value):
                item.attrs["harmless"] = True  # "_, h, w, c = x.shape": that one may be None
            name = element.value.value if isinstance(element.value, cst.Name) else ""
            if isinstance(item, Node) and item.op == "model" and is_loss_name(name):
                item.shape = Shape.unknown()  # "loss, logits = model(x, y)": a model that has reduced it already
            self.bind(element.value, item)

    def _is_unread(self, target: cst.BaseExpression) -> bool:
        """Whether a name that is bound here stands nowhere else in the function around."""
        if not isinstance(target, cst.Name):
            return False
        return id(target) in _names_met_once(self.frame.slice)


@functools.lru_cache(maxsize=4096)  # trees are compared by identity; a condition is met again and again
def _asks_for_presence(test: cst.BaseExpression) -> bool:
    """Whether a condition asks if something is there: ``self.v is None``, ``"v" not in cache``, ``not self.built``."""
    denied = test.expression if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not) else None
    if isinstance(denied, (cst.Name, cst.Attribute)):
        return True
    return any(
        isinstance(tree, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
        or (isinstance(tree, cst.Call) and isinstance(tree.func, cst.Name) and tree.func.value == "hasattr")
        for tree in below(test)
    )


@functools.lru_cache(maxsize=8)
def _names_met_once(slice_: Slice) -> frozenset[int]:
    """The names that stand just once in some function of ``slice_``, by ``id``: the slice keeps the trees alive."""
    once: set[int] = set()
    for function in below(slice_.tree):
        if isinstance(function, cst.FunctionDef):
            met: dict[str, list[int]] = {}
            for tree in below(function):
                if isinstance(tree, cst.Name):
                    met.setdefault(tree.value, []).append(id(tree))
            once.update(ids[0] for ids in met.values() if len(ids) == 1)
    return frozenset(once)


def _keys(states: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for state in states for name in state))


__all__ = ["MISSING", "Event", "Frame", "Machine"]
