"""Hypothesis without deadlines: how long one example takes says how busy the machine is, and nothing else.

With LOSSLINT_MEASURE_JOBS the processes of the confirmer are measured by coverage as well: they are told to, and run
without the sandbox, in which nobody can write a file, and save what was measured before they answer.
"""

import os
from typing import Any

from hypothesis import HealthCheck, settings

settings.register_profile("losslint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("losslint")

if os.environ.get("LOSSLINT_MEASURE_JOBS"):
    from losslint.confirm import pool
    from losslint.confirm.sandbox import SWITCHES

    pool._NAMES += [name for name in os.environ if name.startswith("COVERAGE_")]
    start: Any = pool.Pool.__init__
    start.__kwdefaults__["without"] = SWITCHES
    start.__defaults__ = tuple("tests.measured_runner:run" if x == pool.RUNNER else x for x in start.__defaults__)
