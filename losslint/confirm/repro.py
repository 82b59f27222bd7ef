"""A script that shows a finding by itself: the statements that the loss needed, the inputs, the call, what comes out.

It needs TensorFlow alone. All statements become one file, so names of several files must not clash; where they do, the
helpers are written to a folder and imported from there.
"""

from __future__ import annotations

import ast
import contextlib
import math
import re
import struct
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

from losslint.confirm.toplevel import stores

WIDTH = 100
_RENAMED = '''
def renamed(old, new):
    """Let ``old``, which this version no longer has, be ``new``."""
    found, (parent, _, name) = pkgutil.resolve_name(new), old.rpartition(".")
    if isinstance(found, types.ModuleType):
        sys.modules[old] = found
    else:
        setattr(pkgutil.resolve_name(parent), name, found)

'''
_NAMES = '''
class Names:
    """A module whose contents stand in this file."""

    def __getattr__(self, name):
        return globals().get(name, self)

'''
_SHIM = re.compile(r"^(\S+) ran as (\S+)$")


class Statement(NamedTuple):
    """One of ``loader.executed``."""

    path: str
    first: int
    last: int
    text: str


def script(
    executed: Sequence[Sequence[Any]],
    loss: str,
    inputs: Mapping[str, Any],
    *,
    main: str,
    source: str = "",
    mode: Mapping[str, Any] | None = None,
    header: Sequence[str] = (),
    checks: str = "",
    shims: Sequence[str] = (),
) -> str:
    """A standalone script.

    ``executed``, ``source`` (of an inline loss), ``loss`` and ``shims`` are those of the loader (``recipe`` is the
    expression for the loss), ``main`` is the path of the file of the loss. ``inputs`` are the arguments in their order:
    arrays, ``{"dtype": "float32", "value": [...]}``, or plain values. ``mode`` are the arguments of ``tf.function``,
    None for eager mode. ``checks`` are statements over ``value`` and ``gradients`` (input -> array or None).
    """
    statements = [Statement(*row[:4]) for row in executed]
    lines = [f"# {line}".rstrip() for line in header]
    old = [found for text in shims if (found := _SHIM.match(text))]
    lines += [
        "from __future__ import annotations",
        "",
        *(["import pkgutil", "import sys", "import types", ""] if old else []),
    ]
    lines += ["import numpy as np", "import tensorflow as tf", ""]
    if old:
        lines += [_RENAMED, *(f'renamed("{_full(m[1])}", "{_full(m[2])}")' for m in old)]
    body = list(_flat(statements)) if not _clashes(statements) else list(_in_folder(statements, main))
    lines += [_NAMES] * any("Names()" in line for line in body) + ["\n".join(body), ""]
    lines += ["", source.rstrip(), ""] if source else []
    lines += [f"{name} = {literal(value)}" for name, value in inputs.items()]
    floats = [name for name, value in inputs.items() if _is_float(value)]
    called = ", ".join(inputs)
    arguments = ", ".join(f"{key}={value!r}" for key, value in (mode or {}).items())
    lines += [
        "",
        f"loss = {loss}" if mode is None else f"loss = tf.function({loss}{', ' * bool(arguments)}{arguments})",
    ]
    lines += [f"watched = {{{', '.join(f'{n!r}: {n}' for n in floats)}}}", "with tf.GradientTape() as tape:"]
    lines += ["    tape.watch(list(watched.values()))", f"    value = loss({called})"]
    lines += ["gradients = dict(zip(watched, tape.gradient(value, list(watched.values()))))"]
    lines += ["gradients = {n: g if g is None else tf.convert_to_tensor(g).numpy() for n, g in gradients.items()}"]
    lines += ["value = np.asarray(value)", 'print("value:", value)', "for name, gradient in gradients.items():"]
    lines += ['    print(f"gradient with respect to {name}:", gradient)', checks.rstrip()]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).rstrip() + "\n"


def literal(value: Any) -> str:
    """``value`` as source; arrays in full precision."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = {"dtype": getattr(value.dtype, "name", str(value.dtype)), "value": value.tolist()}
    if isinstance(value, dict) and value.keys() == {"dtype", "value"}:
        dtype = str(value["dtype"])
        text = _numbers(value["value"], dtype)
        if dtype == "bfloat16":
            return _wrapped(f'tf.cast(np.array({text}, dtype="float32"), "bfloat16")')
        return _wrapped(f'tf.constant(np.array({text}, dtype="{dtype}"))')
    return _numbers(value, "float64")


def _numbers(value: Any, dtype: str) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_numbers(v, dtype) for v in value)}]"
    if not isinstance(value, float):
        return repr(value)
    if not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    if dtype == "float32":
        with contextlib.suppress(OverflowError):
            for digits in range(1, 10):  # the shortest that is this number
                text = f"{value:.{digits}g}"
                if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
                    return text if set(text) & set(".en") else f"{text}.0"
    return repr(value)


def _wrapped(text: str) -> str:
    if len(text) <= WIDTH:
        return text
    return "\n".join(
        textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    )


def _is_float(value: Any) -> bool:
    kind = value.get("dtype", "") if isinstance(value, dict) else getattr(value, "dtype", "")
    return "float" in str(kind)


def _full(name: str) -> str:
    return "tensorflow" + name[2:] if name == "tf" or name.startswith("tf.") else name


# -- statements of several files -------------------------------------------------------------------------------------


def _clashes(statements: Sequence[Statement]) -> bool:
    """Whether two files bind a name to different things."""
    owners: dict[str, str] = {}
    for statement in statements:
        for node in ast.parse(statement.text).body:
            outside = isinstance(node, (ast.Import, ast.ImportFrom)) and not _target(node, statement, statements)
            key = ast.unparse(node) if outside else statement.path
            if isinstance(node, ast.ImportFrom) and not outside:
                continue  # the name of another file, the same or checked there
            for name in stores(node):
                if owners.setdefault(name, key) != key:
                    return True
    return False


def _flat(statements: Sequence[Statement]) -> Iterator[str]:
    """All statements in the order in which they ran, imports of one another taken out."""
    seen: set[str] = set()
    path = ""
    for statement in statements:
        text = "\n".join(_joined(statement, statements))
        if text in seen or not text:
            continue
        seen.add(text)
        if statement.path != path:
            path = statement.path
            yield f"\n# {PurePath(path).name}"
        yield text


def _joined(statement: Statement, statements: Sequence[Statement]) -> Iterator[str]:
    """The text of ``statement`` in the one file that all become."""
    tree = ast.parse(statement.text)
    if not any(_target(n, statement, statements) for n in ast.walk(tree)):
        yield statement.text
        return
    tree = _Joining(statement, statements).visit(tree)
    if tree.body:
        yield ast.unparse(ast.fix_missing_locations(tree))


class _Joining(ast.NodeTransformer):
    """Turns imports of the other files into plain names."""

    def __init__(self, statement: Statement, statements: Sequence[Statement]) -> None:
        self._statement, self._statements = statement, statements

    def visit_Import(self, node: ast.Import) -> Any:
        """``import helpers as h`` makes ``h`` a name for this very file."""
        if not _target(node, self._statement, self._statements):
            return node
        return [_assign(a.asname or a.name.split(".")[0], "Names()") for a in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """``from helpers import f as g`` is ``g = f``."""
        if not _target(node, self._statement, self._statements):
            return node
        made: list[ast.stmt] = []
        for alias in node.names:
            inner = ast.ImportFrom(".".join(filter(None, (node.module, alias.name))), [], node.level)
            if _target(inner, self._statement, self._statements):
                made.append(_assign(alias.asname or alias.name, "Names()"))
            elif alias.asname not in (None, alias.name):
                made.append(_assign(str(alias.asname), alias.name))
        return made


def _assign(name: str, value: str) -> ast.stmt:
    return ast.parse(f"{name} = {value}").body[0]


def _target(node: ast.AST, statement: Statement, statements: Sequence[Statement]) -> str:
    """The file among those of ``statements`` that an import leads to; "" for none."""
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return ""
    paths = dict.fromkeys(s.path for s in statements)
    relative = node.level if isinstance(node, ast.ImportFrom) else 0
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [node.module or "", *(".".join(filter(None, (node.module, a.name))) for a in node.names)]
    folder = PurePath(statement.path)
    for _ in range(relative):
        folder = folder.parent
    for name in names:
        parts = name.split(".") if name else []
        for path in paths:
            if path == statement.path:
                continue
            file = PurePath(path)
            own = file.parent.parts if file.name == "__init__.py" else file.with_suffix("").parts
            if relative and own == (*folder.parts, *parts):
                return path
            if not relative and parts and own[-len(parts) :] == tuple(parts):
                return path
    return ""


def _in_folder(statements: Sequence[Statement], main: str) -> Iterator[str]:
    """The files written to a folder and imported from there."""
    files: dict[str, list[Statement]] = {}
    for statement in statements:
        files.setdefault(statement.path, []).append(statement)
    top = _common([PurePath(path).parent.parts for path in files])
    yield "import pathlib\nimport sys\nimport tempfile\n\nfolder = pathlib.Path(tempfile.mkdtemp())"
    for path, own in files.items():
        ordered = dict.fromkeys(s.text for s in sorted(own, key=lambda s: (s.first, s.last)))
        text = "from __future__ import annotations\n\n" + "\n".join(ordered) + "\n"
        inner = PurePath(*PurePath(path).parts[len(top) :])
        yield f"file = folder / {str(PurePath('sources', inner))!r}\nfile.parent.mkdir(parents=True, exist_ok=True)"
        yield f"file.write_text({_quoted(text)})"
    name = ".".join(PurePath("sources", *PurePath(main).parts[len(top) :]).with_suffix("").parts)
    roots = sorted({str(PurePath("sources", *PurePath(p).parent.parts[len(top) :])) for p in files})
    yield f"sys.path[:0] = [str(folder), *(str(folder / name) for name in {roots!r})]"
    names = sorted({n for s in files.get(main, ()) for node in ast.parse(s.text).body for n in stores(node)})
    yield f"from {name.removesuffix('.__init__')} import {', '.join(names)}"


def _common(folders: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    shortest = min(folders, key=len)
    return next(
        (shortest[:n] for n in range(len(shortest), 0, -1) if all(f[:n] == shortest[:n] for f in folders)), shortest[:0]
    )


def _quoted(text: str) -> str:
    """A string literal over several lines."""
    return "\n".join(["(", *(f"    {line!r}" for line in text.splitlines(keepends=True)), ")"])
