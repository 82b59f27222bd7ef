"""Logarithms of densities, as ``tensorflow_probability`` computes them, written out in primitives.

Each is called with the graph, the value and the parameters by name; parameters that a distribution has a choice of
(``logits`` or ``probs``) are those that the user gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Dim
from losslint.graph import Graph, Node
from losslint.ops.catalogue import tf_nn

Parameters = dict[str, Any]
Density = Callable[[Graph, Node, Parameters], Node]
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


# -- small words for sums of many terms --------------------------------------------------------------------------------
def total(g: Graph, *terms: Any) -> Node:
    """The terms added up, from the left."""
    result = terms[0]
    for term in terms[1:]:
        result = g.op("add", result, term)
    return g.lift(result)


def less(g: Graph, x: Any, *terms: Any) -> Node:
    """``x`` without the terms, one after the other."""
    for term in terms:
        x = g.op("sub", x, term)
    return g.lift(x)


def last(g: Graph, x: Any) -> Node:
    """The sum over the axis of one event."""
    return g.op("sum", x, axis=(-1,), keepdims=False)


def standard(g: Graph, x: Any, p: Parameters) -> Node:
    """(x - loc) / scale."""
    return g.op("div", g.op("sub", x, p.get("loc", 0.0)), p.get("scale", 1.0))


def log_scale(g: Graph, p: Parameters) -> Node:
    """log(scale)."""
    return g.op("log", p.get("scale", 1.0))


def log_classes(g: Graph, p: Parameters) -> Node:
    """The logarithms of the probabilities of classes."""
    if "logits" in p:
        return g.op("log_softmax", p["logits"], axis=(-1,))
    return g.op("log", p["probs"])


def log_hit_and_miss(g: Graph, p: Parameters) -> tuple[Node, Node]:
    """log(p) and log(1 - p) of one probability."""
    if "logits" in p:
        return g.op("log_sigmoid", p["logits"]), g.op("log_sigmoid", g.op("neg", p["logits"]))
    return g.op("log", p["probs"]), g.op("log1p", g.op("neg", p["probs"]))


# -- of real numbers ---------------------------------------------------------------------------------------------------
def normal(g: Graph, x: Node, p: Parameters) -> Node:
    """-z^2 / 2 - log(scale) - log(2 pi) / 2."""
    half = g.op("mul", -0.5, g.op("square", standard(g, x, p)))
    return less(g, half, g.op("add", log_scale(g, p), HALF_LOG_2PI))


def diagonal_normal(g: Graph, x: Node, p: Parameters) -> Node:
    """The sum over the last axis of independent normal densities."""
    return last(g, normal(g, x, {"loc": p.get("loc", 0.0), "scale": p.get("scale_diag", 1.0)}))


def laplace(g: Graph, x: Node, p: Parameters) -> Node:
    """-|z| - log(2 scale)."""
    return less(g, g.op("neg", g.op("abs", standard(g, x, p))), math.log(2.0), log_scale(g, p))


def cauchy(g: Graph, x: Node, p: Parameters) -> Node:
    """-log(1 + z^2) - log(pi scale)."""
    tail = g.op("log1p", g.op("square", standard(g, x, p)))
    return less(g, g.op("neg", tail), math.log(math.pi), log_scale(g, p))


def gumbel(g: Graph, x: Node, p: Parameters) -> Node:
    """-z - exp(-z) - log(scale)."""
    back = g.op("neg", standard(g, x, p))
    return less(g, back, g.op("exp", back), log_scale(g, p))


def logistic(g: Graph, x: Node, p: Parameters) -> Node:
    """-z - 2 softplus(-z) - log(scale)."""
    back = g.op("neg", standard(g, x, p))
    return less(g, back, g.op("mul", 2.0, g.op("softplus", back)), log_scale(g, p))


def student_t(g: Graph, x: Node, p: Parameters) -> Node:
    """-(df + 1) / 2 log(1 + z^2 / df) and its normalisation."""
    df = g.lift(p["df"])
    half, more = g.op("mul", 0.5, df), g.op("mul", 0.5, g.op("add", df, 1.0))
    tail = g.op("log1p", g.op("div", g.op("square", standard(g, x, p)), df))
    norm = total(g, log_scale(g, p), g.op("mul", 0.5, g.op("log", df)), 0.5 * math.log(math.pi), g.op("lgamma", half))
    return less(g, g.op("neg", g.op("mul", more, tail)), g.op("sub", norm, g.op("lgamma", more)))


def von_mises(g: Graph, x: Node, p: Parameters) -> Node:
    """concentration (cos(x - loc) - 1) - log(2 pi i0e(concentration))."""
    k = g.lift(p["concentration"])
    angle = g.op("sub", g.op("cos", g.op("sub", x, p["loc"])), 1.0)
    bessel = g.op("smooth", k, low=0.0, high=1.0, api="bessel_i0e")
    return less(g, g.op("mul", k, angle), math.log(2 * math.pi), g.op("log", bessel))


def uniform(g: Graph, x: Node, p: Parameters) -> Node:
    """-log(high - low) inside, -inf outside."""
    low, high = p.get("low", 0.0), p.get("high", 1.0)
    outside = g.op("or", g.op("lt", x, low), g.op("ge", x, high))
    return g.op("select", outside, -math.inf, g.op("neg", g.op("log", g.op("sub", high, low))))


# -- of positive numbers and shares ------------------------------------------------------------------------------------
def log_normal(g: Graph, x: Node, p: Parameters) -> Node:
    """The normal density of log(x), less log(x)."""
    logarithm = g.op("log", x)
    return g.op("sub", normal(g, logarithm, p), logarithm)


def half_normal(g: Graph, x: Node, p: Parameters) -> Node:
    """Twice the normal density around 0, for x >= 0."""
    return g.op("select", g.op("lt", x, 0.0), -math.inf, g.op("add", normal(g, x, p), math.log(2.0)))


def exponential(g: Graph, x: Node, p: Parameters) -> Node:
    """log(rate) - rate x."""
    return g.op("sub", g.op("log", p["rate"]), g.op("mul", p["rate"], x))


def gamma(g: Graph, x: Node, p: Parameters) -> Node:
    """(a - 1) log(x) - rate x + a log(rate) - log gamma(a)."""
    a = g.lift(p["concentration"])
    rate = g.op("exp", p["log_rate"]) if "log_rate" in p else g.lift(p["rate"])
    log_rate = p["log_rate"] if "log_rate" in p else g.op("log", rate)
    power = g.op("xlogy", g.op("sub", a, 1.0), x)
    return total(g, power, g.op("neg", g.op("mul", rate, x)), g.op("mul", a, log_rate), g.op("neg", g.op("lgamma", a)))


def inverse_gamma(g: Graph, x: Node, p: Parameters) -> Node:
    """-(a + 1) log(x) - scale / x + a log(scale) - log gamma(a)."""
    a = g.lift(p["concentration"])
    power = g.op("neg", g.op("mul", g.op("add", a, 1.0), g.op("log", x)))
    norm = g.op("sub", g.op("mul", a, log_scale(g, p)), g.op("lgamma", a))
    return g.op("add", g.op("sub", power, g.op("div", p.get("scale", 1.0), x)), norm)


def weibull(g: Graph, x: Node, p: Parameters) -> Node:
    """log(k / scale) + (k - 1) log(x / scale) - (x / scale)^k."""
    k, z = g.lift(p["concentration"]), g.op("div", x, p["scale"])
    power = g.op("xlogy", g.op("sub", k, 1.0), z)
    return less(g, total(g, g.op("log", k), power), log_scale(g, p), g.op("pow", z, k))


def beta(g: Graph, x: Node, p: Parameters) -> Node:
    """(a - 1) log(x) + (b - 1) log(1 - x) - log B(a, b)."""
    a, b = g.lift(p["concentration1"]), g.lift(p["concentration0"])
    powers = g.op("add", g.op("xlogy", g.op("sub", a, 1.0), x), g.op("xlog1py", g.op("sub", b, 1.0), g.op("neg", x)))
    norm = g.op("sub", g.op("add", g.op("lgamma", a), g.op("lgamma", b)), g.op("lgamma", g.op("add", a, b)))
    return g.op("sub", powers, norm)


def dirichlet(g: Graph, x: Node, p: Parameters) -> Node:
    """The sum of (a - 1) log(x) over the last axis, less log B(a)."""
    a = g.lift(p["concentration"])
    norm = g.op("sub", last(g, g.op("lgamma", a)), g.op("lgamma", last(g, a)))
    return g.op("sub", last(g, g.op("xlogy", g.op("sub", a, 1.0), x)), norm)


# -- of counts and classes ---------------------------------------------------------------------------------------------
def bernoulli(g: Graph, x: Node, p: Parameters) -> Node:
    """x log p + (1 - x) log(1 - p), from logits where these are given."""
    if "logits" in p:
        return g.op("neg", tf_nn.sigmoid_cross_entropy_with_logits(g, x, p["logits"]))
    hit = g.op("xlogy", x, p["probs"])
    return g.op("add", hit, g.op("xlog1py", g.op("sub", 1.0, x), g.op("neg", p["probs"])))


def poisson(g: Graph, x: Node, p: Parameters) -> Node:
    """x log(rate) - rate - log(x!)."""
    rate = g.op("exp", p["log_rate"]) if "log_rate" in p else g.lift(p["rate"])
    hit = g.op("mul", x, p["log_rate"]) if "log_rate" in p else g.op("xlogy", x, rate)
    return less(g, hit, rate, g.op("lgamma", g.op("add", x, 1.0)))


def geometric(g: Graph, x: Node, p: Parameters) -> Node:
    """x log(1 - p) + log(p)."""
    hit, miss = log_hit_and_miss(g, p)
    return g.op("add", g.op("mul", x, miss), hit)


def binomial(g: Graph, x: Node, p: Parameters) -> Node:
    """log of n over x, plus x log p + (n - x) log(1 - p)."""
    n = g.lift(p["total_count"])
    missed = g.op("sub", n, x)
    hit, miss = log_hit_and_miss(g, p)
    ways = [g.op("lgamma", g.op("add", v, 1.0)) for v in (n, x, missed)]
    return total(g, g.op("mul", x, hit), g.op("mul", missed, miss), less(g, *ways))


def negative_binomial(g: Graph, x: Node, p: Parameters) -> Node:
    """log of n + x - 1 over x, plus n log(1 - p) + x log(p)."""
    n = g.lift(p["total_count"])
    hit, miss = log_hit_and_miss(g, p)
    more, one, own = (g.op("lgamma", v) for v in (g.op("add", n, x), g.op("add", x, 1.0), n))
    return total(g, g.op("mul", n, miss), g.op("mul", x, hit), less(g, more, one, own))


def categorical(g: Graph, x: Node, p: Parameters) -> Node:
    """log softmax(logits), or log(probs), at the class number."""
    if "logits" in p:
        return g.op("neg", tf_nn.sparse_softmax_cross_entropy_with_logits(g, x, p["logits"]))
    probs = g.lift(p["probs"])
    hot = g.op("one_hot", x, depth=probs.shape.axis(-1) or Dim.fresh(), axis=-1)
    return g.op("log", last(g, g.op("mul", hot, probs)))


def one_hot_categorical(g: Graph, x: Node, p: Parameters) -> Node:
    """The logarithm of the probability of the class that is 1."""
    return last(g, g.op("mul", x, log_classes(g, p)))


def multinomial(g: Graph, x: Node, p: Parameters) -> Node:
    """The sum of x log(p), and the logarithm of the number of orders."""
    ways = last(g, g.op("lgamma", g.op("add", x, 1.0)))
    orders = g.op("sub", g.op("lgamma", g.op("add", p["total_count"], 1.0)), ways)
    return g.op("add", last(g, g.op("mul", x, log_classes(g, p))), orders)
