"""The page as a reader has it: rendered by Chromium, light and dark, with and without JavaScript."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from losslint.confirm import report
from losslint.confirm.jobs import Outcome
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED, Finding, Severity, Span, Verdict
from scripts import browser
from tests.confirm.test_report import HOSTILE, ran

WHY = browser.missing()
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY)

TEXT = "import tensorflow as tf\n\n    found = 1\n"
UNREADABLE = Finding("LL001", Severity.ERROR, "the file does not parse", "b.py", Span(1, 1, 1, 2), "<module>")


def judged(code: str, verdict: str, row: int) -> Finding:
    finding = Finding(code, Severity.WARNING, f"message {row}", "a.py", Span(row, 5, row, 10), "f")
    return dataclasses.replace(finding, verdict=Verdict(verdict, f"reason {row}"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with findings of three rules and all verdicts."""
    losses = [ran("first"), ran("second", row=9), ran("third", row=12, outcome=Outcome("timeout"))]
    rest = [judged("LL302", REFUTED, 3), judged("LL302", INCONCLUSIVE, 4), judged("LL201", CONFIRMED, 5), UNREADABLE]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report.html(losses, rest, {"a.py": TEXT}), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser.opened() as one:
        yield one


@pytest.fixture
def opened(chromium: Any, address: str) -> Iterator[Any]:
    """Opens the page in a window of its own, and sees to it that nothing else is asked for and nothing fails."""
    windows, asked, errors = [], [], []

    def page(**options: Any) -> Any:
        windows.append(chromium.new_context(**options))
        one = windows[-1].new_page()
        one.on("request", lambda request: asked.append(request.url))
        one.on("console", lambda message: errors.append(message.text))
        one.on("pageerror", lambda error: errors.append(str(error)))
        one.on("dialog", lambda dialog: errors.append(dialog.message))
        one.goto(address)
        return one

    yield page
    for window in windows:
        window.close()
    assert asked == [address] * len(windows)
    assert errors == []


def rows(page: Any) -> list[str]:
    """Verdict and rule of the findings in the list that can be seen."""
    shown = page.locator("#findings tr:visible").all()
    return [f"{row.get_attribute('data-verdict')} {row.get_attribute('data-rule')}" for row in shown]


ALL = ["confirmed LL401", "confirmed LL401", "inconclusive LL401", "refuted LL302", "inconclusive LL302",
       "confirmed LL201", "not run LL001"]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(opened: Any, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    colours = page.evaluate(_CONTRASTS)
    assert (colours.pop("page") > 0.5) == (scheme == "light")
    assert len(colours) > 20
    assert {where: ratio for where, ratio in colours.items() if ratio < 4.5} == {}  # WCAG 2.2, 1.4.3
    ink = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert ink == page.evaluate("getComputedStyle(document.body).color")


_CONTRASTS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parse(colour).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parse(colour)[3] ?? 1) === 1) return colour;
    }
  };
  const found = { page: light(getComputedStyle(document.body).backgroundColor) };
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.closest("svg") || ["SCRIPT", "OPTION"].includes(one.tagName) || !one.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
    const where = `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)}`;
    found[where] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""
"""How light the page is, and the contrast of each text to what is behind it (www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""


def test_without_javascript_everything_is_there_but_the_filter(opened: Any) -> None:
    page = opened(java_script_enabled=False)
    assert not page.locator("form").is_visible()
    assert rows(page) == ALL
    assert page.locator("article:visible").count() == len(ALL)
    text = page.locator("body").inner_text()
    assert "message 3" in text and "reason 3" in text and "the file does not parse" in text
    assert "found = 1" in text and "^^^^^" in text  # the code of LL302 in row 3
    assert re.search(r"gradient law\s+× k\^\(1/2\) for k copies\s+×1\.414 for 2 copies", text)
    for plot in page.locator("svg").all():
        box = plot.bounding_box()
        assert box["width"] > 200 and box["height"] > 100
    assert page.locator("svg").count() == 4
    page.locator("summary").first.click()
    assert page.locator("details pre").first.is_visible()  # what is folded opens without it, too


def test_findings_are_filtered_by_rule_and_verdict(opened: Any) -> None:
    page = opened()
    told = page.locator("form output")
    assert rows(page) == ALL and told.inner_text() == "7 of 7 findings"

    page.get_by_role("combobox", name="Rule").select_option("LL302")
    assert rows(page) == ["refuted LL302", "inconclusive LL302"] and told.inner_text() == "2 of 7 findings"
    assert page.locator("#loss-1").is_hidden() and page.locator("[data-loss]:visible").count() == 0
    assert page.locator("article:visible").count() == 2

    page.get_by_role("checkbox", name="Inconclusive").uncheck()
    assert rows(page) == ["refuted LL302"]
    page.get_by_role("checkbox", name="Refuted").uncheck()
    assert rows(page) == [] and page.locator("#none").is_visible()

    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("document.querySelector('form output').value.startsWith('7 of')")
    assert rows(page) == ALL and page.locator("#loss-1").is_visible() and page.locator("#none").is_hidden()

    page.get_by_role("checkbox", name="Inconclusive").uncheck()
    assert page.locator("#loss-1").is_visible() and page.locator("#loss-3").is_hidden()
    assert page.locator("[data-loss]:visible").count() == 2


def test_a_finding_of_the_list_leads_to_what_was_seen(opened: Any) -> None:
    page = opened(viewport={"width": 900, "height": 600})
    page.locator("#findings tr").nth(1).get_by_role("link", name=HOSTILE[:8]).click()
    article = page.locator("article:target")
    assert article.locator("xpath=ancestor::section").get_attribute("id") == "loss-2"
    box, bar = article.bounding_box(), page.locator("form").bounding_box()
    assert bar["y"] + bar["height"] <= box["y"] < 600  # in sight, and not below the filter


@pytest.mark.parametrize("width", [360, 1200])
def test_it_is_no_wider_than_the_window(opened: Any, width: int) -> None:
    page = opened(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for cell in page.locator("#findings td:last-child").all():
        box = cell.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_a_script_that_gets_in_is_not_run(chromium: Any, tmp_path: Path) -> None:
    """The page's policy names the one script it has by its digest."""
    page_text = report.html([ran()])
    path = tmp_path / "report.html"
    path.write_text(page_text.replace("</main>", "<script>document.title = 'other'</script></main>"), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())
    assert page.title() == "losslint: 1 loss"
    assert page.locator("form").is_visible()  # that of the page ran
    page.close()
