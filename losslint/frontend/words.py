"""What names of functions, classes and files say of losses, beside those in ``names``: shared by what finds them."""

from __future__ import annotations

import re

NO_LOSS = re.compile(
    r"^(?!_*(?:add|create|make|build)_\w*loss$)_*(plot|print|save|load|write|show|draw|report|parse|add|register|set|track|record|on|test"
    r"|log_(?!loss|lik|cosh|prob|sum)|create|make|serialize|deserialize|init|reset|restore|display|summar|append|monitor|check|validate|run|fit|compile|configure|update|build|convert|is|has|compute_output)_|^test|^train",
    re.IGNORECASE,
)
"""Functions that do something about losses, and are none."""
METRIC_FILE = re.compile(r"(^|_)metrics?$", re.IGNORECASE)
"""Files and folders of metrics."""
CLASS_WORDS = re.compile(
    r"Loss|Objective|Error$|entropy|Divergence|Hinge|Huber|Poisson|LogCosh|CosineSimilarity|Dice|Tversky|CTC|Circle",
    re.IGNORECASE,
)
"""What a base, or the class itself, is called where it may be a loss."""
