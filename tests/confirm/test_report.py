"""The page: made from results written by hand, and once from a run."""

from __future__ import annotations

import builtins
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from losslint import rulebook, session
from losslint.confirm import confirming, report
from losslint.confirm.confirming import Ran
from losslint.confirm.jobs import Bundle, Claim, File, Job, Outcome, Place
from losslint.confirm.plan import Planned
from losslint.findings import Finding, Severity, Span
from losslint.settings import Resolver

HOSTILE = "<script>alert(1)</script>\"' onload=x"
BELIEVED = {
    "consumer": {"kind": "keras", "evidence": f"takes {HOSTILE}"},
    "structure": "tensor",
    "shape": "()",
    "rank": 0,
    "law": "0",
    "law_ratio": 1.0,
    "law_asymptotic": False,
    "gradient_law": "1/2",
    "coupling": "coupled",
    "gradient": {"y_pred": "live"},
    "ranges": [{"op": "tf.math.log", "line": 3, "range": "[0, 1]", "status": "assumed"}],
    "lost_at": [{"line": None, "why": HOSTILE}],
}
CURVES = {
    "batch": {"copies": [1, 2, 4], "value": [2.0, 2.0, 2.0], "gradient": [1.0, "inf", 0.25]},
    "edges": [
        {
            "edge": f"y_pred {HOSTILE}",
            "argument": "y_pred",
            "left": [1.0, 0.1, 1e-8, 0.0],
            "value": [1.0, 20.0, "inf", "nan"],
            "gradient": [1.0, 1e7, "-inf", None],
        }
    ],
    "left_out": 0,
}
FACTS: dict[str, Any] = {
    "trace": {"autograph": False, "errors": {}, "way": "None batch", "mode": "graph", "batch": "None"},
    "output": {"structure": "tensor", "shapes": [[7]], "dtypes": ["float32"], "rank": 1},
    "gradient": {
        "sources": {"y_pred": {"state": "none", "reached": 0.0}},
        "cut_at": [{"op": "Round", "lines": [["a.py", 14]]}],
        "dead_terms": [],
    },
    "derivative": {"skipped": f"it does not run in float64: {HOSTILE}"},
    "batch": {"value_ratio": {"2": 1.0}, "gradient_ratio": {"2": 1.4142}, "micro": 0.29, "single": None},
    "edges": {
        "tested": 9,
        "nonfinite": {f"point {n}": {"value": "nan", "gradient": {"y_pred": "-inf"}} for n in range(10)},
        "zero_gradient": [],
        "raises": ["y_true all 0"],
    },
    "precision": {"float32": {"finite": True, "relative_error": 1e-7}, "float16": {"skipped": "TypeError: no"}},
    "modes": {"failed": "RuntimeError: no XLA"},
    "keras": {"compiled": {"error": HOSTILE}, "weights": {"skipped": "none"}, "replicas": {"factor": 2.0}},
    "sign": {"perfect": 1.0, "ordinary": 0.5, "right": False},
    "curves": CURVES,
}
WITNESS = {
    "point": f"y_pred {HOSTILE}",
    "mode": "graph",
    "inputs": {"y_true": [[0.0] * 100] * 3, "y_pred": [[1.0, float("nan")]], "model": HOSTILE},
    "batch": 1,
    "value": "nan",
    "gradient": {"y_pred": "-inf"},
}


def ran(name: str = "loss", *, row: int = 1, outcome: Outcome | None = None, **result: Any) -> Ran:
    """A loss with one finding, an unclipped logarithm, that was run with ``result``."""
    finding = Finding("LL401", Severity.ERROR, HOSTILE, "a.py", Span(3, 5, 3, 9), name)
    claim = Claim("LL401", "a.py", Place(3, 5, 3, 9), HOSTILE, name)
    job = Job(Bundle("a", {"a": File("a", "a.py", "")}), name, claims=(claim,), consumer="keras")
    evidence = {"probe": "edges", "edges": {"witness": WITNESS, "tested": 9, "executed": True}}
    found = {"ran": True, "facts": FACTS, "claims": [evidence], "device": "CPU", "convention": HOSTILE, **result}
    done = outcome or Outcome("done", found, seconds=1.5, enforced={"network": "a namespace"})
    versions = {"tensorflow": "2.21.0", "keras": "3.15.1", "device": "CPU"}
    return Ran(Planned(name, "a.py", row, job, numbers=[0], believed=BELIEVED, findings=[finding]), done, versions)


class _Page(HTMLParser):
    """Tags, addresses and ids of a page; asserts that what is opened is closed."""

    VOID = frozenset({"meta", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open += [tag] if tag not in self.VOID else []
        for name, value in attrs:
            assert not name.startswith("on")
            self.addresses += [value or ""] if name.rpartition(":")[2] in ("href", "src", "srcset", "data") else []
            self.ids += [value or ""] if name == "id" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def words(page: str) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<svg.*?</svg>|<(style|script|title)>.*?</\1>|<[^>]*>", " ", page, flags=re.S).split())


def test_what_users_write_is_escaped() -> None:
    page = report.html([ran(HOSTILE, stubs=[HOSTILE])])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39; onload=x" in page
    tags = _Page(page).tags
    assert not {"iframe", "img", "object", "link"} & set(tags)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.S)  # its own, and the only one
    assert tags.count("script") == 1 and "alert" not in script


def test_nothing_is_fetched() -> None:
    page = _Page(report.html([ran("first"), ran("second", row=9)]))
    outside = {address for address in page.addresses if not address.startswith("#")}
    assert outside == {rulebook.find("LL401").url}
    assert all(address[1:] in page.ids for address in page.addresses if address.startswith("#"))
    assert len(page.ids) == len(set(page.ids))
    assert "url(http" not in report.html([ran()])


def test_plots_are_whole_and_show_what_is_not_finite() -> None:
    page = report.html([ran()])
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    assert len(drawings) == 2
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "var(--series-1)" in drawing and "var(--ink)" in drawing
        assert "#0101" not in drawing and "alert" not in drawing
        assert "nan" not in drawing
    assert "At the rim: ▲ infinite, ▼ minus infinite, × not a number." in words(page)


@pytest.mark.parametrize(
    "curves",
    [
        {"failed": "MemoryError"},
        {"batch": {"copies": [], "value": [], "gradient": []}, "edges": [], "left_out": 3},
        {"batch": {"copies": [1, 2], "value": ["nan", 1.0], "gradient": [0.0, 0.0]}, "edges": [], "left_out": 0},
        {"batch": {"copies": [1, 2], "value": [None, None], "gradient": [None, None]}, "edges": [], "left_out": 0},
    ],
)
def test_without_numbers_there_is_no_plot(curves: dict[str, Any]) -> None:
    assert "<svg" not in report.html([ran(facts=FACTS | {"curves": curves})])


def test_a_path_without_any_number_is_drawn_as_none() -> None:
    path = {"edge": "y_pred all 0", "argument": "y_pred", "left": [1.0, 0.0], "value": [0.0, 0.0]}
    curves = CURVES | {"edges": [path | {"gradient": [None, None]}]}
    assert ">none</text>" in report.html([ran(facts=FACTS | {"curves": curves})])


def test_believed_stands_beside_measured() -> None:
    seen = words(report.html([ran()]))
    assert "returns ≠ at odds tensor () tensor (7,) float32" in seen
    assert "value law unchanged by k copies ×1 for 2 copies" in seen
    assert "gradient law × k^(1/2) for k copies ×1.414 for 2 copies" in seen
    assert "gradient of y_pred ≠ at odds live none" in seen
    assert "gradient lost at Round in line 14" in seen
    assert (
        "tf.math.log line 3: [0, 1] (assumed) 9 inputs, not finite at 10 point 0: value nan, gradient y_pred: -inf"
        in seen
    )
    assert "and 2 more raises at: y_true all 0" in seen
    assert "1 for a perfect prediction, above 0.5 for an ordinary one" in seen
    assert "modes: RuntimeError: no XLA" in seen


def test_a_witness_is_shown_with_its_numbers_and_long_inputs_are_folded() -> None:
    page = report.html([ran()])
    seen = words(page)
    assert "Confirmed LL401 unclipped-log error a.py:3:5" in seen
    assert "batch 1 mode graph value nan gradient y_pred: -inf" in seen
    folded = r'<summary><code>y_true</code> <span class="soft">3 × 100</span></summary>\s*<pre class="data">\[\[0.0, '
    assert re.search(folded, page)
    assert "<code>y_pred = [[1.0, NaN]]</code>" in page


def test_very_long_inputs_are_cut() -> None:
    witness = WITNESS | {"inputs": {"y_true": [0.0] * 100_000}}
    evidence = {"probe": "edges", "edges": {"witness": witness, "tested": 9, "executed": True}}
    assert len(report.html([ran(claims=[evidence], facts={})])) < 50_000


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (ran(outcome=Outcome("timeout")), "the time limit was reached"),
        (ran(outcome=Outcome("crash", detail="killed by SIGABRT")), "the process crashed: killed by SIGABRT"),
        (ran(ran=False, reason="none of 73 input conventions is accepted"), "none of 73 input conventions"),
    ],
)
def test_a_loss_that_did_not_run_says_why(one: Ran, why: str) -> None:
    seen = words(report.html([one]))
    assert f"It did not run: {why}" in seen
    assert "Confirmed 0 Inconclusive 1 Refuted 0" in seen


def test_what_was_taken_for_granted_and_what_limits_held_are_named() -> None:
    seen = words(report.html([ran(stubs=["torch.nn"], random=True, shims=["tf.log is tf.math.log"])]))
    assert "Not imported, though it is used: torch.nn" in seen
    assert "It is random" in seen
    assert "tf.log is tf.math.log" in seen
    assert "network a namespace" in seen
    assert "Run with TensorFlow 2.21.0, Keras 3.15.1, on CPU." in seen


def test_the_page_does_not_depend_on_the_order_of_the_runs() -> None:
    losses = [ran("b", row=2), ran("a", row=1)]
    assert report.html(losses) == report.html(losses[::-1])


def test_without_losses_there_is_a_page() -> None:
    assert "No losses." in words(report.html([]))


def test_names_that_are_not_unicode_can_be_written() -> None:
    assert b"</html>" in report.html([ran("a\udcff")]).encode("utf-8")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "jinja2":
            raise ImportError(name)
        return known(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(report.MissingExtra, match=re.escape("pip install 'losslint[report]'")):
        report.html([])


LOSS = """
import tensorflow as tf


def log_loss(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred))
"""


@pytest.mark.tf
def test_the_page_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(LOSS, encoding="utf-8")
    resolver = Resolver({"min-severity": "info"}, None, True)
    result = session.check([str(tmp_path)], resolver)
    options = confirming.Options(device="cpu", seconds=60)
    found = confirming.confirm(result, resolver, options, {}, passports=True)
    assert [one.outcome.kind for one in found.ran] == ["done"]
    curves = found.ran[0].result["facts"]["curves"]
    assert curves["left_out"] == 0
    growth = [value / curves["batch"]["value"][0] for value in curves["batch"]["value"]]
    assert growth == pytest.approx([1, 2, 3, 4, 6, 8], rel=1e-4)
    assert curves["batch"]["gradient"][-1] == pytest.approx(8 * curves["batch"]["gradient"][0], rel=1e-4)
    worst = curves["edges"][0]  # what is not finite comes first
    assert worst["argument"] == "y_pred" and {"inf", "nan"} & set(map(str, worst["value"] + worst["gradient"]))
    steepest = max(n for path in curves["edges"] for n in path["gradient"] if isinstance(n, float))
    assert steepest > 1e5 * worst["gradient"][0]  # near 0 the derivative of a logarithm is as large as the way is short
    page = report.html(found.ran)
    assert page.count("<svg") == 2
    assert "Confirmed LL401 unclipped-log" in words(page)
    assert {a for a in _Page(page).addresses if not a.startswith("#")} <= {r.url for r in rulebook.rules().values()}
