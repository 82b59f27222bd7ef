"""``tensorflow_probability``: distributions, their densities, samples and divergences."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from losslint.domain.shape import SCALAR, Shape, broadcast, reduce
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, constant_of, nodes_in
from losslint.ops.catalogue import densities
from losslint.ops.catalogue.arguments import opaque_of_all, samplewise, under
from losslint.ops.catalogue.densities import Density, Parameters, last, log_classes
from losslint.ops.extents import requested
from losslint.ops.registry import Callback
from losslint.ops.shapevalue import shape_argument

TFP = "tensorflow_probability.distributions"
PLACES = f"{TFP} tensorflow_probability.python.distributions tensorflow.distributions tensorflow.contrib.distributions"
_OPTIONS = frozenset("validate_args allow_nan_stats name dtype reinterpreted_batch_ndims force_probs_to_zero".split())
_STATISTICS = "mean mode stddev variance quantile cdf log_cdf survival_function log_survival_function covariance"
_MATRICES = frozenset({"scale_tril", "covariance_matrix", "precision_matrix", "scale_perturb_factor"})
_OF_NO_EVENT = frozenset({"total_count", "df"})


class Kind(NamedTuple):
    """A family of distributions."""

    parameters: str  # in order
    density: Density | None = None
    event: int = 0  # axes of one sample
    classes: bool = False  # its parameters have an axis of classes, which a sample has not
    counts: bool = False  # samples are whole numbers, without a gradient
    located: bool = False  # a sample is loc + scale * noise

    def axes(self, name: str) -> int:
        """How many of the last axes of a parameter belong to one event."""
        if name in _OF_NO_EVENT:
            return 0
        return self.event + self.classes + (name in _MATRICES)


_REAL = functools.partial(Kind, "loc scale", located=True)
_LOGITS = functools.partial(Kind, "logits probs", counts=True)
KINDS: dict[str, Kind] = {
    "Normal": _REAL(densities.normal),
    "Laplace": _REAL(densities.laplace),
    "Cauchy": _REAL(densities.cauchy),
    "Gumbel": _REAL(densities.gumbel),
    "Logistic": _REAL(densities.logistic),
    "StudentT": Kind("df loc scale", densities.student_t, located=True),
    "LogNormal": Kind("loc scale", densities.log_normal),
    "HalfNormal": Kind("scale", densities.half_normal),
    "TruncatedNormal": Kind("loc scale low high"),
    "VonMises": Kind("loc concentration", densities.von_mises),
    "Uniform": Kind("low high", densities.uniform),
    "Exponential": Kind("rate", densities.exponential),
    "Gamma": Kind("concentration rate log_rate", densities.gamma),
    "InverseGamma": Kind("concentration scale", densities.inverse_gamma),
    "Weibull": Kind("concentration scale", densities.weibull),
    "Beta": Kind("concentration1 concentration0", densities.beta),
    "Dirichlet": Kind("concentration", densities.dirichlet, event=1),
    "MultivariateNormalDiag": Kind("loc scale_diag", densities.diagonal_normal, event=1, located=True),
    "MultivariateNormalTriL": Kind("loc scale_tril", event=1),
    "MultivariateNormalFullCovariance": Kind("loc covariance_matrix", event=1),
    "Bernoulli": _LOGITS(densities.bernoulli),
    "Geometric": _LOGITS(densities.geometric),
    "Categorical": _LOGITS(densities.categorical, classes=True),
    "OneHotCategorical": _LOGITS(densities.one_hot_categorical, event=1),
    "RelaxedOneHotCategorical": Kind("temperature logits probs", event=1),
    "RelaxedBernoulli": Kind("temperature logits probs"),
    "Poisson": Kind("rate log_rate", densities.poisson, counts=True),
    "Binomial": Kind("total_count logits probs", densities.binomial, counts=True),
    "NegativeBinomial": Kind("total_count logits probs", densities.negative_binomial, counts=True),
    "Multinomial": Kind("total_count logits probs", densities.multinomial, event=1, counts=True),
    "Deterministic": Kind("loc"),
    "VectorDeterministic": Kind("loc", event=1),
    "Pareto": Kind("concentration scale"),
    "Kumaraswamy": Kind("concentration1 concentration0"),
    "Chi2": Kind("df"),
    "SinhArcsinh": Kind("loc scale skewness tailweight"),
}


# -- one distribution --------------------------------------------------------------------------------------------------
def _joint(*shapes: Shape) -> Shape:
    return functools.reduce(broadcast, shapes, SCALAR)


def without(shape: Shape, axes: int) -> Shape:
    """``shape`` without its last axes."""
    return reduce(shape, tuple(range(-axes, 0)))[0] if axes else shape


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is known of a distribution; ``inner`` is the one of whose batch ``Independent`` makes axes of an event."""

    title: str
    kind: Kind
    parameters: Parameters
    batch: Shape  # of the numbers that its density returns, for one sample
    density: Density | None = None
    inner: Distribution | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The tensors that it depends on."""
        return tuple(nodes_in(self.parameters))

    def log_prob(self, g: Graph, value: Any, name: Any = None) -> Node:
        """The logarithm of the density of a sample."""
        x = g.lift(value)
        with g.library():
            if self.density is not None:
                return self.density(g, x, self.parameters)
            shape = _joint(without(x.shape, self.kind.event), self.batch)
            return samplewise(g, f"{self.title}.log_prob", shape, x, *self.nodes)

    def whole(self) -> Shape:
        """The shape of one sample for all of the batch."""
        event = [_event(node.shape, self.kind.event) for node in self.nodes if self.kind.event]
        longest = next((e for e in event if e is not None), None)
        if not self.kind.event:
            return self.batch
        if longest is None or self.batch.rank is None:
            return Shape.unknown()
        return Shape(self.batch.head + longest)

    def sample(self, g: Graph, sample_shape: Any = (), seed: Any = None, name: Any = None, **kwargs: Any) -> Node:
        """Random values; with a gradient to the parameters where they are real numbers."""
        outer = requested(shape_argument(g, sample_shape)) if sample_shape != () else SCALAR
        own = self.whole()
        if outer is None or (outer.head and own.rank is None):
            shape = Shape.unknown()
        else:
            shape = Shape(outer.head + own.head, own.rest, own.tail)
        if self.kind.counts:
            return batched(g.op("random", low=0.0, high=None), shape)
        p = self.parameters
        with g.library():
            if not self.kind.located or self.inner is not None:
                noise = g.op("random", low=0.0, high=1.0, shape=shape, dtype="float32")
                return samplewise(g, f"{self.title}.sample", shape, noise, *self.nodes)
            noise = g.op("random", low=None, high=None, shape=shape, dtype="float32")
            scale = p.get("scale", p.get("scale_diag", 1.0))
            return batched(g.op("add", p.get("loc", 0.0), g.op("mul", scale, noise)), shape)

    def mean(self, g: Graph, name: Any = None) -> Node:
        """The expectation, where it is a parameter."""
        p = self.parameters
        for known in ("loc", "probs") if self.kind.located or self.title.endswith(".Bernoulli") else ():
            if isinstance(p.get(known), Node) and p[known].shape == self.whole():
                return g.op("identity", p[known])
        if self.title.endswith(".Bernoulli") and isinstance(p.get("logits"), Node):
            return g.op("sigmoid", p["logits"])
        return samplewise(g, f"{self.title}.mean", self.whole(), *self.nodes)

    def statistic(self, g: Graph, *args: Any, **kwargs: Any) -> Node:
        """Something else about it, differentiable in its parameters."""
        return samplewise(g, f"{self.title}.{g.api.rpartition('.')[2]}", self.whole(), *self.nodes, *nodes_in(args))

    def entropy(self, g: Graph, name: Any = None) -> Node:
        """One number for each element of the batch."""
        with g.library():
            if self.title.endswith(".Normal") and isinstance(self.parameters.get("scale"), Node):
                value = g.op("add", g.op("log", self.parameters["scale"]), densities.HALF_LOG_2PI + 0.5)
                return batched(value, self.batch)
            if self.kind.classes:
                logs = log_classes(g, self.parameters)
                return g.op("neg", last(g, g.op("mul", g.op("exp", logs), logs)))
            return samplewise(g, f"{self.title}.entropy", self.batch, *self.nodes)

    def callback(self) -> Callback:
        """Itself, as the program sees it."""
        methods: dict[str, Callable[..., Any]] = {
            "log_prob": self.log_prob,
            "prob": lambda g, value, name=None: g.op("exp", self.log_prob(g, value)),
            "sample": self.sample,
            "mean": self.mean,
            "entropy": self.entropy,
            "kl_divergence": lambda g, other, name=None: kl_divergence(g, itself, other),
            "cross_entropy": lambda g, other, name=None: g.op("add", self.entropy(g), kl_divergence(g, itself, other)),
            **dict.fromkeys([s for s in _STATISTICS.split() if s != "mean"], self.statistic),
        }
        attributes = {name: Callback(f"{self.title}.{name}", method, {}) for name, method in methods.items()}
        itself = Callback(self.title, lambda g: self.sample(g), attributes | self.parameters | {"distribution": self})
        return itself


def _event(shape: Shape, axes: int) -> tuple[Any, ...] | None:
    """The last axes of a parameter, None where they are not known."""
    found = tuple(shape.axis(i) for i in range(-axes, 0))
    return None if None in found else found


def of(value: Any) -> Distribution | None:
    """The distribution that ``value`` is, None for anything else."""
    found = value.attrs.get("distribution") if isinstance(value, Callback) else None
    return found if isinstance(found, Distribution) else None


def _constructor(title: str, kind: Kind) -> Callable[..., Callback]:
    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        given = dict(zip(kind.parameters.split(), args, strict=False)) | kwargs
        kept = {key: value for key, value in given.items() if key not in _OPTIONS and value is not None}
        shapes = [without(v.shape, kind.axes(key)) for key, v in kept.items() if isinstance(v, Node)]
        needed = [p for p in kind.parameters.split() if p in ("loc", "scale", "rate", "concentration", "low", "high")]
        optional = {"low", "high"} | ({"rate"} if "log_rate" in kept else set()) | ({"loc"} if kind.event else set())
        complete = bool(kept) and all(name in kept or name in optional for name in needed)
        written = kind.density if complete else None
        return Distribution(f"{TFP}.{title}", kind, kept, _joint(*shapes), written).callback()

    return construct


for _title, _kind in KINDS.items():
    under(PLACES, _title, _constructor(_title, _kind))


# -- divergences -------------------------------------------------------------------------------------------------------
def kl_divergence(
    g: Graph, distribution_a: Any, distribution_b: Any, allow_nan_stats: Any = True, name: Any = None
) -> Node:
    """The divergence of two distributions: one number for each element of the batch."""
    a, b = of(distribution_a), of(distribution_b)
    if a is None or b is None:
        return g.opaque(nodes_in(*(d.nodes for d in (a, b) if d)), "the divergence of distributions that are not known")
    with g.library():
        return _divergence(g, a, b)


def _divergence(g: Graph, a: Distribution, b: Distribution) -> Node:
    short = {d.title.rpartition(".")[2] for d in (a, b)}
    if short == {"Normal"}:
        return _of_normals(g, a.parameters, b.parameters)
    if short == {"MultivariateNormalDiag"}:
        pair = [{"loc": d.parameters.get("loc", 0.0), "scale": d.parameters.get("scale_diag", 1.0)} for d in (a, b)]
        return last(g, _of_normals(g, *pair))
    if short <= {"Categorical", "OneHotCategorical"} and len(short) == 1:
        own, other = (log_classes(g, d.parameters) for d in (a, b))
        return last(g, g.op("mul", g.op("exp", own), g.op("sub", own, other)))
    if a.inner is not None and b.inner is not None and a.kind.event == b.kind.event:
        return _over_event(g, _divergence(g, a.inner, b.inner), a.kind.event - a.inner.kind.event)
    return samplewise(g, "kl_divergence", _joint(a.batch, b.batch), *a.nodes, *b.nodes, low=0.0, high=math.inf)


def _of_normals(g: Graph, a: Parameters, b: Parameters) -> Node:
    ratio = g.op("square", g.op("div", a["scale"], b["scale"]))
    shift = g.op("square", g.op("div", g.op("sub", a["loc"], b["loc"]), b["scale"]))
    return g.op("mul", 0.5, g.op("sub", g.op("sub", g.op("add", ratio, shift), 1.0), g.op("log", ratio)))


under(PLACES, "kl_divergence", kl_divergence)


# -- made of others ----------------------------------------------------------------------------------------------------
def _over_event(g: Graph, x: Node, axes: int) -> Node:
    """The sum over the last axes; over all but the first where their number is not known."""
    if axes > 0:
        return g.op("sum", x, axis=tuple(range(-axes, 0)), keepdims=False)
    rank = x.shape.rank
    return g.op("sum", x, axis=tuple(range(1, rank)) if rank is not None else (1, 2, 3), keepdims=False)


def independent(g: Graph, distribution: Any, reinterpreted_batch_ndims: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Axes of the batch taken as axes of one event: densities are summed over them."""
    inner = of(distribution)
    if inner is None:
        return Unknown(tuple(nodes_in(distribution)), "a distribution that is not known")
    count = constant_of(reinterpreted_batch_ndims)
    rank = inner.batch.rank
    more = count if isinstance(count, int) else rank - 1 if rank else 0

    def density(g: Graph, x: Node, parameters: Parameters) -> Node:
        return _over_event(g, inner.log_prob(g, x), more)

    kind = Kind(inner.kind.parameters, density, inner.kind.event + more, counts=inner.kind.counts)
    batch = without(inner.batch, more) if more else Shape(inner.batch.head[:1])
    made = Distribution(f"{TFP}.Independent", kind, inner.parameters, batch, density, inner)
    return made.callback()


def mixture(
    g: Graph,
    mixture_distribution: Any = None,
    components_distribution: Any = None,
    *args: Any,
    cat: Any = None,
    components: Any = None,
    **kwargs: Any,
) -> Any:
    """log sum exp of the logarithm of each weight and the density of that component."""
    weights = of(mixture_distribution if mixture_distribution is not None else cat)
    parts = components if components is not None else components_distribution
    same = of(parts)
    several = [d for d in map(of, parts) if d is not None] if isinstance(parts, (list, tuple)) else []
    if weights is None or (same is None and not several):
        return composed(g, mixture_distribution, components_distribution, cat, components)
    event = (same or several[0]).kind.event
    nodes = {f"part{i}": n for i, d in enumerate([weights, *([same] if same else several)]) for n in d.nodes}

    def density(g: Graph, x: Node, parameters: Parameters) -> Node:
        if same is not None:
            each = same.log_prob(g, g.op("expand_dims", x, axis=-1 - event))
        else:
            each = g.op("stack", *(d.log_prob(g, x) for d in several), axis=-1)
        joint = g.op("add", log_classes(g, weights.parameters), each)
        return g.op("logsumexp", joint, axis=(-1,), keepdims=False)

    batch = weights.batch
    return Distribution(f"{TFP}.Mixture", Kind("", density, event), nodes, batch, density).callback()


def composed(g: Graph, *args: Any, **kwargs: Any) -> Callback:
    """A transformed distribution or the like: differentiable in all that it is made of."""
    given = (*args, *kwargs.values())
    parts = [d for d in map(of, given) if d is not None]
    nodes = [node for d in parts for node in d.nodes] + list(nodes_in(args, kwargs))
    nodes += [node for value in given if isinstance(value, Callback) for node in value.attrs.get("inputs", ())]
    nodes.append(g.source("the parts of a distribution", "variable", SCALAR))  # flows hide theirs
    event = parts[0].kind.event if parts else 0
    batch = parts[0].batch if parts else Shape.unknown()
    inside = {f"part{i}": node for i, node in enumerate(dict.fromkeys(nodes))}
    return Distribution(f"{TFP}.composed", Kind("", event=event), inside, batch).callback()


under(PLACES, "Independent", independent)
under(PLACES, "Mixture MixtureSameFamily", mixture)
under(
    PLACES,
    "TransformedDistribution JointDistributionSequential JointDistributionNamed JointDistributionCoroutine Sample "
    "Autoregressive BatchReshape Blockwise QuantizedDistribution ZeroInflated Masked HiddenMarkovModel",
    composed,
)
under(
    "tensorflow_probability.stats",
    "correlation covariance variance stddev percentile",
    opaque_of_all("a statistic of samples"),
)
