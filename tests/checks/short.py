"""Short losses for the tests of checks: a body is put into a function and linted."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from losslint.engine import lint_module
from losslint.findings import Finding
from losslint.frontend.module import Module
from losslint.frontend.project import Project


def findings(
    body: str, codes: Collection[str], name: str = "some_loss", parameters: str = "y_true, y_pred"
) -> list[Finding]:
    """The findings of ``codes`` in a function of this body; an expression in its last line is returned."""
    lines = textwrap.dedent(body).strip().splitlines()
    if "return" not in lines[-1]:
        lines[-1] = f"return {lines[-1]}"
    source = (
        f"import tensorflow as tf\n\n\ndef {name}({parameters}):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"
    )
    found, failed = lint_module(Module("<test>", source), Project())
    assert not failed, failed
    return [f for f in found if f.code in codes]


def said(body: str, codes: Collection[str], name: str = "some_loss", parameters: str = "y_true, y_pred") -> list[str]:
    """Codes with the first letter of the severity, sorted: ["LL401 W"]."""
    found = findings(body, codes, name, parameters)
    return sorted(f"{f.code} {f.severity.label[0].upper()}" for f in found)
