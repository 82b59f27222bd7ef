"""What losses are made of beside formulas: control flow, methods and settings, functions that take functions, indexing.

Templates as in ``idioms``. ``ALPHA`` is a setting and ``BASE`` a loss object: module constants, variables around a
factory's product, or attributes of a class, as the program has it.
"""

from __future__ import annotations

from tests.programs.idioms import table

TERMS = table("""
= real: ALPHA * <real =>
= real: <real => if ALPHA > 0.0 else <real =>
= real: ALPHA * <real => + (1.0 - ALPHA) * <real =>
F positive: tf.pow(<unit F>, ALPHA) * <labels>
. real rank 2-4: BASE(<labels>, <real F>)
. real rank 2-4: BASE(<labels>, <real F>) + ALPHA * tf.reduce_mean(<real F>)
= real: tf.case([(tf.reduce_mean(<real F>) > 0.5, lambda: <real =>)], default=lambda: <real =>)
. real: tf.switch_case(tf.constant(1), [lambda: <real .>, lambda: <real .>])
. real: tf.while_loop(lambda i, t: i < tf.shape(y_pred)[0], lambda i, t: (i + 1, t + tf.reduce_mean(<real F>[i])), [0, tf.constant(0.0, tf.float32)])[1]
= real: [<real =>, <real =>][-1]
= real: {"a": <real =>, "b": <real =>}["a"]
= real: (lambda f: f(<real =>))(tf.square)
= real: powers(<real =>, 3)
= real: either(<real =>, <real =>, flag=False)
. real: over_rows(<real F>)
. real: gathered([<real .>, <real .>])
. real: graph_sum(<real F>)
. real: Weighted(0.5)(<real F>)
= real: -<real => if False else <real =>
S real rank 2 classes: ops.squeeze(ops.take_along_axis(<real F>, ops.expand_dims(y_true, -1), axis=-1), -1)
B real rank 2: ops.einsum("bc,bc->b", <real F>, <real F>)
A real rank 3: ops.matmul(<real F>, ops.transpose(<real F>, (0, 2, 1)))
F real: tf.tensor_scatter_nd_update(<real F>, [[0]], tf.zeros_like(y_pred)[:1])
. real rank 2: tf.reduce_sum(tf.math.unsorted_segment_sum(<real F>, tf.zeros_like(tf.argmax(y_pred, axis=-1)), 2))
F real rank 2-4: tf.pad(<real F>, [[0, 0]] * (len(y_pred.shape) - 1) + [[0, 0]])
F real: tf.where(tf.math.is_finite(<real F>), <real F>, 0.0)
= real: ops.where(<real => > 0.1, <real =>, ops.zeros_like(<real =>))
= real: ops.cond(ALPHA > 0.0, lambda: <real =>, lambda: <real =>)
= real: tf.grad_pass_through(tf.round)(<real =>)
= real: tf.recompute_grad(tf.sin)(<real =>)
F real: ops.vectorized_map(lambda row: row * 2.0, <real F>)
S real rank 3: tf.reduce_sum(tf.linalg.diag_part(tf.matmul(<real F>, <real F>, transpose_b=True))[..., None] * 0.0 + <real F>, axis=-1)
. real rank 4: tf.reduce_mean(tf.image.sobel_edges(<real F>))
B real rank 4: tf.reduce_mean(tf.square(tf.image.flip_left_right(<real F>) - <real F>), axis=[1, 2, 3])
B real rank 4: tf.reduce_sum(tf.image.image_gradients(<real F>)[0], axis=[1, 2, 3])
""")

HELPERS = {
    "powers": """\
def powers(x, count):
    total = tf.zeros_like(x)
    for k in range(1, count + 1):
        if k == 2:
            continue
        total = total + x**k / k
    return total
""",
    "either": """\
def either(x, y, flag=True):
    if flag:
        return x
    return 0.5 * y
""",
    "over_rows": """\
def over_rows(x):
    def row(z):
        return tf.reduce_max(z) - 0.5 * tf.reduce_mean(z)
    return tf.reduce_mean(tf.map_fn(row, x))
""",
    "gathered": """\
def gathered(terms, weights=(1.0, 0.5)):
    parts = []
    for term, weight in zip(terms, weights):
        parts.append(weight * term)
    return tf.add_n(parts)
""",
    "graph_sum": """\
@tf.function
def graph_sum(x):
    total = tf.constant(0.0, x.dtype)
    for i in tf.range(3):
        total += tf.reduce_mean(x) / 3.0
    return total
""",
    "Weighted": """\
class Weighted:
    def __init__(self, weight):
        self.weight = weight
    def __call__(self, x):
        return self.weight * self.reduced(x)
    def reduced(self, x):
        return tf.reduce_mean(tf.abs(x))
""",
}
"""Functions and classes at module level, by name."""
