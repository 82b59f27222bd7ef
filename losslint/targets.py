"""Which versions of TensorFlow and Keras code is judged by: configured, else declared by the project, else the newest.

TensorFlow and Keras go together: ``tf.keras`` is Keras 2 of the same minor version until TensorFlow 2.15, and whichever
Keras 3 is installed from 2.16 on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from losslint.dependencies import Requirement


TENSORFLOW = (*(f"1.{n}" for n in range(16)), *(f"2.{n}" for n in range(22)))
KERAS = ("1.0", "1.1", "1.2", *(f"2.{n}" for n in range(16)), *(f"3.{n}" for n in range(16)))
"""The minor versions there are, oldest first. For the older ones there is no table of names."""
_PATCHES = 10
NEWEST = "the newest known"


class Target(NamedTuple):
    """``tensorflow`` and ``keras`` are minor versions ("2.15"), None where nothing can be said of them."""

    tensorflow: str | None = TENSORFLOW[-1]
    keras: str | None = KERAS[-1]
    origin: str = NEWEST  # where that is said: "configured", the name of a file, or NEWEST
    legacy: bool = False  # the project requires tf_keras, so tf.keras may be Keras 2 all the same

    @property
    def major(self) -> str:
        """The language of losses: "2" or "3"."""
        return "3" if self.keras is None or self.keras.startswith("3") else "2"


def target_for(path: Path, keras: str = "auto", tensorflow: str | None = None) -> Target:
    """The target of the file at ``path``; ``keras`` and ``tensorflow`` are what is configured."""
    from losslint.dependencies import declared

    return _target(declared(path.absolute().parent), keras, tensorflow)


@functools.lru_cache(maxsize=512)
def _target(requirements: tuple[Requirement, ...], keras: str, tensorflow: str | None) -> Target:
    legacy = any(r.package == "tf_keras" for r in requirements)
    of_tf = [r for r in requirements if r.package == "tensorflow"] if tensorflow is None else []
    of_keras = [r for r in requirements if r.package == "keras"] if keras == "auto" else []
    wanted = _admitted(TENSORFLOW, of_tf) if tensorflow is None else [_minor(tensorflow)]
    fitting = _admitted(KERAS, of_keras) if keras == "auto" else [k for k in KERAS if k.startswith(keras)]
    configured = tensorflow is not None or keras != "auto"
    files = dict.fromkeys(r.file for r in (*of_tf, *of_keras))
    origin = "configured" if configured else " and ".join(files) or NEWEST
    if wanted is None and fitting is None:
        return Target(None, None, origin, legacy)
    pairs = [(t, k) for t in wanted or TENSORFLOW for k in fitting or KERAS if go_together(t, k)]
    if not pairs:  # Keras 2 with a later TensorFlow is tf_keras
        return Target(wanted[-1] if wanted else None, fitting[-1] if fitting else None, origin, legacy)
    best = max(pairs, key=lambda pair: (TENSORFLOW.index(pair[0]) if pair[0] in TENSORFLOW else 0, _number(pair[1])))
    return Target(best[0] if wanted else None, best[1] if fitting else None, origin, legacy)


def go_together(tensorflow: str, keras: str) -> bool:
    """Whether these two can be installed together and be one library."""
    (major, minor), number = _number(tensorflow), _number(keras)
    if (major, minor) >= (2, 16):
        return number >= (3, 0)
    if (major, minor) >= (2, 7):
        return number == (2, minor)
    return number < (2, 7)


def _minor(version: str) -> str:
    return ".".join([*version.split("."), "0"][:2])


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def _admitted(known: tuple[str, ...], requirements: list[Requirement]) -> list[str] | None:
    """The versions of ``known`` that the requirements admit; None where they cannot be read, or admit none of them.

    In one file any of several may be installed ("cpu" and "gpu" extras); all files hold.
    """
    if any(r.specifier is None for r in requirements):
        return None
    files: dict[str, list[str]] = {}
    for r in requirements:
        files.setdefault(r.file, []).append(r.specifier or "")
    each = [[v for v in known if any(_admits(s, v) for s in specifiers)] for specifiers in files.values()]
    both = [v for v in known if all(v in admitted for admitted in each)]
    if both or not all(each):
        return both or None
    return [min((admitted[-1] for admitted in each), key=known.index)]  # they contradict each other: the older


@functools.lru_cache(maxsize=2048)
def _admits(specifier: str, minor: str) -> bool:
    from packaging.specifiers import SpecifierSet

    if not specifier:
        return True
    patches: Iterable[str] = (f"{minor}.{n}" for n in range(_PATCHES))
    return any(SpecifierSet(specifier).contains(patch, prereleases=True) for patch in patches)
