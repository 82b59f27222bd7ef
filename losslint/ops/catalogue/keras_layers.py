"""``keras.layers``: constructors give callables; what has weights is the primitive ``model``, the rest is expanded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import BATCH, Dim, Shape
from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.ops.axes import batched, called, combined, constant_of, flag, nodes_in, sized, unknown
from losslint.ops.catalogue import keras_backend, keras_nn, tf_nn, tf_parts, tf_shape
from losslint.ops.catalogue.arguments import activated, last_extent, under
from losslint.ops.dtypes import dtype_of
from losslint.ops.extents import extent_of, integer
from losslint.ops.registry import CATALOGUE, Callback

Options = dict[str, Any]
ShapeOf = Callable[[Node, Options], "Shape | None"]
Apply = Callable[[Graph, Node, Options], Any]

OLD = (
    "core convolutional pooling normalization recurrent embeddings merge advanced_activations wrappers noise local "
    "experimental.preprocessing preprocessing"
)
LAYERS = " ".join(["keras.layers", "keras._legacy.layers", *(f"keras.layers.{part}" for part in OLD.split())])
"""Where layers are found; Keras 1 and 2 kept them in modules of their own."""


def layer(names: str, parameters: str, apply: Apply) -> None:
    """Register layers; ``parameters`` are the first arguments of the constructor, ``apply`` is what a call does."""
    for name in names.split():
        under(LAYERS, name, _constructor(name, parameters.split(), apply))


def _constructor(title: str, parameters: list[str], apply: Apply) -> Callable[..., Callback]:
    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        options = dict(zip(parameters, args, strict=False)) | kwargs | {"class": title}

        def call(g: Graph, inputs: Any = None, *more: Any, **named: Any) -> Any:
            if inputs is None and not more:
                return Unknown((), f"{title} without inputs")
            value = inputs if isinstance(inputs, (list, tuple)) else g.lift(inputs)
            extra = tuple(nodes_in(more, named))
            return apply(g, value, options | {"more": extra, "training": named.get("training")})  # type: ignore[arg-type]

        return Callback(f"keras.layers.{title}", call, options)

    return construct


def weighted(shape_of: ShapeOf, activation: bool = True) -> Apply:
    """A layer with weights of its own, then its activation."""

    def apply(g: Graph, x: Any, options: Options) -> Any:
        inputs = tuple(nodes_in(x)) + options["more"]
        result = g.op("model", *inputs, name=_called(options))
        first = inputs[0] if inputs else result
        shape = shape_of(first, options)
        result = result if shape is None else batched(result, shape)
        return activated(g, result, options.get("activation")) if activation else result

    return apply


def _called(options: Options) -> str:
    name = options.get("name")
    return name if isinstance(name, str) else str(options["class"])


def alike(x: Node, options: Options) -> Shape | None:
    """The shape of the input."""
    return x.shape


def to_units(x: Node, options: Options) -> Shape | None:
    """Another last extent."""
    return last_extent(x, options.get("units", options.get("output_dim")))


def convolved(x: Node, options: Options) -> Shape | None:
    """Another number of channels; height and width are kept where nothing is cut off."""
    channels = extent_of(options.get("filters", options.get("nb_filter"))) or Dim.fresh()
    steps, border = constant_of(options.get("strides", 1)), options.get("padding", options.get("border_mode", "valid"))
    still = (steps == 1 or (isinstance(steps, tuple) and set(steps) == {1})) and "Transpose" not in options["class"]
    if still and isinstance(border, str) and border.lower() == "same":
        return sized(x.shape, -1, channels)
    if x.shape.rank is None or x.shape.rank < 3:
        return None
    return Shape((x.shape.head[0], *(Dim.fresh() for _ in x.shape.head[1:-1]), channels))


def recurrent(x: Node, options: Options) -> Shape | None:
    """(B, units), or (B, steps, units) where every step is returned."""
    units = extent_of(options.get("units", options.get("output_dim"))) or Dim.fresh()
    if options.get("return_state") or x.shape.axis(0) is None:
        return None
    steps = (x.shape.axis(1) or Dim.fresh(),) if flag(options.get("return_sequences")) else ()
    return Shape((x.shape.head[0], *steps, units))


def embedded(x: Node, options: Options) -> Shape | None:
    """A vector for each number."""
    size = extent_of(options.get("output_dim")) or Dim.fresh()
    return Shape((*x.shape.head, size)) if x.shape.rank is not None else None


def unknown_shape(x: Node, options: Options) -> Shape | None:
    """Only that the first axis stays is known."""
    return None


layer("Dense TimeDistributedDense MaxoutDense", "units activation", weighted(to_units))
layer("EinsumDense", "equation output_shape activation", weighted(unknown_shape))
layer(
    "Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D Conv1DTranspose Conv2DTranspose Conv3DTranspose "
    "Convolution2DTranspose Deconvolution2D Deconvolution3D SeparableConv1D SeparableConv2D SeparableConvolution2D "
    "AtrousConvolution2D LocallyConnected1D LocallyConnected2D",
    "filters kernel_size strides padding",
    weighted(convolved),
)
layer("DepthwiseConv1D DepthwiseConv2D", "kernel_size strides padding", weighted(unknown_shape))
layer("LSTM GRU SimpleRNN CuDNNLSTM CuDNNGRU", "units", weighted(recurrent, activation=False))
layer(
    "RNN Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D StackedRNNCells LSTMCell GRUCell SimpleRNNCell",
    "cell",
    weighted(unknown_shape, activation=False),
)
layer("Embedding ReversibleEmbedding", "input_dim output_dim", weighted(embedded))
layer(
    "BatchNormalization LayerNormalization GroupNormalization RMSNormalization UnitNormalization SpectralNormalization "
    "PReLU Normalization SReLU ParametricSoftplus Highway",
    "axis",
    weighted(alike),
)
layer("MultiHeadAttention Attention AdditiveAttention GroupQueryAttention", "num_heads", weighted(alike))
layer(
    "Discretization CategoryEncoding Hashing HashedCrossing IntegerLookup StringLookup TextVectorization "
    "MelSpectrogram STFTSpectrogram TFSMLayer JaxLayer FlaxLayer TorchModuleWrapper DenseFeatures "
    "Wrapper Pipeline AbstractRNNCell",
    "first",
    weighted(unknown_shape),
)


# -- without weights: activations and noise ----------------------------------------------------------------------------
def _relu(g: Graph, x: Node, options: Options) -> Node:
    slope = options.get("negative_slope", options.get("alpha", 0.3 if options["class"] == "LeakyReLU" else 0.0))
    if options["class"] == "LeakyReLU":
        return keras_nn.leaky_relu(g, x, slope)
    return keras_nn.relu(g, x, slope, options.get("max_value"), options.get("threshold", 0.0))


def _noisy(g: Graph, x: Node, options: Options) -> Node:
    """Nothing in use; a loss is looked at as it trains."""
    if constant_of(options["training"]) is False:
        return x
    if options["class"] == "GaussianNoise":
        with g.library():
            return batched(g.op("add", x, g.op("random", low=None, high=None, shape=x.shape, dtype="float32")), x.shape)
    return tf_nn.dropout(g, x, options.get("rate"))


layer("Activation", "activation", lambda g, x, o: activated(g, x, o.get("activation")))
layer("Softmax", "axis", lambda g, x, o: keras_nn.softmax("softmax")(g, x, o.get("axis", -1)))
layer("ReLU", "max_value negative_slope threshold", _relu)
layer("LeakyReLU", "negative_slope", _relu)
layer("ELU", "alpha", lambda g, x, o: keras_nn.elu(g, x, o.get("alpha", 1.0)))
layer("ThresholdedReLU", "theta", lambda g, x, o: keras_nn.threshold_(g, x, o.get("theta", 1.0), 0.0))
layer(
    "Dropout AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D",
    "rate",
    _noisy,
)
layer("Identity ActivityRegularization Masking InputLayer", "first", lambda g, x, o: g.op("identity", x))


def _lambda(g: Graph, x: Any, options: Options) -> Any:
    arguments = options.get("arguments")
    return called(g, options.get("function"), x, **(arguments if isinstance(arguments, dict) else {}))


def _rescaled(g: Graph, x: Node, options: Options) -> Node:
    return g.op("add", g.op("mul", x, options.get("scale", 1.0)), options.get("offset", 0.0))


layer("Lambda", "function output_shape mask arguments", _lambda)
layer("Rescaling", "scale offset", _rescaled)
layer("TimeDistributed", "layer", lambda g, x, o: called(g, o.get("layer"), x))


# -- without weights: shapes -------------------------------------------------------------------------------------------
def _reshaped(g: Graph, x: Node, options: Options) -> Node:
    target = options.get("target_shape", options.get("dims"))
    first = x.shape.axis(0)
    if not isinstance(target, (list, tuple)):
        return unknown(g, "a shape that is not known", x, target)
    with g.library():
        result = g.op("reshape", x, [g.op("dynamic_dim", x, axis=0), *target])
    return result if first is None else batched(result, sized(result.shape, 0, first))


def _permuted(g: Graph, x: Node, options: Options) -> Node:
    order = constant_of(options.get("dims"))
    return tf_shape.transpose(g, x, (0, *order)) if isinstance(order, tuple) else unknown(g, "an order of axes", x)


def _padded(g: Graph, x: Node, options: Options) -> Node:
    """Zeros around an image."""
    amount = options.get("padding", 1)
    axes = int(options["class"][-2])
    known = constant_of(amount)
    pairs = [(known, known)] * axes if isinstance(known, int) else known
    if not isinstance(pairs, (list, tuple)):
        return g.op("conv", x, how="pad")
    if axes == 1 and all(isinstance(p, int) for p in pairs):
        pairs = [tuple(pairs)]
    widths = [(0, 0), *(p if isinstance(p, tuple) else (p, p) for p in pairs), (0, 0)]
    return g.op("pad", x, widths, mode="constant", constant_values=0)


def _pooled(g: Graph, x: Node, options: Options) -> Node:
    how = "avg_pool" if "A" in options["class"][:3] else "max_pool"
    strides = options.get("strides")
    size = options.get("pool_size", 2)
    result: Node = CATALOGUE[f"tensorflow.nn.{how}"](
        g, x, size, size if strides is None else strides, options.get("padding", "valid")
    )
    return result


def _pooled_globally(g: Graph, x: Node, options: Options) -> Node:
    """The mean or the maximum over space."""
    count = int(options["class"][-2])
    op = "mean" if "A" in options["class"][6:9] else "max"
    return g.op(op, x, axis=tuple(range(1, count + 1)), keepdims=flag(options.get("keepdims")))


def _upsampled(g: Graph, x: Node, options: Options) -> Node:
    size = constant_of(options.get("size", 2))
    if options["class"] != "UpSampling2D" or not isinstance(size, (int, tuple)):
        return g.op("conv", x, how="resize")
    height, width = (size, size) if isinstance(size, int) else size
    return keras_backend.resized(g, x, height, width, "channels_last")


def _resized(g: Graph, x: Node, options: Options) -> Node:
    return keras_nn.resize(g, x, (options.get("height"), options.get("width")))


layer("Flatten", "data_format", lambda g, x, o: keras_backend.batch_flatten(g, x))
layer("Reshape", "target_shape", _reshaped)
layer("Permute", "dims", _permuted)
layer("RepeatVector", "n", lambda g, x, o: keras_backend.repeat(g, x, o.get("n", 1)))
layer("ZeroPadding1D ZeroPadding2D ZeroPadding3D", "padding", _padded)
layer("Cropping1D Cropping2D Cropping3D CenterCrop RandomCrop", "cropping", lambda g, x, o: g.op("conv", x, how="crop"))
layer(
    "MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D AveragePooling1D AveragePooling2D "
    "AveragePooling3D AvgPool1D AvgPool2D AvgPool3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D "
    "AdaptiveMaxPooling1D AdaptiveMaxPooling2D",
    "pool_size strides padding",
    _pooled,
)
layer(
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
    "GlobalMaxPooling3D",
    "data_format",
    _pooled_globally,
)
for _short, _long in (("GlobalAvgPool", "GlobalAveragePooling"), ("GlobalMaxPool", "GlobalMaxPooling")):
    for _axes in "123":
        under(LAYERS, f"{_short}{_axes}D", CATALOGUE[f"keras.layers.{_long}{_axes}D"])
layer("UpSampling1D UpSampling2D UpSampling3D", "size", _upsampled)
layer("Resizing", "height width", _resized)
layer(
    "RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomElasticTransform RandomErasing "
    "RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization "
    "RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom RandomHeight RandomWidth "
    "RandAugment AugMix AutoContrast Equalization Solarization CutMix MixUp",
    "factor",
    lambda g, x, o: unknown(g, "an image that is changed at random", x, shape=x.shape),
)


# -- without weights: joining ------------------------------------------------------------------------------------------
def _folded(primitive: str, divide: bool = False) -> Apply:
    def apply(g: Graph, xs: Any, options: Options) -> Node:
        if not isinstance(xs, (list, tuple)) or not xs:
            return unknown(g, "tensors that are not known", xs)
        if divide and isinstance(xs, SomeOf):
            return g.op("mean", xs, axis=(0,), keepdims=False)
        total = combined(g, primitive, xs)
        return g.op("div", total, len(xs)) if divide else total

    return apply


def _concatenated(g: Graph, xs: Any, options: Options) -> Node:
    return tf_parts.concat(g, xs, options.get("axis", options.get("concat_axis", -1)))


def _dotted(g: Graph, xs: Any, options: Options) -> Node:
    if not isinstance(xs, (list, tuple)) or len(xs) != 2:
        return unknown(g, "tensors that are not known", xs)
    pair = list(xs)
    if flag(options.get("normalize")):
        pair = [keras_nn.normalize(g, x, constant_of(options.get("axes"))) for x in pair]
    return keras_backend.batch_dot(g, pair[0], pair[1], options.get("axes"))


_JOINS: dict[str, tuple[str, Apply]] = {
    "Add": ("", _folded("add")),
    "Subtract": ("", _folded("sub")),
    "Multiply": ("", _folded("mul")),
    "Average": ("", _folded("add", divide=True)),
    "Maximum": ("", _folded("maximum")),
    "Minimum": ("", _folded("minimum")),
    "Concatenate": ("axis", _concatenated),
    "Dot": ("axes normalize", _dotted),
}


def _at_once(name: str) -> Callable[..., Any]:
    """``add(inputs)`` for ``Add()(inputs)``."""
    construct = CATALOGUE[f"keras.layers.{name}"]

    def expansion(g: Graph, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return construct(g, *args, **kwargs).call(g, inputs)

    return expansion


for _name, (_parameters, _apply) in _JOINS.items():
    layer(_name, _parameters, _apply)
    under(LAYERS, _name.lower(), _at_once(_name))


# -- inputs ------------------------------------------------------------------------------------------------------------
def input_(
    g: Graph,
    shape: Any = None,
    batch_size: Any = None,
    dtype: Any = None,
    sparse: Any = None,
    batch_shape: Any = None,
    name: Any = None,
    tensor: Any = None,
    **kwargs: Any,
) -> Any:
    """A batch of data of a declared shape; extents left open are the same for every batch size."""
    if tensor is not None:
        return tensor
    whole = batch_shape if batch_shape is not None else kwargs.get("batch_input_shape")
    asked = whole[1:] if isinstance(whole, (list, tuple)) else shape if shape is not None else kwargs.get("input_shape")
    asked = (asked,) if isinstance(asked, int) else asked
    label = name if isinstance(name, str) else "Input"
    kind = dtype_of(dtype) if dtype is not None else "float32"
    if not isinstance(asked, (list, tuple)):
        return g.source(label, "input", Shape((BATCH,), "S"), kind, batch="proven")
    dims = (Dim(size) if (size := integer(item)) is not None and size >= 0 else Dim.fresh() for item in asked)
    return g.source(label, "input", Shape((BATCH, *dims)), kind, batch="proven")


under(f"keras {LAYERS} keras.engine keras.engine.topology keras.engine.input_layer", "Input", input_)
