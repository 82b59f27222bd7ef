"""Hypothesis without deadlines: how long one example takes says how busy the machine is, and nothing else.

With LOSSLINT_MEASURE_JOBS the processes of the confirmer are measured by coverage as well: they are told to, and run
without the sandbox, in which nobody can write a file.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("losslint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("losslint")

if os.environ.get("LOSSLINT_MEASURE_JOBS"):
    from losslint.confirm import pool
    from losslint.confirm.sandbox import SWITCHES

    pool._NAMES += [name for name in os.environ if name.startswith("COVERAGE_")]
    assert pool.Pool.__init__.__kwdefaults__ is not None
    pool.Pool.__init__.__kwdefaults__["without"] = SWITCHES
