"""Inline losses: what a training step or a script computes before it differentiates, as a function of its own.

The function holds the statements before the differentiated expression that contribute to it, on the way that leads
there: loops over data are entered once, tapes and other contexts are stepped into, the branch that holds it is taken.
Arguments of the step, targets of those loops and outputs of models become its parameters.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from losslint.confirm.backward import Block, reads, sliced
from losslint.confirm.jobs import Place, Step
from losslint.confirm.layout import laid_out
from losslint.confirm.loader import CannotLoad
from losslint.confirm.toplevel import stores, with_fields
from losslint.frontend.names import is_model_name
from losslint.sources import split_lines

Function = ast.FunctionDef | ast.AsyncFunctionDef
_DIFFERENTIATING = frozenset(
    "gradient gradients jacobian batch_jacobian minimize compute_gradients add_loss get_updates get_scaled_loss".split()
)
_TARGETS = ("target", "loss", "losses", "ys")
_DATA = frozenset("next __next__ get_next load_data next_batch get_batch as_numpy_iterator".split())
"""Calls that yield data: what they return is given to the function instead."""
_INPUTS = frozenset(("placeholder", "Input"))
"""Calls that declare arguments."""


@dataclass
class Inline:
    """The function that computes an inline loss; ``parameters`` are (name, "argument", "model" or "loop")."""

    function: ast.FunctionDef
    parameters: list[tuple[str, str]]
    owner: str = ""  # the class whose instance its first argument is
    text: dict[int, str] | None = None  # its source by row, each statement where the user wrote it; None: none is had
    notes: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # name of the output of a model -> the row of its call


class NoInline(CannotLoad):
    """The place of a step does not hold what can be computed; the message says why."""


def inline(tree: ast.Module, step: Step, text: str = "") -> Inline:
    """The function that computes the expression at ``step.target``. Raises NoInline.

    Columns count characters, those of ``ast`` bytes: ``text``, the source of ``tree``, tells them apart.
    """
    lines = split_lines(text)
    first = _inline(copy.deepcopy(tree), step, lines, None)
    nodes = list(ast.walk(first.function))
    asked = {n.value.id for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
    tapes = {n.lineno for n in nodes if isinstance(n, ast.stmt) and _opens_tape(n, asked)}
    return _inline(copy.deepcopy(tree), step, lines, tapes)


def compile_call(tree: ast.Module, step: Step, text: str) -> tuple[Inline, ast.expr]:
    """The function that returns the model and the loss of the call of ``compile`` at ``step.target``, and that loss.

    Raises NoInline.
    """
    tree, lines = copy.deepcopy(tree), split_lines(text)
    chain = _chain(tree, step)
    root: ast.AST = chain[-1] if chain else tree
    calls = [n for n in ast.walk(root) if isinstance(n, ast.Call) and _is_at(n, step.target, lines)]
    call = next((c for c in calls if isinstance(c.func, ast.Attribute)), None)
    given = [k.value for k in call.keywords if k.arg == "loss"] + call.args[1:2] if call is not None else []
    if call is None or not given:
        raise NoInline(f"there is no call of compile with a loss at line {step.target.row}")
    assert isinstance(call.func, ast.Attribute)
    pair = ast.copy_location(ast.Tuple([call.func.value, given[0]], ast.Load()), call)
    _Replace({id(call): pair}).visit(root)
    return _Maker(chain).make(tree, pair), given[0]


def _inline(tree: ast.Module, step: Step, lines: list[str], tapes: set[int] | None) -> Inline:
    """The inline loss whose models are replaced, unless a tape at one of the rows ``tapes`` differentiates them.

    With None none is: that tells which tapes the loss needs itself.
    """
    chain = _chain(tree, step)
    root: ast.AST = chain[-1] if chain else tree
    place = _expression(root, step.target, lines)
    models = [] if tapes is None else list(_models(tree, root, step, lines, tapes))
    made = _Maker(chain)
    found = made.make(tree, made.replace_models(root, place, models))
    found.text = laid_out(found.function, lines, made.replaced)
    return found


def _opens_tape(statement: ast.stmt, asked: set[str]) -> bool:
    """Whether ``statement`` steps into what may be a tape, itself or as ``_named`` writes it.

    That is what is called one, or is ``asked`` for something.
    """
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        contexts = [(item.context_expr, item.optional_vars) for item in statement.items]
    elif isinstance(statement, ast.Assign) and ast.unparse(statement.value).endswith(".__enter__()"):
        contexts = [(statement.value, statement.targets[0])]
    else:
        return False
    names = {getattr(name, "id", "") for _, name in contexts}
    return bool(names & asked) or any("tape" in ast.unparse(context).lower() for context, _ in contexts)


def _models(tree: ast.Module, root: ast.AST, step: Step, lines: list[str], tapes: set[int]) -> Iterator[ast.expr]:
    """The expressions in ``root`` that are outputs of models: at the places of ``step``, or by their names."""
    kept: set[int] = set()
    for node in ast.walk(root):
        taped = isinstance(node, (ast.With, ast.AsyncWith)) and node.lineno in tapes
        taking = isinstance(node, (ast.FunctionDef, ast.Lambda)) and node is not root and _takes(node)
        if taped or taking:  # what is called more than once, or differentiated by its input, is no mere output
            kept.update(map(id, ast.walk(node)))
    found: list[ast.expr] = []
    for node in ast.walk(root):
        if id(node) in kept:
            continue
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if any(_is_at(t, place, lines) for t in node.targets for place in step.models):
                found.append(node.value)  # a, b = model(x)
        elif any(_is_at(node, place, lines) for place in step.models):
            assert isinstance(node, ast.expr)
            found += [node] if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) else []
    if not step.models:
        defined = {n for s in tree.body if not isinstance(s, ast.Assign) for n in stores(s)}
        calls = [n for n in ast.walk(root) if isinstance(n, ast.Call) and id(n) not in kept]
        found = [c for c in calls if _is_model(c.func, defined)]
    yield from found


def _takes(function: ast.FunctionDef | ast.Lambda) -> bool:
    return bool(function.args.args or function.args.vararg)


def _is_model(function: ast.expr, defined: set[str]) -> bool:
    """Whether the name of what is called says that it is a model: ``net``, ``self.encoder``, ``self``."""
    if isinstance(function, ast.Attribute):
        return getattr(function.value, "id", "") == "self" and is_model_name(function.attr)
    name = function.id if isinstance(function, ast.Name) else ""
    return name not in defined and (name == "self" or is_model_name(name))


def computing(function: Function, name: str, cls: str) -> ast.FunctionDef:
    """The part of ``function``, a method of ``cls``, that computes ``self.name``; it returns that."""
    function = copy.deepcopy(function)
    own = function.args.args[0].arg
    value = ast.Attribute(ast.Name(own, ast.Load()), name, ast.Load())
    last = ast.copy_location(ast.Return(value), function.body[-1])
    body, needed = sliced([*function.body, last], set())
    return _function(function.name, body, [own], [function], needed, cls)


def _chain(tree: ast.Module, step: Step) -> list[ast.stmt]:
    """The definitions that lead to the function of ``step``, those that hold its place."""
    if step.function == "<module>":
        return []
    chain: list[ast.stmt] = []
    body: ast.AST = tree
    for name in step.function.replace(".<locals>", "").split("."):
        found = [
            n
            for n in ast.walk(body)
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and n is not body
            and n.name == name
            and n.lineno <= step.target.row <= (n.end_lineno or n.lineno)
        ]
        if not found:
            raise NoInline(f"there is no {step.function} around line {step.target.row}")
        chain.append(found[0])
        body = found[0]
    return chain


def _expression(root: ast.AST, place: Place, lines: list[str]) -> ast.expr:
    """The expression at ``place``, or the loss in the call there that differentiates it."""
    expressions = [n for n in ast.walk(root) if isinstance(n, ast.expr)]
    found = [n for n in expressions if _is_at(n, place, lines)]
    start = place.row, _bytes(lines, place.row, place.column)
    found = found or [n for n in expressions if (n.lineno, n.col_offset) == start]  # parentheses, say
    if not found:
        raise NoInline(f"there is no expression at line {place.row}, column {place.column}")
    node = found[0]
    name = getattr(getattr(node, "func", None), "attr", "")
    if isinstance(node, ast.Call) and name in _DIFFERENTIATING:
        keywords = {k.arg: k.value for k in node.keywords}
        given = [keywords[k] for k in _TARGETS if k in keywords] + node.args
        if not given:
            raise NoInline(f"{name} is called without a loss, line {place.row}")
        node = given[0]
    return node.body if isinstance(node, ast.Lambda) else node


def _value(place: ast.expr, root: ast.AST) -> ast.expr:
    """What is differentiated: ``minimize(loss)`` calls a ``loss`` that is a function."""
    functions = [n for n in ast.walk(root) if isinstance(n, ast.FunctionDef) and n is not root]
    if isinstance(place, ast.Name) and any(f.name == place.id and not f.args.args for f in functions):
        return ast.copy_location(ast.Call(place, [], []), place)
    return place


def _is_at(node: ast.AST, place: Place, lines: list[str]) -> bool:
    if not isinstance(node, ast.expr):
        return False
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return start == (place.row, _bytes(lines, place.row, place.column)) and end == (
        place.end_row,
        _bytes(lines, place.end_row, place.end_column),
    )


def _bytes(lines: list[str], row: int, column: int) -> int:
    """The offset in bytes of a column in characters."""
    return len(lines[row - 1][: column - 1].encode()) if 0 < row <= len(lines) else column - 1


class _Maker:
    """Builds the function from the inside out; each level around the place is a function or the script."""

    def __init__(self, chain: list[ast.stmt]) -> None:
        self._chain = chain
        self._models: list[str] = []
        self._rows: dict[str, int] = {}  # name of the one output of a model -> the row of its call
        self.replaced: dict[int, str] = {}  # id of a node that stands for the output of a model -> its name
        self._loops: list[str] = []
        self._notes: list[str] = []
        self._unpacked: list[str] = []
        self._given: set[str] = set()  # the arguments of the level that is looked at

    def replace_models(self, root: ast.AST, place: ast.expr, calls: list[ast.expr]) -> ast.expr:
        """Put a parameter in the place of each call of a model, the result's own name where it has one.

        Returns what now stands at ``place``.
        """
        arguments = {a.arg for a in ast.walk(root) if isinstance(a, ast.arg)}
        ordered = sorted(calls, key=lambda c: (c.lineno, c.col_offset))
        names: dict[int, ast.AST] = {}
        for call in ordered:
            own = next((s for s in ast.walk(root) if isinstance(s, ast.Assign) and s.value is call), None)
            bound = own.targets[:1] if own is not None else []
            plain = [n for t in bound for n in getattr(t, "elts", [t]) if isinstance(n, ast.Name)]
            whole = bool(bound) and len(plain) == len(list(stores(bound[0])))
            words = [n.id for n in plain]
            if own is not None and whole and words and not {*words} & {*self._models, *arguments}:
                self._models += words
                self._rows |= {words[0]: call.lineno} if len(words) == 1 else {}
                names[id(own)] = ast.copy_location(ast.Pass(), own)
                continue
            name = self._fresh(call, arguments | set(stores(root)))
            names[id(call)] = ast.copy_location(ast.Name(name, ast.Load()), call)
            self.replaced[id(names[id(call)])] = name
            self._models.append(name)
            self._rows[name] = call.lineno
        _Replace(names).visit(root)
        found = names.get(id(place), place)
        assert isinstance(found, ast.expr)
        return found

    def _fresh(self, call: ast.expr, taken: set[str]) -> str:
        """A name for the output of ``call``: "critic_output" where ``critic`` is called."""
        function = getattr(call, "func", call)
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "model")
        base = f"{'model' if called in ('self', '__call__', 'call', 'predict') else called.strip('_')}_output"
        name, count = base, 1
        while name in taken or name in self._models:
            count += 1
            name = f"{base}{count}"
        return name

    def make(self, tree: ast.Module, target: ast.expr) -> Inline:
        """The function that returns what stands at ``target``."""
        value = _value(target, self._chain[-1] if self._chain else tree)
        last: ast.stmt = ast.copy_location(ast.Return(value), target)
        functions = [d for d in self._chain if not isinstance(d, ast.ClassDef)]
        body: Block = []
        needed: set[str] = set()
        found: dict[str, str] = {}
        place: ast.AST = target
        for level in [*reversed(functions), tree]:
            assert isinstance(level, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module))
            self._given = set(_arguments(level))
            before = self._way(level.body, place)
            script = level is tree
            if script and functions:
                break  # the globals come from the module
            kept, needed = sliced([*before, *([last] if place is target else [])], needed)
            if script:
                kept = self._less_globals(kept, level.body)
                needed = sliced(kept, set())[1]
            body = kept + body
            for name, role in self._open(level, needed, script):
                found.setdefault(name, role)
            needed -= set(found)
            place = level
        owner, own = self._self(functions)
        name = functions[-1].name if functions else "script"  # type: ignore[attr-defined]
        required = [n for n in found if n not in _defaults(functions) and n not in own]
        made = _function(name, body, [*own, *required], functions, set(found), owner.rpartition(".")[2])
        return Inline(made, [(n, found[n]) for n in required], owner, notes=self._notes, rows=self._rows)

    def _self(self, functions: list[ast.stmt]) -> tuple[str, list[str]]:
        """The class of the method that holds the place, and what it calls its instance."""
        words: list[str] = []
        for outer, inner in zip([None, *self._chain], self._chain, strict=False):
            if isinstance(outer, ast.ClassDef) and isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in inner.decorator_list)
                if not static and inner.args.args:
                    return "".join(words), [inner.args.args[0].arg]
            joint = "" if outer is None else "." if isinstance(outer, ast.ClassDef) else ".<locals>."
            words.append(f"{joint}{inner.name}")  # type: ignore[attr-defined]
        return "", []

    def _way(self, body: Block, place: ast.AST) -> Block:
        """The statements before ``place`` on the way that leads there."""
        index = _index(body, place)
        statements = [p for s in body[:index] for p in self._data(s)]
        if index == len(body) or isinstance(body[index], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return statements
        holder = body[index]
        if isinstance(holder, (ast.For, ast.AsyncFor)) and not _holds(holder.iter, place):
            self._loops += stores(holder.target)
            self._notes.append(f"the loop at line {holder.lineno} is entered once")
        for block in _blocks(holder):
            if any(_holds(s, place) for s in block):
                inner = self._way(block, place)
                if isinstance(holder, (ast.With, ast.AsyncWith)):
                    # contexts are stepped into; what one is called may be needed
                    inner = [*(_named(i, holder) for i in holder.items if i.optional_vars is not None), *inner]
                return statements + inner
        return statements

    def _data(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        """``statement`` unless it fetches data or unpacks an argument: then what it binds is given."""
        value = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(value, ast.Call):
            function = value.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in _DATA or name in _INPUTS:
                (self._loops if name in _DATA else self._unpacked).extend(stores(statement))
                return
            value = value.args[0] if name.startswith("unpack_x_y") and value.args else None
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Tuple, ast.List)):
            names = statement.targets[0].elts
            if isinstance(value, ast.Name) and value.id in self._given and all(isinstance(n, ast.Name) for n in names):
                self._unpacked += stores(statement)
                return
        yield statement

    def _less_globals(self, kept: Block, top: Block) -> Block:
        """Of a script, what depends on a parameter; the rest of its top level is run where it is looked up."""
        given = {*self._models, *self._loops, *self._unpacked}
        inside = [s for s in kept if not any(s is t or s.lineno == t.lineno for t in top)]
        stay = list(inside)
        bound = {n for s in inside for n in stores(s)}
        before = -1
        while before != len(stay):
            before = len(stay)
            for statement in kept:
                own = set(stores(statement))
                moved = reads(statement) & (given | bound) or own & bound
                if statement not in stay and (moved or isinstance(statement, ast.Return)):
                    stay.append(statement)
                    bound |= own
        rows = [s.lineno for s in stay]
        between = [
            s
            for s in top
            if isinstance(s, ast.FunctionDef) and not s.decorator_list and min(rows) < s.lineno < max(rows)
        ]  # they become part of the function, whose text they would interrupt
        return sorted([s for s in kept if s in stay] + [s for s in between if s not in stay], key=lambda s: s.lineno)

    def _open(self, level: ast.AST, needed: set[str], script: bool) -> Iterator[tuple[str, str]]:
        """The names of ``level`` that are needed and not computed, with their roles."""
        arguments = _arguments(level)
        yield from ((n, "argument") for n in [*arguments, *self._unpacked] if n in needed)
        local = {n for s in getattr(level, "body", ()) for n in stores(s)}
        for name in [*self._models, *self._loops]:
            if name in needed and (name in local or name in self._models):
                yield name, "model" if name in self._models else "loop"
        if not script:
            yield from ((n, "loop") for n in sorted(needed & local) if n not in arguments)


class _Replace(ast.NodeTransformer):
    """Puts other nodes in the place of some."""

    def __init__(self, others: dict[int, ast.AST]) -> None:
        self._others = others

    def visit(self, node: ast.AST) -> ast.AST:
        """``node``, or what replaces it."""
        found = self._others.get(id(node))
        if found is not None:
            return found
        visited: ast.AST = self.generic_visit(node)
        return visited


class _Outside(ast.NodeTransformer):
    """Makes the body of a method run outside of its class: ``super()`` and private names know the class no more."""

    def __init__(self, cls: str, own: str) -> None:
        self._class, self._own = cls, own

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """``super()`` with its arguments."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            node.args = [ast.Name(self._class, ast.Load()), ast.Name(self._own, ast.Load())]
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``self.__x`` as the class calls it."""
        self.generic_visit(node)
        if node.attr.startswith("__") and not node.attr.endswith("__"):
            node.attr = f"_{self._class.lstrip('_')}{node.attr}"
        return node


def _function(
    name: str, body: Block, required: list[str], functions: Iterable[ast.AST], needed: set[str], cls: str
) -> ast.FunctionDef:
    """A function of ``required`` arguments, and of those of ``functions`` that are needed and have defaults."""
    defaults = {n: d for n, d in _defaults(functions).items() if n in needed and n not in required}
    plain = [n for f in functions for n in _arguments(f) if n in needed and n not in {*required, *defaults}]
    names = [*required, *dict.fromkeys(plain), *defaults]
    args = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, list(defaults.values()))
    made: ast.FunctionDef = ast.parse("def f(): pass").body[0]  # type: ignore[assignment]
    made = with_fields(made, name=name, args=args, body=body)
    made.lineno = made.end_lineno = _row_before(body, functions)
    if cls and required:
        _Outside(cls, required[0]).visit(made)
    return ast.fix_missing_locations(made)


def _row_before(body: Block, functions: Iterable[ast.AST]) -> int:
    """A row for the ``def``: that of the outermost function, if it comes before the first statement."""
    first = min(s.lineno for s in body)
    return min([max(first - 1, 1), *(f.lineno for f in functions if isinstance(f, ast.FunctionDef))])


def _arguments(function: ast.AST) -> list[str]:
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    args = function.args
    return [a.arg for a in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg) if a is not None]


def _defaults(functions: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """The arguments of ``functions`` that have a default."""
    found: dict[str, ast.expr] = {}
    for function in functions:
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            args = function.args
            plain = [*args.posonlyargs, *args.args]
            if args.defaults:
                found.update((a.arg, d) for a, d in zip(plain[-len(args.defaults) :], args.defaults, strict=True))
            pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
            found.update((a.arg, d) for a, d in pairs if d is not None)
    return found


def _named(item: ast.withitem, at: ast.stmt) -> ast.stmt:
    """``name = context().__enter__()`` of a context that is stepped into."""
    enter = ast.Call(ast.Attribute(item.context_expr, "__enter__", ast.Load()), [], [])
    assert item.optional_vars is not None
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([item.optional_vars], enter), at))


def _index(body: Block, place: ast.AST) -> int:
    return next((i for i, s in enumerate(body) if _holds(s, place)), len(body))


def _holds(node: ast.AST, place: ast.AST) -> bool:
    return any(n is place for n in ast.walk(node))


def _blocks(statement: ast.AST) -> Iterator[Block]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, None) or []
    for inner in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield inner.body
