"""What losslint promises for any bytes. Each target takes some and raises ``Broken`` where a promise is not kept."""

from __future__ import annotations

import ast
import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from losslint import fixing, reporters, session, sources
from losslint.confirm import slicing, toplevel
from losslint.confirm.inline import NoInline, inline
from losslint.engine import losses
from losslint.findings import Finding, Severity
from losslint.frontend.project import Project
from losslint.loss import Loss
from losslint.settings import Settings
from losslint.sources import Source, Unreadable

FOLDER = Path(__file__).parent
SETTINGS = Settings(root=FOLDER, min_severity=Severity.INFO)
_ACCEPTED = re.compile(r"nested too deeply$|more than \d+ steps$")
"""Reasons for which an analysis may end: limits that are meant."""


class Broken(AssertionError):
    """A promise is not kept; the message says which."""


def name_of(data: bytes) -> str:
    """What a file with ``data`` is called: JSON is taken for a notebook."""
    return str(FOLDER / ("fuzzed.ipynb" if data.lstrip()[:1] == b"{" else "fuzzed.py"))


def check(data: bytes) -> None:
    """Bytes in, findings out: nothing fails, findings stand in the text, every form can be written."""
    result = session.check_text(data, name_of(data), SETTINGS)
    for finding in result.findings:
        _sound(finding, result.texts.get(finding.filename, ""))
    orders = [f.order for f in result.findings]
    if orders != sorted(orders):
        raise Broken("the findings are not in order")
    parses = _tree(data) is not None
    if parses and any(f.code == "LL001" for f in result.findings):
        raise Broken("LL001 in a file that parses")
    if not parses and not any(f.code == "LL001" for f in result.findings):
        raise Broken("no LL001 in a file that does not parse")
    for form in reporters.FORMATS:
        for _ in reporters.render(result, form):
            pass


def _sound(finding: Finding, text: str) -> None:
    if finding.code == "LL004" and not _ACCEPTED.search(finding.message):
        raise Broken(f"LL004: {finding.message}")
    span, lines = finding.span, sources.split_lines(text)
    start, end = (span.row, span.column), (span.end_row, span.end_column)
    last = len(lines) if text else span.end_row  # of what cannot be decoded there is no text
    if not 1 <= span.row <= span.end_row <= last or min(start[1], end[1]) < 1 or start > end:
        raise Broken(f"{finding.code} at {span} of {len(lines)} lines")


def slicer(data: bytes) -> None:
    """Every loss can be cut out of its file, or there is a reason why not; what is cut out compiles."""
    source, tree = _source(data), _tree(data)
    if source is None or tree is None:
        return
    project = Project()
    module = session.module_of(source, tree, project)
    found = slicing.bundle(module, project)
    if found.files[found.main].text != source.text:
        raise Broken("the bundle holds another text")
    if not _compiles(tree.body):
        return  # "return" outside of a function, and the like: nobody can run any of it
    for unit in toplevel.units(tree):
        if not _compiles([unit.node]):
            raise Broken("a statement of the top level does not compile")
    for loss in losses(module, project):
        step = slicing.step_of(loss) if isinstance(loss, Loss) else None
        if step is None:
            continue
        try:
            made = inline(tree, step, source.text)
        except NoInline as reason:
            if not str(reason):
                raise Broken("no reason why there is no slice") from reason
            continue
        if not _compiles([made.function]):
            raise Broken(f"the slice of {step.function} does not compile")


def _compiles(statements: list[ast.stmt]) -> bool:
    module = ast.fix_missing_locations(ast.Module(statements, []))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # "0.5(x)" may well be said to be odd
            compile(module, "fuzzed.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError):
        return False
    return True


def fixes(data: bytes) -> None:
    """What is fixed parses, a second time changes nothing, and no fix has to be left out."""
    for unsafe in (False, True):
        settings = dataclasses.replace(SETTINGS, fix=True, unsafe_fixes=unsafe)
        after = _fixed(data, settings)
        if after is not None and _fixed(after, settings) is not None:
            raise Broken(f"fixed twice it is another text ({'unsafe' if unsafe else 'safe'} fixes)")


def _fixed(data: bytes, settings: Settings) -> bytes | None:
    """The file after its fixes, None where there are none."""
    result = session.check_text(data, name_of(data), settings)
    if result.warnings:
        raise Broken(result.warnings[0])
    if not result.changes:
        return None
    [change] = result.changes
    for _ in fixing.diff(change):
        pass
    after = sources.encode(change.before, change.after)
    if _tree(after) is None and name_of(data).endswith(".py"):
        raise Broken("what is fixed does not parse")
    return after


TARGETS: dict[str, Callable[[bytes], None]] = {"check": check, "slicer": slicer, "fixes": fixes}


# -- what the targets share --------------------------------------------------------------------------------------------


def _source(data: bytes) -> Source | None:
    try:
        return sources.decode(data, name_of(data), Path(name_of(data)))
    except Unreadable:
        return None


def _tree(data: bytes) -> ast.Module | None:
    source = _source(data)
    try:
        return None if source is None else sources.syntax_tree(source)
    except Unreadable:
        return None


def seeds() -> Iterator[bytes]:
    """Texts to begin with: each function and class of our own fixtures, with the imports and settings of its file."""
    root = FOLDER.parents[1]
    for path in sorted([*root.glob("fixtures/sound/*.py"), *root.glob("fixtures/unsound/*.py")]):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        body = ast.parse(text).body
        head = [n for n in body if isinstance(n, (ast.Import, ast.ImportFrom, ast.Assign))]
        parts = [n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.With, ast.For, ast.If))]
        for part in parts:
            kept = [n for n in head if n.lineno < part.lineno]
            rows = [row for n in [*kept, part] for row in range(_first(n), (n.end_lineno or n.lineno) + 1)]
            yield "".join(lines[row - 1] for row in dict.fromkeys(rows)).encode()


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])
