"""From a qualified name to a function that can be called: factories are called, classes instantiated."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from losslint.confirm.instances import instance_of
from losslint.confirm.loader import CannotLoad, Loader, Make
from losslint.confirm.stubs import Stub, StubUsed

if TYPE_CHECKING:
    from losslint.confirm.inline import Inline

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Made = TypeVar("Made")
_MAX_CONFIGURATIONS = 16
_OF_COMPILED = frozenset(("compiled_loss", "compute_loss", "compiled_metrics", "loss"))
"""What a Keras model has once it is compiled."""


@dataclass(frozen=True)
class _Part:
    """One name of a qualified name."""

    name: str
    local: bool  # bound in the function before it, not in a class or at the top level


def resolve(loader: Loader, target: str, make: Make) -> Callable[..., Any]:
    """See ``Loader.resolve``."""
    function: Callable[..., Any] = guarded(loader, target, lambda: _walk(loader, target, make))
    return function


def resolve_inline(loader: Loader, inline: Inline, make: Make) -> Callable[..., Any]:
    """See ``Loader.resolve_inline``."""

    def made() -> Callable[..., Any]:
        scope = loader.scope
        names: dict[str, Any] = {}
        code = compile(scope.prepared(inline.function), scope.file.path, "exec", dont_inherit=True)
        exec(code, scope, names)
        function: Callable[..., Any] = names[inline.function.name]
        loader.source, loader.recipe = ast.unparse(inline.function), inline.function.name
        if inline.text is None or not scope.rewrite(inline.text):
            function = _unconverted(function)
        if not inline.owner:
            return function
        cls = _walk(loader, inline.owner, make)
        asked = {n.attr for n in ast.walk(inline.function) if isinstance(n, ast.Attribute)}
        made_by = loader.recipe
        loader.instance, given = instance_of(loader, cls, make, trained=not asked.isdisjoint(_OF_COMPILED))
        loader.recipe = made_by and f"{inline.function.name}.__get__({_call(made_by, given)})"
        loader.recipe = "" if given == "?" else loader.recipe
        bound: Callable[..., Any] = function.__get__(loader.instance)
        return bound

    return guarded(loader, inline.function.name, made)


def _unconverted(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` as AutoGraph leaves it alone, for want of its source."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return function
    made: Callable[..., Any] = tensorflow.autograph.experimental.do_not_convert(function)
    return made


def guarded(loader: Loader, what: str, make: Callable[[], Made]) -> Made:
    """What ``make`` returns. Raises CannotLoad, with one line that says why, for whatever it raises."""
    try:
        return make()
    except CannotLoad:
        raise
    except StubUsed as error:
        raise CannotLoad(f"{what} needs {error}, which is not imported") from error
    except SystemExit as error:
        raise CannotLoad(f"the code leaves the program{loader.row_of(error)}") from error
    except (Exception, RecursionError) as error:
        text = " ".join(str(error).split())[:300]
        raise CannotLoad(f"{type(error).__name__}: {text}{loader.row_of(error)}") from error


def _walk(loader: Loader, target: str, make: Make) -> Any:
    parts = list(_parts(target))
    scope = loader.scope
    try:
        value = scope[parts[0].name]
    except KeyError:
        raise CannotLoad(f"nothing at the top level binds {parts[0].name}") from None
    definitions = list(_named(scope.tree.body, parts[0].name))
    loader.recipe = parts[0].name
    owner: Any = None
    for part in parts[1:]:
        inner = [d for outer in definitions for d in _named(outer.body, part.name)]
        if part.local:
            value = _caught(loader, value, definitions, part.name, make, owner)
        elif inspect.isclass(value):
            if inner and inspect.getattr_static(value, part.name, None) is None:
                _restore(loader, value, inner[-1])
            owner, value = value, _member(loader, value, part.name, make)
        else:
            value = getattr(value, part.name)
            loader.recipe += f".{part.name}"
        definitions = inner
    if isinstance(value, Stub) or not callable(value):
        raise CannotLoad(f"{target} is no function but a {type(value).__name__}")
    return value


def _parts(target: str) -> Iterator[_Part]:
    local = False
    for name in target.split("."):
        if name == "<locals>":
            local = True
        else:
            yield _Part(name, local)
            local = False


def _named(body: list[ast.stmt], name: str) -> Iterator[Definition]:
    """The definitions of ``name`` in ``body``, in its branches, too."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if statement.name == name:
                yield statement
            continue
        for block in ("body", "orelse", "finalbody"):
            yield from _named(getattr(statement, block, []), name)
        for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _named(handler.body, name)


def _restore(loader: Loader, cls: type, definition: Definition) -> None:
    """Give ``cls`` the method as it is written: a metaclass has put others in its place, one for each call of it."""
    plain = copy.copy(definition)
    plain.decorator_list = []
    names: dict[str, Any] = {}
    exec(compile(loader.scope.prepared(plain), loader.scope.file.path, "exec", dont_inherit=True), loader.scope, names)
    setattr(cls, definition.name, names[definition.name])
    loader.assumed.append(f"{cls.__name__}.{definition.name} is what line {definition.lineno} defines")


def _member(loader: Loader, cls: type, name: str, make: Make) -> Any:
    """The member of ``cls``, bound to an instance where it needs one."""
    raw = inspect.getattr_static(cls, name, None)
    if raw is None:
        raise CannotLoad(f"{cls.__name__} has no {name}")
    if isinstance(raw, (staticmethod, classmethod)) or inspect.isclass(raw):
        loader.recipe = loader.recipe and f"{loader.recipe}.{name}"
        return getattr(cls, name)
    made_by = loader.recipe
    loader.instance, given = instance_of(loader, cls, make)
    called = _call(made_by, given)
    loader.recipe = called and f"{called}.{name}"
    if isinstance(raw, property):
        loader.recipe = called and f"(lambda: {loader.recipe})"
        return functools.partial(getattr, loader.instance, name)
    # a bare instance has another constructor
    bound = raw.__get__(loader.instance) if name == "__init__" else getattr(loader.instance, name)
    # Keras sets attributes of its own on a model, "loss" among them
    return bound if callable(bound) or not inspect.isfunction(raw) else raw.__get__(loader.instance)


def _caught(loader: Loader, factory: Any, definitions: list[Definition], name: str, make: Make, owner: Any) -> Any:
    """The function that ``factory`` calls ``name``, taken from its frame when it ends, however it ends."""
    if not callable(factory):
        raise CannotLoad(f"what makes {name} is no function but a {type(factory).__name__}")
    failure, made_by = "", loader.recipe
    for configuration in _configurations(definitions):
        args, kwargs = arguments(factory, definitions, make, owner, configuration)
        found: list[Any] = []
        before, returned = sys.getprofile(), False
        sys.setprofile(functools.partial(_watch, loader.scope.file.path, definitions, name, found))
        try:
            result = factory(*args, **kwargs)
            returned = result is not None and (not found or result is found[-1])
            if not found and getattr(result, "__name__", "") == name:
                found.append(result)
        except (Exception, SystemExit) as error:
            failure = failure or f", it raises {type(error).__name__}: {error}{loader.row_of(error)}"
        finally:
            sys.setprofile(before)
        if found:
            if configuration:
                shown = ", ".join(f"{k}={v!r}" for k, v in configuration.items())
                loader.assumed.append(f"{definitions[0].name}({shown}) makes {name}")
            loader.recipe = _call(made_by, written(args, kwargs)) if returned else ""
            return found[-1]
    factory_name = definitions[0].name if definitions else getattr(factory, "__name__", "the factory")
    raise CannotLoad(f"{factory_name}(...) makes no {name}{' '.join(failure.split(chr(10)))}")


def _watch(
    path: str, definitions: list[Definition], name: str, found: list[Any], frame: FrameType, event: str, arg: Any
) -> None:
    """A profiler that keeps ``name`` of the frames of ``definitions`` as they end."""
    code = frame.f_code
    if event != "return" or code.co_filename != path:
        return
    for definition in definitions:
        first = min([definition.lineno, *(d.lineno for d in definition.decorator_list)])
        if code.co_name == definition.name and first <= code.co_firstlineno <= definition.lineno:
            value = frame.f_locals.get(name)
            if value is not None:
                found.append(value)


def arguments(
    function: Any, definitions: list[Definition], make: Make, owner: Any, configuration: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments for ``function``: defaults are left alone, the rest is made up. Raises CannotLoad."""
    literals = dict(_literals(definitions))
    try:
        parameters = inspect.signature(getattr(function, "python_function", function)).parameters
    except (TypeError, ValueError):
        return [], {}
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in configuration:
            value = configuration[name]
        elif parameter.default is not parameter.empty and not (parameter.default is None and _fills(make, name)):
            continue
        elif name in literals and isinstance(literals[name][0], str):
            value = literals[name][0]
        else:
            value = made(make, name, parameter, owner if owner is not None else function)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            kwargs[name] = value
    return args, kwargs


def _fills(make: Make, name: str) -> bool:
    """Whether ``make`` is meant to make what defaults to None, too."""
    return bool(getattr(make, "fills", False)) and name not in ("name", "scope", "dtype", "axis", "reduction")


def written(args: list[Any], kwargs: dict[str, Any]) -> str:
    """Arguments as source; "?" where they are more than literals."""
    try:
        for value in (*args, *kwargs.values()):
            if ast.literal_eval(repr(value)) != value:
                return "?"
    except (ValueError, SyntaxError, TypeError, MemoryError):
        return "?"
    return ", ".join([*map(repr, args), *(f"{k}={v!r}" for k, v in kwargs.items())])


def _call(function: str, given: str) -> str:
    return f"{function}({given})" if function and given != "?" else ""


def made(make: Make, name: str, parameter: inspect.Parameter, owner: Any) -> Any:
    """What ``make`` makes. Raises CannotLoad, naming the argument."""
    try:
        return make(name, parameter, owner)
    except Exception as error:
        of = getattr(owner, "__qualname__", type(owner).__name__)
        raise CannotLoad(f"the argument {name} of {of} cannot be made up: {error}") from error


def _configurations(definitions: list[Definition]) -> Iterator[dict[str, Any]]:
    """What to try in turn: the defaults, then each value that the factory asks for."""
    yield {}
    trials = [{name: value} for name, values in _literals(definitions) for value in values]
    yield from trials[:_MAX_CONFIGURATIONS]


def _literals(definitions: list[Definition]) -> Iterator[tuple[str, list[Any]]]:
    """Parameter -> the literals that the functions compare it to."""
    found: dict[str, list[Any]] = {}
    for definition in definitions:
        functions = (
            [definition] if not isinstance(definition, ast.ClassDef) else list(_named(definition.body, "__init__"))
        )
        for function in functions:
            if not isinstance(function, ast.ClassDef):
                names = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
                for name, value in _compared(function):
                    if name in names and value not in found.setdefault(name, []):
                        found[name].append(value)
    yield from ((name, values) for name, values in found.items() if values)


def _compared(function: ast.AST) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name):
            for right in node.comparators:
                items = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
                yield from (
                    (node.left.id, i.value) for i in items if isinstance(i, ast.Constant) and i.value is not None
                )
        elif isinstance(node, (ast.If, ast.IfExp)):
            test = node.test
            negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
            name = test.operand if isinstance(test, ast.UnaryOp) else test
            if isinstance(name, ast.Name):
                yield from ((name.id, not negated), (name.id, negated))
