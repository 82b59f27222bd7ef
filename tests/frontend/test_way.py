"""Which statements of a body a definition or a call in it depends on."""

from __future__ import annotations

import ast
import textwrap

import pytest

from losslint.frontend.way import needed_for


def needed(body: str) -> list[str]:
    """The first words of the statements that the def of ``loss``, or else the call of ``compile``, depends on."""
    tree = ast.parse(textwrap.dedent(body))
    wanted = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "loss"] or [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("compile")
    ]
    kept = needed_for(wanted, tree.body)
    return [ast.unparse(s).splitlines()[0] for s, keep in zip(tree.body, kept, strict=True) if keep]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("a = 1\nb = 2\ndef loss(y): return y * a\nfit(loss)", ["a = 1", "def loss(y):"]),
        ("a = 1\nb = a + 1\ndef loss(y): return y * b", ["a = 1", "b = a + 1", "def loss(y):"]),
        # closures see what is bound after the def
        ("def loss(y): return y * a\na = 3\nb = 4", ["def loss(y):", "a = 3"]),
        # what such a name holds is changed in place
        ("c = {}\nc['k'] = 2\nd = {}\ndef loss(y): return y * c['k']", ["c = {}", "c['k'] = 2", "def loss(y):"]),
        ("w = []\nw.append(1)\ndef loss(y): return y * w[0]", ["w = []", "w.append(1)", "def loss(y):"]),
        ("c = {}\nfill(c)\nshow(1)\ndef loss(y): return c", ["c = {}", "fill(c)", "def loss(y):"]),
        ("o.rate = 2\ndef loss(y): return o.rate", ["o.rate = 2", "def loss(y):"]),
        # where the way may end
        ("if x:\n    return 1\ndef loss(y): return y", ["if x:", "def loss(y):"]),
        ("def loss(y): return y\nreturn loss", ["def loss(y):"]),
        ("def other():\n    return 1\ndef loss(y): return y", ["def loss(y):"]),
        # what the def stands in runs as a whole
        ("a = 1\nwith a:\n    b = 2\n    def loss(y): return y", ["a = 1", "with a:"]),
        # other ways to bind
        ("import m as a\ndef loss(y): return a", ["import m as a", "def loss(y):"]),
        ("for a in r: pass\ndef loss(y): return a", ["for a in r:", "def loss(y):"]),
        ("def a(): return b\nb = 1\ndef loss(y): return a()", ["def a():", "b = 1", "def loss(y):"]),
        ("self.assertEqual(self.x, 1)\ndef loss(y): return self.x", ["def loss(y):"]),
        ("self.build()\ndef loss(y): return self.x", ["self.build()", "def loss(y):"]),
        # a call
        ("m = make()\nn = make()\nm.compile('adam', f)\nn.fit(x)", ["m = make()", "m.compile('adam', f)"]),
    ],
)
def test_statements_that_are_needed(body: str, kept: list[str]) -> None:
    assert needed(body) == kept


def test_all_are_needed_where_nothing_wanted_is_found() -> None:
    body = ast.parse("a = 1\nb = 2").body
    assert needed_for([ast.parse("f()").body[0]], body) == [True, True]


def test_a_long_chain_of_statements_is_followed_in_time() -> None:
    chain = "".join(f"x{i} = x{i - 1}\n" for i in range(1, 30_000))
    body = ast.parse(f"x0 = 1\n{chain}y = 1\nf(x29999)\n").body
    needed = needed_for([body[-1].value], body)  # type: ignore[attr-defined]
    assert needed.count(False) == 1 and not needed[-2]
