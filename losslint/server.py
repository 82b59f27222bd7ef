"""The language server: findings as one types, the passport of a loss on hover, fixes and suppressions as code actions.

Texts come from the editor and are linted as they are, unsaved; the cells of a notebook as one module.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from losslint import __version__, discovery, ignoring, notebooks, rulebook, session, sources
from losslint.findings import Edit, Finding, Fix, Severity, Span
from losslint.fixes import edits
from losslint.opened import Opened, Part, overlap
from losslint.plugins import PluginError
from losslint.settings import ConfigurationError, Resolver
from losslint.sources import Source

_DELAY = 0.2  # seconds without a key before a text is linted
_IGNORED = "wanted here"  # the reason that a suppression starts with
_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}
_NOTEBOOKS = lsp.NotebookDocumentSyncOptions(
    [lsp.NotebookDocumentFilterWithNotebook("jupyter-notebook", [lsp.NotebookCellLanguage("python")])], save=True
)


class Server(LanguageServer):
    """One for each editor window."""

    def __init__(self, delay: float = _DELAY) -> None:
        kind = lsp.TextDocumentSyncKind.Incremental
        super().__init__("losslint", f"v{__version__}", text_document_sync_kind=kind, notebook_document_sync=_NOTEBOOKS)
        self.delay = delay
        self._opened: dict[str, Opened] = {}  # by the address of the text or of the notebook
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._session = session.Session()
        self._told: set[str] = set()  # errors that were shown, each once

    # -- linting -----------------------------------------------------------------------------------------------------

    def soon(self, uri: str) -> None:
        """Lint the text or notebook at ``uri`` once nothing was typed for a moment."""
        self._forget(uri)
        self._waiting[uri] = asyncio.get_running_loop().call_later(self.delay, self.lint, uri)

    def _forget(self, uri: str) -> None:
        if handle := self._waiting.pop(uri, None):
            handle.cancel()

    def lint(self, uri: str) -> None:
        """Lint the text or notebook at ``uri`` and publish what is found."""
        self._forget(uri)
        before = self._opened.get(uri)
        document = self._linted(uri)
        if document is None:
            return
        self._opened[uri] = document
        found: dict[str, list[lsp.Diagnostic]] = {part.uri: [] for part in before.parts} if before else {}
        found |= {part.uri: [] for part in document.parts}
        for finding in document.findings:
            if part := document.part_of(finding.span.row):
                found[part.uri].append(self._diagnostic(finding, document, part))
        versions = {part.uri: part.version for part in document.parts}
        for name, diagnostics in found.items():
            self._publish(name, diagnostics, versions.get(name))

    def close(self, uri: str) -> None:
        """Take back what was published of the text or notebook at ``uri``."""
        self._forget(uri)
        document = self._opened.pop(uri, None)
        for name in [part.uri for part in document.parts] if document else [uri]:
            self._publish(name, [])

    def _publish(self, uri: str, diagnostics: list[lsp.Diagnostic], version: int | None = None) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics, version))

    def _linted(self, uri: str) -> Opened | None:
        """What is at ``uri`` with its findings; None where it is none of ours."""
        path = Path(uris.to_fs_path(uri) or uri.rpartition("/")[2] or "untitled.py")
        try:
            settings = dataclasses.replace(Resolver().of(path.absolute().parent), fix=False)
            read = None if discovery.is_excluded(path.absolute(), settings) else self._read(uri, path)
            if read is None:
                return None
            source, parts = read
            result = self._session.check(source, settings)
        except (ConfigurationError, rulebook.UnknownRule, PluginError) as error:
            self._tell_once(str(error))
            return None
        return Opened(source, settings, parts, self.workspace.position_codec.client_num_units, result.findings)

    def _read(self, uri: str, path: Path) -> tuple[Source, tuple[Part, ...]] | None:
        """The source of what the editor holds; None for the JSON of a notebook, in which no finding has a place."""
        notebook = self.workspace.get_notebook_document(notebook_uri=uri)
        if notebook is not None:
            code = {n: c for n, c in enumerate(notebook.cells, 1) if c.kind == lsp.NotebookCellKind.Code}
            texts = {n: self.workspace.get_text_document(cell.document) for n, cell in code.items()}
            python = {n: text for n, text in texts.items() if text.language_id in (None, "python")}
            source = sources.of_cells(((n, t.source) for n, t in python.items()), str(path), path)
            starts = notebooks.starts(source.text)
            ends = [*(row for row, _ in starts[1:]), len(source.lines)][: len(starts)]
            return source, tuple(
                Part(python[number].uri, python[number].version, row, end - row - 1)
                for (row, number), end in zip(starts, ends, strict=True)
            )
        if path.suffix == notebooks.SUFFIX:
            return None
        text = self.workspace.get_text_document(uri)
        source = Source(str(path), text.source, path=path)
        return source, (Part(uri, text.version, 0, len(source.lines)),)

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"losslint: {message}"))

    def _document(self, uri: str) -> tuple[Opened, Part] | None:
        """What the text at ``uri`` belongs to, linted as it is now."""
        notebook = self.workspace.get_notebook_document(cell_uri=uri)
        whole = notebook.uri if notebook is not None else uri
        if whole in self._waiting:  # what is offered must fit the text as it is
            self.lint(whole)
        document = self._opened.get(whole)
        part = document.named(uri) if document is not None else None
        return (document, part) if document is not None and part is not None else None

    # -- what is sent ------------------------------------------------------------------------------------------------

    def _diagnostic(self, finding: Finding, document: Opened, part: Part) -> lsp.Diagnostic:
        rule = rulebook.rules().get(finding.code)
        related = [
            lsp.DiagnosticRelatedInformation(lsp.Location(at.uri, document.range_of(step.span, at)), step.label)
            for step in finding.path
            if step.span is not None and step.filename in (None, finding.filename)
            if (at := document.part_of(step.span.row)) is not None
        ]
        return lsp.Diagnostic(
            document.range_of(finding.span, part),
            f"{finding.message}\n{finding.help}" if finding.help else finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=lsp.CodeDescription(rule.url) if rule and rule.url else None,
            source="losslint",
            related_information=related or None,
        )

    def _found(self, uri: str, place: lsp.Range) -> tuple[Opened, Part, list[Finding]] | None:
        """The text at ``uri``, and the findings in a part of it."""
        opened = self._document(uri)
        if opened is None:
            return None
        document, part = opened
        here = [f for f in document.findings if part.holds(f.span.row)]
        return document, part, [f for f in here if overlap(document.range_of(f.span, part), place)]

    def hover(self, uri: str, position: lsp.Position) -> lsp.Hover | None:
        """The rules of the findings at ``position``, and the passport of the loss whose def it is."""
        found = self._found(uri, lsp.Range(position, position))
        if found is None:
            return None
        document, part, findings = found
        row = part.before + position.line + 1
        parts = [_told(finding) for finding in findings]
        parts += [f"```text\n{text}\n```" for at, text in document.passports().values() if at == row]
        if not parts:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n---\n\n".join(parts)))

    def actions(self, uri: str, place: lsp.Range) -> Iterator[lsp.CodeAction]:
        """Fixes and suppressions for the findings in ``place``, and all safe fixes of the whole at once."""
        found = self._found(uri, place)
        if found is None:
            return
        document, part, here = found
        for finding in here:
            if finding.fix is not None:
                safe = finding.fix.applicability == "safe"
                title = f"{finding.fix.message} ({finding.code}{'' if safe else ', changes results'})"
                told = [self._diagnostic(finding, document, part)]
                yield from _action(title, lsp.CodeActionKind.QuickFix, document, finding.fix.edits, told, safe)
        for finding in here:
            if finding.code not in ignoring.NEVER:
                text = ignoring.ignored(document.source, [finding], _IGNORED)
                title = f"Ignore {finding.code} [{rulebook.name_of(finding.code)}] here"
                told = [self._diagnostic(finding, document, part)]
                changed = [_replaced(document.source.text, text)]
                yield from _action(title, lsp.CodeActionKind.QuickFix, document, changed, told)
        if together := _safe_edits(document.findings):
            kind = f"{lsp.CodeActionKind.SourceFixAll.value}.losslint"
            yield from _action("losslint: make all safe fixes", kind, document, together)


def _action(
    title: str,
    kind: lsp.CodeActionKind | str,
    document: Opened,
    edits: Iterable[Edit],
    diagnostics: list[lsp.Diagnostic] | None = None,
    preferred: bool = False,
) -> Iterator[lsp.CodeAction]:
    """An action, unless what it changes is no text of the editor."""
    changes = document.changes(edits)
    if changes is not None:
        yield lsp.CodeAction(title, kind=kind, diagnostics=diagnostics, is_preferred=preferred or None, edit=changes)


def _told(finding: Finding) -> str:
    rule = rulebook.rules().get(finding.code)
    title = f"**{finding.code}** {rule.name}" if rule else f"**{finding.code}**"
    link = f"\n\n[The page of the rule]({rule.url})" if rule and rule.url else ""
    fact = f"\n\n{finding.fact}" if finding.fact else ""
    return f"{title}: {rule.summary if rule else finding.message}{fact}{link}"


def _safe_edits(findings: list[Finding]) -> list[Edit]:
    fixes: list[Fix] = [f.fix for f in findings if f.fix is not None and f.fix.applicability == "safe"]
    return [edit for number in edits.disjoint(fixes) for edit in fixes[number].edits]


def _replaced(before: str, after: str) -> Edit:
    """The one edit that makes ``after`` of ``before``, as short as can be."""
    start = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    most = min(len(before), len(after)) - start
    end = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    head, middle = before[:start], before[: len(before) - end]
    return Edit(Span(*_place(head), *_place(middle)), after[start : len(after) - end])


def _place(text: str) -> tuple[int, int]:
    """Row and column of the end of ``text``."""
    lines = Source("", text).lines
    return len(lines), len(lines[-1]) + 1


# -- the protocol ----------------------------------------------------------------------------------------------------


def server(delay: float = _DELAY) -> Server:
    """A server that answers what it can do."""
    one = Server(delay)

    @one.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        one.lint(params.text_document.uri)

    @one.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        one.soon(params.text_document.uri)

    @one.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        one.lint(params.text_document.uri)

    @one.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        one.close(params.text_document.uri)

    @one.feature(lsp.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: lsp.DidOpenNotebookDocumentParams) -> None:
        one.lint(params.notebook_document.uri)

    @one.feature(lsp.NOTEBOOK_DOCUMENT_DID_CHANGE)
    async def notebook_changed(params: lsp.DidChangeNotebookDocumentParams) -> None:
        one.soon(params.notebook_document.uri)

    @one.feature(lsp.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_saved(params: lsp.DidSaveNotebookDocumentParams) -> None:
        one.lint(params.notebook_document.uri)

    @one.feature(lsp.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_closed(params: lsp.DidCloseNotebookDocumentParams) -> None:
        one.close(params.notebook_document.uri)

    @one.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        return one.hover(params.text_document.uri, params.position)

    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]

    @one.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def asked(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        only = [str(getattr(k, "value", k)) for k in params.context.only or ()]
        found = one.actions(params.text_document.uri, params.range)
        return [a for a in found if not only or any(_is_kind(a, kind) for kind in only)]

    return one


def _is_kind(action: lsp.CodeAction, kind: str) -> bool:
    own = str(getattr(action.kind, "value", action.kind))
    return own == kind or own.startswith(f"{kind}.")
