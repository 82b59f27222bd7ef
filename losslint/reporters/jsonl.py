"""For programs that read as it comes: one JSON object a line, with the fields of the JSON format."""

from __future__ import annotations

import json

from losslint.reporters.json import finding_json
from losslint.reporters.lines import Lines
from losslint.session import Result


def render(result: Result) -> Lines:
    """A line for each finding."""
    for finding in result.findings:
        yield [(json.dumps(finding_json(finding)), "")]
