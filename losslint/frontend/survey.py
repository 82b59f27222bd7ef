"""What one walk over the ``ast`` of a file tells: its imports, its calls, and what each function does with losses."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from losslint.frontend.names import is_metric_name

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CONSUMING = frozenset(("gradient", "minimize", "compute_gradients", "add_loss", "get_updates"))
_RUNS = frozenset({"run", "experimental_run_v2", "experimental_run"})
_AGGREGATING = frozenset({"experimental_aggregate_gradients", "skip_gradients_aggregation"})
_PLAIN = frozenset(
    """annotation arg asname attr conversion ctx id is_async kind kwarg kwd_attrs kwonlyargs level module name names op
    ops posonlyargs rest returns simple type_comment type_ignores type_params vararg""".split()
)
"""Fields that hold nothing which is looked for: no calls, no statements."""
_LEAVES = frozenset((ast.Constant, ast.Name, ast.alias, ast.arg, ast.MatchSingleton))


_MAPPING = frozenset(
    "map map_fn map_structure map_structure_up_to map_structure_with_path vectorized_map foldl foldr scan".split()
)
"""What calls the function it is handed, once for each of many."""


@dataclass
class Evidence:
    """What the calls of a module say about its functions, by the last part of their name."""

    compiled: set[str] = field(default_factory=set)  # compile(loss=f)
    wrapped: set[str] = field(default_factory=set)  # super().__init__(f, ...) beside a LossFunctionWrapper
    metrics: set[str] = field(default_factory=set)  # compile(metrics=[f])
    added: set[str] = field(default_factory=set)  # add_loss(f(...))
    called: set[str] = field(default_factory=set)  # f(...) somewhere in a function
    mapped: set[str] = field(default_factory=set)  # map_fn(f, ...)
    beside: set[str] = field(default_factory=set)  # f(...) in another file, which keeps a gradient tape
    unpacked: set[str] = field(default_factory=set)  # a, b = f(...) or f(...)[0]
    tape: bool = False
    bases: dict[str, list[str]] = field(default_factory=dict)  # class -> the last parts of its bases' names
    floatx: bool = False  # set_floatx(...): Keras computes in another type than float32
    eager: bool = False  # run_eagerly=True, tf.config.run_functions_eagerly(True)
    strategy: bool = False
    weighted: bool = False
    replicated: set[str] = field(default_factory=set)  # strategy.run(f, ...)
    applied: bool = False  # an optimizer applies gradients
    aggregated: bool = False  # replicas are reduced by hand
    elsewhere: dict[tuple[str, str], str] = field(default_factory=dict)  # what another file says (kind, name) -> which

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

    def read(self, call: ast.Call, name: str) -> None:
        """Note what ``call``, of something whose last part is ``name``, says."""
        self.called.add(name)
        if name in _MAPPING:
            self.mapped |= {value.id for value in call.args[:2] if isinstance(value, ast.Name)}
        keywords = {k.arg: k.value for k in call.keywords if k.arg}
        self.floatx |= name == "set_floatx"
        self.eager |= name.endswith("run_functions_eagerly") or _is_set(keywords.get("run_eagerly"))
        if name == "compile":
            loss = compiled_loss(call)
            self.compiled |= set(_referred(loss)) if loss is not None else set()
            if "metrics" in keywords:
                self.metrics |= set(_referred(keywords["metrics"]))
        elif name == "__init__" and call.args and isinstance(call.args[0], ast.Name):
            self.wrapped.add(call.args[0].id)
        elif name == "add_loss" and call.args:
            self.added |= {last_part(c.func) for c in summands(call.args[0]) if isinstance(c, ast.Call)}
        elif name in ("GradientTape", "minimize", "compute_gradients"):
            self.tape = True
        of_distribute = isinstance(call.func, ast.Attribute) and last_part(call.func.value) == "distribute"
        self.strategy |= name.endswith("Strategy") or of_distribute
        if keywords:
            fits = name in ("fit", "train_on_batch", "fit_generator")
            self.weighted |= (
                fits and bool(keywords.keys() & {"sample_weight", "class_weight"})
            ) or "mask_zero" in keywords
        self.weighted |= name == "Masking"
        owner = last_part(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if name in _RUNS and call.args and "strategy" in owner.lower():
            self.replicated.add(last_part(call.args[0]))
        self.applied |= name in ("apply_gradients", "apply", "minimize")
        self.aggregated |= name == "all_reduce" or not _AGGREGATING.isdisjoint(keywords)


@dataclass
class Survey:
    """What a file holds, as far as its ``ast`` tells."""

    evidence: Evidence = field(default_factory=Evidence)
    imports: set[str] = field(default_factory=set)  # the modules, as they are written
    consuming: set[ast.AST] = field(
        default_factory=set
    )  # functions (or the module) that differentiate or register a loss
    compiling: dict[ast.AST, list[ast.AST]] = field(
        default_factory=dict
    )  # functions (or the module) that compile with a loss of note -> the calls
    returning: set[ast.AST] = field(default_factory=set)  # functions that return something
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = field(
        default_factory=dict
    )  # by the name in their def


def survey(tree: ast.Module) -> Survey:
    """Walk over ``tree`` once. What stands in a function belongs to the innermost one."""
    found = Survey()
    evidence = found.evidence
    # (node, the innermost definition around it; None in a decorator, a default or a base: nobody's body)
    todo: list[tuple[ast.AST, ast.AST | None]] = [(tree, tree)]
    for node, owner in todo:  # grows while it is walked over: outer nodes come first
        kind: type = type(node)
        inner = owner
        if kind is ast.Call:
            assert isinstance(node, ast.Call)
            name = last_part(node.func)
            evidence.read(node, name)
            if owner is not None and name in _CONSUMING and isinstance(node.func, ast.Attribute):
                found.consuming.add(owner)
            elif owner is not None and name == "compile" and _is_of_note(node):
                found.compiling.setdefault(owner, []).append(node)
        elif isinstance(node, ast.stmt):
            _statement(node, owner, found)
            if isinstance(node, _DEFINITIONS):
                inner = None
                todo.extend([(statement, node) for statement in node.body])
        elif kind is ast.Subscript:
            assert isinstance(node, ast.Subscript)
            if isinstance(node.value, ast.Call):
                evidence.unpacked.add(last_part(node.value.func))
        for name in _children(kind):
            value = getattr(node, name)
            if type(value) is list:
                todo.extend([(v, inner) for v in value if type(v) not in _LEAVES and v is not None])
            elif value is not None and type(value) not in _LEAVES:
                todo.append((value, inner))
    evidence.weighted |= evidence.strategy
    if not any(base == "LossFunctionWrapper" for bases in evidence.bases.values() for base in bases):
        evidence.wrapped.clear()
    return found


@functools.cache
def _children(kind: type) -> tuple[str, ...]:
    """The fields of a ``kind`` of node that are walked over; the bodies of definitions are walked over as such."""
    skipped = _PLAIN | {"body"} if issubclass(kind, _DEFINITIONS) else _PLAIN
    return tuple(name for name in getattr(kind, "_fields", ()) if name not in skipped)


def _statement(node: ast.stmt, owner: ast.AST | None, found: Survey) -> None:
    """Note what a statement says."""
    if isinstance(node, ast.Return):
        if node.value is not None and owner is not None:
            found.returning.add(owner)
    elif isinstance(node, ast.Assign):
        if isinstance(node.value, ast.Call) and isinstance(node.targets[0], (ast.Tuple, ast.List)):
            found.evidence.unpacked.add(last_part(node.value.func))
        if last_part(node.targets[0]) == "run_eagerly":
            found.evidence.eager |= _is_set(node.value)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        found.functions.setdefault(node.name, []).append(node)
    elif isinstance(node, ast.ClassDef):
        found.evidence.bases[node.name] = [last_part(b) for b in node.bases]
    elif isinstance(node, ast.Import):
        found.imports.update(a.name for a in node.names)
    elif isinstance(node, ast.ImportFrom):
        found.imports.add(node.module or "")


def _is_set(tree: ast.expr | None) -> bool:
    """Whether a flag is given, and is not plainly False."""
    return tree is not None and not (isinstance(tree, ast.Constant) and not tree.value)


def last_part(tree: ast.expr) -> str:
    """``c`` of ``a.b.c``; "" for what is no dotted name."""
    return tree.attr if isinstance(tree, ast.Attribute) else tree.id if isinstance(tree, ast.Name) else ""


def compiled_loss(call: ast.Call) -> ast.expr | None:
    """What a call of ``compile`` gives as loss."""
    named = [k.value for k in call.keywords if k.arg == "loss"]
    return named[0] if named else call.args[1] if len(call.args) > 1 else None


def summands(tree: ast.expr) -> Iterator[ast.expr]:
    """What is added up, or scaled, to make a value: ``f(x)`` and ``g(x)`` of ``f(x) + 0.1 * g(x)``."""
    todo = [tree]
    while todo:  # a sum of a thousand terms is as many levels deep
        part = todo.pop()
        if isinstance(part, ast.BinOp):
            todo += (part.right, part.left)
        elif isinstance(part, ast.UnaryOp):
            todo.append(part.operand)
        elif isinstance(part, (ast.List, ast.Tuple)):
            todo += reversed(part.elts)
        else:
            yield part


def _is_of_note(call: ast.Call) -> bool:
    """Whether a model is compiled with a loss that may be no loss; those of Keras, as they are, are left out."""
    loss = compiled_loss(call)
    if loss is None or not isinstance(call.func, ast.Attribute) or last_part(call.func.value) in ("re", "regex"):
        return False
    return len(loss.elts) > 1 if isinstance(loss, (ast.List, ast.Tuple)) else not _is_ordinary(loss)


def _is_ordinary(loss: ast.expr) -> bool:
    if isinstance(loss, ast.Constant):
        return not (isinstance(loss.value, str) and is_metric_name(loss.value))
    if isinstance(loss, ast.Dict):
        return all(map(_is_ordinary, loss.values))
    made = loss.func if isinstance(loss, ast.Call) else loss
    if isinstance(loss, ast.Call) and any(k.arg in (None, "reduction") for k in loss.keywords):
        return False
    return isinstance(made, ast.Attribute) and last_part(made.value) in ("losses", "objectives")


def _referred(tree: ast.expr) -> Iterator[str]:
    """The functions an expression names: ``f``, ``f(alpha)``, ``[f, g]``, ``{"out": f}``."""
    if isinstance(tree, (ast.Name, ast.Attribute)):
        yield last_part(tree)
    elif isinstance(tree, ast.Call):
        yield last_part(tree.func)
    elif isinstance(tree, (ast.List, ast.Tuple)):
        for item in tree.elts:
            yield from _referred(item)
    elif isinstance(tree, ast.Dict):
        for item in tree.values:
            yield from _referred(item)
    elif isinstance(tree, ast.Lambda):
        yield "<lambda>"
