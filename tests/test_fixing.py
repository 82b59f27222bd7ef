"""``--fix``, ``--unsafe-fixes`` and ``--diff``: what is written, what is printed, and what is left alone."""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from losslint import fixing, session
from losslint.findings import Edit, Finding, Fix, Severity, Span
from losslint.fixes import edits
from losslint.fixes.base import FIXERS, _load
from losslint.settings import Resolver
from losslint.sources import Source
from tests.command import losslint

SUM = "import tensorflow as tf\n\n\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(tf.abs(y_true - y_pred))\n"
MEAN = SUM.replace("reduce_sum", "reduce_mean")
IDLE = MEAN.replace("y_pred))\n", "y_pred))  # losslint: ignore[LL302] meant\n")
OPTIONS = ("check", "--isolated")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "losses.py"
    file.write_bytes(SUM.encode())
    return file


def span(row: int, first: int, last: int) -> Span:
    return Span(row, first, row, last)


# -- edits -----------------------------------------------------------------------------------------------------------


def test_edits_are_made_at_their_places() -> None:
    text = "a = f(x)\nb = 2\n"
    made = [Edit(span(2, 5, 6), "3"), Edit(span(1, 5, 5), "g("), Edit(span(1, 9, 9), ")")]
    assert edits.apply(text, made) == "a = g(f(x))\nb = 3\n"


def test_what_is_written_is_known_by_its_place() -> None:
    text = "a = f(x)\nb = 2\n"
    made = [
        Edit(span(1, 5, 6), "g"),
        Edit(span(1, 9, 9), "  # y\nc = 1"),
        Edit(span(2, 1, 2), ""),
        Edit(span(2, 5, 6), "30"),
    ]
    after = edits.apply(text, made)
    assert after == "a = g(x)  # y\nc = 1\n = 30\n"
    lines = after.split("\n")
    assert [edits.extract(lines, place) for place in edits.written(text, made)] == ["g", "  # y\nc = 1", "30"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_new_lines_end_as_the_others_do(newline: str) -> None:
    text = newline.join(["a = 1", "b = 2", ""])
    assert edits.apply(text, [Edit(span(2, 1, 1), "c = 3\n")]) == newline.join(["a = 1", "c = 3", "b = 2", ""])


def test_the_first_of_two_that_overlap_is_chosen() -> None:
    def fix(*places: tuple[int, int], content: str = "x") -> Fix:
        return Fix("safe", "", tuple(Edit(span(1, a, b), content) for a, b in places))

    fixes = [fix((1, 4)), fix((3, 8)), fix((4, 4)), fix((9, 12), (20, 20)), fix((1, 4), (30, 31))]
    assert edits.disjoint(fixes) == [0, 3, 4], "what touches waits, what says the same goes along"


@pytest.mark.parametrize(
    ("before", "content", "lost"),
    [
        ("f(x,  # why\n  y)", "g(x, y)", True),
        ("f(x,  # why\n  y)", "g(x,  # why\n  y)", False),
        ("f('#1')", "g('#2')", False),
        (")  # why", "", True),
    ],
)
def test_a_comment_is_not_dropped(before: str, content: str, lost: bool) -> None:
    lines = before.split("\n")
    place = Span(1, 1, len(lines), len(lines[-1]) + 1)
    assert edits.drops_comment(lines, Edit(place, content)) is lost


# -- files -----------------------------------------------------------------------------------------------------------


def test_unsafe_fixes_are_asked_for(path: Path) -> None:
    ran = losslint(*OPTIONS, "--fix", path)
    assert (ran.status, path.read_text()) == (1, SUM)
    assert "1 hidden fix can be enabled with --unsafe-fixes" in ran.out and "[*]" not in ran.out
    ran = losslint(*OPTIONS, "--unsafe-fixes", path)
    assert (ran.status, path.read_text()) == (1, SUM)
    assert "LL302 [*] " in ran.out and "[*] 1 fixable with --fix\n" in ran.out
    ran = losslint(*OPTIONS, "--fix", "--unsafe-fixes", path)
    assert (ran.status, path.read_text()) == (0, MEAN)
    assert ran.out.startswith("Found 1 finding (1 fixed, 0 remaining) in 1 file")


def test_safe_fixes_are_made(path: Path) -> None:
    path.write_text(IDLE)
    ran = losslint(*OPTIONS, path)
    assert ran.status == 1 and "LL002 [*] " in ran.out
    ran = losslint(*OPTIONS, "--fix", path)
    assert (ran.status, path.read_text()) == (0, MEAN)


def test_what_remains_is_reported(path: Path) -> None:
    path.write_text(SUM + "\n\ndef other_loss(y_true, y_pred):\n    return tf.reduce_mean(tf.round(y_pred) - y_true)\n")
    ran = losslint(*OPTIONS, "--fix", "--unsafe-fixes", path, "--output-format", "concise")
    assert ran.status == 1 and "LL201" in ran.out and "LL302" not in ran.out
    assert "Found 2 findings (1 fixed, 1 remaining: 1 error) in 1 file" in ran.out


def test_the_configuration_can_ask_for_fixes(path: Path) -> None:
    (path.parent / "losslint.toml").write_text("fix = true\nunsafe-fixes = true\n")
    assert losslint("check", "--no-fix", path).status == 1 and path.read_text() == SUM
    assert losslint("check", "--no-unsafe-fixes", path).status == 1 and path.read_text() == SUM
    assert losslint("check", path).status == 0 and path.read_text() == MEAN


def test_only_what_is_shown_is_fixed(path: Path) -> None:
    losslint(*OPTIONS, "--fix", "--unsafe-fixes", "--ignore", "LL302", path)
    assert path.read_text() == SUM
    path.write_text(SUM.replace("y_pred))\n", "y_pred))  # losslint: ignore[LL302] meant\n"))
    before = path.read_text()
    assert losslint(*OPTIONS, "--fix", "--unsafe-fixes", path).status == 0
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("encoding", "comment", "newline"),
    [
        ("utf-8", "# grün", "\r\n"),
        ("utf-8-sig", "# grün", "\n"),
        ("latin-1", "# -*- coding: latin-1 -*-\n# grün", "\r\n"),
        ("utf-8", "# a form feed \f and a separator \u2028", "\r"),
    ],
)
def test_bytes_that_no_fix_is_about_stay(path: Path, encoding: str, comment: str, newline: str) -> None:
    before, after = (f"{comment}\n{text}\n# the end".replace("\n", newline).encode(encoding) for text in (SUM, MEAN))
    path.write_bytes(before)
    assert losslint(*OPTIONS, "--fix", "--unsafe-fixes", path).status == 0
    assert path.read_bytes() == after
    assert after.startswith(codecs.BOM_UTF8) is (encoding == "utf-8-sig")


def test_mixed_newlines_stay(path: Path) -> None:
    lines = SUM.encode().split(b"\n")
    path.write_bytes(lines[0] + b"\r\n" + b"\n".join(lines[1:]))
    losslint(*OPTIONS, "--fix", "--unsafe-fixes", path)
    lines = MEAN.encode().split(b"\n")
    assert path.read_bytes() == lines[0] + b"\r\n" + b"\n".join(lines[1:])


def test_mode_and_link_of_a_file_stay(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.py"
    link.symlink_to(path)
    losslint(*OPTIONS, "--fix", "--unsafe-fixes", link)
    assert link.is_symlink() and path.read_text() == MEAN
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.py", "losses.py"], "nothing is left behind"


def test_a_file_that_changed_meanwhile_is_left_alone(path: Path) -> None:
    change = session.Change(path, Source(str(path), SUM), MEAN)
    path.write_text(SUM + "# more\n")
    with pytest.raises(fixing.Unwritable, match=r"losses\.py was changed meanwhile"):
        fixing.write(change)
    assert path.read_text() == SUM + "# more\n"


def test_a_failed_write_leaves_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    ran = losslint(*OPTIONS, "--fix", "--unsafe-fixes", path)
    assert ran.status == 2 and "cannot write" in ran.err and "Permission denied" in ran.err
    assert path.read_text() == SUM and [p.name for p in path.parent.iterdir()] == ["losses.py"]


def test_a_helper_is_fixed_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import tensorflow as tf\n\n\ndef safe(p):\n    return tf.math.log(p)\n")
    caller = "import tensorflow as tf\nfrom helpers import safe\n\n\ndef loss(y_true, y_pred):\n"
    (tmp_path / "losses.py").write_text(f"{caller}    return -tf.reduce_sum(y_true * safe(y_pred), axis=-1)\n")
    ran = losslint(*OPTIONS, "--fix", "--unsafe-fixes", tmp_path)
    assert ran.status == 0, ran.out + ran.err
    assert "tf.math.log(tf.maximum(p, 1e-7))" in (tmp_path / "helpers.py").read_text()


# -- promises --------------------------------------------------------------------------------------------------------


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that finds ``<LL302|text>`` and fixes it by writing the text, brackets turned round, / as new line.

    ``behind`` is LL401 where nothing else is found in the line.
    """

    def engine(source: Source, *_: object) -> Iterator[Finding]:
        for row, line in enumerate(source.lines, 1):
            for match in re.finditer(r"<(LL\d+)\|([^>]*)>", line):
                place = span(row, match.start() + 1, match.end() + 1)
                content = match[2].translate(str.maketrans("[]/", "<>\n"))
                fix = Fix("safe", "", (Edit(place, content),))
                yield Finding(match[1], Severity.WARNING, "m", source.filename, place, f"f{row}", fix=fix)
            if "behind" in line and "<LL" not in line:
                yield Finding("LL401", Severity.WARNING, "m", source.filename, span(row, 1, 2), f"f{row}")

    monkeypatch.setattr(session, "lint_source", engine)
    monkeypatch.setattr(session, "_SHORTCUTS", False)  # what it marks is no loss


def fixed(path: Path, text: str) -> tuple[str, list[str]]:
    """``text`` after its fixes, and the warnings."""
    path.write_text(text)
    result = session.check([str(path)], Resolver({"fix": True}, None, True), jobs=1)
    return (result.changes[0].after if result.changes else text), result.warnings


@pytest.mark.usefixtures("marks")
@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ("<LL302|/)>", "the file would be broken: "),
        ("<LL302|[LL302|x]>", "it is found again afterwards"),
        ("<LL302|[LL401|x]>", "it brings LL401 in row 2"),
    ],
)
def test_a_fix_that_breaks_something_is_left_out(path: Path, mark: str, problem: str) -> None:
    after, warnings = fixed(path, f"tf = 0  # <LL302|good>\ntf = 1  # {mark}\ntf = 2  # <LL302|good>\n")
    assert after == f"tf = 0  # good\ntf = 1  # {mark}\ntf = 2  # good\n", "the others are made"
    (warning,) = warnings
    assert warning.startswith(f"the fix of LL302 at {path}:2 is left out, as {problem}")


@pytest.mark.usefixtures("marks")
def test_what_was_hidden_is_no_fault_of_the_fix(path: Path) -> None:
    after, warnings = fixed(path, "tf = 0  # <LL302|good> behind\n")
    assert (after, warnings) == ("tf = 0  # good behind\n", [])


def test_fixes_that_undo_each_other_stop(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(source: Source, *_: object) -> Iterator[Finding]:
        code, other = ("LL302", "2") if "1" in source.text else ("LL303", "1")
        fix = Fix("safe", "", (Edit(span(1, 6, 7), other),))
        yield Finding(code, Severity.WARNING, "m", source.filename, span(1, 1, 7), "f", fix=fix)

    monkeypatch.setattr(session, "lint_source", engine)
    monkeypatch.setattr(session, "_SHORTCUTS", False)
    after, (warning,) = fixed(path, "tf = 1\n")
    assert after == "tf = 2\n"
    assert warning.startswith(f"the fix of LL303 at {path}:1 is left out, as it undoes what other fixes did")


@pytest.mark.usefixtures("marks")
def test_fixes_go_on_while_there_is_something_to_fix(path: Path) -> None:
    after, warnings = fixed(path, "tf = 0  # <LL302|a><LL302|b> <LL401|c>\n")
    assert (after, warnings) == ("tf = 0  # ab c\n", []), "what touches waits for another round"


# -- standard input, and showing only --------------------------------------------------------------------------------


def test_standard_input_comes_out_fixed() -> None:
    ran = losslint(*OPTIONS, "--fix", "--unsafe-fixes", "--stdin-filename", "losses.py", "-", stdin=SUM.encode())
    assert (ran.status, ran.out) == (0, MEAN)
    assert "Found 1 finding (1 fixed, 0 remaining)" in ran.err


@pytest.mark.parametrize(
    "data", [SUM.encode(), MEAN.replace("\n", "\r\n").encode(), b"def (:\n", codecs.BOM_UTF8 + b"x = 1"]
)
def test_standard_input_comes_out_as_it_is_where_nothing_is_fixed(data: bytes) -> None:
    ran = losslint(*OPTIONS, "--fix", "-", stdin=data)
    assert ran.out.encode() == data


def test_a_diff_changes_nothing(path: Path) -> None:
    ran = losslint(*OPTIONS, "--diff", "--unsafe-fixes", "losses.py", cwd=path.parent)
    assert ran.status == 1 and path.read_text() == SUM
    lines = ran.out.splitlines()
    assert lines[:2] == ["--- losses.py", "+++ losses.py"]
    assert [line for line in lines if line.startswith(("-  ", "+  "))] == [
        "-    return tf.reduce_sum(tf.abs(y_true - y_pred))",
        "+    return tf.reduce_mean(tf.abs(y_true - y_pred))",
    ]
    assert ran.err == "Would fix 1 finding\n"


def test_a_diff_of_nothing_is_status_zero(path: Path) -> None:
    ran = losslint(*OPTIONS, "--diff", path)
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "Would fix 0 findings (1 hidden fix can be enabled with --unsafe-fixes)\n"


def test_a_diff_of_standard_input() -> None:
    ran = losslint(*OPTIONS, "--diff", "--unsafe-fixes", "-", stdin=SUM.encode())
    assert ran.status == 1 and "+    return tf.reduce_mean(" in ran.out


def test_a_diff_says_where_the_last_line_has_no_end(path: Path) -> None:
    path.write_text(SUM.rstrip("\n"))
    ran = losslint(*OPTIONS, "--diff", "--unsafe-fixes", path)
    assert ran.out.count("\\ No newline at end of file") == 2


def test_a_diff_runs_nothing(path: Path) -> None:
    ran = losslint(*OPTIONS, "--diff", "--confirm", path)
    assert ran.status == 2 and "--diff" in ran.err


def test_json_says_what_would_be_edited(path: Path) -> None:
    (found,) = json.loads(losslint(*OPTIONS, "--output-format", "json", path).out)
    assert found["fix"] == {
        "applicability": "unsafe",
        "message": "Use tf.reduce_mean",
        "edits": [
            {
                "content": "tf.reduce_mean",
                "location": {"row": 5, "column": 12},
                "end_location": {"row": 5, "column": 25},
            }
        ],
    }


def test_a_fix_that_breaks_one_file_is_left_out_of_that_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").write_text(SUM)
    _load()
    plain = FIXERS["LL302"]

    def breaking(draft: Any, loss: Any) -> Fix | None:
        made = plain(draft, loss)
        if made is not None and draft.site.module.module.path.endswith("b.py"):
            return made._replace(edits=tuple(e._replace(content="(") for e in made.edits))
        return made

    monkeypatch.setitem(FIXERS, "LL302", breaking)
    ran = losslint(*OPTIONS, "--no-cache", "--jobs", "1", "--fix", "--unsafe-fixes", "--select", "LL302", tmp_path)
    assert [(tmp_path / f"{name}.py").read_text() for name in ("a", "b", "c")] == [MEAN, SUM, MEAN]
    assert ran.status == 1 and ran.err.count("is left out, as the file would be broken") == 1 and "b.py:5" in ran.err
    assert "Found 3 findings (2 fixed, 1 remaining: 1 warning)" in ran.out


def test_fixes_that_never_end_are_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _load()
    grown = iter(range(2, 10_000))

    def growing(draft: Any, loss: Any) -> Fix:
        row = draft.site.module.span(draft.site.tree).row
        return Fix("safe", "", (Edit(Span(row, 5, row, 5), f"x{next(grown)} = 1; "),))

    monkeypatch.setitem(FIXERS, "LL302", growing)
    monkeypatch.setattr(fixing, "_broken_promise", lambda *_: "")
    ran = losslint(*OPTIONS, "--no-cache", "--fix", "--select", "LL302", path)
    assert ran.status == 1 and path.read_text().count(" = 1; ") == fixing.MOST_ROUNDS
