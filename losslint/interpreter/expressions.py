"""Evaluates expressions: constants fold as in Python, anything with a tensor becomes a primitive."""

from __future__ import annotations

import ast
import contextlib
import functools
import operator
from collections.abc import Callable
from typing import Any, TypeGuard

import libcst as cst

from losslint.frontend.names import canonical, is_loss_name, role_of
from losslint.graph import Node, SomeOf, Unknown
from losslint.interpreter.builtins import BUILTINS
from losslint.interpreter.core import Core, handler
from losslint.interpreter.limits import is_heavy, is_huge
from losslint.interpreter.lists import are_lists, is_count, repeated_list
from losslint.interpreter.merging import merged
from losslint.interpreter.scope import MISSING, Scope
from losslint.interpreter.values import (
    UNKNOWN_KEY,
    Api,
    Class,
    Function,
    Instance,
    Method,
    ModuleRef,
    Super,
    Tape,
    Text,
    at_unknown_keys,
    dependencies,
    distinct,
    is_known,
    spread,
)
from losslint.ops.dtypes import ATTRIBUTES as DTYPE_ATTRIBUTES
from losslint.ops.dtypes import NAMES as DTYPES
from losslint.ops.dtypes import attribute as dtype_attribute
from losslint.ops.linear import constant
from losslint.ops.registry import CATALOGUE, CONSTANTS, METHODS, PROPERTIES, Callback
from losslint.ops.shapevalue import ShapeValue, shape_node

_BINARY: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "Add": ("add", operator.add),
    "Subtract": ("sub", operator.sub),
    "Multiply": ("mul", operator.mul),
    "Divide": ("div", operator.truediv),
    "FloorDivide": ("floordiv", operator.floordiv),
    "Modulo": ("mod", operator.mod),
    "Power": ("pow", operator.pow),
    "MatrixMultiply": ("matmul", operator.matmul),
    "BitAnd": ("and", operator.and_),
    "BitOr": ("or", operator.or_),
    "BitXor": ("xor", operator.xor),
    "LeftShift": ("", operator.lshift),
    "RightShift": ("", operator.rshift),
}
_COMPARE: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "LessThan": ("lt", operator.lt),
    "LessThanEqual": ("le", operator.le),
    "GreaterThan": ("gt", operator.gt),
    "GreaterThanEqual": ("ge", operator.ge),
    "Equal": ("eq", operator.eq),
    "NotEqual": ("ne", operator.ne),
}
_PLAIN = (int, float, complex, str, bytes, bool, type(None), list, tuple, dict, set, slice, range)
_KEYS = (str, int, float, tuple)
"""Keys of a dictionary that are known."""
CONSUMING = frozenset(("minimize", "compute_gradients", "get_updates", "add_loss", "compile"))
"""Methods that take a loss, whatever the object is."""
_UNROLLED = 32
"""The longest ``tf.range`` that is walked through number by number."""
_TURNS = 64
"""The most turns of a comprehension that are followed one by one."""
LAYERS = ("Model", "Layer", "Sequential", "Module", "Functional")
"""Classes of Keras whose objects are called on tensors."""
_VARIABLES = ("trainable_variables", "trainable_weights", "variables", "weights", "non_trainable_variables")


@functools.lru_cache(maxsize=8192)
def _literal(spelled: str) -> str | bytes:
    """The string that ``spelled`` is the literal of."""
    value: str | bytes = ast.literal_eval(spelled)
    return value


class Expressions(Core):
    """The half of the machine that evaluates."""

    def eval(self, tree: cst.BaseExpression) -> Any:
        """The value of ``tree``; Unknown where its kind is not interpreted."""
        evaluate = handler(type(self), "_eval_", type(tree))
        return Unknown((), f"{type(tree).__name__} is not interpreted") if evaluate is None else evaluate(self, tree)

    # -- leaves ----------------------------------------------------------------------------------------------------
    def _eval_Integer(self, tree: cst.Integer) -> Any:
        return int(tree.value, 0)

    def _eval_Float(self, tree: cst.Float) -> Any:
        return float(tree.value)

    def _eval_SimpleString(self, tree: cst.SimpleString) -> Any:
        return _literal(tree.value)

    def _eval_ConcatenatedString(self, tree: cst.ConcatenatedString) -> Any:
        return tree.evaluated_value

    def _eval_FormattedString(self, tree: cst.FormattedString) -> Any:
        return Text((), "a formatted string")

    def _eval_Ellipsis(self, tree: cst.Ellipsis) -> Any:
        return ...

    def _eval_Name(self, tree: cst.Name) -> Any:
        name = tree.value
        value = self.scope.lookup(name)
        if value is not MISSING:
            return value
        if name in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[name]
        if name in BUILTINS or f"builtins.{name}" in CATALOGUE:
            return Api(f"builtins.{name}")
        if name in ("tf", "tensorflow", "np", "numpy", "keras", "math", "tfp", "tfa"):
            # used without an import in sight: a notebook cell, a star import
            spelled = {"np": "numpy", "tfp": "tensorflow_probability", "tfa": "tensorflow_addons"}
            return Api(canonical(spelled.get(name, name)))
        with self.graph.at(self.site(tree)):
            return self.free(name)

    # -- attributes and elements -----------------------------------------------------------------------------------
    def _eval_Attribute(self, tree: cst.Attribute) -> Any:
        owner = self.eval(tree.value)
        if isinstance(owner, Api):  # which makes no node
            return self.attribute(owner, tree.attr.value)
        with self.graph.at(self.site(tree)):
            return self.attribute(owner, tree.attr.value)

    def attribute(self, owner: Any, name: str) -> Any:
        """``owner.name``."""
        if name in CONSUMING and not isinstance(owner, (Api, ModuleRef, Instance, Class, Super)):
            return Method(owner, name)
        if isinstance(owner, Api):
            full = canonical(f"{owner.name}.{name}")
            return CONSTANTS.get(full, Api(full))
        if isinstance(owner, ModuleRef):
            value = self.module_scope(owner.module).lookup(name)
            if value is MISSING:
                below = self.project.find(owner.module, name, 1) if owner.module.is_package else None
                return ModuleRef(below) if below is not None else Unknown((), f"{name} is not defined there")
            return value
        if isinstance(owner, Instance):
            return self._instance_attribute(owner, name)
        if isinstance(owner, Class):
            found = owner.find(name)
            if isinstance(found, Function) and found.kind == "classmethod":
                return found.bind(owner)
            return found if found is not None else Unknown((), f"{owner.name}.{name}")
        if isinstance(owner, Super):
            return self._super_attribute(owner, name)
        if isinstance(owner, Node):
            return self._node_attribute(owner, name)
        if isinstance(owner, Callback):
            if name in owner.attrs:
                return owner.attrs[name]
            if name in _VARIABLES:
                return self.variables_of(owner.name, owner)
            return Method(owner, name)
        if isinstance(owner, str) and owner in DTYPES and name in DTYPE_ATTRIBUTES:
            return dtype_attribute(owner, name)
        if isinstance(owner, (Tape, list, dict, tuple, str, set, Text)):
            return Method(owner, name)
        if hasattr(owner, "attribute"):  # a shape value of the catalogue
            return owner.attribute(self.graph, name)
        if name in _VARIABLES:
            return self.variables_of("variables", owner)
        return (
            Unknown(tuple(dependencies(owner)), f"attribute {name}")
            if not isinstance(owner, Function)
            else (Method(owner, name))
        )

    def variables_of(self, name: str, owner: Any) -> Node:
        """``model.trainable_variables``: a list of unknown length, seen as one source."""
        key = ("variables", id(owner))
        if key not in self._free:
            self._free[key] = self.parameters.variables(name)
        return self._free[key]  # type: ignore[no-any-return]

    def _instance_attribute(self, owner: Instance, name: str) -> Any:
        if name in owner.attrs:
            return owner.attrs[name]
        if name == "__class__":
            return owner.cls
        member = owner.cls.find(name)
        if isinstance(member, Function):
            if member.kind == "staticmethod":
                return member
            bound = member.bind(owner.cls if member.kind == "classmethod" else owner)
            return self.call(bound, [], {}) if member.kind == "property" else bound
        if member is not None:
            return member
        if name in _VARIABLES:
            return self.variables_of(f"self.{name}", owner)
        if owner.cls.is_a("TestCase") and name.startswith("assert"):
            return Api(f"unittest.TestCase.{name}")
        if name in ("add_weight", "add_variable") and owner.cls.is_a(*LAYERS, "Metric"):
            return Api("keras.layers.Layer.add_weight")
        if owner.cls.is_a("Loss", "LossFunctionWrapper", "Model", "Layer", "Module") and name in (
            "add_loss",
            "add_metric",
            "compile",
            "__call__",
            "call",
            "predict",
            "compiled_loss",
            "compute_loss",
            "losses",
        ):
            return Method(owner, name)
        value = self.free(f"self.{name}", owner)
        owner.keep(name, value)
        return value

    def _super_attribute(self, owner: Super, name: str) -> Any:
        for base in owner.cls.bases:
            if isinstance(base, Class):
                found = base.find(name)
                if isinstance(found, Function):
                    return found.bind(owner.instance)
        return Method(owner, name)

    def _node_attribute(self, owner: Node, name: str) -> Any:
        if name in PROPERTIES:
            return PROPERTIES[name](self.graph, owner)
        if (
            owner.op == "source"
            and owner.attrs["role"] in ("argument", "config", "captured", "input")
            and (name not in METHODS or role_of(owner.attrs["name"]) == "model")
        ):
            if name in _VARIABLES:
                return self.variables_of(f"{owner.attrs['name']}.{name}", owner)
            return self.free(f"{owner.attrs['name']}.{name}", owner)
        return Method(owner, name)

    def _eval_Subscript(self, tree: cst.Subscript) -> Any:
        owner, key = self.eval(tree.value), self.key(tree)
        with self.graph.at(self.site(tree)):
            return self.element(owner, key)

    def key(self, tree: cst.Subscript) -> Any:
        """What stands in the brackets, as Python would pass it to ``__getitem__``."""
        items = [self._key_part(e.slice) for e in tree.slice]
        return items[0] if len(items) == 1 and not isinstance(tree.slice[0].comma, cst.Comma) else tuple(items)

    def _key_part(self, part: cst.BaseSlice) -> Any:
        if isinstance(part, cst.Slice):
            ends = [self.eval(x) if x is not None else None for x in (part.lower, part.upper, part.step)]
            return slice(*ends)
        return self.eval(part.value)  # type: ignore[attr-defined]

    def element(self, owner: Any, key: Any) -> Any:
        """``owner[key]``."""
        if isinstance(owner, Node):
            output = owner.op == "source" and owner.attrs["role"] in ("label", "prediction")
            if isinstance(key, str) and output and not is_loss_name(key):  # a loss has no shape of a sample
                return self.graph.op("identity", owner, part=key)  # one of several outputs
            if isinstance(key, str):
                return (
                    self.free(f"{owner.attrs['name']}.{key}", owner)
                    if owner.op == "source"
                    else (self.graph.opaque((owner,), "an element by name"))
                )
            return self.graph.op("index", owner, key=key if isinstance(key, tuple) else (key,))
        if hasattr(owner, "getitem"):  # a shape value of the catalogue
            return owner.getitem(self.graph, key)
        if isinstance(owner, SomeOf):
            if isinstance(key, slice):
                return self.held(SomeOf(owner))
            if isinstance(key, int) and 0 <= key < owner.certain:
                return owner[key]
            return self._picked(owner, key)
        if isinstance(owner, _PLAIN) and not isinstance(key, (Node, Unknown)):
            try:
                found = owner[key]  # type: ignore[index]
                others = at_unknown_keys(owner, UNKNOWN_KEY) if isinstance(owner, dict) else []
                return merged(self.graph, [found, *others]) if others else found
            except Exception:  # a KeyError of the program under test, or a key we made up
                if isinstance(owner, dict) and isinstance(key, (str, int)):
                    if at_unknown_keys(owner, UNKNOWN_KEY):
                        return self.perhaps_at(owner, key, [])
                    return self.free(str(key))  # kwargs["backend"]: the caller passes it
                if isinstance(owner, (list, tuple, range)) and isinstance(key, int):
                    self.raises()
                return Unknown(tuple(dependencies(owner)), "no such element")
        if isinstance(owner, (list, tuple)) and owner:
            return merged(self.graph, list(owner))
        if isinstance(key, str) and isinstance(owner, Unknown) and key in ("backend", "K"):
            return Api("keras.backend")
        return Unknown(tuple(dependencies((owner, key))), "an element of something unknown")

    def element_of(self, owner: Any, index: int | None = None, count: int | None = None) -> Any:
        """One element met while iterating over ``owner`` or unpacking it."""
        if index is not None and hasattr(owner, "getitem"):
            return owner.getitem(self.graph, index)
        if isinstance(owner, Node):
            if owner.op == "source" and owner.attrs["role"] in ("argument", "input", "captured", "config"):
                return self.free(f"{owner.attrs['name']}.{index if index is not None else 'element'}", owner)
            if owner.op == "model" or (owner.op == "opaque" and owner.shape.min_rank == 0):
                # several outputs, or a tuple of something unknown
                part = {"part": self.graph.place(index)}
                return self.graph.op(owner.op, *owner.inputs, **(owner.attrs | part))
            if index is not None and count is not None:
                return self.graph.op("unstack", owner, index=index, count=count, axis=0)
            return self.graph.op("index", owner, key=(Unknown(),))
        if isinstance(owner, SomeOf):
            return self._picked(owner, index)
        known = self.elements(owner)
        if known:
            return merged(self.graph, list(known))
        return Unknown(tuple(dependencies(owner)), "an element of something unknown")

    def _picked(self, owner: SomeOf, key: Any) -> Any:
        """The element at ``key``, or any one: it may be another one each time."""
        if not owner:
            return Unknown((), "an element of an unknown list")
        return self.graph.apart(merged(self.graph, list(owner)), (owner.serial, self.graph.place(key)))

    def perhaps_at(self, owner: dict[Any, Any], key: Any, known: list[Any]) -> Any:
        """What ``owner`` holds at ``key``: what is ``known``, or stands at a key that is not."""
        items = [*known, *at_unknown_keys(owner, UNKNOWN_KEY)]
        return self.graph.apart(merged(self.graph, items), (id(owner), key))

    def elements(self, value: Any) -> list[Any] | None:
        """The elements of a container whose length is known, else None."""
        if isinstance(value, SomeOf):
            return value
        if isinstance(value, (list, tuple, range, str, set)):
            return list(value)
        if isinstance(value, dict):
            return SomeOf(value) if at_unknown_keys(value) else list(value)
        if isinstance(value, Node) and value.op == "range":
            ends = [constant(x) for x in value.inputs]
            if all(end is not None and end == int(end) for end in ends):
                steps = range(*(int(end) for end in ends if end is not None))
                return list(steps) if len(steps) <= _UNROLLED else None
        if hasattr(value, "known_elements"):
            known: list[Any] | None = value.known_elements(self.graph)
            return known
        return None

    # -- operators -------------------------------------------------------------------------------------------------
    def _eval_BinaryOperation(self, tree: cst.BinaryOperation) -> Any:
        left, right = self.eval(tree.left), self.eval(tree.right)
        with self.graph.at(self.site(tree)):
            return self.binary(type(tree.operator).__name__, left, right)

    def binary(self, name: str, left: Any, right: Any) -> Any:
        """``left <operator> right``; ``name`` is libcst's ("Add", "Power")."""
        primitive, fold = _BINARY[name]
        if name == "Add" and are_lists(left, right):
            return self.held(SomeOf([v for x in (left, right) for v in (x if isinstance(x, (list, tuple)) else [x])]))
        if name == "Add" and (isinstance(left, ShapeValue) or isinstance(right, ShapeValue)):
            lists = [None if isinstance(x, SomeOf) else self.elements(x) for x in (left, right)]
            if None not in lists:
                return [item for items in lists for item in items or ()]
            return self.graph.op("concat", shape_node(self.graph, left), shape_node(self.graph, right), axis=0)
        if name in _BITWISE and any(isinstance(x, int) and not isinstance(x, bool) for x in (left, right)):
            primitive = ""  # of numbers, no logic
        if name == "Multiply" and (repeated := repeated_list(left, right)) is not None:
            return self.held(SomeOf(repeated))
        special = {"Add": "__add__", "Subtract": "__sub__", "Multiply": "__mul__"}.get(name)
        if isinstance(left, Instance) and special and isinstance(left.cls.find(special), Function):
            return self.call(left.cls.find(special).bind(left), [right], {})
        if isinstance(left, Node) or isinstance(right, Node):
            return (
                self.graph.op(primitive, left, right)
                if primitive
                else self.graph.opaque(dependencies((left, right)), name)
            )
        if is_huge(name, left, right):
            return Unknown((), "a huge value")
        if isinstance(left, _PLAIN) and isinstance(right, _PLAIN):
            try:
                return self.held(fold(left, right))
            except Exception:  # the program under test would raise
                return Unknown(tuple(dependencies((left, right))), "an operation that fails")
        if isinstance(left, Instance) or isinstance(right, Instance):
            return Unknown(tuple(dependencies((left, right))), "an operator of an object")
        return Unknown(tuple(dependencies((left, right))), "an operand is unknown")

    def _eval_UnaryOperation(self, tree: cst.UnaryOperation) -> Any:
        value, kind = self.eval(tree.expression), type(tree.operator).__name__
        with self.graph.at(self.site(tree)):
            if kind == "Not":
                truth = self.truth(self.asked("not", tree.expression, value))
                if truth is not None:
                    return not truth
                return (
                    self.graph.op("not", value)
                    if isinstance(value, Node)
                    else Unknown(tuple(dependencies(value)), "not")
                )
            if isinstance(value, Node):
                primitive = {"Minus": "neg", "Plus": "identity", "BitInvert": "not"}[kind]
                if kind == "BitInvert" and is_count(value):
                    return self.graph.opaque((value,), "bits of a number")
                return self.graph.op(primitive, value)
            if isinstance(value, (int, float)):
                return -value if kind == "Minus" else +value if kind == "Plus" else Unknown()
        return Unknown(tuple(dependencies(value)), "an operand is unknown")

    def _eval_Comparison(self, tree: cst.Comparison) -> Any:
        left, result = self.eval(tree.left), None
        for target in tree.comparisons:
            right = self.eval(target.comparator)
            with self.graph.at(self.site(tree)):
                value = self._compare(type(target.operator).__name__, left, right)
                result = value if result is None else self._both(self.asked("and", tree, result), value)
            left = right
        return result

    def _compare(self, name: str, left: Any, right: Any) -> Any:
        if name in ("Is", "IsNot"):
            if isinstance(left, Node) and left.op == "static_dim" and right is None:
                left.attrs["guarded"] = True  # the code knows that this extent may be missing
                return Unknown((), "whether an extent is known")
            known = self._identical(left, right)
            return Unknown(tuple(dependencies((left, right)))) if known is None else known is (name == "Is")
        if name in ("In", "NotIn"):
            if isinstance(right, (list, tuple, dict, str, set, range)) and isinstance(left, (str, int, float)):
                with contextlib.suppress(TypeError):
                    found = left in right
                    if isinstance(right, str) or (not isinstance(right, SomeOf) and (found or is_known(right))):
                        return found is (name == "In")
            return Unknown(tuple(dependencies((left, right))))
        primitive, fold = _COMPARE[name]
        left, right = _counted(left), _counted(right)
        if {type(left), type(right)} == {list, tuple}:  # part of a shape, which equals both
            left, right = tuple(left), tuple(right)
        if isinstance(left, Node) or isinstance(right, Node):
            if left is None or right is None:
                return name == "NotEqual"
            if isinstance(left, str) or isinstance(right, str):
                return Unknown(tuple(dependencies((left, right))))
            if name in ("Equal", "NotEqual") and _is_extent(left) and _is_extent(right):
                for extent in (left, right):
                    extent.attrs["harmless"] = True  # "x.shape[0] != y.shape[0]" holds for None as for numbers
            return self.graph.op(primitive, left, right)
        if isinstance(left, _PLAIN) and isinstance(right, _PLAIN) and is_known(left) and is_known(right):
            try:
                return bool(fold(left, right))
            except Exception:
                return Unknown()
        return Unknown(tuple(dependencies((left, right))))

    def _identical(self, left: Any, right: Any) -> bool | None:
        if right is None or left is None:
            other = left if right is None else right
            if other is None:
                return True
            if isinstance(other, Unknown) or (
                isinstance(other, Node) and other.op == "source" and other.attrs["role"] in ("config", "captured")
            ):
                return None
            return False
        return left is right if isinstance(left, bool) and isinstance(right, bool) else None

    def _both(self, left: Any, right: Any) -> Any:
        truth = self.truth(left)
        if truth is not None:
            return right if truth else left
        return Unknown(tuple(dependencies((left, right))))

    def _eval_BooleanOperation(self, tree: cst.BooleanOperation) -> Any:
        is_and = isinstance(tree.operator, cst.And)
        left = self.asked("and" if is_and else "or", tree.left, self.eval(tree.left))
        truth = self.truth(left)
        if truth is not None:
            return self.eval(tree.right) if truth is is_and else left
        right = self.eval(tree.right)
        if not is_and and isinstance(left, Node) and left.op == "static_dim":
            left.attrs["guarded"] = True  # "x.shape[0] or tf.shape(x)[0]": the code knows that it may be missing
            return right
        if self.truth(right) is (not is_and) and not isinstance(right, Node):
            if is_and or isinstance(right, bool):
                return right
            value = merged(self.graph, [left, right])
            if isinstance(value, Node) and value.op == "join":
                value.attrs["truth"] = True  # "x or 5": one or the other, and true in any case
            return value
        return Unknown(tuple(dependencies((left, right))), "and/or of something undecided")

    def truth(self, value: Any) -> bool | None:
        """``bool(value)`` where that is decided, else None."""
        if isinstance(value, Node):
            if value.op == "const" and not value.shape.min_rank:
                return bool(value.attrs["value"])
            return value.attrs.get("truth")
        if isinstance(value, (Unknown, SomeOf)) or (isinstance(value, dict) and at_unknown_keys(value)):
            return None
        if isinstance(value, _PLAIN):
            return bool(value)
        return True

    def asked(self, how: str, tree: cst.BaseExpression, value: Any) -> Any:
        """``value``, whose truth Python asks for: what is no plain Python value leaves a happening."""
        if isinstance(value, Node) and value.op != "const":
            self.note("branch", self.site(tree), value, name=how)
        return value

    def _eval_IfExp(self, tree: cst.IfExp) -> Any:
        truth = self.truth(self.asked("if expression", tree.test, self.eval(tree.test)))
        if truth is not None:
            return self.eval(tree.body if truth else tree.orelse)
        with self.graph.at(self.site(tree)):
            return merged(self.graph, [self.eval(tree.body), self.eval(tree.orelse)])

    def _eval_NamedExpr(self, tree: cst.NamedExpr) -> Any:
        value = self.eval(tree.value)
        self.bind(tree.target, value)
        return value

    # -- containers ------------------------------------------------------------------------------------------------
    def held(self, value: Any) -> Any:
        """``value``, a container that was just made; Unknown where it is too large to be walked over."""
        return Unknown(tuple(dict.fromkeys(dependencies(value))), "a huge value") if is_heavy(value) else value

    def _sequence(self, tree: cst.Tuple | cst.List | cst.Set) -> list[Any]:
        items: list[Any] = []
        for element in tree.elements:
            value = self.eval(element.value)
            if isinstance(element, cst.StarredElement):
                known = self.elements(value)
                items.extend(known if known is not None else [self.element_of(value)])
            else:
                items.append(value)
        return items

    def _eval_Tuple(self, tree: cst.Tuple) -> Any:
        return self.held(tuple(self._sequence(tree)))

    def _eval_List(self, tree: cst.List) -> Any:
        return self.held(self._sequence(tree))

    def _eval_Set(self, tree: cst.Set) -> Any:
        return self.held(distinct(self._sequence(tree)))

    def _eval_Dict(self, tree: cst.Dict) -> Any:
        result: dict[Any, Any] = {}
        for element in tree.elements:
            value = self.eval(element.value)
            if isinstance(element, cst.DictElement):
                key = self.eval(element.key)
                result[key if isinstance(key, _KEYS) else f"{UNKNOWN_KEY}{len(result)}"] = value
            else:
                spread(result, value)
        return self.held(result)

    def _eval_Lambda(self, tree: cst.Lambda) -> Any:
        name = self.qualified("<lambda>")
        function = Function(tree, self.frame.slice, self.scope, name)  # type: ignore[arg-type]
        self.created.setdefault((self.frame.slice.path, name), function)
        return function

    def _comprehension(self, tree: cst.CompFor, make: Callable[[], Any]) -> list[Any]:
        items = self.eval(tree.iter)
        self.note("loop", self.site(tree.iter), items, name="comprehension")
        known = self.elements(items)
        turns = known if known is not None and len(known) <= _TURNS and not isinstance(known, SomeOf) else None
        results: list[Any] = SomeOf() if turns is None else []
        for item in turns if turns is not None else [self.element_of(items)]:
            self.step()
            self.bind(tree.target, item)
            tests = [self.truth(self.asked("if", c.test, self.eval(c.test))) for c in tree.ifs]
            if False in tests:
                continue
            if None in tests:
                results = SomeOf(results)
            inner = self._comprehension(tree.inner_for_in, make) if tree.inner_for_in is not None else [make()]
            results = SomeOf([*results, *inner]) if isinstance(inner, SomeOf) else results
            if not isinstance(inner, SomeOf):
                results.extend(inner)
        return results

    def _in_own_scope(self, tree: cst.CompFor, make: Callable[[], Any]) -> list[Any]:
        frame = self.frame
        kept, frame.scope = frame.scope, Scope(frame.scope, frame.scope.function)
        try:
            return self._comprehension(tree, make)
        finally:
            frame.scope = kept

    def _eval_ListComp(self, tree: cst.ListComp) -> Any:
        return self.held(self._in_own_scope(tree.for_in, lambda: self.eval(tree.elt)))

    _eval_GeneratorExp = _eval_ListComp
    _eval_SetComp = _eval_ListComp

    def _eval_DictComp(self, tree: cst.DictComp) -> Any:
        pairs = self._in_own_scope(tree.for_in, lambda: (self.eval(tree.key), self.eval(tree.value)))
        made = {k if isinstance(k, _KEYS) else f"{UNKNOWN_KEY}{i}": v for i, (k, v) in enumerate(pairs)}
        return self.held(made)

    def _eval_Yield(self, tree: cst.Yield) -> Any:
        if isinstance(tree.value, cst.BaseExpression):
            self.eval(tree.value)
        return Unknown((), "yield")

    def _eval_Await(self, tree: cst.Await) -> Any:
        return self.eval(tree.expression)


_BITWISE = frozenset({"BitAnd", "BitOr", "BitXor"})


def _counted(value: Any) -> Any:
    """How many axes a tensor has, where that is known, as a number."""
    dim = value.attrs.get("dim") if isinstance(value, Node) and value.op == "rank_of" else None
    return value if dim is None or dim.value is None else dim.value


def _is_extent(value: Any) -> TypeGuard[Node]:
    return isinstance(value, Node) and value.op == "static_dim"
