"""What holds of every fix: the finding is gone, nothing new is found, comments and other lines stay, once is enough."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from pathlib import Path

import pytest

from losslint.findings import Severity
from losslint.fixes.base import FIXERS, _load
from losslint.session import Result
from tests.fixes.fixed import check, comments
from tests.rule_pages import PAGES, ROOT, read

FIXABLE = [page for page in map(read, PAGES) if page.meta["fix"] != "none"]
CODES = [page.code for page in FIXABLE]
IN_COMMENTS = {"LL002"}  # what it fixes is a comment


class Corpus:
    """Bad examples and unsound fixtures, before and after their fixes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for page in FIXABLE:
            for example in page.examples("bad"):
                (folder / f"{example.name}.py").write_text(example.source, encoding="utf-8")
        shutil.copytree(ROOT / "fixtures" / "unsound", folder / "unsound")
        self.found = check(folder, fix=False)
        self.result = check(folder)
        self.after = {change.path.relative_to(folder).as_posix(): change.after for change in self.result.changes}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("fixes").resolve())


def test_pages_say_what_can_be_fixed() -> None:
    _load()
    assert set(CODES) == {*FIXERS, *IN_COMMENTS}


def test_no_fix_breaks_a_promise(corpus: Corpus) -> None:
    assert corpus.result.warnings == []


def _count(result: Result, code: str, name: str) -> int:
    return sum(f.code == code and Path(f.filename).name == name for f in result.findings)


@pytest.mark.parametrize("page", FIXABLE, ids=CODES)
def test_bad_examples_fire_no_more(page: object, corpus: Corpus) -> None:
    code, examples = page.code, page.examples("bad")  # type: ignore[attr-defined]
    changed = [e for e in examples if f"{e.name}.py" in corpus.after]
    assert changed, "no bad example is fixed"
    for example in changed:
        assert _count(corpus.result, code, f"{example.name}.py") == 0


def test_nothing_new_is_found(corpus: Corpus) -> None:
    def loud(result: Result) -> Counter[tuple[str, str, str]]:
        return Counter((f.filename, f.function, f.code) for f in result.findings if f.severity > Severity.INFO)

    assert loud(corpus.result) - loud(corpus.found) == Counter()


def test_what_has_a_fix_is_fixed(corpus: Corpus) -> None:
    assert [f for f in corpus.result.findings if f.fix is not None] == []
    assert {f.code for f in corpus.result.fixed} == set(CODES)


def test_safety_is_that_of_the_page(corpus: Corpus) -> None:
    made = {(f.code, f.fix.applicability) for f in corpus.result.fixed if f.fix}
    assert made >= {(page.code, page.meta["fix"]) for page in FIXABLE}
    for page in FIXABLE:
        if page.meta["fix"] == "unsafe" or "Unsafe" not in page.sections["Fix safety"]:
            assert {kind for code, kind in made if code == page.code} == {page.meta["fix"]}


def test_comments_and_other_lines_stay(corpus: Corpus) -> None:
    for name, after in corpus.after.items():
        before = (corpus.folder / name).read_text(encoding="utf-8")
        ast.parse(after)
        if name.startswith("LL002"):
            continue
        assert comments(after) == comments(before), name
        edited = {row for f in corpus.found.findings if f.filename.endswith(name) and f.fix for row in _rows(f.fix)}
        kept = [line for row, line in enumerate(before.splitlines(), 1) if row not in edited]
        lines = iter(after.splitlines())
        assert all(line in lines for line in kept), f"{name}: a line that no fix is about was changed"


def _rows(fix: object) -> set[int]:
    edits = fix.edits  # type: ignore[attr-defined]
    return {row for e in edits for row in range(e.span.row, e.span.end_row + 1)}


def test_once_is_enough(corpus: Corpus, tmp_path: Path) -> None:
    for name, after in corpus.after.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(after, encoding="utf-8")
    assert check(tmp_path).changes == []


def test_safe_fixes_alone_leave_the_others(corpus: Corpus) -> None:
    result = check(corpus.folder, unsafe=False)
    safe = {page.code for page in FIXABLE if page.meta["fix"] == "safe"}
    assert {f.code for f in result.fixed} == safe
