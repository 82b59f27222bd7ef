"""LL5xx: calls that TensorFlow or Keras refuse, or take for something else than was meant."""

from __future__ import annotations

from collections.abc import Iterator

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken
from losslint.findings import Severity
from losslint.loss import Loss

_ONE_TENSOR = frozenset(
    "neg abs square sqrt rsqrt reciprocal exp expm1 log log1p sigmoid log_sigmoid tanh softplus relu sign round floor "
    "ceil add sub mul div pow maximum minimum clip sum mean prod max min logsumexp std var norm softmax log_softmax "
    "l2_normalize matmul einsum tensordot reshape concat".split()
)
"""Primitives that take their input for one tensor."""
_LIST_APIS = ("add_n", "global_norm", "clip_by_global_norm", "accumulate_n")
"""Functions that take a list of tensors, whatever they expand to."""


@check("LL516")
def list_of_variables(loss: Loss) -> Iterator[Draft]:
    """An operation on ``model.trainable_variables``: a list of tensors of different shapes, not a tensor."""
    said: set[object] = set()
    for node in loss.graph.nodes:
        if node.op not in _ONE_TENSOR or node.api.rpartition(".")[2] in _LIST_APIS:
            continue
        lists = [value for value in node.inputs if value.op == "source" and value.attrs.get("list") is True]
        site = node.site or loss.site
        joined = node.op == "add" and all(x in lists or x.op == "opaque" for x in node.inputs)
        if not lists or joined or id(site.tree) in said:  # list + list is a longer list
            continue
        said.add(id(site.tree))
        name = spoken(lists[0])
        if not name.endswith(("variables", "weights")):
            name += ".trainable_variables"
        yield Draft(
            "LL516",
            Severity.ERROR,
            f"{spoken(node)} takes {name} for one tensor, but it is a list of tensors of different shapes",
            site,
            fact=f"{name}: list of variables",
            help=f"apply it to each: tf.add_n([tf.nn.l2_loss(v) for v in {name}])",
            fault=node,
        )
