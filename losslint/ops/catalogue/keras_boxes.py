"""Bounding boxes: ``keras.utils.bounding_boxes`` and what Keras CV calls the same. The last axis holds four corners."""

from __future__ import annotations

import math
from typing import Any

from losslint.graph import Graph, Node
from losslint.ops.axes import reduced
from losslint.ops.catalogue.arguments import table
from losslint.ops.catalogue.tf_control import structured

MODULES = (
    "keras.utils.bounding_boxes keras_cv.bounding_box keras_cv.src.bounding_box keras_hub.src.utils.bounding_boxes"
)


def converted(g: Graph, boxes: Any, *formats: Any, **options: Any) -> Any:
    """The boxes written in other coordinates; a dictionary of boxes and labels stays one."""
    if isinstance(boxes, dict):
        return {key: converted(g, value) if key == "boxes" else value for key, value in boxes.items()}
    return structured(lambda leaf: g.op("smooth", leaf, low=-math.inf, high=math.inf, api="convert_format"), boxes)


def overlap(g: Graph, left: Any, right: Any, low: float) -> Node:
    """How far pairs of boxes overlap, from ``low`` (apart) to 1 (the same); differentiable."""
    distance = reduced(g, "mean", g.op("square", g.op("sub", left, right)), -1, False)
    return g.op("smooth", distance, low=low, high=1.0, api="overlap")


def compute_ciou(g: Graph, boxes1: Any, boxes2: Any, *formats: Any, **options: Any) -> Node:
    """Complete IoU of each box with its partner."""
    return overlap(g, boxes1, boxes2, -2.0)


def compute_iou(g: Graph, boxes1: Any, boxes2: Any, *formats: Any, **options: Any) -> Node:
    """IoU of every box of one set with every box of the other."""
    return overlap(g, g.op("expand_dims", boxes1, axis=-2), g.op("expand_dims", boxes2, axis=-3), 0.0)


table(MODULES, {"convert_format": converted, "compute_ciou": compute_ciou, "compute_iou": compute_iou})
