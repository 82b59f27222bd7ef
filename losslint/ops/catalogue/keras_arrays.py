"""``keras.ops`` that move, select and join elements, and products of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import MISSING, UnknownAxis, axes_of, batched, constant_of, flag, sized, unknown
from losslint.ops.catalogue import tf_linalg, tf_misc, tf_parts, tf_reduce, tf_scatter, tf_select, tf_shape
from losslint.ops.catalogue.arguments import opaque_of_all, table, undecided, under
from losslint.ops.catalogue.keras_ops import BACKEND, OPS
from losslint.ops.registry import CATALOGUE, CONSTANTS, Expansion
from losslint.ops.shapevalue import ShapeValue, number_of_elements, shape_node


# -- shapes ------------------------------------------------------------------------------------------------------------
def shape(g: Graph, x: Any) -> ShapeValue:
    """A tuple of the extents: numbers where they are known, else scalar tensors."""
    return ShapeValue(g.lift(x), primitive="dynamic_dim")


def size(g: Graph, x: Any) -> Any:
    """The number of elements."""
    return number_of_elements(g, shape(g, x))


def expand_dims(g: Graph, x: Any, axis: Any) -> Node:
    """New axes of length 1."""
    node = g.lift(x)
    try:
        axes = axes_of(axis)
    except UnknownAxis:
        axes = None
    if not isinstance(axes, tuple):
        return unknown(g, "expand_dims at an axis that is not known", x, axis)
    for at in axes:
        node = g.op("expand_dims", node, axis=at)
    return node


def moved(g: Graph, x: Any, source: Any, destination: Any) -> Node:
    """Some axes at other positions, the others in their order."""
    node = g.lift(x)
    rank = node.shape.rank
    try:
        starts, ends = axes_of(source), axes_of(destination)
    except UnknownAxis:
        starts = ends = None
    if rank is None or not isinstance(starts, tuple) or not isinstance(ends, tuple) or len(starts) != len(ends):
        return unknown(g, "axes that are moved", node, source, destination)
    order = [axis for axis in range(rank) if axis not in {s % rank for s in starts}]
    for end, start in sorted(zip((e % rank for e in ends), (s % rank for s in starts), strict=True)):
        order.insert(end, start)
    return g.op("transpose", node, perm=tuple(order))


def swapped(g: Graph, x: Any, axis1: Any, axis2: Any) -> Node:
    """Two axes exchanged."""
    node = g.lift(x)
    rank, first, second = node.shape.rank, constant_of(axis1), constant_of(axis2)
    if {first, second} == {-1, -2}:
        return tf_linalg.matrix_transpose(g, node)
    if rank is None or not isinstance(first, int) or not isinstance(second, int):
        return unknown(g, "axes that are exchanged", node)
    order = list(range(rank))
    order[first], order[second] = order[second], order[first]
    return g.op("transpose", node, perm=tuple(order))


def split(g: Graph, x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    """Equal parts of an axis, or those between given positions."""
    places, at = constant_of(indices_or_sections), constant_of(axis)
    if isinstance(places, int) or not isinstance(places, tuple) or not isinstance(at, int):
        return tf_parts.split(g, x, indices_or_sections, axis)
    ends = zip((0, *places), (*places, None), strict=True)
    return [g.op("index", x, key=tf_parts.along_axis(at, slice(a, b))) for a, b in ends]


def joined_along(axis: int) -> Callable[..., Node]:
    """hstack, vstack, dstack of tensors that have this axis."""

    def expansion(g: Graph, xs: Any) -> Node:
        return tf_parts.concat(g, xs, axis)

    return expansion


def flip(g: Graph, x: Any, axis: Any = None) -> Node:
    """The other way round, along all axes where none is named."""
    node = g.lift(x)
    everything = tuple(range(node.shape.rank)) if axis is None and node.shape.rank is not None else axis
    return tf_reduce.reverse(g, node, everything)


def roll(g: Graph, x: Any, shift: Any, axis: Any = None) -> Node:
    """Shifted along an axis, what falls off re-enters; without an axis as one row."""
    node = g.lift(x)
    if axis is not None:
        return tf_reduce.roll(g, node, shift, axis)
    return batched(g.op("roll", tf_shape.reshape(g, node, [-1]), axis=(0,), shift=None), node.shape)


def pad(g: Graph, x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None) -> Node:
    """More elements at the ends of axes."""
    return tf_shape.pad(g, x, pad_width, mode, 0 if constant_values is None else constant_values)


table(
    f"{OPS} {BACKEND}",
    {
        "ndim": lambda g, x: ShapeValue(g.lift(x)).attribute(g, "ndims"),
        "dtype": lambda g, x: g.lift(x).dtype or Unknown((), "a dtype that is not known"),
        "stack": lambda g, x, axis=0: tf_parts.stack(g, x, axis),
    },
)
table(
    OPS,
    {
        "shape": shape,
        "size": size,
        "is_tensor": tf_misc.is_tensor,
        "reshape": lambda g, x, newshape: tf_shape.reshape(g, x, newshape),
        "ravel": lambda g, x: tf_shape.reshape(g, x, [-1]),
        "expand_dims": expand_dims,
        "squeeze": lambda g, x, axis=None: tf_shape.squeeze(g, x, axis),
        "transpose": lambda g, x, axes=None: tf_shape.transpose(g, x, axes),
        "moveaxis": moved,
        "swapaxes": swapped,
        "broadcast_to": lambda g, x, shape: g.op("broadcast_to", x, shape_node(g, shape)),
        "tile": lambda g, x, repeats: tf_shape.tile(g, x, repeats),
        "repeat": lambda g, x, repeats, axis=None: tf_shape.repeat(g, x, repeats, axis),
        "concatenate concat": lambda g, xs, axis=0: tf_parts.concat(g, xs, axis),
        "append": lambda g, x1, x2, axis=None: tf_parts.concat(
            g, [x1, x2] if axis is not None else [tf_shape.reshape(g, x, [-1]) for x in (x1, x2)], axis or 0
        ),
        "hstack": joined_along(1),
        "vstack": joined_along(0),
        "dstack": joined_along(2),
        "unstack": lambda g, x, num=None, axis=0: tf_parts.unstack(g, x, num, axis),
        "split array_split": split,
        "hsplit": lambda g, x, indices_or_sections: split(g, x, indices_or_sections, 1),
        "dsplit": lambda g, x, indices_or_sections: split(g, x, indices_or_sections, 2),
        "vsplit": lambda g, x, indices_or_sections: split(g, x, indices_or_sections, 0),
        "flip": flip,
        "fliplr": lambda g, x: flip(g, x, 1),
        "flipud": lambda g, x: flip(g, x, 0),
        "roll": roll,
        "pad": pad,
    },
)


# -- selecting ---------------------------------------------------------------------------------------------------------
def take(g: Graph, x: Any, indices: Any, axis: Any = None) -> Node:
    """Elements of an axis by their index; without an axis of everything in one row."""
    if axis is None:
        return g.op("gather", tf_shape.reshape(g, x, [-1]), indices, axis=0)
    return tf_select.gather(g, x, indices, axis=axis)


def take_along_axis(g: Graph, x: Any, indices: Any, axis: Any = None) -> Node:
    """Elements of an axis by an index of their own for every other axis: shaped as the indices."""
    node, places = g.lift(x), g.lift(indices)
    at, rank = constant_of(axis), node.shape.rank
    if at is None:
        return g.op("gather", tf_shape.reshape(g, node, [-1]), places, axis=0)
    if not isinstance(at, int):
        return unknown(g, "elements along an axis that is not known", node, places)
    before: Any = at if at >= 0 else rank + at if rank is not None else Unknown()
    found = places.shape if places.shape.rank is not None else sized(node.shape, at, places.shape.axis(at))
    return batched(g.op("gather", node, places, axis=at, batch_dims=before), found)


def element(g: Graph, x: Any, key: Any) -> Node:
    """``x[key]``."""
    return g.op("index", x, key=key if isinstance(key, tuple) else (key,))


def slice_update(g: Graph, inputs: Any, start_indices: Any, updates: Any) -> Node:
    """A tensor with a part replaced."""
    node = g.lift(inputs)
    return unknown(g, "a tensor with a part replaced", node, start_indices, updates, shape=node.shape)


def scatter_update(g: Graph, inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Node:
    """Values written to coordinates, or combined with what is there."""
    name = {None: "update", "add": "add", "max": "max", "min": "min"}.get(reduction)
    if name is None:
        node = g.lift(inputs)
        return unknown(g, "scattered values", node, indices, updates, shape=node.shape)
    result: Node = CATALOGUE[f"tensorflow.tensor_scatter_nd_{name}"](g, inputs, indices, updates)
    return result


def segment(how: str) -> Callable[..., Node]:
    """Rows with the same number combined."""

    def expansion(g: Graph, data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False) -> Node:
        return g.op("segment", data, segment_ids, how=how, num_segments=num_segments)

    return expansion


def different(
    g: Graph,
    x: Any,
    sorted: Any = True,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    size: Any = None,
    fill_value: Any = None,
) -> Any:
    """The different values, and what else was asked for."""
    node = g.lift(x)
    with g.library():
        values = g.op("unique", node)
        extra = [wanted for wanted in (return_index, return_inverse, return_counts) if flag(wanted)]
        more = [batched(g.op("argsort", node, axis=(-1,)), Shape((Dim.fresh(node.shape.numel.batch),))) for _ in extra]
    return (values, *more) if more else values


def nonzero(g: Graph, x: Any) -> Any:
    """The coordinates of what is not 0, one row of them for each axis."""
    node = g.lift(x)
    if node.shape.rank is None:
        return Unknown((node,), "the coordinates of a tensor of unknown rank")
    count = Shape((Dim.fresh(node.shape.numel.batch),))
    with g.library():  # which row it is depends on the batch, as its place in an order of all elements does
        order = g.op("argsort", g.op("reshape", node, (-1,)), axis=(0,))
        return tuple(batched(g.op("cast", order, dtype="int32"), count, "int32") for _ in node.shape.head)


def member(g: Graph, x1: Any, x2: Any, assume_unique: Any = False, invert: Any = False) -> Node:
    """Whether each element is among others."""
    node = g.lift(x1)
    with g.library():
        equal = g.op("eq", g.op("expand_dims", node, axis=-1), tf_shape.reshape(g, x2, [-1]))
        return batched(g.op("any", equal, axis=(-1,), keepdims=False), node.shape)


table(
    OPS,
    {
        "take": take,
        "take_along_axis": take_along_axis,
        "get_item": element,
        "slice": lambda g, inputs, start_indices, shape: tf_parts.slice_(g, inputs, start_indices, shape),
        "slice_update": slice_update,
        "scatter": lambda g, indices, values, shape: tf_scatter.scatter_nd(g, indices, values, shape),
        "scatter_update": scatter_update,
        "unique": different,
        "isin": member,
        "nonzero": nonzero,
        "searchsorted": lambda g, sorted_sequence, values, side="left": tf_select.searchsorted(
            g, sorted_sequence, values
        ),
        "digitize": lambda g, x, bins: tf_select.searchsorted(g, bins, x),
        "bincount": lambda g, x, weights=None, minlength=0, sparse=False: tf_reduce.bincount(
            g, x, weights, minlength if constant_of(minlength) not in (0, MISSING) else None
        ),
        "segment_sum": segment("sum"),
        "segment_max": segment("max"),
        "segment_min": segment("min"),
        "segment_prod": segment("prod"),
    },
)


# -- products and matrices ---------------------------------------------------------------------------------------------
def dot(g: Graph, x1: Any, x2: Any) -> Node:
    """The sum over the last axis of the one and the last but one of the other; with a scalar the product."""
    a, b = g.lift(x1), g.lift(x2)
    if 0 in (a.shape.rank, b.shape.rank):
        return g.op("mul", a, b)
    if b.shape.rank is None or (b.shape.rank > 2 or (a.shape.rank or 9) > 2):
        return g.op("tensordot", a, b, axes=((-1,), (-1 if b.shape.rank == 1 else -2,)))
    return g.op("matmul", a, b, transpose_a=False, transpose_b=False)


def inner(g: Graph, x1: Any, x2: Any) -> Node:
    """The sum of products over the last axis of both: of matrices, every row with every row."""
    a, b = g.lift(x1), g.lift(x2)
    if a.shape.rank == b.shape.rank == 1:
        return vdot(g, a, b)
    return g.op("tensordot", a, b, axes=((-1,), (-1,)))


def outer(g: Graph, x1: Any, x2: Any) -> Node:
    """Every element of the one times every element of the other."""
    return g.op("mul", tf_shape.reshape(g, x1, [-1, 1]), tf_shape.reshape(g, x2, [1, -1]))


def vdot(g: Graph, x1: Any, x2: Any) -> Node:
    """The sum of the products of all elements."""
    return g.op("sum", g.op("mul", x1, x2), axis=None, keepdims=False)


def diagonal(g: Graph, x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Node:
    """A diagonal of a matrix."""
    node = g.lift(x)
    if constant_of(offset) != 0 or (node.shape.rank != 2 and (constant_of(axis1), constant_of(axis2)) != (-2, -1)):
        return unknown(g, "another diagonal", node)
    return g.op("diag_part", node)


def diag(g: Graph, x: Any, k: Any = 0) -> Node:
    """The diagonal of a matrix, or a matrix with this diagonal."""
    node = g.lift(x)
    return tf_linalg.diag(g, node, k=k) if node.shape.rank == 1 else diagonal(g, node, k)


def triangle(lower: int, upper: int) -> Callable[..., Node]:
    """The part of a matrix below or above its diagonal."""

    def expansion(g: Graph, x: Any, k: Any = 0) -> Node:
        return g.op("band_part", x, num_lower=lower, num_upper=upper)

    return expansion


def logdet(g: Graph, x: Any) -> Node:
    """The logarithm of the determinant."""
    return g.op("linalg", x, how="logdet")


def through(name: str) -> Expansion:
    """The function of ``tf.linalg`` of the same arguments."""
    return CATALOGUE[f"tensorflow.linalg.{name}"]


def cdist(g: Graph, x: Any, y: Any) -> Node:
    """The distance of every row of the one to every row of the other."""
    with g.library():
        gap = g.op("sub", g.op("expand_dims", x, axis=-2), g.op("expand_dims", y, axis=-3))
        return g.op("norm", gap, axis=(-1,), keepdims=False, ord=2)


table(
    f"{OPS} keras.ops.linalg",
    {
        "matmul": lambda g, x1, x2: g.op("matmul", x1, x2, transpose_a=False, transpose_b=False),
        "dot": dot,
        "inner": inner,
        "vdot": vdot,
        "outer": outer,
        "cdist": cdist,
        "cross": lambda g, x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None: tf_linalg.cross(g, x1, x2),
        "einsum": lambda g, subscripts, *operands, **kwargs: tf_linalg.einsum(g, subscripts, *operands),
        "tensordot": lambda g, x1, x2, axes=2: tf_linalg.tensordot(g, x1, x2, axes),
        "trace": lambda g, x, offset=0, axis1=0, axis2=1: _trace(g, x, offset, axis1, axis2),
        "diag": diag,
        "diagonal": diagonal,
        "tril": triangle(-1, 0),
        "triu": triangle(0, -1),
        "det": through("det"),
        "inv": through("inv"),
        "pinv": lambda g, x, rcond=None: g.op("linalg", x, how="pinv"),
        "cholesky": lambda g, x, upper=False: g.op("linalg", x, how="cholesky"),
        "logdet": logdet,
        "slogdet": lambda g, x: tf_linalg.slogdet(g, x),
        "matrix_rank": lambda g, x, tol=None: tf_linalg.matrix_rank(g, x),
        "eigh": lambda g, x: through("eigh")(g, x),
        "eig": lambda g, x: tf_linalg.eig(g, x),
        "svd": lambda g, x, full_matrices=True, compute_uv=True: _svd(g, x, full_matrices, compute_uv),
        "qr": lambda g, x, mode="reduced": tf_linalg.qr(g, x),
        "solve": lambda g, a, b: through("solve")(g, a, b),
        "solve_triangular": lambda g, a, b, lower=False: through("triangular_solve")(g, a, b),
        "lstsq": lambda g, a, b, rcond=None: through("lstsq")(g, a, b),
    },
)


def _trace(g: Graph, x: Any, offset: Any, axis1: Any, axis2: Any) -> Node:
    """The sum of the diagonal of the first two axes, or of the last two of a stack of matrices."""
    node = g.lift(x)
    axes = {
        a if a >= 0 or node.shape.rank is None else a + node.shape.rank for a in (axis1, axis2) if isinstance(a, int)
    }
    last = {-2, -1} if node.shape.rank is None else {node.shape.rank - 2, node.shape.rank - 1}
    return tf_linalg.trace(g, node) if axes == last and offset == 0 else unknown(g, "a trace of other axes", node)


def _svd(g: Graph, x: Any, full_matrices: Any, compute_uv: Any) -> Any:
    """(u, s, v): NumPy's order, which is not that of ``tf.linalg.svd``."""
    found = tf_linalg.svd(g, x, full_matrices, compute_uv)
    return found if isinstance(found, Node) else (found.values[1], found.values[0], found.values[2])


under(
    OPS,
    "bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_not bitwise_left_shift bitwise_right_shift left_shift "
    "right_shift gcd lcm ldexp nextafter",
    opaque_of_all("integers are combined bit by bit"),
)
under(
    OPS,
    "kron corrcoef correlate histogram geomspace logspace vander trapezoid unravel_index rot90 diagflat view angle "
    "imag view_as_complex view_as_real rearrange array_equal logaddexp2 bartlett blackman hamming hanning kaiser fft "
    "fft2 ifft2 rfft irfft stft istft extract_sequences allclose",
    opaque_of_all("a function of keras.ops that is not followed"),
)
under(
    f"{OPS} keras.ops.linalg keras.ops.nn",
    "jvp lu_factor cholesky_inverse polar",
    opaque_of_all("a function of keras.ops"),
)
under(OPS, "result_type", undecided("a dtype"))
CONSTANTS["keras.ops.newaxis"] = None
