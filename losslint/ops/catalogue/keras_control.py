"""Control flow of ``keras.ops`` and ``keras.backend``: it calls back into the user's functions."""

from __future__ import annotations

from typing import Any

from losslint.domain.shape import Dim
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import called, constant_of, nodes_in
from losslint.ops.catalogue import tf_control
from losslint.ops.catalogue.arguments import table, undecided, under

CORE = "keras.ops keras.ops.core keras.ops.numpy"


def loop(g: Graph, *turns: Any) -> Any:
    """A value before a loop, after one turn and after two, leaf by leaf."""
    return tf_control.structured(lambda *leaves: None if leaves[0] is None else g.op("loop", *leaves), *turns)


def scan(g: Graph, f: Any, init: Any, xs: Any = None, length: Any = None, reverse: Any = False, unroll: Any = 1) -> Any:
    """(the last carry, every result) of ``carry, result = f(carry, row)``."""
    row = tf_control.row_of(g, xs) if xs is not None else None
    once = called(g, f, init, row)
    if not isinstance(once, (tuple, list)) or len(once) != 2:
        return Unknown(tuple(nodes_in(init, xs, once)), "a scan that is not followed")
    twice = called(g, f, once[0], row)
    if not isinstance(twice, (tuple, list)) or len(twice) != 2:
        return Unknown(tuple(nodes_in(init, xs, once)), "a scan that is not followed")
    more = called(g, f, twice[0], row)
    last = more[1] if isinstance(more, (tuple, list)) and len(more) == 2 else Unknown()
    extents = (node.shape.axis(0) for node in nodes_in(xs))
    count = next((extent for extent in extents if extent is not None), Dim.unknown())
    results = None if twice[1] is None else tf_control.rows_of(g, loop(g, once[1], twice[1], last), count)
    return loop(g, init, once[0], twice[0]), results


def fori_loop(g: Graph, lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    """``value = body(i, value)`` for every i."""
    once = called(g, body_fun, lower, init_val)
    return loop(g, init_val, once, called(g, body_fun, g.op("add", lower, 1), once))


def while_loop(g: Graph, cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """``body`` for as long as ``cond`` holds."""
    result = tf_control.while_loop(g, cond, body, loop_vars)
    single = not isinstance(loop_vars, (list, tuple, dict)) and isinstance(result, list) and len(result) == 1
    return result[0] if single else result


def switch(g: Graph, index: Any, branches: Any, *operands: Any) -> Any:
    """What the function with a number returns."""
    if not isinstance(branches, (list, tuple)) or not branches:
        return Unknown(tuple(nodes_in(branches, operands)), "branches that are not known")
    known = constant_of(index)
    if isinstance(known, int):  # one that is out of range is the nearest that is not
        branches = [branches[min(max(known, 0), len(branches) - 1)]]
    return tf_control.joined(g, *(called(g, branch, *operands) for branch in branches))


def stop_gradient(g: Graph, variable: Any) -> Any:
    """The value without its gradient."""
    return tf_control.stop_gradient(g, variable)


def to_numpy(g: Graph, x: Any) -> Any:
    """A NumPy array: the graph is left."""
    return g.op("leaves_tensorflow", x, how="keras.ops.convert_to_numpy") if isinstance(x, Node) else x


table(
    CORE,
    {
        "cond": lambda g, pred, true_fn, false_fn: tf_control.cond(g, pred, true_fn, false_fn),
        "map": lambda g, f, xs: tf_control.mapped(g, f, xs),
        "vectorized_map": lambda g, function, elements: tf_control.mapped(g, function, elements),
        "scan": scan,
        "fori_loop": fori_loop,
        "while_loop": while_loop,
        "switch": switch,
        "stop_gradient": stop_gradient,
        "convert_to_numpy": to_numpy,
        "custom_gradient": lambda g, f: tf_control.custom_gradient(g, f),
    },
)
under("keras.backend", "vectorized_map", lambda g, function, elements: tf_control.mapped(g, function, elements))
under(CORE, "associative_scan", undecided("a scan that is not followed"))
