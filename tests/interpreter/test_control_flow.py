"""Branches meet, loops are followed or widened, containers behave as in Python."""

from __future__ import annotations

import pytest

from losslint.loss import Loss
from tests.traced import node, ops, traced


def _loss(body: str) -> Loss:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    return traced(f"def my_loss(y_true, y_pred, alpha, flag=True):\n{lines}\n")


def test_a_known_condition_takes_one_branch() -> None:
    assert ops(_loss("if flag:\n    x = tf.abs(y_pred)\nelse:\n    x = tf.exp(y_pred)\nreturn x")) == ["abs"]


def test_an_undecided_condition_joins_both() -> None:
    loss = _loss("if alpha > 0:\n    x = tf.abs(y_pred)\nelse:\n    x = tf.exp(y_pred)\nreturn x")
    assert node(loss, "join").inputs[0].op == "abs"
    assert node(loss, "join").inputs[1].op == "exp"


def test_two_returns_under_a_configuration_are_two_outputs() -> None:
    loss = _loss("if alpha > 0:\n    return tf.abs(y_pred)\nreturn tf.exp(y_pred)")
    assert [o.by_configuration for o in loss.outputs] == [True, False]
    assert "join" in ops(loss)


def test_a_branch_that_raises_does_not_join() -> None:
    assert ops(_loss("if alpha > 0:\n    raise ValueError\nreturn tf.abs(y_pred)")) == ["abs"]


def test_a_name_bound_in_one_branch_keeps_its_value() -> None:
    assert ops(_loss("x = tf.abs(y_pred)\nif alpha > 0:\n    x = tf.exp(x)\nreturn x")) == ["abs", "exp", "join"]


def test_a_conditional_expression_joins() -> None:
    assert "join" in ops(_loss("return tf.abs(y_pred) if alpha > 0 else tf.exp(y_pred)"))


def test_augmented_assignment_and_tuple_unpacking() -> None:
    assert ops(_loss("a, (b, c) = y_pred, (y_true, 2.0)\na -= b\na *= c\nreturn a")) == ["sub", "mul"]


def test_starred_unpacking() -> None:
    assert ops(_loss("first, *rest = [y_pred, y_true, 1.0]\nreturn first + rest[0] * rest[1]")) == ["mul", "add"]


def test_a_short_loop_is_unrolled() -> None:
    assert (
        ops(_loss("total = 0.0\nfor k in range(3):\n    total += tf.abs(y_pred) * k\nreturn total")).count("abs") == 3
    )


def test_a_loop_over_a_literal_with_enumerate_and_zip() -> None:
    loss = _loss(
        "total = 0.0\nfor i, (a, b) in enumerate(zip([1, 2], [3, 4])):\n    total += y_pred * (a + b + i)\nreturn total"
    )
    assert [n.attrs["value"] for n in loss.graph.nodes if n.op == "const"] == [4, 0.0, 7]


def test_a_loop_of_unknown_length_is_widened() -> None:
    loss = _loss("total = 0.0\nfor k in range(alpha):\n    total += tf.abs(y_pred)\nreturn total")
    assert len(node(loss, "loop").inputs) == 3


def test_a_while_loop_is_widened() -> None:
    assert "loop" in ops(
        _loss("total = y_pred\nk = 0\nwhile k < alpha:\n    total = total * 0.5\n    k += 1\nreturn total")
    )


def test_continue_joins_at_the_end_of_the_turn() -> None:
    loss = _loss(
        "total = 0.0\nfor k in range(2):\n    if alpha > k:\n        continue\n    total += y_pred\nreturn total"
    )
    assert "join" in ops(loss)


def test_comprehensions() -> None:
    assert ops(_loss("return tf.add_n([tf.abs(y_pred) * w for w in (1.0, 2.0) if w > 1.5])")).count("abs") == 1
    assert (
        ops(_loss("parts = {k: tf.exp(y_pred) for k in ['a', 'b']}\nreturn parts['a'] + parts['b']")).count("exp") == 2
    )


def test_lists_grow_and_branches_do_not_share_them() -> None:
    loss = _loss("parts = [y_pred]\nif alpha > 0:\n    parts.append(tf.exp(y_pred))\nreturn parts[0]")
    assert "exp" not in ops(loss)


def test_none_and_a_default_are_told_apart() -> None:
    loss = traced(
        "def my_loss(y_true, y_pred, w=None):\n    x = y_pred\n    if w is not None:\n        x = x * w\n    return tf.abs(x)\n"
    )
    assert ops(loss) == ["abs"]


@pytest.mark.parametrize(
    "expression", ["y_pred ** 2", "-y_pred", "y_pred // 2.0", "y_pred % 2.0", "y_pred @ y_true", "2.0 / y_pred"]
)
def test_operators_are_primitives(expression: str) -> None:
    assert len(ops(_loss(f"return {expression}"))) == 1


def test_python_numbers_fold() -> None:
    loss = _loss("n = 2 ** 3 - 1\nreturn y_pred * (n // 2)")
    assert [n.attrs["value"] for n in loss.graph.nodes if n.op == "const"] == [3]


def test_slices_keep_the_batch() -> None:
    assert str(_loss("return y_pred[:, 0]").results[0].shape).startswith("(B")
    assert str(_loss("return y_pred[..., 0]").results[0].shape) == "(B, ...)"


def test_walrus_and_chained_comparison() -> None:
    assert ops(_loss("if (x := tf.abs(y_pred)) is not None and 0 < 1 < 2:\n    return x\nreturn y_true")) == ["abs"]


def test_a_huge_power_is_not_computed() -> None:
    assert "opaque" in ops(_loss("return y_pred * 10 ** 10 ** 10"))


def test_values_that_are_huge_are_not_computed() -> None:
    source = """
        import tensorflow as tf
        def loss(y_true, y_pred):
            text, data, bits = "x" * (1 << 40), 2**40 * b"x" + b"y", 1 << 10**9
            return tf.reduce_mean(y_pred)
    """
    assert traced(source).value.shape.rank == 0  # computing them would take all memory


def test_a_list_changed_in_one_branch_is_as_before_in_the_next() -> None:
    loss = _loss(
        "parts = [y_pred]\nif alpha > 0:\n    parts.append(tf.exp(y_pred))\nelse:\n    parts.append(tf.sin(y_pred))\nreturn parts[1]"
    )
    assert sorted(ops(loss)) == ["exp", "join", "sin"]


def test_what_is_nested_is_as_before_in_the_next_branch() -> None:
    loss = _loss(
        "kept = {'a': [y_pred]}\nif alpha > 0:\n    kept['a'].append(y_true)\n    return tf.exp(kept['a'][1])\n"
        "kept['a'].append(tf.sin(y_pred))\nreturn kept['a'][1]"
    )
    assert sorted(ops(loss)) == ["exp", "join", "sin"]


def test_a_branch_inside_of_one_leaves_the_outer_one_to_be_taken_back() -> None:
    loss = _loss(
        "parts = [y_pred]\nif alpha > 0:\n    if beta > 0:\n        parts.pop()\n        parts.append(tf.exp(y_pred))\n"
        "    return parts[0]\nreturn tf.sin(parts[0])"
    )
    assert sorted(ops(loss)) == ["exp", "join", "join", "sin"]
    (sine,) = [n for n in loss.graph.nodes if n.op == "sin"]
    assert sine.inputs[0].op == "source", "what the inner branch put there is not seen outside of the outer one"


def test_a_list_that_a_branch_of_a_helper_adds_to_is_that_of_the_caller() -> None:
    loss = traced(
        """
        def add(parts, term, weight):
            if weight is not None:
                parts.append(weight * term)

        def loss(y_true, y_pred, w=0.5):
            parts = []
            add(parts, tf.exp(y_pred), w)
            return tf.add_n(parts)
        """,
        "loss",
    )
    assert "exp" in ops(loss)


def test_a_number_is_not_the_condition_of_a_branch_whose_own_is_unknown() -> None:
    loss = _loss(
        "branches = {alpha: lambda: y_true, 1: lambda: tf.exp(y_true)}\n"
        "return tf.switch_case(2, branches, default=lambda: y_pred)"
    )
    assert sorted(ops(loss)) == ["exp", "join", "join"], "any of them may be meant"
