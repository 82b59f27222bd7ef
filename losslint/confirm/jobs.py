"""The words that both sides of the confirmer share: what is to be run, and what came of it. Everything is JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

STARTUP = 180.0
"""Seconds that the import of TensorFlow may take."""
LARGEST = 64 << 20
"""Bytes of a result."""


@dataclass(frozen=True, slots=True)
class File:
    """One source file that a loss may need; ``name`` is what it is imported as ("pkg.losses")."""

    name: str
    path: str
    text: str
    package: bool = False  # an __init__.py


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file of a loss and the modules of the same tree that it reaches, as text: no shared file system is needed."""

    main: str  # the name of the module that holds the loss, a key of ``files``
    files: dict[str, File]


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of source, rows and columns from 1 as in ``findings.Span``."""

    row: int
    column: int
    end_row: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Step:
    """An inline loss: what computes ``target`` inside ``function`` ("<module>" outside of one).

    ``models`` are the calls of models on the way to it: their outputs are the predictions, and become arguments.
    """

    function: str
    target: Place
    models: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A finding that is to be decided."""

    code: str
    path: str
    place: Place
    message: str = ""
    function: str = ""
    asked: dict[str, str] = field(default_factory=dict)  # what the rule wants to know: see the check


@dataclass(frozen=True, slots=True)
class Job:
    """One loss, or what else there are findings about, and what is asked about it."""

    bundle: Bundle
    target: str  # qualified name: "f", "make_loss.<locals>.loss", "MyLoss.call"
    step: Step | None = None  # an inline loss: ``target`` is then its function
    consumer: str = "unknown"  # "keras", "tape", "unknown" or "metric"
    keras: str = "3"
    hints: dict[str, dict[str, Any]] = field(default_factory=dict)  # parameter -> what the analysis knows of it
    inputs: str = ""  # what the user declared: "y_true=int32[B] y_pred=prob[B,10]"
    claims: tuple[Claim, ...] = ()
    probes: tuple[str, ...] = ()
    seed: int = 0
    batch: int = 0  # how many samples; 0 leaves the choice
    subject: str = "loss"  # or "class": a subclass of Loss; "compile": a call; "names": what a file asks libraries for

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Job:
        """The job that ``to_json`` wrote."""
        bundle = Bundle(data["bundle"]["main"], {n: File(**f) for n, f in data["bundle"]["files"].items()})
        step = data["step"]
        made = step and Step(step["function"], Place(**step["target"]), tuple(Place(**p) for p in step["models"]))
        claims = tuple(Claim(**(c | {"place": Place(**c["place"])})) for c in data["claims"])
        rest = {k: data[k] for k in ("target", "consumer", "keras", "hints", "inputs", "seed", "batch", "subject")}
        return Job(bundle, step=made, claims=claims, probes=tuple(data["probes"]), **rest)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use."""

    seconds: float = 30.0
    memory: int = 4 << 30  # bytes of resident memory of the job's processes together, TensorFlow's own not counted
    processes: int = 32
    threads: int = 4096  # of all its processes; TensorFlow has a few for each processor
    output: int = 1 << 20  # bytes written to stdout and stderr
    disk: int = 64 << 20  # bytes in the working folder


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    ``kind`` is "done" (``result`` holds what the runner returned) or what ended it: "timeout", "memory", "processes",
    "output", "exit" (it left by itself, without a result), "crash" (killed by a signal), "failed" (the runner raised).
    """

    kind: str
    result: dict[str, Any] | None = None
    detail: str = ""  # "killed by SIGABRT", the last lines of stderr
    seconds: float = 0.0
    enforced: dict[str, str] = field(default_factory=dict)  # limit -> mechanism, or "not enforced: why"


def output_of(row: int) -> str:
    """Under which name ``Job.hints`` tells about the output of a model that is called in ``row``."""
    return f"model@{row}"
