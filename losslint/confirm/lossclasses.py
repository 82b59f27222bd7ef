"""What Keras makes of a subclass of ``Loss``: it is made, trained with, and made again of its configuration."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from losslint.confirm import callee
from losslint.confirm.jobs import Claim, Job
from losslint.confirm.loader import CannotLoad, Loader
from losslint.confirm.observe import traced_lines
from losslint.confirm.run import described
from losslint.confirm.standins import make
from losslint.confirm.subject import attempts
from losslint.confirm.targets import arguments
from losslint.confirm.training import Batch, tried

Files = frozenset[str]


def evidence(job: Job, loader: Loader, files: Files) -> Iterator[dict[str, Any]]:
    """What is seen of each claim on the class. Raises CannotLoad where there is no such class."""
    cls, error = attempts(lambda: loader.scope[job.target])
    if not inspect.isclass(cls):
        raise CannotLoad(f"{job.target} is no class" if error is None else f"{type(error).__name__}: {error}")
    subject = _Class(job, loader, cls, files)
    for claim in job.claims:
        yield {"LL504": subject.made, "LL505": subject.trained, "LL506": subject.saved}[claim.code](claim)


@dataclasses.dataclass
class _Class:
    job: Job
    loader: Loader
    cls: Any
    files: Files

    def _arguments(self) -> dict[str, Any]:
        """What the constructor asks for."""
        definitions = [n for n in self.loader.scope.tree.body if isinstance(n, ast.ClassDef)]
        own = [n for n in definitions if n.name == self.cls.__name__]
        return arguments(self.cls, [*own], make, self.cls, {})[1]

    def made(self, claim: Claim) -> dict[str, Any]:
        """Name and reduction of an object, or what making it raises; whether the flagged line ran."""
        given = self._arguments()
        lines: set[tuple[str, int]] = set()
        with traced_lines(self.files, lines):
            made, error = attempts(lambda: self.cls(**given))
        rows = range(claim.place.row, claim.place.end_row + 1)
        found: dict[str, Any] = {"executed": any(p == claim.path and row in rows for p, row in lines)}
        if error is not None:
            return found | {"error": described(error, self.files)}
        return found | {"name": getattr(made, "name", None), "reduction": getattr(made, "reduction", None)}

    def trained(self, claim: Claim) -> dict[str, Any]:
        """What a step of a model does that is compiled with an object; and whether it can be called directly."""
        given = self._arguments()
        made, error = attempts(lambda: self.cls(**given))
        if error is not None:
            return {"error": described(error, self.files)}
        base = tf.keras.losses.Loss
        own = next((n for n in ("__call__", "call") if getattr(self.cls, n, None) is not getattr(base, n)), "")
        known = list(self._batches(own)) if own else []
        found = tried(made, known or None)
        direct = [attempts(getattr(made, own), b.labels, b.predictions)[1] for b in known] if own else []
        control = tried("mean_squared_error")
        return {"tries": found, "direct": None in direct, "control": control, "method": own}

    def _batches(self, own: str) -> Iterator[Batch]:
        """Labels and predictions that the method of this name takes."""
        job = dataclasses.replace(self.job, target=f"{self.job.target}.{own}", subject="loss", claims=())
        run = attempts(lambda: next(callee.accepted(job, self.loader, self.files)))[0]
        if run is not None and len(run.convention.labels) == len(run.convention.trained) == 1:
            label, prediction = run.convention.labels[0], run.convention.trained[0]
            yield Batch(run.convention.describe(), run.arrays[label], run.arrays[prediction])

    def saved(self, claim: Claim) -> dict[str, Any]:
        """What becomes of each lost argument where an object is made again of its own configuration."""
        return {"saved": [self._saved(name) for name in claim.asked.get("parameters", "").split()]}

    def _saved(self, name: str) -> dict[str, Any]:
        """Of one argument: the value given, and what differs in the object that ``from_config`` makes; or an error."""
        base = self._arguments()
        parameter = inspect.signature(self.cls).parameters.get(name)
        if parameter is None:
            return {"name": name, "skipped": f"the constructor takes no {name}"}
        plain = attempts(lambda: self.cls(**base))[0]
        failure = ""
        for value in [base[name]] if name in base else _others(parameter):
            made, error = attempts(lambda v=value: self.cls(**base | {name: v}))
            if error is not None:
                failure = failure or described(error, self.files)["message"]
                continue
            if name not in base and not _differences(plain, made):
                continue
            told = {"name": name, "given": repr(value)[:60], "required": name in base}
            config, error = attempts(lambda m=made: m.get_config())
            if error is not None:
                return told | {"unsaved": described(error, self.files)["message"]}
            again, error = attempts(lambda c=config: self.cls.from_config(c))
            if error is not None:
                return told | {"unloaded": described(error, self.files)["message"]}
            return told | {"differs": _differences(made, again)}
        return {"name": name, "skipped": failure or "no value was found that the object keeps"}


def _others(parameter: inspect.Parameter) -> Iterator[Any]:
    """Values other than the default, the likeliest first."""
    default = parameter.default
    if isinstance(default, bool):
        yield not default
    elif isinstance(default, (int, float)):
        yield from (default + type(default)(1), default / 2, default * 2)
    elif isinstance(default, str):
        yield f"{default}_other"
    elif isinstance(default, (list, tuple)):
        yield type(default)(x + 1.0 if isinstance(x, (int, float)) else x for x in default)
    elif default is None:
        yield from (2.0, 2, True, "other", [1.0, 2.0])


def _differences(first: Any, second: Any) -> list[str]:
    """The attributes in which two objects differ, with their values: "weight: 2.0, 1.0"."""
    one, other = vars(first), vars(second)
    return [
        f"{name}: {one[name]!r:.40}, {other.get(name)!r:.40}"
        for name in one
        if _is_data(one[name]) and not _equal(one[name], other.get(name))
    ]


def _is_data(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, list, tuple, dict, np.ndarray, np.generic, type(None))) or hasattr(
        value, "numpy"
    )


def _equal(a: Any, b: Any) -> bool:
    if hasattr(a, "numpy") or isinstance(a, (np.ndarray, list, tuple)):
        same, error = attempts(lambda: bool(np.array_equal(np.asarray(a), np.asarray(b))))
        return error is None and same
    return type(a) is type(b) and bool(a == b)
