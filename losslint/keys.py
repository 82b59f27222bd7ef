"""The reference of the configuration: what each key of ``[tool.losslint]`` means, for people and for the documents."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from losslint.settings import Settings, shown


@dataclass(frozen=True, slots=True)
class Key:
    """One key; ``example`` is the line, or the table, that sets it."""

    name: str
    kind: str
    about: str
    example: str

    @property
    def default(self) -> str:
        """What holds without it, in TOML."""
        if self.name in _OF_SELECTION:
            return _OF_SELECTION[self.name]
        value: Any = getattr(Settings(), self.name.replace("-", "_"))
        if value is None or (value == () and self.kind.startswith("table")):
            return "unset"
        return shown(value)


_OF_SELECTION = {"select": '["ALL"]', "ignore": "[]", "extend-select": "[]"}  # layers, in Settings

_RULES = "list of rules: codes, prefixes (LL4), names, ALL"
_GLOBS = "list of patterns, those of .gitignore"

KEYS = (
    Key(
        "select",
        _RULES,
        "The rules to look for. Of two selectors the narrower wins, in whatever order; of equally narrow ones ignore.",
        'select = ["LL3", "LL401"]',
    ),
    Key("ignore", _RULES, "The rules to leave out of those selected.", 'ignore = ["batch-coupled"]'),
    Key("extend-select", _RULES, "Rules to add to those selected.", 'extend-select = ["LL410"]'),
    Key(
        "per-file-ignores",
        "table: pattern to list of rules",
        "Rules to leave out in the files that a pattern matches; with ! in front, in all others.",
        '[tool.losslint.per-file-ignores]\n"tests/**" = ["LL3"]\n"!src/**" = ["LL101"]',
    ),
    Key(
        "exclude",
        _GLOBS,
        "Files and folders that are not entered. It replaces the default; a file that is named on the command line is "
        "linted still, unless --force-exclude is given.",
        'exclude = ["build", "vendor/**"]',
    ),
    Key("extend-exclude", _GLOBS, "The same, beside exclude.", 'extend-exclude = ["legacy"]'),
    Key(
        "respect-gitignore",
        "boolean",
        "Leave out what .gitignore, .ignore and .git/info/exclude leave out.",
        "respect-gitignore = false",
    ),
    Key(
        "severity",
        "table: rule to error, warning, info or off",
        "What a rule's findings count as, in place of what it says itself. The narrower selector wins.",
        '[tool.losslint.severity]\nunnormalized-batch-sum = "error"\nLL409 = "off"',
    ),
    Key(
        "min-severity",
        "error, warning or info",
        "The least severity that is shown. What is hidden does not fail. Unset, it is warning, or info if fail-on is.",
        'min-severity = "info"',
    ),
    Key(
        "fail-on",
        "error, warning, info or never",
        "The least severity that makes the exit status 1.",
        'fail-on = "error"',
    ),
    Key(
        "keras",
        "2, 3 or auto",
        "The Keras that the code is written for. With auto, the imports and the requirements of the project say it.",
        'keras = "2"',
    ),
    Key(
        "tensorflow",
        "version",
        "The TensorFlow that the code is written for. Unset, the requirements of the project say it.",
        'tensorflow = "2.15"',
    ),
    Key(
        "loss-names",
        "list of patterns of names",
        "Functions that are losses, whatever their code looks like.",
        'loss-names = ["*_criterion"]',
    ),
    Key(
        "not-loss-names",
        "list of patterns of names",
        "Functions that are none, whatever they are called.",
        'not-loss-names = ["plot_*"]',
    ),
    Key(
        "metric-names",
        "list of patterns of names",
        "Functions that are metrics: they may round, and need no gradient.",
        'metric-names = ["*_at_k"]',
    ),
    Key(
        "facts",
        "table: function to what it returns",
        "What is true of your own helpers: shape, range, gradient (live or dead), or the function that they are like. "
        "They are not looked into then.",
        '[tool.losslint.facts]\n"lib.numerics.safe_log" = { like = "tensorflow.math.log" }\n'
        '"lib.layers.attention" = { shape = "[B, 10]", range = [0, 1], gradient = "live" }',
    ),
    Key(
        "inputs",
        "table: function to its arguments",
        "What the confirmer calls a loss with. A comment above the def wins.",
        '[tool.losslint.inputs]\n"vae_loss" = "y_true=unit[B,784] y_pred=prob[B,784]"',
    ),
    Key("fix", "boolean", "Make fixes, as --fix does.", "fix = true"),
    Key("unsafe-fixes", "boolean", "Count in fixes that change results.", "unsafe-fixes = true"),
    Key(
        "baseline",
        "path of a file",
        "Hide the findings that it lists. That of the current folder counts.",
        'baseline = "losslint-baseline.json"',
    ),
    Key(
        "file-steps",
        "whole number",
        "The work that one file may cause, in steps, the same everywhere; 0 for no limit. What was found before "
        "stays, and an LL004 says where it was given up.",
        "file-steps = 2000000",
    ),
    Key(
        "file-seconds",
        "number",
        "The last resort: seconds, of the clock and of work; 0 for no limit. The file gets an LL004 alone.",
        "file-seconds = 60",
    ),
)
"""In the order in which they are told."""


@functools.cache
def by_name() -> dict[str, Key]:
    """Name -> key."""
    return {key.name: key for key in KEYS}
