"""Finds the losses of a module and who consumes them, from the ``ast`` alone: cheap enough to run on every file."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from losslint.frontend.module import Module, is_stub
from losslint.frontend.names import FRAMEWORKS, canonical, is_loss_name, is_metric_name, is_spelled_out, roles_of
from losslint.frontend.survey import Definition, Evidence, Survey, last_part
from losslint.frontend.words import METRIC_FILE, NO_LOSS
from losslint.loss import Consumer
from losslint.options import ADDED, BESIDE, COMPILED, METRIC, UNPACKED, Options, Use

DEFAULTS = Options()

_SCORE = re.compile(
    r"^((soft|generali[sz]ed|weighted|binary|multi\w*|sparse|batch)_)*(dice|iou|miou|jaccard|tversky|ssim|ms_ssim)"
    r"(_(seg|box|2d|3d|multi|binary|dense|\w*squared?|per_\w+))?$",
    re.IGNORECASE,
)
"""Scores that are losses where they stand in a file of losses."""
_SAYS_LOSS = re.compile(r"loss(_|$)|^loss", re.IGNORECASE)
"""Names of losses even in a file of metrics."""
_DISTANCE = re.compile(r"(?<!wasserstein)(?<!jaccard)_distances?$", re.IGNORECASE)
"""A distance of two things is a loss only where they are labels and predictions."""
_BY_ARGUMENTS = "takes labels and predictions"
_LOSS_FILE = re.compile(r"(^|_)(loss|losses|objectives?|criteri(on|a))$|^loss(es)?_", re.IGNORECASE)
_SHORT = ("tf", "K")
_FRAMEWORK_NAMES = ("tensorflow", "keras", "backend", *_SHORT)
_FRAMEWORK_TEXT = re.compile(rf"\b({'|'.join(_FRAMEWORK_NAMES)})\b")


@dataclass(slots=True)
class Entry:
    """Something to trace. ``chain`` leads from a module-level statement to the definition."""

    kind: str  # "function", "step" (a body that differentiates), "module"
    name: str  # qualified
    chain: list[Definition]
    consumer: Consumer
    row: int
    part: bool = False
    """A loss by its arguments alone, and all that is done with it is that losses call it."""


def imports_framework(module: Module) -> bool:
    """Whether the module is TensorFlow or Keras code; one that imports PyTorch and neither of them is not."""
    names = {canonical(name).split(".")[0] for name in module.survey.imports}
    if names & set(FRAMEWORKS):
        return True
    if names & {"torch", "jax", "mxnet", "paddle", "theano", "flax"}:
        return False
    if _FRAMEWORK_TEXT.search(module.text) and _speaks_of_framework(module.tree):
        return True
    relative = any(isinstance(s, ast.ImportFrom) and s.level for s in module.tree.body)
    return relative and "loss" in module.text.lower()


@functools.lru_cache(maxsize=1)  # asked for the losses of a file, and for what else is in it
def _speaks_of_framework(tree: ast.Module) -> bool:
    """Whether a file that imports no framework uses one all the same, as ``tf.x`` or ``K.x``.

    The name may come with ``from .common import *``, from a helper that looks for TensorFlow, or from the cell before
    of a notebook. A ``K`` or ``tf`` that a function binds by itself is something else: a kernel matrix, say.
    """
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in _FRAMEWORK_NAMES:
                used.add(node.value.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            bound.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return bool(used - bound.intersection(_SHORT))


class Discovered(NamedTuple):
    """What the calls of a file, and of other files, say about its functions, and the losses that follow from it."""

    options: Options
    evidence: Evidence
    entries: list[Entry]


def discovered(module: Module, options: Options = DEFAULTS) -> Discovered:
    """The losses and training steps of ``module``, found once for all who ask with the same ``options``."""
    if module.discovered is None or module.discovered.options is not options:
        evidence = _with_uses(module.survey.evidence, options.elsewhere)
        module.discovered = Discovered(options, evidence, list(_entries(module, evidence, options)))
    return module.discovered


def evidence_of(module: Module, options: Options = DEFAULTS) -> Evidence:
    """What the calls of ``module`` say, and those of other files as far as ``options`` tell."""
    return discovered(module, options).evidence


def entries(module: Module, options: Options = DEFAULTS) -> list[Entry]:
    """The losses and training steps of ``module``; what ``options`` declare overrules what is found."""
    return discovered(module, options).entries


def _with_uses(evidence: Evidence, uses: tuple[Use, ...]) -> Evidence:
    """``evidence`` with what other files do."""
    if not uses:
        return evidence
    names = {kind: {use.name for use in uses if use.kind == kind} for kind in {use.kind for use in uses}}
    return dataclasses.replace(
        evidence,
        compiled=evidence.compiled | names.get(COMPILED, set()),
        metrics=evidence.metrics | names.get(METRIC, set()),
        added=evidence.added | names.get(ADDED, set()),
        beside=names.get(BESIDE, set()),
        called=evidence.called | names.get(BESIDE, set()),
        unpacked=evidence.unpacked | names.get(UNPACKED, set()),
        elsewhere={(use.kind, use.name): use.place for use in uses},
    )


def definitions(body: list[ast.stmt]) -> Iterator[list[Definition]]:
    """Every def, each as the chain of definitions that leads to it."""
    todo: list[tuple[ast.stmt, tuple[Definition, ...]]] = [(statement, ()) for statement in reversed(body)]
    while todo:  # a thousand times ``elif`` are as many levels
        statement, chain = todo.pop()
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            chain = (*chain, statement)
            if not isinstance(statement, ast.ClassDef):
                yield list(chain)
            inner = statement.body
        else:
            handled = [s for handler in getattr(statement, "handlers", ()) for s in handler.body]
            inner = [s for name in ("body", "orelse", "finalbody") for s in getattr(statement, name, ())] + handled
        todo += [(s, chain) for s in reversed(inner)]


def qualified(chain: list[Definition]) -> str:
    """``__qualname__`` of the last definition."""
    name = chain[0].name
    for outer, inner in itertools.pairwise(chain):
        name += f".{inner.name}" if isinstance(outer, ast.ClassDef) else f".<locals>.{inner.name}"
    return name


def _entries(module: Module, evidence: Evidence, options: Options) -> Iterator[Entry]:
    path = Path(module.path)
    place = (
        "loss"
        if _LOSS_FILE.search(path.stem)
        else "metric"
        if any(re.search(METRIC_FILE, part) for part in (path.stem, path.parent.name))
        else ""
    )
    for chain in definitions(module.tree.body):
        function = chain[-1]
        assert not isinstance(function, ast.ClassDef)
        declared = options.pragmas.get(function.lineno) or options.named(function.name)
        if declared == "not-a-loss":
            continue
        consumer = _declared(chain, declared) if declared else _consumer(chain, module.survey, evidence, place)
        if consumer is not None:
            part = not declared and _is_part(chain, consumer, module, evidence, place)
            yield Entry("function", qualified(chain), chain, consumer, function.lineno, part)
        if function in module.survey.consuming:
            tape = Consumer("tape", "it is differentiated here", True)
            yield Entry("step", qualified(chain), chain, tape, function.lineno)
    if module.tree in module.survey.consuming:
        yield Entry("module", "<module>", [], Consumer("tape", "it is differentiated here", True), 1)


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


def _consumer(chain: list[Definition], survey: Survey, evidence: Evidence, place: str) -> Consumer | None:
    """Who consumes the last definition of ``chain`` as a loss or a metric; None where it is neither.

    ``place`` is "loss" or "metric" where the file says what it holds.
    """
    function = chain[-1]
    assert not isinstance(function, ast.ClassDef)
    owner = chain[-2] if len(chain) > 1 and isinstance(chain[-2], ast.ClassDef) else None
    names = _arguments(chain)
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
    certain = _is_sample_pair(names) and is_loss_name(function.name) and not is_stub(function.body)
    returns = function in survey.returning or certain
    if function.name.startswith("__") or re.search(NO_LOSS, function.name) or not returns:
        return None
    if known_as & evidence.compiled and (_takes_samples(names) or len(names) >= 2):
        where = _where(evidence, COMPILED, known_as)
        return Consumer("keras", f"compile(loss={function.name}){where}", True)
    if known_as & evidence.added:
        where = _where(evidence, ADDED, known_as)
        return Consumer("tape", f"add_loss({function.name}(...)){where}", True)
    if not names:
        return None
    metric = is_metric_name(function.name) or (bool(known_as & evidence.metrics) and not is_loss_name(function.name))
    if place == "loss" and _SCORE.match(function.name) and not known_as & evidence.metrics:
        return Consumer("keras", "stands among losses", False) if _is_sample_pair(names) else None
    metric = metric or (place == "metric" and not _SAYS_LOSS.search(function.name))
    if owner is not None and any(last_part(b).endswith("Metric") for b in owner.bases):
        return None
    if _takes_samples(names[:4]):
        if metric or (outer and is_metric_name(outer[-1].name) and not is_loss_name(function.name)):
            return Consumer("metric", f"{function.name} is the name of a metric")
        if (
            is_loss_name(function.name)
            or any(is_loss_name(o.name) for o in outer)
            or _is_certain_pair(chain, names)
            or (place == "loss" and len(chain) == 1 and _is_sample_pair(names))
        ):
            if (evidence.tape and function.name in evidence.called) or function.name in evidence.beside:
                where = _where(evidence, BESIDE, known_as)
                return Consumer("unknown", f"called beside a gradient tape{where}")
            return Consumer("keras" if _is_sample_pair(names) else "unknown", _BY_ARGUMENTS)
        return None
    if metric:
        return Consumer("metric", f"{function.name} is the name of a metric")
    if function.name in evidence.wrapped and len(names) >= 2:
        return Consumer("keras", f"LossFunctionWrapper({function.name})", False)
    if is_loss_name(function.name) and not _DISTANCE.search(function.name):
        return Consumer("unknown", f"{function.name} is the name of a loss")
    return None


def _is_part(chain: list[Definition], consumer: Consumer, module: Module, evidence: Evidence, place: str) -> bool:
    """Whether a function is a loss by its arguments alone, and all that is done with it is that losses call it."""
    function = chain[-1]
    if len(chain) > 1 or is_loss_name(function.name) or not _is_guess(consumer) or function.decorator_list:
        return False
    if any(name == function.name for _, name in evidence.elsewhere):
        return False
    calling = module.callers.get(function.name, [])
    return bool(calling) and all(_is_whole(s, module, evidence, place) for s in calling)


def _is_guess(consumer: Consumer) -> bool:
    return consumer.evidence == _BY_ARGUMENTS


def _is_whole(statement: ast.stmt, module: Module, evidence: Evidence, place: str) -> bool:
    """Whether a statement is a loss that is no part of another for sure."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    consumer = _consumer([statement], module.survey, evidence, place)
    if consumer is None or consumer.kind == "metric":
        return False
    return not _is_guess(consumer) or is_loss_name(statement.name) or statement.name not in evidence.called


def _where(evidence: Evidence, kind: str, names: set[str]) -> str:
    """`` in train.py`` where another file says so, which this one does not."""
    places = sorted(evidence.elsewhere[kind, name] for name in names if (kind, name) in evidence.elsewhere)
    return f" in {places[0]}" if places else ""


def _takes_samples(names: list[str]) -> bool:
    """Whether there are labels and predictions among the arguments."""
    roles = roles_of(names)
    return "label" in roles and "prediction" in roles


def _is_sample_pair(names: list[str]) -> bool:
    """Whether the first two arguments are what Keras passes to a loss."""
    return set(roles_of(names)[:2]) == {"label", "prediction"}


def _is_certain_pair(chain: list[Definition], names: list[str]) -> bool:
    """Whether the first two arguments alone tell that a function which is not called a loss is one.

    Labels, features and outputs are passed to much else, to methods above all.
    """
    if not _is_sample_pair(names):
        return False
    method = len(chain) > 1 and isinstance(chain[-2], ast.ClassDef)
    return any(map(is_spelled_out, names[:2])) and (not method or all(map(is_spelled_out, names[:2])))
