"""Makes the ``self`` of a method: an object of its class, whose constructor may fail or ask for what nobody has.

What the constructor did not set is computed when it is read, by the one statement of the class that sets it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from losslint.confirm.inline import computing
from losslint.confirm.lazymodule import LazyModule, Scope

if TYPE_CHECKING:
    from losslint.confirm.loader import Loader, Make

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Setter(NamedTuple):
    """A statement that sets an attribute: ``name`` as it is written in the class ``owner``."""

    function: Function
    row: int
    scope: Scope
    owner: str
    name: str


def instance_of(loader: Loader, cls: type, make: Make, trained: bool = False) -> tuple[Any, str]:
    """An object of ``cls`` and the arguments that made it, as source ("?" where they cannot be written).

    It is made by its constructor, or bare where that fails; a model is compiled if it is to be trained.
    Raises CannotLoad.
    """
    from losslint.confirm.targets import arguments, written

    _inject(cls)
    members = _on_demand(loader, cls, make)
    definitions = [d for d, _ in _definitions(loader, cls) if d.name == cls.__name__]
    try:
        args, kwargs = arguments(cls, [*definitions], make, cls, {})
        made = _constructed(loader, cls, args, kwargs)
        given = written(args, kwargs)
        object.__setattr__(made, "__class__", type(cls)(cls.__name__, (cls,), members))
    except (Exception, SystemExit) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        loader.assumed.append(f"{cls.__name__}(...) fails ({why}{loader.row_of(error)}): what it sets is made up")
        made = _bare(loader, cls, members)
        given = "?"
    if trained and _compile(loader, made):
        given = "?"
    return made, given


def _inject(cls: type) -> None:
    """Give keras-applications style classes the modules that they wait for: ``_backend = None`` in the class."""
    waiting = [n for n in ("_backend", "_layers", "_models", "_utils") if getattr(cls, n, 0) is None]
    if len(waiting) > 1:
        from tensorflow import keras

        for name in waiting:
            setattr(cls, name, getattr(keras, name[1:]))


def _constructed(loader: Loader, cls: type, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """``cls`` of these arguments; the "auto" reduction of Keras 2, which Keras 3 refuses, is what it meant."""
    try:
        return cls(*args, **kwargs)
    except ValueError as error:
        if "reduction" not in kwargs and "reduction=auto" in str(error):
            kwargs["reduction"] = "sum_over_batch_size"
            made = cls(*args, **kwargs)
            loader.assumed.append(f"{cls.__name__}(reduction='auto') ran as 'sum_over_batch_size'")
            return made
        raise


def _bare(loader: Loader, cls: type, members: dict[str, Any]) -> Any:
    """An object that only the constructor of its library base has seen."""
    base = next((b for b in cls.__mro__ if not _is_ours(loader, b)), object)

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        base.__init__(self)  # type: ignore[misc]

    kind = type(cls)(cls.__name__, (cls,), members | {"__init__": begin})
    kind.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    try:
        return kind()
    except Exception:
        return object.__new__(kind)


def _on_demand(loader: Loader, cls: type, make: Make) -> dict[str, Any]:
    """The members of a subclass of ``cls`` that computes missing attributes."""
    pending: set[str] = set()
    inherited = getattr(cls, "__getattr__", None)

    def __getattr__(self: Any, name: str) -> Any:
        found = None if name.startswith("__") or name in pending else _setter(loader, cls, name)
        if found is None:
            if inherited is not None:
                return inherited(self, name)
            raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")
        pending.add(name)
        try:
            return _computed(loader, self, found, make)
        finally:
            pending.discard(name)

    return {"__getattr__": __getattr__, "__module__": cls.__module__, "__qualname__": cls.__qualname__}


def _computed(loader: Loader, instance: Any, setter: Setter, make: Make) -> Any:
    """The value that ``setter`` gives to its attribute. Raises CannotLoad."""
    from losslint.confirm.loader import CannotLoad
    from losslint.confirm.targets import arguments, guarded

    def run() -> Any:
        names: dict[str, Any] = {}
        sliced = computing(setter.function, setter.name, setter.owner)
        scope = setter.scope
        exec(compile(scope.prepared(sliced), scope.file.path, "exec", dont_inherit=True), scope, names)
        bound = names[sliced.name].__get__(instance)
        args, kwargs = arguments(bound, [setter.function], make, type(instance), {})
        with_arguments = f" with {', '.join(kwargs)} made up" if kwargs else ""
        loader.assumed.append(f"self.{setter.name} is what line {setter.row} sets{with_arguments}")
        return bound(*args, **kwargs)

    try:
        return guarded(loader, f"self.{setter.name}", run)
    except CannotLoad as error:
        raise CannotLoad(f"self.{setter.name} cannot be computed: {error}") from error


def _setter(loader: Loader, cls: type, name: str) -> Setter | None:
    """What sets ``self.name`` in the class or in a base, the constructor if it does."""
    for definition, scope in _definitions(loader, cls):
        private = name.removeprefix(f"_{definition.name.lstrip('_')}")
        written = private if private.startswith("__") else name
        functions = [f for f in definition.body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for function in sorted(functions, key=lambda f: ("__init__", "build", "compile").count(f.name), reverse=True):
            own = function.args.args[0].arg if function.args.args else ""
            for node in ast.walk(function):
                if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Store) or node.attr != written:
                    continue
                if isinstance(node.value, ast.Name) and node.value.id == own:
                    return Setter(function, node.lineno, scope, definition.name, written)
    return None


def _definitions(loader: Loader, cls: type) -> Iterator[tuple[ast.ClassDef, Scope]]:
    """The definitions of ``cls`` and its bases as far as they stand in the bundle."""
    for base in cls.__mro__:
        scope = _scope(loader, base)
        if scope is not None:
            wanted = base.__qualname__.rpartition(".")[2]
            found = [n for n in ast.walk(scope.tree) if isinstance(n, ast.ClassDef) and n.name == wanted]
            yield from ((n, scope) for n in found[-1:])


def _scope(loader: Loader, cls: type) -> Scope | None:
    module = loader.by_name(cls.__module__)
    return module.__dict__["losslint_scope"] if isinstance(module, LazyModule) else None


def _is_ours(loader: Loader, cls: type) -> bool:
    return _scope(loader, cls) is not None or cls.__name__ == "Inert"


def _is_compiled(instance: Any) -> bool:
    # Keras 3, then Keras 2
    return bool(getattr(instance, "compiled", getattr(instance, "_is_compiled", True)))


def _compile(loader: Loader, instance: Any) -> bool:
    """Compile a Keras model, as it is before its training step runs."""
    compute = getattr(type(instance), "compute_loss", None)
    if compute is None or not inspect.isfunction(compute) or _is_compiled(instance):
        return False
    keras = next((b for b in type(instance).__mro__ if b.__module__.split(".")[0] in ("keras", "tf_keras")), None)
    if keras is None:
        return False
    try:
        keras.compile(instance, optimizer="sgd", loss="mse")  # type: ignore[attr-defined]
    except Exception:
        return False
    loader.assumed.append("the model is compiled with loss='mse'")
    if getattr(instance, "compiled_loss", None) is None:

        def compiled_loss(y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
            return instance.compute_loss(None, y, y_pred, sample_weight)

        object.__setattr__(instance, "compiled_loss", compiled_loss)  # Keras 3 has it no more
    return True
