"""How many findings each rule has."""

from __future__ import annotations

import json
from collections import Counter

from losslint import rulebook
from losslint.reporters.concise import closing
from losslint.reporters.lines import STYLE, Lines
from losslint.session import Result


def render(result: Result, form: str) -> Lines:
    """The rules that fired, the most frequent first; ``form`` is "json" or for people."""
    counts = sorted(Counter(f.code for f in result.findings).items(), key=lambda item: (-item[1], item[0]))
    known = rulebook.rules()
    if form == "json":
        table = [
            {"code": code, "name": rulebook.name_of(code), "count": n, "fixable": known[code].fix}
            for code, n in counts
            if code in known
        ]
        yield [(json.dumps(table, indent=2), "")]
        return
    worst = {f.code: f.severity for f in sorted(result.findings, key=lambda f: f.severity)}
    digits = len(str(counts[0][1])) if counts else 0
    for code, n in counts:
        told = Counter(f.verdict.verdict for f in result.findings if f.code == code and f.verdict is not None)
        verdicts = f"  ({', '.join(f'{count} {verdict}' for verdict, count in sorted(told.items()))})" if told else ""
        name = f"  {rulebook.name_of(code)}{verdicts}"
        yield [(f"{n:>{digits}}  ", "bold"), (code, STYLE[worst[code]]), (name, "")]
    yield from closing(result)
