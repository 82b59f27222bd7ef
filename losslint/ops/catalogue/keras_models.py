"""``keras.models``, ``keras.applications``, optimizers, regularizers, initializers and ``keras.utils``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, called, constant_of, flag, nodes_in
from losslint.ops.catalogue import tf_make, tf_misc, tf_random, tf_reduce
from losslint.ops.catalogue.arguments import activated, decorator, nothing, table, undecided, under
from losslint.ops.dtypes import dtype_of
from losslint.ops.extents import extent_of
from losslint.ops.registry import CATALOGUE, Callback

MODELS = "keras keras.models keras.engine " + " ".join(
    f"keras.engine.{part}" for part in ("training", "topology", "network", "sequential", "functional")
)
LAST = ("softmax", "sigmoid", "tanh", "relu", "softplus", "log_softmax")
"""Activations that tell the range of what a model returns."""


# -- models ------------------------------------------------------------------------------------------------------------
def run(g: Graph, name: str, like: Any, *args: Any, **kwargs: Any) -> Any:
    """A model called on its inputs; ``like`` is what it returned when it was built."""
    inputs = tuple(dict.fromkeys(nodes_in(args, kwargs)))
    if not inputs:
        return Unknown((), f"{name} without inputs")
    if isinstance(like, (list, tuple)):
        return [_one(g, name, inputs, item, part=i) for i, item in enumerate(like)]
    if isinstance(like, dict):
        return {key: _one(g, name, inputs, item, part=key) for key, item in like.items()}
    return _one(g, name, inputs, like)


def _one(g: Graph, name: str, inputs: tuple[Node, ...], like: Any, **attrs: Any) -> Node:
    result = g.op("model", *inputs, name=name, **attrs)
    if not isinstance(like, Node):
        return result
    if like.shape.rank is not None and like.shape.batch_axes == (0,):
        first = inputs[0].shape.axis(0)
        result = batched(result, Shape((first or like.shape.head[0], *like.shape.head[1:])))
    if like.op not in LAST:
        return result
    with g.library():
        return g.op(like.op, result, **{key: like.attrs[key] for key in ("axis",) if key in like.attrs})


def model(g: Graph, *args: Any, **kwargs: Any) -> Callback:
    """``Model(inputs, outputs)``."""
    given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
    inputs, outputs = given.get("inputs", given.get("input")), given.get("outputs", given.get("output"))
    name = given["name"] if isinstance(given.get("name"), str) else "model"
    attributes = {
        "name": name,
        "input": inputs,
        "output": outputs,
        "inputs": _listed(inputs),
        "outputs": _listed(outputs),
    }
    return Callback(name, lambda g, *args, **kwargs: run(g, name, outputs, *args, **kwargs), attributes)


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple, dict, Unknown)) else [value]


def sequential(g: Graph, layers: Any = None, name: Any = None, **kwargs: Any) -> Callback:
    """``Sequential([...])``; layers can be added later."""
    stack = list(layers) if isinstance(layers, (list, tuple)) else []
    label = name if isinstance(name, str) else "model"

    def call(g: Graph, inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
        return run(g, label, _dry_run(g, stack, inputs), inputs, *args, **kwargs)

    methods: dict[str, Callable[..., Any]] = {
        "add": lambda g, layer: stack.append(layer),
        "pop": lambda g: stack.pop() if stack else None,
    }
    attributes: dict[str, Any] = {key: Callback(key, method, {}) for key, method in methods.items()}
    return Callback(label, call, attributes | {"name": label, "layers": stack})


def _dry_run(g: Graph, stack: list[Any], inputs: Any) -> Any:
    """What the layers make of ``inputs``, on a graph of its own: only shape and last operation are of interest."""
    scratch = Graph(g.rules)
    value: Any = inputs
    try:
        for layer in stack:
            if isinstance(layer, Node):
                continue  # an Input
            value = called(scratch, layer, value)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
    return value if stack else None


under(MODELS, "Model Functional", model)
under(MODELS, "Sequential", sequential)


def loaded(g: Graph, *args: Any, **kwargs: Any) -> Callback:
    """A model that was saved."""
    return Callback("model", lambda g, *args, **kwargs: run(g, "model", None, *args, **kwargs), {})


under("keras.models keras.saving", "load_model model_from_json model_from_yaml model_from_config clone_model", loaded)
under("keras.models keras.saving", "save_model", nothing)


# -- ready-made models -------------------------------------------------------------------------------------------------
FAMILIES = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "xception": "Xception",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3": "MobileNetV3Small MobileNetV3Large",
    "resnet": "ResNet50 ResNet101 ResNet152",
    "resnet50": "ResNet50",
    "resnet_v2": "ResNet50V2 ResNet101V2 ResNet152V2",
    "densenet": "DenseNet121 DenseNet169 DenseNet201",
    "nasnet": "NASNetMobile NASNetLarge",
    "efficientnet": " ".join(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": " ".join(f"EfficientNetV2{size}" for size in ("S", "M", "L", "B0", "B1", "B2", "B3")),
    "convnext": "ConvNeXtTiny ConvNeXtSmall ConvNeXtBase ConvNeXtLarge",
}


def _application(title: str) -> Callable[..., Callback]:
    def construct(g: Graph, include_top: Any = True, *args: Any, **kwargs: Any) -> Callback:
        def call(g: Graph, *inputs: Any, **named: Any) -> Any:
            result = run(g, title, None, *inputs, **named)
            if not isinstance(result, Node) or not flag(include_top, True):
                return result
            first = result.shape.axis(0)
            classes = extent_of(kwargs.get("classes", 1000)) or Dim.fresh()
            result = result if first is None else batched(result, Shape((first, classes)))
            return activated(g, result, kwargs.get("classifier_activation", "softmax"))

        return Callback(title, call, {"name": title.lower()})

    return construct


def preprocessed(g: Graph, x: Any, data_format: Any = None, mode: Any = None) -> Node:
    """Images as a model wants them: shifted and scaled."""
    node = g.lift(x)
    return batched(g.op("smooth", node, low=None, high=None, api="preprocess_input"), node.shape)


for _module, _titles in FAMILIES.items():
    for _title in _titles.split():
        construct = CATALOGUE.get(f"keras.applications.{_title}") or _application(_title)
        under(f"keras.applications keras.applications.{_module}", _title, construct)
    under(f"keras.applications.{_module}", "preprocess_input", preprocessed)
under("keras.applications.imagenet_utils", "preprocess_input", preprocessed)


# -- optimizers --------------------------------------------------------------------------------------------------------
OPTIMIZERS = (
    "Adam AdamW SGD RMSprop Adagrad Adadelta Adamax Nadam Ftrl Adafactor Lion Lamb Muon Optimizer LossScaleOptimizer "
    "TFOptimizer adam sgd rmsprop get deserialize serialize"
)


def _optimizer(title: str) -> Callable[..., Callback]:
    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        rate = kwargs.get("learning_rate", kwargs.get("lr", args[0] if args else 0.001))
        # a factor that is constant while one loss is computed
        scale = Callback("scale", lambda g, loss: g.op("identity", loss), {})
        passed = Callback("get_unscaled_gradients", lambda g, gradients: gradients, {})
        attributes = {"learning_rate": rate, "lr": rate, "get_scaled_loss": scale, "scale_loss": scale}
        return Callback(title, undecided("an optimizer is called"), attributes | {"get_unscaled_gradients": passed})

    return construct


for _title in OPTIMIZERS.split():
    under(
        "keras.optimizers keras.optimizers.legacy keras.optimizers.experimental keras.optimizer_v2",
        _title,
        _optimizer(f"keras.optimizers.{_title}"),
    )
under(
    "keras.mixed_precision keras.mixed_precision.experimental", "LossScaleOptimizer", _optimizer("LossScaleOptimizer")
)
under(
    "keras.optimizers.schedules keras.experimental",
    "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay",
    lambda g, *args, **kwargs: Callback("schedule", undecided("a learning rate"), {}),
)


# -- regularizers and initializers -------------------------------------------------------------------------------------
def penalty(g: Graph, x: Any, l1: Any, l2: Any) -> Node:
    """l1 sum(|x|) + l2 sum(x^2)."""
    terms = []
    with g.library():
        for factor, primitive in ((l1, "abs"), (l2, "square")):
            if factor is not None and constant_of(factor) != 0:
                total = g.op("sum", g.op(primitive, x), axis=None, keepdims=False)
                terms.append(g.op("mul", factor, total))
        return g.lift(0.0) if not terms else terms[0] if len(terms) == 1 else g.op("add", *terms)


def regularizer(g: Graph | None, l1: Any = 0.0, l2: Any = 0.0) -> Callback:
    """A penalty of weights."""
    return Callback("keras.regularizers", lambda g, x: penalty(g, x, l1, l2), {"l1": l1, "l2": l2})


table(
    "keras.regularizers",
    {
        "L1 l1": lambda g, l1=0.01, **old: regularizer(g, old.get("l", l1)),
        "L2 l2": lambda g, l2=0.01, **old: regularizer(g, l2=old.get("l", l2)),
        "L1L2": regularizer,
        "l1_l2 l1l2": lambda g, l1=0.01, l2=0.01: regularizer(g, l1, l2),
        "OrthogonalRegularizer orthogonal_regularizer": lambda g, factor=0.01, mode="rows": Callback(
            "orthogonal_regularizer", lambda g, x: batched(g.op("straight_through", x), Shape()), {}
        ),
        "serialize": undecided("a configuration"),
        "get deserialize": lambda g, identifier, custom_objects=None: (
            _REGULARIZERS.get(identifier, identifier) if isinstance(identifier, str) else identifier
        ),
    },
)
_REGULARIZERS: dict[str, Callback] = {
    "l1": regularizer(None, 0.01),
    "l2": regularizer(None, 0.0, 0.01),
    "l1_l2": regularizer(None, 0.01, 0.01),
}
"""Those that go by name."""
_INITIALIZERS = (
    "RandomNormal RandomUniform TruncatedNormal VarianceScaling GlorotNormal GlorotUniform HeNormal HeUniform "
    "LecunNormal LecunUniform Orthogonal glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform "
    "random_normal random_uniform truncated_normal orthogonal Identity identity"
)


def _drawn(g: Graph, shape: Any, dtype: Any = None, **kwargs: Any) -> Node:
    return tf_random.drawn(g, shape, None, None, dtype or "float32")


_DRAW = Callback("initializer", _drawn, {})
under("keras.initializers keras.initializers.initializers_v2", _INITIALIZERS, lambda g, *args, **kwargs: _DRAW)
for _title, _primitive in {"Zeros zeros": "zeros", "Ones ones": "ones"}.items():
    _fill = Callback(_primitive, CATALOGUE[f"tensorflow.{_primitive}"], {})
    under("keras.initializers", _title, lambda g, _fill=_fill, **kwargs: _fill)


def _constant_initializer(g: Graph, value: Any = 0.0, **kwargs: Any) -> Callback:
    return Callback("constant", lambda g, shape, dtype=None: tf_make.fill(g, shape, value), {})


under("keras.initializers", "Constant constant", _constant_initializer)


# -- utilities ---------------------------------------------------------------------------------------------------------
def to_categorical(g: Graph, x: Any = None, num_classes: Any = None, dtype: Any = "float32", *, y: Any = None) -> Node:
    """One-hot rows of class numbers."""
    depth = num_classes if num_classes is not None else Dim.fresh()
    return tf_make.one_hot(g, x if x is not None else y, depth, dtype=dtype_of(dtype) or "float32")


under("keras.utils keras.utils.np_utils", "to_categorical", to_categorical)
table(
    "keras.utils",
    {
        "normalize": lambda g, x, axis=-1, order=2: tf_reduce.normalize(g, x, order, axis)[0],
        "plot_model set_random_seed enable_interactive_logging disable_interactive_logging clear_session": nothing,
        "serialize_keras_object deserialize_keras_object get_registered_name get_file": undecided("a configuration"),
        "is_keras_tensor is_default": undecided("what kind of tensor it is"),
        "pack_x_y_sample_weight": lambda g, x, y=None, sample_weight=None: (
            x if y is None else (x, y) if sample_weight is None else (x, y, sample_weight)
        ),
        "multi_gpu_model": lambda g, model, *args, **kwargs: model,
        "custom_object_scope CustomObjectScope": lambda g, *args: Callback("custom_object_scope", lambda g, f: f, {}),
    },
)
under("keras.utils keras.utils.generic_utils keras.saving", "get_custom_objects", lambda g: {})
under(
    "keras.saving keras.utils keras.utils.generic_utils",
    "register_keras_serializable",
    decorator("register_keras_serializable"),
)
table(
    "keras.tree tree optree dm_tree",
    {
        "flatten": lambda g, structure: tf_misc.nest_flatten(g, structure),
        "is_nested": lambda g, structure: isinstance(structure, (list, tuple, dict)),
        "assert_same_structure assert_same_paths": nothing,
        "map_structure_up_to": lambda g, shallow, func, *structures: tf_misc.nest_map_structure(g, func, *structures),
        "pack_sequence_as": lambda g, structure, flat_sequence: flat_sequence,
        "map_structure": lambda g, func, *structures, **kwargs: tf_misc.nest_map_structure(g, func, *structures),
    },
)
under("keras keras.ops", "name_scope", decorator("name_scope"))
under("keras.saving", "serialize_keras_object deserialize_keras_object", undecided("a configuration"))
under("keras.constraints", "max_norm MaxNorm NonNeg UnitNorm MinMaxNorm get serialize", undecided("a constraint"))
under("keras.initializers keras.layers", "serialize", undecided("a configuration"))
under("keras.initializers", "get deserialize", lambda g, identifier, custom_objects=None: identifier)
under("keras.mixed_precision", "set_global_policy Policy global_policy", undecided("a policy"))
