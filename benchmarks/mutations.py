"""Ways to break a sound loss, one edit each: what ``python -m benchmarks.mutants`` plants in real code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libcst as cst
from libcst import matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

from benchmarks.confirmer import Row
from losslint.frontend.names import role_of

_SMALL = 0.02  # constants up to this guard
_PREFIXES = {
    "tf": r"^\s*import tensorflow(\.compat\.v1)? as tf",
    "K": r"import .*\bas K\b|import K\b",
    "ops": r"import .*\bops\b",
    "keras.backend": r"\bkeras\.backend\.",
    "backend": r"\bbackend\.",
}
"""How files spell the framework -> the import that says so."""


@dataclass(frozen=True)
class Mutant:
    """One edit: ``text`` is the whole file."""

    kind: str
    codes: tuple[str, ...]  # the rule that the edit stands for, then those that say the same more precisely
    text: str


@dataclass
class Original:
    """A function and the file it stands in; ``edit`` makes a mutant of an expression, by its tree."""

    text: str
    function: cst.FunctionDef
    positions: Any
    prefix: str  # how the file spells TensorFlow: "tf", "K", "ops"
    lines: list[str] = field(default_factory=list)

    def span(self, tree: cst.CSTNode) -> tuple[int, int]:
        """Offsets of ``tree`` in the text."""
        place = self.positions[tree]
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts[place.start.line - 1] + place.start.column, starts[place.end.line - 1] + place.end.column

    def code(self, tree: cst.CSTNode) -> str:
        """The source of ``tree``."""
        start, end = self.span(tree)
        return self.text[start:end]

    def edit(self, kind: str, codes: tuple[str, ...], tree: cst.CSTNode, replacement: str) -> Mutant:
        """The file with ``replacement`` in the place of ``tree``."""
        start, end = self.span(tree)
        text = self.text[:start] + replacement + self.text[end:]
        return Mutant(kind, codes, text)

    def first(self, kind: str, codes: tuple[str, ...], statement: str) -> Mutant:
        """The file with ``statement`` as the first one of the function, after its docstring."""
        body = self.function.body.body
        after = body[0]
        documented = m.matches(after, m.SimpleStatementLine([m.Expr(m.SimpleString() | m.ConcatenatedString())]))
        place = self.positions[body[1] if documented and len(body) > 1 else after].start
        row = place.line
        if row == self.positions[self.function.name].start.line:  # def f(x): return x
            line = self.lines[row - 1]
            lines = [
                *self.lines[: row - 1],
                f"{line[: place.column]}{statement}; {line[place.column :]}",
                *self.lines[row:],
            ]
            return Mutant(kind, codes, "".join(lines))
        indent = re.match(r"\s*", self.lines[row - 1])[0]
        lines = [*self.lines[: row - 1], f"{indent}{statement}\n", *self.lines[row - 1 :]]
        return Mutant(kind, codes, "".join(lines))

    @property
    def prediction(self) -> str:
        """The parameter that holds predictions, "" for none."""
        return self._parameter("prediction")

    @property
    def label(self) -> str:
        """The parameter that holds labels, "" for none."""
        return self._parameter("label")

    def _parameter(self, role: str) -> str:
        names = [p.name.value for p in self.function.params.params]
        return next((n for n in names if role_of(n) == role), "")

    @property
    def returns(self) -> list[cst.Return]:
        """The statements that return something, those of inner functions left out."""
        inner = [f for f in m.findall(self.function.body, m.FunctionDef() | m.Lambda())]
        hidden = {id(r) for f in inner for r in m.findall(f, m.Return())}
        found = [r for r in m.findall(self.function, m.Return()) if id(r) not in hidden]
        return [r for r in found if r.value is not None]

    def calls(self, *names: str) -> Iterator[tuple[cst.Call, str]]:
        """Calls of TensorFlow functions whose last name is one of ``names``, with that name; NumPy's left out."""
        yield from self.calls_in(self.function.body, *names)

    def calls_in(self, tree: cst.CSTNode, *names: str) -> Iterator[tuple[cst.Call, str]]:
        """Those in ``tree``."""
        for call in m.findall(tree, m.Call()):
            spelled = self.code(call.func)
            last = spelled.rpartition(".")[2]
            if last in names and not spelled.startswith(("np.", "numpy.", "math.", "self.", "super")):
                yield call, last

    def batch(self, name: str) -> str:
        """The batch size as a float tensor."""
        if self.prefix == "ops":
            return f"ops.cast(ops.shape({name})[0], 'float32')"
        return f"{self.prefix}.cast({self.prefix}.shape({name})[0], 'float32')"


Mutator = Callable[[Original], Iterator[Mutant]]
MUTATORS: list[Mutator] = []


def mutator(function: Mutator) -> Mutator:
    """Register ``function``, which yields the mutants of its kind."""
    MUTATORS.append(function)
    return function


_SUMS = {"reduce_mean": "reduce_sum", "mean": "sum"}


def _plain_arguments(call: cst.Call) -> bool:
    """Whether a reduction names no axis."""
    return len(call.args) == 1


@mutator
def mean_to_sum(loss: Original) -> Iterator[Mutant]:
    for call, last in loss.calls(*_SUMS):
        if _plain_arguments(call):
            name = loss.code(call.func)[: -len(last)] + _SUMS[last]
            codes = ("LL302", "LL304", "LL301", "LL305")
            yield loss.edit("mean to sum", codes, call.func, name)


@mutator
def divided_twice(loss: Original) -> Iterator[Mutant]:
    for returned in loss.returns if loss.prediction else ():
        code = f"({loss.code(returned.value)}) / {loss.batch(loss.prediction)}"
        yield loss.edit("divided by the batch size", ("LL303",), returned.value, code)


@mutator
def nonlinearity_before_division(loss: Original) -> Iterator[Mutant]:
    for call, last in loss.calls(*_SUMS):
        if _plain_arguments(call) and loss.prediction:
            owner = loss.code(call.func)[: -len(last)]
            total = f"{owner}{_SUMS[last]}({loss.code(call.args[0])})"
            root = {"tf": "tf.math.log1p", "ops": "ops.log1p"}.get(loss.prefix, f"{loss.prefix}.tanh")
            code = f"{root}({total}) / {loss.batch(loss.prediction)}"
            yield loss.edit("nonlinearity before the division", ("LL301", "LL303", "LL304"), call, code)


_CUT = ("LL201", "LL204", "LL203", "LL202")


@mutator
def rounded(loss: Original) -> Iterator[Mutant]:
    if name := loss.prediction:
        yield loss.first("prediction rounded", _CUT, f"{name} = {loss.prefix}.round({name})")


@mutator
def argmaxed(loss: Original) -> Iterator[Mutant]:
    if name := loss.prediction:
        largest = f"{loss.prefix}.cast({loss.prefix}.argmax({name}, axis=-1), 'float32')"
        spread = {"tf": f"{largest}[..., tf.newaxis]"}.get(loss.prefix, f"{loss.prefix}.expand_dims({largest}, -1)")
        yield loss.first("prediction argmaxed", _CUT, f"{name} = {spread} + 0.0 * {loss.prefix}.round({name})")


@mutator
def detached(loss: Original) -> Iterator[Mutant]:
    if name := loss.prediction:
        code = f"{name} = {loss.prefix}.stop_gradient({name})"
        yield loss.first("prediction detached", ("LL208", "LL201", "LL204", "LL203"), code)


def _number(tree: cst.BaseExpression) -> float | None:
    try:
        return float(tree.value) if isinstance(tree, (cst.Float, cst.Integer)) else None
    except ValueError:
        return None


def _is_guard(loss: Original, tree: cst.BaseExpression) -> bool:
    """Whether ``tree`` is a small positive constant, or is called an epsilon."""
    number = _number(tree)
    if number is not None:
        return 0 < number <= _SMALL
    return (
        re.fullmatch(r"(.*\.)?_?(eps\w*|EPS\w*|smooth\w*|\w+_const|K\.epsilon\(\))|\w+\.epsilon\(\)", loss.code(tree))
        is not None
    )


def _unguarded(loss: Original, tree: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, str]]:
    """Guards below ``tree`` and what is left without them."""
    for sum_ in m.findall(tree, m.BinaryOperation(operator=m.Add())):
        for kept, guard in ((sum_.left, sum_.right), (sum_.right, sum_.left)):
            if _is_guard(loss, guard):
                yield sum_, f"({loss.code(kept)})"
    for call in m.findall(tree, m.Call()):
        last = loss.code(call.func).rpartition(".")[2]
        values = [a.value for a in call.args]
        guards = [_is_guard(loss, v) for v in values[:2]]
        if last in ("maximum", "clip_by_value", "clip") and len(values) >= 2 and any(guards):
            kept = values[1] if guards[0] else values[0]
            yield call, f"({loss.code(kept)})"


@mutator
def guard_of_a_log(loss: Original) -> Iterator[Mutant]:
    for call, _ in loss.calls("log"):
        for guard, left in _unguarded(loss, call.args[0].value):
            yield loss.edit("guard of a log removed", ("LL401", "LL402", "LL407", "LL409"), guard, left)


@mutator
def clip_removed(loss: Original) -> Iterator[Mutant]:
    if not any(loss.calls("log")):
        return
    for call, last in loss.calls("clip_by_value", "clip", "maximum"):
        values = [a.value for a in call.args]
        named = loss.prediction and loss.code(values[0]) == loss.prediction
        if named and last != "maximum":
            yield loss.edit("clip removed", ("LL401", "LL402", "LL407", "LL404", "LL406"), call, loss.prediction)


@mutator
def guard_of_a_division(loss: Original) -> Iterator[Mutant]:
    for quotient in m.findall(loss.function.body, m.BinaryOperation(operator=m.Divide())):
        for guard, left in _unguarded(loss, quotient.right):
            yield loss.edit("guard of a division removed", ("LL404", "LL407"), guard, left)
    for call, _ in loss.calls("divide_no_nan"):
        top, bottom = (loss.code(a.value) for a in call.args[:2])
        yield loss.edit("guard of a division removed", ("LL404", "LL407"), call, f"(({top}) / ({bottom}))")


@mutator
def guard_of_a_root(loss: Original) -> Iterator[Mutant]:
    for call, _ in loss.calls("sqrt", "rsqrt"):
        for guard, left in _unguarded(loss, call.args[0].value):
            yield loss.edit("guard of a root removed", ("LL406", "LL404", "LL407"), guard, left)


_NUMBER = m.Float() | m.Integer()
_SQUARED = ("square", "squared_difference")


@mutator
def root_of_squares(loss: Original) -> Iterator[Mutant]:
    """The error itself for its square: root mean squared errors, distances."""
    for call, _ in loss.calls(*_SUMS, "reduce_sum", "sum"):
        squared = bool(call.args) and any(loss.calls_in(call.args[0].value, *_SQUARED))
        if squared and loss.prefix:
            yield loss.edit("root of squares", ("LL406",), call, f"{loss.prefix}.sqrt({loss.code(call)})")


@mutator
def exponent_below_one(loss: Original) -> Iterator[Mutant]:
    """A focusing parameter of less than 1. A difference may be negative: its root is another fault."""
    pairs = [(c.args[0].value, c.args[1].value) for c, _ in loss.calls("pow") if len(c.args) == 2]
    powers = m.findall(loss.function.body, m.BinaryOperation(operator=m.Power()))
    pairs += [(power.left, power.right) for power in powers]
    for base, exponent in pairs:
        if m.matches(base, ~m.BinaryOperation(operator=m.Subtract()) | m.BinaryOperation(left=_NUMBER)):
            yield loss.edit("exponent below 1", ("LL406", "LL407"), exponent, "0.5")


@mutator
def divided_by_the_labels(loss: Original) -> Iterator[Mutant]:
    """A mean over the positives, of which there may be none."""
    if not loss.label:
        return
    for returned in loss.returns:
        count = f"{loss.prefix}.{'reduce_sum' if loss.prefix == 'tf' else 'sum'}({loss.label})"
        code = f"({loss.code(returned.value)}) / {count}"
        yield loss.edit("divided by the sum of the labels", ("LL404",), returned.value, code)


@mutator
def epsilon_shrunk(loss: Original) -> Iterator[Mutant]:
    for call, _ in loss.calls("clip_by_value", "clip"):
        values = [a.value for a in call.args]
        one_less = len(values) == 3 and m.matches(values[2], m.BinaryOperation(left=_NUMBER, operator=m.Subtract()))
        if one_less and _is_guard(loss, values[1]) and any(loss.calls("log")):
            code = f"{loss.code(call.func)}({loss.code(values[0])}, 1e-8, 1.0 - 1e-8)"
            yield loss.edit("epsilon shrunk beside a 1", ("LL402",), call, code)
    for sum_ in m.findall(loss.function.body, m.BinaryOperation(operator=m.Add())):
        beside = re.match(r"\(?\s*1(\.0*)?\s*-", loss.code(sum_.left))
        if beside and _is_guard(loss, sum_.right):
            yield loss.edit("epsilon shrunk beside a 1", ("LL402",), sum_.right, "1e-8")


@mutator
def where_for_maximum(loss: Original) -> Iterator[Mutant]:
    where = {"tf": "tf.where", "ops": "ops.where"}.get(loss.prefix, f"{loss.prefix}.switch")
    for call, _ in loss.calls("log", "sqrt"):
        for guard, left in _unguarded(loss, call.args[0].value):
            if guard is call.args[0].value and loss.prefix in ("tf", "ops"):
                inner = f"{loss.code(call.func)}({left})"
                zeros = f"{loss.prefix}.zeros_like({left})"
                code = f"{where}({left} > 0, {inner}, {zeros})"
                yield loss.edit("where instead of maximum", ("LL407", "LL401", "LL406"), call, code)


_ORDERED = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "kl_divergence",
    "kld",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "poisson",
)


_SLOTS = ({"labels", "logits"}, {"y_true", "y_pred"}, {"target", "output"})
"""Keywords for labels and predictions."""


@mutator
def arguments_swapped(loss: Original) -> Iterator[Mutant]:
    for call in m.findall(loss.function.body, m.Call()):
        given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        pair = next(([given[n] for n in sorted(names)] for names in _SLOTS if names <= given.keys()), None)
        if pair is None and loss.code(call.func).rpartition(".")[2] in _ORDERED:
            pair = [a.value for a in call.args[:2] if a.keyword is None]
        texts = [loss.code(value) for value in pair or ()]
        if {role_of(text) for text in texts if text.isidentifier()} == {"label", "prediction"} and len(texts) == 2:
            places = sorted(zip(map(loss.span, pair or ()), reversed(texts), strict=True), reverse=True)
            text = loss.text
            for (start, end), other in places:
                text = text[:start] + other + text[end:]
            yield Mutant("arguments swapped", ("LL510",), text)


@mutator
def tuple_returned(loss: Original) -> Iterator[Mutant]:
    if len(loss.returns) == 1:
        value = loss.returns[0].value
        yield loss.edit("tuple returned", ("LL102",), value, f"({loss.code(value)}), ({loss.code(value)})")


@mutator
def static_batch(loss: Original) -> Iterator[Mutant]:
    for element in m.findall(loss.function.body, m.Subscript(value=m.Call())):
        call, index = element.value, loss.code(element)[len(loss.code(element.value)) :]
        if loss.code(call.func).rpartition(".")[2] == "shape" and index == "[0]" and len(call.args) == 1:
            yield loss.edit("x.shape[0] for tf.shape(x)[0]", ("LL306",), element, f"{loss.code(call.args[0])}.shape[0]")


@mutator
def static_mean(loss: Original) -> Iterator[Mutant]:
    """A mean by hand, of what Keras knows no batch size of."""
    for call, last in loss.calls(*_SUMS):
        if _plain_arguments(call) and loss.prediction:
            total = f"{loss.code(call.func)[: -len(last)]}{_SUMS[last]}({loss.code(call.args[0])})"
            yield loss.edit("mean by x.shape[0]", ("LL306",), call, f"{total} / {loss.prediction}.shape[0]")


@mutator
def static_flatten(loss: Original) -> Iterator[Mutant]:
    """Rows of a batch whose size is not known while Keras traces."""
    for call, last in loss.calls("flatten", "reshape", "batch_flatten"):
        values = [a.value for a in call.args]
        named = bool(values) and loss.code(values[0]) in (loss.prediction, loss.label)
        if named and (last != "reshape" or (len(values) == 2 and loss.code(values[1]).strip("()[], ") == "-1")):
            name = loss.code(values[0])
            code = f"{loss.prefix}.reshape({name}, ({name}.shape[0], -1))"
            yield loss.edit("rows by x.shape[0]", ("LL306",), call, code)


def original(row: Row, path: Path) -> Original | None:
    """The function of ``row`` in its file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    for function in m.findall(wrapper.module, m.FunctionDef()):
        if positions[function.name].start.line == row["line_start"]:
            prefix = next((p for p, imported in _PREFIXES.items() if re.search(imported, text, re.MULTILINE)), "")
            return Original(text, function, positions, prefix, text.splitlines(True)) if prefix else None
    return None


def mutants(loss: Original) -> Iterator[Mutant]:
    """Every mutant of ``loss`` that parses, each text once."""
    seen = {loss.text}
    for make in MUTATORS:
        for mutant in make(loss):
            try:
                compile(mutant.text, "mutant", "exec")
            except (SyntaxError, ValueError):
                continue
            if mutant.text not in seen:
                seen.add(mutant.text)
                yield mutant
