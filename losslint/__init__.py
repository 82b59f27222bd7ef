"""A linter for the loss functions of TensorFlow and Keras code."""
