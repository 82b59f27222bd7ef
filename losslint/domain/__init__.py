"""Abstract values: shapes, intervals, batch laws, coupling."""
