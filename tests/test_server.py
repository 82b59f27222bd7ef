"""The language server, spoken to by a client over standard input and output, as an editor does."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="pygls is not installed")

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from losslint import rulebook
from tests.command import losslint

HEAD = "import tensorflow as tf\n\n\n"
SUM = "def sum_loss(y_true, y_pred):\n    '𝓁'; return tf.reduce_sum(tf.square(y_true - y_pred))\n\n\nmodel.compile(loss=sum_loss)\n"


class Editor:
    """A client with one open file."""

    def __init__(self, client: LanguageClient, path: Path) -> None:
        self.client, self.uri, self.version = client, path.as_uri(), 0
        self.published: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.messages: list[str] = []

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def shown(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def found(self) -> list[lsp.Diagnostic]:
        return list((await asyncio.wait_for(self.published.get(), 60)).diagnostics)

    async def open(self, text: str) -> list[lsp.Diagnostic]:
        item = lsp.TextDocumentItem(self.uri, "python", self.version, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return await self.found()

    def type(self, text: str, place: lsp.Range | None = None) -> None:
        self.version += 1
        change: Any = (
            lsp.TextDocumentContentChangeWholeDocument(text)
            if place is None
            else lsp.TextDocumentContentChangePartial(place, text)
        )
        identifier = lsp.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))

    async def hover(self, row: int, column: int) -> str:
        asked = lsp.HoverParams(lsp.TextDocumentIdentifier(self.uri), lsp.Position(row, column))
        answer = await self.client.text_document_hover_async(asked)
        assert answer is None or isinstance(answer.contents, lsp.MarkupContent)
        return answer.contents.value if answer is not None else ""  # type: ignore[union-attr]

    async def actions(self, place: lsp.Range, *only: str) -> dict[str, lsp.CodeAction]:
        context = lsp.CodeActionContext([], only=list(only) or None)
        asked = lsp.CodeActionParams(lsp.TextDocumentIdentifier(self.uri), place, context)
        answer = await self.client.text_document_code_action_async(asked)
        return {a.title: a for a in answer or () if isinstance(a, lsp.CodeAction)}


def talk(path: Path, conversation: Callable[[Editor], Awaitable[None]]) -> Editor:
    """Start the server, greet it, have the conversation, and end it as the protocol wants."""

    async def session() -> Editor:
        client = LanguageClient("test", "v1")
        editor = Editor(client, path)
        await client.start_io(sys.executable, "-m", "losslint", "server")
        greeting = lsp.InitializeParams(lsp.ClientCapabilities(), root_uri=path.parent.as_uri())
        answer = await client.initialize_async(greeting)
        assert answer.server_info is not None and answer.server_info.name == "losslint"
        client.initialized(lsp.InitializedParams())
        await conversation(editor)
        await client.shutdown_async(None)
        client.exit(None)
        process = client._server
        assert process is not None
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await client.stop()
        return editor

    return asyncio.run(session())


def applied(text: str, action: lsp.CodeAction) -> str:
    """``text`` after the edits of ``action``, whose columns are UTF-16 units."""
    assert action.edit is not None and action.edit.document_changes
    (change,) = action.edit.document_changes
    assert isinstance(change, lsp.TextDocumentEdit)
    lines = text.split("\n")
    starts = [sum(len(line.encode("utf-16-le")) // 2 + 1 for line in lines[:i]) for i in range(len(lines) + 1)]
    units = text.encode("utf-16-le")
    for edit in sorted(change.edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        first, last = (2 * (starts[p.line] + p.character) for p in (edit.range.start, edit.range.end))
        units = units[:first] + edit.new_text.encode("utf-16-le") + units[last:]  # type: ignore[union-attr]
    return units.decode("utf-16-le")


def test_findings_follow_what_is_typed(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        (found,) = await editor.open(HEAD + SUM)
        assert (found.code, found.source, found.severity) == ("LL302", "losslint", lsp.DiagnosticSeverity.Warning)
        row = "    '𝓁'; return tf.reduce_sum(tf.square(y_true - y_pred))"
        ends = [len(row[:i].encode("utf-16-le")) // 2 for i in (row.index("tf.reduce"), len(row))]
        assert found.range == lsp.Range(lsp.Position(4, ends[0]), lsp.Position(4, ends[1]))
        assert found.code_description is not None and found.code_description.href == rulebook.find("LL302").url
        start = found.range.start
        editor.type("mean", lsp.Range(lsp.Position(4, start.character + 10), lsp.Position(4, start.character + 13)))
        assert await editor.found() == []
        editor.type("def broken(:\n")
        (broken,) = await editor.found()
        assert broken.code == "LL001" and broken.severity == lsp.DiagnosticSeverity.Error
        for text in ("x", "xx", HEAD + SUM):  # of fast typing only the last is linted
            editor.type(text)
        published = await asyncio.wait_for(editor.published.get(), 60)
        assert (published.version, len(published.diagnostics)) == (editor.version, 1)
        closed = lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(editor.uri))
        editor.client.text_document_did_close(closed)
        assert await editor.found() == []

    talk(tmp_path / "a.py", conversation)


def test_hover_shows_the_passport_and_the_rule(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open(HEAD + SUM)
        (tmp_path / "a.py").write_text(HEAD + SUM, encoding="utf-8")
        passport = losslint("facts", tmp_path / "a.py").out.strip()
        assert await editor.hover(3, 6) == f"```text\n{passport}\n```"
        told = await editor.hover(4, 20)
        assert "**LL302** unnormalized-batch-sum" in told and rulebook.find("LL302").url in told
        assert await editor.hover(0, 0) == ""

    talk(tmp_path / "a.py", conversation)


def test_code_actions_fix_and_suppress(tmp_path: Path) -> None:
    text = HEAD + SUM.replace("    '𝓁'", "    # losslint: ignore[LL401] never\n    '𝓁'")

    async def conversation(editor: Editor) -> None:
        found = {d.code: d for d in await editor.open(text)}
        assert found.keys() == {"LL302", "LL002"}
        actions = await editor.actions(found["LL302"].range)
        (fix,) = (a for title, a in actions.items() if "(LL302, changes results)" in title)
        assert fix.kind == lsp.CodeActionKind.QuickFix and not fix.is_preferred
        assert applied(text, fix) == text.replace("reduce_sum", "reduce_mean")
        ignored = actions["Ignore LL302 [unnormalized-batch-sum] here"]
        assert applied(text, ignored) == text.replace("pred))\n", "pred))  # losslint: ignore[LL302] wanted here\n")
        everywhere = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        (together,) = (await editor.actions(everywhere, "source.fixAll")).values()
        assert applied(text, together) == HEAD + SUM
        assert not await editor.actions(everywhere, "refactor")

    talk(tmp_path / "a.py", conversation)


def test_the_configuration_holds_and_its_mistakes_are_shown(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        (tmp_path / "losslint.toml").write_text('ignore = ["LL302"]\n')
        assert await editor.open(HEAD + SUM) == []
        (tmp_path / "losslint.toml").write_text("ignored = 1\n")
        editor.type(HEAD + SUM)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if editor.messages:
                break

    editor = talk(tmp_path / "a.py", conversation)
    assert len(editor.messages) == 1 and "unknown key ignored" in editor.messages[0]


class Cells:
    """The cells of a notebook in an editor, and what was published of each."""

    def __init__(self, editor: Editor, *texts: str) -> None:
        self.editor, self.version = editor, 0
        self.texts = {f"vscode-notebook-cell:{editor.uri.removeprefix('file://')}#{n}": t for n, t in enumerate(texts)}
        self.found: dict[str, list[lsp.Diagnostic]] = {}

    @property
    def uris(self) -> list[str]:
        return list(self.texts)

    def open(self) -> None:
        cells = [lsp.NotebookCell(lsp.NotebookCellKind.Code, uri) for uri in self.texts]
        notebook = lsp.NotebookDocument(self.editor.uri, "jupyter-notebook", 0, cells)
        documents = [lsp.TextDocumentItem(uri, "python", 0, text) for uri, text in self.texts.items()]
        self.editor.client.notebook_document_did_open(lsp.DidOpenNotebookDocumentParams(notebook, documents))

    def change(self, change: lsp.NotebookDocumentCellChanges) -> None:
        self.version += 1
        identifier = lsp.VersionedNotebookDocumentIdentifier(self.version, self.editor.uri)
        changed = lsp.NotebookDocumentChangeEvent(cells=change)
        self.editor.client.notebook_document_did_change(lsp.DidChangeNotebookDocumentParams(identifier, changed))

    def type(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        identifier = lsp.VersionedTextDocumentIdentifier(self.version + 1, uri)
        content = lsp.NotebookDocumentCellContentChanges(identifier, [lsp.TextDocumentContentChangeWholeDocument(text)])
        self.change(lsp.NotebookDocumentCellChanges(text_content=[content]))

    async def published(self, number: int) -> dict[int, list[str]]:
        """The codes of the next ``number`` cells that are published, by their places."""
        for _ in range(number):
            params = await asyncio.wait_for(self.editor.published.get(), 60)
            self.found[params.uri] = list(params.diagnostics)
        return {i: [str(d.code) for d in self.found[u]] for i, u in enumerate(self.texts) if self.found.get(u)}

    async def actions(self, uri: str, place: lsp.Range) -> dict[str, lsp.CodeAction]:
        asked = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), place, lsp.CodeActionContext([]))
        answer = await self.editor.client.text_document_code_action_async(asked)
        return {a.title: a for a in answer or () if isinstance(a, lsp.CodeAction)}


def test_the_cells_of_a_notebook_are_one_module(tmp_path: Path) -> None:
    loss = "# 𝓁\ndef total(truth, guess):\n    return tf.reduce_sum(tf.square(truth - guess))"
    texts = ["%pip install tensorflow\nimport tensorflow as tf", loss, "model.compile(loss=total)"]

    async def conversation(editor: Editor) -> None:
        cells = Cells(editor, *texts)
        first, second, third = cells.uris
        cells.open()
        assert await cells.published(3) == {1: ["LL302"]}
        (found,) = cells.found[second]
        assert found.range == lsp.Range(lsp.Position(2, 11), lsp.Position(2, 50))

        actions = await cells.actions(second, found.range)
        (fix,) = (a for title, a in actions.items() if "(LL302, changes results)" in title)
        assert applied(loss, fix) == loss.replace("reduce_sum", "reduce_mean")
        ignored = actions["Ignore LL302 [unnormalized-batch-sum] here"]
        assert applied(loss, ignored) == f"{loss}  # losslint: ignore[LL302] wanted here"
        for action in (fix, ignored):
            assert action.edit is not None and action.edit.document_changes
            (change,) = action.edit.document_changes
            assert isinstance(change, lsp.TextDocumentEdit) and change.text_document.uri == second
        assert await cells.actions(first, lsp.Range(lsp.Position(0, 0), lsp.Position(1, 0))) == {}

        asked = lsp.HoverParams(lsp.TextDocumentIdentifier(second), lsp.Position(1, 6))
        hover = await editor.client.text_document_hover_async(asked)
        assert hover is not None and "gradient law" in hover.contents.value  # type: ignore[union-attr]

        cells.type(third, "model.compile(loss=tota)\n%timeit total(x, x)\nprint(")
        assert await cells.published(3) == {2: ["LL001"]}  # nobody passes it to Keras any more
        cells.type(third, "model.compile(loss=total)")
        assert await cells.published(3) == {1: ["LL302"]}

        removed = lsp.NotebookCellArrayChange(1, 1)
        structure = lsp.NotebookDocumentCellChangeStructure(removed, did_close=[lsp.TextDocumentIdentifier(second)])
        cells.change(lsp.NotebookDocumentCellChanges(structure=structure))
        assert await cells.published(3) == {}  # what was published of the cell is taken back

        identifiers = [lsp.TextDocumentIdentifier(uri) for uri in (first, third)]
        closed = lsp.DidCloseNotebookDocumentParams(lsp.NotebookDocumentIdentifier(editor.uri), identifiers)
        editor.client.notebook_document_did_close(closed)
        assert await cells.published(2) == {}

    editor = talk(tmp_path / "train.ipynb", conversation)
    assert editor.messages == [] and not (tmp_path / "train.ipynb").exists()  # the editor's texts are all it takes


def test_saving_lints_at_once_and_the_configuration_is_read_again(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        saved = lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(editor.uri))
        assert [d.code for d in await editor.open(HEAD + SUM)] == ["LL302"]
        (tmp_path / "losslint.toml").write_text('ignore = ["LL302"]\n')
        editor.client.text_document_did_save(saved)
        assert await editor.found() == []
        (tmp_path / "losslint.toml").unlink()
        editor.type(HEAD + SUM.replace("sum_loss", "sum_of_loss"))
        # what is offered fits the text that was typed a moment ago, though nothing was published of it yet
        assert "sum_of_loss" in await editor.hover(3, 6)
        assert [d.code for d in await editor.found()] == ["LL302"]

    talk(tmp_path / "a.py", conversation)


def test_nothing_is_said_of_what_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "losslint.toml").write_text('exclude = ["out.py"]\n')

    async def conversation(editor: Editor) -> None:
        uri = editor.uri
        assert await editor.hover(0, 0) == "" and await editor.actions(lsp.Range(*[lsp.Position(0, 0)] * 2)) == {}
        for name in ("out.py", "raw.ipynb"):  # the JSON of a notebook, opened as a text
            editor.uri = (tmp_path / name).as_uri()
            item = lsp.TextDocumentItem(editor.uri, "python", 0, HEAD + SUM)
            editor.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
            assert await editor.hover(3, 6) == ""
        editor.uri = uri
        assert [d.code for d in await editor.open(HEAD + SUM)] == ["LL302"], "the first that is published"

    talk(tmp_path / "a.py", conversation)


def test_a_notebook_is_linted_when_it_is_saved(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        cells = Cells(editor, HEAD + SUM)
        cells.open()
        assert await cells.published(1) == {0: ["LL302"]}
        (tmp_path / "losslint.toml").write_text('ignore = ["LL302"]\n')
        identifier = lsp.NotebookDocumentIdentifier(editor.uri)
        editor.client.notebook_document_did_save(lsp.DidSaveNotebookDocumentParams(identifier))
        assert await cells.published(1) == {}

    talk(tmp_path / "train.ipynb", conversation)
