"""The catalogue of ``keras.*`` and of the libraries around TensorFlow: expansions and shapes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import losslint.ops.catalogue  # noqa: F401
from losslint.domain.shape import Shape
from losslint.graph import Graph, Node, Unknown, ancestors
from losslint.ops.catalogue.keras_losses import loss_by_name
from losslint.ops.registry import CATALOGUE, CONSTANTS, Callback
from losslint.ops.shapevalue import ShapeValue
from tests.traced import ops as primitives
from tests.traced import traced


def k(g: Graph, name: str, *args: Any, **kwargs: Any) -> Any:
    return CATALOGUE[f"keras.{name}"](g, *args, **kwargs)


# -- elementwise and reductions ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "primitive"),
    [
        ("ops.log", "log"), ("backend.log", "log"), ("ops.numpy.exp", "exp"), ("ops.nn.softplus", "softplus"), ("ops.round", "round"),
        ("activations.sigmoid", "sigmoid"), ("backend.softmax", "softmax"), ("ops.isnan", "is_nan"), ("ops.relu6", "clip"),
        ("backend.argmax", "argmax"), ("ops.stop_gradient", "stop_gradient"), ("activations.gelu", "smooth"), ("ops.normalize", "l2_normalize"),
        ("backend.l2_normalize", "l2_normalize"), ("ops.convert_to_numpy", "leaves_tensorflow"), ("backend.eval", "leaves_tensorflow"),
        ("ops.arcsinh", "asinh"), ("backend.stop_gradient", "stop_gradient"), ("activations.softmax", "softmax"), ("ops.nn.log_softmax", "log_softmax"),
    ],
)  # fmt: skip
def test_a_function_of_one_tensor_is_one_visible_primitive(g: Graph, p: Node, name: str, primitive: str) -> None:
    node = k(g, name, p)
    assert (node.op, node.internal) == (primitive, False)


@pytest.mark.parametrize(
    ("name", "primitive"),
    [
        ("ops.divide", "div"), ("backend.equal", "eq"), ("backend.pow", "pow"), ("ops.power", "pow"), ("ops.maximum", "maximum"),
        ("backend.less", "lt"), ("ops.logical_xor", "xor"), ("ops.divide_no_nan", "div_no_nan"), ("ops.mod", "mod"), ("ops.arctan2", "atan2"),
    ],
)  # fmt: skip
def test_a_function_of_two_tensors(g: Graph, p: Node, y: Node, name: str, primitive: str) -> None:
    node = k(g, name, y, p)
    assert (node.op, str(node.shape)) == (primitive, "(B, 10)")


def test_arguments_bind_as_in_keras(g: Graph, p: Node, y: Node) -> None:
    assert k(g, "ops.add", x1=y, x2=p).op == k(g, "backend.minimum", x=y, y=p).op.replace("minimum", "add")
    with pytest.raises(TypeError):
        k(g, "ops.add", x=y, y=p)
    with pytest.raises(TypeError):
        k(g, "ops.mean", p, keep_dims=True)
    with pytest.raises(TypeError):
        k(g, "losses.mean_squared_error", y, p, reduction="none")
    with pytest.raises(TypeError):
        k(g, "losses.MeanSquaredError", from_logits=True)


@pytest.mark.parametrize(("axis", "shape"), [(None, "()"), (0, "(10,)"), (-1, "(B,)"), ((0, 1), "()")])
def test_reductions(g: Graph, p: Node, axis: Any, shape: str) -> None:
    for name in (
        "ops.sum",
        "ops.max",
        "ops.std",
        "ops.logsumexp",
        "ops.norm",
        "ops.nanmean",
        "backend.mean",
        "backend.prod",
        "backend.var",
    ):
        assert str(k(g, name, p, axis=axis).shape) == shape, name


def test_indices_of_keras_ops_are_int32_and_of_everything_without_an_axis(g: Graph, p: Node) -> None:
    assert (k(g, "ops.argmax", p).dtype, str(k(g, "ops.argmax", p).shape)) == ("int32", "()")
    assert str(k(g, "backend.argmax", p).shape) == "(B,)"
    assert k(g, "ops.count_nonzero", p, -1).dtype == "int32"


def test_an_unknown_axis_stays_unknown(g: Graph, p: Node) -> None:
    axis = g.source("axis", "config", Shape())
    for name in ("ops.sum", "ops.softmax", "ops.expand_dims", "backend.cumsum", "backend.max", "ops.normalize"):
        assert k(g, name, p, axis).op == "opaque", name


def test_clip_in_its_three_spellings(g: Graph, p: Node) -> None:
    assert k(g, "ops.clip", p, 0.0, 1.0).op == k(g, "backend.clip", p, min_value=0.0, max_value=1.0).op == "clip"
    assert k(g, "backend.clip", p, 0.0, None).op == "maximum"


# -- shapes ------------------------------------------------------------------------------------------------------------
def test_keras_ops_shape_is_a_tuple_whose_open_extents_are_tensors(g: Graph, p: Node) -> None:
    shape = k(g, "ops.shape", p)
    assert shape.dim(g, 1) == 10
    assert shape.dim(g, 0).op == "dynamic_dim"
    assert k(g, "backend.int_shape", p).dim(g, 0).op == "static_dim"
    open_ = g.source("x", "prediction", Shape(Shape.of("B").head, "S", Shape.of("C").head))
    assert k(g, "ops.shape", open_).getitem(g, -1).op == "dynamic_dim"
    assert isinstance(k(g, "ops.shape", open_).getitem(g, slice(1, None)), ShapeValue)


@pytest.mark.parametrize(
    ("name", "args", "shape"),
    [
        ("ops.reshape", ((-1,),), "(10*B,)"), ("ops.expand_dims", ((0, -1),), "(1, B, 10, 1)"), ("ops.swapaxes", (0, 1), "(10, B)"),
        ("ops.moveaxis", (0, -1), "(10, B)"), ("ops.transpose", (), "(10, B)"), ("ops.tile", ((1, 2),), "(B, 20)"), ("ops.repeat", (3, 1), "(B, 30)"),
        ("ops.take", (0, -1), "(B,)"), ("ops.pad", (((0, 0), (1, 1)),), "(B, 12)"), ("ops.ravel", (), "(10*B,)"), ("ops.outer", ([1.0, 2.0],), "(10*B, 2)"),
        ("backend.flatten", (), "(10*B,)"), ("backend.batch_flatten", (), "(B, 10)"), ("backend.permute_dimensions", ((1, 0),), "(10, B)"),
        ("backend.repeat", (3,), "(B, 3, 10)"), ("backend.repeat_elements", (2, 1), "(B, 20)"), ("backend.expand_dims", (), "(B, 10, 1)"),
        ("ops.diff", (), "(B, 9)"), ("ops.argsort", (), "(B, 10)"), ("ops.cumsum", (1,), "(B, 10)"), ("backend.reverse", (1,), "(B, 10)"),
    ],
)  # fmt: skip
def test_shapes_of_what_moves_elements(g: Graph, p: Node, name: str, args: tuple[Any, ...], shape: str) -> None:
    assert str(k(g, name, p, *args).shape) == shape


def test_take_along_axis_has_the_shape_of_its_indices(g: Graph, p: Node) -> None:
    best = g.op("top_k", p, k=3, part="indices")
    assert str(k(g, "ops.take_along_axis", p, best, axis=-1).shape) == "(B, 3)"


def test_products(g: Graph, p: Node, y: Node) -> None:
    assert str(k(g, "backend.batch_dot", y, p, axes=1).shape) == "(B, 1)"
    assert str(k(g, "ops.inner", y, p).shape) == "(B, B)"
    assert str(k(g, "ops.matmul", y, k(g, "ops.transpose", p)).shape) == "(B, B)"
    a, b = (g.source(n, "prediction", Shape.of("B", "T", 4)) for n in "ab")
    assert str(k(g, "backend.batch_dot", a, b, axes=(2, 2)).shape) == "(B, T, T)"
    assert str(k(g, "backend.batch_dot", a, b, axes=1).shape) == "(B, 4, 4)"
    assert str(k(g, "backend.dot", a, g.source("w", "variable", Shape.of(4, 2))).shape) == "(B, T, 2)"


def test_images(g: Graph, images: Node) -> None:
    assert str(k(g, "backend.resize_images", images, 2, 2, "channels_last").shape) == "(B, 64, 64, 3)"
    assert str(k(g, "backend.spatial_2d_padding", images).shape) == "(B, 34, 34, 3)"
    assert str(k(g, "ops.image.resize", images, (8, 8)).shape) == "(B, 8, 8, 3)"
    assert str(k(g, "ops.depth_to_space", g.op("tile", images, (1, 1, 1, 4)), 2).shape) == "(B, 64, 64, 3)"


# -- control flow ------------------------------------------------------------------------------------------------------
def test_control_flow_calls_back(g: Graph, p: Node, y: Node) -> None:
    assert (
        k(g, "ops.cond", g.op("gt", g.op("max", p, axis=None, keepdims=False), 0.0), lambda: p, lambda: y).op == "join"
    )
    assert str(k(g, "ops.map", lambda row: g.op("sum", row, axis=None, keepdims=False), p).shape) == "(B,)"
    assert k(g, "ops.fori_loop", 0, 3, lambda i, v: g.op("add", v, 1.0), p).op == "loop"
    carry, rows = k(g, "ops.scan", lambda c, x: (g.op("add", c, x), x), g.op("zeros", shape=(10,)), p)
    assert (carry.op, str(rows.shape)) == ("loop", "(B, 10)")
    assert k(g, "backend.switch", g.op("gt", p, 0.0), p, y).op == "select"
    assert k(g, "backend.in_train_phase", lambda: p, y) is p


# -- losses ------------------------------------------------------------------------------------------------------------
FUNCTIONS = (
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error huber log_cosh poisson "
    "cosine_similarity binary_crossentropy categorical_crossentropy binary_focal_crossentropy categorical_focal_crossentropy "
    "kl_divergence hinge squared_hinge categorical_hinge MSE mae kld logcosh"
)


@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_a_loss_is_one_number_for_each_sample_and_its_numerics_are_internal(
    g: Graph, p: Node, y: Node, name: str
) -> None:
    loss = k(g, f"losses.{name}", y, p)
    assert str(loss.shape) == "(B,)"
    assert p in ancestors([loss])
    assert all(n.internal for n in ancestors([loss]) if n.op not in ("const", "source"))


def test_labels_and_predictions_are_aligned(g: Graph) -> None:
    flat, column = g.source("y", "label", Shape.of("B")), g.source("p", "prediction", Shape.of("B", 1))
    assert str(k(g, "losses.mean_squared_error", flat, column).shape) == "(B,)"
    assert str(k(g, "losses.BinaryCrossentropy", reduction="none").call(g, flat, column).shape) == "(B,)"


def test_class_numbers_in_either_shape(g: Graph, p: Node) -> None:
    for shape in (Shape.of("B"), Shape.of("B", 1)):
        numbers = g.source("y", "label", shape, "int32")
        assert str(k(g, "losses.sparse_categorical_crossentropy", numbers, p).shape) == "(B,)"
    open_ = Shape(Shape.of("B").head, "S", Shape.of("C").head)
    made_up = [g.source(n, "prediction", open_) for n in ("y", "p")]
    assert str(k(g, "losses.sparse_categorical_crossentropy", *made_up).shape) == "(B, ...)"


def test_overlaps_are_of_the_whole_batch_unless_told_otherwise(g: Graph, p: Node, y: Node) -> None:
    assert str(k(g, "losses.dice", y, p).shape) == "()"
    assert str(k(g, "losses.tversky", y, p, axis=1).shape) == "(B,)"


@pytest.mark.parametrize(
    ("reduction", "op", "shape"),
    [("sum_over_batch_size", "mean", "()"), ("sum", "sum", "()"), ("mean", "mean", "()"), ("none", "mean", "(B,)"), (None, "mean", "(B,)"),
     ("auto", "mean", "()"), (CONSTANTS["keras.losses.Reduction.NONE"], "mean", "(B,)"), (Unknown(), "opaque", "(...,)")],
)  # fmt: skip
def test_a_loss_object_reduces(g: Graph, p: Node, y: Node, reduction: Any, op: str, shape: str) -> None:
    loss = k(g, "losses.MeanSquaredError", reduction=reduction)
    value = loss.call(g, y, p)
    assert (value.op, str(value.shape), loss.attrs["reduction"]) == (op, shape, reduction)
    assert str(loss.attrs["call"].call(g, y, p).shape) == "(B,)"


def test_sample_weights(g: Graph, p: Node, y: Node) -> None:
    weights = g.source("w", "weight", Shape.of("B"))
    assert str(k(g, "losses.MeanSquaredError", reduction="none").call(g, y, p, weights).shape) == "(B,)"
    assert (
        k(g, "losses.MeanSquaredError", "mean_with_sample_weight").call(g, y, p, sample_weight=weights).op
        == "div_no_nan"
    )


def test_losses_by_name(g: Graph) -> None:
    found = loss_by_name("mse")
    assert found is not None
    assert (found.name, found.attrs["reduction"]) == ("keras.losses.mse", "sum_over_batch_size")
    entropy = loss_by_name("SparseCategoricalCrossentropy")
    assert entropy is not None
    assert entropy.attrs["from_logits"] is False
    assert loss_by_name("no_such_loss") is None
    assert k(g, "losses.get", "mae").name == "keras.losses.mae"


def test_constructors_have_the_order_of_keras() -> None:
    for name, first in {
        "BinaryCrossentropy": "from_logits",
        "Huber": "delta",
        "CTC": "reduction",
        "Tversky": "alpha",
    }.items():
        assert next(iter(inspect.signature(CATALOGUE[f"keras.losses.{name}"]).parameters)) == first


def test_a_loss_keeps_its_gradient_and_a_metric_object_has_none() -> None:
    source = """
    def loss(y_true, y_pred):
        return keras.{}(y_true, y_pred)
    """
    sound = traced(source.format("losses.BinaryCrossentropy()"))
    assert [sound.gradients.reaches(s) for s in sound.gradients.reaching if s.attrs["name"] == "y_pred"] == ["live"]
    metric = traced(source.format("metrics.AUC()"))
    assert metric.value.attrs["metric"] == "keras.metrics.AUC"
    assert "live" not in [metric.gradients.reaches(s) for s in metric.gradients.reaching]


def test_metric_objects_remember_what_they_were_given(g: Graph, p: Node, y: Node) -> None:
    metric = k(g, "metrics.MeanIoU", num_classes=2)
    metric.attrs["update_state"].call(g, y, p)
    assert p in ancestors([metric.attrs["result"].call(g)])


# -- layers and models -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "arguments", "op", "shape"),
    [
        ("Flatten", (), "reshape", "(B, 3072)"), ("GlobalAveragePooling2D", (), "mean", "(B, 3)"), ("Conv2D", (8, 3, 1, "same"), "model", "(B, 32, 32, 8)"),
        ("Dense", (5,), "model", "(B, 32, 32, 5)"), ("UpSampling2D", (), "conv", "(B, 64, 64, 3)"), ("ZeroPadding2D", (2,), "pad", "(B, 36, 36, 3)"),
        ("Reshape", ((1024, 3),), "reshape", "(B, 1024, 3)"), ("Permute", ((3, 1, 2),), "transpose", "(B, 3, 32, 32)"), ("BatchNormalization", (), "model", "(B, 32, 32, 3)"),
        ("Activation", ("softmax",), "softmax", "(B, 32, 32, 3)"), ("ReLU", (), "relu", "(B, 32, 32, 3)"), ("convolutional.Conv2D", (4, 3, 1, "same"), "model", "(B, 32, 32, 4)"),
    ],
)  # fmt: skip
def test_layers(g: Graph, images: Node, name: str, arguments: tuple[Any, ...], op: str, shape: str) -> None:
    result = k(g, f"layers.{name}", *arguments).call(g, images)
    assert (result.op, str(result.shape)) == (op, shape)


def test_layers_that_join(g: Graph, p: Node, y: Node) -> None:
    assert str(k(g, "layers.Concatenate").call(g, [y, p]).shape) == "(B, 20)"
    assert str(k(g, "layers.concatenate", [y, p], axis=-1).shape) == "(B, 20)"
    assert k(g, "layers.Add").call(g, [y, p]).op == "add"
    assert str(k(g, "layers.Dot", axes=1).call(g, [y, p]).shape) == "(B, 1)"
    assert k(g, "layers.Lambda", lambda x: g.op("exp", x)).call(g, p).op == "exp"


def test_an_activation_of_a_layer_tells_its_range(g: Graph, p: Node) -> None:
    assert k(g, "layers.Dense", 5, activation="softmax").call(g, p).op == "softmax"
    model = k(g, "Sequential", [k(g, "layers.Dense", 7, activation="relu")])
    model.attrs["add"].call(g, k(g, "layers.Dense", 5, activation="sigmoid"))
    result = model.call(g, p)
    assert (result.op, str(result.shape), result.inputs[0].op) == ("sigmoid", "(B, 5)", "model")


def test_inputs_are_batches_of_data(g: Graph) -> None:
    node = k(g, "Input", shape=(28, None, 3))
    assert (node.attrs["role"], node.attrs["batch"], node.shape.rank, str(node.shape.head[0])) == (
        "input",
        "proven",
        4,
        "B",
    )
    output = k(g, "layers.Dense", 5).call(g, k(g, "layers.Input", (7,)))
    model = k(g, "models.Model", node, output)
    assert model.attrs["output"] is output
    assert str(model.call(g, g.source("x", "input", Shape.of("B", 7))).shape) == "(B, 5)"


def test_ready_made_models(g: Graph, images: Node) -> None:
    features = k(g, "applications.vgg16.VGG16", include_top=False).call(g, images)
    assert features.op == "model"
    assert k(g, "applications.VGG16").call(g, images).op == "softmax"


def test_what_is_no_tensor(g: Graph, p: Node) -> None:
    assert k(g, "backend.epsilon") == 1e-7
    assert k(g, "backend.floatx") == "float32"
    assert k(g, "backend.image_data_format") == "channels_last"
    assert k(g, "utils.register_keras_serializable", package="x").call(g, p) is p
    assert str(k(g, "regularizers.l2", 0.1).call(g, p).shape) == "()"
    assert isinstance(k(g, "optimizers.Adam", 1e-3), Callback)
    assert str(k(g, "utils.to_categorical", g.source("y", "label", Shape.of("B")), 3).shape) == "(B, 3)"


# -- libraries around TensorFlow ---------------------------------------------------------------------------------------
def test_addons(g: Graph, p: Node, y: Node) -> None:
    focal = CATALOGUE["tensorflow_addons.losses.SigmoidFocalCrossEntropy"](g, reduction="none")
    assert str(focal.call(g, y, p).shape) == "(B,)"
    triplet = CATALOGUE["tensorflow_addons.losses.triplet_semihard_loss"](g, y, p)
    assert (triplet.op, str(triplet.shape)) == ("contrast", "()")


def test_distributions(g: Graph, p: Node, y: Node) -> None:
    tfd = "tensorflow_probability.distributions."
    normal = CATALOGUE[tfd + "Normal"](g, loc=p, scale=1.0)
    assert normal.attrs["log_prob"].call(g, y).shape == p.shape
    assert str(normal.attrs["sample"].call(g, 5).shape) == "(5, B, 10)"
    row = CATALOGUE[tfd + "Independent"](g, normal, reinterpreted_batch_ndims=1)
    assert str(row.attrs["log_prob"].call(g, y).shape) == "(B,)"
    other = CATALOGUE[tfd + "Normal"](g, 0.0, 1.0)
    assert CATALOGUE[tfd + "kl_divergence"](g, normal, other).shape == p.shape
    classes = CATALOGUE[tfd + "Categorical"](g, logits=p)
    assert str(classes.attrs["log_prob"].call(g, g.source("y", "label", Shape.of("B"))).shape) == "(B,)"
    assert classes.attrs["sample"].call(g).op == "random"
    gamma = CATALOGUE[tfd + "Gamma"](g, p, 1.0)
    assert p in ancestors([gamma.attrs["log_prob"].call(g, y)])


def test_scipy_leaves_tensorflow(g: Graph, p: Node) -> None:
    assert CATALOGUE["scipy.special.expit"](g, p).op == "leaves_tensorflow"
    assert CATALOGUE["scipy.special.expit"](g, g.source("gamma", "config", Shape())).op == "sigmoid"


# -- in a traced loss --------------------------------------------------------------------------------------------------
def test_a_loss_written_with_the_backend() -> None:
    loss = traced("""
    def dice_loss(y_true, y_pred, smooth=1.0):
        y, p = K.batch_flatten(y_true), K.batch_flatten(y_pred)
        return 1.0 - (2.0 * K.sum(y * p, axis=-1) + smooth) / (K.sum(y, axis=-1) + K.sum(p, axis=-1) + smooth)
    """)
    assert str(loss.value.shape) == "(B,)"
    assert primitives(loss)[-1] == "sub"


def test_a_loss_written_with_keras_ops() -> None:
    loss = traced(
        """
        def focal_loss(y_true, y_pred):
            p = ops.clip(y_pred, 1e-7, 1 - 1e-7)
            classes = ops.shape(p)[-1]
            return -ops.mean(ops.sum(y_true * ops.log(p), axis=-1)) / ops.cast(classes, "float32")
        """,
        header="import keras\nfrom keras import ops\n",
    )
    assert str(loss.value.shape) == "()"
    assert "opaque" not in primitives(loss)
