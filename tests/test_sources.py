import codecs
import os
from pathlib import Path

import pytest

from losslint import discovery, sources
from losslint.findings import Finding
from losslint.settings import Resolver


def unreadable(data: bytes) -> Finding:
    with pytest.raises(sources.Unreadable) as caught:
        sources.syntax_tree(sources.decode(data, "a.py"))
    assert caught.value.finding.code == "LL001" and caught.value.finding.filename == "a.py"
    return caught.value.finding


# -- decoding --------------------------------------------------------------------------------------------------------


def test_utf8_and_the_byte_order_mark() -> None:
    assert sources.decode("é = 1".encode(), "a.py").text == "é = 1"
    marked = sources.decode(codecs.BOM_UTF8 + b"x = 1", "a.py")
    assert marked.text == "x = 1" and marked.encoding == "utf-8-sig"


def test_the_coding_comment_is_followed() -> None:
    source = sources.decode(b"# -*- coding: latin-1 -*-\ns = '\xe9'\n", "a.py")
    assert source.lines[1] == "s = 'é'" and source.encoding == "iso-8859-1"
    assert (
        sources.decode(b"#!/usr/bin/python\r# vim: set fileencoding=cp1252 :\rs = '\x80'\r", "a.py").lines[2]
        == "s = '€'"
    )


def test_not_utf8_names_the_byte_and_its_place() -> None:
    finding = unreadable(b"x = 1\ny = '\xe9'\n")
    assert "0xe9" in finding.message and (finding.span.row, finding.span.column) == (2, 6)
    assert "coding" in finding.help


@pytest.mark.parametrize("coding", ["rot13", "no-such-coding"])
def test_a_coding_that_is_none(coding: str) -> None:
    assert "coding comment" in unreadable(f"# coding: {coding}\n".encode()).message


def test_utf16_is_not_text() -> None:
    assert "UTF-8" in unreadable("x = 1".encode("utf-16")).message


def test_only_newlines_end_lines() -> None:
    source = sources.decode("a = 1\r\nb = '\u2028\x0c'\rc = 3\n".encode(), "a.py")
    assert source.lines == ["a = 1", "b = '\u2028\x0c'", "c = 3", ""]


# -- parsing ---------------------------------------------------------------------------------------------------------


def test_a_syntax_error_is_placed() -> None:
    finding = unreadable(b"x = 1\ndef f(:\n    pass\n")
    assert finding.span.row == 2 and finding.message.startswith("the file does not parse: ")


@pytest.mark.parametrize(
    "data",
    [
        b"print 'a'\n",
        b"x = 1\0\n",
        b"x = " + b"(" * 500 + b")" * 500,
        b"x = 1" + b"+1" * 60_000,
        b"if x:\n",
        b"'''a\n",
        b"\t",
    ],
    ids=["python2", "null", "parentheses", "sum", "no-body", "open-string", "tab"],
)
def test_odd_files_are_findings_or_fine(data: bytes) -> None:
    try:
        sources.syntax_tree(sources.decode(data, "a.py"))
    except sources.Unreadable as error:
        assert error.finding.message.startswith("the file does not parse: ") and error.finding.span.row >= 1
    else:
        assert data == b"\t" or data.startswith(b"x = 1+"), "whether a long sum parses depends on the Python"


def test_valid_sources_parse() -> None:
    for data in (b"", b"\x0c\nx = 1\n", b"x = 1\r\ny = 2\r\n", b"x = '\\d'\n", b"#" * 10):
        assert sources.syntax_tree(sources.decode(data, "a.py")) is not None


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(sources.Unreadable, match="cannot be read"):
        sources.read(tmp_path / "none.py", "none.py")


# -- finding files ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.py",
        "b.txt",
        "sub/c.py",
        "sub/d.pyw",
        ".venv/e.py",
        "build/f.py",
        "sub/node_modules/g.py",
        "h.ipynb_checkpoints.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    return tmp_path


def files(*paths: str, force_exclude: bool = False, **options: object) -> list[str]:
    resolver = Resolver({key.replace("_", "-"): value for key, value in options.items()})
    found = discovery.find(paths or (".",), resolver, force_exclude)
    assert not found.errors
    return [target.filename.replace(os.sep, "/") for target in found.targets]


def test_python_files_only_and_no_foreign_folders(tree: Path) -> None:
    assert files() == ["a.py", "sub/c.py", "sub/d.pyw"]
    assert files("sub", "a.py", "./a.py", "sub/c.py") == ["a.py", "sub/c.py", "sub/d.pyw"]
    assert files(str(tree / "sub")) == [str(tree / "sub" / "c.py"), str(tree / "sub" / "d.pyw")]


def test_a_named_file_or_folder_is_taken(tree: Path) -> None:
    assert files("build/f.py", "b.txt") == ["b.txt", "build/f.py"]
    assert files("build") == ["build/f.py"]
    assert files("build/f.py", "a.py", force_exclude=True) == ["a.py"]
    assert files("build", force_exclude=True) == []


def test_exclude_and_extend_exclude(tree: Path) -> None:
    assert files(extend_exclude=["c.py"]) == ["a.py", "sub/d.pyw"]
    assert files(extend_exclude=["sub/*.py"]) == ["a.py", "sub/d.pyw"]
    assert files(extend_exclude=["*.py"]) == ["sub/d.pyw"]
    assert files(exclude=["sub"]) == [".venv/e.py", "a.py", "build/f.py"]
    assert files("sub/c.py", extend_exclude=["sub/**"], force_exclude=True) == []


def test_gitignore_is_honoured(tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("*.pyw\n/a.py\n")
    assert files() == ["sub/c.py"]
    (tree / "sub" / ".gitignore").write_text("!d.pyw\nc.py\n")
    assert files() == files("sub") == ["sub/d.pyw"]
    assert files(respect_gitignore=False) == ["a.py", "sub/c.py", "sub/d.pyw"]
    (tree / ".gitignore").write_text("sub/\n")
    assert files() == ["a.py"]
    assert files("sub") == ["sub/d.pyw"], "a folder that is named is entered though git ignores it"


def test_what_is_no_pattern_matches_nothing(tree: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("!\na\\\n[z-a].py\n[[:alpha:]]\n*.pyw\n")
    assert files() == ["a.py", "sub/c.py"] and not recwarn


def test_what_is_not_there_is_an_error(tree: Path) -> None:
    (tree / "dangling.py").symlink_to(tree / "gone.py")
    found = discovery.find(["none.py", "dangling.py"], Resolver())
    assert found.errors == ["no such file or folder: none.py", "broken symbolic link: dangling.py"]
    found = discovery.find(["."], Resolver())
    assert not found.errors and found.warnings == ["broken symbolic link skipped: dangling.py"]


def test_nothing_to_lint_is_a_warning(tree: Path) -> None:
    (tree / "empty").mkdir()
    assert discovery.find(["empty"], Resolver()).warnings == ["no Python files under empty"]
    assert discovery.find([".", "sub"], Resolver()).warnings == []


def test_a_loop_of_links_ends(tree: Path) -> None:
    (tree / "sub" / "up").symlink_to(tree, target_is_directory=True)
    assert files() == ["a.py", "sub/c.py", "sub/d.pyw"]
