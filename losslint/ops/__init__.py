"""What primitives do to each kind of fact, one table a kind, and the library functions that expand to them."""
