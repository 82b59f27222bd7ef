"""Changes of a program that leave alone what it computes: what is found has to be the same before and after.

Comments do not survive, so a program is compared with itself written anew by ``ast.unparse``.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from losslint import session
from losslint.frontend.names import is_metric_name
from losslint.settings import Settings

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OPAQUE = (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp, ast.Yield, ast.Await, ast.NamedExpr)


def plain(text: str) -> str:
    """``text`` written anew."""
    return ast.unparse(ast.parse(text)) + "\n"


def named(text: str) -> str:
    """``return e`` becomes ``outcome_ = e; return outcome_``."""

    class Change(ast.NodeTransformer):
        def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.AST]:
            if node.value is None or isinstance(node.value, (ast.Name, ast.Constant)):
                return node
            bound = ast.Assign([ast.Name("outcome_", ast.Store())], node.value, lineno=0)
            return [bound, ast.Return(ast.Name("outcome_", ast.Load()))]

    return _written(Change().visit(ast.parse(text)))


def renamed(text: str) -> str:
    """Local variables get other names, which mean the same to a reader."""
    tree = ast.parse(text)
    outer = {n.id for s in tree.body for n in _stored(s) if not isinstance(s, (*_FUNCTIONS, ast.ClassDef))}
    for function in [n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS)]:
        inside = list(ast.walk(function))
        if any(isinstance(n, (ast.ClassDef, ast.Global, ast.Nonlocal)) for n in inside):
            continue
        taken = {n.arg for n in inside if isinstance(n, ast.arg)} | outer
        for name in {n.id for n in _stored(function)} - taken:
            for node in inside:
                if isinstance(node, ast.Name) and node.id == name:
                    node.id = f"{name}_2"
    return _written(tree)


def aliased(text: str) -> str:
    """``import tensorflow as tf`` becomes ``import tensorflow as tf_2``."""
    tree = ast.parse(text)
    stored = {n.id for n in _stored(tree)} | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for statement in [s for s in tree.body if isinstance(s, ast.Import)]:
        for alias in statement.names:
            if alias.asname and alias.asname not in stored:
                for node in ast.walk(tree):
                    if isinstance(node, ast.Name) and node.id == alias.asname:
                        node.id += "_2"
                alias.asname += "_2"
    return _written(tree)


def extracted(text: str) -> str:
    """What a function returns is computed by a helper that is given what it needs, under the names it had."""
    tree = ast.parse(text)
    body: list[ast.stmt] = []
    for statement in tree.body:
        last = statement.body[-1] if isinstance(statement, ast.FunctionDef) else None
        if (
            isinstance(statement, ast.FunctionDef)
            and isinstance(last, ast.Return)
            and isinstance(last.value, ast.BinOp)
        ):
            args = statement.args
            local = {n.id for n in _stored(statement)} | {
                a.arg for a in [*args.posonlyargs, *args.args, *args.kwonlyargs]
            }
            used = [n for n in ast.walk(last.value) if isinstance(n, (ast.Name, *_OPAQUE))]
            if not any(isinstance(n, _OPAQUE) for n in used):
                needed = sorted({n.id for n in used if isinstance(n, ast.Name)} & local)
                name = f"combined_{len(body)}_"  # one that does not say what it is of
                body.append(
                    ast.parse(f"def {name}({', '.join(needed)}):\n    return {ast.unparse(last.value)}").body[0]
                )
                last.value = ast.parse(f"{name}({', '.join(needed)})", mode="eval").body
        body.append(statement)
    tree.body = body
    return _written(tree)


def made(text: str) -> str:
    """A function at the top level is made by a factory without arguments."""
    tree = ast.parse(text)
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and not statement.decorator_list:
            name = statement.name
            factory = ast.parse(f"def make_{name}_():\n    return {name}\n{name} = make_{name}_()").body
            factory[0].body.insert(0, statement)  # type: ignore[attr-defined]
            body += factory
        else:
            body.append(statement)
    tree.body = body
    return _written(tree)


def swapped(text: str) -> str:
    """Neighbouring assignments that need nothing of each other change places."""
    tree = ast.parse(text)
    for function in [n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS)]:
        at = 0
        while at + 1 < len(function.body):
            first, second = function.body[at : at + 2]
            if isinstance(first, ast.Assign) and isinstance(second, ast.Assign) and _are_independent(first, second):
                function.body[at : at + 2] = [second, first]
                at += 1
            at += 1
    return _written(tree)


_SYNONYMS = {
    name: f"math.{name}"
    for name in "abs add cos divide exp maximum minimum multiply negative pow reduce_all reduce_any reduce_logsumexp"
    " reduce_max reduce_mean reduce_min reduce_sum sigmoid sign sin sqrt square subtract tanh".split()
}
"""Functions of ``tf`` that have another name."""
_BACKEND = {"abs": "abs", "exp": "exp", "maximum": "maximum", "mean": "reduce_mean", "minimum": "minimum",
            "pow": "pow", "sign": "sign", "square": "square", "sum": "reduce_sum"}  # fmt: skip
"""Functions of the backend of Keras that do what one of ``tf`` does with tensors of numbers."""


def _spelled(text: str, owner: str, names: dict[str, str], prefix: str) -> str:
    """``owner.name`` for each of ``names`` becomes ``prefix`` and its other name."""

    class Change(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.value, ast.Name) and node.value.id == owner and node.attr in names:
                return ast.parse(f"{prefix}{names[node.attr]}", mode="eval").body
            return node

    return _written(Change().visit(ast.parse(text)))


def _imports(text: str, line: str) -> bool:
    return any(ast.unparse(s) == line for s in ast.parse(text).body)


def synonyms(text: str) -> str:
    """``tf.reduce_sum`` becomes ``tf.math.reduce_sum``."""
    return _spelled(text, "tf", _SYNONYMS, "tf.") if _imports(text, "import tensorflow as tf") else text


def imported(text: str) -> str:
    """``tf.math.log`` becomes ``math_2.log`` after ``from tensorflow import math as math_2``."""
    return _after_imports(text, "tf.math.", "math_2.", "from tensorflow import math as math_2")


def of_tensorflow(text: str) -> str:
    """``K.sum`` becomes ``tf_2.reduce_sum``."""
    if not any(_imports(text, f"{line} as K") for line in ("import keras.backend", "from keras import backend",
                                                         "from tensorflow.keras import backend")):  # fmt: skip
        return text
    after = _spelled(text, "K", _BACKEND, "tf_2.")
    return _after_imports(after, "tf_2.", "tf_2.", "import tensorflow as tf_2")


def _after_imports(text: str, spelled: str, otherwise: str, line: str) -> str:
    """``text`` with ``otherwise`` for ``spelled``, and ``line`` after the imports from the future."""
    tree = ast.parse(text)
    if spelled not in text or (spelled.startswith("tf.") and not _imports(text, "import tensorflow as tf")):
        return text
    owner, _, rest = spelled.rstrip(".").partition(".")

    class Change(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            self.generic_visit(node)
            if rest and isinstance(node.value, ast.Name) and node.value.id == owner and node.attr == rest:
                return ast.Name(otherwise.rstrip("."), ast.Load())
            return node

    tree = Change().visit(tree)
    first = next(
        (i for i, s in enumerate(tree.body) if isinstance(s, ast.Import)), 0
    )  # what stands before is a docstring, or from the future
    tree.body.insert(first, ast.parse(line).body[0])
    return _written(tree)


def inlined(text: str) -> str:
    """Calls, with names and numbers, of a function at the top level that only returns something become what it returns.

    A function that is mentioned in no other way is left out then.
    """
    tree = ast.parse(text)
    simple = {s.name: s for s in tree.body if _only_returns(s)}
    done: set[str] = set()

    class Change(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            helper = simple.get(node.func.id) if isinstance(node.func, ast.Name) else None
            if helper is None or node.keywords or len(node.args) != len(helper.args.args):
                return node
            if not all(isinstance(a, (ast.Name, ast.Constant)) for a in node.args):
                return node
            done.add(helper.name)
            given = dict(zip([a.arg for a in helper.args.args], node.args, strict=True))
            return _Given(given).visit(ast.parse(ast.unparse(helper.body[-1].value), mode="eval").body)

    local = {n.id for f in ast.walk(tree) if isinstance(f, _FUNCTIONS) for n in _stored(f)}
    free = {name: {n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for name, s in simple.items()}
    simple = {name: s for name, s in simple.items() if not free[name] & local and name not in free[name]}
    tree = Change().visit(tree)
    left = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    tree.body = [s for s in tree.body if getattr(s, "name", "") not in done - left]
    return _written(tree)


class _Given(ast.NodeTransformer):
    """Puts arguments in the place of parameters."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.given.get(node.id, node)


def _only_returns(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.FunctionDef) or statement.decorator_list or not statement.args.args:
        return False
    args, body = statement.args, statement.body
    plain_ = not (args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs or args.defaults)
    last = body[-1]
    only = len(body) == 1 or (
        len(body) == 2 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    )
    returns = isinstance(last, ast.Return) and last.value is not None
    return plain_ and only and returns and not any(isinstance(n, _OPAQUE) for n in ast.walk(last))


def methods(text: str) -> str:
    """A function of labels and predictions that nothing else mentions becomes ``call`` of a ``Loss``."""
    tree = ast.parse(text)
    if not _imports(text, "import tensorflow as tf"):
        return text
    mentioned = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    for i, statement in enumerate(tree.body):
        if not isinstance(statement, ast.FunctionDef) or statement.decorator_list or mentioned[statement.name]:
            continue
        if is_metric_name(statement.name):  # which is then a loss
            continue
        if [a.arg for a in statement.args.args] == ["y_true", "y_pred"] and not statement.args.kwonlyargs:
            cls = ast.parse(f"class {statement.name}(tf.keras.losses.Loss):\n    pass").body[0]
            statement.name = "call"
            statement.args.args.insert(0, ast.arg("self"))
            cls.body = [statement]  # type: ignore[attr-defined]
            tree.body[i] = cls
    return _written(tree)


CONSUMERS = frozenset("LL101 LL102 LL103 LL104 LL501 LL502 LL511".split())
"""Rules that ask who consumes a loss: what is said of one that is known to be of Keras may be more, or less, severe."""
SAME_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "results are named": named, "variables renamed": renamed, "modules renamed": aliased, "assignments swapped": swapped,
    "synonyms": synonyms, "functions imported": imported, "tf for K": of_tensorflow
}  # fmt: skip
"""Changes after which findings stand in the functions where they stood."""
OTHER_FUNCTIONS: dict[str, Callable[[str], str]] = {"helpers extracted": extracted, "made by factories": made,
    "helpers inlined": inlined, "moved into a Loss": methods}  # fmt: skip
"""Changes after which they may stand in others."""


def findings(text: str, path: Path, by_function: bool) -> Counter[tuple[str, ...]]:
    """What is found in ``text`` in place of the file at ``path``."""
    result = session.check_text(text.encode(), str(path), Settings())
    return Counter((f.function, f.code) if by_function else (f.code,) for f in result.findings)


def differences(text: str, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each change, and what is found only without it (-) or only with it (+)."""
    before = plain(text)
    for changes, by_function in ((SAME_FUNCTIONS, True), (OTHER_FUNCTIONS, False)):
        known = findings(before, path, by_function)
        for name, change in changes.items():
            after = change(before)
            if after != before:
                told = findings(after, path, by_function)
                lost, more = known - told, told - known
                if change is inlined:  # a fault of a helper is now one of each caller
                    lost, more = Counter(known.keys() - told.keys()), Counter(told.keys() - known.keys())
                elif change is of_tensorflow:  # which of the names are gone is another matter
                    lost, more = (Counter({k: n for k, n in c.items() if k[-1] != "LL503"}) for c in (lost, more))
                elif change is methods:
                    lost, more = (Counter({k: n for k, n in c.items() if k[-1] not in CONSUMERS}) for c in (lost, more))
                yield name, [f"-{' '.join(k)}" for k in lost.elements()] + [f"+{' '.join(k)}" for k in more.elements()]


def _stored(tree: ast.AST) -> Iterator[ast.Name]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def _are_independent(first: ast.Assign, second: ast.Assign) -> bool:
    """Whether two assignments to names share none but what both only read."""
    if not all(isinstance(t, ast.Name) for t in (*first.targets, *second.targets)):
        return False
    names = [{n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for s in (first, second)]
    bound = [{n.id for n in _stored(s)} for s in (first, second)]
    return not names[0] & bound[1] and not bound[0] & names[1]


def _written(tree: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
