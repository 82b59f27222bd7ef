"""The language server: findings as one types, the passport of a loss on hover, fixes and suppressions as code actions.

Texts come from the editor and are linted as they are, unsaved. Positions of the protocol count UTF-16 units from 0
(microsoft.github.io/language-server-protocol), ours characters from 1.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from losslint import __version__, believed, discovery, ignoring, notebooks, rulebook, session
from losslint.findings import Edit, Finding, Fix, Severity, Span
from losslint.fixes import edits
from losslint.plugins import PluginError
from losslint.settings import ConfigurationError, Resolver, Settings
from losslint.sources import Source

_DELAY = 0.2  # seconds without a key before a text is linted
_IGNORED = "wanted here"  # the reason that a suppression starts with
_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}


@dataclass(slots=True)
class _Document:
    """What is known of a text: the version that was linted, and what was found in it."""

    source: Source
    settings: Settings
    version: int | None = None
    findings: list[Finding] = field(default_factory=list)
    passports: dict[str, tuple[int, str]] | None = None  # name -> the row of the def, the passport


class Server(LanguageServer):
    """One for each editor window."""

    def __init__(self, delay: float = _DELAY) -> None:
        super().__init__("losslint", f"v{__version__}", text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.delay = delay
        self.documents: dict[str, _Document] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._session = session.Session()
        self._told: set[str] = set()  # errors that were shown, each once

    # -- linting -----------------------------------------------------------------------------------------------------

    def soon(self, uri: str) -> None:
        """Lint ``uri`` once nothing was typed for a moment."""
        self.forget(uri)
        self._waiting[uri] = asyncio.get_running_loop().call_later(self.delay, self.lint, uri)

    def forget(self, uri: str) -> None:
        """Do not lint ``uri`` after all."""
        if handle := self._waiting.pop(uri, None):
            handle.cancel()

    def lint(self, uri: str) -> None:
        """Lint the text of ``uri`` and publish what is found."""
        self.forget(uri)
        text = self.workspace.get_text_document(uri)
        document = self._opened(uri, text.source)
        if document is None:
            return
        document.version = text.version
        self.documents[uri] = document
        diagnostics = [self._diagnostic(f, document) for f in document.findings]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics, text.version))

    def _opened(self, uri: str, text: str) -> _Document | None:
        """The text of ``uri`` with its findings; None where it is none of ours."""
        path = Path(uris.to_fs_path(uri) or uri.rpartition("/")[2] or "untitled.py")
        if path.suffix == notebooks.SUFFIX:
            return None  # the editor shows its cells; the JSON has no place for a finding
        try:
            settings = dataclasses.replace(Resolver().of(path.absolute().parent), fix=False)
            if discovery.is_excluded(path.absolute(), settings):
                return None
            source = Source(str(path), text, path=path)
            result = self._session.check(source, settings)
        except (ConfigurationError, rulebook.UnknownRule, PluginError) as error:
            self._tell_once(str(error))
            return None
        return _Document(source, settings, findings=result.findings)

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"losslint: {message}"))

    # -- places ------------------------------------------------------------------------------------------------------

    def range_of(self, span: Span, lines: list[str]) -> lsp.Range:
        """``span`` in the units of the client."""
        return lsp.Range(
            self._position(span.row, span.column, lines), self._position(span.end_row, span.end_column, lines)
        )

    def _position(self, row: int, column: int, lines: list[str]) -> lsp.Position:
        if row > len(lines):
            return lsp.Position(len(lines), 0)
        return lsp.Position(row - 1, self.workspace.position_codec.client_num_units(lines[row - 1][: column - 1]))

    # -- what is sent ------------------------------------------------------------------------------------------------

    def _diagnostic(self, finding: Finding, document: _Document) -> lsp.Diagnostic:
        rule = rulebook.rules().get(finding.code)
        related = [
            lsp.DiagnosticRelatedInformation(
                lsp.Location(
                    uris.from_fs_path(step.filename or finding.filename) or "", self.range_of(step.span, lines)
                ),
                step.label,
            )
            for step in finding.path
            if step.span is not None
            for lines in [document.source.lines if step.filename in (None, finding.filename) else []]
            if lines
        ]
        return lsp.Diagnostic(
            self.range_of(finding.span, document.source.lines),
            f"{finding.message}\n{finding.help}" if finding.help else finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=lsp.CodeDescription(rule.url) if rule and rule.url else None,
            source="losslint",
            related_information=related or None,
        )

    def hover(self, uri: str, position: lsp.Position) -> lsp.Hover | None:
        """The rules of the findings at ``position``, and the passport of the loss whose def it is."""
        document = self.documents.get(uri)
        if document is None:
            return None
        parts = [_told(f) for f in document.findings if _holds(self.range_of(f.span, document.source.lines), position)]
        parts += [f"```text\n{text}\n```" for row, text in _passports(document).values() if row == position.line + 1]
        if not parts:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n---\n\n".join(parts)))

    def actions(self, uri: str, place: lsp.Range) -> Iterator[lsp.CodeAction]:
        """Fixes and suppressions for the findings in ``place``, and all safe fixes of the text at once."""
        document = self.documents.get(uri)
        if document is None:
            return
        lines = document.source.lines
        here = [f for f in document.findings if _overlap(self.range_of(f.span, lines), place)]
        for finding in here:
            if finding.fix is not None:
                safe = finding.fix.applicability == "safe"
                title = f"{finding.fix.message} ({finding.code}{'' if safe else ', changes results'})"
                changes = list(finding.fix.edits)
                yield self._action(title, lsp.CodeActionKind.QuickFix, document, uri, changes, [finding], safe)
        for finding in here:
            if finding.code not in ignoring.NEVER:
                text = ignoring.ignored(document.source, [finding], _IGNORED)
                title = f"Ignore {finding.code} [{rulebook.name_of(finding.code)}] here"
                changes = [_replaced(document.source.text, text)]
                yield self._action(title, lsp.CodeActionKind.QuickFix, document, uri, changes, [finding])
        if together := _safe_edits(document.findings):
            kind = f"{lsp.CodeActionKind.SourceFixAll.value}.losslint"
            yield self._action("losslint: make all safe fixes", kind, document, uri, together)

    def _action(
        self,
        title: str,
        kind: lsp.CodeActionKind | str,
        document: _Document,
        uri: str,
        changes: list[Edit],
        findings: list[Finding] | None = None,
        preferred: bool | None = None,
    ) -> lsp.CodeAction:
        lines = document.source.lines
        made: list[Any] = [lsp.TextEdit(self.range_of(e.span, lines), e.content) for e in changes]
        text = lsp.OptionalVersionedTextDocumentIdentifier(uri, document.version)
        return lsp.CodeAction(
            title,
            kind=kind,
            diagnostics=[self._diagnostic(f, document) for f in findings or ()] or None,
            is_preferred=preferred or None,
            edit=lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(text, made)]),
        )


def _told(finding: Finding) -> str:
    rule = rulebook.rules().get(finding.code)
    title = f"**{finding.code}** {rule.name}" if rule else f"**{finding.code}**"
    link = f"\n\n[The page of the rule]({rule.url})" if rule and rule.url else ""
    fact = f"\n\n{finding.fact}" if finding.fact else ""
    return f"{title}: {rule.summary if rule else finding.message}{fact}{link}"


def _passports(document: _Document) -> dict[str, tuple[int, str]]:
    """The losses of the text, computed when they are first asked for."""
    if document.passports is None:
        try:
            found = believed.of_source(document.source, "", document.settings)
        except believed.NotFound:  # it does not parse
            document.passports = {}
        else:
            pairs = zip(found.passports, found.texts, strict=True)
            document.passports = {str(p["name"]): (int(p["line"] or 0), text) for p, text in pairs}
    return document.passports


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


def _holds(place: lsp.Range, position: lsp.Position) -> bool:
    return (place.start.line, place.start.character) <= (position.line, position.character) and (
        position.line,
        position.character,
    ) <= (place.end.line, place.end.character)


def _overlap(one: lsp.Range, other: lsp.Range) -> bool:
    return (one.start.line, one.start.character) <= (other.end.line, other.end.character) and (
        other.start.line,
        other.start.character,
    ) <= (one.end.line, one.end.character)


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
        uri = params.text_document.uri
        one.forget(uri)
        one.documents.pop(uri, None)
        one.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    @one.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        return one.hover(params.text_document.uri, params.position)

    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]

    @one.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def asked(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        if uri in one._waiting:  # what is offered must fit the text as it is
            one.lint(uri)
        only = [str(getattr(k, "value", k)) for k in params.context.only or ()]
        found = one.actions(uri, params.range)
        return [a for a in found if not only or any(_is_kind(a, kind) for kind in only)]

    return one


def _is_kind(action: lsp.CodeAction, kind: str) -> bool:
    own = str(getattr(action.kind, "value", action.kind))
    return own == kind or own.startswith(f"{kind}.")
