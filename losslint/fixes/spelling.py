"""How a file calls the functions of TensorFlow and Keras: under the names it has imported, in the family it uses."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict

import libcst as cst

from losslint.fixes.code import Code
from losslint.frontend.module import Module, toplevel
from losslint.frontend.names import canonical

_SPELLINGS = {
    # operation: TensorFlow, keras.ops, keras.backend
    "clip": ("clip_by_value", "clip", "clip"),
    "maximum": ("maximum", "maximum", "maximum"),
    "mean": ("reduce_mean", "mean", "mean"),
    "where": ("where", "where", ""),
    "ones_like": ("ones_like", "ones_like", "ones_like"),
    "zeros_like": ("zeros_like", "zeros_like", "zeros_like"),
    "log_softmax": ("nn.log_softmax", "log_softmax", ""),
    "log_sigmoid": ("math.log_sigmoid", "log_sigmoid", ""),
    "softplus": ("math.softplus", "softplus", "softplus"),
    "logsumexp": ("reduce_logsumexp", "logsumexp", ""),
    "shape": ("shape", "shape", "shape"),
    "cast": ("cast", "cast", "cast"),
}
_FAMILIES = ("tensorflow", "keras.ops", "keras.backend")


def spell(code: Code, operation: str, like: cst.CSTNode | None, api: str) -> str | None:
    """How the file writes ``operation``, in the family of the call ``like`` to ``api``, else as TensorFlow's.

    None where the file has no name for it.
    """
    known = prefixes(code.module)
    if isinstance(like, cst.Call):
        known = known | _roots(code.text(like.func), api)
    own = next((family for family in reversed(_FAMILIES) if api.startswith(f"{family}.")), "tensorflow")
    for family in dict.fromkeys((own, "tensorflow")):
        name = _SPELLINGS[operation][_FAMILIES.index(family)]
        if name and (written := _written(known, f"{family}.{name}")) is not None:
            return written
    return None


def cast_to(code: Code, like: cst.CSTNode | None, api: str, dtype: str) -> tuple[str, str] | None:
    """What stands before and behind an expression that is cast; None where the file has no name for that.

    ``dtype`` is the name of a type, or an expression for one: "y_pred.dtype".
    """
    cast = spell(code, "cast", like, api)
    if cast is None:
        return None
    if "." in dtype:
        return f"{cast}(", f", {dtype})"
    root = prefixes(code.module).get("tensorflow")
    return f"{cast}(", f", {root}.{dtype})" if cast == f"{root}.cast" else f', "{dtype}")'


def is_call_of(code: Code, tree: cst.CSTNode | None, api: str) -> bool:
    """Whether ``tree`` calls ``api`` under its own name, or that of an import, and not what a variable holds."""
    if not isinstance(tree, cst.Call):
        return False
    written = code.text(tree.func)
    return bool(_roots(written, api)) or prefixes(code.module).get(api) == written


def _roots(written: str, api: str) -> dict[str, str]:
    """Canonical name -> what it is called, of the modules that ``written``, a call of ``api``, goes through."""
    spelled, full = written.split("."), api.split(".")
    found = {}
    while len(spelled) > 1 and len(full) > 1 and spelled[-1] == full[-1]:
        spelled.pop()
        full.pop()
        found[".".join(full)] = ".".join(spelled)
    return found


def _written(known: dict[str, str], full: str) -> str | None:
    """``full`` under the longest known prefix."""
    parts = full.split(".")
    for length in range(len(parts), 0, -1):
        prefix = known.get(".".join(parts[:length]))
        if prefix is not None:
            return ".".join([prefix, *parts[length:]])
    return None


@functools.lru_cache(maxsize=8)
def prefixes(module: Module) -> dict[str, str]:
    """Canonical name -> what ``module`` calls it, of what its top level imports and nothing else binds."""
    imported: dict[str, set[str]] = defaultdict(set)
    statements = [s for s in toplevel(module.tree.body) if isinstance(s, (ast.Import, ast.ImportFrom))]
    for statement in statements:
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                top = alias.name.split(".")[0]
                imported[alias.asname or top].add(canonical(alias.name if alias.asname else top))
            elif not statement.level and alias.name != "*":
                imported[alias.asname or alias.name].add(canonical(f"{statement.module}.{alias.name}"))
    others = _bound_elsewhere(module, statements)
    found: dict[str, str] = {}
    for name, meanings in imported.items():
        if len(meanings) == 1 and name not in others:
            meaning = meanings.pop()
            found[meaning] = min(name, found.get(meaning, name), key=lambda n: (len(n), n))
    return found


def _bound_elsewhere(module: Module, imports: list[ast.Import | ast.ImportFrom]) -> set[str]:
    """The names that something other than these imports binds, anywhere in the file."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and node not in imports:
            found.update(a.asname or a.name.split(".")[0] for a in node.names)
    return found
