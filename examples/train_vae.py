"""A training script as many are: it trains when it is imported, and three of its losses train wrongly, in silence."""

import tensorflow as tf

BATCH_SIZE = 128


def focal_loss(y_true, y_pred, gamma=2.0):
    y_pred = tf.nn.softmax(y_pred)
    return -tf.reduce_mean(y_true * tf.pow(1.0 - y_pred, gamma) * tf.math.log(y_pred))


def hard_dice_loss(y_true, y_pred):
    mask = tf.round(y_pred)
    overlap = tf.reduce_sum(y_true * mask)
    return 1.0 - (2.0 * overlap + 1.0) / (tf.reduce_sum(y_true) + tf.reduce_sum(mask) + 1.0)


def vae_loss(y_true, y_pred, z_mean, z_log_var):
    reconstruction = tf.reduce_mean(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))
    kl = -0.5 * tf.reduce_sum(1.0 + z_log_var - tf.square(z_mean) - tf.exp(z_log_var))
    return reconstruction + kl


encoder = tf.keras.models.load_model("encoder.keras")
decoder = tf.keras.models.load_model("decoder.keras")
optimizer = tf.keras.optimizers.Adam()

for x in tf.data.Dataset.load("images").batch(BATCH_SIZE):
    with tf.GradientTape() as tape:
        mean, log_var = encoder(x)
        images = decoder(mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean)))
        loss = vae_loss(x, images, mean, log_var)
    weights = encoder.trainable_variables + decoder.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
