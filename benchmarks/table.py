"""One row for each rule: its examples and fixtures, mutants that were found, and what runs say of its findings.

usage: python -m benchmarks.table FINDINGS.json ... [--mutants OUTPUT]

FINDINGS.json are what ``losslint check --confirm --output-format json`` prints of real repositories; OUTPUT is what
``python -m benchmarks.mutants`` prints. Prints a Markdown table. Of fixtures the expectations in their comments are
counted: a finding that has to come in fixtures/unsound, and the losses of fixtures/sound, in which nothing may.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from losslint import rulebook
from losslint.findings import CONFIRMED, INCONCLUSIVE, REFUTED
from tests.test_fixtures import expectations

ROOT = Path(__file__).resolve().parents[1]
_MUTANTS = re.compile(r"^(LL\d{3})\s+(\d+)\s+(\d+)\s+(\d+)\s+\S+\s+(\d+)$", re.MULTILINE)
"""Rule, mutants made, kept, found, the share, originals reported."""
_VERDICTS = (CONFIRMED, REFUTED, INCONCLUSIVE)


def fixtures() -> tuple[Counter[str], int]:
    """Findings that are expected in fixtures/unsound, by rule; and the functions in fixtures/sound."""
    expected: Counter[str] = Counter()
    for path in sorted((ROOT / "fixtures" / "unsound").rglob("*.py")):
        expected.update(code for _, code in expectations(path.read_text(encoding="utf-8")).loud)
    sound = 0
    for path in sorted((ROOT / "fixtures" / "sound").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        sound += sum(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in ast.walk(tree))
    return expected, sound


def examples(code: str) -> tuple[int, int]:
    """How many bad and good examples the page of a rule has."""
    page = (ROOT / "rules" / f"{code}.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^## (Bad|Good)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    bad, good = (len(re.findall(r"^```python", parts.get(name, ""), re.MULTILINE)) for name in ("Bad", "Good"))
    return bad, good


def mutants(text: str) -> dict[str, tuple[int, int, int]]:
    """Rule -> mutants kept, those found, and originals that are reported."""
    return {code: (int(kept), int(hits), int(loud)) for code, _, kept, hits, loud in _MUTANTS.findall(text)}


def rows(findings: list[dict[str, Any]], mutated: dict[str, tuple[int, int, int]]) -> list[list[str]]:
    """The cells of every rule's row."""
    expected, _ = fixtures()
    verdicts = Counter((f["code"], f["verdict"]) for f in findings)
    made: list[list[str]] = []
    for rule in rulebook.rules().values():
        bad, good = examples(rule.code)
        seen = [verdicts[rule.code, verdict] for verdict in (*_VERDICTS, None)]
        kept, hits, _ = mutated.get(rule.code, (0, 0, 0))
        counts = [f"{bad} / {good}", expected[rule.code] or "", f"{hits} of {kept}" if kept else ""]
        made.append([rule.code, rule.name, *map(str, counts), str(sum(seen) or ""), *(str(n or "") for n in seen[:3])])
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", nargs="*", type=Path)
    parser.add_argument("--mutants", type=Path)
    options = parser.parse_args()
    found = {
        (f["code"], f["filename"], json.dumps(f["location"])): f
        for path in options.findings
        for f in json.loads(path.read_text(encoding="utf-8"))
    }
    mutated = mutants(options.mutants.read_text(encoding="utf-8")) if options.mutants else {}
    head = ["rule", "name", "page, bad / good", "unsound", "mutants found", "real code", *_VERDICTS]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows(list(found.values()), mutated):
        print(f"| {' | '.join(row)} |")
    _, sound = fixtures()
    print(f"\nfixtures/sound: {sound} functions, in which no rule speaks at warning or above.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
