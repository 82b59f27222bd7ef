import io
import json
from dataclasses import replace

import pytest

from losslint import reporters, rulebook
from losslint.findings import Edit, Finding, Fix, Severity, Span, Step, Verdict
from losslint.reporters.lines import plain, write
from losslint.session import Result

TEXT = """import tensorflow as tf

def dice_loss(y_true, y_pred):
    hard = tf.round(y_pred)
    return 1 - tf.reduce_sum(
        hard * y_true
    )
"""
CUT = Finding(
    "LL201",
    Severity.ERROR,
    "No gradient reaches y_pred",
    "a.py",
    Span(4, 12, 4, 28),
    "dice_loss",
    "keras",
    fact="cut here",
    help="use the soft values",
    path=(
        Step("y_pred", Span(3, 23, 3, 29)),
        Step("tf.round", Span(4, 12, 4, 28), "a.py"),
        Step("return", Span(9, 1, 9, 2), "b.py"),
    ),
)
SUM = Finding(
    "LL302", Severity.WARNING, "The gradient grows", "a.py", Span(5, 16, 7, 6), "dice_loss", "keras", fact="law B"
)
RESULT = Result([CUT, SUM], ["a.py", "b.py"], failing=2, texts={"a.py": TEXT})


def shown(result: Result, form: str = "text") -> str:
    return "\n".join(plain(reporters.render(result, form)))


def one(text: str, span: Span, fact: str = "fact") -> list[str]:
    """The frame of a finding at ``span``."""
    finding = Finding("LL302", Severity.WARNING, "m", "a.py", span, "f", fact=fact)
    return shown(Result([finding], ["a.py"], texts={"a.py": text})).split("\n")


def test_text_shows_the_code_the_fact_the_path_and_the_way_out() -> None:
    assert shown(RESULT) == (
        """\
a.py:4:12: LL201 [no-gradient-path] No gradient reaches y_pred
  |
4 |     hard = tf.round(y_pred)
  |            ^^^^^^^^^^^^^^^^ cut here
  |
  = path: y_pred (row 3) -> tf.round (row 4) -> return (b.py:9)
  = note: error in dice_loss (a loss that Keras reduces)
  = help: use the soft values

a.py:5:16: LL302 [unnormalized-batch-sum] The gradient grows
  |
5 |     return 1 - tf.reduce_sum(
  |                ^^^^^^^^^^^^^^
6 |         hard * y_true
  |         ^^^^^^^^^^^^^
7 |     )
  |     ^ law B
  |
  = note: warning in dice_loss (a loss that Keras reduces)

Found 2 findings (1 error, 1 warning) in 2 files"""
    )


def test_concise_is_one_line_each() -> None:
    assert shown(RESULT, "concise").split("\n") == [
        "a.py:4:12: LL201 [no-gradient-path] No gradient reaches y_pred",
        "a.py:5:16: LL302 [unnormalized-batch-sum] The gradient grows",
        "Found 2 findings (1 error, 1 warning) in 2 files",
    ]


def test_the_summary_counts() -> None:
    assert shown(Result(files=["a.py"]), "concise") == "No findings in 1 file"
    assert "2 more" in shown(Result(files=["a.py"], hidden=2), "concise")


def test_carets_stand_under_what_is_wide_or_a_tab() -> None:
    assert one("\tx = '損失' + y\n", Span(1, 13, 1, 14))[2:4] == [
        "1 |     x = '損失' + y",
        "  | " + " " * 17 + "^ fact",
    ]
    assert one("\tx = y\n", Span(1, 6, 1, 7))[3] == "  | " + " " * 8 + "^ fact"


def test_a_long_expression_and_a_long_line_are_cut() -> None:
    rows = one("".join(f"a{n}\n" for n in range(30)), Span(1, 1, 20, 4))
    assert "..." in rows and "20 | a19" in rows and " 9 | a8" not in rows
    (code, caret) = one("x" * 5000 + "BAD" + "x" * 5000, Span(1, 5001, 1, 5004))[2:4]
    assert len(code) < 200 and code[caret.index("^") :].startswith("BAD")


def test_a_position_outside_of_the_text_is_no_crash() -> None:
    assert one("", Span(1, 1, 1, 1))[1] != "1 |"
    assert one("x\n", Span(7, 1, 9, 1))[0].startswith("a.py:7:1")
    assert "^" in one("x\n", Span(1, 1, 1, 1))[3]


def test_nothing_can_move_the_cursor() -> None:
    assert "\x1b" not in "".join(one("x = '\x1b[2J'\n", Span(1, 1, 1, 2), fact="\x1b[31m"))


def test_json_has_exactly_these_fields() -> None:
    fix = Fix("safe", "rename", (Edit(Span(1, 1, 1, 4), "new"),))
    finding = Finding("LL302", Severity.WARNING, "m", "a.py", Span(1, 2, 3, 4), "f", "tape", fix=fix)
    assert json.loads(shown(Result([finding]), "json")) == [
        {
            "code": "LL302",
            "name": "unnormalized-batch-sum",
            "severity": "warning",
            "message": "m",
            "filename": "a.py",
            "cell": None,
            "location": {"row": 1, "column": 2},
            "end_location": {"row": 3, "column": 4},
            "function": "f",
            "consumer": "tape",
            "fix": {
                "applicability": "safe",
                "message": "rename",
                "edits": [
                    {"content": "new", "location": {"row": 1, "column": 1}, "end_location": {"row": 1, "column": 4}}
                ],
            },
            "url": rulebook.find("LL302").url,
            "verdict": None,
            "witness": None,
            "device": None,
            "tensorflow": None,
        }
    ]
    assert json.loads(shown(Result(), "json")) == []


def test_statistics() -> None:
    result = Result([CUT, SUM, SUM], ["a.py"])
    lines = list(plain(reporters.counts(result, "text")))
    assert lines[:2] == ["2  LL302  unnormalized-batch-sum", "1  LL201  no-gradient-path"]
    (table,) = plain(reporters.counts(result, "json"))
    assert json.loads(table)[0] == {"code": "LL302", "name": "unnormalized-batch-sum", "count": 2, "fixable": "unsafe"}


@pytest.mark.parametrize("colour", [True, False])
def test_colour_adds_nothing_but_colour(colour: bool) -> None:
    file = io.StringIO()
    write(reporters.render(RESULT, "text"), file, colour)
    assert ("\x1b[" in file.getvalue()) is colour
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()) == shown(RESULT) + "\n"


# -- verdicts --------------------------------------------------------------------------------------------------------

SEEN = Verdict(
    "confirmed",
    "the gradient is NaN",
    {"inputs": {"y_pred": [[0.0, 1.0]], "y_true": [0.25] * 40}, "batch": 1},
    device="CPU",
    tensorflow="2.21.0",
    notes=("y_pred is a probability",),
)
NOT_SEEN = Verdict(
    "refuted", "all is finite", tried="logits[B,3]", notes=("called with logits[B,3]", "y_true counts classes")
)
RAN = Result(
    [replace(CUT, verdict=SEEN), replace(SUM, verdict=NOT_SEEN)],
    ["a.py"],
    texts={"a.py": TEXT},
    confirmed=True,
    limits={"seconds": "SIGALRM\x1b", "memory": "watched"},
)


def test_text_tells_what_a_run_has_shown() -> None:
    rows = shown(RAN).split("\n")
    assert rows[0] == "a.py:4:12: LL201 [no-gradient-path] No gradient reaches y_pred (confirmed)"
    told = rows.index("  = confirmed: the gradient is NaN on CPU, TensorFlow 2.21.0")
    y_true = "[" + "0.25, " * 20
    assert rows[told + 1].startswith(f"  = input: y_pred = [[0.0, 1.0]], y_true = {y_true[:100]}")
    assert rows[told + 1].endswith(" ...") and len(rows[told + 1]) < 180
    assert rows[told + 2] == "  = assumed: y_pred is a probability"


def test_what_a_run_has_refuted_stands_apart() -> None:
    text = shown(RAN)
    found, refuted = text.split("Refuted by a run:\n")
    assert "LL302" not in found and "LL201" not in refuted
    assert refuted == (
        """\
a.py:5:16: LL302 [unnormalized-batch-sum] The gradient grows (refuted)
 = refuted: all is finite
 = tried: logits[B,3]
 = assumed: y_true counts classes

Found 1 finding (1 error) in 1 file: 1 confirmed, 0 inconclusive; 1 refuted finding apart
Run with these limits: memory: watched; seconds: SIGALRM\ufffd"""
    )
    text = shown(replace(RAN, trust_refuted=False))
    assert "Refuted by a run" not in text and text.index("LL201") < text.index("LL302")


def test_a_marked_part_that_is_too_long_is_cut() -> None:
    (code, caret) = one("x" * 5000, Span(1, 1, 1, 5001))[2:4]
    assert len(code) < 200 and code.endswith("...") and caret.rstrip("fact ").endswith("^") and len(caret) < 180


def test_the_other_formats_tell_the_verdict_as_well() -> None:
    concise = shown(RAN, "concise").split("\n")
    assert concise[:2] == [
        "a.py:4:12: LL201 [no-gradient-path] No gradient reaches y_pred (confirmed)",
        "a.py:5:16: LL302 [unnormalized-batch-sum] The gradient grows (refuted)",
    ]
    assert shown(replace(RAN, findings=[RAN.findings[1]]), "concise").split("\n")[-1] == (
        "No findings in 1 file; 1 refuted finding apart"
    )
    assert "confirmed: the gradient is NaN\n" in shown(RAN, "junit").replace("</failure>", "\n")


def test_a_step_in_a_notebook_is_told_by_its_cell() -> None:
    path = (
        Step("tf.round", Span(4, 5, 4, 16)),
        Step("y", Span(8, 1, 8, 2), "a.ipynb"),
        Step("z", Span(1, 1, 1, 2), "b.py"),
    )
    fix = Fix("unsafe", "leave it out", (Edit(Span(4, 5, 4, 16), "x"),))
    finding = replace(
        CUT, filename="a.ipynb", span=Span(4, 5, 4, 16), path=path, cells=((0, 1), (2, 3), (7, 4)), fix=fix
    )
    (run,) = json.loads(shown(Result([finding], ["a.ipynb"], failing=1), "sarif"))["runs"]
    (flow,) = run["results"][0]["codeFlows"]
    stops = [stop["location"] for stop in flow["threadFlows"][0]["locations"]]
    assert [stop["message"]["text"] for stop in stops] == ["tf.round (cell 3, line 2)", "y (cell 4, line 1)", "z"]
    assert ["physicalLocation" in stop for stop in stops] == [False, False, True]
    assert "fixes" not in run["results"][0], "the rows of its edits are none of the file"
