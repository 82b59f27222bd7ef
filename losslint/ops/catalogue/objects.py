"""Methods of objects that are no tensors: models, layers, optimizers, metrics, and what a model returns beside tensors.

They are called on objects of the catalogue, and on those of which nothing is known but such a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losslint.domain.shape import Shape
from losslint.graph import Graph, Node, Unknown
from losslint.ops.axes import batched, nodes_in
from losslint.ops.catalogue import keras_models
from losslint.ops.registry import OBJECT_METHODS, Callback


def method(names: str, expansion: Callable[..., Any]) -> None:
    """Register ``f(graph, owner, ...)`` under every name."""
    OBJECT_METHODS.update(dict.fromkeys(names.split(), expansion))


def _title(owner: Any) -> str:
    return owner.name if isinstance(owner, Callback) else "model"


def predict(g: Graph, owner: Any, *args: Any, **kwargs: Any) -> Any:
    """What a model returns as an array: without a gradient."""
    inputs = tuple(dict.fromkeys(nodes_in(args, kwargs)))
    if not inputs:
        return Unknown((), "a prediction")
    return g.op("stop_gradient", g.op("model", *inputs, name=f"{_title(owner)}.predict"))


def _layer(g: Graph, owner: Any, *args: Any, **kwargs: Any) -> Callback:
    """One of the layers of a model."""
    name = next((v for v in (*args, *kwargs.values()) if isinstance(v, str)), "layer")

    def call(g: Graph, *inputs: Any, **named: Any) -> Any:
        return keras_models.run(g, name, None, *inputs, **named)

    return Callback(name, call, {"name": name, "input": Unknown((), "a tensor"), "output": Unknown((), "a tensor")})


def _stateless(g: Graph, owner: Any, trainable: Any = None, other: Any = None, *inputs: Any, **named: Any) -> Any:
    """``stateless_call``: what the model returns, and its other variables."""
    return keras_models.run(g, _title(owner), None, *inputs, **named), Unknown((), "variables")


def _nothing(g: Graph, owner: Any, *args: Any, **kwargs: Any) -> None:
    """Runs for what it does; there is no value."""


def _hidden(why: str) -> Callable[..., Unknown]:
    """A value that is no tensor of the loss."""
    return lambda g, owner, *args, **kwargs: Unknown((), why)


def _reduced(g: Graph, owner: Any, reduce_op: Any = None, value: Any = None, *args: Any, **kwargs: Any) -> Any:
    """``all_reduce`` of a replica context: every replica gets as many axes as it gave."""
    nodes = tuple(dict.fromkeys(nodes_in((value,), {})))
    if not nodes:
        return Unknown((), "a sum over replicas")
    return g.opaque(nodes, "a sum over replicas", nodes[0].shape if isinstance(value, Node) else None)


method("predict predict_on_batch predict_proba", predict)
method("get_layer", _layer)
method("all_reduce", _reduced)
method("stateless_call", _stateless)
method("scale_loss get_scaled_loss", lambda g, owner, loss: g.op("identity", loss))
method("get_unscaled_gradients", lambda g, owner, gradients: gradients)
method(
    "build summary save save_weights load_weights set_weights reset_states reset_state apply apply_gradients "
    "update_state quantize add_metric restore initialize",
    _nothing,
)
method(
    "fit fit_generator train_on_batch test_on_batch evaluate evaluate_generator get_weights get_config count_params "
    "stateless_apply stateless_update_state stateless_result",
    _hidden("what training is about"),
)


# -- distributions that something else made ----------------------------------------------------------------------------
def _of_distribution(g: Graph, owner: Any, *args: Any, **kwargs: Any) -> Node:
    """A density or a divergence: differentiable, and one number at least for each sample of the batch."""
    inputs = tuple(dict.fromkeys(nodes_in(args, kwargs, owner)))
    if not inputs:
        return g.opaque((), "a distribution that is not known")
    first = next((a for n in inputs if (a := n.shape.axis(0)) is not None and a.batch), None)
    shape = Shape.unknown() if first is None else Shape((first,), Shape.unknown().rest)
    return batched(g.op("straight_through", *inputs), shape, "float32")


method(
    "log_prob prob entropy kl_divergence cross_entropy log_cdf cdf unnormalized_log_prob log_survival_function",
    _of_distribution,
)


def _drawn(g: Graph, owner: Any, *args: Any, **kwargs: Any) -> Node:
    """What is drawn from a distribution: something else each time."""
    return _of_distribution(g, owner, *args, g.op("random", low=None, high=None), **kwargs)


method("stddev variance quantile mode", _of_distribution)
method("sample rsample", _drawn)
