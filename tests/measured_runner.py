"""What a job runs while coverage measures it: the confirmer's runner, and then what was measured is saved.

A job is ended as soon as it has answered, in no way that lets coverage save anything by itself.
"""

from __future__ import annotations

from typing import Any

import coverage

from losslint.confirm import runner


def run(job: dict[str, Any]) -> dict[str, Any]:
    """The answer of ``losslint.confirm.runner``."""
    try:
        return runner.run(job)
    finally:
        current = coverage.Coverage.current()
        assert current is not None, "jobs are not measured: is COVERAGE_PROCESS_CONFIG passed on?"
        current.save()
