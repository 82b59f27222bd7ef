"""``math`` and the functions of Python itself that take numbers."""

from __future__ import annotations

import math
from typing import Any

from losslint.domain.shape import SCALAR
from losslint.graph import Graph, Node
from losslint.ops.axes import constant_of, unknown
from losslint.ops.catalogue.arrays import LOGARITHMS, binary, flat, hypot, reduction, registered, scaled, unary
from losslint.ops.origins import from_tensors
from losslint.ops.registry import api

_MATH_ONE = (
    "sqrt exp log1p expm1 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "floor ceil trunc erf erfc lgamma fabs"
)
for _name in _MATH_ONE.split():
    registered(_name, unary("abs" if _name == "fabs" else _name), getattr(math, _name), "math")
for _name, _primitive in {"isnan": "is_nan", "isinf": "is_inf", "isfinite": "is_finite"}.items():
    registered(_name, unary(_primitive), getattr(math, _name), "math")
for _name, _primitive in {"pow": "pow", "atan2": "atan2", "fmod": "mod"}.items():
    registered(_name, binary(_primitive), getattr(math, _name), "math")


def _log(g: Graph, x: Any, base: Any = None) -> Node:
    return g.op("log", x) if base is None else g.op("div", g.op("log", x), g.op("log", base))


def _gamma(g: Graph, x: Any) -> Node:
    return g.op("exp", g.op("lgamma", x))


registered("log", _log, math.log, "math")
registered("gamma", _gamma, math.gamma, "math")
registered("hypot", hypot, math.hypot, "math")
for _name, _factor in LOGARITHMS.items():
    registered(_name, scaled("log", _factor), getattr(math, _name), "math")
for _name in ("prod", "fsum"):
    registered(_name, reduction("prod" if _name == "prod" else "sum"), flat(getattr(math, _name)), "math")
for _name in ("factorial", "gcd", "comb", "isclose", "copysign", "degrees", "radians"):
    registered(_name, lambda g, *args, **kwargs: unknown(g, "math", args, kwargs), getattr(math, _name), "math")


def _builtin(short: str, kind: type) -> None:
    def expansion(g: Graph, x: Any = 0) -> Any:
        constant = constant_of(x)
        if isinstance(constant, (int, float)):
            return kind(constant)
        if not from_tensors(x):
            return x if short != "int" or not isinstance(x, Node) else g.op("trunc", x)
        return g.op("leaves_tensorflow", x, how=f"{short}()")

    api(f"builtins.{short}")(expansion)


_builtin("float", float)
_builtin("int", int)
_builtin("bool", bool)
api("builtins.abs")(lambda g, x: abs(x) if isinstance(x, (int, float)) else g.op("abs", x))
api("builtins.pow")(lambda g, base, exp, mod=None: g.op("pow", base, exp))
api("builtins.round")(lambda g, number, ndigits=None: g.op("round", number))
api("operator.index")(lambda g, a: a)


# -- random numbers and clocks -----------------------------------------------------------------------------------------
_DRAWS = "random uniform gauss normalvariate betavariate triangular randint randrange expovariate"
_CLOCKS = "time monotonic perf_counter process_time"
for _name in (*(f"random.{n}" for n in _DRAWS.split()), *(f"time.{n}" for n in _CLOCKS.split())):
    api(_name)(lambda g, *args, _name=_name, **kwargs: g.source(f"{_name}()", "config", SCALAR))
