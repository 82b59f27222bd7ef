"""What TensorFlow and Keras have: their public names and the keywords these take, version by version."""
