"""What linting costs beside other linters, file by file and as trees grow.

    python benchmarks/speed.py FOLDER [--tools ruff,flake8] [--peers /work/venv-speed-{}] [--rounds 3]
    python benchmarks/speed.py --one
    python benchmarks/speed.py --grow [--plot speed.svg]

CPU is user and system time of a command and the processes it waited for, the median of several rounds in which the
commands take turns; only ratios within one run mean anything. Every tool first has to report something in a file made
for it: a tool that finds nothing there, or does not start, is not measured. Peers are looked for in virtual
environments of their own, one a tool.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PARSE = """
import ast, gc, pathlib, sys, warnings
warnings.simplefilter("ignore"); gc.disable()
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        pass
"""
TAINT = """rules:
  - id: print
    languages: [python]
    severity: WARNING
    message: m
    pattern: tf.math.log(...)
"""
LOSS = '''import tensorflow as tf


def loss_{n}(y_true, y_pred):
    """One of {n}."""
    weight = tf.constant({n}.0)
    p = tf.nn.softmax(y_pred)
    return -tf.reduce_sum(weight * y_true * tf.math.log(p))
'''
PLAIN = '''"""A module without a loss."""

import os
import tensorflow as tf


class Reader{n}:
    def __init__(self, folder, size=32):
        self.folder, self.size = folder, size

    def files(self):
        return sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder))

    def dataset(self):
        data = tf.data.Dataset.from_tensor_slices(self.files())
        return data.map(tf.io.read_file).batch(self.size)
'''

_SEMGREP = ("--metrics=off", "--disable-version-check", "-j1", "-q", "--no-git-ignore")


@dataclass(frozen=True)
class Tool:
    """``command(binaries, path)`` lints ``path``; in ``control`` it has to report something."""

    name: str
    venv: str
    command: Callable[[str, str], list[str]]
    control: str = "import os\n"
    must_say: str = "F401"


def _losslint(*options: str) -> Callable[[str, str], list[str]]:
    return lambda _, path: [sys.executable, "-m", "losslint", "check", "--isolated", *options, path]


def tools(cache: str, rules: str) -> list[Tool]:
    loss = LOSS.format(n=1)
    return [
        Tool("losslint, no cache, one process", "", _losslint("--no-cache", "-j1"), loss, "LL4"),
        Tool("losslint, warm cache", "", _losslint("--cache-dir", cache, "-j1"), loss, "LL4"),
        Tool("ruff --no-cache", "ruff", lambda b, p: [f"{b}/ruff", "check", "--isolated", "--no-cache", p]),
        Tool(
            "ruff, warm cache", "ruff",
            lambda b, p: [f"{b}/ruff", "check", "--isolated", "--cache-dir", f"{cache}-ruff", p],
        ),
        Tool("flake8", "flake8", lambda b, p: [f"{b}/flake8", "--isolated", "-j1", p]),
        Tool(
            "flake8-bugbear", "flake8", lambda b, p: [f"{b}/flake8", "--isolated", "-j1", "--select=B", p],
            "def f(x=[]):\n    return x\n", "B006",
        ),
        Tool(
            "torchfix", "torchfix", lambda b, p: [f"{b}/torchfix", "--select=ALL", p],
            "import torch\na, b = torch.solve(x, y)\n", "TOR",
        ),
        Tool(
            "fixit", "fixit", lambda b, p: [f"{b}/fixit", "lint", p],
            "def f(x):\n    assert len(x) == 0 and isinstance(x, list) or isinstance(x, dict)\n    return x\n",
            "@",
        ),
        Tool(
            "semgrep, one rule", "semgrep",
            lambda b, p: [f"{b}/semgrep", *_SEMGREP, "--config", rules, p],
            loss, "print",
        ),
        Tool(
            "pylint + dslinter", "pylint",
            lambda b, p: [f"{b}/pylint", "-j1", "--load-plugins=dslinter", p], must_say="W0611",
        ),
    ]  # fmt: skip


def cost(command: list[str], cwd: str | None = None) -> tuple[float, float, int]:
    """CPU seconds, wall seconds and peak memory (MB, the largest process) of one run."""
    start = time.monotonic()
    pid = os.fork()
    if not pid:
        if cwd is not None:
            os.chdir(cwd)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        environment = {**os.environ, "PATH": f"{os.path.dirname(command[0])}:{os.environ['PATH']}"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
        os.execvpe(command[0], command, environment)
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss // 1024


def fires(tool: Tool, binaries: str) -> bool:
    """Whether ``tool`` starts, and says what it has to say."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "control.py")
        path.write_text(tool.control)
        environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
        try:
            ran = subprocess.run(
                tool.command(binaries, str(path)),
                capture_output=True,
                text=True,
                cwd=folder,
                env=environment,
                check=False,
            )
        except OSError:
            return False
        return tool.must_say in ran.stdout


def rounds(commands: dict[str, list[str]], number: int) -> dict[str, tuple[float, float, int]]:
    """The median CPU and wall time and the largest memory of each command; they take turns."""
    measured: dict[str, list[tuple[float, float, int]]] = {}
    for _ in range(number):
        for name, command in commands.items():
            measured.setdefault(name, []).append(cost(command))
    return {
        name: (statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs), max(r[2] for r in runs))
        for name, runs in measured.items()
    }


def table(measured: dict[str, tuple[float, float, int]], unit: str) -> Iterator[str]:
    cpu, wall, _ = measured[unit]
    yield f"| command | CPU | wall | peak memory | (unit: {unit}, {cpu:.3f} s CPU, {wall:.3f} s wall) |"
    yield "| --- | --- | --- | --- | --- |"
    for name, (seconds, elapsed, memory) in measured.items():
        yield f"| {name} | {seconds / cpu:.2f} | {elapsed / wall:.2f} | {memory} MB | |"


def against_peers(folder: str, wanted: list[str], peers: str, number: int) -> None:
    with tempfile.TemporaryDirectory() as work:
        rules = Path(work, "rules.yaml")
        rules.write_text(TAINT)
        commands = {"ast.parse of every file": [sys.executable, "-c", PARSE, folder]}
        for tool in tools(f"{work}/cache", str(rules)):
            if wanted and not any(word in tool.name for word in wanted):
                continue
            binaries = os.path.join(peers.format(tool.venv), "bin")
            if not fires(tool, binaries):
                print(f"{tool.name}: does not start, or finds nothing where it must; left out", file=sys.stderr)
                continue
            commands[tool.name] = tool.command(binaries, folder)
            if "warm" in tool.name:
                cost(commands[tool.name])  # fills the cache
        print(*table(rounds(commands, number), "ruff --no-cache"), sep="\n")


def one_file(number: int) -> None:
    """What a hook pays for a file with and without losses."""
    with tempfile.TemporaryDirectory() as work:
        plain, losses = Path(work, "plain.py"), Path(work, "losses.py")
        plain.write_text(PLAIN.format(n=1))
        losses.write_text("\n\n".join(LOSS.format(n=n) for n in range(15)))  # 150 lines
        lint = [sys.executable, "-m", "losslint", "check", "--isolated", "--no-cache"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import libcst": [sys.executable, "-c", "import libcst"],
            "losslint, a file without a loss": [*lint, str(plain)],
            "losslint, 150 lines of losses": [*lint, str(losses)],
        }
        measured = rounds(commands, number)
        print(*table(measured, "python -c pass"), sep="\n")
        ratio = measured["losslint, 150 lines of losses"][0] / measured["import libcst"][0]
        print(f"150 lines of losses: {ratio:.2f} x import libcst")


def grow(sizes: list[int], plot: Path | None) -> None:
    """Time and memory of trees in which one file of twenty holds a loss."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as work:
            for n in range(size):
                folder = Path(work, "tree", f"part{n // 100:03}")
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"m{n}.py").write_text((LOSS if n % 20 == 0 else PLAIN).format(n=n))
            lint = [
                sys.executable,
                "-m",
                "losslint",
                "check",
                "--isolated",
                "-j1",
                "--cache-dir",
                f"{work}/cache",
                f"{work}/tree",
            ]
            cold, warm = cost(lint), cost(lint)
            rows.append((size, cold, warm))
            print(
                f"| {size} | {cold[0]:.2f} s | {1000 * cold[0] / size:.2f} ms | {cold[2]} MB | {warm[0]:.2f} s "
                f"| {1000 * warm[0] / size:.2f} ms | {warm[2]} MB |",
                flush=True,
            )
    if plot is not None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(6, 4))
        for label, index in (("cold", 1), ("warm", 2)):
            axes.loglog([r[0] for r in rows], [r[index][0] for r in rows], marker="o", label=label)  # type: ignore[misc]
        axes.set_xlabel("files, one in twenty with a loss")
        axes.set_ylabel("CPU seconds, one process")
        axes.grid(True, which="both", alpha=0.3)
        axes.legend()
        figure.tight_layout()
        figure.savefig(plot, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--tools", default="", help="parts of names, with commas; all unless told")
    parser.add_argument("--peers", default="venv-speed-{}", help="where the environment of each tool is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--grow", nargs="*", type=int)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        one_file(arguments.rounds)
    if arguments.grow is not None:
        grow(arguments.grow or [1, 10, 100, 1000, 10_000], arguments.plot)
    if arguments.folder:
        wanted = [t for t in arguments.tools.split(",") if t]
        against_peers(arguments.folder, wanted, arguments.peers, arguments.rounds)


if __name__ == "__main__":
    main()
