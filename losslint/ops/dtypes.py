"""Data types by name, and what NumPy and TensorFlow say about the floating ones."""

from __future__ import annotations

from typing import Any, NamedTuple

from losslint.graph import Node, Unknown

FLOATS = ("bfloat16", "float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NAMES = (*FLOATS, *INTEGERS, "bool", "complex64", "complex128", "string")
_ALIASES = {
    "float": "float32",
    "half": "float16",
    "double": "float64",
    "int": "int32",
    "bool_": "bool",
    "builtins.bool": "bool",
}
_ALIASES |= {
    "builtins.float": "float32",
    "builtins.int": "int32",
    "single": "float32",
    "long": "int64",
    "str": "string",
}
_RANGES = {  # eps, largest, smallest positive normal number
    "float16": (2.0**-10, 65504.0, 2.0**-14),
    "bfloat16": (2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126),
    "float32": (2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126),
    "float64": (2.0**-52, (2 - 2.0**-52) * 2.0**1023, 2.0**-1022),
}


class FloatInfo(NamedTuple):
    """``numpy.finfo``."""

    eps: float
    max: float
    min: float
    tiny: float


def dtype_of(value: Any) -> str | None:
    """A ``dtype=`` argument by its name ("float32"); None where it is not known."""
    name: Any
    if isinstance(value, str):
        name = value
    elif isinstance(value, type) and value in (float, int, bool):
        name = value.__name__
    elif isinstance(value, Node):
        return value.dtype
    else:
        name = getattr(value, "name", None)
        if not isinstance(name, str):
            return None
    short = _ALIASES.get(name) or _ALIASES.get(name.rsplit(".", 1)[-1]) or name.rsplit(".", 1)[-1]
    return short if short in NAMES else None


def finfo(dtype: Any) -> FloatInfo | None:
    """``numpy.finfo(dtype)``; None where the type is not a known floating one."""
    name = dtype_of(dtype)
    if name not in _RANGES:
        return None
    eps, largest, tiny = _RANGES[name]
    return FloatInfo(eps, largest, -largest, tiny)


class IntegerInfo(NamedTuple):
    """``numpy.iinfo`` of one type."""

    max: int
    min: int
    bits: int


def integer_limits(dtype: Any) -> IntegerInfo | None:
    """``numpy.iinfo(dtype)``; None where the type is not a known integer."""
    name = dtype_of(dtype)
    if name not in INTEGERS:
        return None
    signed, bits = name.startswith("int"), int(name.lstrip("uint"))
    return IntegerInfo(2 ** (bits - signed) - 1, -(2 ** (bits - 1)) * signed, bits)


ATTRIBUTES = frozenset(
    "max min is_floating is_integer is_bool is_complex name base_dtype real_dtype as_numpy_dtype".split()
)
"""The attributes of a ``tf.DType`` that are known."""


def attribute(dtype: str, name: str) -> Any:
    """The attribute ``name`` of a ``tf.DType``, one of ``ATTRIBUTES``; Unknown where the type has none such."""
    if name in ("max", "min"):
        limits = finfo(dtype) or integer_limits(dtype)
        return Unknown((), f"the {name} of {dtype}") if limits is None else getattr(limits, name)
    answers = {
        "is_floating": dtype in FLOATS,
        "is_integer": dtype in INTEGERS,
        "is_bool": dtype == "bool",
        "is_complex": dtype.startswith("complex"),
        "name": dtype,
        "base_dtype": dtype,
        "real_dtype": {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype),
        "as_numpy_dtype": dtype,
    }
    return answers[name]
