"""The primitives: the small set of operations that every catalogued function is expanded to, and their shape rules.

``x, y`` are inputs (nodes), what follows ``;`` are attributes. Attributes marked ``*`` are added by the shape rule.

**leaves**
  source(; name, role)         role: "label" (y_true), "prediction" (y_pred, logits, any tensor the loss is about),
  "argument" (another argument that may be a tensor), "weight" (sample weights, masks),
  "config" (a Python hyper-parameter of unknown value: gamma, from_logits),
  "captured" (a free name that may be a tensor), "variable" (trainable variables),
  "input" (a batch of data, not trained).
  optional attrs: batch="proven"|"assumed" where axis 0 is the batch.
  const(; value)               Python number, bool or nested tuple of them
  opaque(...; why)             anything unknown computed from its inputs
  random(; low, high)          a random tensor (low/high None where unbounded)
  range(n), eye(n)             tf.range, tf.eye
**elementwise, one input**
  neg abs square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus
  relu sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc lgamma digamma
  sign round floor ceil trunc is_nan is_inf is_finite not
  identity stop_gradient cast(; dtype) smooth(; low, high, api)
  ("smooth": any other differentiable elementwise function with results in [low, high]),
  leaves_tensorflow(...; how) (NumPy, float(), .numpy(): value kept, graph left),
  numpy_function(...), py_function(...), variable_of(x) (tf.Variable(x)), straight_through(x, ...)
  (a custom gradient, live by declaration; with attribute valued the result is x, which itself sends no gradient)
**elementwise, two inputs**
  add sub mul div pow maximum minimum floordiv mod atan2
  div_no_nan mul_no_nan xlogy xlog1py xdivy
  lt le gt ge eq ne and or xor
**elementwise, three**
  select(condition, x, y)  (tf.where with three arguments), clip(x, low, high)
**join**
  join(x, ...)  one of them, by a branch that Python takes; loop(start, one_turn, two_turns; fixed)
  (fixed: neither the data nor the size of the batch decides how many turns there are)
**reductions**
  sum mean prod max min all any logsumexp std var norm(; ord)
  argmax argmin count_nonzero median: (x; axis, keepdims, extent*)
  extent: Dim, how many elements each result is made of, or None. axis is None or a tuple.
**along an axis, same shape**
  softmax log_softmax(; fused) l2_normalize(; epsilon) cumsum cumprod sort argsort reverse roll: (x; axis, extent*)
  (fused: a kernel sends back ``softmax - labels`` for labels that nothing says to add up to 1: not 0 for one class)
  top_k(x; k, part="values"|"indices") over the last axis
**shape**
  reshape(x; dims*) expand_dims(x; axis) squeeze(x; axis) transpose(x; perm) broadcast_to
  tile(x; multiples) repeat(x; repeats, axis) pad(x; ...) concat(...; axis) stack(...; axis)
  unstack(x; index, count, axis) index(x; key) gather(x, indices; axis) gather_nd(x, indices)
  boolean_mask(x, mask) diag_part(x) diag(x) set_diag(x, d) band_part(x)
  one_hot(indices; depth) scatter(indices, updates) unique(x) segment(x, ids; how)
  shape_of(x) size_of(x) rank_of(x) dynamic_dim(x; axis) static_dim(x; axis)
  zeros ones fill(value) (; shape given), zeros_like(x) ones_like(x)
**contractions**
  matmul(x, y; transpose_a, transpose_b, extent*) einsum(...; equation, extent*, batches*)
  tensordot(x, y; axes, extent*) linalg(x; how) (inverse, det, cholesky, svd ...)
**neural**
  model(...; name) (a model or layer called on its inputs: row by row, unknown result, carries
  trainable weights), conv(x, kernel; how) (convolution, pooling, resizing: mixes space and
  channels, row by row in the batch), ssim(x, y; low, high), batch_statistics(...),
  samplewise(...; low, high, api) (any other differentiable function that treats every sample by itself),
  contrast(...; low, high, api) (any differentiable function that compares the samples of a batch); the
  expansion sets the shape of the last two
**gradients**
  gradient_of(y, x)  tf.gradients, inner_tape.gradient: shaped as x, differentiable

Shape rules are run when a node is made; an unknown shape is an answer, never an error. Scalars whose value is an extent
(``dynamic_dim``, ``static_dim``, ``size_of``, and what ``cast``, ``mul`` ... make of them) get it as attribute ``dim``,
nodes whose value is a shape (``shape_of``, ``concat`` of such) get that as attribute ``shape``.

dtypes: a Python number is weak (None) and yields to a tensor's; None is unknown.
"""

from __future__ import annotations

from typing import Any

from losslint.domain.shape import ONE, SCALAR, Dim, Shape, broadcast, opened, product, reduce, with_rank
from losslint.graph import Graph, ShapeRule
from losslint.ops.extents import axes_of, extent_of, held_shape, integer, length, requested
from losslint.ops.reshaping import RESHAPING, Attrs, Inputs, Result, Rule, alike, replaced

UNARY = [
    "neg",
    "abs",
    "square",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sigmoid",
    "log_sigmoid",
    "tanh",
    "softplus",
    "relu",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
    "erfc",
    "lgamma",
    "digamma",
    "sign",
    "round",
    "floor",
    "ceil",
    "trunc",
    "stop_gradient",
    "smooth",
    "leaves_tensorflow",
    "numpy_function",
    "py_function",
    "variable_of",
    "straight_through",
    "identity",
]
BINARY = [
    "sub",
    "pow",
    "maximum",
    "minimum",
    "mod",
    "atan2",
    "div_no_nan",
    "mul_no_nan",
    "xlogy",
    "xlog1py",
    "xdivy",
    "add",
    "mul",
    "div",
    "floordiv",
]
COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "is_nan", "is_inf", "is_finite", "not"]
REDUCTIONS = ["sum", "mean", "max", "min", "logsumexp", "std", "var", "norm", "median", "prod"]
REDUCTION_DTYPES = {"all": "bool", "any": "bool", "argmax": "int64", "argmin": "int64", "count_nonzero": "int64"}
ALONG_AXIS = ["softmax", "log_softmax", "l2_normalize", "cumsum", "cumprod", "sort", "reverse", "roll"]


def common_dtype(inputs: Inputs) -> str | None:
    """The dtype of an elementwise result: the first floating one, else the first that is known."""
    known = [n.dtype for n in inputs if n.dtype]
    return next((d for d in known if "float" in d), known[0] if known else None)


def _elementwise(inputs: Inputs, attrs: Attrs) -> Result:
    if not inputs:
        return Shape.unknown(), None, {}
    shape = inputs[0].shape
    for other in inputs[1:]:
        shape = broadcast(shape, other.shape)
    return shape, common_dtype(inputs), {}


def _comparison(inputs: Inputs, attrs: Attrs) -> Result:
    return _elementwise(inputs, attrs)[0], "bool", {}


def _carrying(inputs: Inputs, attrs: Attrs) -> Result:
    """identity and the like: the value, hence also the extent or shape that it is, stays."""
    shape, dtype, _ = _elementwise(inputs, attrs)
    held = held_shape(inputs[0])
    extra: dict[str, Any] = {"dim": inputs[0].attrs["dim"]} if "dim" in inputs[0].attrs else {}
    return shape, dtype, extra | ({"shape": held} if held is not None else {})


def _cast(inputs: Inputs, attrs: Attrs) -> Result:
    shape, _, extra = _carrying(inputs, attrs)
    dtype = attrs.get("dtype")
    return shape, dtype if isinstance(dtype, str) else None, extra


def _arithmetic(name: str) -> Rule:
    """add, sub, mul, div, floordiv: also of extents, where the result is one."""

    def rule(inputs: Inputs, attrs: Attrs) -> Result:
        shape, dtype, _ = _elementwise(inputs, attrs)
        if name == "div" and dtype is not None and "float" not in dtype:
            dtype = None  # TensorFlow divides int32 to float64, keras.ops to float32
        if shape != SCALAR or not any("dim" in n.attrs for n in inputs):
            return shape, dtype, {}
        a, b = (extent_of(n) for n in inputs[:2])
        dim = None if a is None or b is None else _combined(name, a, b)
        return shape, dtype, {} if dim is None else {"dim": dim}

    return rule


def _combined(name: str, a: Dim, b: Dim) -> Dim | None:
    """The extent that arithmetic on two extents gives, None where it is no monomial."""
    if name == "mul":
        return a * b
    if name in ("div", "floordiv"):
        return a.divided_by(b)
    if a.symbols != b.symbols or name not in ("add", "sub"):
        return None
    total = a.coefficient + (b.coefficient if name == "add" else -b.coefficient)
    return Dim(total, a.symbols) if total > 0 else None


def _select(inputs: Inputs, attrs: Attrs) -> Result:
    return _elementwise(inputs, attrs)[0], common_dtype(inputs[1:]), {}


def _clip(inputs: Inputs, attrs: Attrs) -> Result:
    return _elementwise(inputs, attrs)[0], inputs[0].dtype or common_dtype(inputs[1:]), {}


def _join(inputs: Inputs, attrs: Attrs) -> Result:
    dtypes = {n.dtype for n in inputs if n.dtype}
    shape = alike([n.shape for n in inputs]) if inputs else Shape.unknown()
    return shape, dtypes.pop() if len(dtypes) == 1 else None, {}


def _reduction(dtype: str | None) -> Rule:
    """``dtype``: of the result, None where it is that of the input."""

    def rule(inputs: Inputs, attrs: Attrs) -> Result:
        kind = dtype or inputs[0].dtype
        keepdims = attrs.get("keepdims") or False
        try:
            axes = axes_of(attrs.get("axis"))
        except ValueError:
            return Shape.unknown(), kind, {"extent": None}
        if not isinstance(keepdims, bool):
            return Shape.unknown(), kind, {"extent": reduce(inputs[0].shape, axes)[1]}
        shape, extent = reduce(inputs[0].shape, axes, keepdims)
        return shape, kind, {"extent": extent}

    return rule


def _prod(inputs: Inputs, attrs: Attrs) -> Result:
    held = held_shape(inputs[0])
    shape, dtype, extra = _reduction(None)(inputs, attrs)
    return shape, dtype, extra | ({"dim": held.numel} if held is not None and shape == SCALAR else {})


def axis_extent(shape: Shape, axes: tuple[int, ...] | None) -> Dim | None:
    """The number of elements along ``axes``. The last axis of (B, ...) is taken not to be the batch."""
    if axes is None:
        return shape.numel
    dims = [shape.axis(a) for a in axes]
    free = shape.rest is not None and not shape.rest.startswith("?")
    if any(d is None for d in dims) and not (free and all(shape.head or a < 0 for a in axes)):
        return None
    return product([Dim.fresh() if d is None else d for d in dims])


def _along_axis(default: int | None, dtype: str | None = None) -> Rule:
    def rule(inputs: Inputs, attrs: Attrs) -> Result:
        try:
            extent = axis_extent(inputs[0].shape, axes_of(attrs.get("axis", default)))
        except ValueError:
            extent = None
        return inputs[0].shape, dtype or inputs[0].dtype, {"extent": extent}

    return rule


def _top_k(inputs: Inputs, attrs: Attrs) -> Result:
    k = length(attrs.get("k", 1))
    dtype = "int32" if attrs.get("part") == "indices" else inputs[0].dtype
    return replaced(inputs[0].shape, -1, (k,)), dtype, {}


def _matrix(shape: Shape, transposed: Any) -> tuple[Shape, Dim, Dim] | None:
    """A stack of matrices as (outer axes, rows, columns)."""
    rows, columns = shape.axis(-2), shape.axis(-1)
    if rows is None or columns is None or not isinstance(transposed, (bool, type(None))):
        return None
    outer = Shape(shape.head[:-2]) if shape.rest is None else Shape(shape.head, shape.rest, shape.tail[:-2])
    return (outer, columns, rows) if transposed else (outer, rows, columns)


def _matmul(inputs: Inputs, attrs: Attrs) -> Result:
    dtype, (x, y) = common_dtype(inputs), (n.shape for n in inputs[:2])
    if x.rank == 1 or y.rank == 1:  # as in NumPy
        extent = x.axis(-1)
        left, right = Shape(x.head[:-1], x.rest, x.tail[:-1]), Shape(y.head[:-2] + y.head[-1:] if y.rank != 1 else ())
        return Shape(left.head + right.head, left.rest, left.tail), dtype, {"extent": extent}
    if any(s.rest is not None and s.tail and s.tail[-1].batch for s in (x, y)):
        x, y = with_rank(x, 2), with_rank(y, 2)  # tf.transpose reverses all axes: it was meant for a matrix
    left_, right_ = _matrix(x, attrs.get("transpose_a")), _matrix(y, attrs.get("transpose_b"))
    if left_ is None or right_ is None:
        one = (left_ and left_[2]) or (right_ and right_[1]) or None
        return Shape.unknown(), dtype, {"extent": one}
    outer = broadcast(left_[0], right_[0])
    extent = right_[1] if left_[2].batch is None else left_[2]
    if outer.rest is None:
        return Shape((*outer.head, left_[1], right_[2])), dtype, {"extent": extent}
    return Shape(outer.head, outer.rest, (*outer.tail, left_[1], right_[2])), dtype, {"extent": extent}


def _spelled_out(equation: Any, inputs: Inputs) -> Any:
    """An equation of einsum with a letter of its own for each axis that its dots stand for."""
    if not isinstance(equation, str) or "..." not in equation or "->" not in equation:
        return equation
    left, right = equation.replace(" ", "").split("->")
    operands = left.split(",")
    if any(n.shape.rank is None for n in inputs) or len(operands) != len(inputs):
        return equation
    counts = [(n.shape.rank or 0) - len(o.replace("...", "")) for o, n in zip(operands, inputs, strict=True)]
    most = max((c for o, c in zip(operands, counts, strict=True) if "..." in o), default=0)
    letters = [chr(ord("\u03b1") + i) for i in range(max(most, 0))]
    spelled = [o.replace("...", "".join(letters[most - c :])) for o, c in zip(operands, counts, strict=True)]
    return f"{','.join(spelled)}->{right.replace('...', ''.join(letters))}"


def _einsum(inputs: Inputs, attrs: Attrs) -> Result:
    equation, dtype = _spelled_out(attrs.get("equation"), inputs), common_dtype(inputs)
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return Shape.unknown(), dtype, {"extent": None}
    left, right = equation.replace(" ", "").split("->")
    sizes: dict[str, Dim] = {}
    for labels, node in zip(left.split(","), inputs, strict=False):
        for i, label in enumerate(labels):
            # from the start, and from the end for what lies behind the unlisted axes
            dim = node.shape.axis(i) or node.shape.axis(i - len(labels))
            free = node.shape.rest is not None and not node.shape.rest.startswith("?")
            dim = dim or Dim.fresh(0 if free else None)
            sizes[label] = broadcast(Shape((sizes.get(label, ONE),)), Shape((dim,))).head[0]
    contracted = product([dim for label, dim in sizes.items() if label not in right])
    batches = sum(dim.batch == 1 for dim in sizes.values())
    shape = Shape(tuple(sizes.get(label, Dim.unknown()) for label in right))
    return shape, dtype, {"extent": contracted, "batches": batches}


def _tensordot(inputs: Inputs, attrs: Attrs) -> Result:
    dtype, (x, y) = common_dtype(inputs), (n.shape for n in inputs[:2])
    axes, count = attrs.get("axes", 2), integer(attrs.get("axes", 2))
    if count is not None:
        pairs = tuple(range(-count, 0)), tuple(range(count))
    else:
        pairs = axes_of(axes[0]) or (), axes_of(axes[1]) or ()
    left, extent = reduce(x, pairs[0])
    right, other = reduce(y, pairs[1])
    extent = other if extent is None or extent.batch is None else extent
    if left.rest is not None and right.rest is not None:
        return Shape.unknown(), dtype, {"extent": extent}
    if left.rest is not None:
        return Shape(left.head, left.rest, left.tail + right.head), dtype, {"extent": extent}
    return Shape(left.head + right.head, right.rest, right.tail), dtype, {"extent": extent}


def _linalg(inputs: Inputs, attrs: Attrs) -> Result:
    x, how = inputs[0], str(attrs.get("how", ""))
    if how in ("det", "logdet", "trace", "slogdet"):
        return reduce(x.shape, (-2, -1))[0], x.dtype, {}
    keeps = how in ("inverse", "inv", "pinv", "cholesky", "expm", "logm", "sqrtm", "adjoint", "matrix_inverse")
    return x.shape if keeps and x.shape.rank is not None else Shape.unknown(), x.dtype, {}


def _model(inputs: Inputs, attrs: Attrs) -> Result:
    """A model works row by row: the batch axis of its first input stays, and there is a last axis of units."""
    dtype = attrs.get("dtype")
    dtype = dtype if isinstance(dtype, str) else "float32"
    shape = requested(attrs["shape"]) if "shape" in attrs else None
    if shape is None:
        first = inputs[0].shape.head[:1] if inputs else ()
        rows = bool(first and first[0].batch)
        shape = Shape(first, Dim.fresh().symbols[0][0], (Dim.fresh(),)) if rows else Shape.unknown()
    return shape, dtype, {}


def _conv(inputs: Inputs, attrs: Attrs) -> Result:
    """The batch axis and the rank stay; pooling and resizing also keep the channels."""
    x, how = inputs[0].shape, str(attrs.get("how", ""))
    if "shape" in attrs and (shape := requested(attrs["shape"])) is not None:
        return shape, inputs[0].dtype, {}
    if x.rank is None:
        return opened(x, min(1, len(x.head)), min(1, len(x.tail))), inputs[0].dtype, {}
    keep = any(word in how for word in ("pool", "resize", "depthwise", "gradient", "sobel", "blur"))
    middle = tuple(Dim.fresh(0 if d.batch == 0 else None) for d in x.head[1:-1])
    last = x.head[-1:] if keep else tuple(Dim.fresh() for _ in x.head[-1:])
    return Shape(x.head[:1] + middle + last if len(x.head) > 1 else x.head), inputs[0].dtype, {}


def _ssim(inputs: Inputs, attrs: Attrs) -> Result:
    shape = inputs[0].shape
    if shape.rank is None:  # a stack of images: what is left is most likely the batch
        return Shape(shape.head[:1]) if shape.batch_axes[:1] == (0,) else Shape.unknown(), inputs[0].dtype, {}
    return Shape(shape.head[:-3]), inputs[0].dtype, {}


def _made_somehow(inputs: Inputs, attrs: Attrs) -> Result:
    """A result of whatever shape and dtype the attributes say."""
    dtype = attrs.get("dtype")
    shape = requested(attrs["shape"]) if "shape" in attrs else None
    return shape or Shape.unknown(), dtype if isinstance(dtype, str) else None, {}


def _random(inputs: Inputs, attrs: Attrs) -> Result:
    shape, dtype, _ = _made_somehow(inputs, attrs)
    return requested(inputs[0]) or shape if inputs and "shape" not in attrs else shape, dtype or "float32", {}


def _gradient_of(inputs: Inputs, attrs: Attrs) -> Result:
    return inputs[-1].shape, inputs[-1].dtype, {}


def _const(inputs: Inputs, attrs: Attrs) -> Result:
    value, lengths = attrs.get("value"), []
    while isinstance(value, (list, tuple)):
        lengths.append(len(value))
        value = value[0] if value else None
    return Shape.of(*lengths), "bool" if isinstance(value, bool) else None, {}


def _lenient(rule: Rule) -> ShapeRule:
    """``rule``, with an unknown shape where the attributes, which come from the user's code, are odd."""

    def guarded(inputs: Inputs, attrs: Attrs) -> Result:
        try:
            return rule(inputs, attrs)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, ZeroDivisionError):
            return Shape.unknown(), None, {}

    return guarded


_RULES: dict[str, Rule] = {
    **dict.fromkeys(UNARY + BINARY, _elementwise),
    **dict.fromkeys(COMPARISONS, _comparison),
    **{name: _arithmetic(name) for name in ("add", "sub", "mul", "div", "floordiv")},
    **dict.fromkeys(("identity", "stop_gradient", "leaves_tensorflow", "round", "floor", "ceil", "trunc"), _carrying),
    **dict.fromkeys(REDUCTIONS, _reduction(None)),
    **{name: _reduction(dtype) for name, dtype in REDUCTION_DTYPES.items()},
    **dict.fromkeys(ALONG_AXIS, _along_axis(-1)),
    **RESHAPING,
    **dict.fromkeys(("join", "loop"), _join),
    **dict.fromkeys(
        ("opaque", "batch_statistics", "samplewise", "contrast", "py_function", "numpy_function", "source"),
        _made_somehow,
    ),
    "l2_normalize": _along_axis(None),
    "argsort": _along_axis(-1, "int32"),
    "prod": _prod,
    "cast": _cast,
    "select": _select,
    "clip": _clip,
    "top_k": _top_k,
    "matmul": _matmul,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "linalg": _linalg,
    "model": _model,
    "conv": _conv,
    "ssim": _ssim,
    "random": _random,
    "gradient_of": _gradient_of,
    "const": _const,
}

SHAPE_RULES: dict[str, ShapeRule] = {name: _lenient(rule) for name, rule in _RULES.items()}
"""Primitive -> ``rule(inputs, attrs) -> (shape, dtype, attributes to add)``; no rule ever raises."""


def new_graph(keras: str = "3") -> Graph:
    """An empty graph that knows the primitives; ``keras`` is the major version the code is written for."""
    return Graph(SHAPE_RULES, keras=keras)
