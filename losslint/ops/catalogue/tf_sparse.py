"""``tf.sparse``: a sparse tensor is followed as the dense one it stands for."""

from __future__ import annotations

from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.axes import batched, opaque_row, reduced, row
from losslint.ops.catalogue import tf_linalg, tf_make, tf_parts, tf_scatter, tf_shape
from losslint.ops.registry import api


@api("tensorflow.SparseTensor", "tensorflow.sparse.SparseTensor")
def sparse_tensor(g: Graph, indices: Any, values: Any, dense_shape: Any = None, *, shape: Any = None) -> Node:
    """Values at coordinates, 0 elsewhere."""
    return tf_scatter.placed(g, indices, values, dense_shape if dense_shape is not None else shape)


@api("tensorflow.sparse.to_dense", "tensorflow.sparse_tensor_to_dense")
def to_dense(
    g: Graph, sp_input: Any, default_value: Any = None, validate_indices: Any = True, name: Any = None
) -> Node:
    """With its zeros written out."""
    return g.op("identity", sp_input)


@api("tensorflow.sparse.from_dense", "tensorflow.contrib.layers.dense_to_sparse")
def from_dense(g: Graph, tensor: Any, name: Any = None) -> Node:
    """Without its zeros."""
    return g.op("identity", tensor)


@api("tensorflow.sparse.reorder", "tensorflow.sparse_reorder")
def reorder(g: Graph, sp_input: Any, name: Any = None) -> Node:
    """The same tensor, its coordinates sorted."""
    return g.op("identity", sp_input)


@api("tensorflow.sparse.reduce_sum", "tensorflow.sparse_reduce_sum")
def reduce_sum(
    g: Graph,
    sp_input: Any,
    axis: Any = None,
    keepdims: Any = None,
    output_is_sparse: Any = False,
    name: Any = None,
    reduction_axes: Any = None,
    keep_dims: Any = None,
) -> Node:
    """The sum over axes."""
    axis = axis if axis is not None else reduction_axes
    return reduced(g, "sum", sp_input, axis, keepdims if keep_dims is None else keep_dims)


@api("tensorflow.sparse.reshape", "tensorflow.sparse_reshape")
def reshape(g: Graph, sp_input: Any, shape: Any, name: Any = None) -> Node:
    """The same elements in another shape."""
    return tf_shape.reshape(g, sp_input, shape)


@api("tensorflow.sparse.transpose", "tensorflow.sparse_transpose")
def transpose(g: Graph, sp_input: Any, perm: Any = None, name: Any = None) -> Node:
    """The axes in another order."""
    return tf_shape.transpose(g, sp_input, perm)


@api("tensorflow.sparse.expand_dims")
def expand_dims(g: Graph, sp_input: Any, axis: Any = None, name: Any = None) -> Node:
    """A new axis of length 1."""
    return tf_shape.expand_dims(g, sp_input, axis)


@api("tensorflow.sparse.add", "tensorflow.sparse_add")
def add(g: Graph, a: Any, b: Any, threshold: Any = 0, thresh: Any = None) -> Node:
    """a + b."""
    return g.op("add", a, b)


@api("tensorflow.sparse.sparse_dense_matmul", "tensorflow.sparse.matmul", "tensorflow.sparse_tensor_dense_matmul")
def matmul(g: Graph, sp_a: Any, b: Any, adjoint_a: Any = False, adjoint_b: Any = False, name: Any = None) -> Node:
    """The matrix product."""
    return tf_linalg.matmul(g, sp_a, b, adjoint_a, adjoint_b)


@api("tensorflow.sparse.concat", "tensorflow.sparse_concat")
def concat(g: Graph, axis: Any, sp_inputs: Any, *args: Any, **kwargs: Any) -> Node:
    """Joined along an axis; TensorFlow has no gradient for it."""
    return g.op("stop_gradient", tf_parts.concat(g, sp_inputs, axis))


@api("tensorflow.sparse.softmax", "tensorflow.sparse_softmax")
def softmax(g: Graph, sp_input: Any, name: Any = None) -> Node:
    """Softmax over the elements that are present in each row."""
    x = g.lift(sp_input)
    return batched(g.op("softmax", x, axis=(-1,)), x.shape)


row("sparse.eye", tf_make.eye)
opaque_row(
    "a sparse tensor",
    "IndexedSlices sparse.fill_empty_rows sparse.map_values sparse.mask sparse.maximum sparse.minimum "
    "sparse.reduce_max "
    "sparse.reset_shape sparse.retain sparse.segment_mean sparse.segment_sqrt_n sparse.segment_sum sparse.slice "
    "sparse.split sparse.to_indicator sparse.bincount sparse.cross sparse.cross_hashed sparse.sampled_addmm "
    "sparse_segment_sum sparse_segment_mean sparse_reduce_max sparse_slice sparse_retain",
)
