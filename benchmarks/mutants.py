"""How many faults that are put into sound real losses losslint finds, and whether it is silent on the originals.

usage: python -m benchmarks.mutants LABELS.jsonl CHECKOUTS [--also FILE[::NAME] ...] [--rules CODE ...] [--keep FOLDER]
                                    [--show] [--jobs N]

Real bugs of some kinds are scarce, so each loss of the labelled corpus that is sound (no unsafe operation, a whole
gradient, no dependence on the batch size) is broken in every way that applies, one edit each. A mutant is kept only if
running it shows the fault and running the original does not; then the linter is asked, without knowing of the run. What
is counted is the rule that stands for the kind of fault, or one that says the same of it more precisely, at the
severity that the rule has for this consumer. Mutants live in a temporary copy of the checkouts.

``--also`` adds functions of other files, the named one or all that take labels and predictions: what is wrong with them
already, the run of the original shows. ``--rules`` makes the mutants of those rules only. ``--keep`` stores what each
run shows in FOLDER and runs nothing twice: after a change of the linter only the linter is asked again. After a change
of the confirmer, remove FOLDER.

Exit 0 where at least 95 % of the mutants of every rule are found and no original is reported for the same rule.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import hashlib
import json
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.confirmer import Row, locate
from benchmarks.mutations import Mutant, mutants, original
from losslint import session
from losslint.confirm import confirming, plan
from losslint.confirm.jobs import Claim, Place
from losslint.findings import CONFIRMED, Finding
from losslint.frontend.names import role_of
from losslint.settings import Resolver

AIM = 0.95
_UNSAFE = ("unsafe_log", "unsafe_div", "unsafe_sqrt", "unsafe_pow", "unsafe_exp", "unsafe_acos", "unsafe_library_call")


def is_sound(row: Row) -> bool:
    """Whether the labels find nothing wrong with the loss of ``row``."""
    labels = row["labels"]
    unsafe = any(labels.get(name) for name in _UNSAFE) or labels["batch_dependent"] != "no"
    blocked = labels.get("grad_blocked", "none") != "none" or (
        labels["non_scalar"] and not labels.get("keras_would_reduce")
    )
    return row["runnable"] and row["role"] == "loss" and not unsafe and not blocked


@dataclass
class Seen:
    """What a run shows."""

    shown: list[str] = field(default_factory=list)  # the codes that are confirmed
    total: float | None = None
    why: str = ""


@dataclass
class Case:
    """A text of a function, and what the linter and a run say of it."""

    row: Row
    mutant: Mutant
    said: dict[str, str]  # code -> severity
    seen: Seen = field(default_factory=Seen)

    @property
    def kind(self) -> str:
        """What was done to it; "" for the original."""
        return self.mutant.kind

    @property
    def codes(self) -> tuple[str, ...]:
        """The rules that were asked for."""
        return self.mutant.codes

    @property
    def shown(self) -> set[str]:
        """The rules whose fault a run shows."""
        return set(self.seen.shown)


class Memory:
    """What runs showed, a small file for each text in a folder; without a folder nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def _file(self, case: Case) -> Path | None:
        if self._folder is None:
            return None
        asked = json.dumps([case.row["file"], case.row["qualname"], case.codes, case.mutant.text])
        return self._folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"

    def recall(self, case: Case) -> bool:
        """Whether it was run before; then what was seen is put into ``case``."""
        file = self._file(case)
        if file is None or not file.exists():
            return False
        case.seen = Seen(**json.loads(file.read_text(encoding="utf-8")))
        return True

    def store(self, case: Case) -> None:
        """Remember what was seen."""
        file = self._file(case)
        if file is not None:
            file.write_text(json.dumps(dataclasses.asdict(case.seen)), encoding="utf-8")


def labelled(rows: list[Row], checkouts: Path) -> list[Row]:
    """The sound losses among ``rows``, each with its file below ``checkouts``."""
    return [row | {"file": str(locate(row, checkouts).relative_to(checkouts))} for row in rows if is_sound(row)]


def unlabelled(file: Path, name: str, root: Path) -> list[Row]:
    """Rows for the functions of ``file`` that take labels and predictions, or for the one called ``name``."""
    rows: list[Row] = []
    for qualified, node in _functions(ast.parse(file.read_text(encoding="utf-8"))):
        roles = {role_of(argument.arg) for argument in node.args.args}
        if name == qualified or (not name and {"label", "prediction"} <= roles and node.name != "__init__"):
            row = {"id": f"{file.stem}.{qualified}", "qualname": qualified, "file": str(file.relative_to(root.parent))}
            rows.append(row | {"line_start": node.lineno, "line_end": node.end_lineno})
    return rows


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods with their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node


def root_of(file: Path) -> Path:
    """The repository that ``file`` belongs to."""
    return next(
        (p for p in file.parents if any((p / n).exists() for n in (".git", "pyproject.toml", "setup.py"))), file.parent
    )


def planned(row: Row, path: Path, codes: tuple[str, ...], grown: int, resolver: Resolver) -> Any:
    """A job that asks for ``codes`` anywhere in the function of ``row``, which has ``grown`` rows more than it had."""
    end = row["line_end"] + grown
    for one in plan.for_path(str(path), row["qualname"], resolver.of(path.parent), False):
        if row["line_start"] <= one.row <= end:
            place = Place(row["line_start"], 1, end, 500)
            claims = tuple(Claim(code, str(path.absolute()), place) for code in codes)
            one.job = dataclasses.replace(one.job, claims=claims, probes=("output",))
            one.findings = []
            return one
    return None


def lint(path: Path, row: Row, grown: int, resolver: Resolver) -> dict[str, str]:
    """Code -> severity of what is said of the function of ``row``, which has ``grown`` rows more than it had."""
    found: list[Finding] = session.check([str(path)], resolver, jobs=1).findings
    rows = range(row["line_start"], row["line_end"] + grown + 1)
    said: dict[str, str] = {}
    for finding in sorted((f for f in found if f.span.row in rows), key=lambda f: f.severity):
        said[finding.code] = finding.severity.label
    return said


def total_of(result: dict[str, Any]) -> float | None:
    """The value of a loss at its first inputs."""
    value = (result.get("facts") or {}).get("output", {}).get("total")
    return value if isinstance(value, float) else None


def examined(rows: list[Row], work: Path, memory: Memory, jobs: int, rules: frozenset[str]) -> Iterator[Case]:
    """Every original and mutant, linted and run; only those of ``rules`` where there are any."""
    resolver = Resolver({"min-severity": "info"}, None, True)
    cases: dict[int, Case] = {}
    todo = []
    for row in rows:
        path = work / row["file"]
        loss = original(row, path)
        made = [m for m in mutants(loss) if not rules or m.codes[0] in rules] if loss is not None else []
        if loss is None or not made:
            continue
        everything = tuple(dict.fromkeys(code for mutant in made for code in mutant.codes))
        whole = Mutant("", everything, loss.text)
        for mutant in (whole, *made):
            path.write_text(mutant.text, encoding="utf-8")
            grown = mutant.text.count("\n") - loss.text.count("\n")
            case = Case(row, mutant, lint(path, row, grown, resolver))
            if memory.recall(case):
                yield case
            elif (one := planned(row, path, mutant.codes, grown, resolver)) is not None:
                cases[id(one)] = case
                todo.append(one)
        path.write_text(loss.text, encoding="utf-8")
    print(f"{len(todo)} functions to run", flush=True)
    for ran in confirming.run(todo, confirming.Options(device="cpu", seconds=120.0, jobs=jobs)):
        case = cases[id(ran.planned)]
        verdicts = ran.verdicts()
        shown = [code for code, v in zip(case.codes, verdicts, strict=True) if v.verdict == CONFIRMED]
        case.seen = Seen(shown, total_of(ran.result), "; ".join(v.reason for v in verdicts)[:300])
        memory.store(case)
        yield case


def judged(cases: list[Case]) -> Iterator[tuple[str, Case, bool]]:
    """(rule, mutant, whether it is found) for every mutant whose fault a run shows, and its original does not."""
    originals = {case.row["id"]: case for case in cases if not case.kind}
    for case in cases:
        before = originals.get(case.row["id"])
        if not case.kind or before is None:
            continue
        fresh = case.shown - before.shown
        if case.kind == "arguments swapped":
            now, then = case.seen.total, before.seen.total
            fresh = {"LL510"} if None not in (now, then) and abs(now - then) > 1e-3 * abs(then) else set()
        if fresh:
            yield case.codes[0], case, any(code in case.said for code in case.codes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--rules", nargs="*", default=[])
    parser.add_argument("--also", nargs="*", default=[])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--show", action="store_true", help="print every mutant that is missed, and every false alarm")
    options = parser.parse_args()
    checkouts: Path = options.checkouts
    rows = labelled(list(map(json.loads, options.labels.read_text().splitlines())), checkouts)
    roots = {checkouts / Path(row["file"]).parts[0] for row in rows}
    for told in options.also:
        path, _, name = told.partition("::")
        file = Path(path).absolute()
        roots.add(root_of(file))
        rows += unlabelled(file, name, root_of(file))
    rows = [r for r in rows if not options.only or str(r["id"]) in options.only]
    with tempfile.TemporaryDirectory() as folder:
        keep = shutil.ignore_patterns(".git", "*.ipynb", "*.png", "*.jpg", "*.gif", "*.h5", "*.pdf", "*.npy", "*.mp4")
        for root in roots:
            shutil.copytree(root, Path(folder, root.name), ignore=keep, symlinks=True)
        cases = list(examined(rows, Path(folder), Memory(options.keep), options.jobs, frozenset(options.rules)))
    made = Counter(case.codes[0] for case in cases if case.kind)
    kept: dict[str, list[tuple[Case, bool]]] = defaultdict(list)
    for code, case, found in judged(cases):
        kept[code].append((case, found))
    originals = [case for case in cases if not case.kind]
    loud = {c: [o for o in originals if o.said.get(c) in ("warning", "error") and c not in o.shown] for c in made}
    print(
        f"{len(originals)} sound losses, {sum(made.values())} mutants, {sum(map(len, kept.values()))} show their fault"
    )
    print("rule   mutants  kept  found         originals reported")
    good = True
    for code in sorted(made):
        hits = sum(found for _, found in kept[code])
        share = f"{hits / len(kept[code]):.1%}" if kept[code] else "-"
        print(f"{code}  {made[code]:7}  {len(kept[code]):4}  {hits:5} {share:>7}  {len(loud[code]):4}")
        good &= (not kept[code] or hits / len(kept[code]) >= AIM) and not loud[code]
    for code, pairs in sorted(kept.items()) if options.show else ():
        for case, found in pairs:
            if not found:
                name = f"{case.row['id']} {case.row['qualname']}"
                print(f"missed {code} {name}: {case.kind}; said {case.said}; {case.seen.why}")
        for case in loud[code]:
            print(f"reported {code} {case.row['id']} {case.row['qualname']}, original")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
