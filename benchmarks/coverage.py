"""How much of what losses call the catalogue knows, and of how many losses all facts are known.

usage: python -m benchmarks.coverage PATH... [--misses N] [--names FILE] [--jobs N]

Every place where a loss of PATH (a repository each) calls something that is not Python's own and not the tree's own is
counted once, by the worst that became of it; metrics are left out. Operators and what is followed into the tree are no
calls; models and layers are, and are told apart, because all that is known of them is that they work row by row.

The share is of calls that the catalogue answers: `known` and `given` below, of all but `outside` and `model`.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from losslint import discovery, engine, passport, session, sources
from losslint.frontend.project import Project
from losslint.graph import Node, Unknown, ancestors
from losslint.interpreter.builtins import BUILTINS
from losslint.interpreter.standard import STANDARD
from losslint.interpreter.values import dependencies
from losslint.loss import Happening, Loss, flatten
from losslint.ops.registry import CATALOGUE, METHODS, outside
from losslint.settings import Resolver

OUTCOMES = {
    "known": "a catalogued function, and what it returns is known",
    "given": "a catalogued function of arguments that are not known, so neither is what it returns",
    "model": "a model or a layer",
    "outside": "known to be nothing the catalogue could know: files, plots, other frameworks",
    "opaque": "a catalogued function whose result is not followed",
    "failed": "a catalogued function whose expansion did not accept the arguments",
    "missing": "a library's function that is not catalogued",
    "callable": "a callable of which nothing is known",
}
"""What becomes of a call, the best first."""
ORDER = list(OUTCOMES)
FOREIGN = {"torch", "jax", "openvino", "theano"}
"""Frameworks whose code the catalogue does not read."""
PYTHON = {name for kind in (str, list, dict, set, tuple, object) for name in dir(kind)} | {"_replace", "_asdict"}
"""Methods that a value has of which nothing is known but that it is a container or a text."""
ANSWERED, APART = ("known", "given"), ("outside", "model")
FACTS = ("rank", "law", "gradient", "coupling")


@dataclass
class Tally:
    """What was counted in one repository."""

    calls: dict[tuple[str, int, int, int], tuple[str, str]] = field(default_factory=dict)  # place -> outcome, name
    losses: dict[tuple[str, str, int], frozenset[str]] = field(default_factory=dict)  # place -> facts known
    failures: list[str] = field(default_factory=list)

    def outcomes(self) -> Counter[str]:
        return Counter(outcome for outcome, _ in self.calls.values())

    def facts(self) -> Counter[str]:
        found = Counter(fact for facts in self.losses.values() for fact in facts)
        found["all"] = sum(len(facts) == len(FACTS) for facts in self.losses.values())
        return found


def lost(value: Any) -> bool:
    """Whether some tensor in ``value`` is not followed."""
    if isinstance(value, (list, tuple)):
        return any(lost(item) for item in value)
    return value.op == "opaque" if isinstance(value, Node) else isinstance(value, Unknown) and bool(value.deps)


def outcome(call: Happening) -> str:
    """What became of ``call``."""
    result, name = call.result, call.name
    if (
        isinstance(result, Node)
        and result.op in ("model", "stop_gradient")
        and "model" in (result.op, *(n.op for n in result.inputs))
    ):
        return "model" if call.kind == "unfollowed" or name not in CATALOGUE else "known"
    foreign = {i.partition(".")[0] for i in call.site.module.module.survey.imports} & FOREIGN
    if outside(name) or (foreign and name not in CATALOGUE):
        return "outside"
    if call.kind == "unfollowed":
        return "given" if name.rpartition(".")[2] in METHODS else "callable"
    why = result.attrs["why"] if isinstance(result, Node) and result.op == "opaque" else getattr(result, "why", "")
    tensor = name.startswith("Tensor.") and name.removeprefix("Tensor.") in METHODS
    if not lost(result) and not isinstance(result, Unknown):
        return "known"
    if why in (f"{name} is not catalogued", f"method {name.removeprefix('Tensor.')}", name):
        return "missing"
    if lost([*call.args, *call.kwargs.values()]) or why == "called with arguments that are not known":
        return "given"
    if why.startswith(f"{name}: "):
        return "failed"
    return "opaque" if lost(result) or not (tensor or name in CATALOGUE) else "known"


def calls(loss: Loss) -> Iterator[Happening]:
    """The calls in ``loss``, without those at the top level of its file and those a training step makes beside it."""
    used = None if loss.whole else {n.id for n in ancestors(loss.results)}
    for happening in loss.happenings:
        module, _, short = happening.name.rpartition(".")
        python = (short in BUILTINS if module == "builtins" else happening.name in STANDARD) or (
            happening.kind == "unfollowed" and short in PYTHON
        )
        if happening.kind not in ("call", "unfollowed") or python:
            continue
        if used is not None:
            wanted = any(node.id in used for node in dependencies(happening.result))
        else:
            wanted = happening.site.function != "<module>"
        if wanted:
            yield happening


def known_facts(loss: Loss) -> frozenset[str]:
    """The facts of ``loss`` that are known; of a container, those of all its parts."""
    facts, parts = passport.passport(loss), list(flatten(loss.value))
    if not parts:
        return frozenset(FACTS if facts["structure"] != "unknown" else ())
    found = {"rank": all(p.shape.rank is not None for p in parts)}
    found["law"] = all(loss.laws.gradient(p).kind != "unknown" for p in parts)
    found["gradient"] = "unknown" not in facts["gradient"].values()
    found["coupling"] = all(loss.couplings.of(p).kind != "unknown" for p in parts)
    return frozenset(fact for fact, known in found.items() if known)


def count(path: str) -> Tally:
    """What is counted in the files of one repository."""
    tally, project = Tally(), Project()
    for target in discovery.find([path], Resolver({}, None, True)).targets:
        try:
            source = sources.read(target.path, target.filename)
            tree = sources.syntax_tree(source)
        except sources.Unreadable:
            continue
        module = session.module_of(source, tree, project)
        for loss in engine.losses(module, project, session.options_of(source, tree, target.settings)):
            if isinstance(loss, engine.Failure):
                tally.failures.append(f"{target.filename}: {loss.function}: {loss.reason}")
            elif not loss.is_metric:
                _add(tally, loss)
    return tally


def _add(tally: Tally, loss: Loss) -> None:
    span = loss.site.module.span(loss.site.tree)
    tally.losses[loss.site.module.path, loss.name, span.row] = known_facts(loss)
    for call in calls(loss):
        span = call.site.module.span(call.site.tree)
        place = (call.site.module.path, span.row, span.column, span.end_column)
        found = outcome(call), call.name
        tally.calls[place] = max(tally.calls.get(place, found), found, key=lambda x: ORDER.index(x[0]))


# -- what is printed ---------------------------------------------------------------------------------------------------


def share(outcomes: Counter[str]) -> str:
    """The share of calls that the catalogue answers, with what it is a share of."""
    of = sum(n for name, n in outcomes.items() if name not in APART)
    answered = sum(outcomes[name] for name in ANSWERED)
    return f"{100 * answered / of:5.1f} % ({answered}/{of})" if of else "-"


def row(title: str, outcomes: Counter[str], facts: Counter[str], losses: int) -> str:
    numbers = " | ".join(str(outcomes[name]) for name in ORDER)
    known = " | ".join(str(facts[name]) for name in (*FACTS, "all"))
    return f"| {title} | {share(outcomes)} | {numbers} | {losses} | {known} |"


def report(tallies: dict[str, Tally], misses: int) -> Iterator[str]:
    """The table, and the most frequent calls that are not answered."""
    heads = ["repository", "answered", *ORDER, "losses", *FACTS, "all facts"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    outcomes, facts, losses = Counter[str](), Counter[str](), 0
    missed: dict[str, Counter[str]] = defaultdict(Counter)
    for title, tally in tallies.items():
        yield row(title, tally.outcomes(), tally.facts(), len(tally.losses))
        outcomes, facts, losses = outcomes + tally.outcomes(), facts + tally.facts(), losses + len(tally.losses)
        for found, name in tally.calls.values():
            missed[found][name] += 1
    yield row("all", outcomes, facts, losses)
    yield ""
    yield from (f"{name}: {meaning}" for name, meaning in OUTCOMES.items())
    for name in ORDER[ORDER.index("outside") :]:
        yield f"\n{name}:"
        yield from (f"{n:5} {called}" for called, n in missed[name].most_common(misses))
    for tally in tallies.values():
        yield from tally.failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--misses", type=int, default=40, help="how many names to list of each kind")
    parser.add_argument("--names", type=Path, help="write the names of catalogued functions that losses call to a file")
    parser.add_argument("--where", help="list the places where this is called")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    gc.freeze()
    if arguments.jobs > 1:
        with ProcessPoolExecutor(arguments.jobs) as pool:
            counted = list(pool.map(count, arguments.paths))
    else:
        counted = [count(path) for path in arguments.paths]
    tallies = dict(zip((Path(p).name for p in arguments.paths), counted, strict=True))
    if arguments.names:
        names = {name for tally in counted for _, name in tally.calls.values() if name in CATALOGUE}
        arguments.names.write_text("".join(f"{name}\n" for name in sorted(names)))
    if arguments.where:
        for tally in counted:
            for (path, line, column, _), (found, name) in tally.calls.items():
                if name == arguments.where:
                    print(f"{path}:{line}:{column}: {found}")
        return
    print("\n".join(report(tallies, arguments.misses)))


if __name__ == "__main__":
    sys.exit(main())
