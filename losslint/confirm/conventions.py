"""The ladder of input conventions: how a loss may have to be called, the likeliest first.

What the analysis knows of the arguments (``hints``) and the words of names order the rungs; the first that the loss
accepts with finite numbers is used. Nothing here runs the loss.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from losslint.confirm.inputs import CLASSES, Convention, Spec
from losslint.frontend.names import is_spelled_out, role_of

Hints = Mapping[str, Mapping[str, Any]]
Dims = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Labels and predictions as one kind of task has them; ``words`` in names speak for it."""

    name: str
    label: tuple[str, Dims]  # domain and dims
    prediction: tuple[str, Dims]
    words: str = ""


def _layout(name: str, label: str, label_dims: str, prediction: str, dims: str, words: str = "") -> Layout:
    def split(text: str) -> Dims:
        return tuple(int(c) if c.isdigit() else c for c in text)

    return Layout(name, (label, split(label_dims)), (prediction, split(dims)), words)


_PIXELS = r"dice|iou|jaccard|tversky|segment|unet|lovasz|pixel|tanimoto|boundary|surface"
_CLASSES = r"categorical|softmax|multi_?class|\bcce\b|one_?hot"
_DETECTORS = r"ssd|detect|anchor|retina|yolo|rpn|smooth_?l1|bbox"
_PICTURES = r"ssim|psnr|image|img|pictur|percep|style|gram|crps|dssim|mimick|pix|texture"
LAYOUTS = (
    _layout("rows of classes", "onehot", "BC", "simplex", "BC", rf"{_CLASSES}|kappa"),
    _layout("masks of images", "binary", "BHW1", "prob", "BHW1", _PIXELS),
    _layout("rows of probabilities", "binary", "BC", "prob", "BC", rf"multi_?label|sigmoid|bernoulli|{_PIXELS}"),
    _layout("one column", "binary", "B1", "prob", "B1", r"binary|\bbce\b|logistic|discriminator|gan\b|wasserstein"),
    _layout(
        "images of classes",
        "onehot",
        "BHWC",
        "simplex",
        "BHWC",
        rf"({_PIXELS})[\s\S]*(categor|multi_?class|soft)|multiclass",
    ),
    _layout("rows of numbers", "real", "BC", "real", "BC", r"mse|mae|huber|regress|quantile|pinball|log_?cosh|coral"),
    _layout("class ids", "ids", "B", "simplex", "BC", r"sparse"),
    _layout("class ids in a column", "ids", "B1", "simplex", "BC", r"sparse"),
    _layout(
        "embeddings",
        "ids",
        "B",
        "embedding",
        "BE",
        r"triplet|npairs|lifted|contrast|embed|metric_learn|circle|multisim|proto",
    ),
    _layout(
        "embeddings, labels in a column",
        "ids",
        "B1",
        "embedding",
        "BE",
        r"triplet|npairs|lifted|similarity|softnn|circle|proto",
    ),
    _layout("sequences of ids", "ids", "BT", "simplex", "BTC", r"seq|token|caption|transl|masked"),
    _layout("sequences of classes", "onehot", "BTC", "simplex", "BTC", rf"seq|token|{_CLASSES}"),
    _layout("pictures", "unit", "BHW3", "unit", "BHW3", _PICTURES),
    _layout("grey pictures", "unit", "BHW1", "unit", "BHW1", _PICTURES),
    _layout("pictures without channels", "unit", "BHW", "unit", "BHW", _PICTURES),
    _layout("boxes", "box", "B4", "box", "B4", r"box|giou|diou|ciou|bbox"),
    _layout("boxes of images", "box", "BN4", "box", "BN4", rf"box|{_DETECTORS}"),
    _layout("classes of boxes", "onehot", "BNC", "simplex", "BNC", _DETECTORS),
    _layout("feature maps", "positive", "BHWC", "positive", "BHWC", r"feat|teacher|student|distil"),
    _layout("pairwise scores", "ids", "B", "real", "BB", r"npairs(?![\s\S]*multi_?label)|in_?batch"),
    _layout("pairwise scores of multi-hot labels", "binary", "BC", "real", "BB", r"npairs[\s\S]*multi_?label"),
    _layout("single values", "real", "B", "real", "B"),
    _layout("single labels", "binary", "B", "prob", "B"),
    _layout("series", "real", "BT", "real", "BT", r"series|forecast|time"),
    _layout("series of rows", "real", "BTC", "real", "BTC", r"series|forecast|time|joints?|pose"),
    _layout("ids of pixels", "ids", "BHW", "simplex", "BHWC", r"sparse"),
    _layout("ids of pixels, one channel", "ids", "BHW1", "simplex", "BHWC", r"sparse"),
    _layout("volumes", "binary", "BDHW1", "prob", "BDHW1", r"volum|3d|vnet"),
    _layout("large pictures", "unit", ("BXY3"), "unit", "BXY3", r"ms_?ssim|multiscale"),
)
_KINDS = {
    "logits": r"logit|score",
    "prob": r"prob|sigmoid",
    "positive": r"^[ab]$|alpha|beta|sigma|std|scale|theta|disp|var(iance)?$|rate$|lambda|shape|conc",
    "binary": r"flag|uncensored|censor|event|click|is_|mask",
}
"""Words in the name of an argument that tell what it holds."""
_FUNCTION = re.compile(r"fn$|func|dist|metric|loss|sim", re.IGNORECASE)
"""Names of callables that compare two tensors; others are models."""
_LETTER = re.compile(r"^[a-eu-z]$")
"""Single letters that stand for tensors rather than for numbers, as k, n and q do."""
_ROLES = frozenset({"label", "prediction", "weight", "config", "model", "function", "input"})
_LATENT = re.compile(r"^z_|^mu$|log_?(var|sigma)|z_mean|latent", re.IGNORECASE)
_ACTIVATED = ("prob", "simplex")
_SEARCHED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)  # extents of a last axis that nothing tells


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a loss before it is called: the names it needs, hints, and the words around it."""

    parameters: tuple[str, ...]
    hints: Hints
    words: str  # the names of function, class and arguments
    place: str  # the names of file and folders
    literals: Mapping[str, Sequence[str]]  # the strings that the loss compares an argument with
    roles: Mapping[str, str]


def asked(
    parameters: Sequence[inspect.Parameter],
    hints: Hints,
    words: str,
    place: str,
    known: Mapping[str, str],
    literals: Mapping[str, Sequence[str]],
    optional: bool = False,
) -> Asked:
    """The arguments that a call has to give: those without default, and labels or predictions with the default None.

    With ``optional`` also weights and masks with the default None.
    """
    names = []
    for p in parameters:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        tensor = is_spelled_out(p.name) or (optional and role_of(p.name) == "weight")
        if p.default is p.empty or (p.default is None and tensor):
            names.append(p.name)
    return Asked(tuple(names), hints, words, place, literals, _roles(names, hints, known))


def _roles(names: Sequence[str], hints: Hints, known: Mapping[str, str]) -> dict[str, str]:
    """Name -> "label", "prediction", "weight", "config", "model", "input" or "other"."""
    roles: dict[str, str] = {}
    for name in names:
        role = known.get(name) or hints.get(name, {}).get("role") or role_of(name) or "other"
        if known.get(name) == "called":
            role = "function" if _FUNCTION.search(name) else "model"
        elif role == "variable":
            role = "model"
        elif role in ("model", "label") and re.match(r"^[ab]$", name):
            role = "prediction"
        roles[name] = role if role in _ROLES else "other"
    tensors = [n for n in names if roles[n] in ("label", "prediction", "other", "config")]
    if len(tensors) >= 2 and not any(roles[n] == "prediction" for n in tensors):
        rest = [n for n in tensors if roles[n] != "label"]
        roles[rest[0] if rest else tensors[1]] = "prediction"
    elif len(names) == 1 and roles[names[0]] in ("label", "config", "other", "weight"):
        roles[names[0]] = "prediction"
    return roles


# -- the ladder ------------------------------------------------------------------------------------------------------


def ladder(about: Asked, given: Mapping[str, Spec], told: list[int]) -> Iterator[Convention]:
    """Conventions, the likeliest first; ``given`` ones are fixed.

    ``told`` are extents that errors have named so far; it may grow while the ladder is climbed.
    """
    if given and set(about.parameters) <= set(given):
        yield Convention("as declared", dict(given))
        return
    for layout in [*_by_columns(about), *sorted(LAYOUTS, key=lambda x: -_score(x, about))]:
        yield from _conventions(layout, about, given)
    for layout in _searched(about, told):
        yield from itertools.islice(_conventions(layout, about, given), 1)


def _score(layout: Layout, about: Asked) -> float:
    """How well a layout fits what is known; ties keep the order of the table."""
    score = 0.0
    if layout.words:
        score += _spoken_for(layout.words, about.words, 20.0) + _spoken_for(layout.words, about.place, 8.0)
    for name, role in about.roles.items():
        if role not in ("label", "prediction"):
            continue
        hint = about.hints.get(name, {})
        domain, dims = layout.label if role == "label" else layout.prediction
        if hint.get("rank") is not None:
            score += 30.0 if hint["rank"] == len(dims) else -60.0
        wanted = hint.get("domain")
        if wanted == "ids":
            score += 25.0 if domain == "ids" else -15.0
        elif role == "label" and domain == "ids":
            score -= 5.0 if wanted is None else 25.0
        if role == "label" and hint.get("integer"):
            score += 8.0 * (domain == "ids")
        if role == "prediction" and wanted == "prob":
            score += 10.0 if domain in ("prob", "simplex", "unit") else -10.0
        score += _of_apis(hint.get("api", ()), role, domain, dims)
        columns = hint.get("columns", 0)
        if columns > 1 and isinstance(dims[-1], int):
            score -= 30.0 * (dims[-1] < columns)
    return score


def _spoken_for(words: str, text: str, weight: float) -> float:
    """``weight`` where one of ``words`` stands in ``text``, a little more for each further one."""
    found = {m.group(0).lower() for m in re.finditer(words, text, re.IGNORECASE)}
    return weight + 2.0 * (len(found) - 1) if found else 0.0


def _of_apis(apis: Sequence[str], role: str, domain: str, dims: Dims) -> float:
    """What the functions that take an argument as it is say about it."""
    score = 0.0
    for api in apis:
        short = api.rpartition(".")[2]
        if "sparse_categorical" in short or "sparse_softmax" in short:
            score += 20.0 if (domain == "ids") == (role == "label") else -20.0
        elif "categorical_crossentropy" in short or short == "softmax_cross_entropy_with_logits":
            score += 15.0 * (domain in ("onehot", "simplex"))
        elif "binary_crossentropy" in short or "sigmoid_cross_entropy" in short:
            score += 10.0 * (domain in ("binary", "prob"))
        elif api.startswith("tensorflow.image"):
            score += 25.0 * (domain == "unit" and len(dims) == 4)
    return score


def _by_columns(about: Asked) -> Iterator[Layout]:
    """Where the loss names columns, rows that have just those."""
    columns = {r: max((h.get("columns", 0) for n, h in about.hints.items() if about.roles.get(n) == r), default=0)
               for r in ("label", "prediction")}  # fmt: skip
    if max(columns.values()) < 2:
        return
    most = max(columns.values())
    ranks = [h["rank"] for n, h in about.hints.items() if h.get("columns") and h.get("rank")]
    axes = {2: ("B",), 3: ("B", "T"), 4: ("B", "H", "W")}.get(ranks[0] if ranks else 2, ("B",))
    for label, prediction in dict.fromkeys(
        [
            (columns["label"] or most, columns["prediction"] or most),
            *((most + more, most + more) for more in range(4)),
            (most, most + 1),
        ]
    ):
        for kind in (("binary", "prob"), ("real", "real")):
            yield Layout("named columns", (kind[0], (*axes, label)), (kind[1], (*axes, prediction)))


def _searched(about: Asked, told: list[int]) -> Iterator[Layout]:
    """Every pair of last extents, for losses that cut columns in ways nothing tells but their errors."""
    ranks = [
        h["rank"] for n, h in about.hints.items() if h.get("rank") and about.roles.get(n) in ("label", "prediction")
    ]
    axes: dict[int, Dims] = {3: ("B", "N"), 2: ("B",), 4: ("B", "T", "T"), 5: ("B", "T", "T", "N")}
    order = list(dict.fromkeys([r for r in ranks if r in axes] + list(axes)))

    def columns(rank: int, domains: tuple[str, str], label: int, prediction: int) -> Layout:
        pair = (domains[0], (*axes[rank], label)), (domains[1], (*axes[rank], prediction))
        return Layout("columns that were searched for", *pair)

    for rank, width in itertools.product(order[:2], range(2, 13)):
        yield columns(rank, ("real", "real"), width, width)
    for rank, wide, narrow in itertools.product(order, dict.fromkeys(told), (*_SEARCHED, None)):
        yield columns(rank, ("binary", "prob"), narrow or wide, wide)
        yield columns(rank, ("unit", "real"), narrow or wide, wide)
    near_first = sorted(itertools.product(_SEARCHED, _SEARCHED), key=lambda p: (abs(p[0] - p[1]), sum(p)))
    for rank, (label, prediction) in itertools.product(order, near_first):
        yield columns(rank, ("binary", "prob"), label, prediction)


def _conventions(layout: Layout, about: Asked, given: Mapping[str, Spec]) -> Iterator[Convention]:
    """``layout`` for the arguments at hand; those that are neither labels nor predictions in several ways.

    None where columns would be cut out of the batch axis.
    """
    dims = {"label": layout.label[1], "prediction": layout.prediction[1]}
    if any(about.hints.get(n, {}).get("columns") and dims.get(about.roles[n]) == ("B",) for n in about.parameters):
        return
    fixed: dict[str, Spec] = {}
    open_: dict[str, list[Spec]] = {}
    for name in about.parameters:
        role, hint = about.roles[name], about.hints.get(name, {})
        if name in given:
            fixed[name] = given[name]
        elif hint.get("of") in about.parameters and about.roles[hint["of"]] != "label":
            fixed[name] = Spec("prediction", "derived", value=hint["of"])
        elif role == "label":
            fixed[name] = Spec("label", *layout.label)
        elif role == "prediction":
            fixed[name] = _prediction(name, layout, hint)
        else:
            open_[name] = list(_others(name, role, hint, layout, about.literals.get(name, ())))
    for choice in itertools.islice(itertools.product(*open_.values()), 9):
        chosen = dict(zip(open_, choice, strict=True))
        specs = {n: fixed.get(n) or chosen[n] for n in about.parameters} | dict(given)
        yield Convention(layout.name, specs, _score(layout, about))


def _prediction(name: str, layout: Layout, hint: Mapping[str, Any]) -> Spec:
    domain, dims = layout.prediction
    wanted = hint.get("domain") or next(
        (k for k, words in _KINDS.items() if re.search(words, name, re.IGNORECASE)), None
    )
    if _LATENT.search(name):
        return Spec("prediction", "real", ("B", "E"))
    if wanted == "ids":
        return Spec("other", "ids", dims[:-1] if len(dims) > 1 else dims, "int32")
    if wanted == "logits" and domain in _ACTIVATED:
        domain = "logits"
    elif wanted == "positive" and domain not in ("ids", "box"):
        domain = "positive"
    elif wanted == "prob" and domain == "real":
        domain = "prob"
    return Spec("prediction", domain, dims)


def _others(name: str, role: str, hint: Mapping[str, Any], layout: Layout, literals: Sequence[str]) -> Iterator[Spec]:
    """What an argument that is no label and no prediction may be, the likeliest first."""
    _, dims = layout.prediction
    if literals:
        yield from (Spec("other", "constant", value=value) for value in literals)
        return
    number = Spec("other", "constant", value=number_for(name))
    if role == "model":
        yield Spec("other", "object", value="model")
        return
    if role == "function":
        yield Spec("other", "object", value="distance")
        return
    if role == "weight":
        kind = "mask" if "mask" in name.lower() else "weights"
        yield Spec("weight", kind, ("B",))
        yield Spec("weight", kind, dims[:-1] or dims)
        yield Spec("weight", kind, dims)
        yield Spec("other", "constant", value=1.0)
        return
    if role == "config" and not _LETTER.match(name):
        yield number
    domain = hint.get("domain") or next((k for k, words in _KINDS.items() if re.search(words, name, re.IGNORECASE)), "")
    if domain == "ids":
        yield Spec("other", "ids", dims[:-1] if len(dims) > 1 else dims, "int32")
    if role == "input":
        yield Spec("input", "real", ("B", "C"))
        yield Spec("input", "unit", ("B", "H", "W", 3))
    kind = domain if domain in ("prob", "positive", "logits", "binary") else layout.prediction[0]
    yield Spec("other", kind, dims)
    if re.search(r"len|size|count", name):
        yield Spec("other", "constant", value=3)
        yield Spec("input", "count", ("B", 1), "int32")
    yield number
    yield Spec("other", kind if kind != "simplex" else "prob", ("B",))
    yield Spec("other", kind if kind != "simplex" else "prob", ("B", 1))


# -- hyper-parameters ------------------------------------------------------------------------------------------------

_NUMBERS: tuple[tuple[str, Any], ...] = (
    (r"num_?class|n_?class|nb_?class|^classes$|depth|n_labels|num_labels|output_dim|n_out", CLASSES),
    (r"from_logits|normalize|use_|is_|with_|return_|sparse|ignore_nan", False),
    (r"axis|axes|^dim$", -1),
    (r"batch_?size|global_batch", 7),
    (r"^gamma|focus", 2.0),
    (r"alpha|beta", 0.25),
    (r"margin|delta|smooth|^scale|clip", 1.0),
    (r"eps", 1e-7),
    (r"temperature|^temp$|tau", 0.5),
    (r"quantile|^q$", 0.3),
    (r"^(k|n|top_?k|num_.*|n_.*|max_.*|kernel.*|window.*|filter_size|.*_size|steps?|levels?|order)$", 3),
    (r"^name$", "loss"),
    (r"^reduction$", "sum_over_batch_size"),
    (r"dtype", "float32"),
)


def number_for(name: str) -> Any:
    """A plausible value of a hyper-parameter called ``name``."""
    return next((value for words, value in _NUMBERS if re.search(words, name, re.IGNORECASE)), 0.5)
