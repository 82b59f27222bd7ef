"""What tracing one loss yields, and the facts computed from it: all that a check may read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from losslint.budget import Budget
from losslint.frontend.names import is_loss_name
from losslint.graph import Graph, Node, Site

if TYPE_CHECKING:
    from losslint.ops.couplings import Couplings
    from losslint.ops.elementtypes import ElementTypes
    from losslint.ops.gradients import Gradients
    from losslint.ops.laws import Laws
    from losslint.ops.ranges import Ranges
    from losslint.ops.tensors import Tensors

_REFERENCE = re.compile(r"(^|[_.])(np|numpy|ref|reference|expected|naive|manual|test)([_.]|$)", re.IGNORECASE)
"""Names of reference implementations, which are meant to be plain NumPy."""
_OTHERS = frozenset({"numpy", "torch", "jax", "openvino"})


def _is_reference(path: str) -> bool:
    """Whether the file at ``path`` holds tests, or what another framework computes ("backend/numpy/nn.py")."""
    file = PurePath(path)
    return bool(re.search(r"^test_|_test$", file.stem)) or not _OTHERS.isdisjoint(file.parts[-4:-1])


class Consumer(NamedTuple):
    """Who uses the loss: ``kind`` is "keras", "tape", "unknown" or "metric", ``evidence`` says how we know."""

    kind: str
    evidence: str
    proven: bool = False  # seen in the code (compile(loss=f), tape.gradient(...)), not guessed from a signature


@dataclass(slots=True)
class Output:
    """One way out of the loss: the Python value it returns (Node, number, None, tuple, list, dict, Unknown)."""

    value: Any
    site: Site
    by_configuration: bool = False  # only a hyper-parameter decides whether this way is taken


class Happening(NamedTuple):
    """What Python did on the way to the loss, beside computing tensors.

    ``kind``, and what the other fields hold then:

    - "call": a library's function or object ``callee``, ``name`` (canonical; "Tensor.numpy" for a tensor's method), was
      called with ``args`` and ``kwargs``, and gave ``result``
    - "inlined": the user's function ``callee``, ``name`` (qualified), was called with ``args`` and ``kwargs``, and gave
      ``result``
    - "unfollowed": something was called of which nothing is known but how the source spells it, ``name``
    - "branch": Python asked for the truth of the tensor ``args[0]``; ``name`` is "if", "while", "and", "or", "not",
      "assert" or "if expression"
    - "loop": Python iterated over ``args[0]``; ``name`` is "for" or "comprehension"
    - "unpack": ``args[0]`` was unpacked into ``args[1]`` names
    - "super": the constructor of a library's loss class ``name`` was called through ``super()``, for the object
      ``result``, with ``args`` and ``kwargs``
    - "discard": the expression statement at ``site`` computed ``result``, which nothing can use
    """

    kind: str
    site: Site
    name: str = ""
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})
    result: Any = None
    callee: Any = None  # the Python value that was called
    by_configuration: bool = False  # it happens only under a hyper-parameter
    converted: bool = False  # inside a @tf.function, whose branches and loops AutoGraph rewrites
    guarded: bool = False  # under a condition such as "if self.v is None": done once, not at every call


@dataclass  # no slots: the facts are cached in __dict__
class Loss:
    """One traced loss."""

    name: str  # qualified: "factory.<locals>.inner", "MyLoss.call", "<module>"
    site: Site  # the def, or the expression that is differentiated
    consumer: Consumer
    graph: Graph
    outputs: list[Output]
    value: Any  # the outputs joined: Node, tuple, list, dict, number, None or Unknown
    whole: bool = True  # a function, not an expression of a training step or a script
    unpacked: bool = False  # some caller unpacks or indexes the returned tuple
    called: bool = False  # other code of the file calls it, and may reduce what it returns
    batch_level: bool = False  # "# losslint: batch-level": coupling inside the batch is meant
    tape: bool = False  # the file differentiates losses itself
    other_floatx: bool = False  # the file sets the type that Keras computes in
    eager: bool = False  # the file asks Keras or TensorFlow to run functions eagerly
    strategy: bool = False  # the file uses tf.distribute
    replicated: bool = False  # the file runs the step on every replica, and its optimizer adds up the gradients
    weighted: bool = False  # the file uses sample_weight, class_weight, masks or tf.distribute
    keras: str = "3"  # "2" or "3"
    base: str = ""  # the library's loss class whose method it is: "keras.losses.Loss"
    notes: list[str] = field(default_factory=list)  # what the analysis had to assume
    happenings: list[Happening] = field(default_factory=list)  # in the order of execution
    changing: dict[str, Site] = field(default_factory=dict)  # Python numbers it reads that change while it trains
    budget: Budget = field(default_factory=Budget)  # what is left for its file
    watched: tuple[tuple[int, int], ...] | None = None  # ids of nodes made under the tape, as ranges; None: no tape
    general: Loss | None = None  # the same, traced without what was assumed of its arguments, which leaves branches out

    @property
    def short_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @functools.cached_property
    def is_metric(self) -> bool:
        """Whether it only measures, or computes indices and masks; most rules are silent then."""
        from losslint.ops.gradients import is_whole

        if self.consumer.kind == "metric":
            return True
        guessed = not self.consumer.proven and not is_loss_name(self.short_name)
        return guessed and bool(self.results) and all(is_whole(node.dtype) for node in self.results)

    @functools.cached_property
    def numpy_only(self) -> bool:
        """Whether this looks like plain NumPy or Python: it leaves TensorFlow without ever having used it.

        Not where it is seen to be trained on, or is a function of labels and predictions that is called a loss.
        """
        called = self.consumer.kind == "keras" and is_loss_name(self.name) and not _REFERENCE.search(self.name)
        here = self.site.module
        if self.consumer.proven or (called and not (here is not None and _is_reference(here.path))):
            return False
        nodes = self.graph.nodes
        return any(n.op == "leaves_tensorflow" for n in nodes) and not any(is_tensorflow(n.api) for n in nodes)

    @property
    def places(self) -> set[int]:
        """The trees, by ``id``, that made a tensor or where something happened."""
        sites = (*(node.site for node in self.graph.nodes), *(happening.site for happening in self.happenings))
        return {id(site.tree) for site in sites if site is not None}

    @property
    def functions(self) -> set[str]:
        """The functions of its file, by their qualified names, that made a tensor."""
        sites = (node.site for node in self.graph.nodes)
        return {site.function for site in sites if site is not None and site.module.path == self.site.module.path}

    def site_of(self, node: Node) -> Site:
        """Where ``node`` was made; a node without a place is reported at the return."""
        return node.site or (self.outputs[0].site if self.outputs else self.site)

    def place(self, site: Site) -> Site:
        """Where to report what the loss as a whole does wrong because of ``site``: in itself, not in a helper it calls.

        What a training step differentiates is often a loss of its own, so there the place is kept.
        """
        return (self._own(site) or site) if self.whole else site

    def _own(self, site: Site | None) -> Site | None:
        """The nearest place in the loss itself from which ``site`` is reached by calls; None where there is none."""
        here = site
        while here is not None and here.function != self.name and not here.function.startswith(f"{self.name}."):
            here = here.caller
        return here

    @functools.cached_property
    def for_keras(self) -> bool:
        """Whether Keras is seen to consume the loss, or its arguments are called what Keras calls them.

        Any other function of labels and predictions may as well be a part of something that adds up its terms.
        """
        names = {node.attrs["name"] for node in self.graph.nodes if node.op == "source"}
        return self.consumer.kind == "keras" and (self.consumer.proven or {"y_true", "y_pred"} <= names)

    def inside(self, site: Site | None) -> bool:
        """Whether ``site`` stands in the loss or in what it calls: not in a constructor, nor around a factory."""
        return self._own(site) is not None

    @functools.cached_property
    def results(self) -> tuple[Node, ...]:
        """The tensors that are returned, containers flattened."""
        return tuple(flatten(self.value))

    @functools.cached_property
    def ranges(self) -> Ranges:
        """Interval of every node."""
        from losslint.ops.ranges import Ranges

        return Ranges(self)

    @functools.cached_property
    def unmoved(self) -> frozenset[int]:
        """The ids of the nodes that no input moves: ``x - x``, the sum of a softmax."""
        from losslint.ops.identities import unmoved

        return unmoved(self.graph.nodes)

    @functools.cached_property
    def laws(self) -> Laws:
        """Batch law of every node, of its value and of its gradient."""
        from losslint.ops.laws import Laws

        return Laws(self)

    @functools.cached_property
    def couplings(self) -> Couplings:
        """How each node mixes the samples of a batch."""
        from losslint.ops.couplings import Couplings

        return Couplings(self)

    @functools.cached_property
    def tensors(self) -> Tensors:
        """The nodes that are one tensor for sure."""
        from losslint.ops.tensors import Tensors

        return Tensors(self)

    @functools.cached_property
    def element_types(self) -> ElementTypes:
        """The type of the elements of every node, where it is certain."""
        from losslint.ops.elementtypes import ElementTypes

        return ElementTypes(self)

    @functools.cached_property
    def gradients(self) -> Gradients:
        """Which sources the results send a gradient to, and where it ends."""
        from losslint.ops.gradients import Gradients

        return Gradients(self)


def is_tensorflow(api: str) -> bool:
    """Whether the canonical name ``api`` is one of TensorFlow or Keras."""
    return api.startswith(("tensorflow", "keras"))


def flatten(value: Any) -> Iterator[Node]:
    """Every tensor in a returned value."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from flatten(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from flatten(item)
