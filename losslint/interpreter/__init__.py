"""Executes a loss abstractly: what it computes becomes a graph of primitives."""
