"""``losslint confirm`` around the runs: which losses, in which order, what is written where, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from losslint.confirm import confirming, report, reproduce
from losslint.confirm.confirming import Ran
from losslint.confirm.jobs import Outcome
from losslint.findings import CONFIRMED, Finding, Severity, Span, Verdict
from tests.command import losslint

LOSS = "import tensorflow as tf\n\n\ndef {}_loss(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred), -1)\n"
ENFORCED = {"seconds": "SIGALRM", "memory": "watched"}
Runs = Callable[[Callable[[list[Any]], Iterator[Any]]], None]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(LOSS.format(name))
    (tmp_path / "broken.py").write_text("def loss(:\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Lets a function of what is planned take the place of the runs."""

    def instead(of: Callable[[list[Any]], Iterator[Any]]) -> None:
        monkeypatch.setattr(confirming, "run", lambda planned, options, told: of(planned))

    return instead


def timed_out(planned: list[Any]) -> Iterator[Ran]:
    """The last one first."""
    for one in reversed(planned):
        yield Ran(one, Outcome("timeout", enforced=ENFORCED))


def test_a_folder_is_run_in_its_order_and_what_does_not_parse_is_told(runs: Runs) -> None:
    runs(timed_out)
    ran = losslint("confirm", ".")
    assert ran.out.index("a_loss") < ran.out.index("b_loss")
    assert ran.out.endswith("\nRun with these limits: memory: watched; seconds: SIGALRM\n")
    assert "warning" in ran.err and "broken.py" in ran.err


def test_a_single_one_that_does_not_parse_is_wrong_usage(runs: Runs) -> None:
    runs(timed_out)
    ran = losslint("confirm", "broken.py")
    assert ran.status == 2 and "broken.py" in ran.err and not ran.out


def test_nothing_to_run_is_said(project: Path, runs: Runs) -> None:
    runs(timed_out)
    (project / "empty").mkdir()
    (project / "empty" / "plain.py").write_text("x = 1\n")
    ran = losslint("confirm", "empty")
    assert (ran.status, ran.out) == (0, "No losses in empty\n")


def test_what_is_known_when_it_is_interrupted_is_shown(runs: Runs) -> None:
    def interrupted(planned: list[Any]) -> Iterator[Ran]:
        yield from list(timed_out(planned))[:1]
        raise KeyboardInterrupt

    runs(interrupted)
    ran = losslint("confirm", "a.py", "b.py")
    assert ran.status == 130 and "b_loss" in ran.out and "a_loss" not in ran.out


def test_where_nothing_can_run(runs: Runs) -> None:
    def unavailable(planned: list[Any]) -> Iterator[Ran]:
        raise confirming.Unavailable("TensorFlow is not installed")
        yield

    runs(unavailable)
    ran = losslint("confirm", "a.py")
    assert ran.status == 2 and "TensorFlow is not installed" in ran.err and not ran.out


@pytest.mark.parametrize(
    ("fails", "told"),
    [(None, ""), (report.MissingExtra("pip install 'losslint[report]'"), "pip install"), (None, "cannot write")],
)
def test_the_page(
    fails: Exception | None, told: str, project: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(timed_out)

    def html(ran: list[Ran], findings: object, texts: object) -> str:
        if fails is not None:
            raise fails
        return f"<p>{len(ran)}"

    monkeypatch.setattr(report, "html", html)
    path = project / "page.html" if told != "cannot write" else project / "gone" / "page.html"
    ran = losslint("confirm", "a.py", "b.py", "--report", path)
    if told:
        assert ran.status == 2 and told in ran.err and not path.exists()
    else:
        assert ran.status == 0 and path.read_text() == "<p>2"


def scripts_of(*codes: str) -> Callable[[list[Any]], list[tuple[Finding, Verdict, Ran]]]:
    def confirmed(ran: list[Ran]) -> list[tuple[Finding, Verdict, Any]]:
        span = Span(5, 1, 5, 9)
        found = [Finding(code, Severity.ERROR, "m", "a.py", span, "a_loss") for code in codes]
        return [(f, Verdict(CONFIRMED, "seen"), ran[0]) for f in found]

    return confirmed


def test_the_first_script_is_printed_and_the_others_are_named(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(timed_out)
    monkeypatch.setattr(reproduce, "confirmed", scripts_of("LL401", "LL302"))
    monkeypatch.setattr(reproduce, "written", lambda finding, verdict, ran: f"print('{finding.code}')\n")
    ran = losslint("confirm", "a.py", "--repro")
    assert (ran.status, ran.out) == (0, "print('LL401')\n")
    assert "this shows LL401 at a.py:5" in ran.err
    assert "confirmed as well: LL302 at a.py:5 (narrow with ::NAME)" in ran.err


def test_why_there_is_no_script(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(timed_out)
    ran = losslint("confirm", "a.py", "--repro")
    assert ran.status == 2 and not ran.out
    assert ran.err.rstrip().endswith("no finding was confirmed that a script can show")
    monkeypatch.setattr(reproduce, "confirmed", scripts_of("LL105"))
    ran = losslint("confirm", "a.py", "--repro")
    assert ran.status == 2 and "of LL105 at row 5, the loss is made in a way that plain Python cannot repeat" in ran.err


def test_where_nothing_can_run_the_findings_stand(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise confirming.Unavailable("TensorFlow is not installed")

    (project / "c.py").write_text(LOSS.format("c").replace("reduce_mean", "reduce_sum").replace(", -1)", ")"))
    monkeypatch.setattr(confirming, "confirm", unavailable)
    ran = losslint("check", "--confirm", "--isolated", "--no-cache", "--output-format", "concise", "c.py")
    assert ran.status == 2 and "error: TensorFlow is not installed" in ran.err
    assert "c.py:5:12: LL302 [unnormalized-batch-sum]" in ran.out and "Found 1 finding (1 warning)" in ran.out
