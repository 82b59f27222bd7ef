"""Programs that the analyser was once wrong about, minimized. Read, never imported.

Above each stands what its arguments are (the axes of a sample, what is in y_true and in y_pred), then what must be said.
"""

import keras
import tensorflow as tf
from keras import ops
from tensorflow.keras import backend as K


# C soft logits
# law 0 for large batches; gradient law -1 for large batches; coupling coupled; gradient live; findings LL303
def square_of_a_shrinking_value(y_true, y_pred):
    return tf.square(y_pred / tf.cast(tf.shape(y_pred)[0], tf.float32) - 1.0)


# C soft probabilities
# law unknown; gradient law 0; coupling coupled; gradient live
def where_picks_single_samples(y_true, y_pred):
    rows = tf.reduce_mean(y_pred, axis=1)
    return tf.where(rows < 0.3, rows + tf.cast(tf.shape(y_pred)[0], tf.float32), rows)


# - soft probabilities
# law -1; gradient law -1; coupling coupled; gradient live; findings LL307
def epsilon_beside_shares(y_true, y_pred):
    return tf.nn.softmax(y_pred, axis=0) + 1e-7


# - soft probabilities
# law 0, + 1 log k; gradient law 0; coupling coupled; gradient live; findings LL307
def log_of_shares(y_true, y_pred):
    return -tf.math.log(tf.nn.softmax(y_pred, axis=0) + 1e-7)


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def where_keeps_log_from_negative_numbers(y_true, y_pred):
    return tf.where(y_pred > 0.0, tf.math.log(y_pred + 0.1), tf.zeros_like(y_pred))


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def norm_of_a_stack_that_is_nowhere_zero(y_true, y_pred):
    rows = tf.reduce_mean(y_pred, axis=1)
    return tf.math.reduce_euclidean_norm(tf.stack([rows, rows - 0.5], axis=-1), axis=-1)


# C soft logits
# law 0; gradient law 0; coupling row; gradient live; findings LL406
def norm_of_a_stack(y_true, y_pred):
    return tf.math.reduce_euclidean_norm(tf.stack([y_pred, 2.0 * y_pred], axis=-1), axis=-1)


# C classes logits
# law 0; gradient law 0; coupling row; gradient live
def one_class_of_all(y_true, y_pred):
    chosen = tf.one_hot(y_true, tf.shape(y_pred)[-1], dtype=tf.float32)
    return tf.reduce_sum(chosen * y_pred, axis=-1) / tf.reduce_sum(chosen, axis=-1)


# C classes logits
# law 0; gradient law 0; coupling coupled; gradient live; findings LL107; findings LL404
def a_class_that_nobody_has(y_true, y_pred):
    chosen = tf.one_hot(y_true, tf.shape(y_pred)[-1], dtype=tf.float32)
    return tf.reduce_sum(chosen * y_pred, axis=0) / tf.reduce_sum(chosen, axis=0)


# C soft logits
# law -1 for large batches; gradient law -1 for large batches; coupling coupled; gradient live; findings LL303
def sine_of_what_shrinks(y_true, y_pred):
    return tf.sin(tf.reduce_mean(y_pred, axis=1) / tf.cast(tf.shape(y_pred)[0], tf.float32))


# C soft probabilities
# law 1/2; gradient law 1/2; coupling coupled; gradient live; findings LL302
def norm_of_surprise(y_true, y_pred):
    return tf.norm(tf.reduce_sum(tf.abs(tf.nn.log_softmax(y_pred, axis=-1)), axis=-1))


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def softmax_that_adds_up_to_one(y_true, y_pred):
    return tf.reduce_mean(y_pred, axis=-1) - 0.1 * tf.reduce_sum(tf.nn.softmax(y_pred, axis=-1), axis=-1)


# C soft logits
# law 0; gradient law 0; coupling mean; gradient live
def terms_that_cancel(y_true, y_pred):
    return tf.reduce_sum(y_pred) - (tf.reduce_sum(y_pred) - 1.0) + tf.reduce_mean(tf.square(y_true - y_pred))


# C classes probabilities
# law 0; gradient law 0; coupling row; gradient live
def log_that_is_only_compared(y_true, y_pred):
    best = tf.argmax(tf.math.log(tf.cast(tf.equal(y_pred, 0.5), tf.float32)), axis=-1)
    return tf.reduce_mean(y_pred, axis=-1) * tf.cast(best, tf.float32)


# C soft logits
# law 1; gradient law 1; coupling coupled; gradient live; findings LL302
def elu_of_what_is_positive(y_true, y_pred):
    return tf.nn.elu(tf.reduce_sum(tf.square(y_true - y_pred)))


# C soft logits
# law unknown; gradient broken; coupling coupled; gradient live; findings LL301
def elu_around_its_bend(y_true, y_pred):
    return tf.nn.elu(0.5 - tf.reduce_sum(tf.square(y_true - y_pred)))


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def norm_beside_a_constant(y_true, y_pred):
    spread = tf.math.reduce_std(y_pred, axis=-1)
    return tf.math.reduce_euclidean_norm(tf.stack([spread, tf.ones_like(spread)], axis=-1), axis=-1)


# C soft probabilities
# law 0; gradient law 0; coupling row; gradient live
def shape_of_a_softmax(y_true, y_pred):
    rows = tf.reduce_mean(y_pred, axis=-1)
    return tf.where(rows > 0.5, tf.square(rows), tf.zeros_like(tf.nn.softmax(rows)))


# H,W,3 soft probabilities
# law unknown; gradient unknown; coupling coupled; gradient live; findings LL307
def softmax_over_the_batch_where_all_is_right(y_true, y_pred):
    least = tf.reduce_min(y_true * y_pred, axis=[1, 2, 3])
    rows = tf.reduce_mean(y_pred, axis=[1, 2, 3])
    return tf.where(tf.equal(least, 1.0), tf.nn.softmax(rows), rows)


# C binary logits
# law unknown; gradient unknown; coupling coupled; gradient live
def sum_of_what_a_mask_keeps(y_true, y_pred):
    return tf.minimum(tf.reduce_sum(tf.boolean_mask(tf.square(y_pred) + 0.5, y_true > 0.5)), 1.0)


# C soft logits
# law 0; gradient law 0; coupling coupled; gradient live
def each_sample_with_itself(y_true, y_pred):
    pairs = tf.matmul(y_pred, y_true, transpose_b=True)
    return tf.reduce_sum(tf.linalg.diag_part(pairs)) / tf.cast(tf.shape(y_pred)[0], tf.float32)


# - soft logits
# law unknown; gradient unknown; coupling coupled (order matters); gradient live
def clip_of_a_sum_without_the_first(y_true, y_pred):
    return tf.clip_by_value(tf.reduce_sum(tf.abs(y_pred[1:]) + 1.0, axis=0), 0.0, 2.0)


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def intersection_over_union(y_true, y_pred):
    a, b = tf.sigmoid(y_true), tf.sigmoid(y_pred)
    both = tf.reduce_sum(a * b, axis=-1)
    return -tf.math.log(both / (tf.reduce_sum(a, axis=-1) + tf.reduce_sum(b, axis=-1) - both + 1e-6) + 1e-6)


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def dice_of_squares(y_true, y_pred):
    a, b = tf.sigmoid(y_true), tf.sigmoid(y_pred)
    total = tf.reduce_sum(tf.square(a), axis=-1) + tf.reduce_sum(tf.square(b), axis=-1)
    return 1.0 - (2.0 * tf.reduce_sum(a * b, axis=-1) + 1.0) / (total + 1.0)


# T,C soft logits
# law 0; gradient law 0; coupling row; gradient live
def softmaxes_added_up(y_true, y_pred):
    return tf.reduce_sum(tf.nn.softmax(y_pred, axis=-1), axis=[1, 2]) + tf.reduce_mean(y_pred, axis=[1, 2])


# C soft logits
# law 0; gradient law 0; coupling row; gradient live
def root_behind_a_where(y_true, y_pred):
    error = y_true - y_pred
    return tf.sqrt(tf.where(error > 0.0, error, 0.0))


# C soft logits
# law 0; gradient law 0; coupling coupled; gradient live
def branch_on_the_whole_batch(y_true, y_pred):
    error = tf.reduce_mean(tf.abs(y_true - y_pred))
    return tf.cond(error > 0.5, lambda: error, lambda: tf.reduce_mean(tf.square(y_true - y_pred)))


# C soft logits
# law 0; gradient law 0; coupling coupled; gradient live
def mask_that_keeps_everything(y_true, y_pred):
    rows = tf.reduce_mean(tf.square(y_pred), axis=-1)
    return tf.reduce_mean(tf.boolean_mask(rows, tf.sigmoid(rows) > 0.1))


# 1 soft logits
# law 0; gradient law 0; coupling row; gradient live
def one_class_for_a_kernel(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


# 1 classes logits
# law 0; gradient absent; coupling row; gradient zero; findings LL202
def one_class_of_whole_labels(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(labels=tf.one_hot(y_true, 1), logits=y_pred)


# 1 soft probabilities
# law 0; gradient absent; coupling const; gradient zero; findings LL202
def one_class_of_shares(y_true, y_pred):
    return tf.nn.log_softmax(tf.nn.log_softmax(y_pred, axis=0), axis=-1)


# C soft logits
# law 0; gradient law 0; coupling row; gradient live; findings LL401
def log_of_the_entropy_of_the_backend(y_true, y_pred):
    return tf.math.log(K.binary_crossentropy(y_pred, y_pred))


# - binary probabilities
# law 1/2; gradient law 1/2; coupling coupled; gradient live; findings LL302
def norm_with_a_one_for_each_zero_of_elu(y_true, y_pred):
    missing = tf.cast(tf.equal(tf.nn.elu(y_pred), 0.0), tf.float32)
    return tf.norm(K.switch(missing < 0.3, y_pred, missing), axis=-1)


# 3 binary probabilities
# law 0; gradient law 0; coupling coupled; gradient live
def deviation_of_running_sums(y_true, y_pred):
    y_pred = K.clip(y_pred, K.epsilon(), 1.0 - K.epsilon())
    return tf.math.reduce_std(tf.exp(tf.cumsum(K.switch(y_true > 0.0, y_pred, y_true), axis=-1)))


# C soft logits
# law 0; gradient absent; coupling coupled; gradient zero; findings LL202
def mean_of_a_mask_times_nothing(y_true, y_pred):
    kept = tf.reduce_mean(tf.boolean_mask(y_pred, y_true > 0.5))
    return tf.math.multiply_no_nan(kept, tf.math.squared_difference(y_true, y_true))


# C soft probabilities
# law 0; gradient law 0; coupling coupled; gradient live
def numbers_as_a_mask_that_keeps_everything(y_true, y_pred):
    rows = tf.reduce_mean(y_pred, axis=-1)
    kept = tf.where(keras.losses.binary_crossentropy(y_pred, y_pred) + 1.0)
    return tf.reduce_mean(tf.gather(rows, kept))


# T classes logits
# law 0; gradient law 0; coupling coupled; gradient live
def labels_and_what_they_are_not(y_true, y_pred):
    hot = tf.one_hot(y_true, tf.shape(y_pred)[-1])
    a, b = tf.reshape(hot, [-1]), tf.reshape(1.0 - hot, [-1])
    return tf.reduce_sum(a * b) + tf.reduce_mean(y_pred)


# 1 soft logits
# law 0; gradient law 1; coupling sum; gradient live; findings LL302
def sum_over_samples_of_one_class(y_true, y_pred):
    return tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)) + 1.0


# 1 soft logits
# law -1/2 for large batches; gradient absent; coupling count; gradient zero; findings LL202
def norm_of_so_many_ones(y_true, y_pred):
    return tf.clip_by_norm(tf.nn.softmax(y_pred, axis=-1), 1.0)


# C soft logits
# law 0; gradient law 0; coupling mean; gradient live; findings LL203
def mean_of_shares(y_true, y_pred):
    return tf.math.log(tf.reduce_mean(tf.nn.softmax(y_pred), axis=-1)) + tf.reduce_mean(y_pred)


# T soft probabilities
# law 0 for large batches; gradient law 0 for large batches; coupling coupled; gradient live
def branch_for_small_batches(y_true, y_pred):
    size = tf.cast(tf.size(y_pred), tf.float32)
    return tf.where(tf.abs(size) <= 1.0, tf.square(size), y_pred)


# T soft probabilities
# law 0; gradient law 0; coupling coupled; gradient live
def smaller_of_a_size_and_nothing(y_true, y_pred):
    return ops.minimum(tf.shape(y_pred)[0], 0.0) - 0.5 + tf.reduce_mean(y_pred)


# T soft probabilities
# law 1 for large batches; gradient law 0 and 1 for large batches; coupling coupled; gradient live; findings LL304
def largest_of_mixed_sums(y_true, y_pred):
    return tf.reduce_max(y_pred + tf.reduce_sum(y_pred, axis=0), axis=-1)


# T soft probabilities
# law 1; gradient law 1; coupling coupled; gradient live; findings LL302
def elu_of_an_entropy(y_true, y_pred):
    return tf.nn.elu(keras.losses.BinaryCrossentropy(reduction="sum")(y_true, y_pred))


# T binary probabilities
# law 0; gradient absent; coupling const; gradient zero; findings LL202
def norm_of_shares(y_true, y_pred):
    return tf.norm(tf.nn.softmax(tf.math.l2_normalize(y_pred, axis=0), axis=-1), ord=1, axis=-1)


# C binary logits
# law 0; gradient law 0; coupling coupled; gradient live
def shares_as_a_mask(y_true, y_pred):
    shares = tf.nn.softmax(y_pred, axis=-1)
    return tf.reduce_mean(tf.boolean_mask(shares, shares))


# 1 soft probabilities
# law 0 for large batches; gradient law 0 for large batches; coupling coupled; gradient live
def divided_by_a_quotient(y_true, y_pred):
    return y_pred / (1.0 / tf.math.reduce_euclidean_norm(y_true, axis=[0, 1]) + 0.001)


# C soft logits
# law 1 for large batches; gradient absent; coupling coupled; gradient dead; findings LL201
def floor_of_a_sum(y_true, y_pred):
    return tf.math.floor(tf.reduce_sum(y_pred, axis=[0, 1]))


# T,C binary logits
# law unknown; gradient absent; coupling coupled (order matters); gradient zero; findings LL202
def running_product_of_mean_shares(y_true, y_pred):
    return tf.math.cumprod(ops.mean(tf.nn.softmax(y_pred, axis=-1), axis=2), axis=0)


# H,W,3 binary logits
# law 0 for large batches; gradient law 0 for large batches; coupling coupled; gradient live
def distance_to_what_a_norm_of_the_batch_shrinks(y_true, y_pred):
    return tf.abs(y_pred - tf.clip_by_norm(y_true, 1.0))


# 1 soft probabilities
# law 0; gradient law 0; coupling row; gradient live
def entropy_of_what_keras_takes_the_logits_of(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, ops.sigmoid(y_pred))


# C classes logits
# law unknown; gradient absent; coupling coupled (order matters); gradient absent; findings LL204
def product_of_nothing(y_true, y_pred):
    return tf.reduce_prod(tf.sigmoid(1.0 + tf.one_hot(y_true, y_true[-1], dtype=tf.float32)[1:]), axis=[0, 1])


# C soft logits
# law 0; gradient law 0; coupling coupled; gradient live
def case_that_asks_the_batch(y_true, y_pred):
    return tf.case([(tf.reduce_mean(y_true) > 0.5, lambda: y_pred)], default=lambda: y_true)


# - soft logits
# law 1/2; gradient law 1/2; coupling coupled; gradient live; findings LL302
def norm_of_what_is_cut_off(y_true, y_pred):
    return tf.norm(tf.maximum(y_pred + 0.2, 0.0))


# 3 binary logits
# law 0; gradient law 0; coupling row; gradient live
def softplus_near_nothing(y_true, y_pred):
    return ops.logaddexp(1.0 / (tf.square(y_pred) + 1.0), 2.0)
