"""LL501, LL502, LL507, LL508, LL515: what Python does on the way, where Keras runs it once, to trace a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from losslint.checks.base import Draft, check
from losslint.checks.wording import spoken, written
from losslint.findings import Severity
from losslint.graph import Node, ancestors
from losslint.loss import Happening, Loss, is_tensorflow

_EXTREMES = frozenset({"builtins.max", "builtins.min"})
"""Python functions that compare their arguments with one another."""
_ITERATING = frozenset(
    f"builtins.{name}" for name in "zip enumerate list tuple set sum sorted any all map iter max min range".split()
)
"""Python functions that walk through an argument; ``range`` wants a number, which a symbolic tensor is not."""


def _for_keras_3(loss: Loss) -> bool:
    """Whether Keras 3 consumes the loss, in a graph."""
    return loss.keras == "3" and loss.for_keras and not loss.eager


def _traced_plainly(loss: Loss) -> bool:
    """Whether Keras 3 traces the function, which it does without AutoGraph."""
    if not _for_keras_3(loss):
        return False
    return loss.consumer.proven or any(is_tensorflow(node.api) for node in loss.graph.nodes)


def _severity(loss: Loss, happening: Happening) -> Severity | None:
    """How bad it is that Python looks into a tensor there; None where AutoGraph takes care of it, or nobody traces."""
    if happening.converted or loss.numpy_only or loss.eager or loss.consumer.kind == "tape":
        return None
    if _traced_plainly(loss):
        return Severity.INFO if happening.by_configuration else Severity.ERROR
    return None if loss.consumer.kind == "keras" else Severity.INFO


_Found = tuple[str, Node] | None
"""How Python looks into which tensor."""


def _looked_into(
    loss: Loss, find: Callable[[Loss, Happening], _Found]
) -> Iterator[tuple[Happening, Severity, str, Node]]:
    """What ``find`` finds in the loss, each with how bad it is, how Python does it, and to which tensor."""
    for happening in loss.happenings:
        found = find(loss, happening)
        severity = _severity(loss, happening) if found is not None else None
        if found is not None and severity is not None and (loss.inside(happening.site) or not loss.whole):
            yield happening, severity, *found


_WHY = {
    Severity.ERROR: "Keras 3 traces losses without AutoGraph, where that raises",
    Severity.INFO: "that works eagerly and inside a tf.function, and fails where Keras 3 traces it",
}


@check("LL501")
def python_branch_on_tensor(loss: Loss) -> Iterator[Draft]:
    """``if``, ``while``, ``and``, ``or``, ``not``, ``max()`` ask for the truth of a tensor that has no value yet."""
    said: set[int] = set()
    for happening, severity, how, node in _looked_into(loss, _asked):
        if node.id in said:
            continue
        said.add(node.id)
        yield Draft(
            "LL501",
            severity,
            f"`{how}` asks Python for the truth of a tensor ({spoken(node)}): {_WHY[severity]}",
            happening.site,
            fact=f"{how} on a symbolic tensor",
            help="use tf.where, tf.cond or tf.maximum, or decorate the loss with @tf.function",
            fault=happening.site,
        )


def _asked(loss: Loss, happening: Happening) -> _Found:
    """How Python asks for the truth of which tensor."""
    if happening.kind == "branch":
        node = happening.args[0]
        while node.op == "not" and not node.api:  # "if not t": the not has asked already
            node = node.inputs[0]
        return (happening.name, node) if node in loss.tensors else None
    if happening.kind == "call" and happening.name in _EXTREMES and len(happening.args) > 1:
        node = next((value for value in happening.args if value in loss.tensors), None)
        return (f"{happening.name.rpartition('.')[2]}()", node) if node is not None else None
    return None


@check("LL502")
def python_loop_on_tensor(loss: Loss) -> Iterator[Draft]:
    """``for``, ``zip()``, unpacking walk through a tensor whose length is not known yet."""
    for happening, severity, how, node in _looked_into(loss, _walked):
        if severity is Severity.ERROR and not _is_one(loss, node):
            severity = Severity.INFO
        yield Draft(
            "LL502",
            severity,
            f"`{how}` walks through a tensor ({spoken(node)}): {_WHY[severity]}",
            happening.site,
            fact=f"{how} over a symbolic tensor",
            help="compute on the whole tensor, use tf.unstack or tf.map_fn, or decorate the loss with @tf.function",
            fault=happening.site,
        )


def _walked(loss: Loss, happening: Happening) -> _Found:
    """How Python walks through which tensor."""
    if happening.kind in ("loop", "unpack"):
        node, how = happening.args[0], happening.name or "unpacking"
    elif happening.kind == "call" and happening.name in _ITERATING:
        if happening.name in _EXTREMES and len(happening.args) != 1:
            return None
        node = next((value for value in happening.args if value in loss.tensors), None)
        how = f"{happening.name.rpartition('.')[2]}()"
    else:
        return None
    return (how, node) if node in loss.tensors else None


def _is_one(loss: Loss, node: Node) -> bool:
    """Whether an argument is certainly one tensor: Keras hands a compiled function one, a Loss whatever it is given."""
    if node.op != "source" or loss.consumer.evidence.startswith("compile("):
        return True
    return any(node in user.inputs and is_tensorflow(user.api) for user in loss.graph.nodes)


_VARIABLES = frozenset(
    {"tensorflow.Variable", "keras.Variable", "keras.backend.variable", "keras.backend.Variable"}
    | {"keras.random.SeedGenerator", "tensorflow.random.Generator.from_seed"}
)
"""What makes a variable as soon as it is called."""
_FUNCTIONS = frozenset({"MSE", "MAE", "MAPE", "MSLE", "KLD"})
"""Capitalised names of ``keras.metrics`` that are functions."""
_STATEFUL = (
    *("Dense", "Conv", "BatchNormalization", "LayerNormalization", "GroupNormalization", "Embedding", "LSTM", "GRU"),
    *("SimpleRNN", "PReLU", "Dropout", "GaussianNoise", "GaussianDropout", "MultiHeadAttention", "DepthwiseConv"),
    *("SeparableConv", "EinsumDense", "SpatialDropout", "AlphaDropout", "Normalization"),
)
"""Beginnings of the names of layers that have weights, or the state of a random generator."""


@check("LL507")
def variable_in_loss(loss: Loss) -> Iterator[Draft]:
    """A variable, or an object that holds some, is made anew whenever the loss is called."""
    if not loss.whole or not _for_keras_3(loss):
        return
    made: set[int] = set()  # layers that are made inside
    for happening in loss.happenings:
        if happening.kind != "call" or happening.guarded or not loss.inside(happening.site):
            continue
        name = happening.name
        if name.startswith("keras.layers.") and name.rpartition(".")[2].startswith(_STATEFUL):
            if not isinstance(happening.result, Node):
                made.add(id(happening.result))
                continue
            if id(happening.callee) not in made:
                continue
        elif not _holds_variables(name):
            continue
        yield Draft(
            "LL507",
            Severity.INFO if happening.by_configuration else Severity.ERROR,
            f"{written(name)} creates variables at every call of the loss, and tf.function raises at the second",
            happening.site,
            fact=f"{written(name)} inside the loss",
            help="create it once, outside of the loss or in __init__, and use it here",
            fault=happening.result if isinstance(happening.result, Node) else happening.site,
        )


def _holds_variables(name: str) -> bool:
    """Whether calling ``name`` makes variables."""
    module, _, short = name.rpartition(".")
    if module in ("keras.metrics", "keras.optimizers") or module.startswith("keras.applications"):
        return short[:1].isupper() and short not in _FUNCTIONS
    return name in _VARIABLES


_DRAWN = ("numpy.random.", "random.", "time.")
"""Beginnings of the names of functions whose answer is another one at every call."""


@check("LL508")
def frozen_python_state(loss: Loss) -> Iterator[Draft]:
    """A number that Python draws or reads while the graph is traced is a constant of the graph from then on."""
    if loss.numpy_only:
        return
    used = {node.id for node in ancestors(loss.results)}
    for happening in loss.happenings:
        if happening.kind == "branch":
            used |= {node.id for node in ancestors(happening.args)}
    for happening in loss.happenings:
        value = happening.result
        if happening.kind != "call" or not happening.name.startswith(_DRAWN):
            continue
        plainly = loss.for_keras and not loss.eager and loss.inside(happening.site)
        if not isinstance(value, Node) or value.id not in used or not (plainly or happening.converted):
            continue
        clock = happening.name.startswith("time.")
        yield Draft(
            "LL508",
            Severity.WARNING,
            f"{written(happening.name)}() runs once, while the loss is traced: every later batch gets that same number",
            happening.site,
            fact="a constant of the graph",
            help="keep the time in a tf.Variable that a callback sets" if clock else "draw with tf.random",
            fault=value,
        )
    for name, site in loss.changing.items():
        yield Draft(
            "LL508",
            Severity.WARNING,
            f"{name} is read once, while the loss is traced: what {name} is set to later has no effect",
            site,
            fact="a constant of the graph",
            help=f"make {name} a tf.Variable, and assign() to it",
            fault=site,
            data={"claim": {"attribute": name.partition(".")[2]}},
        )


_WITHOUT_XLA = frozenset(
    f"tensorflow.{name}"
    for name in (
        *("print", "Print", "py_function", "numpy_function", "py_func", "timestamp", "histogram_fixed_width"),
        *("unique_with_counts", "edit_distance", "sets.intersection", "sets.union", "sets.difference"),
        *(
            "strings.to_number",
            "strings.as_string",
            "as_string",
            "summary.scalar",
            "summary.histogram",
            "summary.image",
        ),
        *("linalg.eig", "linalg.lu", "linalg.sqrtm", "linalg.slogdet", "random.gamma", "nn.sampled_softmax_loss"),
        *("math.segment_sum", "math.segment_mean", "math.segment_max", "segment_sum", "segment_mean", "segment_max"),
        *("math.bessel_i0", "math.bessel_i1", "sparse.sparse_dense_matmul", "sparse_tensor_dense_matmul"),
    )
) | {"keras.backend.ctc_batch_cost"}
"""Functions that XLA cannot compile (measured with jit_compile=True)."""


@check("LL515")
def xla_hostile_op(loss: Loss) -> Iterator[Draft]:
    """What XLA cannot compile fails where Keras turns XLA on: on one GPU, by default."""
    if not loss.whole or not _for_keras_3(loss):
        return
    for happening in loss.happenings:
        if happening.kind == "call" and happening.name in _WITHOUT_XLA and loss.inside(happening.site):
            yield Draft(
                "LL515",
                Severity.INFO,
                f"XLA cannot compile {written(happening.name)}: on a single GPU Keras turns XLA on and training fails",
                happening.site,
                fact="not compiled by XLA",
                help="compile(..., jit_compile=False), or leave it out",
                fault=happening.result if isinstance(happening.result, Node) else happening.site,
            )
