"""Attributes that a loss object reads as Python numbers and that another of its methods changes while it trains."""

from __future__ import annotations

import re
from typing import TypeGuard

import libcst as cst

from losslint.frontend.module import every
from losslint.graph import Site
from losslint.interpreter.values import Function, Instance, is_setting

_LATER = re.compile(r"^_?(on_(epoch|batch|train_batch)_|update|step|anneal|increment|advance|decay|next_)")
"""Names of methods that are called again and again while training goes on."""


def changing(function: Function) -> dict[str, Site]:
    """``self.alpha`` -> where ``function``, a method, reads it, for what is a number that changes later."""
    instance, owner = function.bound, function.owner
    if not isinstance(instance, Instance) or owner is None:
        return {}
    names = {name for name, value in instance.attrs.items() if _is_number(value)}
    later = [
        method.tree
        for method in owner.members.values()
        if isinstance(method, Function) and _LATER.match(method.name.rpartition(".")[2])
    ]
    # "self.step += 1" in the loss itself; a plain assignment there may put a tensor in the number's place
    targets = [*_assigned(function.tree, cst.AugAssign), *(target for tree in later for target in _assigned(tree))]
    changed = {target.attr.value for target in targets}
    found: dict[str, Site] = {}
    for name in sorted(names & changed):
        written = {id(target) for target in _assigned(function.tree)}
        for read in every(function.tree, cst.Attribute):
            if _of_self(read) and read.attr.value == name and id(read) not in written:
                found.setdefault(f"self.{name}", Site(function.slice, read, function.name))
    return found


def _is_number(value: object) -> bool:
    return is_setting(value) or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _of_self(tree: cst.CSTNode) -> TypeGuard[cst.Attribute]:
    return isinstance(tree, cst.Attribute) and isinstance(tree.value, cst.Name) and tree.value.value == "self"


def _assigned(tree: cst.CSTNode, *kinds: type[cst.AssignTarget | cst.AugAssign]) -> list[cst.Attribute]:
    """The attributes of ``self`` that ``tree`` assigns to, by a statement of ``kinds``, of any kind by default."""
    targets = (every(tree, kind) for kind in kinds or (cst.AssignTarget, cst.AugAssign))
    return [found.target for statements in targets for found in statements if _of_self(found.target)]
