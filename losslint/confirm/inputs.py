"""Tensors to call a loss with: what an argument is (``Spec``), and values of that kind from a seed.

Extents are primes and all different, so that an accidental broadcast cannot hide behind equal ones. Only NumPy here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Sizes = Mapping[str, int]
Arrays = dict[str, Any]

SIZES: tuple[Sizes, ...] = (
    {"B": 7, "C": 5, "T": 3, "H": 11, "W": 13, "D": 2, "E": 17, "N": 3, "X": 179, "Y": 181},
    {"B": 11, "C": 5, "T": 2, "H": 13, "W": 17, "D": 3, "E": 19, "N": 2, "X": 181, "Y": 179},
)
"""Batch, classes, time, height, width, depth, embedding, boxes, and the height and width of large pictures.

The number of classes is the same in both: factories are given it.
"""
CLASSES = SIZES[0]["C"]

MADE = ("constant", "object", "derived")
"""Domains of what is no tensor when the loss is called."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One argument. ``dims`` are symbols of ``SIZES`` or numbers, the first is the batch where it is "B".

    Domains: "prob" in [0, 1], "simplex" rows of probabilities that add up to 1, "binary", "onehot", "ids" of classes,
    "sign" -1 or 1, "logits", "real", "embedding" rows of length 1, "positive", "count", "unit" pixels in [0, 1],
    "weights" and "mask" of samples, "box" corners (y, x, y, x), "constant" (``value``), "object" (``value`` names a
    stand-in), "derived" (a model's output for the argument ``value``).
    """

    role: str  # "label", "prediction", "weight", "input" or "other"
    domain: str
    dims: tuple[str | int, ...] = ()
    dtype: str = "float32"
    value: Any = None
    given: bool = False  # declared by the user

    @property
    def batched(self) -> bool:
        """Whether axis 0 counts samples."""
        return bool(self.dims) and self.dims[0] == "B"

    @property
    def trained(self) -> bool:
        """Whether a gradient is wanted for it: every float that is no label and no weight."""
        floating = self.dtype.startswith(("float", "bfloat"))
        return self.role in ("prediction", "other") and floating and self.domain not in (*MADE, "ids")

    def shape(self, sizes: Sizes) -> tuple[int, ...]:
        """The extents as numbers."""
        return tuple(sizes[d] if isinstance(d, str) else d for d in self.dims)

    def describe(self) -> str:
        """``prob[B,5]``, ``ids int32[B]``, ``0.5``."""
        if self.domain == "derived":
            return f"model({self.value})"
        if self.domain in MADE:
            return str(self.value)
        kind = self.domain if self.dtype == "float32" else f"{self.domain} {self.dtype}"
        return f"{kind}[{','.join(str(d) for d in self.dims)}]"


@dataclass(frozen=True, slots=True)
class Convention:
    """How a loss is called: a spec for each argument, by name."""

    name: str
    specs: dict[str, Spec]
    score: float = 0.0  # how well it fits what is known of the loss

    @property
    def labels(self) -> list[str]:
        """The arguments that are labels."""
        return [n for n, s in self.specs.items() if s.role == "label"]

    @property
    def trained(self) -> list[str]:
        """The arguments that want a gradient."""
        return [n for n, s in self.specs.items() if s.trained]

    def sample(self, sizes: Sizes, seed: int = 0) -> Arrays:
        """Values for every argument; objects and constants stand as they are."""
        rng = np.random.default_rng(seed)
        return {n: values(s, sizes, rng) for n, s in self.specs.items()}

    def describe(self) -> str:
        """``y_true=onehot[B,C] y_pred=simplex[B,C]``."""
        return " ".join(f"{n}={s.describe()}" for n, s in self.specs.items())

    def mapped(self, arrays: Arrays, function: Any) -> Arrays:
        """``arrays`` with ``function``, which changes the first axis, applied along every batch axis."""
        found: Arrays = {}
        for name, value in arrays.items():
            axes = [i for i, d in enumerate(self.specs[name].dims) if d == "B"]
            for axis in axes:  # scores of samples against samples have two
                value = np.moveaxis(function(np.moveaxis(value, axis, 0)), 0, axis)
            found[name] = value
        return found

    def with_dtype(self, name: str, dtype: str) -> Convention:
        """The same, with another dtype for one argument."""
        return replace(self, specs=self.specs | {name: replace(self.specs[name], dtype=dtype)})


def values(spec: Spec, sizes: Sizes, rng: np.random.Generator) -> Any:
    """Values of ``spec``, away from the edges of its domain."""
    if spec.domain in MADE:
        return "model" if spec.domain == "derived" else spec.value
    shape = spec.shape(sizes)
    return _SAMPLERS[spec.domain](rng, shape).astype("float32" if spec.dtype == "bfloat16" else spec.dtype)


def _prob(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return 0.05 + 0.9 / (1.0 + np.exp(-rng.normal(size=shape)))


def _simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    scores = np.exp(rng.normal(size=shape))
    return scores / scores.sum(-1, keepdims=True)


def _binary(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    drawn = (rng.random(shape) < 0.4).astype("float64")
    if len(shape) == 2 and shape[1] > 1:  # no row without a one, none without a zero
        places = rng.integers(0, shape[1], shape[0])
        drawn[np.arange(shape[0]), places] = 1.0
        drawn[np.arange(shape[0]), (places + 1) % shape[1]] = 0.0
    elif drawn.size > 1:  # both kinds occur
        drawn.flat[0], drawn.flat[drawn.size - 1] = 1.0, 0.0
    return drawn


def onehot(ids: Any, classes: int) -> Any:
    """``ids`` as rows of a single one."""
    return np.eye(classes)[np.asarray(ids, dtype=int) % classes]


def _onehot(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return onehot(rng.integers(0, shape[-1], shape[:-1]), shape[-1])


def _embedding(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    rows = rng.normal(size=shape)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def _ids(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    drawn = rng.integers(0, min(CLASSES, 3), shape)
    if drawn.size > 3:  # classes that occur twice, as metric learning needs
        drawn.flat[:4] = (0, 1, 0, 1)
    return drawn


def _box(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    corner = rng.random((*shape[:-1], 2)) * 0.5
    return np.concatenate([corner, corner + 0.1 + 0.4 * rng.random(corner.shape)], axis=-1)


_SAMPLERS: dict[str, Any] = {
    "prob": _prob,
    "simplex": _simplex,
    "binary": _binary,
    "onehot": _onehot,
    "ids": _ids,
    "sign": lambda rng, shape: 2.0 * _binary(rng, shape) - 1.0,
    "logits": lambda rng, shape: rng.normal(size=shape),
    "real": lambda rng, shape: rng.normal(size=shape),
    "embedding": _embedding,
    "positive": lambda rng, shape: 0.2 + rng.gamma(2.0, 0.5, size=shape),
    "count": lambda rng, shape: np.floor(rng.gamma(2.0, 1.0, size=shape)),
    "unit": lambda rng, shape: 0.05 + 0.9 * rng.random(shape),
    "weights": lambda rng, shape: 0.5 + rng.random(shape),
    "mask": lambda rng, shape: np.maximum(_binary(rng, shape), _first(shape)),
    "box": _box,
}
DOMAINS = tuple(_SAMPLERS)


def _first(shape: tuple[int, ...]) -> Any:
    """Ones in the first column: no row of a mask is empty."""
    ones = np.zeros(shape)
    if len(shape) > 1:
        ones[:, :1] = 1.0
    return ones


# -- what the user declares ------------------------------------------------------------------------------------------

_DECLARED = re.compile(
    r"(?P<name>\w+)\s*=\s*(?P<kind>[A-Za-z_]\w*)\s*(?:\[(?P<dims>[^\]]*)\])?|(?P<const>\w+)\s*=\s*(?P<value>\S+)"
)
_DTYPES = ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")


class BadDeclaration(ValueError):
    """What stands after ``# losslint: inputs`` cannot be read."""


def declared(text: str, roles: Mapping[str, str], names: Collection[str] = ()) -> dict[str, Spec]:
    """The specs of ``y_true=int32[B] y_pred=prob[B,10] gamma=2.0 mode="sum"``. Raises BadDeclaration, naming the place.

    A kind is a domain or a dtype; B is the batch, other extents are numbers or names of one extent each. ``names`` are
    the arguments that the loss has, where they are known.
    """
    found: dict[str, Spec] = {}
    position = 0
    text = text.strip()
    while position < len(text):
        match = _DECLARED.match(text, position)
        if match is None:
            raise BadDeclaration(f"cannot read {text[position:]!r}: expected name=kind[dims], as in y_pred=prob[B,10]")
        position = match.end()
        while position < len(text) and text[position] in " \t,;":
            position += 1
        name = match["name"] or match["const"]
        if names and name not in names:
            raise BadDeclaration(f"there is no argument {name!r}; the loss takes {', '.join(names)}")
        found[name] = _one(name, match, roles.get(name, "other"))
    return found


def _one(name: str, match: re.Match[str], role: str) -> Spec:
    if match["const"] is not None:
        try:
            return Spec("other", "constant", value=ast.literal_eval(match["value"]), given=True)
        except (ValueError, SyntaxError):
            raise BadDeclaration(f"{name}={match['value']} is neither a kind nor a number nor a string") from None
    kind, text = match["kind"], match["dims"]
    if kind in ("True", "False", "None") and text is None:
        return Spec("other", "constant", value={"True": True, "False": False, "None": None}[kind], given=True)
    dims = tuple(_dim(d, name) for d in (text or "").split(",") if d.strip())
    if kind in DOMAINS:
        dtype = "int32" if kind == "ids" else "float32"
        return Spec(role, kind, dims, dtype, given=True)
    if kind not in _DTYPES:
        raise BadDeclaration(f"{name}: there is no kind {kind!r}; known are {', '.join((*DOMAINS, *_DTYPES))}")
    domain = "binary" if kind == "bool" else "real" if kind.startswith(("float", "bfloat")) else "ids"
    return Spec(role, domain, dims, kind, given=True)


def _dim(text: str, name: str) -> str | int:
    text = text.strip()
    if text.isdigit():
        return int(text)
    if re.fullmatch(r"[A-Za-z_]\w*", text):
        return text
    raise BadDeclaration(f"{name}: {text!r} is no extent; extents are numbers or names")


def sizes_for(specs: Mapping[str, Spec], base: Sizes) -> Sizes:
    """``base`` with a prime of its own for every extent that the user named."""
    free = iter([23, 29, 31, 37, 41, 43, 47])
    extra: dict[str, int] = {}
    for spec in specs.values():
        for dim in spec.dims:
            if isinstance(dim, str) and dim not in base and dim not in extra:
                extra[dim] = next(free, 53)
    return {**base, **extra}


def halves(count: int) -> Iterator[tuple[slice, ...]]:
    """Splits of a batch of ``count``: two nearly equal parts, and two unequal ones."""
    middle = count // 2
    yield slice(0, middle), slice(middle, count)
    yield slice(0, 2), slice(2, count)
