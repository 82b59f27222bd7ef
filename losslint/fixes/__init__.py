"""The ways out that losslint can write itself: one module a family of rules, found by the code of the rule.

A fix is offered where it is right, and where it is in doubt there is none. *Safe* is what leaves every result as it is.
"""

from losslint.fixes.base import fix_of

__all__ = ["fix_of"]
