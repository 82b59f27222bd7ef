"""Loads the functions of a bundle, in the worker, without ever running a file from top to bottom.

A name that is looked up has the statements executed that bind it (``lazymodule``). Imports lead to other files of the
bundle, to the few packages that may be imported, or to a stub (``stubs``); old names of TensorFlow and Keras are
provided (``oldnames``); ``targets`` finds the function that is to be run and ``instances`` makes its ``self``.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from losslint.confirm.jobs import Bundle
from losslint.confirm.lazymodule import Executed, LazyModule, Scope
from losslint.confirm.oldnames import OldNames, meant_by
from losslint.confirm.stubs import Stub, line_in

if TYPE_CHECKING:
    from losslint.confirm.inline import Inline

Make = Callable[[str, inspect.Parameter, Any], Any]
"""``make(name, parameter, owner)`` makes up an argument of ``owner``, a factory or a class."""

_ALLOWED = frozenset(
    """tensorflow keras tf_keras numpy scipy tensorflow_probability tensorflow_addons tensorflow_graphics keras_core
    keras_cv keras_hub keras_nlp einops absl six typing_extensions ml_dtypes opt_einsum h5py optree google packaging
    __future__""".split()
)
"""Packages that are imported if they are installed, beside the standard library."""
_REAL = frozenset(("tensorflow", "keras", "tf_keras", "numpy"))
"""Packages that are never taken from the tree: their files are of little use without the installed rest."""
_INERT = ("typeguard", "gin", "typing", "typeguard.typechecked", "numba", "beartype", "tensorflow_addons", "pytest")
"""Packages whose decorators do not change what a function computes."""
_INERT_NAMES = frozenset("register register_keras_serializable registered configurable typechecked export".split())


class CannotLoad(Exception):
    """The function cannot be had; the message is one line that says why."""


class Loader:
    """The modules of ``bundle``. One a process: it changes the real modules where names are missing."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.executed: list[Executed] = []
        self.used_stubs: list[str] = []  # even where the user's code went on after the exception
        self.left_out: list[str] = []  # decorators and bases that were stubs and do not change what is computed
        self.assumed: list[str] = []  # what had to be made up
        self.instance: Any = None  # what the resolved method is bound to
        self.recipe = ""  # an expression that makes the resolved function in plain Python; "" where none does
        self.source = ""  # the source of an inline loss, which stands in no file
        self.builtins = vars(builtins) | {"__import__": self._import}
        self._old = OldNames(lambda name: self._real(name, False))
        self._by_path: dict[str, LazyModule] = {}
        self._modules: dict[str, LazyModule] = {}
        self._paths = frozenset(file.path for file in bundle.files.values())
        self._packages = {k.rsplit(".", n)[0] for k in bundle.files for n in range(1, k.count(".") + 1)}
        sys.argv = [bundle.files[bundle.main].path]

    @property
    def shims(self) -> list[str]:
        """Which old names ran as what."""
        return self._old.shims

    @property
    def replaced(self) -> dict[str, Any]:
        """Dotted name -> what the installed package has there, where an old name was provided."""
        return self._old.replaced

    @property
    def main(self) -> LazyModule:
        """The module of the loss."""
        return self.module(self.bundle.main)

    @property
    def scope(self) -> Scope:
        """The globals of the module of the loss."""
        scope: Scope = self.main.__dict__["losslint_scope"]
        return scope

    def module(self, name: str) -> LazyModule:
        """The module of the bundle that is imported as ``name``. Raises CannotLoad."""
        found = self._lazy(name)
        if found is None:
            raise CannotLoad(f"there is no module {name} in the bundle")
        return found

    def by_name(self, name: str) -> LazyModule | None:
        """The loaded module whose ``__name__`` is ``name``."""
        return self._modules.get(name)

    def resolve(self, target: str, make: Make) -> Callable[..., Any]:
        """The function called ``target``, a qualified name, its factories called and its class instantiated.

        Raises CannotLoad.
        """
        from losslint.confirm.targets import resolve

        return resolve(self, target, make)

    def resolve_inline(self, inline: Inline, make: Make) -> Callable[..., Any]:
        """The function that computes ``inline``, with ``self`` bound where it has one. Raises CannotLoad."""
        from losslint.confirm.targets import resolve_inline

        return resolve_inline(self, inline, make)

    def row_of(self, error: BaseException) -> str:
        """Where in the bundle ``error`` was raised: ", losses.py line 3"."""
        found = ""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self._paths:
                path = trace.tb_frame.f_code.co_filename
                here = "" if path == self.scope.file.path else f"{path.rpartition('/')[2]} "
                found = f", {here}line {trace.tb_lineno}"
            trace = trace.tb_next
        return found

    # what lazy modules ask for

    def star(self, scope: Scope, statement: ast.ImportFrom, name: str) -> Any:
        """What ``statement`` (``from x import *``) binds ``name`` to. Raises KeyError."""
        absolute = _absolute(statement.module or "", statement.level, scope["__package__"])
        module = self._find(absolute, True)
        if isinstance(module, Stub):
            others = [s for s in scope.stars if s is not statement]
            if others and scope.stars.index(statement) > 0:
                raise KeyError(name)  # only the first may claim what no other has
            return getattr(module, name)
        public = getattr(module, "__all__", None)
        if name.startswith("_") and (public is None or name not in public):
            raise KeyError(name)
        if isinstance(module, LazyModule):
            inner: Scope | None = module.__dict__["losslint_scope"]
            if inner is None or inner is scope:
                raise KeyError(name)
            return inner[name]
        if (public is not None and name not in public) or not hasattr(module, name):
            raise KeyError(name)
        return getattr(module, name)

    def dropped(self, stub: Stub, path: str, row: int) -> None:
        """``stub`` was left out as a decorator at ``row``."""
        self._note_inert(stub, f"the decorator {stub._stub_name}, line {row}")

    def _report(self, stub: Stub, how: str) -> str:
        """Note a use of ``stub``; the text that says where."""
        path, row = line_in(self._paths)
        name = stub._stub_name
        here = "" if path == self.bundle.files[self.bundle.main].path else f"{path.rpartition('/')[2]} "
        text = f"{name}, {here}line {row}" if row else name
        if how == "base":
            self._note_inert(stub, f"the base class {text}")
        elif text not in self.used_stubs:
            self.used_stubs.append(text)
        return text

    def _note_inert(self, stub: Stub, text: str) -> None:
        name = stub._stub_name
        known = name.split(".")[0] in _INERT or name.rpartition(".")[2] in _INERT_NAMES
        record = self.left_out if known else self.used_stubs
        if text not in record:
            record.append(text)

    # imports

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        """``__import__`` of the modules of the bundle."""
        frame = sys._getframe(1)
        scope = globals if isinstance(globals, Scope) else None
        guarded = scope is not None and frame.f_code.co_filename == scope.file.path and frame.f_lineno in scope.guarded
        absolute = _absolute(name, level, (globals or {}).get("__package__") or "")
        module = self._find(absolute, not guarded)
        if not fromlist:
            top = self._find(absolute.split(".")[0], not guarded)
            return top
        members = {n: self._member(module, absolute, n, guarded) for n in fromlist}
        return types.SimpleNamespace(**members)

    def _find(self, name: str, stub: bool) -> Any:
        """The module called ``name``. Raises ImportError where there is none, unless a ``stub`` will do."""
        top = name.split(".")[0]
        found: Any = self._lazy(name) if top not in _REAL else None
        if found is None and (top in _ALLOWED or top in sys.stdlib_module_names):
            found = self._real(name, stub)
        if found is None:
            if not stub:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            found = Stub(name, self._report)
        return found

    def _real(self, name: str, moved: bool) -> Any:
        """The installed module called ``name``, or what holds its contents now; None where neither is there."""
        meant = meant_by(name)
        if meant != name:
            self._old.note("keras ran as tf_keras")
        try:
            return importlib.import_module(meant)
        except ImportError:
            return self._old.module(name) if moved else None

    def _member(self, module: Any, path: str, name: str, guarded: bool) -> Any:
        """What ``from path import name`` binds. Raises ImportError."""
        if isinstance(module, Stub):
            return getattr(module, name)
        try:
            return getattr(module, name)
        except AttributeError:
            inner = f"{path}.{name}"
        if isinstance(module, LazyModule):
            if module.__dict__["losslint_scope"] is None and not guarded:
                return Stub(inner, self._report)
        else:
            found = self._real(inner, False)
            if found is None and not guarded:
                found = self._old.member(module, path, name) or Stub(inner, self._report)
            if found is not None:
                return found
        raise ImportError(f"cannot import name {name!r} from {path!r}", name=path)

    def _lazy(self, name: str) -> LazyModule | None:
        """The module of the bundle that is imported as ``name``; a folder without a file is one, too."""
        if name not in self._modules:
            file = self.bundle.files.get(name)
            if file is None and name not in self._packages:
                return None
            module = self._by_path.get(file.path) if file is not None else None
            if module is None:
                scope = None
                if file is not None:
                    package = name if file.package else name.rpartition(".")[0]
                    scope = Scope(self, file, name, package)
                    self._old.provide(scope.tree)
                module = LazyModule(name, scope, self._lazy)
                if file is not None:
                    self._by_path[file.path] = module
                sys.modules.setdefault(name, module)  # where inspect and dataclasses look
            self._modules[name] = module
        return self._modules[name]


def _absolute(name: str, level: int, package: str) -> str:
    """The absolute name of a relative import."""
    if not level:
        return name
    base = package.rsplit(".", level - 1)[0] if level > 1 else package
    return f"{base}.{name}".strip(".")
