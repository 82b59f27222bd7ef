"""What the tests of the catalogue call its functions with."""

from __future__ import annotations

from typing import Any

import pytest

from losslint.domain.shape import Shape
from losslint.graph import Graph, Node
from losslint.ops.primitives import SHAPE_RULES


class Calling(Graph):
    """A graph that calls plain Python functions where the interpreter would call the user's."""

    def __init__(self) -> None:
        super().__init__(SHAPE_RULES)

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)


@pytest.fixture
def g() -> Calling:
    return Calling()


@pytest.fixture
def p(g: Calling) -> Node:
    return g.source("y_pred", "prediction", Shape.of("B", 10), "float32")


@pytest.fixture
def y(g: Calling) -> Node:
    return g.source("y_true", "label", Shape.of("B", 10), "float32")


@pytest.fixture
def images(g: Calling) -> Node:
    return g.source("images", "prediction", Shape.of("B", 32, 32, 3), "float32")
