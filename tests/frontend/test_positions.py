"""The ranges of trees are those that the providers of libcst give."""

from __future__ import annotations

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider

from losslint.frontend.positions import Positions
from tests.rule_pages import ROOT

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "fixtures").rglob("*.py"))


@pytest.mark.parametrize("name", [*FILES, "losslint/interpreter/machine.py", "tests/test_cli.py"])
def test_as_in_libcst(name: str) -> None:
    wrapper = MetadataWrapper(cst.parse_module((ROOT / name).read_text(encoding="utf-8")), unsafe_skip_copy=True)
    found = Positions(wrapper.module)
    for provider, ranges in ((PositionProvider, found.inner), (WhitespaceInclusivePositionProvider, found.outer)):
        told = wrapper.resolve(provider)
        expected = {n: (r.start.line, r.start.column, r.end.line, r.end.column) for n, r in told.items()}
        del expected[wrapper.module]  # libcst takes back the newline that the file does not end with
        assert {n: r for n, r in ranges.items() if n is not wrapper.module} == expected


def test_lines_of_any_kind_and_what_surrounds_a_tree() -> None:
    module = cst.parse_module("if x:\r\n\tf( ( a ) , '''1\r2''' )\r\n")
    found = Positions(module)
    call = module.body[0].body.body[0].body[0].value  # type: ignore[attr-defined]
    name = call.args[0].value
    assert (found.inner[name], found.outer[name]) == ((2, 6, 2, 7), (2, 4, 2, 9))
    assert found.inner[call.args[1].value] == (2, 12, 3, 4)
