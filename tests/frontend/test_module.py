"""Slices parse on their own, and positions come back as in the file."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest

from losslint.findings import Span
from losslint.frontend.module import Module
from losslint.frontend.project import Project


def _first(module: Module, kind: type[ast.stmt]) -> ast.stmt:
    return next(n for n in ast.walk(module.tree) if isinstance(n, kind))


def test_a_span_counts_rows_of_the_file_and_columns_from_one() -> None:
    module = Module("m.py", "import x\n\n\ndef f(a):\n    return a + 1\n")
    slice_, tree = module.slice(_first(module, ast.FunctionDef))
    assert isinstance(tree, cst.FunctionDef)
    returned = tree.body.body[0].body[0].value  # type: ignore[attr-defined]
    assert slice_.span(returned) == Span(5, 12, 5, 17)


def test_decorators_belong_to_the_slice() -> None:
    module = Module("m.py", "\n@one\n@two(3)\ndef f():\n    return 1\n")
    slice_, tree = module.slice(_first(module, ast.FunctionDef))
    assert len(tree.decorators) == 2  # type: ignore[attr-defined]
    assert slice_.span(tree.body).row in (4, 5)  # type: ignore[attr-defined]


def test_an_indented_statement_keeps_its_columns() -> None:
    module = Module("m.py", "if True:\n    def f(a):\n        return a\n")
    slice_, tree = module.slice(_first(module, ast.FunctionDef))
    assert isinstance(tree, cst.FunctionDef)
    assert slice_.span(tree.body.body[0]) == Span(3, 9, 3, 17)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_form_feeds(newline: str) -> None:
    module = Module("m.py", newline.join(["x = 1", "\x0c", "def f():", "    return 'é' + x", ""]))
    slice_, tree = module.slice(_first(module, ast.FunctionDef))
    assert slice_.span(tree.body.body[0]).row == 4  # type: ignore[attr-defined]


def test_statements_after_a_semicolon() -> None:
    module = Module("m.py", "a = 1; b = a + 2  # note\n")
    second = module.tree.body[1]
    slice_, tree = module.slice(second)
    assert slice_.span(tree.body[0]).column == 8  # type: ignore[attr-defined]


def test_a_file_that_does_not_parse_says_so() -> None:
    with pytest.raises(SyntaxError):
        Module("m.py", "def f(:\n")


def test_imports_are_found_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    for name in ("pkg/__init__.py", "pkg/a.py", "b.py"):
        (tmp_path / name).write_text("X = 1\n")
    project = Project()
    inside = project.load(tmp_path / "pkg" / "a.py")
    assert inside is not None
    assert project.find(inside, "b") is project.load(tmp_path / "b.py")
    assert project.find(inside, "pkg.a") is None  # itself
    assert project.find(inside, "", 1) is project.load(tmp_path / "pkg" / "__init__.py")
    assert project.find(inside, "missing") is None


# -- classes ---------------------------------------------------------------------------------------------------------

CLASS = """class A(B):
    \"\"\"Doc.\"\"\"

    x = 1

    @property
    def first(self, a=2):
        # said first
        text = \"\"\"
  left of all
\"\"\"
        return text

    def second(self): return 1

    class Inner:
        def deep(self):
            return 2

    async def last(
        self,
    ):
        é = 1; return é
"""


def test_a_class_is_parsed_without_the_bodies_of_its_methods() -> None:
    module = Module("m.py", CLASS)
    statement = _first(module, ast.ClassDef)
    slice_, tree = module.slice(statement)
    assert isinstance(tree, cst.ClassDef)
    methods = [s for s in tree.body.body if isinstance(s, cst.FunctionDef)]
    assert [m.name.value for m in methods] == ["first", "second", "last"]
    assert "return text" not in slice_.tree.code and "return é" not in slice_.tree.code
    assert "return 1" in slice_.tree.code and "return 2" in slice_.tree.code  # on the line of the def; in a class
    assert [slice_.span(m.name) for m in methods] == [Span(7, 9, 7, 14), Span(14, 9, 14, 15), Span(20, 15, 20, 19)]
    left_out = [slice_.left_out.get(id(m)) for m in methods]
    assert [getattr(s, "name", None) for s in left_out] == ["first", None, "last"]


def test_a_method_that_was_left_out_is_a_slice_of_its_own() -> None:
    module = Module("m.py", CLASS)
    slice_, tree = module.slice(_first(module, ast.AsyncFunctionDef))
    assert isinstance(tree, cst.FunctionDef)
    assert slice_.span(tree.body.body[0].body[1]) == Span(23, 16, 23, 24)  # type: ignore[attr-defined]


def test_the_whole_class_is_there_for_who_asks() -> None:
    module = Module("m.py", CLASS)
    statement = _first(module, ast.ClassDef)
    slice_, _ = module.slice(statement, whole=True)
    assert slice_.tree.code == CLASS
    assert not slice_.left_out
    assert module.slice(statement)[0] is not slice_


def test_a_helper_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    for name, data in {"broken": b"def f(:\n", "binary": b"\xff\xfe\x00x = 1\n", "fine": b"x = 1\n"}.items():
        (tmp_path / f"{name}.py").write_bytes(data)
    project = Project()
    for name in ("broken", "binary"):
        path = tmp_path / f"{name}.py"
        assert project.load(path) is None
        assert project.locate(str(tmp_path / "losses.py"), name, 0) is None
    found = project.locate(str(tmp_path / "losses.py"), "fine", 0)
    assert found is not None and project.load(Path(found)) is not None


def test_files_of_another_machine_are_those_of_its_tree() -> None:
    project = Project(tree={"/there/one.py": b"x = 1\n", "/there/bad.py": b"x = (\n"}, here="/there")
    one = project.load(Path("one.py"))
    assert one is not None and one.text == "x = 1\n"
    assert project.load(Path("bad.py")) is None
    assert project.locate("losses.py", "one", 0) == "/there/one.py"
    assert project.locate("losses.py", "two", 0) is None
    assert project.used["/there/bad.py"] != "-"
