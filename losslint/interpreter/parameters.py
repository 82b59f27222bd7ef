"""Binds arguments to parameters, and makes up those of a loss that is looked at by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from losslint.domain.shape import BATCH, SCALAR, Dim, Shape
from losslint.frontend.module import every
from losslint.frontend.names import role_of, roles_of
from losslint.graph import Node, SomeOf, Unknown
from losslint.interpreter.ranks import samples
from losslint.interpreter.values import Class, Function, Instance, dependencies
from losslint.ops.registry import Callback

if TYPE_CHECKING:
    from losslint.interpreter.core import Core

SAMPLES = Shape((BATCH,), "S", (Dim.of("C"),))
"""Labels and predictions: a batch of samples, any axes, a last one. Both the same, as Keras aligns them."""


ANY_ARGUMENTS = SomeOf([Unknown((), "one of any number of arguments")])
"""What ``*args`` of an entry holds."""
_INPUT = re.compile(
    r"^(x|xs|x_\w+|\w*_x|images?|imgs?|\w+_images?|inputs?|\w+_inputs?|batch\w*|features?|samples?|tokens|sequences?|noise|z|latent\w*"
    r"|\w+_batch|states?|obs\w*|data)$"
)
"""Names of what a training step feeds to its model."""
_BATCHES = ("data", "batch", "inputs", "features", "element", "dataset", "train_data", "batch_data", "minibatch")
"""Names of what a training step gets: inputs, then labels."""


class Parameters:
    """What the parameters of a function are bound to."""

    def __init__(self, machine: Core) -> None:
        self.machine = machine
        self.graph = machine.graph

    def _samples(self, name: str) -> Shape:
        """The shape of a batch of labels, predictions or inputs called ``name``."""
        return samples(self.machine.ranks.get(name), SAMPLES)

    # -- a call in the program -------------------------------------------------------------------------------------
    def bind_call(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Bind the arguments of a call as Python does; what is missing gets its default or is made up."""
        machine, params = self.machine, function.tree.params
        rest, named = list(args), dict(kwargs)
        for param in (*params.posonly_params, *params.params):
            name = param.name.value
            if rest and rest[0] is not ANY_ARGUMENTS:
                machine.scope.assign(name, rest.pop(0))
            else:
                machine.scope.assign(name, named.pop(name) if name in named else self._default(param, function))
        if isinstance(params.star_arg, cst.Param):
            machine.scope.assign(
                params.star_arg.name.value, rest[-1] if rest and rest[-1] is ANY_ARGUMENTS else tuple(rest)
            )
        for param in params.kwonly_params:
            name = param.name.value
            machine.scope.assign(name, named.pop(name) if name in named else self._default(param, function))
        if params.star_kwarg is not None:
            machine.scope.assign(params.star_kwarg.name.value, named)

    def _default(self, param: cst.Param, function: Function) -> Any:
        if param.default is None:
            return self.made_up(param.name.value, role_of(param.name.value))
        return self._in_definition(param.default, function)

    def _in_definition(self, tree: cst.BaseExpression, function: Function) -> Any:
        """Defaults are evaluated where the function is defined."""
        frame = self.machine.frame
        kept, frame.scope = frame.scope, function.scope
        try:
            return self.machine.eval(tree)
        finally:
            frame.scope = kept

    # -- an entry: nobody calls it, its arguments are what its kind of loss gets -----------------------------------
    def for_entry(self, function: Function, kind: str, keras: bool = False) -> tuple[list[Any], dict[str, Any]]:
        """Arguments for ``function`` as a "loss", as a training "step", or as a "factory" (a constructor is one too).

        With ``keras`` the first two are certainly labels and predictions, whatever they are called.
        """
        is_loss = kind == "loss"
        make = {"loss": self.made_up, "step": self._fed, "factory": self.captured}[kind]
        tree = function.tree
        params = [*tree.params.posonly_params, *tree.params.params]
        bound = params[1:] if function.bound is not None else params
        required = [p for p in bound if p.default is None]
        roles = self._roles([p.name.value for p in required], is_loss)
        pair = [p.name.value for p in required[:2]]
        if keras and len(pair) == 2 and {roles[n] for n in pair} != {"label", "prediction"}:
            roles.update(zip(pair, ("label", "prediction"), strict=True))
        untold = is_loss and any(roles.get(p.name.value) is None for p in (*required, *tree.params.kwonly_params))
        evidence = _batch_evidence(tree) if untold else set()
        listed = _made_arrays(tree) if "weight" in roles.values() else set()
        args: list[Any] = []
        machine = self.machine
        with self.graph.at(machine.graph.site):
            for position, param in enumerate(bound):
                name = param.name.value
                tensor = is_loss and role_of(name) in ("label", "prediction")
                absent = isinstance(param.default, cst.Name) and param.default.value == "None"
                chosen = isinstance(param.default, (cst.SimpleString, cst.ConcatenatedString))  # by name
                if param.default is not None and not (tensor and not chosen and (position < 2 or absent)):
                    args.append(self._in_definition_of(param.default, function))
                elif (given := self._annotated(param, function)) is not None:
                    args.append(given)
                elif name in listed and roles.get(name) == "weight":
                    args.append(self.captured(name, "weight"))
                else:
                    args.append(self._argument(name, roles.get(name, role_of(name)), name in evidence, make))
            kwargs = {
                p.name.value: self._in_definition_of(p.default, function)
                if p.default is not None
                else self._argument(p.name.value, role_of(p.name.value), p.name.value in evidence, make)
                for p in tree.params.kwonly_params
            }
            if isinstance(tree.params.star_arg, cst.Param):
                args.append(ANY_ARGUMENTS)
        return args, kwargs

    def _annotated(self, param: cst.Param, function: Function) -> Instance | None:
        """An object of the user's class that ``param`` is annotated with, where such objects are called."""
        tree = param.annotation.annotation if param.annotation is not None else None
        if not isinstance(tree, (cst.Name, cst.Attribute)):
            return None
        cls = self._in_definition_of(tree, function)
        called = isinstance(cls, Class) and cls.find("__call__") is not None and not cls.is_a("Layer", "Model")
        return Instance(cls) if called else None

    def _in_definition_of(self, tree: cst.BaseExpression, function: Function) -> Any:
        from losslint.interpreter.core import Frame  # which imports this module

        with self.machine.inside(Frame(function.scope, function.slice)):
            return self.machine.eval(tree)

    def _roles(self, names: list[str], is_loss: bool) -> dict[str, str | None]:
        """The role of each required parameter; two positional ones of a loss are labels and predictions."""
        if not is_loss:
            return {name: role_of(name) for name in names}
        roles = dict(zip(names, roles_of(names), strict=True))
        if (
            roles.get("actual") == "label"
            and list(roles.values()).count("label") > 1
            and "prediction" not in roles.values()
        ):
            roles["actual"] = "prediction"  # against a target or what was expected: what came out
        labels = [i for i, n in enumerate(names) if roles[n] == "label"]
        for name in names[: labels[0]] if labels else ():
            if len(name) == 1 and roles[name] == "config":
                roles[name] = "prediction"  # def nll(a, b, y): hyper-parameters do not come first
        if not {"label", "prediction"} & set(roles.values()):
            # def loss(a, b): single letters that stand alone say nothing
            roles.update({n: None for n in names if len(n) == 1 and roles[n] == "config"})
        pair = [roles[n] for n in names[:2]]
        for name in names[2:] if set(pair) == {"label", "prediction"} else ():
            if len(name) == 1 and roles[name] == "prediction":
                roles[name] = "config"  # def gce(y_true, y_pred, q)
        tensors = [n for n in names if roles[n] not in ("config", "model")]
        found = {roles[n] for n in tensors[:2]}
        if len(tensors) >= 2 and not {"label", "prediction"} <= found:
            first, second = tensors[:2]
            if roles[first] == "prediction" and roles[second] in (None, "weight"):
                pass  # (logits, x): two tensors the loss is about
            elif roles[second] == "label":
                roles[first] = roles[first] or "prediction"
            elif roles[first] == "label":
                roles[second] = "prediction"
        return roles

    def _argument(self, name: str, role: str | None, batch: bool, make: Callable[[str, str | None], Any]) -> Any:
        if role is None and batch:
            return self.graph.source(name, "prediction", self._samples(name), batch="assumed")
        return make(name, role)

    def made_up(self, name: str, role: str | None) -> Any:
        """A value for a name of which only the name is known."""
        if role in ("label", "prediction"):
            return self.graph.source(name, role, self._samples(name), batch="assumed")
        if role == "weight":
            return self.graph.source(name, role, Shape((BATCH,), "W"), batch="assumed")
        if role == "config":
            return self.graph.source(name, role, SCALAR)
        if role == "model":
            return self.model(name)
        if name in self.machine.batches:
            return self.graph.source(name, "argument", self._samples(name), batch="assumed")
        return self.graph.source(name, "argument", Shape.unknown())

    def _fed(self, name: str, role: str | None) -> Any:
        """An argument of a training step: rather a batch of data than a hyper-parameter."""
        if role in (None, "config", "prediction") and _INPUT.match(name):
            # what is called data or batch is unpacked: its parts are made up when they are met
            shape = Shape.unknown() if name in _BATCHES and name not in ("inputs", "features") else self._samples(name)
            return self.graph.source(name, "input", shape, batch="assumed")
        return self.made_up(name, role)

    def captured(self, name: str, role: str | None) -> Any:
        """A free name, or an attribute that nobody set: rather a hyper-parameter or a layer than a tensor."""
        owner, _, short = name.rpartition(".")
        if role == "model":
            return self.model(name)
        if owner.rsplit(".", 1)[-1] in _BATCHES:
            role = "label" if short == "1" or role == "label" else "input"
            return self.graph.source(name, role, self._samples(name), batch="assumed")
        if role == "config" or (owner == "self" and role != "weight" and len(short) < 3):
            return self.graph.source(name, "config", SCALAR)
        if role == "weight":
            # made before there is a batch: weights of classes, not of samples
            return self.graph.source(name, "config", Shape((), "W"))
        if role in ("label", "prediction") and owner != "self":
            kept = role if role == "label" else "captured"
            return self.graph.source(name, kept, self._samples(name), batch="assumed")
        return self.graph.source(name, "captured", Shape.unknown())

    def model(self, name: str) -> Callback:
        """A model nothing is known about: maps a batch row by row, trains."""

        def call(graph: Any, *args: Any, **kwargs: Any) -> Any:
            deps = tuple(dict.fromkeys(dependencies((args, kwargs))))
            return graph.op("model", *deps, name=name) if deps else Unknown((), name)

        return Callback(name, call, {})

    def variables(self, name: str) -> Node:
        """The trainable variables of something, a list seen as one source."""
        return self.graph.source(name, "variable", Shape.unknown(), list=True)


def _batch_evidence(tree: cst.FunctionDef | cst.Lambda) -> set[str]:
    """Parameters whose first axis is left whole while others are sliced or reduced: that one is the batch."""
    found: set[str] = set()
    for node in every(tree, cst.Subscript):
        if not isinstance(node.value, cst.Name):
            continue
        parts = [e.slice for e in node.slice]
        whole = isinstance(parts[0], cst.Slice) and parts[0].lower is None and parts[0].upper is None
        if len(parts) > 1 and whole and isinstance(parts[1], (cst.Index, cst.Slice)):
            found.add(node.value.value)
    for call in every(tree, cst.Call):
        axes = _axes(call)
        if axes and 0 not in axes and call.args:
            found |= {n.value for n in every(call.args[0], cst.Name)}
    return found


def _made_arrays(tree: cst.FunctionDef | cst.Lambda) -> set[str]:
    """Parameters that NumPy makes an array of: lists of numbers, no tensors."""
    found: set[str] = set()
    for call in every(tree, cst.Call):
        function, first = call.func, call.args[0].value if call.args else None
        if not isinstance(function, cst.Attribute) or not isinstance(function.value, cst.Name):
            continue
        if function.value.value in ("np", "numpy") and function.attr.value in ("array", "asarray"):
            found |= {first.value} if isinstance(first, cst.Name) else set()
    return found


def _axes(call: cst.Call) -> list[int]:
    """The literal axes a reduction is told to reduce."""
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
    if not isinstance(name, str) or not (name.startswith("reduce_") or name in ("sum", "mean", "max", "min", "norm")):
        return []
    for i, arg in enumerate(call.args):
        if (arg.keyword is not None and arg.keyword.value in ("axis", "axes", "reduction_indices")) or (
            arg.keyword is None and i == 1
        ):
            code = cst.Module([]).code_for_node(arg.value).strip("()[] ")
            try:
                return [int(x) for x in code.split(",") if x.strip()]
            except ValueError:
                return []
    return []
