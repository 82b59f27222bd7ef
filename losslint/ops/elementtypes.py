"""The type of a tensor's elements, where it is certain: what TensorFlow refuses to mix is read from it.

A node's ``dtype`` says what is likely. Here a type is one of ``losslint.ops.dtypes.NAMES``, or "float" for some
floating one, or "number" (a Python int) or "fraction" (a Python float), which yield to a tensor where they fit;
None is unknown. Measured on TensorFlow 2.21: an operator converts a Python number to the type of the tensor it meets,
and refuses a float beside integers; two tensors have to agree, but for ``float * bool``. ``keras.ops`` promotes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from losslint.graph import Node
from losslint.ops.dtypes import FLOATS, INTEGERS
from losslint.ops.primitives import REDUCTION_DTYPES

if TYPE_CHECKING:
    from losslint.loss import Loss

Type = str | None
WEAK = frozenset({"number", "fraction"})
_FLOATING = frozenset({"float", *FLOATS})

_MAKES_FLOATS = frozenset(
    "sqrt rsqrt exp expm1 log log1p sigmoid log_sigmoid tanh softplus sin cos tan asin acos atan sinh cosh tanh asinh "
    "acosh atanh erf erfc lgamma digamma softmax log_softmax logsumexp l2_normalize std norm".split()
)
"""Primitives that refuse, or promote, integers."""
_KEEPS = frozenset(
    "neg abs square sign round floor ceil relu identity stop_gradient reshape expand_dims squeeze transpose "
    "broadcast_to tile repeat pad index gather gather_nd boolean_mask diag_part diag unstack reverse roll sort "
    "zeros_like ones_like max min clip reciprocal trunc band_part".split()
)
"""Primitives whose result has the type of their first input."""
_ADDS_UP = frozenset({"sum", "mean", "prod", "cumsum", "cumprod", "var"})
"""Primitives that keep a type in TensorFlow, and promote booleans or integers in ``keras.ops``."""
_TRUTHS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "not", "is_nan", "is_inf", "is_finite"})
_DECLARED = frozenset({*REDUCTION_DTYPES, "one_hot", "eye", "zeros", "ones", "random", "argsort"})
"""Primitives whose ``dtype`` says what was asked for."""
_EXTENTS = frozenset({"shape_of", "size_of", "rank_of", "dynamic_dim"})
_ARITHMETIC = frozenset({"add", "sub", "mul", "pow", "maximum", "minimum", "mod", "floordiv", "atan2"})
_MEETING = frozenset({"matmul", "einsum", "tensordot", "concat", "stack"})


def is_floating(kind: Type) -> bool:
    """Whether elements of this type are certainly floating point numbers."""
    return kind in _FLOATING


def clash(kinds: Iterable[Type], product: bool = False) -> tuple[str, str] | None:
    """Two of ``kinds`` that TensorFlow refuses to mix, None where it may take them; a ``product`` takes booleans."""
    strong: list[str] = []
    for kind in kinds:
        if kind is not None and not (product and kind == "bool"):
            strong.append(kind)
    for i, one in enumerate(strong):
        for other in strong[i + 1 :]:
            if not _agree(one, other):
                return one, other
    return None


def _agree(one: str, other: str) -> bool:
    if one in WEAK and other in WEAK:
        return True
    if one in WEAK or other in WEAK:
        weak, strong = (one, other) if one in WEAK else (other, one)
        return strong in _FLOATING or (weak == "number" and strong != "bool") or strong not in (*INTEGERS, "bool")
    return one == other or ("float" in (one, other) and {one, other} <= _FLOATING)


def promotes(node: Node) -> bool:
    """Whether ``node`` was made by a function that promotes types: ``keras.ops``, NumPy."""
    return node.api.startswith(("keras.ops.", "numpy.", "keras.layers.", "keras.losses."))


class ElementTypes:
    """The certain types of a loss's nodes. ``floatx`` is the type that Keras casts labels and predictions to."""

    def __init__(self, loss: Loss) -> None:
        self._types: dict[int, Type] = {}
        self._source = functools.partial(_source, loss)
        for node in loss.graph.nodes:
            self._types[node.id] = self._type(node)

    def of(self, node: Node) -> Type:
        """The type of the elements of ``node``."""
        return self._types[node.id]

    def _type(self, node: Node) -> Type:
        kinds = [self._types[value.id] for value in node.inputs]
        if node.op == "source":
            return self._source(node)
        for ops, rule in _RULES:
            if node.op in ops:
                return rule(node, kinds)
        return None


def _source(loss: Loss, node: Node) -> Type:
    if not loss.for_keras or node.site is not None or node.attrs["role"] not in ("label", "prediction"):
        return None
    if loss.name.endswith(".__call__"):
        return None  # which is where Keras casts
    if loss.keras == "3":
        return "float" if loss.other_floatx else "float32"
    return "float" if node.attrs["role"] == "prediction" else None  # Keras 2 leaves the labels as they are


def _constant(node: Node, kinds: list[Type]) -> Type:
    values = [node.attrs["value"]]
    while values and isinstance(values[0], tuple):
        values = [v for value in values if isinstance(value, tuple) for v in value]
    if any(isinstance(v, bool) for v in values):
        return None  # True yields to numbers, and to booleans
    return "number" if all(isinstance(v, int) for v in values) else "fraction"


def _cast(node: Node, kinds: list[Type]) -> Type:
    dtype = node.attrs.get("dtype")
    if not isinstance(dtype, str) or dtype not in (*FLOATS, *INTEGERS, "bool"):
        return None
    if not node.api.startswith(("tensorflow.", "keras.")):  # np.float32(n): an array scalar yields to a tensor
        return ("fraction" if dtype in FLOATS else "number") if kinds[0] in WEAK else None
    return dtype


def _declared(node: Node, kinds: list[Type]) -> Type:
    return None if node.api.startswith(("numpy", "math", "random")) else node.dtype


def _extent(node: Node, kinds: list[Type]) -> Type:
    """``keras.ops.shape`` gives Python numbers where it can, and ``K.ndim`` always."""
    return "int32" if node.api.startswith("tensorflow.") or node.api == "keras.backend.shape" else None


def _made_float(node: Node, kinds: list[Type]) -> Type:
    return kinds[0] if kinds and kinds[0] in FLOATS and not promotes(node) else "float"


def _kept(node: Node, kinds: list[Type]) -> Type:
    dtype = node.attrs.get("dtype")
    if isinstance(dtype, str):  # tf.ones_like(x, dtype=tf.int32)
        return node.dtype
    kind = kinds[0] if kinds else None
    return kind if kind in _FLOATING or not promotes(node) else None


def _added_up(node: Node, kinds: list[Type]) -> Type:
    kind = kinds[0] if kinds else None
    return kind if kind in _FLOATING or (kind in INTEGERS and node.api.startswith("tensorflow.")) else None


def _met(node: Node, kinds: list[Type]) -> Type:
    """What inputs of one type make, Python numbers yielding."""
    if promotes(node):
        return "float" if any(k in _FLOATING for k in kinds) else None
    if node.op == "mul":
        kinds = [k for k in kinds if k != "bool"] or kinds
    strong = {k for k in kinds if k not in WEAK}
    certain = strong - {None}
    floats = certain & set(FLOATS)
    if clash(kinds) is not None or not certain:
        return ("fraction" if "fraction" in kinds else "number") if kinds and not strong else None
    if len(floats) == 1 or "float" in certain:  # whatever the others are, they have to be of that type
        return next(iter(floats), "float")
    return next(iter(certain)) if None not in strong else None


def _same(node: Node, kinds: list[Type]) -> Type:
    """The type of whichever of the inputs it is."""
    return kinds[0] if len(set(kinds)) == 1 else None


def _divided(node: Node, kinds: list[Type]) -> Type:
    kind = _met(node, kinds)
    if kind == "number":
        return "fraction"
    return (
        "float64" if kind in ("int32", "int64", "uint32", "uint64") else kind if kind in (*_FLOATING, *WEAK) else None
    )


_RULES: list[tuple[frozenset[str], Callable[[Node, list[Type]], Type]]] = [
    (frozenset({"const"}), _constant),
    (frozenset({"cast"}), _cast),
    (frozenset({"static_dim"}), lambda node, kinds: "number"),
    (_TRUTHS, lambda node, kinds: "bool"),
    (_DECLARED, _declared),
    (_EXTENTS, _extent),
    (_MAKES_FLOATS, _made_float),
    (_KEEPS, _kept),
    (_ADDS_UP, _added_up),
    (_ARITHMETIC, _met),
    (frozenset({"div", "div_no_nan"}), _divided),
    (_MEETING, _met),
    (frozenset({"join", "loop"}), _same),
    (frozenset({"select"}), lambda node, kinds: _met(node, kinds[1:])),
    (frozenset({"top_k"}), lambda node, kinds: "int32" if node.attrs.get("part") == "indices" else kinds[0]),
]
