"""What names are bound to: function scopes, and module scopes that evaluate a definition when it is asked for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from losslint.frontend.module import Module
from losslint.frontend.names import LIBRARIES, canonical
from losslint.interpreter.values import Api, Bindings, ModuleRef
from losslint.ops.registry import CATALOGUE, CONSTANTS, packages

if TYPE_CHECKING:
    from losslint.interpreter.core import Core

MISSING = object()
"""What a lookup answers where a name is bound nowhere."""


@dataclass(eq=False)
class Scope:
    """The names of one function call; class bodies and comprehensions have one as well."""

    parent: Scope | ModuleScope
    function: str
    names: Bindings = field(default_factory=Bindings)
    outer: dict[str, Scope | ModuleScope] = field(default_factory=dict)  # nonlocal and global names

    @property
    def module(self) -> ModuleScope:
        """The module this scope is in."""
        return self.parent if isinstance(self.parent, ModuleScope) else self.parent.module

    def lookup(self, name: str) -> Any:
        """The value of ``name`` here or further out, MISSING where it has none."""
        if name in self.names:
            return self.names[name]
        return self.parent.lookup(name)

    def assign(self, name: str, value: Any) -> None:
        """Bind ``name``, in the scope that a global or nonlocal statement chose."""
        if name in self.outer:
            self.outer[name].assign(name, value)
        else:
            self.names = self.names.bound(name, value)

    def nearest(self, name: str) -> Scope | ModuleScope:
        """The enclosing function scope that binds ``name``."""
        scope: Scope | ModuleScope = self.parent
        while isinstance(scope, Scope) and name not in scope.names:
            scope = scope.parent
        return scope


def _imports(statements: list[ast.stmt]) -> bool:
    """Whether all ``statements`` are imports."""
    return all(isinstance(s, (ast.Import, ast.ImportFrom)) for s in statements)


@dataclass(eq=False)
class ModuleScope:
    """The names of a module, each evaluated from the statements that bind it when it is first looked up."""

    machine: Core
    source: Module
    names: Bindings = field(default_factory=Bindings)
    _pending: set[str] = field(default_factory=set)

    @property
    def module(self) -> ModuleScope:
        """Itself."""
        return self

    function = "<module>"

    def assign(self, name: str, value: Any) -> None:
        """Bind ``name``."""
        self.names = self.names.bound(name, value)

    def lookup(self, name: str) -> Any:
        """The value of ``name``, MISSING where the module does not bind it."""
        if name in self.names:
            return self.names[name]
        statements = self.source.bindings.get(name)
        if statements and name not in self._pending:
            self._pending.add(name)
            try:
                value = self._starred(name, below=statements[-1].lineno) if _imports(statements) else MISSING
                value = self._evaluate(name, statements) if value is MISSING else value
            finally:
                self._pending.discard(name)
            if value is not MISSING:
                self.assign(name, value)
            return value
        if not statements:
            return self._starred(name)
        return MISSING

    def _evaluate(self, name: str, statements: list[ast.stmt]) -> Any:
        imports = [s for s in statements if isinstance(s, (ast.Import, ast.ImportFrom))]
        definitions = [s for s in statements if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
        if definitions:
            self.machine.run_statement(definitions[-1], self)
        elif imports:
            # try: import keras / except ImportError: from tensorflow import keras: the first will do
            for imported in imports:
                self.bind_import(imported)
                if name in self.names:
                    break
        else:
            for statement in statements[-3:] if len(statements) > 3 else statements:
                if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                    self.machine.run_statement(statement, self)
        return self.names.get(name, MISSING)

    def bind_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Bind what an import statement binds."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.split(".")[0]
                value = self.imported(alias.name if alias.asname else top)
                self.assign(alias.asname or top, value)
            return
        for alias in statement.names:
            if alias.name != "*":
                member = self.member(statement.module or "", statement.level, alias.name)
                self.assign(alias.asname or alias.name, member)

    def imported(self, name: str) -> Any:
        """The module ``import name`` gives."""
        if name.split(".")[0] not in LIBRARIES:
            found = self.machine.project.find(self.source, name)
            if found is not None:
                return ModuleRef(found)
        return Api(canonical(name))

    def member(self, module: str, level: int, name: str) -> Any:
        """What ``from <dots>module import name`` gives: a library's name first, then the linted tree's."""
        full = canonical(f"{module}.{name}") if not level else ""
        if full and (full in CATALOGUE or full in CONSTANTS):
            return Api(full)
        if level or module.split(".")[0] not in LIBRARIES or canonical(module).count("."):
            found = self.machine.project.find(self.source, module, level)
            if found is not None:
                value = self.machine.module_scope(found).lookup(name)
                if value is not MISSING:
                    return value
            below = self.machine.project.find(self.source, f"{module}.{name}" if module else name, level)
            if below is not None:
                return ModuleRef(below)
        return Api(full or f"{module}.{name}".lstrip("."))

    def _starred(self, name: str, below: int = 0) -> Any:
        """What a star import under the row ``below`` binds ``name`` to; MISSING where none does."""
        for statement, conditions in self.source.star_imports:
            if statement.lineno <= below or any(
                self.machine.decided(test, self) is (not wanted) for test, wanted in conditions
            ):
                continue
            full = canonical(f"{statement.module or ''}.{name}") if not statement.level else ""
            if full and (full in CATALOGUE or full in CONSTANTS or full in packages()):
                return Api(full)
            found = self.machine.project.find(self.source, statement.module or "", statement.level)
            if found is not None and found.path != self.source.path:
                value = self.machine.module_scope(found).lookup(name)
                if value is not MISSING:
                    return value
        return MISSING
