"""More of what losses are made of: the backend's and ``keras.ops``' spellings, built-in losses, helpers, whole recipes.

Templates as in ``idioms``; ``HELPERS`` stand at module level where a program calls them.
"""

from __future__ import annotations

from tests.programs.idioms import table

TERMS = table("""
S positive rank 2-4: -tf.math.log(tf.reduce_sum(<labels> * <unit F>, axis=-1) + 1e-7)
S positive rank 2-4: $z = <real F>; tf.reduce_logsumexp($z, axis=-1) - tf.reduce_sum(<labels> * $z, axis=-1)
S real rank 2-4: -tf.reduce_sum(<labels> * tf.nn.log_softmax(<real F>, axis=-1), axis=-1)
S positive rank 2-4: $p = ops.softmax(<real F>, axis=-1); -ops.sum(<labels> * ops.log(ops.clip($p, 1e-7, 1.0)), axis=-1)
S positive rank 2-4: $p = K.softmax(<real F>); K.sum(K.square($p - <labels>), axis=-1)
F real rank 2-4: $e = tf.exp(<real F>); $e / tf.reduce_sum($e, axis=-1, keepdims=True)
F unit rank 2-4: $a = <positive F>; $a / (K.sum($a, axis=-1, keepdims=True) + K.epsilon())
F unit rank 2-4: $p = <unit F>; K.clip($p / K.sum($p, axis=-1, keepdims=True), K.epsilon(), 1.0 - K.epsilon())
F positive: $p = tf.sigmoid(<real F>); $t = tf.where(<labels> > 0.5, $p, 1.0 - $p); -tf.pow(1.0 - $t, 2.0) * tf.math.log($t + 1e-7)
F positive: $z = <real F>; tf.nn.relu($z) - $z * <labels> + tf.math.log1p(tf.exp(-tf.abs($z)))
F positive: tf.nn.weighted_cross_entropy_with_logits(labels=<labels>, logits=<real F>, pos_weight=2.0)
F positive: $d = <real F> - <labels>; $d + tf.nn.softplus(-2.0 * $d) - 0.6931472
F positive: tf.sqrt(tf.square(<real F>) + 1e-6)
F positive: ops.where(ops.abs(<real F>) < 0.5, ops.square(<labels>), ops.abs(<real F>))
F real: <real F> * K.cast(K.greater(<labels>, 0.5), K.floatx())
F real: $w = 1.0 + 2.0 * <labels>; $w * <real F>
F positive: K.square(K.maximum(0.0, 1.0 - <real F>)) * <labels> + (1.0 - <labels>) * K.square(<real F>)
S positive rank 2-4: keras.losses.hinge(<labels>, <real F>)
S positive rank 2-4: keras.losses.squared_hinge(<labels>, <real F>)
S positive rank 2-4: keras.losses.categorical_hinge(<labels>, <real F>)
S real rank 2-4: keras.losses.poisson(<labels>, <positive F>)
S positive rank 2-4: keras.losses.mean_squared_logarithmic_error(<labels>, <positive F>)
S positive rank 2-4: keras.losses.mean_absolute_percentage_error(<labels> + 1.0, <real F>)
S positive rank 2-4: keras.losses.binary_focal_crossentropy(<labels>, <unit F>, gamma=2.0)
S positive rank 2-4: keras.losses.categorical_crossentropy(<labels>, <real F>, from_logits=True, label_smoothing=0.1)
. real rank 2-4: keras.losses.Huber(delta=2.0)(<labels>, <real F>)
. real rank 2-4: keras.losses.CosineSimilarity(axis=-1)(<labels>, <real F>)
S real rank 2-4: keras.losses.CosineSimilarity(axis=-1, reduction="none")(<labels>, <real F>)
. real rank 2-4: keras.losses.KLDivergence()(<labels>, <unit F>)
. real rank 2-4: keras.losses.CategoricalCrossentropy(from_logits=True, reduction="sum")(<labels>, <real F>)
. unit: soft_dice(<labels>, <unit F>)
. unit: 1.0 - soft_dice(<labels>, <unit F>, smooth=1e-6)
. real: masked_mean(<real F>, <labels>)
F positive: smooth_l1(<labels> - <real F>)
S positive rank 2-4: squared_norm(<real F>)
. real: spread_of(<real F>)
. real: mean_of_all(<real F>)
P real rank 2: similarities(<real F>)
. real rank 2: $s = similarities(<real F>); tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.range(tf.shape($s)[0]), logits=$s / 0.5))
. real rank 2: $s = similarities(<real F>); tf.reduce_sum(tf.linalg.diag_part($s)) / tf.cast(tf.shape(y_pred)[0], tf.float32)
. real rank 2: $s = similarities(<real F>); tf.reduce_mean(tf.square($s - tf.eye(tf.shape(y_pred)[0], dtype=tf.float32)))
. real rank 2: $x = <real F>; $d = tf.reduce_sum(tf.square(tf.expand_dims($x, 1) - tf.expand_dims($x, 0)), axis=-1); tf.reduce_mean(tf.sqrt($d + 1e-6))
. real rank 2: $x = <real F>; $c = $x - tf.reduce_mean($x, axis=0, keepdims=True); tf.reduce_sum(tf.square(tf.matmul($c, $c, transpose_a=True) / tf.cast(tf.shape(y_pred)[0], tf.float32)))
B positive: tf.maximum(<real B> - <real B> + 0.2, 0.0)
S real rank 2 classes: tf.gather(<real F>, y_true, axis=1, batch_dims=1)
S real rank 3 classes: tf.gather(<real F>, y_true, axis=2, batch_dims=2)
S real rank 2 classes: tf.gather_nd(<real F>, tf.stack([tf.range(tf.shape(y_pred)[0]), y_true], axis=1))
S real rank 2-4: tf.norm(<real F>, axis=-1)
S real rank 2-4: tf.norm(<real F>, ord=1, axis=-1)
S positive rank 2-4: tf.linalg.norm(<real F> - <labels> + 0.01, axis=-1)
F real rank 2-4: $x = <real F>; $x / tf.norm($x + 0.1, axis=-1, keepdims=True)
S positive rank 2-4: tf.reduce_mean(tf.square(tf.cumsum(<labels>, axis=-1) - tf.cumsum(tf.nn.softmax(<real F>), axis=-1)), axis=-1)
S positive rank 2-4: ops.mean(ops.square(ops.cumsum(<labels>, axis=-1) - ops.cumsum(<unit F>, axis=-1)), axis=-1)
S real rank 2-4: tf.reduce_max(<real F> * (1.0 - <labels>), axis=-1) - tf.reduce_sum(<real F> * <labels>, axis=-1)
S real rank 2-4: K.max(<real F>, axis=-1) - K.min(<real F>, axis=-1)
S unit rank 2-4: K.cast(K.equal(K.argmax(<labels>, axis=-1), K.argmax(<real F>, axis=-1)), K.floatx())
S real rank 2-4: ops.logsumexp(<real F>, axis=-1)
F real rank 2-4: K.l2_normalize(<real F>, axis=-1)
F real rank 2-4: <real F> - K.mean(<real F>, axis=-1, keepdims=True)
F real rank 2-4: (<real F> - ops.mean(<real F>, axis=0, keepdims=True)) / ops.sqrt(ops.var(<real F>, axis=0, keepdims=True) + 1e-3)
F real rank 2-4 three: K.concatenate([<real F>[..., 1:], <real F>[..., :1]], axis=-1)
F real rank 2-4 three: tf.stack(tf.unstack(<real F>, axis=-1), axis=-1)
S real rank 2-4 three: tf.squeeze(tf.split(<real F>, 3, axis=-1)[1], axis=-1)
. real rank 2-4 three: $p = <unit F>; sum(soft_dice(<labels>[..., i], $p[..., i]) for i in range(3)) / 3.0
. real rank 2-4 three: $p = <unit F>; tf.reduce_mean(tf.stack([tf.reduce_sum($p[..., i] * w) for i, w in enumerate([1.0, 0.5, 2.0])]))
S real rank 2-4 three: ops.sum(<real F> * ops.convert_to_tensor([0.2, 0.3, 0.5], dtype="float32"), axis=-1)
B real rank 3-4: tf.reduce_mean(tf.reshape(<real F>, [tf.shape(y_pred)[0], -1]), axis=-1)
B real rank 2-4: K.mean(K.batch_flatten(<real F>), axis=-1)
B real rank 4: tf.reduce_sum(<real F>, axis=[1, 2, 3])
B real rank 4: K.sum(K.square(<real F>), axis=(1, 2, 3))
S real rank 4: tf.reduce_sum(tf.square(<real F>), axis=3)
. positive rank 4: $x = <real F>; tf.reduce_mean(tf.abs($x[:, 1:, :, :] - $x[:, :-1, :, :])) + tf.reduce_mean(tf.abs($x[:, :, 1:, :] - $x[:, :, :-1, :]))
. real rank 4: tf.reduce_mean(tf.nn.avg_pool2d(<real F>, 2, 1, "SAME"))
F real rank 4: tf.nn.max_pool2d(<real F>, 3, 1, "SAME")
S real rank 3: $m = tf.cast(tf.sequence_mask(tf.ones_like(y_pred[:, 0, 0], tf.int32), tf.shape(y_pred)[1]), tf.float32); <real S> * $m
. real rank 3: $m = tf.cast(tf.reduce_sum(<labels>, axis=-1) > 0.5, tf.float32); tf.reduce_sum(<real S> * $m) / (tf.reduce_sum($m) + 1e-7)
. real: tf.reduce_sum(<positive F>) / tf.maximum(tf.cast(tf.math.count_nonzero(<labels> > 0.5), tf.float32), 1.0)
. real: $a, $b = tf.nn.moments(<real F>, axes=[0]); tf.reduce_mean($b) + tf.reduce_mean(tf.square($a))
B real: tf.map_fn(lambda z: tf.reduce_sum(z[0] * z[1]), (<real F>, <real F>), fn_output_signature=tf.float32)
B real: tf.map_fn(lambda row: tf.reduce_max(row) - tf.reduce_mean(row), <real F>)
B real: tf.vectorized_map(lambda z: tf.reduce_mean(tf.abs(z[0] - z[1])), (<real F>, <real F>))
. real: tf.foldl(lambda total, row: total + tf.reduce_mean(row), <real F>, initializer=tf.constant(0.0, tf.float32))
. real: tf.cond(tf.reduce_any(<labels> > 0.5), lambda: tf.reduce_mean(<real F>), lambda: tf.reduce_mean(<real B>))
. real: tf.cond(tf.shape(y_pred)[0] > 1, lambda: <real .>, lambda: 0.0)
. real: tf.where(<real .> > 0.0, <real .>, 0.0)
= real: tf.where(tf.abs(<real =>) > 0.5, <real =>, 0.1 * <real =>)
= real: K.switch(K.greater(<real =>, 0.0), <real =>, K.zeros_like(<real =>))
= positive: $d = <real =>; tf.where(tf.abs($d) <= 1.0, 0.5 * tf.square($d), tf.abs($d) - 0.5)
= positive: $x = <positive =>; tf.where($x > 0.0, tf.sqrt(tf.where($x > 0.0, $x, tf.ones_like($x))), tf.zeros_like($x))
= positive: tf.where(<positive => > 0.1, tf.math.log(<positive => + 1.0), <positive =>)
= real: ops.maximum(<real =>, 0.0) - ops.minimum(<real =>, 0.0) * 0.5
= real: tf.math.reciprocal_no_nan(<real =>)
= real: tf.math.divide_no_nan(<real =>, <real =>)
= positive: ops.log1p(ops.exp(<real =>))
= positive: ops.power(ops.abs(<real =>) + 0.1, 1.5)
= real: tf.math.softsign(<real =>)
= real: tf.nn.swish(<real =>)
= real: tf.nn.gelu(<real =>)
= real: tf.math.atan(<real =>)
= unit: tf.clip_by_value(0.5 * <real => + 0.5, 0.0, 1.0)
= unit: tf.math.erf(<positive =>)
. real: tf.reduce_sum(<real B> * tf.nn.softmax(<real B>))
. real: tf.math.reduce_logsumexp(<real B>) - tf.math.log(tf.cast(tf.shape(y_pred)[0], tf.float32))
. real: K.mean(<real B>) + 0.1 * K.std(<real B>)
. real: tf.reduce_prod(<unit B>)
. real: tf.reduce_mean(<real F>, axis=0)[..., 0] if len(y_pred.shape) == 2 else tf.reduce_mean(<real F>)
""")

HELPERS = {
    "soft_dice": """\
def soft_dice(a, b, smooth=1.0):
    a = tf.reshape(a, [-1])
    b = tf.reshape(b, [-1])
    return (2.0 * tf.reduce_sum(a * b) + smooth) / (tf.reduce_sum(a) + tf.reduce_sum(b) + smooth)
""",
    "masked_mean": """\
def masked_mean(x, labels):
    mask = tf.cast(labels > 0.5, x.dtype)
    return tf.reduce_sum(x * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)
""",
    "smooth_l1": """\
def smooth_l1(d, beta=0.5):
    size = tf.abs(d)
    small = tf.cast(size < beta, d.dtype)
    return small * 0.5 * tf.square(d) / beta + (1.0 - small) * (size - 0.5 * beta)
""",
    "squared_norm": """\
def squared_norm(x):
    return K.sum(K.square(x), axis=-1)
""",
    "spread_of": """\
def spread_of(x, eps=1e-4):
    centred = x - tf.reduce_mean(x, axis=0, keepdims=True)
    return tf.reduce_mean(tf.sqrt(tf.reduce_mean(tf.square(centred), axis=0) + eps))
""",
    "mean_of_all": """\
@tf.function
def mean_of_all(x):
    return tf.reduce_mean(x)
""",
    "similarities": """\
def similarities(x):
    x = tf.math.l2_normalize(x, axis=-1)
    return tf.matmul(x, x, transpose_b=True)
""",
}
"""Functions at module level, by name."""

FIRST = (
    "",
    "y_true = tf.cast(y_true, tf.float32)",
    "y_true = tf.cast(y_true, y_pred.dtype)",
    "y_pred = tf.convert_to_tensor(y_pred)",
    "y_pred = K.clip(y_pred, K.epsilon(), 1.0 - K.epsilon())",
    "y_pred = tf.nn.softmax(y_pred, axis=-1)",
)
"""Statements with which losses begin."""
