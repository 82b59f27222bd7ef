"""Names and folders that a file system allows: each file is linted or told of, and every format stays well-formed."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from losslint import dependencies, session
from losslint.cli import main
from losslint.reporters import FORMATS
from losslint.settings import Resolver
from tests.command import losslint

LOSS = "import tensorflow as tf\n\n\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(tf.log(y_pred) * y_true)\n"
NAMES = [
    b"a\nb.py", b"a\rb.py", b"a\tb.py", b" .py", b"-x.py", b"--fix.py", b"-.py", b"a'b\"c.py", b"%s%00.py", b".py",
    b"\x1b[31m.py", b"[a].py", b"*.py", b"!a.py", b"#x.py", b"?x=1.py", b"con.py", b"a&<>]]>b.py", b"::error::x.py",
    b"a,b:c=d.py", b"b\\c.py", b"~.py", b"n" * 252 + b".py", "é".encode() * 120 + b".py", "\u202eab.py".encode(),
    "\u2028.py".encode(), "\ufffe.py".encode(), "\U0001f600.py".encode(), b"\xff\xfe.py", b"\xed\xa0\x80.py",
]  # fmt: skip
posix = pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere take fewer names")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.py").write_text(LOSS)
    return tmp_path


@posix
def test_every_format_is_well_formed_whatever_files_are_called(tree: Path) -> None:
    for name in NAMES:
        (tree / os.fsdecode(name)).write_text(LOSS)
    linted = {os.fsdecode(n) for n in NAMES} | {"plain.py"}
    wanted = (f"--output-format={form}=out.{form}" for form in FORMATS)
    ran = losslint("check", "--select", "LL503", "--no-cache", *wanted, ".")
    assert ran.status == 1 and not ran.err
    texts = {form: (tree / f"out.{form}").read_bytes().decode() for form in FORMATS}  # all of it is UTF-8

    assert {f["filename"] for f in json.loads(texts["json"])} == linted
    assert {json.loads(line)["filename"] for line in texts["jsonl"].splitlines()} == linted
    results = json.loads(texts["sarif"])["runs"][0]["results"]
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
    assert len(uris) == len(linted) and "%FF%FE.py" in uris
    assert all(re.fullmatch(r"[\w.~/%-]+", uri, re.ASCII) for uri in uris)
    rows = json.loads(texts["gitlab"])
    assert len({r["fingerprint"] for r in rows}) == len(rows) == len(linted)
    assert ElementTree.fromstring(texts["junit"]).attrib["failures"] == str(len(linted))
    for form in ("github", "concise", "text"):
        lines = [line for line in texts[form].split("\n") if "[unknown-api]" in line]
        assert len(lines) == len(linted) and "\r" not in texts[form]
        assert form == "github" or not set("\x1b\u202e\u2028") & set(texts[form])
    assert not any("\ud800" <= c <= "\udfff" for row in rows for c in row["location"]["path"] + row["description"])


@posix
def test_names_that_are_no_utf8_are_listed_cached_fixed_and_put_into_a_baseline(tree: Path) -> None:
    odd = tree / os.fsdecode(b"\xff\n.py")
    odd.write_text(LOSS)
    long = tree / ("n" * 252 + ".py")
    long.write_text(LOSS)
    assert "\\udcff" in losslint("check", "--show-files", ".").out
    first, again = losslint("check", "."), losslint("check", ".")
    assert first.status == 1 and first == again
    assert losslint("check", "--baseline", "known.json", "--write-baseline", ".").status == 0
    assert "No findings" in losslint("check", "--baseline", "known.json", ".").out
    assert losslint("check", "--select", "LL503", "--fix", ".").status == 0
    assert "tf.math.log" in odd.read_text() and "tf.math.log" in long.read_text()


def test_what_is_said_of_a_name_cannot_move_the_cursor(tree: Path) -> None:
    ran = losslint("check", "plain.py", "\x1b[31m\n::error::.py")
    assert ran.status == 2 and ran.err.count("\n") == 1 and "\x1b" not in ran.err and "LL503" in ran.out


@posix
def test_folders_deeper_than_a_path_may_be_long(tree: Path) -> None:
    for _ in range(300):
        Path("d" * 20).mkdir()
        os.chdir("d" * 20)
    os.chdir(tree)
    ran = losslint("check", "--no-cache", ".")
    assert ran.status == 1 and "plain.py" in ran.out and "File name too long" in ran.err


def test_settings_and_requirements_above_a_deep_folder(tmp_path: Path) -> None:
    (tmp_path / "losslint.toml").write_text('select = ["LL3"]')
    deep = tmp_path.joinpath(*"d" * 1500)
    resolver = Resolver()
    assert resolver.of(deep).origin == tmp_path / "losslint.toml"
    assert resolver.of(deep) is resolver.of(deep.parent / "e") is resolver.of(tmp_path)
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15\n")
    assert [r.specifier for r in dependencies.declared(deep)] == ["==2.15"]


@posix
def test_what_is_named_and_no_file_is_an_error_and_the_others_are_linted(tree: Path) -> None:
    os.mkfifo("pipe.py")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.py")
        Path("zero.py").symlink_to("/dev/zero")
        ran = losslint("check", "--no-cache", "pipe.py", "socket.py", "zero.py", "n" * 300, "plain.py")
    assert ran.status == 2 and ran.err.count("neither a file nor a folder") == 3
    assert "File name too long" in ran.err and "LL503" in ran.out


def test_a_folder_that_is_named_and_cannot_be_read_is_an_error(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("secret", "open"):
        (tree / name / "inner").mkdir(parents=True)
    (tree / "open" / "a.py").write_text(LOSS)
    listed = os.scandir

    def scandir(path: str) -> object:
        if os.path.basename(path) in ("secret", "inner"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = session.check(["secret", "open"], Resolver())
    assert result.errors == ["secret cannot be read: Permission denied"]
    assert result.warnings == [f"{os.path.join('open', 'inner')} cannot be read: Permission denied"]
    assert result.files == [os.path.join("open", "a.py")]


def test_half_of_a_character_is_no_text(tree: Path) -> None:
    cell = {"cell_type": "code", "source": "import tensorflow as tf\ns = '\ud800'\nm.compile(loss=f)"}
    (tree / "a.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    (tree / "b.py").write_bytes(b"# coding: utf-7\nimport tensorflow as tf\ns = '+2AA-'\nm.compile(loss=f)\n")
    result = session.check(["."], Resolver())
    assert {(f.filename, f.code) for f in result.findings} >= {
        ("a.ipynb", "LL001"),
        ("b.py", "LL001"),
        ("plain.py", "LL503"),
    }


def test_neither_standard_input_nor_a_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    with monkeypatch.context() as patched:
        patched.setattr(os, "getcwd", gone)
        assert raises_status("check", ".") == 2
    monkeypatch.setattr(sys, "stdin", None)
    assert raises_status("check", "-") == 2


def raises_status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code
