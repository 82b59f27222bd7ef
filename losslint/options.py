"""What settings and comments tell the analysis of one file."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from losslint.budget import Budget
from losslint.targets import Target


class Declared(NamedTuple):
    """What the user declares about a function of their own; "" and None stand for what is not declared."""

    shape: str = ""  # "[B]", "[B, 10]", "[]"
    range: tuple[float, float] | None = None
    gradient: str = ""  # "live" or "dead"
    like: str = ""  # "tensorflow.math.log": as that function


COMPILED, METRIC, ADDED, BESIDE, UNPACKED = "compiled", "metric", "added", "beside", "unpacked"


class Use(NamedTuple):
    """One thing that another file does with the function ``name``, which stands at the top level of its own.

    ``kind``: COMPILED (``compile(loss=f)``), METRIC (``compile(metrics=[f])``), ADDED (``add_loss(f(...))``), BESIDE
    (called where the file keeps a gradient tape, or minimizes), UNPACKED (``a, b = f(...)``, there too).
    """

    kind: str
    name: str
    place: str  # the file that does so, as findings show it


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the analysis; the defaults are those of a file without configuration and comments."""

    keras: str = "auto"  # "2", "3" or "auto"
    target: Target = field(default_factory=Target)  # the versions that the code is judged by
    loss_names: tuple[str, ...] = ()  # patterns of functions that are losses
    not_loss_names: tuple[str, ...] = ()
    metric_names: tuple[str, ...] = ()
    declared: Mapping[str, Declared] = field(default_factory=dict)  # by the name of the user's function
    pragmas: Mapping[int, str] = field(default_factory=dict)  # row of a def -> "loss" or "not-a-loss"
    batch_level: frozenset[int] = frozenset()  # rows of defs whose coupling inside the batch is meant
    elsewhere: tuple[Use, ...] = ()  # what other files of the run do with the functions of this one
    budget: Budget = field(default_factory=Budget, compare=False)  # what is left for this file

    def named(self, name: str) -> str | None:
        """What the configuration says a function called ``name`` is: "loss", "not-a-loss", "metric" or nothing."""
        for kind, patterns in (
            ("not-a-loss", self.not_loss_names),
            ("metric", self.metric_names),
            ("loss", self.loss_names),
        ):
            if any(fnmatch.fnmatchcase(name, p) for p in patterns):
                return kind
        return None

    def declaration(self, qualified: str) -> Declared | None:
        """What is declared of the function ``qualified``, by its whole name or its last part."""
        return self.declared.get(qualified) or self.declared.get(qualified.rsplit(".", 1)[-1])
