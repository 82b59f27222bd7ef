import pytest

from losslint import rulebook
from losslint.findings import Finding, Severity, Span
from losslint.sources import Source
from losslint.suppressions import apply, pragmas, read_comments

EVERYTHING = frozenset(rulebook.rules())


def left(text: str, *findings: tuple[str, int], judged: frozenset[str] = EVERYTHING) -> list[tuple[str, int]]:
    """(code, row) of what is reported of ``findings`` in ``text``."""
    made = [Finding(c, Severity.WARNING, c, "a.py", Span(row, 1, row, 2), "f") for c, row in findings]
    return [(f.code, f.span.row) for f in apply(made, read_comments(Source("a.py", text)), "a.py", judged)]


def messages(text: str) -> list[str]:
    return [f"{f.code} {f.message}" for f in apply([], read_comments(Source("a.py", text)), "a.py", EVERYTHING)]


@pytest.mark.parametrize(
    "comment",
    [
        "# losslint: ignore[LL302]",
        "#losslint:ignore[LL302] because the batch size is fixed",
        "# losslint: ignore[unclipped-log, unnormalized-batch-sum]",
        "# losslint: ignore",
        "# noqa",
        "# noqa: LL302",
        "# NOQA:ll302,E501",
        "# noqa: E501 LL302  # pragma: no cover",
        "# type: ignore  # losslint: ignore[LL302]",
    ],
)
def test_on_the_row(comment: str) -> None:
    assert left(f"x = 1  {comment}\n", ("LL302", 1), ("LL401", 1) if "log" in comment else ("LL302", 1)) == []


def test_other_codes_other_rows_and_strings_do_not_count() -> None:
    assert ("LL302", 1) in left("x = 1  # losslint: ignore[LL401]\n", ("LL302", 1))
    assert ("LL302", 2) in left("x = 1  # losslint: ignore[LL302]\ny = 2\n", ("LL302", 2))
    assert left("x = '# losslint: ignore[LL302]'\n", ("LL302", 1)) == [("LL302", 1)]
    assert left("x = 1  # noqa: E501\n", ("LL302", 1)) == [("LL302", 1)]


def test_on_the_line_above_and_in_its_block_of_comments() -> None:
    assert left("# losslint: ignore[LL302]\nx = 1\n", ("LL302", 2)) == []
    assert left("# losslint: ignore[LL302] the\n# batch size is fixed\nx = 1\n", ("LL302", 3)) == []
    assert ("LL302", 3) in left("# losslint: ignore[LL302]\n\nx = 1\n", ("LL302", 3))
    assert ("LL302", 2) in left("# noqa: LL302\nx = 1\n", ("LL302", 2)), "noqa speaks of its own line only"


def test_a_statement_of_many_rows() -> None:
    code = "x = f({}\n    1,\n    2,\n){}\ny = 2\n"
    for first, last in (("  # losslint: ignore[LL302]", ""), ("", "  # noqa: LL302")):
        assert left(code.format(first, last), ("LL302", 3)) == []
    assert left("# losslint: ignore[LL302]\n" + code.format("", ""), ("LL302", 4)) == []
    assert ("LL302", 5) in left(code.format("  # losslint: ignore[LL302]", ""), ("LL302", 5))


def test_a_definition_is_its_header() -> None:
    code = "# losslint: ignore[LL302]\n@tf.function\ndef f(\n    a,\n):\n    return a\n"
    assert left(code, ("LL302", 3)) == []
    assert left(code, ("LL302", 6)) == [("LL302", 6), ("LL002", 1)]


def test_the_whole_file() -> None:
    assert left("x = 1\n# losslint: ignore-file[LL302]\n", ("LL302", 1)) == []
    assert left("# losslint: ignore-file generated\nx = 1\n", ("LL302", 2), ("LL401", 2)) == []


def test_carriage_returns_and_form_feeds() -> None:
    assert left("\x0c\r\nx = 1  # losslint: ignore[LL302]\r\ny = 2\r\n", ("LL302", 2)) == []


# -- LL002 -----------------------------------------------------------------------------------------------------------


def test_unused() -> None:
    assert left("x = 1  # losslint: ignore[LL302]\n") == [("LL002", 1)]
    assert left("x = 1  # losslint: ignore[LL302, LL401]\n", ("LL302", 1)) == [("LL002", 1)]
    assert left("x = 1  # losslint: ignore\n") == [("LL002", 1)]
    assert left("x = 1  # noqa: LL302\n") == [("LL002", 1)]
    assert left("x = 1  # losslint: ignore-file[LL302]\n") == [("LL002", 1)]
    assert left("x = 1  # noqa\n") == [], "a bare noqa is for every linter"


def test_unused_is_only_said_of_what_was_looked_for() -> None:
    assert left("x = 1  # losslint: ignore[LL302]\n", judged=frozenset({"LL401"})) == []
    assert left("x = 1  # losslint: ignore\n", judged=frozenset({"LL401"})) == []


def test_unused_can_itself_be_suppressed() -> None:
    assert left("x = 1  # losslint: ignore[LL302, LL002]\n") == []
    assert left("# losslint: ignore-file[unused-suppression]\nx = 1  # losslint: ignore[LL302]\n") == []


# -- LL003 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("losslint: ignore[LL3O2]", '"LL302"'),
        ("losslint: ignore[unclipped-logs]", '"unclipped-log"'),
        ("losslint: ignores[LL302]", '"ignore"'),
        ("losslint: not-loss", '"not-a-loss"'),
        ("losslint: ignore[LL302", "not closed"),
        ("losslint: ignore[]", "names no rule"),
        ("losslint: ignore[LL3]", "no rule 'LL3'"),
        ("losslint: batch-level[LL308]", "no brackets"),
        ("losslint: inputs", "says nothing"),
        ("losslint:", "no pragma ''"),
        ("noqa: LL999", "LL999"),
    ],
)
def test_unknown(comment: str, words: str) -> None:
    said = messages(f"x = 1  # {comment}\n")
    assert len(said) == 1 and said[0].startswith("LL003 ") and words in said[0], said


def test_known_pragmas_are_no_fault() -> None:
    text = "# losslint: loss\n# losslint: batch-level\ndef f(): pass\n# losslint: inputs y_true=int32[B] y_pred=prob[B,10]\n"
    assert messages(text) == []


# -- pragmas for the analysis ----------------------------------------------------------------------------------------


def test_pragmas_are_keyed_by_the_row_they_speak_of() -> None:
    text = "# losslint: loss\n# losslint: inputs y_true=int32[B]\n@d\ndef f():  # losslint: batch-level\n    pass\n"
    found = {row: [(p.kind, p.text) for p in listed] for row, listed in pragmas(Source("a.py", text)).items()}
    assert found == {3: [("loss", ""), ("inputs", "y_true=int32[B]")], 4: [("batch-level", "")]}
    assert pragmas(Source("a.py", "x = 1  # losslint: ignore\n")) == {}


def test_comments_are_read_as_far_as_the_source_goes() -> None:
    found = pragmas(Source("a.py", "# losslint: loss\ndef f():\n    x = (\n"))
    assert [p.kind for p in found[2]] == ["loss"]


def test_many_suppressions_are_told_in_time() -> None:
    ignoring = "# losslint: ignore[LL401]\n" * 30_000
    source = Source("a.py", f"import tensorflow as tf\n{ignoring}x = 1\n# losslint: ignore[LL402]\n")
    rows = [p.row for p in read_comments(source).pragmas]
    assert set(rows[:-1]) == {30_002} and rows[-1] == 30_004
