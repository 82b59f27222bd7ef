"""Reads ``tables.json.gz``, which ``scripts/api_tables.py`` generates from the packages themselves.

It holds ``roots``: the public modules of each root ("tensorflow", "tensorflow.keras", "keras", ...) by their path below
it, each a dict from names to spans of versions. A span is three numbers: the first and the last version, and the
keywords, an index into ``keywords``, -1 where they are not known, -2 for a module; one number alone holds for all
versions. ``renames`` says under which name the newest version has what it no longer has under another one.
"""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from losslint.targets import Target

PATH = Path(__file__).with_name("tables.json.gz")
_MODULE = -2

_PRIVATE = frozenset(
    """
    tensorflow.python tensorflow.core tensorflow.compiler tensorflow.tools tensorflow.examples tensorflow.lite.python
    tensorflow.models tensorflow.tsl tensorflow.dtensor tensorflow.security
    keras.src keras.api keras.python tf_keras.src tf_keras.api
    """.split()
)
"""Modules that are there, or were, beside what is public."""
_KERAS_IN_TENSORFLOW = ("losses", "metrics", "optimizers", "initializers")
"""``tf.losses`` is ``tf.keras.losses``."""


class Answer(NamedTuple):
    """What a version has to say of a dotted name."""

    package: str  # "TensorFlow" or "Keras"
    version: str
    missing: int | None = (
        None  # the place of the part that leads nowhere, counted from the end; None where all is there
    )
    keywords: frozenset[str] | None = None  # what a call may name; None where that is not known


class Root(NamedTuple):
    """The table of one root."""

    versions: tuple[str, ...]
    modules: dict[str, dict[str, Any]]

    def find(self, module: str, name: str, version: str) -> int | None:
        """The number that stands for ``name`` of ``module``; None where the version does not have it."""
        spans = self.modules.get(module, {}).get(name)
        if spans is None or isinstance(spans, int):
            return spans
        at = self.versions.index(version)
        return next((k for a, b, k in zip(*[iter(spans)] * 3, strict=True) if a <= at <= b), None)


class Tables(NamedTuple):
    """All of it."""

    roots: dict[str, Root]
    keywords: tuple[frozenset[str], ...]
    renames: dict[str, str]

    def answer(self, name: str, root: str, version: str | None) -> Answer | None:
        """What ``version`` of ``root`` has to say of ``name``, which is below it; None where nothing is known."""
        table = self.roots[root]
        if version is None or version not in table.versions:
            return None
        package = "Keras" if root == "keras" or version.startswith("3") else "TensorFlow"
        package = "tf_keras" if root == "tf_keras" else package
        parts = name.removeprefix(f"{root}.").split(".")
        module, number = "", _MODULE
        for i, part in enumerate(parts):
            if number != _MODULE or part.startswith("_") or ".".join([root, *parts[: i + 1]]) in _PRIVATE:
                return None  # what objects have is not in the table
            found = table.find(module, part, version)
            if found is None:
                return Answer(package, version, missing=len(parts) - 1 - i)
            module, number = f"{module}.{part}".lstrip("."), found
        return Answer(package, version, keywords=self.keywords[number] if number >= 0 else None)


@functools.cache
def load() -> Tables:
    """The tables, read once."""
    data = json.loads(gzip.decompress(PATH.read_bytes()))
    roots = {name: Root(tuple(r["versions"]), r["modules"]) for name, r in data["roots"].items()}
    return Tables(roots, tuple(frozenset(k.split()) for k in data["keywords"]), data["renames"])


def ask(name: str, target: Target, legacy: bool = False) -> Answer | None:
    """What ``target`` has to say of the dotted ``name`` ("tensorflow.keras.losses.MSE"); None where that is unknown.

    ``legacy``: ``tf.keras`` is Keras 2, whichever TensorFlow there is. Where several may be meant, one that has the
    name will do.
    """
    answers = [load().answer(n, root, version) for n, root, version in _readings(name, target, legacy)]
    if not answers or any(a is None for a in answers):
        return None
    return next((a for a in answers if a is not None and a.missing is None), answers[0])


def is_old(name: str) -> bool:
    """Whether the oldest versions that are known have the dotted ``name`` as well."""
    roots = load().roots
    answer = ask(name, Target(roots["tensorflow"].versions[0], roots["keras"].versions[0]))
    return answer is not None and answer.missing is None


def _readings(name: str, target: Target, legacy: bool) -> Iterator[tuple[str, str, str | None]]:
    """(name, root, version): where ``name`` is looked up. Several where it may be either."""
    if name.startswith("tensorflow.compat.v2."):
        name = f"tensorflow.{name.removeprefix('tensorflow.compat.v2.')}"
    top, *rest = name.split(".")
    if top == "tensorflow" and rest[:1] and rest[0] in _KERAS_IN_TENSORFLOW and rest[1:]:
        rest = ["keras", *rest]
    if not rest or rest == ["keras"] or (rest[:2] == ["compat", "v1"] and not rest[2:]):
        return
    if top == "keras":
        yield name, "keras", target.keras
    elif top == "tf_keras":
        yield name, "tf_keras", target.tensorflow
    elif top == "tensorflow" and rest[0] == "keras":
        after = ".".join(rest[1:])
        if not legacy:
            yield f"tensorflow.keras.{after}", "tensorflow.keras", of_tf_keras(target)
        if legacy or target.legacy:
            yield f"tf_keras.{after}", "tf_keras", target.tensorflow
    elif rest[:3] == ["compat", "v1", "keras"]:
        yield name, "tensorflow.compat.v1.keras", target.tensorflow
    elif top == "tensorflow" and not (rest[:2] == ["compat", "v1"] and rest[2] == "layers"):
        yield name, "tensorflow", target.tensorflow


def of_tf_keras(target: Target) -> str | None:
    """The version of Keras that ``tf.keras`` is."""
    if target.tensorflow is None:
        return None
    major, minor = map(int, target.tensorflow.split("."))
    if (major, minor) < (2, 16):
        return target.tensorflow
    return target.keras if target.keras is not None and target.keras.startswith("3") else None
