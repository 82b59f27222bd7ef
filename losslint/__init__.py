"""A linter for the loss functions of TensorFlow and Keras code."""

__version__ = "0.1.0"
