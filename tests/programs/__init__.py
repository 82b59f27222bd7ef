"""Random losses: what the analyser says of a generated program, against what TensorFlow does with it."""
