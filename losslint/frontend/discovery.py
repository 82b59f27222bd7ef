"""Finds the losses of a module and who consumes them, from the ``ast`` alone: cheap enough to run on every file."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from losslint.frontend.module import Module
from losslint.frontend.names import FRAMEWORKS, canonical, is_loss_name, is_metric_name, role_of
from losslint.loss import Consumer
from losslint.options import Options

DEFAULTS = Options()

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_CONSUMING = {"gradient", "minimize", "compute_gradients", "add_loss", "get_updates"}
_NO_LOSS = re.compile(
    r"^_*(plot|print|save|load|write|show|draw|report|parse|add|register|set|track|record|on|test"
    r"|log_(?!loss|lik|cosh|prob|sum)|create|make|serialize|deserialize|init|reset|restore|display|summar|append|monitor|check|validate|run|fit|compile|configure|update)_|^test|^train",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"^(dice|iou|miou|jaccard|tversky|ssim|ms_ssim)(_(seg|box|2d|3d|multi|binary|per_\w+))?$", re.IGNORECASE
)
"""Scores that are losses where they stand in a file of losses."""
_LOSS_FILE = re.compile(r"(^|_)(loss|losses|objectives?|criteri(on|a))$", re.IGNORECASE)
_METRIC_FILE = re.compile(r"(^|_)metrics?$", re.IGNORECASE)
_FRAMEWORK_TEXT = re.compile(r"\b(tensorflow|keras|tf|K|backend)\b")


@dataclass(slots=True)
class Entry:
    """Something to trace. ``chain`` leads from a module-level statement to the definition."""

    kind: str  # "function", "step" (a body that differentiates), "module"
    name: str  # qualified
    chain: list[Definition]
    consumer: Consumer
    row: int


@dataclass
class Evidence:
    """What the calls of a module say about its functions, by the last part of their name."""

    compiled: set[str] = field(default_factory=set)  # compile(loss=f)
    metrics: set[str] = field(default_factory=set)  # compile(metrics=[f])
    added: set[str] = field(default_factory=set)  # add_loss(f(...))
    called: set[str] = field(default_factory=set)  # f(...) somewhere in a function
    unpacked: set[str] = field(default_factory=set)  # a, b = f(...) or f(...)[0]
    tape: bool = False
    bases: dict[str, list[str]] = field(default_factory=dict)  # class -> the last parts of its bases' names
    strategy: bool = False
    weighted: bool = False

    def lineage(self, name: str) -> list[str]:
        """The names of all bases of a class of this module, as far as the module tells."""
        found: list[str] = []
        todo = list(self.bases.get(name, []))
        while todo:
            base = todo.pop(0)
            if base not in found:
                found.append(base)
                todo += self.bases.get(base, [])
        return found


def imports_framework(module: Module) -> bool:
    """Whether the module is TensorFlow or Keras code; one that imports PyTorch and neither of them is not."""
    names = {
        canonical(n).split(".")[0]
        for s in ast.walk(module.tree)
        if isinstance(s, (ast.Import, ast.ImportFrom))
        for n in ([s.module or ""] if isinstance(s, ast.ImportFrom) else [a.name for a in s.names])
    }
    if names & set(FRAMEWORKS):
        return True
    if names & {"torch", "jax", "mxnet", "paddle", "theano", "flax"}:
        return False
    relative = any(isinstance(s, ast.ImportFrom) and s.level for s in module.tree.body)
    return relative or bool(_FRAMEWORK_TEXT.search(module.text))


def evidence_of(module: Module) -> Evidence:
    """Read the calls of ``module``."""
    found = Evidence()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            found.bases[node.name] = [_last(b) for b in node.bases]
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.targets[0], (ast.Tuple, ast.List))
        ) or (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call)):
            found.unpacked.add(_last(node.value.func))
        if not isinstance(node, ast.Call):
            continue
        name = _last(node.func)
        found.called.add(name)
        keywords = {k.arg: k.value for k in node.keywords if k.arg}
        if name == "compile":
            loss = keywords.get("loss", node.args[1] if len(node.args) > 1 else None)
            found.compiled |= set(_referred(loss)) if loss is not None else set()
            if "metrics" in keywords:
                found.metrics |= set(_referred(keywords["metrics"]))
        elif name == "add_loss" and node.args:
            found.added |= {_last(c.func) for c in ast.walk(node.args[0]) if isinstance(c, ast.Call)}
        elif name == "GradientTape" or name in ("minimize", "compute_gradients"):
            found.tape = True
        if name.endswith("Strategy") or (
            isinstance(node.func, ast.Attribute) and _last(node.func.value) == "distribute"
        ):
            found.strategy = True
        if keywords.keys() & {"sample_weight", "class_weight"} and name in ("fit", "train_on_batch", "fit_generator"):
            found.weighted = True
        if name == "Masking" or "mask_zero" in keywords:
            found.weighted = True
    found.weighted |= found.strategy
    return found


def _last(tree: ast.expr) -> str:
    return tree.attr if isinstance(tree, ast.Attribute) else tree.id if isinstance(tree, ast.Name) else ""


def _referred(tree: ast.expr) -> Iterator[str]:
    """The functions an expression names: ``f``, ``f(alpha)``, ``[f, g]``, ``{"out": f}``."""
    if isinstance(tree, (ast.Name, ast.Attribute)):
        yield _last(tree)
    elif isinstance(tree, ast.Call):
        yield _last(tree.func)
    elif isinstance(tree, (ast.List, ast.Tuple)):
        for item in tree.elts:
            yield from _referred(item)
    elif isinstance(tree, ast.Dict):
        for item in tree.values:
            yield from _referred(item)
    elif isinstance(tree, ast.Lambda):
        yield "<lambda>"


def definitions(body: list[ast.stmt], chain: tuple[Definition, ...] = ()) -> Iterator[list[Definition]]:
    """Every def, each as the chain of definitions that leads to it."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            here = (*chain, statement)
            if not isinstance(statement, ast.ClassDef):
                yield list(here)
            yield from definitions(statement.body, here)
        else:
            for inner in ("body", "orelse", "finalbody"):
                yield from definitions(getattr(statement, inner, []), chain)
            for handler in getattr(statement, "handlers", []):
                yield from definitions(handler.body, chain)


def qualified(chain: list[Definition]) -> str:
    """``__qualname__`` of the last definition."""
    name = chain[0].name
    for outer, inner in itertools.pairwise(chain):
        name += f".{inner.name}" if isinstance(outer, ast.ClassDef) else f".<locals>.{inner.name}"
    return name


def entries(module: Module, evidence: Evidence, options: Options = DEFAULTS) -> list[Entry]:
    """The losses and training steps of ``module``; what ``options`` declare overrules what is found."""
    found = []
    path = Path(module.path)
    place = (
        "loss"
        if _LOSS_FILE.search(path.stem)
        else "metric"
        if any(map(_METRIC_FILE.search, (path.stem, path.parent.name)))
        else ""
    )
    for chain in definitions(module.tree.body):
        function = chain[-1]
        assert not isinstance(function, ast.ClassDef)
        declared = options.pragmas.get(function.lineno) or options.named(function.name)
        if declared == "not-a-loss":
            continue
        consumer = _declared(chain, declared) if declared else _consumer(chain, evidence, place)
        if consumer is not None:
            found.append(Entry("function", qualified(chain), chain, consumer, function.lineno))
        if _consumes(function.body):
            tape = Consumer("tape", "it is differentiated here", True)
            found.append(Entry("step", qualified(chain), chain, tape, function.lineno))
    if _consumes(module.tree.body):
        found.append(Entry("module", "<module>", [], Consumer("tape", "it is differentiated here", True), 1))
    return found


def _consumes(body: list[ast.stmt]) -> bool:
    """Whether these statements themselves (no nested definition) differentiate or register a loss."""
    todo: list[ast.AST] = [s for s in body if not isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CONSUMING:
            return True
        todo.extend(
            c
            for c in ast.iter_child_nodes(node)
            if not isinstance(c, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        )
    return False


def _arguments(chain: list[Definition]) -> list[str]:
    """The arguments of the last definition, ``self`` left out."""
    function = chain[-1]
    assert not isinstance(function, ast.ClassDef)
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    method = len(chain) > 1 and isinstance(chain[-2], ast.ClassDef)
    return names[1:] if method and names and names[0] in ("self", "cls") else names


def _declared(chain: list[Definition], kind: str) -> Consumer:
    """The consumer of what the user declares to be a loss or a metric."""
    if kind == "metric":
        return Consumer("metric", "declared to be a metric", True)
    return Consumer("keras" if _takes_samples(_arguments(chain)) else "unknown", "declared to be a loss", True)


def _consumer(chain: list[Definition], evidence: Evidence, place: str) -> Consumer | None:
    """Who consumes the last definition of ``chain`` as a loss or a metric; None where it is neither.

    ``place`` is "loss" or "metric" where the file says what it holds.
    """
    function = chain[-1]
    assert not isinstance(function, ast.ClassDef)
    owner = chain[-2] if len(chain) > 1 and isinstance(chain[-2], ast.ClassDef) else None
    names = _arguments(chain)
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in _own_nodes(function))
    if owner is not None and function.name in ("call", "__call__"):
        bases = evidence.lineage(owner.name)
        if (
            any(b.endswith(("Loss", "LossFunctionWrapper", "Objective")) for b in (*bases, owner.name))
            and len(names) >= 2
            and not any(b.endswith(("Layer", "Model", "Metric")) for b in bases)
        ):
            return Consumer("keras", "the call of a Loss", True)
        return None
    if not names and not (owner is None and len(chain) > 1):
        return None
    outer = [d for d in chain[:-1] if not isinstance(d, ast.ClassDef)]
    known_as = {function.name} | {o.name for o in outer}
    # a loss that returns nothing is a finding, not something else
    returns = returns or (_is_sample_pair(names) and is_loss_name(function.name) and not _is_stub(function))
    if function.name.startswith("__") or _NO_LOSS.search(function.name) or not returns:
        return None
    if known_as & evidence.compiled and (_takes_samples(names) or len(names) >= 2):
        return Consumer("keras", f"compile(loss={function.name})", True)
    if known_as & evidence.added:
        return Consumer("tape", f"add_loss({function.name}(...))", True)
    if not names:
        return None
    metric = is_metric_name(function.name) or (bool(known_as & evidence.metrics) and not is_loss_name(function.name))
    if place == "loss" and _SCORE.match(function.name) and not known_as & evidence.metrics:
        return Consumer("keras", "stands among losses", False) if _is_sample_pair(names) else None
    metric = metric or place == "metric"
    if owner is not None and any(_last(b).endswith("Metric") for b in owner.bases):
        return None
    if _takes_samples(names[:4]):
        if metric or (outer and is_metric_name(outer[-1].name) and not is_loss_name(function.name)):
            return Consumer("metric", f"{function.name} is the name of a metric")
        if is_loss_name(function.name) or any(is_loss_name(o.name) for o in outer) or _is_sample_pair(names):
            if evidence.tape and function.name in evidence.called:
                return Consumer("unknown", "called beside a gradient tape")
            return Consumer("keras" if _is_sample_pair(names) else "unknown", "takes labels and predictions")
        return None
    if metric:
        return Consumer("metric", f"{function.name} is the name of a metric")
    if is_loss_name(function.name):
        return Consumer("unknown", f"{function.name} is the name of a loss")
    return None


def _takes_samples(names: list[str]) -> bool:
    """Whether there are labels and predictions among the arguments."""
    roles = [role_of(n) for n in names]
    return "label" in roles and "prediction" in roles


def _is_sample_pair(names: list[str]) -> bool:
    """Whether the first two arguments are what Keras passes to a loss."""
    return {role_of(n) for n in names[:2]} == {"label", "prediction"}


def _is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a body is only a docstring, ``pass``, ``...`` or ``raise``."""
    return all(
        isinstance(s, (ast.Pass, ast.Raise)) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in function.body
    )


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a body, those of nested definitions left out."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))
