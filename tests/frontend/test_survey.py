import ast
from pathlib import Path

import pytest

from losslint.frontend.survey import summands, survey
from tests.rule_pages import ROOT

SOURCE = """
import tensorflow as tf
from keras import losses

@decorated(optimizer.minimize(x))
def outer(y=tape.gradient(a, b)):
    def inner():
        return 1
    class Local(Base):
        value = model.add_loss(z)
    first, second = inner()
    return

async def step():
    with tf.GradientTape() as tape:
        [tape.gradient(v, w) for v in loss()[0]]

model.compile(loss={"a": losses.mse, "b": make(0.5)}, metrics=[hits])
"""


def names(nodes: set[ast.AST]) -> set[str]:
    return {getattr(node, "name", "<module>") for node in nodes}


def test_what_a_body_does_belongs_to_the_innermost_function() -> None:
    found = survey(ast.parse(SOURCE))
    assert names(found.returning) == {"inner"}
    assert names(found.consuming) == {"step", "Local"}
    assert names(survey(ast.parse("optimizer.minimize(cost)")).consuming) == {"<module>"}
    assert not survey(ast.parse("minimize(cost)")).consuming


def test_imports_and_calls() -> None:
    found = survey(ast.parse(SOURCE))
    assert found.imports == {"tensorflow", "keras"}
    evidence = found.evidence
    assert (evidence.compiled, evidence.metrics) == ({"mse", "make"}, {"hits"})
    assert evidence.unpacked == {"inner", "loss"} and evidence.tape
    assert evidence.lineage("Local") == ["Base"]


@pytest.mark.parametrize(
    ("source", "weighted", "strategy"),
    [
        ("model.fit(x, y, sample_weight=w)", True, False),
        ("model.predict(x, sample_weight=w)", False, False),
        ("Embedding(5, mask_zero=True)", True, False),
        ("Masking()", True, False),
        ("tf.distribute.MirroredStrategy()", True, True),
    ],
)
def test_weights_and_strategies(source: str, weighted: bool, strategy: bool) -> None:
    evidence = survey(ast.parse(source)).evidence
    assert (evidence.weighted, evidence.strategy) == (weighted, strategy)


@pytest.mark.parametrize("path", sorted((ROOT / "losslint").rglob("*.py")), ids=lambda path: path.stem)
def test_every_call_is_met(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        c.func.attr if isinstance(c.func, ast.Attribute) else getattr(c.func, "id", "")
        for c in ast.walk(tree)
        if isinstance(c, ast.Call)
    }
    assert survey(tree).evidence.called == called


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("f(x)", ["f(x)"]),
        ("f(x) + 0.5 * g(x)", ["f(x)", "0.5", "g(x)"]),
        ("-f(x) - (+g(x))", ["f(x)", "g(x)"]),
        ("[f(x), -g(x)]", ["f(x)", "g(x)"]),
        ("(f(x), [g(x)])", ["f(x)", "g(x)"]),
        (" + ".join(["f(x)"] * 500), ["f(x)"] * 500),
    ],
)
def test_what_is_added_up(value: str, parts: list[str]) -> None:
    assert [ast.unparse(part) for part in summands(ast.parse(value, mode="eval").body)] == parts


@pytest.mark.parametrize(
    ("source", "eager"),
    [
        ("model.run_eagerly = True", True),
        ("model.run_eagerly = False", False),
        ("model.run_eagerly = DEBUG", True),
        ("run = model.run_eagerly", False),
        ("model.compile('adam', run_eagerly=True)", True),
    ],
)
def test_models_that_run_eagerly(source: str, eager: bool) -> None:
    assert survey(ast.parse(source)).evidence.eager is eager
