"""Hypothesis without deadlines: how long one example takes says how busy the machine is, and nothing else."""

from hypothesis import HealthCheck, settings

settings.register_profile("losslint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("losslint")
