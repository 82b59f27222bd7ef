"""The catalogue against the real TensorFlow: every catalogued name is called, and traced, with one and the same text."""
