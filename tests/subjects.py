"""Subjects of one kind, found in source, for tests."""

from __future__ import annotations

import textwrap
from typing import Any

import losslint.engine  # noqa: F401  # loads the machine
from losslint.checks.base import CHECKS, Draft
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.options import Options
from losslint.subjects import Provider
from tests.traced import HEADER


def found(provide: Provider, source: str, options: Options | None = None) -> list[Any]:
    """What ``provide`` finds in ``source``, which has the usual imports."""
    module, project = Module("losses.py", HEADER + textwrap.dedent(source)), Project()
    project.add(module)
    return list(provide(module, project, options or Options()))


def drafts(subject: Any, code: str) -> list[Draft]:
    """What the check of ``code`` says about ``subject``."""
    return list(CHECKS[type(subject)][code](subject))
