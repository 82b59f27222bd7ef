"""Shape rules of the primitives that move, select, join or make elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import ONE, Dim, Shape, opened, product, reduce, with_rank
from losslint.graph import Node
from losslint.ops.extents import (
    HOLE,
    axes_of,
    axis_length,
    batch_free,
    constant,
    extent_of,
    held_shape,
    integer,
    length,
    requested,
    reshaped,
)

Result = tuple[Shape, "str | None", dict[str, Any]]
Inputs = tuple[Node, ...]
Attrs = dict[str, Any]
Rule = Callable[[Inputs, Attrs], Result]


def alike(shapes: list[Shape]) -> Shape:
    """The shape of a value that is one of several: what they agree on."""
    first = shapes[0]
    if all(s == first for s in shapes):
        return first
    if all(s.rank is not None and s.rank == first.rank for s in shapes):
        return Shape(tuple(_same([s.head[i] for s in shapes]) for i in range(len(first.head))))
    head = first.head[:1] if first.head and all(s.head[:1] == first.head[:1] for s in shapes) else ()
    free = all(d.batch == 0 for s in shapes for d in s.head[len(head) :] + s.tail) and not any(
        s.rest and s.rest.startswith("?") for s in shapes
    )
    return Shape(head, Dim.fresh(0 if free else None).symbols[0][0])


def _same(dims: list[Dim]) -> Dim:
    """One extent for several that may differ: only its growth with the batch is kept."""
    if all(d == dims[0] for d in dims):
        return dims[0]
    degrees = {d.batch for d in dims}
    return Dim.fresh(degrees.pop() if len(degrees) == 1 else None)


def _position(shape: Shape, axis: int) -> tuple[str, int] | None:
    """Where axis ``axis`` is listed: ("head", i) or ("tail", i); None where it lies in the unlisted middle."""
    if shape.rank is not None:
        return ("head", axis % shape.rank) if -shape.rank <= axis < shape.rank else None
    if axis >= 0:
        return ("head", axis) if axis < len(shape.head) else None
    return ("tail", len(shape.tail) + axis) if -axis <= len(shape.tail) else None


def replaced(shape: Shape, axis: int, dims: tuple[Dim, ...]) -> Shape:
    """``shape`` with axis ``axis`` replaced by ``dims`` (none: the axis is dropped)."""
    where = _position(shape, axis)
    if where is None:
        if shape.rank is not None:
            return Shape.unknown()
        result = opened(shape, len(shape.head), 0 if axis >= 0 else min(len(shape.tail), -axis - 1))
        return Shape(result.head, result.rest, dims) if axis == -1 else result
    part, i = where
    if part == "head":
        return Shape(shape.head[:i] + dims + shape.head[i + 1 :], shape.rest, shape.tail)
    return Shape(shape.head, shape.rest, shape.tail[:i] + dims + shape.tail[i + 1 :])


def inserted(shape: Shape, axis: int, dim: Dim) -> Shape:
    """``shape`` with a new axis that has position ``axis`` in the result."""
    if shape.rank is not None:
        i = axis if axis >= 0 else shape.rank + 1 + axis
        return Shape((*shape.head[:i], dim, *shape.head[i:])) if 0 <= i <= shape.rank else Shape.unknown()
    if 0 <= axis <= len(shape.head):
        return Shape((*shape.head[:axis], dim, *shape.head[axis:]), shape.rest, shape.tail)
    if axis < 0 and -axis - 1 <= len(shape.tail):
        i = len(shape.tail) + 1 + axis
        return Shape(shape.head, shape.rest, (*shape.tail[:i], dim, *shape.tail[i:]))
    return opened(shape, len(shape.head), 0)


def _first_dtype(inputs: Inputs) -> str | None:
    return next((n.dtype for n in inputs if n.dtype), None)


def _axis(attrs: Attrs, default: int) -> int:
    axes = axes_of(attrs.get("axis", default))
    return default if axes is None else axes[0]


def _reshape(inputs: Inputs, attrs: Attrs) -> Result:
    target = attrs.get("dims", inputs[1] if len(inputs) > 1 else attrs.get("shape"))
    shape, dim = reshaped(inputs[0].shape, target), inputs[0].attrs.get("dim")
    held = {"shape": Shape((dim,))} if isinstance(dim, Dim) and shape == Shape.of(1) else {}
    return shape, inputs[0].dtype, held


def _expand_dims(inputs: Inputs, attrs: Attrs) -> Result:
    shape = inputs[0].shape
    for axis in axes_of(attrs.get("axis", -1)) or ():
        shape = inserted(shape, axis, ONE)
    return shape, inputs[0].dtype, {}


def _squeeze(inputs: Inputs, attrs: Attrs) -> Result:
    shape, axes = inputs[0].shape, axes_of(attrs.get("axis"))
    if axes:
        return reduce(shape, axes)[0], inputs[0].dtype, {}
    head, tail = (tuple(d for d in part if d != ONE) for part in (shape.head, shape.tail))
    return Shape(head, shape.rest, tail), inputs[0].dtype, {}


def _transpose(inputs: Inputs, attrs: Attrs) -> Result:
    shape, perm = inputs[0].shape, attrs.get("perm")
    if perm is None:
        return (
            Shape(
                shape.tail[::-1] + (() if shape.rest else shape.head[::-1]),
                shape.rest,
                shape.head[::-1] if shape.rest else (),
            ),
            inputs[0].dtype,
            {},
        )
    order = axes_of(perm) or ()
    if shape.rank is None and len(order) > 2 and order[0] != 0 and shape.head:
        # (2, 0, 1) and the like turn a single image: what was taken for the batch may be its height
        shape = Shape((Dim.unknown(), *shape.head[1:]), shape.rest, shape.tail)
    shape = with_rank(shape, len(order))
    if shape.rank != len(order):
        return Shape.unknown(), inputs[0].dtype, {}
    return Shape(tuple(shape.head[i] for i in order)), inputs[0].dtype, {}


def _broadcast_to(inputs: Inputs, attrs: Attrs) -> Result:
    target = requested(attrs.get("dims", attrs.get("shape", inputs[1] if len(inputs) > 1 else None)))
    return target or Shape.unknown(), inputs[0].dtype, {}


def _tile(inputs: Inputs, attrs: Attrs) -> Result:
    times = requested(attrs.get("multiples", inputs[1] if len(inputs) > 1 else None))
    if times is None or times.rank is None:
        return Shape.unknown(), inputs[0].dtype, {}
    shape = with_rank(inputs[0].shape, times.rank)
    if shape.rank != times.rank:
        return Shape.unknown(), inputs[0].dtype, {}
    return Shape(tuple(a * b for a, b in zip(shape.head, times.head, strict=True))), inputs[0].dtype, {}


def _repeat(inputs: Inputs, attrs: Attrs) -> Result:
    shape, times = inputs[0].shape, length(attrs.get("repeats", inputs[1] if len(inputs) > 1 else None))
    if attrs.get("axis") is None:
        return Shape((shape.numel * times,)), inputs[0].dtype, {}
    axis = _axis(attrs, 0)
    dim = shape.axis(axis)
    return replaced(shape, axis, ((dim or Dim.unknown()) * times,)), inputs[0].dtype, {}


def _pad(inputs: Inputs, attrs: Attrs) -> Result:
    pairs = constant(attrs.get("paddings", inputs[1] if len(inputs) > 1 else None))
    if not isinstance(pairs, tuple):
        return opened(inputs[0].shape), inputs[0].dtype, {}
    shape = with_rank(inputs[0].shape, len(pairs))
    if shape.rank != len(pairs):
        return Shape.unknown(), inputs[0].dtype, {}
    return Shape(tuple(_padded(d, sum(p)) for d, p in zip(shape.head, pairs, strict=True))), inputs[0].dtype, {}


def _padded(dim: Dim, more: int) -> Dim:
    if not more:
        return dim
    return Dim.fresh(0 if dim.batch == 0 else None) if dim.value is None else Dim(dim.value + more)


def _sum_dims(dims: list[Dim]) -> Dim:
    """The extent of an axis along which tensors are joined."""
    if len({d.symbols for d in dims}) == 1:
        return Dim(sum(d.coefficient for d in dims), dims[0].symbols)
    degrees = [d.batch for d in dims]
    return Dim.fresh(None if None in degrees else max(d or 0 for d in degrees))


def _concat(inputs: Inputs, attrs: Attrs) -> Result:
    dtype = _first_dtype(inputs)
    held = [held_of_vector(n) for n in inputs]
    is_open = bool(attrs.get("open"))
    if held and not is_open and all(h is not None for h in held):
        total = held[0]
        for more in held[1:]:
            total = _joined_shapes(total, more)
        if total is not None:
            return Shape.of(total.rank) if total.rank is not None else Shape((Dim.fresh(),)), "int32", {"shape": total}
    axis = _axis(attrs, 0)
    shapes = [n.shape for n in inputs]
    template = max(shapes, key=lambda s: (s.rank is not None, s.min_rank))
    if template.rank is None and not template.min_rank:
        return alike(shapes), dtype, {}
    dims = [s.axis(axis) for s in shapes]
    total_dim = Dim.unknown() if None in dims else _sum_dims([d for d in dims if d is not None])
    if is_open and total_dim.batch is not None:
        total_dim = Dim.fresh(total_dim.batch)
    if None in dims and all(s.rank is None and not (s.rest or "?").startswith("?") for s in shapes) and axis != 0:
        total_dim = Dim.fresh()
    return replaced(template, axis, (total_dim,)), dtype, {}


def held_of_vector(node: Node) -> Shape | None:
    """The shape that a vector of extents holds, also where it was written out: ``[tf.shape(x)[0], 1]``."""
    shape = held_shape(node)
    if shape is not None or node.shape.rank != 1:
        return shape
    asked = requested(node)
    return asked if asked is not None and all(d.batch is not None or d == HOLE for d in asked.head) else None


def _joined_shapes(a: Shape | None, b: Shape | None) -> Shape | None:
    if a is None or b is None or (a.rest is not None and b.rest is not None):
        return None
    if a.rest is not None:
        return Shape(a.head, a.rest, a.tail + b.head)
    return Shape(a.head + b.head, b.rest, b.tail) if b.rest is not None else Shape(a.head + b.head)


def _stack(inputs: Inputs, attrs: Attrs) -> Result:
    if not inputs:
        return Shape.of(0), None, {}
    dims = [extent_of(n) for n in inputs]
    is_open = bool(attrs.get("open"))
    count = Dim.fresh() if is_open else Dim(len(inputs))
    shape = inserted(alike([n.shape for n in inputs]), _axis(attrs, 0), count)
    whole = tuple(d for d in dims if d is not None)
    holds = not is_open and len(whole) == len(dims) and any("dim" in n.attrs for n in inputs)
    return shape, _first_dtype(inputs), {"shape": Shape(whole)} if holds else {}


def _unstack(inputs: Inputs, attrs: Attrs) -> Result:
    held, at = held_shape(inputs[0]), integer(attrs.get("index"))
    dim = axis_length(held, at) if held is not None and at is not None else None
    return replaced(inputs[0].shape, _axis(attrs, 0), ()), inputs[0].dtype, {} if dim is None else {"dim": dim}


def _gather(inputs: Inputs, attrs: Attrs) -> Result:
    x, indices = inputs[0], inputs[1]
    axis, batch_dims = _axis(attrs, 0), integer(attrs.get("batch_dims")) or 0
    held, at = held_shape(x), integer(indices)
    if held is not None and at is not None:
        dim = axis_length(held, at)
        return Shape(), x.dtype, {} if dim is None else {"dim": dim}
    if attrs.get("batch_dims") is not None and integer(attrs["batch_dims"]) is None:
        return Shape.unknown(), x.dtype, {}
    axis = max(axis, batch_dims) if axis >= 0 else axis
    rank = indices.shape.rank
    if rank is None or rank < batch_dims:
        return Shape(x.shape.head[:batch_dims], Dim.unknown().symbols[0][0]), x.dtype, {}
    return replaced(x.shape, axis, indices.shape.head[batch_dims:]), x.dtype, {}


def _gather_nd(inputs: Inputs, attrs: Attrs) -> Result:
    x, indices = inputs[0].shape, inputs[1].shape
    batch_dims = integer(attrs.get("batch_dims")) or 0
    depth = None if indices.rank is None or not indices.rank else indices.head[-1].value
    if depth is None or (x.rank is None and batch_dims + depth > len(x.head)):
        return Shape.unknown(), inputs[0].dtype, {}
    return Shape(indices.head[:-1] + x.head[batch_dims + depth :], x.rest, x.tail), inputs[0].dtype, {}


def masked(shape: Shape, mask: Shape, axis: int = 0, number: int | None = None) -> Shape:
    """The shape of ``x[mask]``: the masked axes become one, whose extent is the number of true elements.

    ``number`` is the value number of the mask: what one mask lets through is equally long for all tensors.
    """

    def count(batch: int | None) -> Dim:
        return (
            Dim.of(f"{'B' if batch else 'S'}#mask{number}")
            if number is not None and batch in (0, 1)
            else Dim.fresh(batch)
        )

    if mask.rank is None:
        if mask == shape or (mask.rest == shape.rest and mask.head == shape.head):
            return Shape((count(mask.numel.batch), *shape.tail[len(mask.tail) :]))
        rows = mask.head[0].batch if mask.head and axis == 0 else None
        return Shape((count(rows),), Dim.unknown().symbols[0][0]) if rows else Shape.unknown()
    if shape.rank is None and axis == 0 and len(shape.head) < mask.rank and not (shape.rest or "?").startswith("?"):
        # the mask covers the listed axes and some of those that are not: others may be left
        return Shape((count(product(shape.head).batch),), Dim.fresh().symbols[0][0])
    shape = with_rank(shape, axis + mask.rank) if shape.rank is None and axis + mask.rank > len(shape.head) else shape
    hidden = shape.head[axis : axis + mask.rank]
    if axis < 0 or len(hidden) < mask.rank:
        return Shape.unknown()
    kept = count(product(hidden).batch)
    return Shape((*shape.head[:axis], kept, *shape.head[axis + mask.rank :]), shape.rest, shape.tail)


def _boolean_mask(inputs: Inputs, attrs: Attrs) -> Result:
    return masked(inputs[0].shape, inputs[1].shape, _axis(attrs, 0), inputs[1].number), inputs[0].dtype, {}


def sliced(dim: Dim, key: slice) -> Dim:
    """The extent that ``x[key]`` leaves of an axis of extent ``dim``. Symbolic axes are taken to be long enough."""
    step = 1 if key.step is None else integer(key.step)
    start, stop = (None if b is None else integer(b) for b in (key.start, key.stop))
    from_start = key.start is None or start == 0
    if key.stop is None and from_start and step in (1, -1):
        return dim
    if (key.start is None or start is not None) and (key.stop is None or stop is not None) and step:
        if dim.value is not None:
            return Dim(len(range(*slice(start, stop, step).indices(dim.value))))
        same_end = ((start or 0) >= 0 and stop is not None and stop >= 0) or (start is not None and start < 0)
        if dim.batch == 0 and step == 1 and same_end and (stop is None or (start or 0) * stop >= 0):
            return Dim(max((stop or 0) - (start or 0), 0))
    if step == 1 and from_start and (bound := extent_of(key.stop)) is not None and bound.symbols:
        return bound
    begin = extent_of(key.start) if step == 1 and key.stop is None else None
    if begin is not None and begin.symbols and begin.symbols == dim.symbols and dim.coefficient > begin.coefficient:
        return Dim(dim.coefficient - begin.coefficient, dim.symbols)
    return Dim.fresh(0 if dim.batch == 0 else None, dim.family)


def _apply(item: Any, dims: tuple[Dim, ...]) -> tuple[Dim, ...] | None:
    """What one item of a key leaves of the axes it covers."""
    if isinstance(item, slice):
        return (sliced(dims[0], item),)
    if isinstance(item, Node):
        if item.dtype == "bool":
            return (Dim.fresh(product(dims).batch),)
        return item.shape.head if item.shape.rank is not None else None
    return ()


def _covers(item: Any) -> int:
    """How many axes one item of a key covers. Raises ValueError where that is unknown."""
    if item is None:
        return 0
    if isinstance(item, Node) and item.dtype == "bool":
        if item.shape.rank is None:
            raise ValueError("mask of unknown rank")
        return item.shape.rank
    return 1


def _walk(items: list[Any], axes: list[Dim], spare: Callable[[], Dim] | None, backward: bool) -> list[Dim]:
    """Apply ``items`` to ``axes``, from the end if ``backward``; used-up axes are taken out of ``axes``.

    Where they are used up, ``spare`` makes one out of the unlisted axes. Raises ValueError where that fails.
    """
    out: list[Dim] = []
    for item in reversed(items) if backward else items:
        if item is None:
            left: tuple[Dim, ...] | None = (ONE,)
        else:
            taken = []
            for _ in range(_covers(item)):
                if not axes and spare is None:
                    raise ValueError("more indices than axes")
                taken.append(axes.pop(-1 if backward else 0) if axes else spare())  # type: ignore[misc]
            left = _apply(item, tuple(reversed(taken)) if backward else tuple(taken))
        if left is None:
            raise ValueError("index of unknown rank")
        out = [*left, *out] if backward else [*out, *left]
    return out


def _index(inputs: Inputs, attrs: Attrs) -> Result:
    x, key = inputs[0], attrs.get("key")
    key = key if isinstance(key, tuple) else (key,)
    held = held_shape(x)
    if held is not None and len(key) == 1:
        return _index_shape(x, held, key[0])
    shape = x.shape
    split = next((i for i, k in enumerate(key) if k is Ellipsis), None)
    front, back = (list(key), []) if split is None else (list(key[:split]), list(key[split + 1 :]))
    if sum(isinstance(k, Node) and k.shape.rank != 0 for k in key) > 1:
        return Shape.unknown(), x.dtype, {}
    free = not (shape.rest or "?").startswith("?")
    spare = None if shape.rank is not None else lambda: Dim.fresh(0 if free else None)
    head = list(shape.head)
    before = len(head)
    out_head = _walk(front, head, spare, backward=False)
    tail = list(shape.tail) if shape.rank is None else head
    out_tail = _walk(back, tail, spare, backward=True)
    if shape.rank is not None:
        return Shape((*out_head, *tail, *out_tail)), x.dtype, {}
    used_front = sum(_covers(k) for k in front) > before
    used_back = sum(_covers(k) for k in back) > len(shape.tail)
    if not used_front and not used_back:
        return Shape((*out_head, *head), shape.rest, (*tail, *out_tail)), x.dtype, {}
    rest = Dim.fresh(0 if free else None).symbols[0][0]
    # the last listed axis may have been among those the front used up
    tail_kept = tuple(tail) if not used_front else ()
    return Shape((*out_head, *head), rest, (*tail_kept, *out_tail)), x.dtype, {}


def _index_shape(x: Node, held: Shape, key: Any) -> Result:
    """Index or slice the value of ``tf.shape(x)``."""
    if isinstance(key, slice):
        part = _part_of_shape(held, key)
        if part is None:
            return Shape((Dim.fresh(),)), x.dtype, {}
        return Shape((Dim.fresh() if part.rank is None else Dim(part.rank),)), x.dtype, {"shape": part}
    at = integer(key)
    dim = None if at is None else axis_length(held, at)
    return Shape(), x.dtype, {} if dim is None else {"dim": dim}


def _part_of_shape(held: Shape, key: slice) -> Shape | None:
    """``tf.shape(x)[a:b]``, None where it reaches into the unlisted axes."""
    start, stop = (None if b is None else integer(b) for b in (key.start, key.stop))
    if key.step is not None or (start is None) != (key.start is None) or (stop is None) != (key.stop is None):
        return None
    if held.rank is not None:
        return Shape(held.head[slice(start, stop)])
    start = start or 0
    if stop is not None and start >= 0 and 0 <= stop <= len(held.head):
        return Shape(held.head[start:stop])
    if 0 <= start <= len(held.head) and (stop is None or -len(held.tail) <= stop < 0):
        return Shape(held.head[start:], held.rest, held.tail[:stop])
    if -len(held.tail) <= start < 0 and (stop is None or stop < 0):
        return Shape(held.tail[slice(start, stop)])
    return None


def pairs_rows(x: Node, indices: Node) -> bool:
    """Whether ``indices`` are ``[[0, i], [1, j], ...]``: one place in each row of ``x``, in their order."""
    while indices.op in ("cast", "identity", "reshape", "transpose") and indices.inputs:
        indices = indices.inputs[0]
    if indices.op not in ("stack", "concat") or not indices.inputs:
        return False
    first = indices.inputs[0]
    while first.op in ("cast", "expand_dims", "reshape", "identity") and first.inputs:
        first = first.inputs[0]
    rows = first.shape.axis(0)
    return first.op == "range" and rows is not None and rows == x.shape.axis(0)


def any_row(node: Node) -> bool:
    """Whether an ``index`` takes the row that a mapped body is at: of what is mapped, or ``x[i]`` with a mapped i."""
    key = node.attrs.get("key")
    first = key[0] if isinstance(key, tuple) and key else None
    while isinstance(first, Node) and first.op in ("cast", "identity") and first.inputs:
        first = first.inputs[0]
    return bool(node.attrs.get("mapped")) or (isinstance(first, Node) and bool(first.attrs.get("mapped")))


def _one_hot(inputs: Inputs, attrs: Attrs) -> Result:
    depth = attrs.get("depth", inputs[1] if len(inputs) > 1 else None)
    dtype = attrs.get("dtype")
    shape = inserted(inputs[0].shape, _axis(attrs, -1), extent_of(depth) or Dim.fresh())
    return shape, dtype if isinstance(dtype, str) else "float32", {}


def _diag(inputs: Inputs, attrs: Attrs) -> Result:
    last = inputs[0].shape.axis(-1)
    return (Shape.unknown() if last is None else inserted(inputs[0].shape, -1, last)), inputs[0].dtype, {}


def _diag_part(inputs: Inputs, attrs: Attrs) -> Result:
    return reduce(inputs[0].shape, (-1,))[0], inputs[0].dtype, {}


def _made(inputs: Inputs, attrs: Attrs) -> Result:
    """A new tensor of a given shape."""
    dtype = attrs.get("dtype")
    shape = requested(attrs.get("shape", attrs.get("dims")))
    return shape or Shape.unknown(), dtype if isinstance(dtype, str) else _first_dtype(inputs), {}


def _range(inputs: Inputs, attrs: Attrs) -> Result:
    ends = inputs or tuple(attrs[k] for k in ("start", "stop", "limit") if k in attrs)
    known = constant(ends)
    if isinstance(known, tuple) and all(isinstance(v, int) for v in known):
        return Shape.of(len(range(*known))), "int32", {}
    n = length(ends[0] if len(ends) == 1 else ends[1])
    whole = len(ends) == 1 or (len(ends) == 2 and integer(ends[0]) == 0)
    return Shape((n if whole else Dim.fresh(0 if all(map(batch_free, ends)) else None),)), "int32", {}


def _eye(inputs: Inputs, attrs: Attrs) -> Result:
    sizes = [length(v) for v in (*inputs, *(attrs[k] for k in ("n", "m") if attrs.get(k)))]
    dtype = attrs.get("dtype")
    return Shape((sizes[0], sizes[-1])), dtype if isinstance(dtype, str) else "float32", {}


def _shape_of(inputs: Inputs, attrs: Attrs) -> Result:
    shape = inputs[0].shape
    return Shape.of(shape.rank) if shape.rank is not None else Shape((Dim.fresh(),)), "int32", {"shape": shape}


def _one_extent(dtype: str | None) -> Rule:
    def rule(inputs: Inputs, attrs: Attrs) -> Result:
        axis = integer(attrs.get("axis", 0))
        dim = None if axis is None else axis_length(inputs[0].shape, axis)
        return Shape(), dtype, {} if dim is None else {"dim": dim}

    return rule


def _size_of(inputs: Inputs, attrs: Attrs) -> Result:
    return Shape(), "int32", {"dim": inputs[0].shape.numel}


def _rank_of(inputs: Inputs, attrs: Attrs) -> Result:
    rank = inputs[0].shape.rank
    return Shape(), "int32", {} if rank is None else {"dim": Dim(rank)}


def _scatter(inputs: Inputs, attrs: Attrs) -> Result:
    return requested(attrs.get("shape")) or Shape.unknown(), _first_dtype(inputs[1:]), {}


def _unique(inputs: Inputs, attrs: Attrs) -> Result:
    return Shape((Dim.unknown(),)), inputs[0].dtype, {}


def _segment(inputs: Inputs, attrs: Attrs) -> Result:
    count = length(attrs.get("num_segments"))
    return replaced(inputs[0].shape, 0, (count,)), inputs[0].dtype, {}


def _kept(inputs: Inputs, attrs: Attrs) -> Result:
    """The shape and dtype of the first input."""
    return inputs[0].shape, inputs[0].dtype, {}


def _like(inputs: Inputs, attrs: Attrs) -> Result:
    dtype = attrs.get("dtype")
    return inputs[0].shape, dtype if isinstance(dtype, str) else inputs[0].dtype, {}


RESHAPING: dict[str, Rule] = {
    "reshape": _reshape, "expand_dims": _expand_dims, "squeeze": _squeeze, "transpose": _transpose,
    "broadcast_to": _broadcast_to, "tile": _tile, "repeat": _repeat, "pad": _pad, "concat": _concat,
    "stack": _stack, "unstack": _unstack, "index": _index, "gather": _gather, "gather_nd": _gather_nd,
    "boolean_mask": _boolean_mask, "diag_part": _diag_part, "diag": _diag, "set_diag": _kept, "band_part": _kept,
    "one_hot": _one_hot, "scatter": _scatter, "unique": _unique, "segment": _segment,
    "shape_of": _shape_of, "size_of": _size_of, "rank_of": _rank_of,
    "dynamic_dim": _one_extent("int32"), "static_dim": _one_extent(None),
    "zeros": _made, "ones": _made, "fill": _made, "zeros_like": _like, "ones_like": _like,
    "range": _range, "eye": _eye,
}  # fmt: skip
"""Primitive -> shape rule, for the section "shape" of losslint.ops.primitives and ``range`` and ``eye``."""
