"""Calls: library functions are expanded, the user's are followed, models are one primitive, consumers leave events."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import inspect
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import libcst as cst

from losslint.domain.shape import Shape
from losslint.frontend.module import every, is_stub
from losslint.frontend.names import LIBRARIES, canonical, is_loss_name, is_model_name
from losslint.graph import Node, SomeOf, Unknown
from losslint.interpreter.builtins import BUILTINS, call_method
from losslint.interpreter.core import Event, Frame
from losslint.interpreter.expressions import CONSUMING, LAYERS, Expressions
from losslint.interpreter.merging import merged
from losslint.interpreter.parameters import ANY_ARGUMENTS
from losslint.interpreter.scope import Scope
from losslint.interpreter.standard import STANDARD
from losslint.interpreter.values import (
    Api,
    Class,
    Function,
    Instance,
    Method,
    Partial,
    Super,
    Tape,
    dependencies,
)
from losslint.loss import Output
from losslint.ops.registry import CATALOGUE, METHODS, OBJECT_METHODS, Callback, outside
from losslint.options import Declared

_LOSS_LAYER = re.compile(r"(?i)loss|criterion|distance|diverg|penalt|regulari[sz]|task$")
"""Names of layers that compute a term of a loss."""
MAX_DEPTH = 12
DECORATORS = (
    "function",
    "register_keras_serializable",
    "custom_gradient",
    "recompute_grad",
    "wraps",
    "jit",
    "do_not_convert",
)
_CONVERSION = {"function": True, "to_graph": True, "do_not_convert": False}
"""What turns AutoGraph on and off, by the last part of its name."""
_CRITICS = frozenset(("f", "fn", "func", "D", "G", "d", "g", "disc", "gen"))
"""What papers call a network; only a callable that gets one tensor is taken for one."""
_MOST = 6
"""Classes that are tried for an abstract one."""
_LAZY = re.compile(r"lazy_?(module|loader|import)", re.IGNORECASE)
"""Classes whose objects stand for a module that is imported when it is needed."""


class Calls(Expressions):
    """The half of the machine that calls."""

    def _eval_Call(self, tree: cst.Call) -> Any:
        if isinstance(tree.func, cst.Name) and tree.func.value == "super":
            owner = self._owner_class()
            return Super(owner, self.frame.instance) if owner is not None else Unknown((), "super")
        function = self.eval(tree.func)
        args, kwargs, open_ended = self._arguments(tree, isinstance(function, Function))
        site = self.site(tree)
        with self.graph.at(site, function.name if isinstance(function, Api) else ""):
            if open_ended and not isinstance(function, (Function, Class, Callback)):
                result: Any = Unknown(tuple(dependencies((args, kwargs))), "called with arguments that are not known")
            else:
                result = self.call(function, args, kwargs, _spelled(tree.func))
            short = function.name.rpartition(".")[2] if isinstance(function, Api) else ""
            if short in _CONVERSION and isinstance(result, Function):
                result = dataclasses.replace(result, autograph=_converts(short, tree.args))
            kind, name = _reported(function, _spelled(tree.func))
            if kind:
                name = name or _spelled(tree.func) or "?"
                self.note(kind, site, *args, name=name, kwargs=kwargs, result=result, callee=function)
            return result

    def _owner_class(self) -> Class | None:
        return next((f.owner for f in reversed(self.frames) if f.owner is not None), None)

    def _arguments(self, tree: cst.Call, followed: bool) -> tuple[list[Any], dict[str, Any], bool]:
        """What is passed by position and by name, and whether there may be more.

        An entry's own ``*args`` are handed on to what is ``followed`` as they are: its defaults are likelier.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        open_ended = False
        for arg in tree.args:
            value = self.eval(arg.value)
            if arg.star == "*":
                known = self.elements(value)
                open_ended |= known is None or isinstance(known, SomeOf)
                args.extend([value] if followed and value is ANY_ARGUMENTS else known or [])
            elif arg.star == "**":
                open_ended |= not isinstance(value, dict)
                named = value if isinstance(value, dict) else {}
                kwargs.update({k: v for k, v in named.items() if isinstance(k, str) and not k.startswith("?")})
            elif arg.keyword is not None:
                kwargs[arg.keyword.value] = value
            else:
                args.append(value)
        return args, kwargs, open_ended

    # -- dispatch --------------------------------------------------------------------------------------------------
    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any], spelled: str = "") -> Any:
        """The result of ``function(*args, **kwargs)``; ``spelled`` is how the source names it."""
        self.step()
        if isinstance(function, Api):
            return self._call_api(function.name, args, kwargs)
        if isinstance(function, Function):
            return self._call_function(function, args, kwargs)
        if isinstance(function, Class):
            return self.instantiate(function, args, kwargs)
        if isinstance(function, Callback):
            return self._expand(function.call, function.name, args, kwargs)
        if isinstance(function, str) and len(args) == 1:  # np.float32(x): a dtype is its name
            return self._call_api(f"numpy.{function}", args, kwargs)
        if isinstance(function, Partial):
            return self.call(function.function, [*function.args, *args], function.kwargs | kwargs)
        if isinstance(function, Method):
            return self._call_method(function, args, kwargs)
        if isinstance(function, Instance):
            return self._call_instance(function, args, kwargs)
        return self._call_unknown(function, args, kwargs, spelled)

    def _call_unknown(self, function: Any, args: list[Any], kwargs: dict[str, Any], spelled: str) -> Any:
        deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
        name = spelled or (function.attrs["name"] if isinstance(function, Node) and function.op == "source" else "")
        short = name.rsplit(".", 1)[-1]
        if (is_model_name(short) or "training" in kwargs or (short in _CRITICS and len(args) == 1)) and deps:
            return self.graph.op("model", *deps, name=name)
        if short in OBJECT_METHODS and short != name:
            return self._expand(OBJECT_METHODS[short], name, [function, *args], kwargs)
        if isinstance(function, Node) and function.op != "source":
            deps = (function, *deps)
        if not deps and not isinstance(function, (Node, Unknown)):
            return Unknown((), f"{name} is not followed")
        return (
            self.graph.opaque(deps, f"{name or 'a callable'} is not known")
            if deps
            else Unknown((), f"{name} is not known")
        )

    def _call_api(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        short = name.rsplit(".", 1)[-1]
        if name.startswith("builtins.") and short in BUILTINS:
            return self.held(BUILTINS[short](self, args, kwargs))
        if name in STANDARD:
            return self.held(STANDARD[name](self, args, kwargs))
        if short == "GradientTape":
            return Tape()
        expansion = CATALOGUE.get(name)
        if expansion is None:
            deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
            why = outside(name) or f"{name} is not catalogued"
            if name.startswith("tensorflow.data."):
                return Unknown((), why)  # what it is made of is data
            return self.graph.opaque(deps, why) if deps else Unknown((), why)
        return self._expand(expansion, name, args, kwargs)

    def _expand(self, expansion: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        try:
            with self.graph.at(self.graph.site, name):
                return expansion(self.graph, *args, **kwargs)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError) as error:
            # wrong arguments for this function, or of a kind that the expansion does not know
            deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
            return self.graph.opaque(deps, f"{name}: {error}") if deps else Unknown((), f"{name}: {error}")

    # -- the user's functions --------------------------------------------------------------------------------------
    def _call_function(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if len(self.frames) > MAX_DEPTH or sum(f.scope.function == function.name for f in self.frames) > 2:
            return self.graph.opaque(
                dict.fromkeys(dependencies((args, kwargs))), f"{function.name}: too many calls deep"
            )
        declared = self.options.declaration(function.name)
        if declared is not None:
            return self._declared(declared, args, kwargs)
        self.called.add(function.name)
        values = function.given(args)
        # with a gradient of its own, the numerics of a function are looked after by whoever wrote it
        with self.graph.library() if function.custom_gradient else contextlib.nullcontext():
            outputs = self.run_function(function, values, kwargs)
        if function.custom_gradient and outputs:
            # what the body computes is not what is differentiated: the result depends on the arguments, by declaration
            value = self.graph.lift(outputs[0][0] if isinstance(outputs[0], tuple) and outputs[0] else outputs[0])
            given = list(dict.fromkeys(dependencies((args, kwargs)))) or [value]
            result = self.graph.op("straight_through", value, *given, valued=True)
            result.shape, result.dtype = value.shape, value.dtype
            return result
        if not outputs and not isinstance(function.tree, cst.Lambda) and is_stub(function.tree.body.body):
            with self.graph.library():  # what one of them does wrong is told where it is defined
                made = [self.call(m, args, kwargs) for m in itertools.islice(self._overriding(function), _MOST)]
            if made:
                result = merged(self.graph, made)
                if isinstance(result, Node) and len(made) > 1:
                    result.attrs["abstract"] = True  # nobody knows which it is, so its range is not known
                return result
            return Unknown(tuple(dict.fromkeys(dependencies((args, kwargs)))), f"{function.name} is abstract")
        return merged(self.graph, outputs) if outputs else None

    def _overriding(self, function: Function) -> Iterator[Function]:
        """The methods that stand in for the abstract ``function`` in classes beside its own; any may be meant."""
        owner = function.owner
        if owner is None or not isinstance(function.bound, Instance):
            return
        short = function.name.rsplit(".", 1)[-1]
        for path in sorted(Path(owner.slice.path).parent.glob("*.py")):
            module = self.project.load(path)
            for statement in module.tree.body if module is not None else ():
                if not isinstance(statement, ast.ClassDef) or not any(_names(b, owner.name) for b in statement.bases):
                    continue
                value = self.module_scope(module).lookup(statement.name)  # type: ignore[arg-type]
                method = value.members.get(short) if isinstance(value, Class) else None
                if isinstance(method, Function) and not is_stub(getattr(method.tree.body, "body", ())):
                    yield method.bind(Instance(value))

    def _declared(self, declared: Declared, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The result of a function whose facts the configuration declares."""
        if declared.like:
            return self._call_api(canonical(declared.like), args, kwargs)
        deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
        low, high = declared.range or (None, None)
        if declared.gradient == "dead":
            node = self.graph.op("stop_gradient", self.graph.opaque(deps, "declared"))
        else:
            node = self.graph.op(
                "smooth", deps[0] if deps else self.graph.lift(0.0), low=low, high=high, api="declared"
            )
        if declared.shape:
            names = [n.strip() for n in declared.shape.strip("[]() ").split(",") if n.strip()]
            node.shape = Shape.of(*(int(n) if n.isdigit() else n for n in names))
        return node

    def run_function(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
        """The values ``function`` returns on its ways out, None for falling off its end."""
        frame = self.enter(function, args, kwargs)
        return [o.value for o in frame.outputs]

    def enter(
        self, function: Function, args: list[Any], kwargs: dict[str, Any], needed: Sequence[bool] | None = None
    ) -> Any:
        """Run ``function`` and return its frame, with the outputs and their places.

        ``needed`` says of each statement of its body, as ``ast`` counts them, whether it is run.
        """
        scope = Scope(function.scope, function.name)
        caller = self.graph.site if self.frames else None
        converted = function.autograph
        if converted is None:
            converted = bool(self.frames) and self.frame.converted
        frame = Frame(
            scope, function.slice, owner=function.owner, instance=function.bound, caller=caller, converted=converted
        )
        with self.inside(frame):
            self.parameters.bind_call(function, args, kwargs)
            if isinstance(function.tree, cst.Lambda):
                frame.outputs.append(Output(self.eval(function.tree.body), self.site(function.tree.body)))
            else:
                body: Any = function.tree.body.body
                falls = self.block(body if needed is None else _selected(body, needed))
                if falls and not is_stub(body):
                    frame.outputs.append(Output(None, self.site(function.tree), any(frame.conditions)))
        return frame

    def instantiate(self, cls: Class, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """An instance of the user's ``cls``, ``__init__`` executed; a module that is imported lazily is that module."""
        if _LAZY.search(cls.name):
            named = [v for v in (*args, *kwargs.values()) if isinstance(v, str) and v.split(".")[0] in LIBRARIES]
            if named:
                return Api(canonical(named[-1]))
        instance = Instance(cls)
        self.instances.append(instance)
        init = cls.find("__init__")
        if isinstance(init, Function):
            self._call_function(init.bind(instance), args, kwargs)
        return instance

    def _call_instance(self, instance: Instance, args: list[Any], kwargs: dict[str, Any]) -> Any:
        cls = instance.cls
        if cls.is_a("Loss", "LossFunctionWrapper"):
            method = cls.find("__call__") or cls.find("call")
            if isinstance(method, Function):
                value = self.call(method.bind(instance), args[:2], {})
                reduction = instance.attrs.get("reduction", "sum_over_batch_size")
                if method.tree.name.value == "call" and isinstance(value, Node) and isinstance(reduction, str):  # type: ignore[union-attr]
                    how = {"sum": "sum", "none": None}.get(reduction.lower(), "mean")
                    with self.graph.library():
                        return self.graph.op(how, value, axis=None, keepdims=False) if how else value
                return value
        if cls.is_a(*LAYERS):
            method = cls.find("call")
            if isinstance(method, Function) and _returns_loss(method):
                with self.graph.library():  # what it does wrong is told where it is defined
                    return self.call(method.bind(instance), args, kwargs)
            deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
            return self.graph.op("model", *deps, name=cls.name) if deps else Unknown((), cls.name)
        method = cls.find("__call__")
        if isinstance(method, Function):
            return self.call(method.bind(instance), args, kwargs)
        return self._call_unknown(None, args, kwargs, cls.name)

    # -- methods ---------------------------------------------------------------------------------------------------
    def _call_method(self, method: Method, args: list[Any], kwargs: dict[str, Any]) -> Any:
        owner, name = method.owner, method.name
        consumed = self._consumed(owner, name, args, kwargs)
        if consumed is not None:
            return consumed[0]
        if isinstance(owner, Super):
            return self._super_call(owner, name, args, kwargs)
        if isinstance(owner, Node):
            if name in METHODS:
                return self._expand(METHODS[name], f"Tensor.{name}", [owner, *args], kwargs)
            if name in OBJECT_METHODS:
                return self._expand(OBJECT_METHODS[name], f"Tensor.{name}", [owner, *args], kwargs)
            if owner.op == "source" and owner.attrs["role"] not in ("label", "prediction"):
                return self._call_unknown(owner, args, kwargs, f"{owner.attrs['name']}.{name}")
            return self.graph.opaque(dict.fromkeys(dependencies((owner, args, kwargs))), f"method {name}")
        if isinstance(owner, Callback):
            deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
            if name in ("call", "__call__"):
                return self.call(owner, args, kwargs)
            if name in OBJECT_METHODS:
                return self._expand(OBJECT_METHODS[name], f"{owner.name}.{name}", [owner, *args], kwargs)
            return self.graph.opaque(deps, f"{owner.name}.{name}") if deps else Unknown((), f"{owner.name}.{name}")
        if isinstance(owner, Instance) and name in ("__call__", "call"):
            return self._call_instance(owner, args, kwargs)
        return call_method(self, owner, name, args, kwargs)

    def _super_call(self, owner: Super, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        library = owner.cls.library_loss()
        if name == "__init__" and isinstance(owner.instance, Instance):
            if library is not None and self.graph.site is not None:
                self.note("super", self.graph.site, *args, name=library, kwargs=kwargs, result=owner.instance)
            # what keras.losses.Loss keeps: reduction and name, by keyword or in Keras 3's or 2's order
            named = dict(zip(("name", "reduction") if self.keras == "3" else ("reduction", "name"), args, strict=False))
            for key, value in (named | kwargs).items():
                if key not in owner.instance.attrs:
                    owner.instance.keep(key, value)
            return None
        if name == "get_config" and library is not None and isinstance(owner.instance, Instance):
            return self.library_config(owner.instance)
        if name in ("__call__", "call") and isinstance(owner.instance, Instance):
            found = owner.instance.cls.find("call")
            if name == "__call__" and isinstance(found, Function):
                return self.call(found.bind(owner.instance), args[:2], {})
        deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
        return self.graph.opaque(deps, f"super().{name}") if deps else Unknown((), f"super().{name}")

    def library_config(self, instance: Instance) -> dict[str, Any]:
        """What ``get_config`` of a library's loss class returns for an object of a class that derives from it.

        ``Loss`` keeps its name and reduction, and every loss of Keras what else its constructor was given.
        """
        config = {key: instance.attrs.get(key) for key in ("name", "reduction")}
        library = instance.cls.library_loss() or ""
        made = [h for h in self.happenings if h.kind == "super" and h.result is instance]
        if made and not library.endswith(".Loss"):
            order = inspect.signature(CATALOGUE[library]).parameters if library in CATALOGUE else {}
            names = [name for name in order if name != "g"]
            config.update(zip(names, made[-1].args, strict=False), **made[-1].kwargs)
        return config

    def _consumed(self, owner: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> tuple[Any] | None:
        """Record the calls that differentiate a loss or register one; None where this is no such call."""
        site = self.graph.site
        assert site is not None
        if isinstance(owner, Tape) and name in ("gradient", "jacobian", "batch_jacobian"):
            target = args[0] if args else kwargs.get("target")
            sources = args[1] if len(args) > 1 else kwargs.get("sources")
            if self._trains(sources):
                self.events.append(Event("gradient", target, site, owner, args, kwargs))
                return (Unknown((), "gradients of variables"),)
            return (self._gradient_of(target, sources),)
        if name in ("minimize", "compute_gradients", "get_updates") and not isinstance(
            owner, (Instance, Tape, list, dict)
        ):
            target = args[0] if args else kwargs.get("loss")
            if isinstance(target, Function):
                target = self.call(target, [], {})
            if target is not None:
                self.events.append(Event("minimize", target, site, owner, args, kwargs))
            return (Unknown((), "minimize"),)
        if name == "add_loss" and (args or kwargs):
            target = args[0] if args else next(iter(kwargs.values()))
            self.events.append(Event("add_loss", target, site, owner, args, kwargs))
            return (None,)
        if name == "compile" and not isinstance(owner, str):
            target = kwargs.get("loss", args[1] if len(args) > 1 else None)
            if target is not None:
                self.events.append(Event("compile", target, site, owner, args, kwargs))
            return (None,)
        return None

    def _trains(self, sources: Any) -> bool:
        """Whether a gradient with respect to ``sources`` is one for training, not one inside a loss (a penalty)."""
        nodes = list(dependencies(sources))
        if not nodes:
            return True  # model.trainable_variables of something we did not follow
        return any(
            n.op == "variable_of" or (n.op == "source" and n.attrs["role"] in ("variable", "captured")) for n in nodes
        )

    def _gradient_of(self, target: Any, sources: Any) -> Any:
        if isinstance(sources, (list, tuple)):
            return [self._gradient_of(target, s) for s in sources]
        y = target if isinstance(target, Node) else self.graph.lift(target)
        return (
            self.graph.op("gradient_of", y, sources)
            if isinstance(sources, Node)
            else Unknown(tuple(dependencies((y, sources))))
        )

    # -- decorators ------------------------------------------------------------------------------------------------
    def decorated(self, decorator: cst.BaseExpression, value: Any) -> Any:
        """What ``@decorator`` makes of ``value``."""
        name = _spelled(decorator.func if isinstance(decorator, cst.Call) else decorator)
        short = name.rsplit(".", 1)[-1]
        if isinstance(value, Function) and short in ("staticmethod", "classmethod", "property"):
            value.kind = short
            return value
        if isinstance(value, Function) and short == "custom_gradient":
            value.custom_gradient = True
            return value
        if isinstance(value, Function) and short in _CONVERSION:
            value.autograph = _converts(short, decorator.args if isinstance(decorator, cst.Call) else ())
        if short in DECORATORS or not isinstance(value, Function):
            return value
        applied = self.eval(decorator)
        if isinstance(applied, Function):
            result = self.call(applied, [value], {})
            return result if isinstance(result, (Function, Callback, Partial)) else value
        return value


def _returns_loss(method: Function) -> bool:
    """Whether what a layer returns is called a loss: that is no output of a model, one row for each sample."""
    named = method.owner is not None and _LOSS_LAYER.search(method.owner.name) is not None
    return named or _names_loss(method.tree)


@functools.lru_cache(maxsize=1024)  # trees are compared by identity; a layer is called again and again
def _names_loss(tree: cst.CSTNode) -> bool:
    """Whether a loss is named in what ``tree`` returns."""
    returned = (found.value for found in every(tree, cst.Return) if found.value is not None)
    return any(is_loss_name(name.value) for value in returned for name in every(value, cst.Name))


def _selected(body: Sequence[Any], needed: Sequence[bool]) -> Sequence[Any]:
    """The statements of a body that are ``needed``; all where these are of another body. A line may hold several."""
    ends = list(itertools.accumulate(len(s.body) if isinstance(s, cst.SimpleStatementLine) else 1 for s in body))
    if not ends or ends[-1] != len(needed):
        return body
    return [s for s, start, end in zip(body, [0, *ends], ends, strict=False) if any(needed[start:end])]


def _reported(function: Any, spelled: str) -> tuple[str, str]:
    """(the kind of happening that calling ``function`` is, its canonical name); "" where it is none."""
    if isinstance(function, (Node, Unknown)) and "." in spelled and spelled.rpartition(".")[2] in OBJECT_METHODS:
        return "call", spelled
    while isinstance(function, Partial):
        function = function.function
    if isinstance(function, (Api, Callback)):
        return "call", function.name
    if isinstance(function, Function):
        return "inlined", function.name
    if isinstance(function, Method):
        owner, name = function.owner, function.name
        if name in CONSUMING or not isinstance(owner, (Node, Callback)):
            return "", ""
        if isinstance(owner, Node) and owner.op == "source" and name not in METHODS:
            return "unfollowed", ""  # an object that was passed in, hardly a tensor
        return "call", f"{'Tensor' if isinstance(owner, Node) else owner.name}.{name}"
    return ("unfollowed", "") if isinstance(function, (Node, Unknown)) else ("", "")


def _converts(how: str, args: Sequence[cst.Arg]) -> bool:
    """Whether a function that goes through ``how`` with ``args`` is rewritten by AutoGraph."""
    off = any(a.keyword is not None and a.keyword.value == "autograph" and _spelled(a.value) == "False" for a in args)
    return _CONVERSION[how] and not off


def _spelled(tree: cst.BaseExpression) -> str:
    """A dotted name as the source has it, "" for anything else."""
    if isinstance(tree, cst.Name):
        return tree.value
    if isinstance(tree, cst.Attribute):
        owner = _spelled(tree.value)
        return f"{owner}.{tree.attr.value}" if owner else tree.attr.value
    return ""


def _names(base: ast.expr, name: str) -> bool:
    """Whether ``base`` spells the class ``name``, alone or in its module."""
    return (isinstance(base, ast.Name) and base.id == name) or (isinstance(base, ast.Attribute) and base.attr == name)
