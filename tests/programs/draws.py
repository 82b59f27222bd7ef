"""The same programs for the same seed, each drawn by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import providers

from tests.programs.grammar import Program, programs

_ONE = settings(
    max_examples=2,  # the first one is always the simplest there is
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def drawn(count: int, number: int) -> Iterator[Program]:
    """At most ``count`` different programs, by the seed ``number`` alone.

    Hypothesis would go on from programs it has drawn, which tells less than new ones do, and how it does so depends on
    the constants in the modules that are loaded, those of losslint too: any change of losslint would change what it is
    compared on.
    """
    seen: set[str] = set()
    for one in range(count):
        program = _one(number * 1_000_003 + one)
        if program is not None and program.source not in seen:
            seen.add(program.source)
            yield program


def _one(number: int) -> Program | None:
    found: list[Program] = []

    @seed(number)
    @_ONE
    @given(programs())
    def keep(program: Program) -> None:
        found.append(program)

    with _no_constants():
        keep()
    return found[1] if len(found) > 1 else None


@contextlib.contextmanager
def _no_constants() -> Iterator[None]:
    there = hasattr(providers.HypothesisProvider, "_maybe_draw_constant")
    none = mock.patch.object(providers.HypothesisProvider, "_maybe_draw_constant", lambda *a, **k: None)
    with none if there else contextlib.nullcontext():
        yield
