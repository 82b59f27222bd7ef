"""Data types, variables, scopes, checks, and what of ``tf.ragged``, ``tf.strings`` and the like losses meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from losslint.domain.shape import BATCH, SCALAR, Dim, Shape
from losslint.graph import Graph, Node, SomeOf, Unknown
from losslint.ops.axes import batched, called, constant_of, nodes_in, opaque_row, row, unknown
from losslint.ops.dtypes import NAMES, dtype_of
from losslint.ops.origins import TENSOR_ROLES, from_tensors
from losslint.ops.registry import CONSTANTS, Callback, api
from losslint.ops.reshaping import inserted
from losslint.ops.shapevalue import ShapeValue

CONSTANTS.update({"tensorflow.newaxis": None, "tensorflow.AUTO_REUSE": "auto_reuse"})
for _dtype in NAMES:
    CONSTANTS.update({f"tensorflow.{_dtype}": _dtype, f"tensorflow.dtypes.{_dtype}": _dtype})
CONSTANTS.update({"tensorflow.half": "float16", "tensorflow.double": "float64"})
for _key in [
    "REGULARIZATION_LOSSES",
    "LOSSES",
    "UPDATE_OPS",
    "TRAINABLE_VARIABLES",
    "GLOBAL_VARIABLES",
    "SUMMARIES",
    "GLOBAL_STEP",
    "VARIABLES",
]:
    CONSTANTS[f"tensorflow.GraphKeys.{_key}"] = _key.lower()


# -- variables and inputs ----------------------------------------------------------------------------------------------
@api("tensorflow.Variable", "tensorflow.contrib.eager.Variable")
def variable(g: Graph, initial_value: Any = None, trainable: Any = True, *args: Any, **kwargs: Any) -> Node:
    """A variable; one that starts from a tensor of the loss is cut off from that tensor's gradient."""
    value = initial_value
    if value is not None and not isinstance(value, (Node, Unknown, int, float, list, tuple, ShapeValue)):
        value = called(g, value)
    start = g.lift(value if value is not None else 0.0)
    if from_tensors(start, roles=TENSOR_ROLES | {"argument"}):
        return g.op("variable_of", start)
    dtype = dtype_of(kwargs.get("dtype")) or start.dtype
    role = "captured" if constant_of(trainable) is False else "variable"
    return g.source(str(kwargs.get("name") or "tf.Variable"), role, start.shape, dtype, **_constrained(kwargs))


def _constrained(options: Any) -> dict[str, bool]:
    """The attribute of a variable that is kept in bounds after every step."""
    return {"constrained": True} if options.get("constraint") is not None else {}


@api("tensorflow.get_variable", "tensorflow.contrib.framework.model_variable", "tensorflow.contrib.framework.variable")
def get_variable(
    g: Graph, name: Any, shape: Any = None, dtype: Any = None, initializer: Any = None, *args: Any, **kwargs: Any
) -> Node:
    """A variable by its name."""
    role = "captured" if constant_of(kwargs.get("trainable")) is False else "variable"
    if shape is None and isinstance(initializer, Node):
        kind = dtype_of(dtype) or initializer.dtype
        return g.source(str(name), role, initializer.shape, kind, **_constrained(kwargs))
    declared = _dims(shape) if shape is not None else Shape.unknown()
    return g.source(str(name), role, declared, dtype_of(dtype) or "float32", **_constrained(kwargs))


def _dims(shape: Any) -> Shape:
    """A list of extents as a shape; an extent that is unknown may hold the batch."""
    if isinstance(shape, SomeOf):
        return Shape.unknown()
    if not isinstance(shape, (list, tuple)):
        number = constant_of(shape)
        return Shape.of(number) if isinstance(number, int) else Shape.unknown()
    numbers = [constant_of(item) for item in shape]
    return Shape(tuple(Dim(n) if isinstance(n, int) and n >= 0 else Dim.unknown() for n in numbers))


@api("tensorflow.placeholder", "tensorflow.placeholder_with_default", "tensorflow.sparse_placeholder")
def placeholder(g: Graph, dtype: Any = None, shape: Any = None, name: Any = None, *, input: Any = None) -> Node:
    """Data fed at every step: a first extent that is left open is the batch."""
    value = input if input is not None else dtype if isinstance(dtype, Node) else None
    kind = value.dtype if isinstance(value, Node) else dtype_of(dtype)
    label = name if isinstance(name, str) else "placeholder"
    if not isinstance(shape, (list, tuple)) or isinstance(shape, SomeOf):
        return g.source(label, "input", Shape.unknown(), kind)
    declared = _dims([0 if item is None else item for item in shape])
    dims = [Dim.fresh() if item is None else dim for item, dim in zip(shape, declared.head, strict=True)]
    if shape and shape[0] is None:
        return g.source(label, "input", Shape((BATCH, *dims[1:])), kind, batch="assumed")
    return g.source(label, "input", Shape(tuple(dims)), kind)


def variables(g: Graph, name: str) -> Node:
    """A list of unknown length of variables, seen as one source."""
    return g.source(name, "variable", Shape.unknown(), list=True)


@api(
    "tensorflow.trainable_variables",
    "tensorflow.global_variables",
    "tensorflow.all_variables",
    "tensorflow.model_variables",
    "tensorflow.moving_average_variables",
    "tensorflow.local_variables",
    "tensorflow.contrib.framework.get_trainable_variables",
    "tensorflow.contrib.framework.get_variables",
    "tensorflow.contrib.framework.get_model_variables",
    "tensorflow.contrib.slim.get_variables",
    "tensorflow.contrib.slim.get_trainable_variables",
    "tensorflow.contrib.slim.get_model_variables",
)
def trainable_variables(g: Graph, *args: Any, **kwargs: Any) -> Node:
    """The variables of the graph."""
    return variables(g, "trainable_variables")


@api("tensorflow.get_collection", "tensorflow.get_collection_ref")
def get_collection(g: Graph, key: Any, scope: Any = None) -> Any:
    """What was added to a list elsewhere: variables, or losses that we do not see."""
    if isinstance(key, str) and "variables" in key.lower():
        return variables(g, "trainable_variables")
    return Unknown((), "a collection that is filled elsewhere")


@api("tensorflow.assign", "tensorflow.compat.v1.assign")
def assign(g: Graph, ref: Any, value: Any, *args: Any, **kwargs: Any) -> Node:
    """The new value of a variable: its gradient stops there."""
    return g.op("stop_gradient", value)


@api("tensorflow.assign_add")
def assign_add(g: Graph, ref: Any, value: Any, *args: Any, **kwargs: Any) -> Node:
    """A variable plus something."""
    return g.op("add", ref, g.op("stop_gradient", value))


@api("tensorflow.assign_sub")
def assign_sub(g: Graph, ref: Any, value: Any, *args: Any, **kwargs: Any) -> Node:
    """A variable minus something."""
    return g.op("sub", ref, g.op("stop_gradient", value))


# -- checks and printing -----------------------------------------------------------------------------------------------
def _nothing(g: Graph, *args: Any, **kwargs: Any) -> None:
    """Runs for what it does; there is no value."""


_ASSERTIONS = (
    "equal none_equal greater greater_equal less less_equal near negative positive non_negative non_positive rank "
    "rank_at_least rank_in scalar shapes type integer proper_iterable all_finite same_float_dtype"
)
row("Assert debugging.Assert print add_to_collection", _nothing)
for _name in _ASSERTIONS.split():
    row(f"debugging.assert_{_name} assert_{_name}", _nothing)
row(
    "debugging.enable_check_numerics debugging.disable_check_numerics summary.scalar summary.histogram summary.image "
    "summary.text summary.audio summary.tensor_summary summary.merge summary.merge_all summary.write scalar_summary "
    "histogram_summary image_summary merge_all_summaries merge_summary summary.trace_on summary.trace_export "
    "logging.info logging.warning logging.error logging.debug logging.set_verbosity enable_eager_execution "
    "compat.v1.disable_eager_execution disable_eager_execution disable_v2_behavior enable_v2_behavior "
    "reset_default_graph global_variables_initializer local_variables_initializer initialize_all_variables "
    "initialize_local_variables initialize_all_tables initialize_variables variables_initializer tables_initializer "
    "report_uninitialized_variables scatter_sub scatter_add scatter_update load_op_library "
    "config.run_functions_eagerly config.set_visible_devices config.experimental.set_memory_growth",
    _nothing,
)


@api("tensorflow.debugging.check_numerics", "tensorflow.check_numerics")
def check_numerics(g: Graph, tensor: Any, message: Any = "", name: Any = None) -> Node:
    """The tensor; raises where it is not finite."""
    return g.op("identity", tensor)


@api("tensorflow.verify_tensor_all_finite")
def verify_tensor_all_finite(
    g: Graph, t: Any = None, msg: Any = None, name: Any = None, x: Any = None, message: Any = None
) -> Node:
    """The tensor; raises where it is not finite."""
    return g.op("identity", t if t is not None else x)


@api("tensorflow.Print")
def print_(
    g: Graph,
    input_: Any,
    data: Any = None,
    message: Any = None,
    first_n: Any = None,
    summarize: Any = None,
    name: Any = None,
) -> Node:
    """The first argument; prints the others."""
    return g.op("identity", input_)


# -- what is known about the run ---------------------------------------------------------------------------------------
def _undecided(g: Graph, *args: Any, **kwargs: Any) -> Unknown:
    """Depends on where and how the program is run."""
    return Unknown((), "depends on how the program is run")


row(
    "executing_eagerly inside_function test.is_gpu_available test.is_built_with_cuda get_static_value "
    "config.list_physical_devices config.experimental.list_physical_devices "
    "get_default_graph get_default_session "
    "get_variable_scope type_spec_from_value is_symbolic_tensor debugging.is_numeric_tensor is_numeric_tensor "
    "get_logger get_current_name_scope as_dtype.type",
    _undecided,
)


@api("tensorflow.distribute.get_replica_context", "tensorflow.distribute.get_strategy")
def one_replica(g: Graph) -> Callback:
    """The context of a program that runs on one device: what replicas add up is not the business of a loss alone."""
    reduced = Callback("all_reduce", lambda g, reduce_op, value, *args, **kwargs: value, {})
    gathered = Callback("all_gather", lambda g, value, axis=0, *args, **kwargs: value, {})
    attributes = _ONE_REPLICA | {"all_reduce": reduced, "all_gather": gathered}
    return Callback("replica", lambda g, *args, **kwargs: Unknown((), "a strategy"), attributes)


@api("tensorflow.distribute.has_strategy", "tensorflow.distribute.in_cross_replica_context")
def no_strategy(g: Graph) -> bool:
    """As above: one device."""
    return False


_ONE_REPLICA: dict[str, Any] = {"num_replicas_in_sync": 1, "replica_id_in_sync_group": 0}


@api("tensorflow.is_tensor", "tensorflow.contrib.framework.is_tensor", "tensorflow.debugging.is_tensor")
def is_tensor(g: Graph, x: Any) -> Any:
    """Whether ``x`` is a tensor, where that is certain."""
    if isinstance(x, Node):
        sure = x.op not in ("source", "opaque", "const") or x.attrs.get("role") in TENSOR_ROLES
        return True if sure else Unknown((x,), "may be a tensor")
    return Unknown((), "is_tensor") if isinstance(x, Unknown) else False


@api("tensorflow.as_dtype", "tensorflow.dtypes.as_dtype")
def as_dtype(g: Graph, type_value: Any) -> Any:
    """A data type by its name."""
    return dtype_of(type_value) or Unknown((), "a dtype")


@api("tensorflow.TensorShape")
def tensor_shape(g: Graph, dims: Any) -> Any:
    """A list of extents."""
    return dims


@api("tensorflow.Dimension")
def dimension(g: Graph, value: Any) -> Any:
    """An extent."""
    return value


# -- contexts ----------------------------------------------------------------------------------------------------------
def _context(name: str) -> Callable[..., Callback]:
    """A context manager that changes no value; as a decorator it leaves the function as it is."""

    def expansion(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        return Callback(name, lambda g, f=None, *more, **named: f, {"name": name})

    return expansion


for _name in [
    "name_scope",
    "variable_scope",
    "op_scope",
    "variable_op_scope",
    "control_dependencies",
    "device",
    "init_scope",
    "colocate_with",
    "variable_creator_scope",
    "contrib.framework.arg_scope",
    "contrib.slim.arg_scope",
    "Graph",
    "Session",
    "InteractiveSession",
    "summary.create_file_writer",
    "summary.record_if",
    "profiler.experimental.Trace",
    "xla.experimental.jit_scope",
]:
    row(_name, _context(_name.rsplit(".", 1)[-1]))


# -- arrays of tensors -------------------------------------------------------------------------------------------------
@dataclass(eq=False)
class TensorArray:
    """``tf.TensorArray``; one object stands for all of its states, so that every value written is kept."""

    length: Any = None
    items: list[Any] = field(default_factory=list)

    @property
    def deps(self) -> tuple[Node, ...]:
        """What was written."""
        return tuple(nodes_in(self.items))

    def attribute(self, g: Graph, name: str) -> Any:
        """A method."""
        methods: dict[str, Callable[..., Any]] = {
            "write": self._write,
            "read": lambda g, index, name=None: self._read(g, index),
            "stack": lambda g, name=None: self._joined(g, "stack"),
            "concat": lambda g, name=None: self._joined(g, "concat"),
            "gather": lambda g, indices, name=None: self._joined(g, "stack"),
            "unstack": self._unstack,
            "size": lambda g, name=None: self.length if self.length is not None else len(self.items),
            "mark_used": lambda g: None,
            "identity": lambda g: self,
            "close": lambda g, name=None: None,
        }
        return Callback(name, methods[name], {}) if name in methods else Unknown(self.deps, name)

    def _write(self, g: Graph, index: Any, value: Any, name: Any = None) -> TensorArray:
        self.items.append(value)
        return self

    def _unstack(self, g: Graph, value: Any, name: Any = None) -> TensorArray:
        self.items.append(g.op("index", value, key=(Unknown((), "any row"),), mapped=True))
        return self

    def _read(self, g: Graph, index: Any) -> Any:
        at = constant_of(index)
        return g.apart(self._any(g), ("row", g.place(at if isinstance(at, int) else index)))

    def _any(self, g: Graph) -> Any:
        nodes = list({node.number: node for node in map(g.lift, self.items)}.values())
        return Unknown((), "an empty array") if not nodes else nodes[0] if len(nodes) == 1 else g.op("join", *nodes)

    def _joined(self, g: Graph, how: str) -> Any:
        """All rows; how many there are is not known here."""
        item = self._any(g)
        if isinstance(item, Unknown):
            return item
        if how == "concat":
            return batched(g.op("stack", item, axis=0, mapped=True), Shape.unknown())
        shape = inserted(item.shape, 0, Dim.unknown())
        return batched(g.op("stack", item, axis=0, mapped=True), shape)


@api("tensorflow.TensorArray")
def tensor_array(g: Graph, dtype: Any = None, size: Any = None, *args: Any, **kwargs: Any) -> TensorArray:
    """An array that a loop writes."""
    return TensorArray(size)


def _metric(g: Graph, *args: Any, **kwargs: Any) -> tuple[Node, Node]:
    """A running metric: its value and the operation that updates it; neither has a gradient."""
    with g.library():
        value = g.op("stop_gradient", batched(unknown(g, "a running metric", args, kwargs), SCALAR, "float32"))
    return value, value


for _name in (
    "accuracy",
    "mean",
    "precision",
    "recall",
    "auc",
    "mean_iou",
    "mean_squared_error",
    "mean_absolute_error",
):
    row(f"metrics.{_name} contrib.metrics.streaming_{_name}", _metric)


# -- nests -------------------------------------------------------------------------------------------------------------
@api("tensorflow.nest.flatten", "tensorflow.contrib.framework.nest.flatten")
def nest_flatten(g: Graph, structure: Any, expand_composites: Any = False) -> Any:
    """The leaves of a structure."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in nest_flatten(g, structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in nest_flatten(g, item)]
    return [structure]


@api("tensorflow.nest.map_structure", "tensorflow.contrib.framework.nest.map_structure")
def nest_map_structure(g: Graph, func: Any, *structure: Any, **kwargs: Any) -> Any:
    """A function on every leaf."""
    from losslint.ops.catalogue.tf_control import structured

    return structured(lambda *leaves: called(g, func, *leaves), *structure) if structure else Unknown()


# -- objects, and the rest ---------------------------------------------------------------------------------------


@api("tensorflow.train.Checkpoint")
def checkpoint(g: Graph, root: Any = None, **kwargs: Any) -> Callback:
    """An object that keeps others under names of its own."""
    return Callback("checkpoint", lambda g: None, dict(kwargs))


def _add_weight(g: Graph, *args: Any, shape: Any = None, dtype: Any = None, name: Any = None, **kwargs: Any) -> Node:
    """A variable of a layer; Keras 3 takes the shape first, Keras 2 the name."""
    given = next((value for value in args if isinstance(value, (list, tuple))), () if shape is None else shape)
    title = next((value for value in (name, *args) if isinstance(value, str)), "weight")
    role = "captured" if constant_of(kwargs.get("trainable", True)) is False else "variable"
    return g.source(title, role, _dims(given), dtype_of(dtype) or "float32", **_constrained(kwargs))


api("keras.layers.Layer.add_weight")(_add_weight)
opaque_row(
    "text, files or sets",
    "as_string strings.as_string strings.join strings.format strings.length strings.split strings.to_number "
    "strings.lower string_join string_to_number reduce_join strings.reduce_join edit_distance sets.intersection "
    "sets.difference sets.size sets.union fingerprint read_file io.read_file decode_raw io.decode_raw",
)
opaque_row(
    "a quantized tensor",
    "quantization.dequantize quantization.quantize quantization.quantize_and_dequantize "
    "quantization.quantize_and_dequantize_v2 quantization.fake_quant_with_min_max_args "
    "quantization.fake_quant_with_min_max_vars quantization.fake_quant_with_min_max_vars_per_channel "
    "fake_quant_with_min_max_vars fake_quant_with_min_max_args quantization.quantized_concat",
)
