"""The catalogue of ``tf.*``, ``numpy`` and ``math``: what each name expands to, and with which shape."""

from __future__ import annotations

import math
from typing import Any

import pytest

import losslint.ops.catalogue  # noqa: F401
from losslint.domain.shape import Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import AllButFirst
from losslint.ops.dtypes import attribute, dtype_of, finfo
from losslint.ops.registry import CATALOGUE, CONSTANTS, METHODS, PROPERTIES, Callback
from losslint.ops.shapevalue import Record, ShapeValue


def tf(g: Graph, name: str, *args: Any, **kwargs: Any) -> Any:
    return CATALOGUE[f"tensorflow.{name}"](g, *args, **kwargs)


def np_(g: Graph, name: str, *args: Any, **kwargs: Any) -> Any:
    return CATALOGUE[f"numpy.{name}"](g, *args, **kwargs)


def ops(g: Graph) -> list[str]:
    return [n.op for n in g.nodes if n.op != "const"]


@pytest.mark.parametrize(
    ("name", "primitive"),
    [
        ("math.log", "log"),
        ("log", "log"),
        ("math.exp", "exp"),
        ("nn.relu", "relu"),
        ("nn.sigmoid", "sigmoid"),
        ("sign", "sign"),
        ("math.rint", "round"),
        ("negative", "neg"),
        ("math.softplus", "softplus"),
        ("nn.elu", "smooth"),
        ("nn.softmax", "softmax"),
        ("stop_gradient", "stop_gradient"),
        ("nn.relu6", "clip"),
        ("math.is_nan", "is_nan"),
        ("math.reciprocal_no_nan", "div_no_nan"),
    ],
)
def test_a_function_of_one_tensor_is_one_visible_primitive(g: Graph, p: Node, name: str, primitive: str) -> None:
    node = tf(g, name, p)
    assert node.op == primitive
    assert node.shape == p.shape
    assert not node.internal


@pytest.mark.parametrize(
    ("name", "primitive"),
    [
        ("div", "div"),
        ("truediv", "div"),
        ("math.divide_no_nan", "div_no_nan"),
        ("greater", "gt"),
        ("math.xlogy", "xlogy"),
        ("pow", "pow"),
        ("squared_difference", "square"),
        ("math.logical_and", "and"),
        ("floor_div", "floordiv"),
    ],
)
def test_a_function_of_two_tensors(g: Graph, p: Node, y: Node, name: str, primitive: str) -> None:
    assert tf(g, name, p, y).op == primitive
    assert tf(g, name, x=p, y=y).shape == p.shape


@pytest.mark.parametrize(
    ("axis", "shape"), [(None, "()"), (0, "(10,)"), (-1, "(B,)"), ([0, 1], "()"), (AllButFirst(), "(B,)")]
)
def test_reductions_take_every_spelling_of_an_axis(g: Graph, p: Node, axis: Any, shape: str) -> None:
    assert str(tf(g, "reduce_mean", p, axis).shape) == shape
    assert str(tf(g, "reduce_sum", p, reduction_indices=axis).shape) == shape


def test_all_but_the_first_axis_of_an_open_shape_leaves_the_batch(g: Graph) -> None:
    x = g.source("x", "prediction", Shape(Shape.of("B").head, "S"))
    assert str(tf(g, "reduce_sum", x, AllButFirst()).shape) == "(B,)"


def test_an_unknown_axis_stays_unknown(g: Graph, p: Node) -> None:
    axis = g.source("axis", "config", Shape())
    for name in ("reduce_mean", "argmax", "nn.softmax", "expand_dims", "concat", "nn.l2_normalize"):
        node = tf(g, name, [p, p] if name == "concat" else p, axis=axis)
        assert node.op == "opaque", name
        assert p in node.inputs, name


def test_keepdims_in_both_spellings(g: Graph, p: Node) -> None:
    assert str(tf(g, "reduce_max", p, axis=1, keepdims=True).shape) == "(B, 1)"
    assert str(tf(g, "reduce_max", p, 1, keep_dims=True).shape) == "(B, 1)"


def test_arguments_bind_as_in_tensorflow(g: Graph, p: Node) -> None:
    with pytest.raises(TypeError):
        tf(g, "math.log", p, base=2)
    with pytest.raises(TypeError):
        tf(g, "reduce_mean", p, axes=1)
    assert tf(g, "argmax", p).attrs["axis"] == (0,)
    assert tf(g, "argmax", p, dimension=1).attrs["axis"] == (1,)
    assert tf(g, "argmax", p, 1, output_type="int32").dtype == "int32"


def test_norms(g: Graph, p: Node) -> None:
    assert tf(g, "norm", p).attrs["ord"] == 2
    assert str(tf(g, "norm", p, 1, 1).shape) == "(B,)"
    assert tf(g, "norm", p, ord=math.inf, axis=1).attrs["ord"] == math.inf
    unit, length = tf(g, "linalg.normalize", p, axis=-1)
    assert (unit.op, str(length.shape)) == ("div", "(B, 1)")
    assert tf(g, "nn.l2_normalize", p).attrs["axis"] is None
    assert tf(g, "math.l2_normalize", p, 1).attrs["axis"] == (1,)


def test_losses_on_logits_hide_their_numerics(g: Graph, p: Node, y: Node) -> None:
    start = len(g.nodes)
    loss = tf(g, "nn.sigmoid_cross_entropy_with_logits", labels=y, logits=p)
    assert loss.shape == p.shape
    assert str(tf(g, "nn.softmax_cross_entropy_with_logits", y, p).shape) == "(B,)"
    labels = g.source("y", "label", Shape.of("B"), "int64")
    assert str(tf(g, "nn.sparse_softmax_cross_entropy_with_logits", labels, p).shape) == "(B,)"
    assert tf(g, "nn.weighted_cross_entropy_with_logits", y, p, 3.0).shape == p.shape
    assert tf(g, "nn.l2_loss", p).shape == Shape()
    assert tf(g, "nn.log_poisson_loss", y, p, True).shape == p.shape
    made = [n for n in g.nodes[start:] if n.op not in ("const", "source")]
    assert all(n.internal for n in made)


def test_losses_of_tensorflow_1_are_scalars_unless_told_otherwise(g: Graph, p: Node, y: Node) -> None:
    loss = tf(g, "losses.mean_squared_error", y, p)
    assert (loss.op, loss.shape) == ("mean", Shape())
    weights = g.source("w", "weight", Shape.of("B", 1))
    assert tf(g, "losses.mean_squared_error", y, p, weights).op == "div_no_nan"
    none = CONSTANTS["tensorflow.losses.Reduction.NONE"]
    assert tf(g, "losses.absolute_difference", y, p, reduction=none).shape == p.shape
    for name in ("huber_loss", "log_loss", "hinge_loss", "sigmoid_cross_entropy", "softmax_cross_entropy"):
        assert tf(g, f"losses.{name}", y, p).shape == Shape(), name
    assert tf(g, "losses.softmax_cross_entropy", y, p, label_smoothing=0.1).shape == Shape()


def test_making_tensors(g: Graph, p: Node) -> None:
    rows = tf(g, "shape", p)
    first = g.op("index", rows, key=(0,))
    assert str(tf(g, "zeros", [first, 3]).shape) == "(B, 3)"
    assert str(tf(g, "ones", (2, 3)).shape) == "(2, 3)"
    assert str(tf(g, "fill", [first], 0.5).shape) == "(B,)"
    assert tf(g, "ones", ()).shape == Shape()
    assert tf(g, "zeros_like", p).shape == p.shape
    assert str(tf(g, "eye", first).shape) == "(B, B)"
    assert str(tf(g, "range", first).shape) == "(B,)"
    assert str(tf(g, "range", 2, 10, 2).shape) == "(4,)"
    assert str(tf(g, "range", 10, delta=2).shape) == "(5,)"
    assert tf(g, "constant", [[1.0, 2.0]], dtype="float32").dtype == "float32"
    assert str(tf(g, "constant", 0.1, shape=[4, 4]).shape) == "(4, 4)"
    assert str(tf(g, "one_hot", tf(g, "argmax", p, 1), 7).shape) == "(B, 7)"
    assert [str(n.shape) for n in tf(g, "meshgrid", tf(g, "range", 3), tf(g, "range", 4))] == ["(4, 3)", "(4, 3)"]
    assert str(tf(g, "sequence_mask", g.op("index", p, key=(slice(None), 0)), 5).shape) == "(B, 5)"


def test_moving_elements(g: Graph, p: Node) -> None:
    assert str(tf(g, "reshape", p, [-1]).shape) == "(10*B,)"
    assert str(tf(g, "reshape", p, (-1, 2, 5)).shape) == "(B, 2, 5)"
    assert str(tf(g, "reshape", p, ShapeValue(p)).shape) == "(B, 10)"
    assert str(tf(g, "reshape", p, tf(g, "shape", p)).shape) == "(B, 10)"
    assert str(tf(g, "expand_dims", p, 1).shape) == "(B, 1, 10)"
    assert str(tf(g, "expand_dims", p, dim=0).shape) == "(1, B, 10)"
    assert str(tf(g, "squeeze", tf(g, "expand_dims", p, 1), [1]).shape) == "(B, 10)"
    assert str(tf(g, "transpose", p).shape) == "(10, B)"
    assert str(tf(g, "concat", [p, p], 1).shape) == "(B, 20)"
    assert str(tf(g, "concat", 1, [p, p]).shape) == "(B, 20)"
    assert str(tf(g, "stack", [p, p], axis=-1).shape) == "(B, 10, 2)"
    assert str(tf(g, "tile", p, [1, 2]).shape) == "(B, 20)"
    assert str(tf(g, "repeat", p, 3, axis=0).shape) == "(3*B, 10)"
    assert str(tf(g, "pad", p, [[0, 0], [1, 1]]).shape) == "(B, 12)"
    assert str(tf(g, "slice", p, [0, 2], [-1, 3]).shape) == "(B, 3)"
    assert str(tf(g, "strided_slice", p, [0, 1], [0, 4], [1, 1], 1, 1).shape) == "(B, 3)"
    assert str(tf(g, "broadcast_to", tf(g, "zeros", [10]), tf(g, "shape", p)).shape) == "(B, 10)"


def test_splitting(g: Graph, p: Node) -> None:
    assert [str(n.shape) for n in tf(g, "split", p, 2, axis=1)] == ["(B, 5)", "(B, 5)"]
    assert [str(n.shape) for n in tf(g, "split", p, [3, 7], -1)] == ["(B, 3)", "(B, 7)"]
    assert [str(n.shape) for n in tf(g, "split", p, [4, -1], axis=1)] == ["(B, 4)", "(B, 6)"]
    halves = tf(g, "split", p, 2)
    assert len(halves) == 2
    assert all(h.shape.head[0].batch == 1 for h in halves)
    assert len(tf(g, "unstack", p, axis=1)) == 10
    parts = tf(g, "unstack", p)  # of unknown number: as they lie in the tensor
    assert (parts.op, parts.inputs, parts.attrs["parts"]) == ("identity", (p,), True)


def test_selecting(g: Graph, p: Node) -> None:
    mask = tf(g, "greater", p, 0.5)
    assert tf(g, "where", mask, p, 0.0).op == "select"
    found = tf(g, "where", mask)
    assert (found.shape.rank, found.shape.head[0].batch, found.shape.head[1].value, found.dtype) == (2, 1, 2, "int64")
    best = tf(g, "nn.top_k", p, k=3)
    assert isinstance(best, Record)
    assert str(best.attribute(g, "values").shape) == "(B, 3)"
    values, indices = best.known_elements(g)
    assert (values.attrs["part"], indices.attrs["part"]) == ("values", "indices")
    labels = g.source("y", "label", Shape.of("B"), "int32")
    assert str(tf(g, "gather", p, labels, batch_dims=1, axis=1).shape) == "(B,)"
    assert tf(g, "boolean_mask", p, mask).op == "boolean_mask"
    assert tf(g, "boolean_mask", p, mask, "name").attrs["axis"] == 0
    assert str(tf(g, "tensor_scatter_nd_update", p, [[0]], tf(g, "zeros", [1, 10])).shape) == "(B, 10)"


def test_products(g: Graph, p: Node) -> None:
    assert str(tf(g, "matmul", p, p, transpose_b=True).shape) == "(B, B)"
    assert str(tf(g, "matmul", p, p, False, True).shape) == "(B, B)"
    assert str(tf(g, "einsum", "bi,bi->b", p, p).shape) == "(B,)"
    assert str(tf(g, "einsum", "ij,kj", p, p).shape) == "(B, B)"
    assert str(tf(g, "tensordot", p, p, axes=[[1], [1]]).shape) == "(B, B)"
    assert str(tf(g, "linalg.diag_part", tf(g, "matmul", p, p, transpose_b=True)).shape) == "(B,)"
    assert tf(g, "linalg.trace", tf(g, "matmul", p, p, transpose_a=True)).shape == Shape()
    matrix = tf(g, "matmul", p, p, transpose_a=True)
    assert str(tf(g, "linalg.svd", matrix, compute_uv=False).shape) == "(10,)"
    values, vectors = tf(g, "linalg.eigh", matrix).known_elements(g)
    assert (str(values.shape), str(vectors.shape)) == ("(10,)", "(10, 10)")


def test_images(g: Graph, images: Node) -> None:
    similar = tf(g, "image.ssim", images, images, max_val=1.0)
    assert (str(similar.shape), similar.attrs["low"], similar.attrs["high"]) == ("(B,)", -1.0, 1.0)
    assert str(tf(g, "image.psnr", images, images, 1.0).shape) == "(B,)"
    assert str(tf(g, "image.total_variation", images).shape) == "(B,)"
    assert [str(n.shape) for n in tf(g, "image.image_gradients", images)] == ["(B, 32, 32, 3)"] * 2
    assert str(tf(g, "image.sobel_edges", images).shape) == "(B, 32, 32, 3, 2)"
    assert str(tf(g, "image.resize", images, [8, 8]).shape) == "(B, 8, 8, 3)"
    assert str(tf(g, "image.rgb_to_grayscale", images).shape) == "(B, 32, 32, 1)"
    kernel = tf(g, "ones", [3, 3, 3, 5])
    assert str(tf(g, "nn.conv2d", images, kernel, strides=[1, 1, 1, 1], padding="SAME").shape) == "(B, 32, 32, 5)"
    assert str(tf(g, "nn.max_pool", images, [1, 3, 3, 1], [1, 1, 1, 1], "SAME").shape) == "(B, 32, 32, 3)"
    assert str(tf(g, "signal.fft2d", tf(g, "transpose", images, [0, 3, 1, 2])).shape) == "(B, 3, 32, 32)"


def test_a_mapped_body_loses_the_batch_axis_and_its_result_gets_it_back(g: Graph, p: Node, y: Node) -> None:
    seen: list[Node] = []

    def body(pair: Any) -> Node:
        seen.extend(pair)
        return tf(g, "reduce_sum", tf(g, "multiply", *pair))

    result = tf(g, "map_fn", body, (p, y), dtype="float32")
    assert [str(n.shape) for n in seen] == ["(10,)", "(10,)"]
    assert str(result.shape) == "(B,)"
    first, second = tf(g, "vectorized_map", lambda row: (row, tf(g, "reduce_max", row)), p)
    assert (str(first.shape), str(second.shape)) == ("(B, 10)", "(B,)")


def test_loops_and_branches(g: Graph, p: Node) -> None:
    i, total = tf(
        g, "while_loop", lambda i, t: tf(g, "less", i, 5), lambda i, t: (tf(g, "add", i, 1), tf(g, "add", t, p)), (0, p)
    )
    assert (i.op, total.op, total.shape) == ("loop", "loop", p.shape)
    assert tf(g, "foldl", lambda a, x: tf(g, "add", a, x), p).op == "loop"
    assert str(tf(g, "scan", lambda a, x: tf(g, "add", a, x), p).shape) == "(B, 10)"
    decided = tf(g, "cond", True, lambda: p, lambda: 0.0)
    assert decided is p
    either = tf(g, "cond", tf(g, "greater", tf(g, "reduce_sum", p), 0.0), lambda: tf(g, "math.log", p), lambda: p)
    assert (either.op, either.shape) == ("join", p.shape)
    assert tf(g, "case", [(p, lambda: p), (p, lambda: tf(g, "exp", p))], default=lambda: p).op == "join"


def test_gradients_and_python_functions(g: Graph, p: Node) -> None:
    loss = tf(g, "reduce_sum", tf(g, "square", p))
    assert [n.shape for n in tf(g, "gradients", loss, [p])] == [p.shape]
    declared = tf(g, "custom_gradient", lambda x: (tf(g, "round", x), lambda upstream: upstream))
    assert isinstance(declared, Callback)
    value = declared.call(g, p)
    assert (value.op, value.inputs, value.shape) == ("straight_through", (value.inputs[0], p), p.shape)
    assert tf(g, "py_function", None, [p], "float32").op == "py_function"
    assert [n.op for n in tf(g, "numpy_function", None, [p, p], ["float32", "int32"])] == ["numpy_function"] * 2
    decorated = tf(g, "function", jit_compile=True)
    assert decorated.call(g, len) is len
    assert tf(g, "function", len) is len


def test_a_variable_made_of_a_prediction_is_cut_off(g: Graph, p: Node) -> None:
    assert tf(g, "Variable", tf(g, "exp", p)).op == "variable_of"
    fresh = tf(g, "Variable", tf(g, "random.normal", [3, 3]))
    assert (fresh.op, fresh.attrs["role"], str(fresh.shape)) == ("source", "variable", "(3, 3)")
    data = tf(g, "placeholder", "float32", [None, 28, 28])
    assert str(data.shape) == "(B, 28, 28)"


def test_tensor_arrays_keep_what_is_written(g: Graph, p: Node) -> None:
    array = tf(g, "TensorArray", "float32", size=3)
    array = array.attribute(g, "write").call(g, 0, p)
    assert array.attribute(g, "stack").call(g).shape.head[1:] == p.shape.head


def test_random_numbers_know_their_bounds(g: Graph) -> None:
    noise = tf(g, "random.uniform", [4, 1], -1, 2)
    assert (noise.attrs["low"], noise.attrs["high"], str(noise.shape)) == (-1.0, 2.0, "(4, 1)")
    assert tf(g, "random.normal", [2]).attrs["low"] is None
    assert np_(g, "random.rand", 3, 2).attrs["high"] == 1.0


def test_static_shapes(g: Graph, p: Node) -> None:
    shape = PROPERTIES["shape"](g, p)
    batch, channels = shape.known_elements(g)
    assert (batch.op, batch.attrs["axis"], channels, len(shape)) == ("static_dim", 0, 10, 2)
    assert shape.getitem(g, -1) == 10
    assert shape.getitem(g, slice(1, None)) == [10]
    assert METHODS["get_shape"](g, p).attribute(g, "as_list").call(g)[1] == 10
    open_ = g.source("x", "prediction", Shape(Shape.of("B").head, "S", Shape.of(3).head))
    shape = ShapeValue(open_)
    assert shape.known_elements(g) is None
    with pytest.raises(TypeError):
        len(shape)
    assert (shape.getitem(g, -1), shape.getitem(g, 0).op) == (3, "static_dim")
    rest = np_(g, "prod", shape.getitem(g, slice(1, None)))
    assert rest.attrs["dim"].batch == 0
    assert str(tf(g, "reshape", open_, [-1, rest]).shape.head[0]) == "B"
    METHODS["set_shape"](g, open_, [None, 4, 3])
    assert str(open_.shape) == "(B, 4, 3)"


def test_numpy_of_numbers_is_plain_python(g: Graph) -> None:
    assert np_(g, "log", 0.5) == math.log(0.5)
    assert np_(g, "prod", [2, 3, 4]) == 24
    assert np_(g, "sqrt", np_(g, "array", [1.0, 4.0])).attrs["value"] == (1.0, 2.0)
    assert np_(g, "array", [[1, 2], [3, 4]]).op == "const"
    assert np_(g, "maximum", 3, 2) == 3
    assert CONSTANTS["numpy.pi"] == math.pi
    assert CATALOGUE["math.log"](g, 8, 2) == 3
    assert np_(g, "finfo", "float32").attribute(g, "eps") == 2.0**-23
    assert str(np_(g, "ones", (3, 4)).shape) == "(3, 4)"
    assert np_(g, "arange", 3).attrs["value"] == (0, 1, 2)


def test_numpy_of_a_tensor_leaves_tensorflow(g: Graph, p: Node, y: Node) -> None:
    node = np_(g, "log", p)
    assert (node.op, node.attrs["how"], node.shape, node.inputs[0].op) == (
        "leaves_tensorflow",
        "np.log",
        p.shape,
        "log",
    )
    assert node.inputs[0].internal
    assert np_(g, "mean", p, axis=-1).op == "leaves_tensorflow"
    assert str(np_(g, "mean", p, axis=-1).shape) == "(B,)"
    assert CATALOGUE["math.exp"](g, p).attrs["how"] == "math.exp"
    assert CATALOGUE["builtins.float"](g, p).attrs["how"] == "float()"
    assert METHODS["numpy"](g, p).attrs["how"] == ".numpy()"
    alpha = g.source("alpha", "config", Shape())
    assert np_(g, "log", alpha).op == "log"
    static = PROPERTIES["shape"](g, p).getitem(g, 0)
    assert np_(g, "sqrt", static).op == "sqrt"
    assert CATALOGUE["tensorflow.experimental.numpy.log"](g, p).op == "log"


def test_dtypes() -> None:
    assert CONSTANTS["tensorflow.float32"] == "float32"
    assert (dtype_of("float"), dtype_of("int64"), dtype_of(3)) == ("float32", "int64", None)
    assert attribute("float32", "max") == pytest.approx(3.4028235e38)
    assert (attribute("int32", "min"), attribute("uint8", "max")) == (-(2**31), 255)
    info = finfo("float16")
    assert info is not None
    assert info.max == 65504.0


def test_the_rest_of_a_step_is_harmless(g: Graph, p: Node) -> None:
    assert tf(g, "print", "loss", p) is None
    assert tf(g, "debugging.assert_equal", p, p) is None
    assert tf(g, "debugging.check_numerics", p, "bad").op == "identity"
    assert tf(g, "summary.scalar", "loss", p) is None
    assert isinstance(tf(g, "name_scope", "loss"), Callback)
    assert isinstance(tf(g, "executing_eagerly"), Unknown)
    assert tf(g, "is_tensor", p) is True


def test_moments_clipping_and_counting(g: Graph, p: Node, y: Node) -> None:
    mean, variance = tf(g, "nn.moments", p, axes=[0])
    assert (mean.op, variance.op, str(mean.shape)) == ("mean", "var", "(10,)")
    assert tf(g, "clip_by_value", p, 1e-7, 1.0).op == "clip"
    assert tf(g, "clip_by_norm", p, 1.0).shape == p.shape
    assert tf(g, "linalg.global_norm", [p, y]).shape == Shape()
    assert tf(g, "add_n", [p, y, p]).shape == p.shape
    classes = tf(g, "argmax", p, 1)
    assert str(tf(g, "math.confusion_matrix", classes, classes, 4).shape) == "(4, 4)"
    assert tf(g, "math.cumsum", p, axis=1).attrs["axis"] == (1,)
    assert str(tf(g, "math.unsorted_segment_sum", p, classes, 7).shape) == "(7, 10)"
    assert tf(g, "math.count_nonzero", p, dtype="float32").dtype == "float32"


def test_no_name_is_catalogued_without_its_package() -> None:
    packages = (
        "tensorflow.",
        "keras.",
        "tensorflow_addons.",
        "tensorflow_probability.",
        "numpy.",
        "math.",
        "builtins.",
    )
    assert all(name.startswith(packages) or "." in name for name in CATALOGUE)
    assert len([name for name in CATALOGUE if name.startswith("tensorflow.")]) > 900


def test_sparse_tensors_are_followed_as_dense_ones(g: Graph) -> None:
    labels = g.source("y", "label", Shape.of("B"), "int64")
    rows = tf(g, "range", g.op("static_dim", labels, axis=0))
    hot = tf(g, "SparseTensor", indices=tf(g, "stack", [rows, labels], axis=1), values=1.0, dense_shape=[7, 4])
    assert str(hot.shape) == "(B, 4)"  # a one at each row and label: one_hot
    assert str(tf(g, "sparse_reduce_sum", hot, reduction_axes=[0]).shape) == "(4,)"
    assert tf(g, "sparse.to_dense", hot).shape == hot.shape


def test_contrib_layers_and_penalties(g: Graph, p: Node) -> None:
    assert tf(g, "contrib.layers.fully_connected", p, 5, activation_fn=None).op == "model"
    assert str(tf(g, "contrib.layers.fully_connected", p, 5).shape) == "(B, 5)"
    assert tf(g, "contrib.layers.l2_regularizer", 1e-4).call(g, p).shape == Shape()
    assert tf(g, "contrib.slim.batch_norm", p, is_training=True).op == "batch_statistics"
    assert tf(g, "contrib.losses.mean_squared_error", p, p).shape == Shape()


def test_a_vector_picks_rows_as_in_tensorflow_1(g: Graph, p: Node, y: Node) -> None:
    rows = tf(g, "greater", tf(g, "reduce_sum", p, axis=1), 0.0)
    assert rows.shape.rank == 1
    assert tf(g, "where", rows, p, tf(g, "zeros_like", p)).shape == p.shape


def test_recurrent_networks_of_tensorflow_1(g: Graph) -> None:
    x = g.source("x", "input", Shape.of("B", 7, 3))
    cell = tf(g, "nn.rnn_cell.BasicLSTMCell", 16)
    outputs, _ = tf(g, "nn.dynamic_rnn", cell, x)
    assert outputs.shape.rank == 3 and str(outputs.shape).startswith("(B, 7, ")
    steps, _ = tf(g, "nn.static_rnn", cell, [x])
    assert isinstance(steps, list) and steps[-1].op == "model"
    assert len(tf(g, "nn.static_bidirectional_rnn", cell, cell, [x])) == 3


def test_the_weights_of_a_sequence_count_its_steps(g: Graph) -> None:
    logits, targets = g.source("p", "prediction", Shape.of("B", 7, 5)), g.source("y", "label", Shape.of("B", 7))
    weights = tf(g, "ones", [32, 7])
    loss = tf(g, "contrib.seq2seq.sequence_loss", logits, targets, weights)
    counts = [n for n in g.nodes if n.op == "sum" and n.attrs.get("extent") is not None and n.attrs["extent"].batch]
    assert loss.shape == Shape() and len(counts) >= 2
