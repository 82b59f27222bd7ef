"""A file as text: its bytes, decoded the way Python decodes them, and what can go wrong on the way."""

from __future__ import annotations

import ast
import codecs
import functools
import io
import re
import sys
import tokenize
import warnings
from _blake2 import blake2b  # `hashlib` has the same one, and loads OpenSSL first
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from losslint import notebooks
from losslint.findings import Finding, Severity, Span

_NEWLINE = re.compile(r"\r\n|\r|\n")
_ANOTHER_PYTHON = (
    f"it was read as Python {sys.version_info[0]}.{sys.version_info[1]}; exclude what is written for another version"
)

_ANEW = "save it with a current Jupyter, or exclude it"


def digest(data: bytes) -> bytes:
    """What tells one content from another."""
    return blake2b(data, digest_size=16).digest()


class Unreadable(Exception):
    """A file that is no Python text; ``finding`` is the LL001 that says so."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(frozen=True)  # no slots: the lines are cached in __dict__
class Source:
    """The text of one file, newlines as they are in the file, the byte order mark gone."""

    filename: str  # as findings show it
    text: str
    encoding: str = "utf-8"  # "utf-8-sig" where the file starts with a byte order mark
    path: Path | None = None  # None for standard input without a name
    notebook: str = ""  # the JSON it was taken from
    problems: tuple[Finding, ...] = ()  # LL001 for each cell that does not parse; the text holds it as a comment
    magics: bool = False  # a script whose magics stand in the text as comments

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines as Python counts them (a form feed or a line separator ends none)."""
        return split_lines(self.text)


def split_lines(text: str) -> list[str]:
    """``text`` at \\n, \\r\\n and \\r, which are the only ends of a line in Python source."""
    return _NEWLINE.split(text)


def read(path: Path, filename: str) -> Source:
    """The source at ``path``. Raises Unreadable."""
    return decode(read_bytes(path, filename), filename, path)


def read_bytes(path: Path, filename: str) -> bytes:
    """What the file at ``path`` holds. Raises Unreadable."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(filename, f"the file cannot be read: {error.strerror or error}") from None


def decode(data: bytes, filename: str, path: Path | None = None) -> Source:
    """``data`` as text: byte order mark, then the coding comment of PEP 263, then UTF-8. Raises Unreadable.

    Of a notebook, the text is that of its cells.
    """
    if filename.endswith(notebooks.SUFFIX):
        return _notebook(data, filename, path)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).readline)
    except SyntaxError as error:  # an unknown coding, or a first line that is not UTF-8
        if "unknown encoding" in str(error) or "encoding problem" in str(error):
            reason = str(error).replace(f" for {filename!r}", "")
            raise _unreadable(filename, f"the coding comment cannot be followed: {reason}") from None
        encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = _NEWLINE.split(data[: error.start].decode("latin-1"))
        raise _unreadable(
            filename,
            f"the file is not {encoding.upper()} text: byte 0x{data[error.start]:02x} cannot be decoded",
            Span(len(before), len(before[-1]) + 1, len(before), len(before[-1]) + 2),
            "save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from None
    except (LookupError, UnicodeError) as error:  # rot13, hex: codecs, but not of text
        raise _unreadable(filename, f"the coding comment cannot be followed: {error}") from None
    _demand_characters(text, filename)
    text = text.removeprefix(codecs.BOM_UTF8.decode())
    made = notebooks.script(text)
    if made is None:
        return Source(filename, text, encoding, path)
    python, broken = made
    return Source(filename, python, encoding, path, problems=tuple(_problems(broken, filename)), magics=True)


def _notebook(data: bytes, filename: str, path: Path | None) -> Source:
    try:
        text = data.decode("utf-8-sig")
        python, broken = notebooks.decode(text)
        _demand_characters(python, filename)
    except UnicodeDecodeError as error:
        reason = f"the notebook is not UTF-8: byte 0x{data[error.start]:02x}"
        raise _unreadable(filename, reason, help=_ANEW) from None
    except notebooks.NoNotebook as error:
        raise _unreadable(filename, str(error), help=_ANEW) from None
    encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    return Source(filename, python, encoding, path, text, tuple(_problems(broken, filename)))


def _demand_characters(text: str, filename: str) -> None:
    """Python reads no half of a surrogate pair, which a notebook and some codecs can write. Raises Unreadable."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise _unreadable(filename, f"the file is no text: {half} in it is half of a character") from None


def of_cells(cells: Iterable[tuple[int, str]], filename: str, path: Path | None = None) -> Source:
    """The source of a notebook that an editor holds, as the number and the text of each code cell."""
    python, broken = notebooks.joined(cells)
    return Source(filename, python, path=path, problems=tuple(_problems(broken, filename)))


def _problems(broken: Iterable[notebooks.Broken], filename: str) -> Iterator[Finding]:
    for cell in broken:
        span = Span(cell.row, cell.column, cell.row, cell.column + 1)
        yield _unreadable(filename, f"the cell does not parse: {cell.reason}", span).finding


def encode(source: Source, text: str) -> bytes:
    """``text`` as the file of ``source`` holds it: in its encoding, with its byte order mark. Raises UnicodeError."""
    if source.notebook:
        try:
            text = notebooks.encode(source.notebook, text)
        except notebooks.NoNotebook as error:
            raise UnicodeError(str(error)) from None
    if source.magics:
        text = notebooks.script_of(text)
    return text.encode(source.encoding)


def parse(text: str, filename: str) -> ast.Module:
    """``text`` as Python parses it. Raises SyntaxError, ValueError, RecursionError or MemoryError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a string is no affair of ours
        return ast.parse(text, filename)


def syntax_tree(source: Source) -> ast.Module:
    """The parsed source. Raises Unreadable where Python cannot parse it."""
    try:
        return parse(source.text, source.filename)
    except SyntaxError as error:
        raise Unreadable(syntax_error(source, error)) from None
    except (RecursionError, MemoryError):
        raise _unreadable(source.filename, "the file does not parse: it is nested too deeply") from None
    except ValueError as error:  # null bytes, before Python 3.12
        raise _unreadable(source.filename, f"the file does not parse: {error}") from None


def syntax_error(source: Source, error: SyntaxError) -> Finding:
    """LL001 where Python found ``error``."""
    row = min(max(error.lineno or 1, 1), len(source.lines))
    line = source.lines[row - 1]
    column = min(max(error.offset or 1, 1), len(line) + 1)
    end_row, end_column = error.end_lineno or row, error.end_offset or 0
    if (end_row, end_column) <= (row, column) or end_row > len(source.lines):
        end_row, end_column = row, column + 1
    span = Span(row, column, end_row, end_column)
    return _finding(source.filename, f"the file does not parse: {error.msg}", span, _ANOTHER_PYTHON)


def _unreadable(filename: str, message: str, span: Span = Span(1, 1, 1, 1), help: str = "") -> Unreadable:
    return Unreadable(_finding(filename, message, span, help))


def _finding(filename: str, message: str, span: Span, help: str) -> Finding:
    return Finding("LL001", Severity.ERROR, message, filename, span, "<module>", help=help)
