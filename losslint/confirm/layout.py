"""The text of a made-up function whose every statement stands in the row where the user wrote it.

AutoGraph reads the source of what it converts, and maps what it makes to the rows of that source.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

_INDENT = "    "
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)


def laid_out(function: ast.FunctionDef, lines: Sequence[str], replaced: dict[int, str]) -> dict[int, str] | None:
    """Row -> text of ``function``, made of statements of ``lines``; None where the rows do not suffice.

    ``replaced`` are the names (by id of their node) that stand for something else in the source.
    """
    layout = _Layout(lines, replaced)
    header = with_body(function, [ast.Pass()])
    title = ast.unparse(header).rsplit("\n", 1)[0]
    if "\n" in title or function.lineno >= min(s.lineno for s in function.body):
        return None
    layout.put(function.lineno, title)
    layout.block(function.body, _INDENT)
    text = "\n".join(layout.rows.get(row, "") for row in range(1, max(layout.rows) + 1))
    try:
        same = ast.dump(ast.parse(text).body[0]) == ast.dump(function)
    except SyntaxError:
        return None
    return layout.rows if same else None


def with_body(function: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    """``function`` with another body."""
    fields = {name: getattr(function, name) for name in function._fields if hasattr(function, name)}
    made = ast.FunctionDef(**(fields | {"body": body}))
    return ast.copy_location(made, function)


class _Layout:
    def __init__(self, lines: Sequence[str], replaced: dict[int, str]) -> None:
        self._lines = lines
        self._replaced = replaced
        self.rows: dict[int, str] = {}

    def put(self, row: int, text: str) -> None:
        """Write ``text``, of one or more lines, from ``row`` on; what stands there already comes before it."""
        for offset, line in enumerate(text.split("\n")):
            before = self.rows.get(row + offset, "")
            joint = " " if before.rstrip().endswith(":") else "; "
            self.rows[row + offset] = f"{before}{joint}{line.lstrip()}" if before.strip() else line

    def block(self, body: list[ast.stmt], indent: str) -> None:
        """Write the statements of a block."""
        for statement in body:
            if isinstance(statement, _COMPOUND):
                self._compound(statement, indent)
            else:
                self.put(statement.lineno, indent + self._simple(statement, indent))

    def _compound(self, statement: ast.stmt, indent: str) -> None:
        body: list[ast.stmt] = statement.body  # type: ignore[attr-defined]
        orelse: list[ast.stmt] = getattr(statement, "orelse", [])
        self.put(statement.lineno, indent + self._header(statement))
        self.block(body, indent + _INDENT)
        if len(orelse) == 1 and isinstance(orelse[0], ast.If) and self._from(orelse[0]).startswith("elif"):
            self._compound(orelse[0], indent)
        elif orelse:
            row = min(s.lineno for s in orelse) - 1
            self.put(row if row not in self.rows else row + 1, indent + "else:")
            self.block(orelse, indent + _INDENT)

    def _header(self, statement: ast.stmt) -> str:
        """``if a:`` of a compound statement."""
        if isinstance(statement, ast.If):
            word = "elif" if self._from(statement).startswith("elif") else "if"
            return f"{word} {self._expression(statement.test)}:"
        if isinstance(statement, ast.While):
            return f"while {self._expression(statement.test)}:"
        if isinstance(statement, ast.For):
            return f"for {self._expression(statement.target)} in {self._expression(statement.iter)}:"
        items = getattr(statement, "items", [])
        return "with " + ", ".join(ast.unparse(item) for item in items) + ":"

    def _expression(self, node: ast.expr) -> str:
        text = self._source(node)
        return f"({text})" if "\n" in text else text

    def _simple(self, statement: ast.stmt, indent: str) -> str:
        """A statement without a block, in the user's words where they still say the same."""
        if isinstance(statement, ast.Return) and statement.value is not None:
            return f"return {self._expression(statement.value)}"
        text = self._source(statement)
        try:
            same = ast.dump(ast.parse(text).body[0]) == ast.dump(statement)
        except (SyntaxError, IndexError):
            same = False
        if same and isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            shift = indent[: max(0, len(indent) - statement.col_offset)]
            return text.replace("\n", "\n" + shift)
        return text if same else ast.unparse(statement).replace("\n", "\n" + indent)

    def _from(self, statement: ast.stmt) -> str:
        line = self._lines[statement.lineno - 1] if statement.lineno <= len(self._lines) else ""
        return line.encode()[statement.col_offset :].decode(errors="ignore")

    def _source(self, node: ast.stmt | ast.expr) -> str:
        """The text of ``node``, with the names that replace parts of it."""
        end_row, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        if end_row > len(self._lines):
            return ast.unparse(node)
        rows = [line.encode() for line in self._lines[node.lineno - 1 : end_row]]
        rows[-1] = rows[-1][:end]
        for inner in sorted(self._names(node), key=lambda n: (n.lineno, n.col_offset), reverse=True):
            first, last = inner.lineno - node.lineno, (inner.end_lineno or inner.lineno) - node.lineno
            name = self._replaced[id(inner)]
            text = name if first == last else f"({name}" + "\n" * (last - first) + ")"
            before, after = rows[first][: inner.col_offset], rows[last][inner.end_col_offset :]
            rows[first : last + 1] = [part.encode() for part in text.split("\n")]
            rows[first] = before + rows[first]
            rows[last] = rows[last] + after
        rows[0] = rows[0][node.col_offset :]
        return b"\n".join(rows).decode(errors="replace")

    def _names(self, node: ast.AST) -> list[ast.Name]:
        return [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) in self._replaced]
