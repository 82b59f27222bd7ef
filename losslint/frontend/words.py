"""What names of functions, classes and files say of losses, beside those in ``names``: shared by what finds them.

Regular expressions as text: ``re`` compiles and keeps what is asked for.
"""

from __future__ import annotations

NO_LOSS = (
    r"(?i)^(?!_*(?:add|create|make|build)_\w*loss$)_*(plot|print|save|load|write|show|draw|report|parse|add|register|set|track|record|on|test"
    r"|log_(?!loss|lik|cosh|prob|sum)|create|make|serialize|deserialize|init|reset|restore|display|summar|append|monitor|check|validate|run|fit|compile|configure|update|build|convert|is|has|compute_output)_|^test|^train"
)
"""Functions that do something about losses, and are none."""
METRIC_FILE = r"(?i)(^|_)metrics?$"
"""Files and folders of metrics."""
CLASS_WORDS = (
    r"(?i)Loss|Objective|Error$|entropy|Divergence|Hinge|Huber|Poisson|LogCosh|CosineSimilarity|Dice|Tversky|CTC|Circle"
)
"""What a base, or the class itself, is called where it may be a loss."""
