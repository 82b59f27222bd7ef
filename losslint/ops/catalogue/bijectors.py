"""``tensorflow_probability``: bijectors, and layers that return distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Shape
from losslint.graph import Graph, Node
from losslint.ops.axes import called, constant_of, nodes_in
from losslint.ops.catalogue import keras_layers, probability
from losslint.ops.catalogue.arguments import samplewise, undecided, under
from losslint.ops.registry import CATALOGUE, Callback

_BIJECTORS = (
    "Chain Exp Softplus Sigmoid Tanh Shift Scale Affine Reshape Permute Invert Identity AffineScalar ScaleMatvecTriL "
    "FillTriangular FillScaleTriL Blockwise RealNVP MaskedAutoregressiveFlow BatchNormalization Softmax "
    "SoftmaxCentered Power Square Log Reciprocal AbsoluteValue Transpose TransformDiagonal CorrelationCholesky Split"
)
_ACTIVATIONS = {"Exp": "exp", "Softplus": "softplus", "Sigmoid": "sigmoid", "Tanh": "tanh", "Identity": "identity"}
_LAYERS = (
    "DenseReparameterization DenseFlipout DenseLocalReparameterization DenseVariational Convolution2DFlipout "
    "Convolution2DReparameterization Convolution1DFlipout Convolution1DReparameterization IndependentNormal "
    "IndependentBernoulli MultivariateNormalTriL OneHotCategorical MixtureNormal MixtureSameFamily VariableLayer"
)


def _bijector(title: str) -> Callable[..., Callback]:
    label = f"tensorflow_probability.bijectors.{title}"

    def construct(g: Graph, *args: Any, **kwargs: Any) -> Callback:
        own = tuple(nodes_in(args, kwargs))

        def forward(g: Graph, x: Any, *args: Any, **kwargs: Any) -> Any:
            if probability.of(x) is not None:
                return probability.composed(g, x, *own)
            node, primitive = g.lift(x), _ACTIVATIONS.get(title)
            return g.op(primitive, node) if primitive else samplewise(g, label, node.shape, node, *own)

        def inverse(g: Graph, y: Any, *args: Any, **kwargs: Any) -> Node:
            node = g.lift(y)
            return samplewise(g, f"{label}.inverse", node.shape, node, *own)

        def volume(g: Graph, x: Any, event_ndims: Any = 0, *args: Any, **kwargs: Any) -> Node:
            node, axes = g.lift(x), constant_of(event_ndims)
            shape = probability.without(node.shape, axes) if isinstance(axes, int) else Shape.unknown()
            return samplewise(g, f"{label}.log_det_jacobian", shape, node, *own)

        methods: dict[str, Callable[..., Any]] = {
            "forward": forward,
            "inverse": inverse,
            "forward_log_det_jacobian": volume,
            "inverse_log_det_jacobian": volume,
        }
        attributes: dict[str, Any] = {name: Callback(f"{label}.{name}", m, {}) for name, m in methods.items()}
        return Callback(label, forward, attributes | {"inputs": own})

    return construct


for _title in _BIJECTORS.split():
    under("tensorflow_probability.bijectors", _title, _bijector(_title))


def _distribution_layer(g: Graph, make_distribution_fn: Any = None, *args: Any, **kwargs: Any) -> Callback:
    """A layer that makes a distribution of its inputs."""
    return Callback("DistributionLambda", lambda g, inputs, **named: called(g, make_distribution_fn, inputs), {})


under("tensorflow_probability.layers", "DistributionLambda", _distribution_layer)
under("tensorflow_probability.layers", _LAYERS, CATALOGUE[f"{keras_layers.LAYERS.split()[0]}.Dense"])
under("tensorflow_probability.layers", "KLDivergenceRegularizer KLDivergenceAddLoss", undecided("a penalty of weights"))
