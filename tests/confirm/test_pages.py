"""The confirmer judges the examples of the rule pages: every bad one is confirmed, every good one refuted or clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from losslint import session
from losslint.confirm import confirming
from losslint.findings import CONFIRMED, REFUTED, Finding, Severity
from losslint.settings import Resolver
from tests.rule_pages import PAGES, read

pytestmark = pytest.mark.tf

DECIDED = [page for page in map(read, PAGES) if page.meta["probe"]]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """File name of each example -> what was found in it, with verdicts; all are run in one go."""
    folder = tmp_path_factory.mktemp("pages")
    for page in DECIDED:
        for kind in ("bad", "good"):
            for example in page.examples(kind):
                (folder / f"{page.code}_{kind}_{example.index}.py").write_text(example.source, encoding="utf-8")
    resolver = Resolver({"min-severity": "info"}, None, True)
    result = session.check([str(folder)], resolver)
    confirming.confirm(result, resolver, confirming.Options(device="cpu", seconds=60), {})
    found: dict[str, list[Finding]] = {path.name: [] for path in folder.iterdir()}
    for finding in result.findings:
        found[Path(finding.filename).name].append(finding)
    return found


@pytest.mark.parametrize("page", DECIDED, ids=lambda p: p.code)
def test_bad_examples_are_confirmed(page: object, findings: dict[str, list[Finding]]) -> None:
    for example in page.examples("bad"):  # type: ignore[attr-defined]
        code = page.code  # type: ignore[attr-defined]
        own = [f for f in findings[f"{code}_bad_{example.index}.py"] if f.code == code]
        assert own, f"bad example {example.index} has no finding"
        told = [f"{f.verdict.verdict}: {f.verdict.reason}" if f.verdict else "no verdict" for f in own]
        assert all(f.verdict and f.verdict.verdict == CONFIRMED for f in own), told


@pytest.mark.parametrize("page", DECIDED, ids=lambda p: p.code)
def test_good_examples_are_clean_or_refuted(page: object, findings: dict[str, list[Finding]]) -> None:
    for example in page.examples("good"):  # type: ignore[attr-defined]
        code = page.code  # type: ignore[attr-defined]
        loud = [f for f in findings[f"{code}_good_{example.index}.py"] if f.severity > Severity.INFO]
        told = [f"{f.verdict.verdict}: {f.verdict.reason}" if f.verdict else "no verdict" for f in loud]
        assert all(f.verdict and f.verdict.verdict == REFUTED for f in loud), told
