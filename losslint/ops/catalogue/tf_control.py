"""Control flow and function transformers: they call back into the user's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim, Shape
from losslint.graph import Graph, Node, Unknown, ancestors
from losslint.ops.axes import batched, called, constant_of, nodes_in, row, unknown
from losslint.ops.dtypes import dtype_of
from losslint.ops.registry import Callback, api
from losslint.ops.reshaping import inserted


def structured(function: Callable[..., Any], *values: Any) -> Any:
    """``function`` applied to the leaves of values of the same structure; Unknown where the structures differ."""
    first = values[0]
    if isinstance(first, (list, tuple)):
        if not all(isinstance(v, (list, tuple)) and len(v) == len(first) for v in values):
            return Unknown(tuple(nodes_in(values)), "different structures meet here")
        return type(first)(structured(function, *items) for items in zip(*values, strict=True))
    if isinstance(first, dict):
        if not all(isinstance(v, dict) and v.keys() == first.keys() for v in values):
            return Unknown(tuple(nodes_in(values)), "different structures meet here")
        return {key: structured(function, *(v[key] for v in values)) for key in first}
    return function(*values)


def joined(g: Graph, *values: Any, decider: Node | None = None, condition: Node | None = None) -> Any:
    """One of several results; ``decider`` holds where it is the first of two, and the other then is not computed.

    ``condition`` tells as much of results that are both computed.
    """
    told = {k: v for k, v in (("decider", decider), ("condition", condition)) if v is not None}

    def one(*leaves: Any) -> Any:
        if all(leaf is None for leaf in leaves):
            return None
        if any(leaf is None or isinstance(leaf, str) for leaf in leaves):
            return Unknown(tuple(nodes_in(leaves)), "different values meet here")
        nodes = {node.number: node for node in map(g.lift, leaves)}
        return next(iter(nodes.values())) if len(nodes) == 1 else g.op("join", *nodes.values(), **told)

    return values[0] if len(values) == 1 else structured(one, *values)


# -- mapping -----------------------------------------------------------------------------------------------------------
def row_of(g: Graph, x: Any) -> Any:
    """Any one row of ``x``: what a body mapped over axis 0 sees."""
    if isinstance(x, (list, tuple, dict)):
        return structured(lambda leaf: row_of(g, leaf), x)
    return g.op("index", x, key=(Unknown((), "any row"),), mapped=True)


def rows_of(g: Graph, value: Any, count: Dim) -> Any:
    """What a mapped body returns for one row, for all rows."""

    def one(leaf: Any) -> Node:
        node = g.lift(leaf)
        return batched(g.op("stack", node, axis=0, mapped=True), inserted(node.shape, 0, count))

    return structured(one, value)


def _length(elems: Any) -> Dim:
    """The extent of the axis that is mapped over."""
    for node in nodes_in(elems):
        extent = node.shape.axis(0)
        if extent is not None:
            return extent
    return Dim.unknown()


def mapped(g: Graph, fn: Any, elems: Any) -> Any:
    """``fn`` called on each row of ``elems``."""
    if isinstance(elems, Unknown):
        return Unknown(tuple(nodes_in(elems)), "mapped over something unknown")
    return rows_of(g, called(g, fn, row_of(g, elems)), _length(elems))


@api("tensorflow.map_fn", "tensorflow.compat.v1.map_fn")
def map_fn(
    g: Graph,
    fn: Any,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: Any = None,
    back_prop: Any = True,
    swap_memory: Any = False,
    infer_shape: Any = True,
    name: Any = None,
    fn_output_signature: Any = None,
) -> Any:
    """``fn`` for each row; results are stacked."""
    return mapped(g, fn, elems)


@api("tensorflow.vectorized_map")
def vectorized_map(g: Graph, fn: Any, elems: Any, fallback_to_while_loop: Any = True, warn: Any = True) -> Any:
    """``fn`` for each row, all at once."""
    return mapped(g, fn, elems)


def _folded(g: Graph, fn: Any, elems: Any, initializer: Any) -> Any:
    """(start, after one turn, after two turns) of a fold over the rows of ``elems``."""
    start = initializer if initializer is not None else row_of(g, elems)
    once = called(g, fn, start, row_of(g, elems))
    return start, once, called(g, fn, once, row_of(g, elems))


@api("tensorflow.foldl", "tensorflow.foldr")
def foldl(
    g: Graph,
    fn: Any,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    name: Any = None,
) -> Any:
    """``fn(total, row)`` for one row after another."""
    return structured(lambda *turns: g.op("loop", *turns), *_folded(g, fn, elems, initializer))


@api("tensorflow.scan")
def scan(
    g: Graph,
    fn: Any,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    infer_shape: Any = True,
    reverse: Any = False,
    name: Any = None,
) -> Any:
    """``fold`` that keeps every total."""
    totals = structured(lambda *turns: g.op("loop", *turns), *_folded(g, fn, elems, initializer))
    count = _length(elems)

    def stacked(leaf: Any) -> Node:
        node = g.lift(leaf)
        return batched(g.op("stack", node, axis=0), inserted(node.shape, 0, count))

    return structured(stacked, totals)


@api("tensorflow.while_loop")
def while_loop(
    g: Graph,
    cond: Any,
    body: Any,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    maximum_iterations: Any = None,
    name: Any = None,
    return_same_structure: Any = False,
) -> Any:
    """``body`` for as long as ``cond`` holds."""
    if not isinstance(loop_vars, (list, tuple, dict)):
        loop_vars = [loop_vars]

    def turn(state: Any) -> Any:
        result = called(g, body, *(state.values() if isinstance(state, dict) else state))
        wrapped = len(loop_vars) == 1 and not isinstance(result, (list, tuple, dict))
        return [result] if wrapped else list(result) if isinstance(result, (list, tuple)) else result

    def one(start: Any, *turns: Any) -> Any:
        plain = (Node, Unknown, int, float)
        if not isinstance(start, plain) or not all(isinstance(t, plain) for t in turns):
            return turns[-1]  # a TensorArray is one object throughout
        nodes = [g.lift(v) for v in (start, *turns)]
        return nodes[0] if len({n.number for n in nodes}) == 1 else g.op("loop", *nodes, fixed=fixed)

    start = list(loop_vars) if isinstance(loop_vars, tuple) else loop_vars
    once = turn(start)
    asked = [called(g, cond, *(s.values() if isinstance(s, dict) else s)) for s in (start, once) if _iterable(s)]
    fixed = all(map(_asks_for_numbers, asked))
    result = structured(one, start, once, turn(once)) if not isinstance(once, Unknown) else once
    return tuple(result) if isinstance(loop_vars, tuple) and isinstance(result, list) else result


def _iterable(state: Any) -> bool:
    return isinstance(state, (list, tuple, dict))


def _asks_for_numbers(condition: Any) -> bool:
    """Whether a condition is made of numbers and hyper-parameters alone: neither of data nor of how much there is."""
    if not isinstance(condition, Node):
        return isinstance(condition, (bool, int, float))
    return all(n.op == "const" or n.inputs or n.attrs.get("role") == "config" for n in ancestors([condition]))


# -- branches ----------------------------------------------------------------------------------------------------------
@api("tensorflow.cond", "tensorflow.smart_cond", "tensorflow.contrib.framework.smart_cond")
def cond(
    g: Graph,
    pred: Any,
    true_fn: Any = None,
    false_fn: Any = None,
    name: Any = None,
    strict: Any = False,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """What one of two functions returns; only that one is run, so its gradient alone counts."""
    first, second = true_fn if true_fn is not None else fn1, false_fn if false_fn is not None else fn2
    decided = constant_of(pred)
    if isinstance(decided, (bool, int, float)):
        return called(g, first if decided else second)
    return _chosen(g, [(pred, called(g, first))], called(g, second))


def _chosen(g: Graph, ways: list[tuple[Any, Any]], otherwise: Any) -> Any:
    """The result of the first of ``ways``, conditions and results, whose condition holds."""
    for condition, result in reversed(ways):
        decided = constant_of(condition)
        if isinstance(decided, (bool, int, float)):
            otherwise = result if decided else otherwise
        else:
            decider = condition if isinstance(condition, Node) else None
            otherwise = joined(g, result, otherwise, decider=decider)
    return otherwise


@api("tensorflow.case")
def case(
    g: Graph, pred_fn_pairs: Any, default: Any = None, exclusive: Any = False, strict: Any = False, name: Any = None
) -> Any:
    """What the first function returns whose condition holds."""
    if not isinstance(pred_fn_pairs, (list, tuple, dict)):
        return Unknown(tuple(nodes_in(pred_fn_pairs)), "cases that are not known")
    pairs = pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs
    ways = [(condition, called(g, function)) for condition, function in pairs]
    # where there is no default, it is an error that no condition holds
    otherwise = called(g, default) if default is not None or not ways else ways.pop()[1]
    return _chosen(g, ways, otherwise)


@api("tensorflow.switch_case")
def switch_case(g: Graph, branch_index: Any, branch_fns: Any, default: Any = None, name: Any = None) -> Any:
    """What the function with a number returns."""
    if isinstance(branch_fns, dict):
        branch_fns = list(branch_fns.items())
    if not isinstance(branch_fns, (list, tuple)):
        return Unknown(tuple(nodes_in(branch_fns)), "cases that are not known")
    numbered: dict[Any, Any] = dict(f if isinstance(f, tuple) else (i, f) for i, f in enumerate(branch_fns))
    chosen = constant_of(branch_index)
    if isinstance(chosen, int) and all(isinstance(number, int) for number in numbered):
        # a number out of range means the default, and the last function where there is none
        return called(g, numbered.get(chosen, default if default is not None else numbered[max(numbered)]))
    ways = [(_is_number(g, branch_index, number), called(g, function)) for number, function in numbered.items()]
    otherwise = called(g, default) if default is not None or not ways else ways.pop()[1]
    return _chosen(g, ways, otherwise)


def _is_number(g: Graph, index: Any, number: Any) -> Any:
    """Whether ``index`` is ``number``, where that can be asked."""
    known = isinstance(index, Node) and isinstance(number, int)
    return g.op("eq", index, number) if known else Unknown((), "the number of a branch")


# -- gradients ---------------------------------------------------------------------------------------------------------
@api("tensorflow.stop_gradient")
def stop_gradient(g: Graph, input: Any, name: Any = None) -> Node:
    """The value without its gradient."""
    return g.op("stop_gradient", input)


def _declared_gradient(function: Any, name: str) -> Callback:
    """``function`` with a gradient that the user declares, or passes through."""

    def call(g: Graph, *args: Any, **kwargs: Any) -> Any:
        result = called(g, function, *args, **kwargs)
        value = result[0] if name == "custom_gradient" and isinstance(result, tuple) and len(result) == 2 else result
        inputs = tuple(nodes_in(args, kwargs))

        def one(leaf: Any) -> Node:
            node = g.lift(leaf)
            return batched(g.op("straight_through", node, *(inputs or (node,)), valued=True), node.shape, node.dtype)

        return structured(one, value)

    return Callback(name, call, {})


@api("tensorflow.custom_gradient")
def custom_gradient(g: Graph, f: Any = None) -> Any:
    """A decorator: the function returns its value and its gradient."""
    if f is None:
        return Callback("custom_gradient", custom_gradient, {})
    return _declared_gradient(f, "custom_gradient")


@api("tensorflow.grad_pass_through")
def grad_pass_through(g: Graph, f: Any) -> Callback:
    """A function whose gradient is that of the identity."""
    return _declared_gradient(f, "grad_pass_through")


@api("tensorflow.gradients")
def gradients(g: Graph, ys: Any, xs: Any, *args: Any, **kwargs: Any) -> Any:
    """The derivative of the sum of ``ys`` with respect to each of ``xs``."""
    targets = [g.lift(y) for y in ys] if isinstance(ys, (list, tuple)) else [g.lift(ys)]
    total = (
        targets[0]
        if len(targets) == 1
        else g.op("add", *targets[:2])
        if len(targets) == 2
        else unknown(g, "several targets", ys)
    )
    sources = xs if isinstance(xs, (list, tuple)) else [xs]
    return [
        g.op("gradient_of", total, x) if isinstance(x, Node) else unknown(g, "a gradient", total, x) for x in sources
    ]


@api("tensorflow.hessians")
def hessians(g: Graph, ys: Any, xs: Any, *args: Any, **kwargs: Any) -> Any:
    """Second derivatives."""
    return [unknown(g, "second derivatives", ys, x) for x in (xs if isinstance(xs, (list, tuple)) else [xs])]


# -- Python inside the graph -------------------------------------------------------------------------------------------
def _python(primitive: str) -> Callable[..., Any]:
    def expansion(
        g: Graph, func: Any, inp: Any = None, Tout: Any = None, stateful: Any = True, name: Any = None, **kwargs: Any
    ) -> Any:
        inputs = tuple(nodes_in(inp)) or (g.lift(0),)

        def result(dtype: Any) -> Node:
            return batched(g.op(primitive, *inputs), Shape.unknown(), dtype_of(dtype))

        return [result(d) for d in Tout] if isinstance(Tout, (list, tuple)) else result(Tout)

    return expansion


row("numpy_function py_func", _python("numpy_function"))
row("py_function", _python("py_function"))
row("contrib.eager.py_func", _python("py_function"))


# -- wrappers that change nothing --------------------------------------------------------------------------------------
def _transparent(name: str) -> Callable[..., Any]:
    """A decorator, with or without arguments, that leaves the function as it is."""

    def expansion(g: Graph, func: Any = None, *args: Any, **kwargs: Any) -> Any:
        plain = (type(None), str, bool, int, list, tuple, dict)
        if isinstance(func, plain):
            return Callback(name, lambda g, f, *more, **named: f, {})
        return func

    return expansion


row("function", _transparent("function"))
for _name in (
    "recompute_grad",
    "autograph.experimental.do_not_convert",
    "autograph.to_graph",
    "nondifferentiable_batch_function",
    "contrib.eager.defun",
    "no_gradient",
    "RegisterGradient",
    "wrap_function",
):
    row(_name, _transparent(_name))


@api("tensorflow.group", "tensorflow.no_op")
def group(g: Graph, *inputs: Any, **kwargs: Any) -> None:
    """Runs operations for what they do; there is no value."""
