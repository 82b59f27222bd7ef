"""``tensorflow_probability``: distributions, their densities, samples and divergences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from losslint.domain.shape import SCALAR, Dim, Shape, broadcast, reduce
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, called, constant_of, nodes_in
from losslint.ops.catalogue import tf_nn
from losslint.ops.catalogue.arguments import opaque_of_all, under
from losslint.ops.extents import requested
from losslint.ops.registry import Callback
from losslint.ops.shapevalue import shape_argument

PLACES = (
    "tensorflow_probability.distributions tensorflow_probability.python.distributions tensorflow.distributions "
    "tensorflow.contrib.distributions"
)
Parameters = dict[str, Any]
Density = Callable[[Graph, Node, Parameters], Node]
STATISTICS = "mean mode stddev variance quantile cdf log_cdf survival_function log_survival_function"
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


# -- densities that are written out ------------------------------------------------------------------------------------
def _normal(g: Graph, x: Node, p: Parameters) -> Node:
    """-((x - loc) / scale)^2 / 2 - log(scale) - log(2 pi) / 2."""
    z = g.op("div", g.op("sub", x, p["loc"]), p["scale"])
    log_scale = g.op("add", g.op("log", p["scale"]), HALF_LOG_2PI)
    return g.op("sub", g.op("mul", -0.5, g.op("square", z)), log_scale)


def _laplace(g: Graph, x: Node, p: Parameters) -> Node:
    """-|x - loc| / scale - log(2 scale)."""
    z = g.op("div", g.op("abs", g.op("sub", x, p["loc"])), p["scale"])
    return g.op("sub", g.op("neg", z), g.op("log", g.op("mul", 2.0, p["scale"])))


def _bernoulli(g: Graph, x: Node, p: Parameters) -> Node:
    """x log p + (1 - x) log(1 - p), from logits where these are given."""
    if p.get("logits") is not None:
        return g.op("neg", tf_nn.sigmoid_cross_entropy_with_logits(g, x, p["logits"]))
    hit = g.op("xlogy", x, p["probs"])
    return g.op("add", hit, g.op("xlog1py", g.op("sub", 1.0, x), g.op("neg", p["probs"])))


def _poisson(g: Graph, x: Node, p: Parameters) -> Node:
    """x log(rate) - rate - log(x!)."""
    log_rate = p["log_rate"] if p.get("rate") is None else None
    rate = g.op("exp", log_rate) if log_rate is not None else g.lift(p["rate"])
    hit = g.op("mul", x, log_rate) if log_rate is not None else g.op("xlogy", x, rate)
    return g.op("sub", g.op("sub", hit, rate), g.op("lgamma", g.op("add", x, 1.0)))


def _exponential(g: Graph, x: Node, p: Parameters) -> Node:
    """log(rate) - rate x."""
    return g.op("sub", g.op("log", p["rate"]), g.op("mul", p["rate"], x))


def _categorical(g: Graph, x: Node, p: Parameters) -> Node:
    """log softmax(logits), or log(probs), at the class number."""
    if p.get("logits") is not None:
        return g.op("neg", tf_nn.sparse_softmax_cross_entropy_with_logits(g, x, p["logits"]))
    probs = g.lift(p["probs"])
    hot = g.op("one_hot", x, depth=probs.shape.axis(-1) or Dim.fresh(), axis=-1)
    return g.op("log", g.op("sum", g.op("mul", hot, probs), axis=(-1,), keepdims=False))


def _diagonal_normal(g: Graph, x: Node, p: Parameters) -> Node:
    """The sum over the last axis of independent normal densities."""
    scale = p.get("scale_diag")
    scale = 1.0 if scale is None else scale
    loc = 0.0 if p.get("loc") is None else p["loc"]
    return g.op("sum", _normal(g, x, {"loc": loc, "scale": scale}), axis=(-1,), keepdims=False)


# -- a distribution ----------------------------------------------------------------------------------------------------
def parameters_of(names: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parameters:
    """Arguments of a constructor by name."""
    return dict(zip(names.split(), args, strict=False)) | kwargs


def batch_shape(g: Graph, parameters: Parameters, event: int) -> Shape:
    """The shape of the parameters together, without the axes of one event."""
    shape = SCALAR
    for value in parameters.values():
        if isinstance(value, Node):
            shape = broadcast(shape, value.shape)
    return reduce(shape, tuple(range(-event, 0)))[0] if event else shape


def _live(g: Graph, shape: Shape, *values: Any) -> Node:
    """Something differentiable of a known shape."""
    inputs = tuple(nodes_in(values)) or (g.lift(0.0),)
    return batched(g.op("straight_through", *inputs), shape, "float32")


def distribution(
    title: str, parameters: Parameters, event: int = 0, density: Density | None = None, discrete: bool = False
) -> Callback:
    """A distribution whose samples have ``event`` axes of their own."""
    nodes = tuple(nodes_in(parameters))

    def log_prob(g: Graph, value: Any, name: Any = None) -> Node:
        x = g.lift(value)
        if density is not None:
            with g.library():
                return density(g, x, parameters)
        own = reduce(x.shape, tuple(range(-event, 0)))[0] if event else x.shape
        return _live(g, broadcast(own, batch_shape(g, parameters, event)), x, *nodes)

    def sample(g: Graph, sample_shape: Any = (), seed: Any = None, name: Any = None) -> Node:
        outer = requested(shape_argument(g, sample_shape)) if sample_shape != () else SCALAR
        own = batch_shape(g, parameters, 0)
        if outer is None or (outer.head and own.rank is None):
            shape = Shape.unknown()
        else:
            shape = Shape(outer.head + own.head, own.rest, own.tail)
        if discrete:
            return batched(g.op("random", low=0.0, high=None), shape)
        if density is _normal and isinstance(parameters.get("loc"), Node):
            noise = g.op("random", low=None, high=None, shape=shape, dtype="float32")
            with g.library():
                return batched(g.op("add", parameters["loc"], g.op("mul", parameters["scale"], noise)), shape)
        return _live(g, shape, *nodes)

    def statistic(g: Graph, *args: Any, **kwargs: Any) -> Node:
        return _live(g, batch_shape(g, parameters, 0), *nodes, *nodes_in(args))

    def entropy(g: Graph, name: Any = None) -> Node:
        return _live(g, batch_shape(g, parameters, event), *nodes)

    def divergence(g: Graph, other: Any, name: Any = None) -> Node:
        return kl_divergence(g, itself, other)

    methods: dict[str, Callable[..., Any]] = {
        "log_prob": log_prob,
        "prob": lambda g, value, name=None: g.op("exp", log_prob(g, value)),
        "sample": sample,
        "entropy": entropy,
        "kl_divergence": divergence,
        "cross_entropy": divergence,
        **dict.fromkeys(STATISTICS.split(), statistic),
    }
    attributes: dict[str, Any] = {name: Callback(f"{title}.{name}", method, {}) for name, method in methods.items()}
    attributes |= {**parameters, "event_axes": event, "parameters": parameters}
    itself = Callback(title, lambda g: sample(g), attributes)
    return itself


def kl_divergence(
    g: Graph, distribution_a: Any, distribution_b: Any, allow_nan_stats: Any = True, name: Any = None
) -> Node:
    """The divergence of two distributions: one number for each element of the batch."""
    pair = [d for d in (distribution_a, distribution_b) if isinstance(d, Callback) and "event_axes" in d.attrs]
    if len(pair) < 2:
        return g.opaque(nodes_in([d.attrs for d in pair]), "the divergence of distributions that are not known")
    a, b = (d.attrs["parameters"] for d in pair)
    shape = broadcast(*(batch_shape(g, d.attrs["parameters"], d.attrs["event_axes"]) for d in pair))
    if not all(d.name.endswith(".Normal") for d in pair):
        return _live(g, shape, *nodes_in(a, b))
    with g.library():
        ratio = g.op("square", g.op("div", a["scale"], b["scale"]))
        shift = g.op("square", g.op("div", g.op("sub", a["loc"], b["loc"]), b["scale"]))
        return g.op("mul", 0.5, g.op("sub", g.op("sub", g.op("add", ratio, shift), 1.0), g.op("log", ratio)))


def _constructor(
    title: str, names: str, event: int, density: Density | None, discrete: bool
) -> Callable[..., Callback]:
    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        parameters = parameters_of(names, args, kwargs)
        options = ("validate_args", "allow_nan_stats", "name", "dtype", "reinterpreted_batch_ndims")
        kept = {key: value for key, value in parameters.items() if key not in options and value is not None}
        complete = kept and all(key in kept for key in ("loc", "scale") if key in names.split())
        written = density if complete or density is _diagonal_normal else None
        return distribution(f"tensorflow_probability.distributions.{title}", kept, event, written, discrete)

    return construct


_KINDS: dict[str, tuple[str, int, Density | None, bool]] = {
    # class: (parameters in order, axes of one sample, density, whether samples are counts)
    "Normal": ("loc scale", 0, _normal, False),
    "Laplace": ("loc scale", 0, _laplace, False),
    "Bernoulli": ("logits probs", 0, _bernoulli, True),
    "Poisson": ("rate log_rate", 0, _poisson, True),
    "Exponential": ("rate", 0, _exponential, False),
    "Categorical": ("logits probs", 0, _categorical, True),
    "MultivariateNormalDiag": ("loc scale_diag", 1, _diagonal_normal, False),
    "MultivariateNormalTriL": ("loc scale_tril", 1, None, False),
    "MultivariateNormalFullCovariance": ("loc covariance_matrix", 1, None, False),
    "OneHotCategorical": ("logits probs", 1, None, True),
    "Dirichlet": ("concentration", 1, None, False),
    "Multinomial": ("total_count logits probs", 1, None, True),
    **{
        name: (parameters, 0, None, name in ("Binomial", "NegativeBinomial", "Geometric"))
        for name, parameters in {
            "Beta": "concentration1 concentration0",
            "Binomial": "total_count logits probs",
            "Cauchy": "loc scale",
            "Gamma": "concentration rate",
            "Geometric": "logits probs",
            "Gumbel": "loc scale",
            "HalfNormal": "scale",
            "InverseGamma": "concentration scale",
            "Logistic": "loc scale",
            "LogNormal": "loc scale",
            "NegativeBinomial": "total_count logits probs",
            "StudentT": "df loc scale",
            "TruncatedNormal": "loc scale low high",
            "Uniform": "low high",
            "VonMises": "loc concentration",
            "Weibull": "concentration scale",
        }.items()
    },
}
for _class, (_names, _event, _density, _discrete) in _KINDS.items():
    under(PLACES, _class, _constructor(_class, _names, _event, _density, _discrete))


# -- made of others ----------------------------------------------------------------------------------------------------
def independent(g: Graph, distribution: Any, reinterpreted_batch_ndims: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Axes of the batch taken as axes of one event: densities are summed over them."""
    if not isinstance(distribution, Callback) or "event_axes" not in distribution.attrs:
        return Unknown(tuple(nodes_in(distribution)), "a distribution that is not known")
    parameters, event = distribution.attrs["parameters"], distribution.attrs["event_axes"]
    count = constant_of(reinterpreted_batch_ndims)
    inner = distribution.attrs["log_prob"]

    def density(g: Graph, x: Node, parameters: Parameters) -> Node:
        each = called(g, inner, x)
        if isinstance(count, int):
            return g.op("sum", each, axis=tuple(range(-count, 0)), keepdims=False)
        rank = each.shape.rank
        return g.op("sum", each, axis=tuple(range(1, rank)) if rank is not None else (1, 2, 3), keepdims=False)

    more = count if isinstance(count, int) else 1
    return _summed(distribution.name, parameters, event + more, density)


def _summed(title: str, parameters: Parameters, event: int, density: Density) -> Callback:
    return distribution(f"{title}.Independent", parameters, event, density)


def composed(g: Graph, *args: Any, **kwargs: Any) -> Callback:
    """A mixture, or a transformed distribution: live in everything it is made of."""
    parts = [value for value in (*args, *kwargs.values()) if isinstance(value, Callback)]
    nodes = nodes_in(*(p.attrs.get("parameters") for p in parts), args, kwargs)
    inside = {f"part{i}": node for i, node in enumerate(nodes)}
    return distribution("tensorflow_probability.distributions.composed", inside)


under(PLACES, "Independent", independent)
under(PLACES, "Mixture MixtureSameFamily TransformedDistribution JointDistributionSequential Sample", composed)
under(PLACES, "kl_divergence", kl_divergence)
under(
    "tensorflow_probability.stats",
    "correlation covariance variance stddev percentile",
    opaque_of_all("a statistic of samples"),
)
