"""What losses are really made of, as templates: whole terms, values of unusual shapes, and statements.

A hole ``<domain shape>`` is filled by an expression; ``F`` is the shape of the predictions, ``S`` that without its last
axis, ``B`` the batch alone, ``.`` a scalar and ``=`` the shape that is asked for. ``<labels>`` is the one-hot or soft
labels. ``$a = ...; ...`` assigns a variable first. ``rank 2-3`` in front asks for predictions with so many axes,
``three`` for three channels, ``classes`` for whole labels, ``same`` for labels that are shaped like the predictions.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Idiom(NamedTuple):
    """``needs`` holds the words in front; ``gives`` the code of the result's shape, or the extents themselves."""

    gives: str
    domain: str
    needs: tuple[str, ...]
    text: str


_ROW = re.compile(r"(?P<gives>\S+) (?P<domain>real|positive|unit)(?P<needs>(?: [\w-]+)*): (?P<text>.+)")


def table(text: str) -> list[Idiom]:
    """One idiom a line."""
    rows = []
    for line in text.strip().splitlines():
        found = _ROW.fullmatch(line.strip())
        assert found, line
        rows.append(Idiom(found["gives"], found["domain"], tuple(found["needs"].split()), found["text"]))
    return rows


TERMS = table("""
. real: tf.reduce_sum(<real F>) / tf.cast(tf.shape(y_pred)[0], tf.float32)
. real: tf.reduce_sum(<real F>) / tf.cast(tf.size(y_pred), tf.float32)
. real: K.sum(<real B>) / K.cast(K.shape(y_pred)[0], K.floatx())
. real: ops.sum(<real F>) / ops.cast(ops.shape(y_pred)[0], "float32")
. real: tf.reduce_mean(<real .> / tf.cast(tf.shape(y_pred)[0], tf.float32))
. real: tf.math.log(1.0 + tf.reduce_sum(<positive F>)) / tf.cast(tf.shape(y_pred)[0], tf.float32)
. positive: $a = <positive F>; tf.reduce_sum($a) / (tf.reduce_sum(<labels>) + 1e-7)
. positive: $m = tf.cast(<labels> > 0.5, tf.float32); tf.reduce_sum(<positive F> * $m) / tf.maximum(tf.reduce_sum($m), 1.0)
. real: $m = tf.cast(tf.not_equal(<labels>, 0.0), tf.float32); tf.reduce_mean(<real F> * $m)
. real: $m = tf.cast(<labels> > 0.5, tf.float32); tf.math.divide_no_nan(tf.reduce_sum(<real F> * $m), tf.reduce_sum($m))
. unit: $a = <unit F>; 1.0 - (2.0 * tf.reduce_sum(<labels> * $a) + 1.0) / (tf.reduce_sum(<labels>) + tf.reduce_sum($a) + 1.0)
S unit rank 2-4: $a = <unit F>; $i = tf.reduce_sum(<labels> * $a, axis=-1); 1.0 - 2.0 * $i / (tf.reduce_sum(<labels> + $a, axis=-1) + 1e-6)
. real: $a = <unit F>; tf.reduce_sum(<labels> * $a) / tf.reduce_sum(<labels> + $a - <labels> * $a + 1e-6)
F positive: -(<labels> * tf.math.log(<unit F> + 1e-7) + (1.0 - <labels>) * tf.math.log(1.0 - <unit F> + 1e-7))
F positive: $p = K.clip(<unit F>, K.epsilon(), 1.0 - K.epsilon()); -<labels> * K.log($p) - (1.0 - <labels>) * K.log(1.0 - $p)
F positive: $p = tf.clip_by_value(<unit F>, 1e-7, 1.0 - 1e-7); -tf.pow(1.0 - $p, 2.0) * tf.math.log($p) * <labels>
F positive: $d = tf.abs(<labels> - <real F>); tf.where($d < 1.0, 0.5 * tf.square($d), $d - 0.5)
F real: $d = <labels> - <real F>; tf.maximum(0.9 * $d, -0.1 * $d)
F positive: tf.nn.sigmoid_cross_entropy_with_logits(labels=<labels>, logits=<real F>)
S positive rank 2-4: tf.nn.softmax_cross_entropy_with_logits(labels=<labels>, logits=<real F>)
S positive rank 2-4: keras.losses.mean_squared_error(<labels>, <real F>)
S positive rank 2-4: keras.losses.mean_absolute_error(<labels>, <real F>)
S positive rank 2-4: keras.losses.binary_crossentropy(<labels>, <unit F>)
S positive rank 2-4: keras.losses.categorical_crossentropy(<labels>, <unit F>)
S positive rank 2-4: K.categorical_crossentropy(<labels>, <unit F>)
S positive rank 2-4: keras.losses.kl_divergence(<labels>, <unit F>)
S real rank 2-4: keras.losses.cosine_similarity(<labels>, <real F>, axis=-1)
S positive rank 2-4: keras.losses.huber(<labels>, <real F>)
S positive rank 2-4: keras.losses.log_cosh(<labels>, <real F>)
S positive rank 2-4 classes: keras.losses.sparse_categorical_crossentropy(y_true, <unit F>)
S positive rank 2-4 classes: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_true, logits=<real F>)
. positive rank 2-4: keras.losses.MeanSquaredError()(<labels>, <real F>)
. positive rank 2-4: keras.losses.BinaryCrossentropy(reduction="sum")(<labels>, <unit F>)
S positive rank 2-4: keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")(<labels>, <real F>)
S real rank 2-4: tf.reduce_sum(tf.math.l2_normalize(<labels>, axis=-1) * tf.math.l2_normalize(<real F>, axis=-1), axis=-1)
F real: $m = <real F>; ($m - tf.reduce_mean($m, axis=0)) / (tf.math.reduce_std($m, axis=0) + 1e-3)
F real: $m = <real F>; $m - tf.reduce_max($m, axis=-1, keepdims=True)
. real: $a = <real F>; $b = <real F>; tf.reduce_mean(($a - tf.reduce_mean($a)) * ($b - tf.reduce_mean($b))) / (tf.math.reduce_std($a) * tf.math.reduce_std($b) + 1e-6)
S real rank 2-4: tf.cast(tf.argmax(<real F>, axis=-1), tf.float32)
F real rank 2-4: tf.one_hot(tf.argmax(<real F>, axis=-1), tf.shape(y_pred)[-1], dtype=tf.float32)
S real rank 2-4: <real F>[..., 0]
S real rank 2-4 three: $a, $b, $c = tf.unstack(<real F>, axis=-1); $a + $b * $c
. real rank 3-4: tf.reduce_max(<real F>[:, 1:] - <real F>[:, :-1])
. real rank 3-4: $x = <real F>; tf.reduce_mean(tf.abs($x[:, 1:] - $x[:, :-1]))
. real rank 4: $x = <real F>; tf.reduce_sum(tf.image.total_variation($x))
B real rank 4: tf.image.total_variation(<real F>)
F real three rank 2-4: <real F> * tf.constant([1.0, 2.0, 0.5], tf.float32)
S real classes three rank 2-4: tf.gather(tf.constant([1.0, 2.0, 0.5], tf.float32), y_true) * <real S>
F real rank 2-4: tf.concat([<real F>[..., :1], <real F>[..., 1:]], axis=-1)
F real: tf.reshape(<real F>, tf.shape(y_pred))
F real: tf.stop_gradient(<real F>) + <real F> - tf.stop_gradient(<real F>)
. real: tf.add_n([<real .>, <real .>])
= real: tf.add_n([<real =>, <real =>])
= real: tf.reduce_mean(tf.stack([<real =>, <real =>], axis=0), axis=0)
= real: tf.reduce_sum(tf.stack([<real =>, <real =>], axis=-1), axis=-1)
. real: tf.cond(<real .> > 0.0, lambda: <real .>, lambda: <real .>)
. real: tf.cond(tf.reduce_sum(<labels>) > 0.0, lambda: <real .>, lambda: 0.0)
. real: tf.while_loop(lambda i, t: i < 3, lambda i, t: (i + 1, t + <real .>), [0, tf.constant(0.0, tf.float32)])[1]
F real: tf.scan(lambda a, x: a + x, <real F>)
. real: sum(w * <real .> for w in (0.5, 1.0, 2.0))
= real: sum([w * <real => for w in [0.5, 2.0]])
= real: (lambda a, b: a * 2.0 - b)(<real =>, <real =>)
. real: tf.nn.compute_average_loss(<real B>)
. real: tf.nn.l2_loss(<real F>)
. positive: tf.sqrt(tf.reduce_mean(tf.square(<real F>)))
. positive: tf.norm(<real F>)
. real: tf.tensordot(<real B>, <real B>, 1)
. real: tf.reduce_mean(tf.einsum("i,i->i", <real B>, <real B>))
B real rank 2: tf.einsum("ij,ij->i", <real F>, <real F>)
B real rank 3: tf.einsum("btc,btc->b", <real F>, <real F>)
. real rank 2: tf.einsum("ij,kj->", <real F>, <real F>)
. real rank 2: tf.linalg.trace(tf.matmul(<real F>, <real F>, transpose_a=True))
B real: tf.map_fn(lambda row: tf.reduce_mean(tf.square(row)), <real F>)
B real: tf.vectorized_map(lambda row: tf.reduce_sum(tf.abs(row)), <real F>)
. real: tf.reduce_max(<real B>) - tf.reduce_min(<real B>)
. real: tf.reduce_mean(tf.math.top_k(<real B>, k=2).values)
. real: tf.reduce_mean(tf.sort(<real B>, direction="DESCENDING")[:2])
. real: tf.reduce_mean(tf.boolean_mask(<real B>, <real B> > 0.0))
. real: tf.reduce_sum(tf.boolean_mask(<real F>, <labels> > 0.5))
B real: tf.where(<real B> > 0.0, <real B>, tf.zeros_like(<real B>))
. real: tf.cast(tf.math.count_nonzero(<labels>), tf.float32)
. real: tf.reduce_mean(<real B>[1:] - <real B>[:-1])
B real: <real B> * tf.cast(tf.range(tf.shape(y_pred)[0]), tf.float32)
. real: <real .> / len([1, 2, 3])
= real: tf.where(tf.math.is_nan(<real =>), tf.zeros_like(<real =>), <real =>)
= real: K.stop_gradient(<real =>) * <real =>
= positive: tf.math.xlogy(<unit =>, <unit => + 0.1)
= real: tf.math.multiply_no_nan(<real =>, <real =>)
= real: tf.clip_by_norm(<real =>, 1.0)
= positive: tf.math.reduce_euclidean_norm(tf.stack([<real =>, <real =>], axis=-1), axis=-1)
""")
"""Terms of losses."""

VALUES = table("""
N real: tf.reshape(<real F>, [-1])
N real: K.flatten(<real F>)
R real rank 2-4: tf.reshape(<real F>, [tf.shape(y_pred)[0], -1])
R real rank 2-4: K.batch_flatten(<real F>)
R real rank 2-4: keras.layers.Flatten()(<real F>)
V real rank 2-4: tf.reshape(<real F>, [-1, tf.shape(y_pred)[-1]])
P real rank 2: tf.matmul(<real F>, <real F>, transpose_b=True)
P real rank 2: tf.matmul(tf.math.l2_normalize(<real F>, axis=1), tf.transpose(<real F>))
P real rank 2: tf.einsum("ic,jc->ij", <real F>, <real F>)
P real: tf.expand_dims(<real B>, 1) - tf.expand_dims(<real B>, 0)
P real: tf.tensordot(<real B>, <real B>, axes=0)
P real: <real B> - tf.reshape(<real B>, [-1, 1])
P real: tf.linalg.diag(<real B>)
P unit: tf.cast(tf.equal(tf.expand_dims(<real B>, 0), tf.expand_dims(<real B>, 1)), tf.float32)
P unit: tf.eye(tf.shape(y_pred)[0], dtype=tf.float32)
D real rank 2: tf.expand_dims(<real F>, 1) - tf.expand_dims(<real F>, 0)
G real rank 2: tf.matmul(<real F>, <real F>, transpose_a=True)
G real rank 2: tf.einsum("bi,bj->ij", <real F>, <real F>)
C real rank 2: tf.reduce_mean(<real F>, axis=0)
C real rank 2: tf.reduce_sum(<real F>, axis=0)
X real rank 2: tf.transpose(<real F>)
X real rank 2: K.transpose(<real F>)
L real rank 3: tf.transpose(<real F>, [1, 0, 2])
A real rank 3: tf.matmul(<real F>, <real F>, transpose_b=True)
Q real rank 2-4 three: tf.math.top_k(<real F>, k=2).values
Q real rank 2-4: <real F>[..., :2]
J real same: tf.concat([<labels>, <real F>], axis=0)
J real: tf.repeat(<real F>, 2, axis=0)
J real rank 2: tf.tile(<real F>, [2, 1])
M real: tf.boolean_mask(<real F>, <real B> > 0.1)
M real: <real F>[1:]
M real: <real F>[::2]
M real: tf.gather(<real F>, tf.where(<real B> > 0.1)[:, 0])
K real rank 3-4: <real F>[:, 1:]
""")
"""Values of unusual shapes."""

SHAPES = {
    "N": ("N",), "R": ("B", "R"), "V": ("V", "C'"), "P": ("B", "B"), "D": ("B", "B", "C'"), "G": ("C'", "C'"),
    "C": ("C'",), "X": ("C'", "B"), "L": ("T'", "B", "C'"), "A": ("B", "T'", "T'"),
}  # fmt: skip
"""Their extents, as far as they need telling apart; the others replace an extent of the predictions."""
