"""A few lines that ask for endless work: the analysis ends, by itself or with an LL004 that says why.

Work is counted, in steps: a time would say how busy the machine is.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from losslint import budget, session
from losslint.discovery import Target
from losslint.engine import Failure, lint_module
from losslint.frontend import module
from losslint.frontend.module import Module
from losslint.frontend.project import Project
from losslint.interpreter import core, limits
from losslint.ops import witness
from losslint.options import Options
from losslint.settings import Settings
from losslint.sources import Source
from tests.traced import every

LOSS = """
import functools
import itertools
import operator
import tensorflow as tf
{before}

def my_loss(y_true, y_pred):
    x = y_pred
{body}
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
"""


def analysed(body: str, before: str = "", options: Options | None = None) -> list[Failure]:
    source = LOSS.format(body=textwrap.indent(body, "    "), before=before)
    return lint_module(Module("losses.py", source), Project(), options or Options())[1]


def fan(width: int, head: str) -> str:
    """Functions that each call the one before several times: as many calls as there are leaves."""
    calls = (f"{head.format(i)}{' + '.join([f'f{i - 1}(x)'] * width)}\n" for i in range(1, 10))
    return "f0 = tf.abs\n" + "".join(calls)


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("x = [[[[tf.abs(y_pred) for a in range(60)] for b in range(60)] for c in range(60)] for d in range(60)]", ""),
        ("x = [a for a in range(60) for b in range(60) for c in range(60) for d in range(60)]", ""),
        ("x = {(a, b, c): d for a in range(60) for b in range(60) for c in range(60) for d in range(60)}", ""),
        (
            "for a in range(24):\n  for b in range(24):\n    for c in range(24):\n      for d in range(24):\n        x = x",
            "",
        ),
        ("x = f9(x)", fan(6, "def f{}(x):\n    return ")),
        ("for i in range(24):\n  for j in range(24):\n    x = sum([y_pred] * 9999)", ""),
        ("x = list(map(lambda a: [a for b in range(60)], range(9999)))", ""),
    ],
    ids=["nested", "flat", "dict", "for", "calls", "operations", "map"],
)
def test_work_is_bounded(body: str, before: str) -> None:
    failures = analysed(body, before)
    assert [(f.function, f.reason) for f in failures] == [("my_loss", f"more than {core.MAX_STEPS} steps")]


def again(value: str) -> str:
    """``x = value``, forty times."""
    return "\n".join([f"x = {value}"] * 40)


@pytest.mark.parametrize(
    "body",
    [
        f"x = [x]\n{again('[x, x]')}\nz = tf.stack(x)",
        f"x = [1.0]\n{again('[x, x]')}\nz = y_pred + x",
        f"x = (x,)\n{again('(x, x)')}\nif y_true > 0:\n    x = y_true",
        f"x = {{'a': x}}\n{again('dict(a=x, b=x)')}\nz = f(x)",
        f"x = {{'a': x}}\n{again('{1: x, 0: x}')}\nz = tf.nest.map_structure(tf.abs, x)",
        "x = [x]\n" + "\n".join(f"if y_true > {i}:\n    x = [x, x]" for i in range(40)),
        f"x = (x, 1) + 3\n{again('x + x')}",
        f"x = [x]\n{again('x + x')}",
        f"x = [x]\n{again('x * 2')}",
        f"x = [x]\n{again('[x for i in range(60)]')}",
        f"x = 'a'\n{again('x + x')}",
        f"x = 'a' * 999\n{again('x.replace(chr(97), x)')}\n{again('x.join([x, x])')}",
        f"x = 10\n{again('x * x')}",
        f"x = 10\n{again('x ** 999')}\n{again('pow(x, 999)')}\n{again('x << 9999')}",
        "x = operator.pow(10, 10 ** 9)\nx = pow(10, 10 ** 9)\nx = '%2000000000d' % 1\nx = '%*d' % (10 ** 9, 1)",
        "x = list(itertools.product(range(9999), repeat=9))\nx = list(itertools.permutations(range(9999), 9))",
    ],
    ids=range(16),
)
def test_values_are_bounded(body: str) -> None:
    """Whatever doubles each time stays as small as it has to be for somebody to walk over it."""
    assert analysed(body) == []


@pytest.mark.parametrize("grows", ["x += x", "x.extend(x)", "x.append(list(x)); x.extend(x)"])
def test_containers_that_grow_in_place_end_the_analysis(grows: str) -> None:
    failures = analysed(f"x = [1]\nfor i in range(24):\n    {grows}")
    assert [f.reason for f in failures] == [f"a container of more than {limits.HUGE} values"]


def test_dicts_that_grow_in_place_end_the_analysis() -> None:
    failures = analysed("x = {}\nfor i in range(24):\n    x.update(a=dict(x), b=dict(x))")
    assert [f.reason for f in failures] == [f"a container of more than {limits.HUGE} values"]


def test_a_large_table_is_no_reason_to_give_up() -> None:
    assert analysed(f"x = tf.constant({[1.0] * 12_000})") == []


# -- the budget of a file ----------------------------------------------------------------------------------------------

SLOW = "\ndef loss_{}(y_true, y_pred):\n    for i in range(24):\n        for j in range(24):\n            x = i\n    return tf.reduce_sum(y_true - y_pred)\n"
MANY = "import tensorflow as tf\n" + "".join(map(SLOW.format, range(8)))


def linted(text: str, **settings: Any) -> session.Report:
    path = Path("many.py").resolve()
    return session.Analyst().report_on(Target("many.py", path, Settings(**settings)), Source("many.py", text))


def test_a_file_has_a_budget_and_what_was_found_before_stays() -> None:
    whole = linted(MANY)
    assert whole.whole and {f.function for f in whole.findings} >= {f"loss_{i}" for i in range(8)}
    part = linted(MANY, file_steps=3_000)
    told = [f for f in part.findings if f.code == "LL004"]
    assert len(told) == 1 and not part.whole
    assert "more than 3000 steps (file-steps)" in told[0].message and "after loss_" in told[0].message
    rest = [f for f in part.findings if f.code != "LL004"]
    assert 0 < len(rest) < len(whole.findings) and set(map(str, rest)) <= set(map(str, whole.findings))
    assert part.findings == linted(MANY, file_steps=3_000).findings, "it is the same everywhere"
    assert linted(MANY, file_steps=0).findings == whole.findings


def test_a_budget_that_is_too_small_for_anything_says_so() -> None:
    (told,) = [f for f in linted(MANY, file_steps=1).findings if f.code == "LL004"]
    assert "in its first function" in told.message


def test_an_engine_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort: here, an engine that catches every Exception and goes on."""

    def hangs(source: Source, *_: object) -> Any:
        if "hangs" not in source.text:
            return plain(source, *_)
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))

    plain = session.lint_source
    monkeypatch.setattr(session, "lint_source", hangs)
    analyst = session.Analyst()
    before = analyst.project
    target = Target("many.py", Path("many.py").resolve(), Settings(file_seconds=0.2))
    (told,) = analyst.report_on(target, Source("many.py", MANY + "# hangs\n")).findings
    assert told.code == "LL004" and "more than 0.2 seconds (file-seconds)" in told.message
    assert analyst.project is not before, "what it had read may be broken"
    after = analyst.report_on(Target("many.py", target.path, Settings()), Source("many.py", MANY))
    assert after.whole and after.findings == linted(MANY).findings


def test_nobody_is_stopped_in_time() -> None:
    """Once the block is left, the clock that may have rung at any moment of leaving is silent."""
    for pause in range(100):
        with contextlib.suppress(budget.OutOfTime), budget.seconds(0.001):
            end = time.perf_counter() + pause / 50_000
            while time.perf_counter() < end:
                pass
        for _ in range(50):
            sum(range(100))


def test_the_clock_rings_again_where_it_was_not_heard() -> None:
    heard = 0
    with pytest.raises(budget.OutOfTime), budget.seconds(0.05):
        while True:
            try:
                sum(range(1000))
            except budget.OutOfTime:
                heard += 1
                if heard == 2:
                    raise


# -- what is not counted in steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        f"x = y_pred * {10**400}",
        f"x = y_pred + 10 ** 400 - tf.constant([{10**400}, 1])",
        "x = tf.reshape(y_pred, [1] * 9000)\nx = tf.reduce_sum(x, axis=list(range(9000)))",
    ],
    ids=["number", "numbers", "axes"],
)
def test_what_no_tensor_can_be_is_unknown(body: str) -> None:
    assert analysed(body + "\ny_pred = y_pred + 0. * x") == []


def test_questions_about_a_large_loss_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "_WALKED", 2_000)
    deep = "x = y_pred\n" + "".join("  " * d + f"while x > {d}:\n" for d in range(7)) + "  " * 7 + "x = tf.sqrt(x)"
    failures = analysed(deep + "\ny_pred = x")
    assert [f.reason for f in failures] == ["too many operations that each depend on too many"]


def test_a_statement_that_is_too_long_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", 2_000)
    assert analysed("x = 1", before=f"TABLE = {[1.0] * 1_000}") == []
    failures = analysed("y_pred = y_pred * TABLE", before=f"TABLE = {[1.0] * 1_000}")
    assert [f.reason for f in failures] == ["a statement of more than 2000 characters"]


def test_each_loss_costs_something() -> None:
    part = linted("import tensorflow as tf\n" + "def loss(y_true, y_pred):\n    return y_pred\n" * 8, file_steps=1_000)
    assert any(f.code == "LL004" and "more than 1000 steps" in f.message for f in part.findings)


def test_what_comes_after_a_time_limit_ends_under_a_debugger_too() -> None:
    """A signal that was taken back instead of heard made CPython 3.11 look for it for ever, where it traces."""
    program = """
        import contextlib, sys
        from losslint import budget


        def later():
            return "ended"


        sys.settrace(lambda *event: None)
        with contextlib.suppress(budget.OutOfTime), budget.seconds(0.2):
            while True:
                with contextlib.suppress(Exception):
                    sum(range(1000))
        for _ in range(100):
            said = later()
        print(said)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "ended\n"


def test_of_a_loop_that_is_unrolled_two_turns_are_looked_at() -> None:
    found = every(
        """
        def train_step(model, optimizer, x, y):
            variables = model.trainable_variables
            for turn in range(5):
                with tf.GradientTape(persistent=True) as tape:
                    error = tf.reduce_mean(tf.square(y - model(x)))
                    total = tf.reduce_sum(tf.square(y - model(x)))
                optimizer.apply_gradients(zip(tape.gradient(error, variables), variables))
                optimizer.apply_gradients(zip(tape.gradient(total, variables), variables))
                x = x + 1.0
        """
    )
    assert [loss.results[0].op for loss in found] == ["mean", "sum"] * 2
