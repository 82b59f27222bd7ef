"""Changes to Python text that mostly leave it Python: names, numbers and expressions change places, lines move."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable

_WORD = re.compile(r"\b\w+(?:\.\w+)*\b")
_NASTY = ["\t", "\r", "\x0c", "\x00", "\ufeff", "\u00e9", "\u4e2d", "\U0001f600", "\\", "'", '"""', "#", "(", ")", "[", "{", ":", ";", "@"]  # fmt: skip
_WORDS = (
    "y_true y_pred None True 0 1 -1 0.0 1e-7 1e-8 1e400 -0.0 0.5 10**20 ... self loss call tf keras K np lambda *args "
    "**kwargs yield await global return del if for while try with class async in is not and or pass break"
    " tf.reduce_mean tf.reduce_sum tf.math.log tf.shape tf.where tf.cast tf.float32 tf.norm tf.sqrt tf.nn.softmax tf.round "
    "tf.stop_gradient tf.exp tf.clip_by_value tf.concat tf.reshape tf.gather tf.map_fn tf.while_loop tf.cond tf.einsum "
    "keras.losses.Loss tf.keras.losses.mean_squared_error keras.ops.mean K.sum K.epsilon() axis=-1 axis=0 keepdims=True "
    "from_logits=True reduction='sum' len range zip sum print int float super().__init__()"
).split()

Mutation = Callable[[str, random.Random], str]


def mutated(text: str, dice: random.Random, others: list[str], times: int = 3) -> str:
    """``text`` after some of the changes; ``others`` lend lines."""
    for _ in range(times):
        change = dice.choice(_MUTATIONS)
        text = _spliced(text, dice, others) if change is None else change(text, dice)
    return text


def _line(text: str, dice: random.Random) -> str:
    """A line is left out, comes twice, changes places with another, or is moved in or out."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
    way = dice.randrange(5)
    if way == 0:
        del lines[i]
    elif way == 1:
        lines.insert(j, lines[i])
    elif way == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif way == 3:
        lines[i] = "    " + lines[i]
    else:
        lines[i] = lines[i].removeprefix("    ")
    return "".join(lines)


def _word(text: str, dice: random.Random) -> str:
    """A name or number becomes another one, of this text or a common one."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    old = dice.choice(found)
    new = dice.choice(found)[0] if dice.random() < 0.5 else dice.choice(_WORDS)
    return text[: old.start()] + new + text[old.end() :]


def _expression(text: str, dice: random.Random) -> str:
    """An expression takes the place of another one; the text stays Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    nodes = [
        n for n in ast.walk(tree) if isinstance(n, ast.expr) and isinstance(getattr(n, "ctx", ast.Load()), ast.Load)
    ]
    if len(nodes) < 2:
        return text
    old, new = dice.sample(nodes, 2)
    source = ast.get_source_segment(text, new)
    start, end = _offset(text, old.lineno, old.col_offset), _offset(text, old.end_lineno, old.end_col_offset)
    if source is None or start is None or end is None:
        return text
    return f"{text[:start]}({source}){text[end:]}"


def _offset(text: str, row: int | None, column: int | None) -> int | None:
    """Where a position that ``ast`` tells, in bytes of its line, is in ``text``."""
    lines = text.split("\n")
    if row is None or column is None or row > len(lines):
        return None
    before = sum(len(line) + 1 for line in lines[: row - 1])
    return before + len(lines[row - 1].encode()[:column].decode(errors="ignore"))


def _character(text: str, dice: random.Random) -> str:
    """Something that is rare in source is put in, or a few characters are taken out."""
    i = dice.randrange(len(text) + 1)
    if dice.random() < 0.6:
        return text[:i] + dice.choice(_NASTY) + text[i:]
    return text[:i] + text[i + dice.randrange(1, 12) :]


def _spliced(text: str, dice: random.Random, others: list[str]) -> str:
    """Lines of another text are put in."""
    lines, lent = text.splitlines(keepends=True), dice.choice(others).splitlines(keepends=True)
    start = dice.randrange(len(lent) + 1)
    i = dice.randrange(len(lines) + 1)
    return "".join(lines[:i] + lent[start : start + dice.randrange(1, 8)] + lines[i:])


_MUTATIONS: list[Mutation | None] = [
    _line,
    _word,
    _word,
    _word,
    _expression,
    _expression,
    _expression,
    _character,
    None,
]
"""None stands for ``_spliced``, which needs other texts."""
