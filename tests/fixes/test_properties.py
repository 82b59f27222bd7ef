"""What holds of fixes however a file is written: comments, newlines, indentation and encoding stay, once is enough."""

from __future__ import annotations

import ast
import codecs
import itertools
import re
from pathlib import Path

import pytest

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losslint import session
from losslint.findings import Severity
from losslint.settings import Resolver
from tests.fixes.fixed import comments

HEADER = """import keras
import tensorflow as tf
from keras import ops
"""

PROBABILITIES = {
    # what is written: what becomes of it
    "tf.math.log(y_pred)": "tf.math.log(tf.maximum(y_pred, 1e-7))",
    "tf.log(y_pred + 1e-7)": "tf.math.log(y_pred + 1e-7)",
}
LOGITS = {
    "tf.math.log(tf.nn.softmax(y_pred))": "tf.nn.log_softmax(y_pred)",
    "tf.math.log(1.0 + tf.exp(y_pred))": "tf.math.softplus(y_pred)",
    "tf.nn.softmax(tf.nn.softmax(y_pred))": "tf.nn.softmax(y_pred)",
    "tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=tf.nn.softmax(y_pred))": (
        "tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)"
    ),
}
EITHER = {
    "tf.one_hot(y_true, 5)": "tf.one_hot(tf.cast(y_true, tf.int32), 5)",
    "tf.reduce_sum(tf.abs(y_pred), reduction_indices=-1)": "tf.reduce_sum(tf.abs(y_pred), axis=-1)",
    "tf.to_float(y_true)": "tf.cast(y_true, tf.float32)",
}
SWAPPED = {
    "tf.nn.sigmoid_cross_entropy_with_logits(y_pred, y_true)": (
        "tf.nn.sigmoid_cross_entropy_with_logits(logits=y_pred, labels=y_true)"
    ),
}
BODIES = PROBABILITIES | LOGITS | EITHER | SWAPPED
"""Expressions that are fixed where they stand, whatever is around them; a prediction is one thing in one loss."""
TOGETHER = [PROBABILITIES | EITHER, LOGITS | EITHER]


def fix(path: Path) -> session.Result:
    """Lint the file down to info, with all fixes in memory."""
    options = {"min-severity": "info", "fix": True, "unsafe-fixes": True, "ignore": ["LL101", "LL302", "LL104"]}
    return session.check([str(path)], Resolver(options, None, True), jobs=1)


# -- written plainly -------------------------------------------------------------------------------------------------

AROUND = ["{}", "2.0 * {}", "tf.abs({})", "tf.where(y_true > 0.5, {}, 0.0)", "(1.0 - {}) / 2.0"]


@pytest.mark.parametrize("written", BODIES)
@pytest.mark.parametrize("around", AROUND)
def test_a_fix_does_not_look_at_what_is_around(around: str, written: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.py"
    path.write_text(program([f"value = {around.format(written)}"]), encoding="utf-8")
    (change,) = fix(path).changes
    assert change.after == program([f"value = {around.format(BODIES[written])}"])


@pytest.mark.parametrize(("one", "other"), [pair for group in TOGETHER for pair in itertools.combinations(group, 2)])
def test_two_in_one_statement(one: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.py"
    path.write_text(program([f"value = {one} + {other}"]), encoding="utf-8")
    result = fix(path)
    assert result.warnings == []
    assert result.changes[0].after == program([f"value = {BODIES[one]} + {BODIES[other]}"])


NESTED = {
    "tf.math.log(tf.nn.softmax(tf.nn.softmax(y_pred)))": "tf.nn.log_softmax(y_pred)",
    "tf.log(tf.nn.softmax(tf.to_float(y_pred)))": "tf.nn.log_softmax(tf.cast(y_pred, tf.float32))",
    "tf.one_hot(tf.squeeze(y_true, squeeze_dims=-1), 5)": "tf.one_hot(tf.cast(tf.squeeze(y_true, axis=-1), tf.int32), 5)",
    "tf.log(tf.reduce_sum(tf.exp(y_pred), reduction_indices=-1))": "tf.reduce_logsumexp(y_pred, axis=-1)",
}
"""Fixes that wait for each other."""


@pytest.mark.parametrize("written", NESTED)
def test_fixes_that_overlap_are_made_one_after_the_other(written: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.py"
    path.write_text(program([f"value = {written}"]), encoding="utf-8")
    result = fix(path)
    assert result.warnings == []
    assert result.changes[0].after == program([f"value = {NESTED[written]}"])


@pytest.mark.parametrize("logits", ["", ", from_logits=False", ", from_logits=not True", ", from_logits=True"])
def test_no_name_that_computes_other_numbers(logits: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.py"
    old = f"K.binary_crossentropy(y_true, y_pred{logits})"
    path.write_text("from keras import backend as K, ops\n" + program([f"value = {old}"]), encoding="utf-8")
    result = fix(path)
    if logits == ", from_logits=True":
        assert f"ops.{old.removeprefix('K.')}" in result.changes[0].after
    else:
        assert result.changes == [] and any("other ones near 0 and 1" in f.help for f in result.findings)


def program(statements: list[str], indent: str = "    ") -> str:
    """A loss that computes ``value`` with ``statements``."""
    body = [*statements, "return tf.reduce_mean(value * (y_true - y_pred), axis=-1)"]
    return f"{HEADER}\n\ndef some_loss(y_true, y_pred):\n" + "".join(f"{indent}{s}\n" for s in body)


# -- written in any way ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["why", "p > 0", "(", "tf.log", "'", '"', "# again", "losslint", "grün"])


@st.composite
def broken(draw: st.DrawFn, text: str, indent: str) -> str:
    """``text``, inside of parentheses, with line breaks and comments where Python allows them."""
    parts = []
    for piece in re.split(r"([(,])", f"({text})"):
        parts.append(piece)
        if piece in ("(", ",") and draw(st.integers(0, 3)) == 0:
            comment = f"  # {draw(WORDS)}" if draw(st.booleans()) else ""
            parts.append(f"{comment}\n{indent}{draw(st.sampled_from(['', ' ', indent]))}")
    return "".join(parts)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """A file as bytes, its encoding and its newline."""
    indent = draw(st.sampled_from(["    ", "  ", "\t"]))
    group = draw(st.sampled_from(TOGETHER))
    statements = []
    for number in range(draw(st.integers(1, 3))):
        values = draw(st.lists(st.sampled_from(sorted(group)), min_size=1, max_size=2))
        text = " + ".join(draw(st.sampled_from(AROUND)).format(value) for value in values)
        text = draw(broken(text, indent * 2)) if draw(st.booleans()) else text
        statement = f"{'value' if number == 0 else 'other'} = {text}"
        note = f"  # {draw(WORDS)}" if draw(st.booleans()) else ""
        statements += ["value += other"] * (number > 1) + [statement + note]
    statements += ["value += other"] * (len(statements) > 1)
    text = program(statements, indent)
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252"]))
    head = "" if encoding.startswith("utf") else f"# -*- coding: {encoding} -*-\n"
    text = f"{head}# {draw(WORDS)}, grün\n{text}" + draw(st.sampled_from(["", "\n\n", "# the end"]))
    return text.replace("\n", newline).encode(encoding), encoding, newline


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(made=files())
def test_everything_else_stays(made: tuple[bytes, str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    keeps_everything(made, tmp_path_factory.mktemp("properties"))


@pytest.mark.tf
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=files())
def test_everything_else_stays_in_many(made: tuple[bytes, str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    keeps_everything(made, tmp_path_factory.mktemp("properties"))


def keeps_everything(made: tuple[bytes, str, str], folder: Path) -> None:
    data, encoding, newline = made
    path = folder / "losses.py"
    path.write_bytes(data)
    found = session.check([str(path)], Resolver({"min-severity": "info"}, None, True), jobs=1).findings
    result = fix(path)
    assert result.warnings == [] and result.errors == []
    assert [f for f in result.findings if f.fix is not None and f.code not in ("LL101", "LL302", "LL104")] == []
    loud = {f.code for f in result.findings if f.severity > Severity.INFO}
    assert loud <= {f.code for f in found}, "a fix brings what was not there"
    if not result.changes:
        assert not any(f.fix for f in found if f.code not in ("LL101", "LL302", "LL104"))
        return
    before, after = data.decode(encoding), result.changes[0].after
    fixing_write(result, path)
    written = path.read_bytes()
    assert written == (codecs.BOM_UTF8 if encoding == "utf-8-sig" else b"") + after.encode(
        encoding.removesuffix("-sig")
    )
    assert re.sub(newline, "", after).find("\r") == -1 and ("\n" in after.replace("\r\n", "")) is (newline == "\n")
    old, new = (text.replace(newline, "\n") for text in (before, after))
    ast.parse(new)
    assert comments(new) == comments(old)
    edited = {row for f in found if f.fix for e in f.fix.edits for row in range(e.span.row, e.span.end_row + 1)}
    lines = iter(new.splitlines())
    assert all(line in lines for row, line in enumerate(old.splitlines(), 1) if row not in edited)
    assert fix(path).changes == [], "once is enough"


def fixing_write(result: session.Result, path: Path) -> None:
    """Put the changed text in place of the file."""
    from losslint import fixing

    (change,) = result.changes
    assert change.path == path
    fixing.write(change)
