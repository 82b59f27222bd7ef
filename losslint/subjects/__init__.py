"""What a file holds, beside losses, that there are checks for: a dataclass each, and a provider that finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.graph import Site
from losslint.loss import Consumer
from losslint.options import Options


class Subject(Protocol):
    """What the checks of one kind look at."""

    @property
    def name(self) -> str:
        """Its qualified name."""

    @property
    def site(self) -> Site:
        """Where it stands."""

    @property
    def consumer(self) -> Consumer | None:
        """Who uses it, where that can be said."""


Provider = Callable[[Module, Project, Options], Iterator[Any]]

PROVIDERS: list[Provider] = []
"""The providers, in the order of their registration."""


def provider(function: Provider) -> Provider:
    """Register the decorated generator: it yields the subjects of its kind in one file."""
    PROVIDERS.append(function)
    return function
