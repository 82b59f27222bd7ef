"""Losses as Python text, drawn from a grammar in which every expression has the shape it is asked for.

``Writer.expression`` writes an expression of a shape and a domain; what comes first in a list of choices is what
Hypothesis shrinks to. A program is a few assignments and a result.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from tests.programs import idioms, phrases, practice, structures
from tests.programs.layouts import AXES, LABELS, OUTPUTS, Extents, Layout
from tests.programs.phrases import POSITIVE, REAL, UNIT, within

HEADER = """\
import numpy as np
import tensorflow as tf
import keras
from keras import ops
from tensorflow.keras import backend as K

"""


_NAME = re.compile(r"\b[a-z]\d+\b")


class Program(NamedTuple):
    """``source`` defines a loss called ``name`` below ``HEADER``; ``loss`` is the function to call."""

    source: str
    layout: Layout
    name: str = "loss"

    def __str__(self) -> str:
        return f"# {self.layout}\n{self.source}"


def fill(template: str, *parts: str) -> str:
    """``template`` with expressions in it; brackets that are not needed are dropped in the end."""
    return template.format(*(f"({part})" for part in parts))


TERMS = [*idioms.TERMS, *practice.TERMS, *structures.TERMS]
HELPERS = practice.HELPERS | structures.HELPERS


class Value(NamedTuple):
    """A variable of the program."""

    name: str
    shape: Extents
    domain: str


class Statement(NamedTuple):
    """What binds ``names``."""

    names: tuple[str, ...]
    text: str


class Writer:
    """Writes one program."""

    def __init__(self, draw: Callable[..., Any], layout: Layout) -> None:
        self._draw = draw
        self.layout = layout
        self.full: Extents = layout.y_pred
        self.lines: list[Statement] = []
        self.first = ""  # the statement that the loss begins with
        self.labels = "y_true"
        unit = UNIT if layout.outputs == "probabilities" else REAL
        if layout.labels != "classes" and layout.axes:
            self.first = self.pick(practice.FIRST[: None if unit == REAL else -1])
            unit = UNIT if "y_pred, " in self.first else unit
        self.values = [Value("y_pred", self.full, unit)]
        if layout.labels != "classes":
            self.values.append(Value("y_true", self.full, UNIT))
        elif layout.axes:
            depth = "tf.shape(y_pred)[-1]" if isinstance(layout.axes[-1], str) else str(layout.axes[-1])
            self.labels = self.let(f"tf.one_hot(y_true, {depth}, dtype=tf.float32)", self.full, UNIT)
        self._names = 0

    # -- choices ---------------------------------------------------------------------------------------------------
    def pick(self, options: Sequence[Any]) -> Any:
        """One of ``options``; the first is the simplest."""
        return self._draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        """True in about ``percent`` of 100 programs."""
        return bool(self._draw(st.integers(0, 99)) >= 100 - percent)

    # -- statements ------------------------------------------------------------------------------------------------
    def let(self, text: str, shape: Extents, domain: str = REAL) -> str:
        """Assign ``text`` to a new variable."""
        name = f"v{len(self.lines)}"
        self.lines.append(Statement((name,), f"{name} = {text}"))
        self.values.append(Value(name, shape, domain))
        return name

    def block(self, shape: Extents, domain: str) -> None:
        """Statements that compute a new variable, as people write them."""
        name = f"v{len(self.lines)}"
        parts = [self.expression(shape, domain, 1) for _ in range(2)]
        config = self.pick(("if FLAG:", "if SCALE > 1.0:"))
        text = self.pick(
            (
                f"{name} = {parts[0]}\nfor w in [0.5, 1.0]:\n    {name} = {name} + w * ({parts[1]})",
                f"{config}\n    {name} = {parts[0]}\nelse:\n    {name} = {parts[1]}",
                f"{name} = {parts[0]}\n{config}\n    {name} = {name} * ({parts[1]})",
                f"{name} = 0.0\nfor i in range(3):\n    {name} += ({parts[0]}) / (i + 1)",
                f"def inner(a, b=2.0):\n    return a * b\n{name} = inner({parts[0]})",
            )
        )
        self.lines.append(Statement((name,), text))
        self.values.append(Value(name, shape, REAL))

    # -- idioms ----------------------------------------------------------------------------------------------------
    def term(self, shape: Extents, domain: str, depth: int) -> str:
        """A template of ``idioms.TERMS``."""
        fitting = [i for i in TERMS if within(i.domain, domain) and self._suits(i)]
        return self._written(self.pick([i for i in fitting if self._given(i, shape) == shape]), shape, depth)

    def unusual(self) -> None:
        """A new variable of an unusual shape."""
        idiom = self.pick([i for i in idioms.VALUES if self._suits(i)])
        self.let(self._written(idiom, self.full, 1), self._given(idiom, self.full), idiom.domain)

    def _given(self, idiom: idioms.Idiom, shape: Extents) -> Extents:
        """The shape of what ``idiom`` gives."""
        full = self.full
        known: dict[str, Extents] = {"F": full, "S": full[:-1], "B": full[:1], ".": (), "=": shape}
        if full:
            known |= {"Q": (*full[:-1], 1 if full[-1] == 1 else "2"), "J": ("2B", *full[1:]), "M": ("M", *full[1:])}
            known["K"] = (full[0], "T-1", *full[2:])
        return {**idioms.SHAPES, **known}[idiom.gives]

    def _suits(self, idiom: idioms.Idiom) -> bool:
        needs, rank = idiom.needs, len(self.full)
        if "rank" in needs:
            low, _, high = needs[needs.index("rank") + 1].partition("-")
            if not int(low) <= rank <= int(high or low):
                return False
        wrong = ("three" in needs and self.full[-1] != 3, "classes" in needs and self.layout.labels != "classes")
        return not any(wrong) and not ("same" in needs and self.layout.labels == "classes")

    def _written(self, idiom: idioms.Idiom, shape: Extents, depth: int) -> str:
        """The expression, after the assignments in front of it."""
        shapes = {"F": self.full, "S": self.full[:-1], "B": self.full[:1], ".": (), "=": shape}
        *before, text = idiom.text.split("; ")
        names: dict[str, str] = {}

        def hole(found: re.Match[str]) -> str:
            if found[0] == "<labels>":
                return self.labels
            return f"({self.expression(shapes[found[2]], found[1], depth)})"

        def named(found: re.Match[str]) -> str:
            return names[found[0]]

        for statement in before:
            targets, _, value = statement.partition(" = ")
            value = re.sub(r"\$\w", named, re.sub(r"<(\w+)(?: (\S))?>", hole, value))
            fresh = []
            for target in targets.split(", "):
                self._names += 1
                names[target] = f"{target[1:]}{self._names}"
                fresh.append(names[target])
            self.lines.append(Statement(tuple(fresh), f"{', '.join(fresh)} = {value}"))
        return re.sub(r"\$\w", named, re.sub(r"<(\w+)(?: (\S))?>", hole, text))

    # -- expressions -----------------------------------------------------------------------------------------------
    def expression(self, shape: Extents, domain: str = REAL, depth: int = 2, leaf: bool = True) -> str:
        """An expression of ``shape`` whose values lie in ``domain``; without ``leaf`` more than a variable."""
        if depth <= 0:
            return self.leaf(shape, domain)
        ways = [self.leaf, self._unary, self._unary, self._binary, self._binary][not leaf :]
        if self._larger(shape):
            ways += [self._reduced] * (3 if shape else 6)
        if any(self._suits(i) and within(i.domain, domain) and self._given(i, shape) == shape for i in TERMS):
            ways += [self.term] * 4
        if shape:
            ways += [self._along, self._chosen]
        elif leaf:
            ways.append(self._count)
        way = self.pick(ways)
        return str(way(shape, domain) if way in (self.leaf, self._count) else way(shape, domain, depth - 1))

    def leaf(self, shape: Extents, domain: str = REAL) -> str:
        """A variable, reduced where there is none of that shape."""
        fitting = [v for v in self.values if v.shape == shape]
        inside = [v.name for v in fitting if within(v.domain, domain)]
        inside += inside[-2:]  # what was computed is there to be used
        if inside:
            return str(self.pick(inside))
        if fitting:
            return fill(self.pick(phrases.INTO[domain]), self.pick([v.name for v in fitting]))
        if not shape:
            return str(self.pick(phrases.CONSTANTS[domain]))
        value = self.pick([v for v in self.values if v.shape == self.full][-3:])
        axes = [i for i, e in enumerate(value.shape) if e not in shape]
        text = f"tf.reduce_mean({value.name}, axis={axes})"
        return text if within(value.domain, domain) else fill(self.pick(phrases.INTO[domain]), text)

    def _unary(self, shape: Extents, domain: str, depth: int) -> str:
        template, inner = self.pick(phrases.UNARY[domain])
        return fill(template, self.expression(shape, inner, depth))

    def _binary(self, shape: Extents, domain: str, depth: int) -> str:
        template, left, right = self.pick(phrases.BINARY[domain])
        a = self.expression(shape, left, depth)
        other, wrap = self.pick(self._beside(shape))
        b = wrap(self.expression(other, right, depth))
        return fill(template, a, b)

    def _beside(self, shape: Extents) -> list[tuple[Extents, Callable[[str], str]]]:
        """What broadcasts to ``shape``, with what makes it of an expression."""
        found: list[tuple[Extents, Callable[[str], str]]] = [(shape, str), (shape, str)]
        if shape:
            found.append(((), str))
        if len(shape) > 1 and shape[-1] != shape[0]:
            found.append((shape[:-1], lambda text: f"tf.expand_dims({text}, -1)"))
            found.append(
                (shape, lambda text: f"tf.reduce_{self.pick(('mean', 'sum', 'max'))}({text}, axis=-1, keepdims=True)")
            )
            if self._is_part(shape[1:]):
                found.append((shape[1:], str))
        if shape and shape[0] == "B":
            found.append((shape, lambda text: f"tf.reduce_mean({text}, axis=0, keepdims=True)"))
        return found

    def _is_part(self, shape: Extents) -> bool:
        """Whether ``shape`` is what is left of the predictions after some axes are reduced."""
        rest = iter(self.full)
        return all(e in rest for e in shape)

    def _larger(self, shape: Extents) -> list[Extents]:
        """Shapes that ``shape`` is left of after some axes are reduced."""
        found: list[Extents] = []
        full = self.full
        if self._is_part(shape) and len(shape) < len(full):
            missing = [e for e in full if e not in shape]
            found.append(full)
            found += [tuple(x for x in full if x in shape or x == e) for e in missing if len(missing) > 1]
        for value in self.values:
            other = value.shape
            more = len(other) > len(shape) and shape == other[: len(shape)]
            if more and other not in found and not self._is_part(other):
                found.append(other)
        return found

    def _reduced(self, shape: Extents, domain: str, depth: int) -> str:
        larger = self.pick(self._larger(shape))
        template, inner = self.pick(phrases.REDUCTIONS[domain])
        kept = list(shape)
        axes = []
        for i, extent in enumerate(larger):
            if kept and kept[0] == extent:
                kept.pop(0)
            else:
                axes.append(i)
        spelled = [axes[0] if len(axes) == 1 else axes]
        if axes == [len(larger) - 1]:
            spelled = [-1, *spelled]
        if not shape:
            spelled = [None, *spelled]
        axis = self.pick(spelled)
        text = self.expression(larger, inner, depth)
        return fill(str(template).replace("{}{}", "{}" if axis is None else f"{{}}, axis={axis}"), text)

    def _along(self, shape: Extents, domain: str, depth: int) -> str:
        """Something along one axis."""
        axis = self.pick([-1, -1, -1, *range(len(shape))])
        template, inner = self.pick(phrases.ALONG[domain])
        if shape[axis] == "B" and self.chance(60):  # rarely along the batch
            return self._unary(shape, domain, depth)
        if len(shape) < 2 and "K.softmax" in template:  # which refuses vectors
            template = template.replace("K.softmax", "tf.nn.softmax")
        return fill(str(template), self.expression(shape, inner, depth), str(axis))

    def _chosen(self, shape: Extents, domain: str, depth: int) -> str:
        """One of two, by a condition."""
        condition = fill(self.pick(phrases.CONDITIONS), self.leaf(shape))
        a, b = self.expression(shape, domain, depth), self.expression(shape, domain, depth - 1)
        return fill(
            self.pick(("tf.where({}, {}, {})", "K.switch({}, {}, {})", "ops.where({}, {}, {})")), condition, a, b
        )

    def _count(self, shape: Extents, domain: str) -> str:
        """How many there are."""
        return str(self.pick(phrases.COUNTS))


@st.composite
def programs(draw: Callable[..., Any]) -> Program:
    """A program."""
    axes = draw(st.sampled_from(AXES))
    labels = draw(st.sampled_from(LABELS if axes and axes[-1] != 1 else LABELS[:2]))  # one class is none
    writer = Writer(draw, Layout(axes, labels, draw(st.sampled_from(OUTPUTS))))
    full = writer.full
    for _ in range(writer.pick((0, 1, 1, 2, 2, 3))):
        kind = writer.pick(("let", "let", "unusual", "block"))
        shape, domain = writer.pick([full, full, ("B",), full[:-1] or full]), writer.pick([REAL, POSITIVE, UNIT])
        if kind == "let":
            writer.let(writer.expression(shape, domain, 2, leaf=False), shape, domain)
        elif kind == "unusual":
            writer.unusual()
        else:
            writer.block(writer.pick((full, ("B",), ())), domain)
    result = writer.expression(writer.pick([(), (), ("B",), full[:-1], full]), REAL, 3, leaf=False)
    lines = used(writer.lines, result)
    assume(any("y_pred" in line for line in lines))
    source, name = wrapped("\n".join([writer.first, *lines]), writer.pick(("plain", "plain", "factory", "class")))
    return Program(ast.unparse(ast.parse(source)) + "\n", writer.layout, name)


def used(lines: list[Statement], result: str) -> list[str]:
    """The assignments that ``result`` needs, and its return."""
    needed = set(_NAME.findall(result))
    kept = []
    for line in reversed(lines):
        if needed.intersection(line.names):
            needed |= set(_NAME.findall(line.text))
            kept.append(line.text)
    return [*reversed(kept), f"return {result}"]


def wrapped(body: str, form: str) -> tuple[str, str]:
    """The module around the body of a loss, and what the loss is called."""
    settings = "".join(f"{name} = {value}\n" for name, value in (("FLAG", "True"), ("SCALE", "2.0")) if name in body)
    settings += "".join(text for name, text in HELPERS.items() if f"{name}(" in body)
    base = "keras.losses.MeanAbsoluteError()"
    if form == "factory":
        body = body.replace("ALPHA", "alpha").replace("BASE(", "base(")
        inner = textwrap.indent(f"def scaled(y_true, y_pred):\n{textwrap.indent(body, '    ')}", "    ")
        made = f"def make(alpha=0.5):\n    base = {base}\n{inner}\n    return scaled\nloss = make()"
        return f"{settings}{made}", "make.<locals>.scaled"
    if form == "class":
        body = body.replace("ALPHA", "self.alpha").replace("BASE(", "self.base(")
        first = f"        super().__init__()\n        self.alpha = alpha\n        self.base = {base}\n"
        call = textwrap.indent(f"def call(self, y_true, y_pred):\n{textwrap.indent(body, '    ')}", "    ")
        made = (
            f"class Custom(keras.losses.Loss):\n    def __init__(self, alpha=0.5):\n{first}{call}\nloss = Custom().call"
        )
        return f"{settings}{made}", "Custom.call"
    settings += "".join(f"{name} = {value}\n" for name, value in (("ALPHA", "0.5"), ("BASE", base)) if name in body)
    return f"{settings}def loss(y_true, y_pred):\n{textwrap.indent(body, '    ')}", "loss"
