"""Which names of TensorFlow and Keras a file spells, and where: resolved through its imports, but not canonicalised.

``tf.keras.losses.X`` and ``keras.losses.X`` are one function to the analysis and two names to who has to import them.
What the code itself asks for before it uses it (``try``, ``hasattr``, a look at the version) is told as *guarded*.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from losslint.findings import Span
from losslint.frontend.module import Module, bound_names, toplevel
from losslint.frontend.project import Project

ROOTS = ("tensorflow", "keras", "tf_keras")
_ASKS = re.compile(r"hasattr|getattr|version|\btf_?[12]\b|_tf_?[12]|tf_?[12]_", re.IGNORECASE)
"""What a condition holds that looks at what is installed."""
_CATCHING = frozenset(
    ("AttributeError", "ImportError", "ModuleNotFoundError", "TypeError", "Exception", "BaseException")
)

_Scope = dict[str, tuple[str, ...]]
"""Local name -> the dotted names it may stand for; none where it is anything else."""
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Written(NamedTuple):
    """A file as ``Site`` wants it: computes positions of ``ast`` nodes."""

    module: Module

    @property
    def path(self) -> str:
        """The file."""
        return self.module.path

    def span(self, tree: ast.stmt | ast.expr | ast.alias) -> Span:
        """Where ``tree`` stands; a definition at its ``def``, as libcst has it."""
        row, end_row = tree.lineno, tree.end_lineno or tree.lineno
        return Span(row, self._column(row, tree.col_offset), end_row, self._column(end_row, tree.end_col_offset or 0))

    def _column(self, row: int, offset: int) -> int:
        line = self.module.lines[row - 1] if row <= len(self.module.lines) else ""
        return (offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))) + 1


class Reference(NamedTuple):
    """A library's name at one place. ``names`` is what it may stand for, dotted: one, or one for each import of it."""

    names: tuple[str, ...]
    spelled: str
    tree: ast.expr | ast.alias
    owners: tuple[ast.AST, ...]  # the definitions around it, the outermost first
    call: ast.Call | None = None  # the call of it
    guarded: bool = False


@dataclass
class References:
    """All names of libraries in one file, and those that it sets itself."""

    found: list[Reference] = field(default_factory=list)
    assigned: set[str] = field(default_factory=set)  # dotted names that the file sets: "tensorflow.log"
    aliases: _Scope = field(default_factory=dict)  # of the module level


def references(module: Module, project: Project) -> References:
    """What ``module`` spells."""
    reader = _Reader(module, project)
    if reader.may_refer():
        reader.visit_all(module.tree.body)
    return reader.result


class _Reader:
    """Walks over a file with the names in scope."""

    def __init__(self, module: Module, project: Project) -> None:
        self._module, self._project = module, project
        self._local = {root for root in ROOTS if root in module.text and project.find(module, root) is not None}
        self.result = References()
        self._scopes: list[_Scope] = [self.result.aliases]
        self._owners: tuple[ast.AST, ...] = ()
        self._guarded = False
        self._flags: set[str] = set()  # names that hold what was asked about versions
        self._bind(list(toplevel(module.tree.body)), self.result.aliases)

    def may_refer(self) -> bool:
        """Whether the file imports a library at all, and not one that it is part of."""
        return any(self._known(name) for name in self._module.survey.imports)

    # -- names -----------------------------------------------------------------------------------------------------
    def _bind(self, statements: list[ast.stmt], scope: _Scope) -> None:
        """Note what ``statements``, all of one scope, bind."""
        for statement in statements:
            for name in bound_names(statement):
                meant = self._meant(statement, name)
                known = scope.get(name)
                scope[name] = meant if known is None else (*known, *meant) if meant and known else ()
            if isinstance(statement, ast.Assign) and _asks(statement.value, self._flags):
                self._flags.update(bound_names(statement))

    def _meant(self, statement: ast.stmt, name: str) -> tuple[str, ...]:
        if isinstance(statement, ast.Import):
            alias = next(a for a in statement.names if (a.asname or a.name.split(".")[0]) == name)
            return self._known(alias.name if alias.asname else name)
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            alias = next(a for a in statement.names if (a.asname or a.name) == name)
            return self._known(f"{statement.module}.{alias.name}")
        if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Attribute, ast.Name)):
            return self._dotted(statement.value)
        return ()

    def _known(self, name: str) -> tuple[str, ...]:
        top = name.split(".")[0]
        return (name,) if top in ROOTS and top not in self._local else ()

    def _dotted(self, tree: ast.expr) -> tuple[str, ...]:
        """What an attribute chain stands for."""
        parts: list[str] = []
        while isinstance(tree, ast.Attribute):
            parts.append(tree.attr)
            tree = tree.value
        if not isinstance(tree, ast.Name):
            return ()
        meant = next((s[tree.id] for s in reversed(self._scopes) if tree.id in s), ())
        return tuple(dict.fromkeys(".".join([m, *reversed(parts)]) for m in meant))

    # -- the walk --------------------------------------------------------------------------------------------------
    def visit_all(self, trees: list[ast.stmt] | list[ast.expr]) -> None:
        """Walk over ``trees``."""
        for tree in trees:
            self._visit(tree)

    def _visit(self, tree: ast.AST) -> None:
        if isinstance(tree, (ast.Attribute, ast.Name)):
            self._refer(tree, None)
        elif isinstance(tree, ast.Call) and isinstance(tree.func, (ast.Attribute, ast.Name)):
            self._refer(tree.func, tree)
            self._set_by_name(tree)
            self.visit_all([*tree.args, *(k.value for k in tree.keywords)])
        elif isinstance(tree, (ast.ImportFrom, ast.Import)):
            self._import(tree)
        elif isinstance(tree, (*_DEFINITIONS, ast.ClassDef)):
            self._define(tree)
        elif isinstance(tree, ast.Try):
            catches = any(_catches(h.type) for h in tree.handlers)
            self._under(catches, [*tree.body, *(s for h in tree.handlers for s in h.body)])
            self._under(False, [*tree.orelse, *tree.finalbody])
        elif isinstance(tree, (ast.If, ast.IfExp, ast.While)):
            asks = _asks(tree.test, self._flags)
            for part in (tree.test, tree.body, tree.orelse):
                self._under(asks, part if isinstance(part, list) else [part])
        elif isinstance(tree, ast.BoolOp):
            self._under(_asks(tree, self._flags), tree.values)
        else:
            self._assign(tree)
            for child in ast.iter_child_nodes(tree):
                self._visit(child)

    def _under(self, guarded: bool, trees: list[ast.stmt] | list[ast.expr]) -> None:
        kept, self._guarded = self._guarded, self._guarded or guarded
        self.visit_all(trees)
        self._guarded = kept

    def _refer(self, tree: ast.Attribute | ast.Name, call: ast.Call | None) -> None:
        names = self._dotted(tree) if isinstance(tree.ctx, ast.Load) else ()
        if names:
            self._add(Reference(names, ast.unparse(tree), tree, self._owners, call, self._guarded))
        elif isinstance(tree, ast.Attribute):
            self._visit(tree.value)

    def _add(self, reference: Reference) -> None:
        self.result.found.append(reference)

    def _import(self, tree: ast.Import | ast.ImportFrom) -> None:
        if not isinstance(tree, ast.ImportFrom) or tree.level:
            return
        for alias in tree.names:
            names = self._known(f"{tree.module}.{alias.name}") if alias.name != "*" else ()
            if names:
                self._add(Reference(names, names[0], alias, self._owners, None, self._guarded))

    def _define(self, tree: ast.AST) -> None:
        """A function or class: its body has a scope of its own, decorators and defaults have not."""
        assert isinstance(tree, (*_DEFINITIONS, ast.ClassDef))
        body = tree.body if isinstance(tree.body, list) else [tree.body]
        inner = {id(s) for s in body}
        for child in ast.iter_child_nodes(tree):
            if id(child) not in inner:
                self._visit(child)
        scope: _Scope = {}
        if not isinstance(tree, ast.ClassDef):
            args = tree.args
            named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
            scope.update((a.arg, ()) for a in named if a is not None)
        guarded, owners = self._guarded, self._owners
        self._owners = (*owners, tree)
        self._scopes.append(scope)
        if isinstance(tree, ast.ClassDef):
            self.visit_all(body)
        else:
            statements = list(toplevel([s for s in body if isinstance(s, ast.stmt)]))
            self._bind(statements, scope)
            self._guarded |= any(isinstance(s, ast.If) and _asks(s.test, self._flags) for s in statements)
            self.visit_all(body)
        self._scopes.pop()
        self._guarded, self._owners = guarded, owners

    # -- names that the file sets ----------------------------------------------------------------------------------
    def _assign(self, tree: ast.AST) -> None:
        targets = tree.targets if isinstance(tree, (ast.Assign, ast.Delete)) else [getattr(tree, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute):
                self.result.assigned.update(self._dotted(target))

    def _set_by_name(self, call: ast.Call) -> None:
        """``setattr(tf, "log", ...)``."""
        if isinstance(call.func, ast.Name) and call.func.id == "setattr" and len(call.args) == 3:
            owner, name = call.args[:2]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.result.assigned.update(f"{o}.{name.value}" for o in self._dotted(owner))


def _catches(kind: ast.expr | None) -> bool:
    return kind is None or any(
        (n.id if isinstance(n, ast.Name) else n.attr) in _CATCHING
        for n in ast.walk(kind)
        if isinstance(n, (ast.Name, ast.Attribute))
    )


def _asks(test: ast.expr, flags: set[str]) -> bool:
    """Whether a condition looks at what is installed."""
    return any(
        bool(_ASKS.search(n.id)) or n.id in flags
        if isinstance(n, ast.Name)
        else bool(_ASKS.search(n.attr))
        if isinstance(n, ast.Attribute)
        else False
        for n in ast.walk(test)
    )
