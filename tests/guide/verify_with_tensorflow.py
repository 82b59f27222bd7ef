"""Checks the verdicts of the rule pages and the fixtures against the real TensorFlow.

Every function of an example is run. Where a rule is expected, what it claims must be measurable: a gradient that is
None, a gradient that changes when the batch is repeated, a value or gradient that is not finite at an edge. Where
nothing is expected, none of that may be seen. ``python -m tests.guide.verify_with_tensorflow [TEXT]`` prints what
disagrees, in the cases whose name holds TEXT.
"""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.rule_pages import PAGES, ROOT, read
from tests.test_fixtures import expectations

if TYPE_CHECKING:
    from tests.guide.probes import Subject

FIXTURES = ROOT / "fixtures"
OTHER_PROCESS = {"sound/tf1_scripts.py", "unsound/tf1_scripts.py"}  # they turn eager execution off
NO_TENSORFLOW = {"sound/torch_beside.py", "sound/no_losses.py"}
SINGLE_IMAGES = {"style_loss"}
NOT_CALLABLE = {"box_loss", "scheduled_loss"}
OTHER_FILES = {
    "sound/compiled.py": "a decorator that nobody defines",
    "unsound/compiled.py": "a package that is not installed",
    "sound/own_names.py": "names that another module would set",
    "unsound/old_names.py": "names that TensorFlow and Keras no longer have",
    "sound/tensorflow_1/old_names.py": "the same",
    "sound/keras_2/names.py": "names of Keras 2",
    "sound/legacy_keras/names.py": "the same",
    "sound/python_in_graphs_keras2.py": "Keras 2 rewrites what it traces",
    "sound/eager_losses.py": "nobody traces them",
}
"""Fixtures that cannot be imported or run here, and why: the tests of the confirmer run what they expect."""
OTHER_LOSSES = {
    "cosine_matrix_loss": "embeddings",
    "hole_loss": "a mask of pixels",
    "weights_are_no_mask_loss": "weights of samples",
    "token_loss": "ids and scores",
    "length_loss": "sequences of 20 steps",
    "margin_loss": "two columns",
    "make_masked_loss": "rows of 8",
    "per_sample_times_per_element_loss": "pairs of samples that no gradient of these parts shows",
    "alternating_pairs_loss": "pairs of neighbours, which the parts of a batch hold as well",
    "all_triplets_loss": "triples of samples: too many in the large batch",
    "contrast_loss": "the name of a function, or one",
    "conditional_loss": "a branch on the batch that these inputs do not take",
    "matched_mask_loss": "masks that are matched, beside labels",
    "generator_step": "models",
    "hardest_pairs_loss": "ids and embeddings",
    "first_score_loss": "functions of Keras 2",
    "expected_cost_ratio_loss": "10 classes",
    "detection_loss": "two outputs",
    "pyramid_loss": "a list of outputs",
    "build_vae": "the inputs of a model",
    "clipped_angle_loss": "matrices of rotation",
    "gated_loss": "more axes than a row: it is none of the batch that its softmax runs along",
    "temperature_contrast_loss": "samples that are compared with one another, which is meant",
    "selected_labels_loss": "labels that are NaN, else its parts are alike",
    "nan_selection_loss": "the same",
    "AbstractLoss": "a class that is no loss yet",
    "RegressionLoss": "the same",
    "MarkerLoss": "the same",
    "TakesAnything": "it overrides __call__ and lets it defer",
    "WithOwnCall": "the same",
    "CallsItself": "it overrides __call__",
    "CallsItselfWithWeights": "the same",
    "Misnamed": "it has no call",
    "OldOrderOfConstants": "no object can be made of it",
    "OfClasses": "ids of classes",
    "episodes_loss": "how many episodes there are in the batch",
    "distilled_loss": "a temperature",
    "Wraps": "a function of its own to wrap",
}
"""Losses and classes that the conventions here do not fit, and what they need or do: the confirmer runs them."""
OTHER_PAGES = {"LL505": "classes that have no call, or cannot be called"}
"""Pages of which the same holds. Those on calls of compile hold no loss that is wrong by itself."""

GRADIENT = {"LL201": "none", "LL202": "zero", "LL204": "none", "LL205": "none", "LL208": "none"}
LAW = {"LL301", "LL302", "LL303", "LL304", "LL305"}
EDGES = {"LL401", "LL402", "LL403", "LL404", "LL405", "LL406", "LL407", "LL409"}
PERHAPS = {"LL410", "LL411", "LL413"}
"""Rules for edges that the inputs here may not reach."""
TRACE = {"LL306"}
RAISES = {"LL501", "LL502", "LL503", "LL507", "LL511", "LL512", "LL513", "LL516"}
"""Rules for what raises when it is called or traced."""
ACROSS = {"LL105", "LL307", "LL309"}
"""Rules for samples that meet one another; these may change with the size of the batch as well."""
ACTIVATIONS = ("sigmoid", "softmax", "softplus", "relu", "elu", "tanh")
COUPLED_HELPERS = ("batch_dice_loss", "dice_coef", "guards.ratio")
"""Helpers at which LL308 is said, once, whoever calls them."""
TOLERANCE = 0.02
"""Float32 sums and the ``+ 1e-7`` of a guard move a gradient by less than this, a wrong law by more."""
COUPLING = 0.001
"""Parts of a batch that are not coupled agree up to float32 sums; coupling may be weak."""


@dataclass(frozen=True)
class Case:
    """One function of an example: where it is, and the codes expected in its rows."""

    source: str
    origin: str  # "rules/LL401.md bad 0" or "fixtures/sound/dice.py"
    module: str  # importable name of a fixture, else ""
    path: str  # "make_loss.<locals>.loss", "MyLoss.call"
    text: str  # the source of that function alone
    codes: frozenset[str]
    infos: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.origin}:{self.path}"


def cases() -> list[Case]:
    """Every loss and training step of the pages and fixtures, read without running anything."""
    found: list[Case] = []
    for page in map(read, PAGES):
        if page.meta["family"] == "tool" or page.code in OTHER_PAGES:
            continue
        quiet = page.meta["severity"] == ["info"]
        for kind in ("bad", "good"):
            for example in page.examples(kind):
                bad = frozenset({page.code}) if kind == "bad" else frozenset()
                infos = frozenset(example.infos) | (bad if quiet else frozenset())
                origin = f"rules/{page.code}.md {kind} {example.index}"
                for path, rows in _losses(example.source):
                    text = _text(example.source, rows)
                    found.append(Case(example.source, origin, "", path, text, frozenset() if quiet else bad, infos))
    for file in sorted(FIXTURES.rglob("*.py")):
        name = file.relative_to(FIXTURES).as_posix()
        if name in OTHER_PROCESS | NO_TENSORFLOW | OTHER_FILES.keys():
            continue
        source = file.read_text(encoding="utf-8")
        expected = expectations(source)
        loud = expected.by_kind[""] | expected.by_kind["miss"]
        module = "fixtures." + name.removesuffix(".py").replace("/", ".")
        for path, rows in _losses(source):
            if path in SINGLE_IMAGES | NOT_CALLABLE or path.partition(".")[0] in OTHER_LOSSES:
                continue
            codes = frozenset(code for row, code in loud if row in rows) | _through_helpers(name, source, path, rows)
            infos = frozenset(code for place, code in expected.by_kind["info"] if place == path)
            found.append(Case(source, f"fixtures/{name}", module, path, _text(source, rows), codes, infos))
    return found


def _text(source: str, rows: range) -> str:
    return "\n".join(source.splitlines()[rows.start - 1 : rows.stop - 1])


def _losses(source: str) -> Iterator[tuple[str, range]]:
    """Qualified name and rows of what can be run: losses, the losses of factories, ``call`` of Loss classes, steps."""
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            continue
        rows = range(node.lineno, (node.end_lineno or 0) + 1)
        if isinstance(node, ast.ClassDef):
            if any("Loss" in ast.unparse(base) for base in node.bases):
                yield f"{node.name}.call", rows
            continue
        names = [a.arg for a in node.args.args]
        inner = [n for n in node.body if isinstance(n, ast.FunctionDef) and ast.unparse(n.args).startswith("y_true")]
        if inner and node.args.vararg is None:
            yield f"{node.name}.<locals>.{inner[-1].name}", rows
            continue
        is_step = node.name.endswith("_step") and "optimizer" in names and "tape" in ast.unparse(node)
        is_factory = bool(inner) or node.name.startswith("make_")
        if is_step or (node.name.endswith("loss") and not is_factory and names and names[0] != "q"):
            yield node.name, rows


def _through_helpers(name: str, source: str, path: str, rows: range) -> frozenset[str]:
    """Codes at the lines of helpers, of the same file or package, whose names the function uses."""
    files = {name: source}
    if "helpers_across_modules" in name:
        files = {p.name: p.read_text(encoding="utf-8") for p in (FIXTURES / name).parent.glob("*.py")}
    used = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and n.lineno in rows}
    used |= {n.attr for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Attribute) and n.lineno in rows}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            used |= {alias.name for alias in node.names if alias.asname in used}
    found: set[str] = set()
    for text in files.values():
        loud = expectations(text).by_kind[""]
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name in used - {path} and "loss" not in node.name:
                found |= {code for row, code in loud if node.lineno <= row <= (node.end_lineno or 0)}
    return frozenset(found)


def verify(case: Case) -> list[str]:
    """What TensorFlow says against the expectations of ``case``; empty where it agrees with them."""
    from tests.guide import probes

    namespace = _namespace(case)
    if case.path.endswith("_step"):
        return _verify_step(case, namespace[case.path])
    loss = _built(case, namespace)
    if case.codes & {"LL102", "LL103"}:
        return _verify_output(case, loss)
    if case.codes & RAISES:
        fails = _raises(lambda: probes.subject(loss)) or probes.traced_error(probes.subject(loss))
        return [] if fails else [f"runs and can be traced, though {sorted(case.codes & RAISES)} is expected"]
    return list(_verify_loss(case, probes.subject(loss, _own(case.path))))


def _verify_loss(case: Case, one: Subject) -> Iterator[str]:
    from tests.guide import probes

    wanted = {GRADIENT[code] for code in case.codes & set(GRADIENT)} or {"live"}
    if "LL301" in case.codes:
        wanted.add("zero")  # a saturated function of a sum
    state = probes.gradient_state(one)
    if state not in wanted:
        yield f"the gradient is {state}, expected {wanted}"
    error = probes.traced_error(one)
    if bool(error) != bool(case.codes & (TRACE | {"LL205"})) and "tf.Variable" not in case.text:
        yield f"with an unknown batch size: {error or 'works'}"
    if state == "live":
        yield from _verify_batch(case, one)
    if state == "live" or case.codes & EDGES:
        logits = "logits" in one.inputs or any(f"{name}(" in case.text for name in ACTIVATIONS)
        edge = probes.first_non_finite(one, logits, simplex="categorical_crossentropy" in case.text)
        if bool(edge) != bool(case.codes & EDGES) and not (edge and case.codes & PERHAPS):
            yield f"at the edges: {'not finite, ' + edge if edge else 'all finite'}"


def _verify_batch(case: Case, one: Subject) -> Iterator[str]:
    from tests.guide import probes

    if "GLOBAL_BATCH_SIZE" in case.text or "compute_average_loss" in case.text or "top_k" in case.text:
        return  # scaled for all replicas; the k largest of a repeated batch are others
    if case.codes & {"LL107", "LL508"}:
        return  # what is left of a sum over the batch is averaged over other axes; another number at each call
    micro = probes.micro_batch_error(one)
    coupled = "LL308" in case.infos or any(f"{name}(" in case.text for name in COUPLED_HELPERS)
    law = probes.law_error(one, base=100 if coupled else 1)
    if (case.codes | case.infos) & ACROSS:
        if law < TOLERANCE and micro < COUPLING:
            yield "not coupled over the batch"
    elif (law > TOLERANCE) != bool(case.codes & LAW):
        yield f"the gradient of a batch repeated four times is off by {law:.3f}"
    elif law <= TOLERANCE and "batch-level" not in case.source and (micro > COUPLING) != coupled:
        yield f"the gradient of micro-batches is off by {micro:.3f}"


def _verify_step(case: Case, step: Callable[..., Any]) -> list[str]:
    from tests.guide import probes

    if case.codes & {"LL201", "LL205", "LL209", "LL516"}:
        return [] if _raises(lambda: probes.step_law_error(step)) else ["trains, though its gradient should be cut"]
    if "random" in case.text or "critic" in case.text or "strategy" in case.source:
        return []  # other noise for each batch; other replicas
    error = probes.step_law_error(step)
    grows = bool(case.codes & (LAW | {"LL101"}))
    return [] if (error > TOLERANCE) == grows else [f"the update for a batch repeated four times is off by {error:.3f}"]


def _verify_output(case: Case, loss: Callable[..., Any]) -> list[str]:
    from tests.guide import probes

    names = ["y_true", "y_pred"]
    inputs = next(probes.conventions(names))
    value = loss(*inputs.values())
    if "LL103" in case.codes:
        return [] if value is None else [f"returns {value!r}"]
    return [] if isinstance(value, (tuple, list, dict)) else [f"returns {value!r}"]


def _raises(function: Callable[[], Any]) -> bool:
    try:
        function()
    except Exception:  # any error is what a user would see
        return True
    return False


def _namespace(case: Case) -> dict[str, Any]:
    if case.module:
        if str(ROOT) not in sys.path:
            sys.path.insert(0, str(ROOT))
        return vars(importlib.import_module(case.module))
    module = types.ModuleType("example")
    exec(compile(case.source, case.origin, "exec"), vars(module))
    return vars(module)


def _built(case: Case, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The loss itself: a factory is called, a class instantiated."""
    owner, _, rest = case.path.partition(".")
    if not rest:
        return namespace[owner]
    import inspect

    parameters = inspect.signature(namespace[owner]).parameters.values()
    made = {p.name: _made(p.name) for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
    loss: Callable[..., Any] = namespace[owner](**made)
    return loss.call if rest == "call" else loss


def _made(name: str) -> Any:
    """An argument of a factory."""
    import keras
    import tensorflow as tf

    if name == "model":
        model = keras.Sequential([keras.layers.Dense(3)])
        model.build((None, 4))
        return model
    known = {
        "step": 0.25,
        "quantile": 0.3,
        "alpha": 0.25,
        "rate": 0.5,
        "weights": [1.0, 2.0, 0.5, 4.0, 1.0],
        "features": tf.square,
        "z_mean": tf.constant([[0.1]]),
        "towers": [tf.sin, tf.cos],
        "steps": 2,
        "rank": 2,
    }
    return known[name]


def _own(path: str) -> dict[str, Any] | None:
    """Inputs of losses that follow no convention: corners of boxes, intervals of survival, single images."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(5)
    first, second = rng.random((2, 6, 4)).astype("float32")
    corner = np.concatenate([np.zeros((6, 2)), np.ones((6, 2))], axis=1).astype("float32")
    own = {
        "box_overlap_loss": {"y_true": tf.constant(corner + 0.2 * first), "y_pred": tf.constant(corner + 0.2 * second)},
        "box_parts_loss": {"y_true": tf.constant(first[:, :2]), "y_pred": tf.constant(second[:, :2])},
        "multi_similarity_loss": {
            "y_true": tf.constant([0.0, 1.0, 0.0, 2.0, 1.0, 2.0]),
            "embeddings": tf.constant(first - 0.5),
        },
        "discrete_hazard_loss": {
            "y_true": tf.constant(np.eye(8, dtype="float32")[[0, 1, 4, 5, 6, 2]]),
            "y_pred": tf.constant(first),
        },
    }
    return own.get(path)


def main() -> int:
    """Print what disagrees; 1 where something does."""
    wrong = 0
    everything = [case for case in cases() if len(sys.argv) < 2 or sys.argv[1] in case.name]
    for case in everything:
        try:
            problems = verify(case)
        except Exception as error:  # one that cannot be run is a fault of the example
            problems = [f"{type(error).__name__}: {str(error)[:300]}"]
        for problem in problems:
            wrong += 1
            print(f"{case.name} {sorted(case.codes | case.infos)}: {problem}")
    print(f"{len(everything)} functions, {wrong} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
