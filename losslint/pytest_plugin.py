"""The fixture ``check_loss`` for pytest: ``losslint.check_loss``, without an import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(name="check_loss", scope="session")
def _check_loss() -> Callable[..., Any]:
    """Runs a loss through the probes; see ``losslint.check_loss``."""
    from losslint import check_loss

    return check_loss
