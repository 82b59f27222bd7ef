"""Odd files, through the command line and the real engine: each is linted or reported, and none stops the others."""

import json
from pathlib import Path

import pytest

from tests.command import Ran, losslint

SOUND = 'import tensorflow as tf\n\n\ndef loss(y_true, y_pred):\n    """Größe."""\n    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)\n'
BAD = SOUND.replace("reduce_mean", "reduce_sum").replace(", axis=-1", "")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(data: bytes, *options: str) -> tuple[Ran, list[tuple[str, int, int]]]:
    """Lint a file that holds ``data``, beside a sound one that must be linted all the same."""
    Path("odd.py").write_bytes(data)
    Path("sound.py").write_text(SOUND, encoding="utf-8")
    ran = losslint("check", "--output-format", "json", *options, ".")
    assert "Traceback" not in ran.err
    found = json.loads(ran.out)
    assert not [f for f in found if f["filename"] == "sound.py"]
    return ran, [(f["code"], f["location"]["row"], f["location"]["column"]) for f in found]


@pytest.mark.parametrize(
    "data",
    [
        SOUND.encode("latin-1"),
        b"import tensorflow as tf\ndef f(:\n    pass\n",
        b"import tensorflow as tf\nx = " + b"(" * 500 + b"1" + b")" * 500 + b"\n",
        b"import tensorflow as tf\nprint 'loss', loss\n",
        b"import tensorflow as tf\nexcept Exception, e:\n    pass\n",
        SOUND.encode("utf-16"),
        b"import tensorflow\0",
        b'{"cells": [], "metadata": {"a": null}, "nbformat": 4',
    ],
    ids=["latin-1", "syntax", "parentheses", "python2-print", "python2-except", "utf-16", "null", "half-a-notebook"],
)
def test_what_does_not_parse_is_one_finding(data: bytes) -> None:
    ran, found = check(data)
    assert ran.status == 1 and [code for code, _, _ in found] == ["LL001"]


@pytest.mark.parametrize(
    "data",
    [
        SOUND.encode(),
        ("# -*- coding: latin-1 -*-\n" + SOUND).encode("latin-1"),
        SOUND.replace("\n", "\r\n").encode(),
        SOUND.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.replace("\n\n\n", "\n\x0c\n\n").encode(),
        SOUND.rstrip("\n").encode(),
        b"",
        b"\n",
        b"# tensorflow\n",
        b"import tensorflow as tf\nx = " + b"(" * 150 + b"1" + b")" * 150 + b"\n",
    ],
    ids=["utf-8", "coding", "crlf", "cr", "bom", "form-feed", "no-newline", "empty", "blank", "comment", "parentheses"],
)
def test_what_is_sound_stays_sound(data: bytes) -> None:
    ran, found = check(data)
    assert (ran.status, found) == (0, [])


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (BAD.encode(), 6),
        (("# -*- coding: latin-1 -*-\n" + BAD).encode("latin-1"), 7),
        (BAD.replace("\n", "\r\n").encode(), 6),
        (b"\xef\xbb\xbf" + BAD.encode(), 6),
        (BAD.replace("\n\n\n", "\n\x0c\n\n").encode(), 6),
        (BAD.replace("    ", "\t").encode(), 6),
    ],
    ids=["utf-8", "coding", "crlf", "bom", "form-feed", "tab"],
)
def test_positions_are_right_in_odd_files(data: bytes, row: int) -> None:
    ran, found = check(data, "--select", "LL302")
    column = 9 if b"\t" in data else 12
    assert ran.status == 1 and found == [("LL302", row, column)]


def test_a_file_of_fifty_thousand_lines() -> None:
    ran, found = check(("x = 1\n" * 50_000 + BAD).encode(), "--select", "LL302")
    assert ran.status == 1 and found == [("LL302", 50_006, 12)]


def test_nothing_at_all(folder: Path) -> None:
    assert losslint("missing.py").status == 2
    ran = losslint(".")
    assert ran.status == 0 and "no Python files" in ran.err
