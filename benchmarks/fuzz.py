"""Tries to break the promises of tests/fuzz. ``python -m benchmarks.fuzz check --seed 1 --runs 10000``.

The targets are ``check`` (bytes in, findings out), ``slicer`` and ``fixes``; the texts begin with our fixtures. With
atheris (the extra ``fuzz``) texts that reach new code are changed further; ``--blind`` does without, and text number n
of a seed is always the same. Prints how many were tried, and what was found, each kind of failure once; the status is 1
where there is any. The texts are left in the folder ``--keep``; the same seed and number give the same ones, which the
digest of all of them shows.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

SLOW = 20.0
"""Seconds of a processor after which a text counts as a find: nobody waits so long for a file."""


class Run:
    """The texts of one run, and what they broke."""

    def __init__(self, name: str, runs: int, seconds: float, keep: Path) -> None:
        from tests.fuzz.targets import TARGETS

        self.name, self._target = name, TARGETS[name]
        self.runs, self.seconds, self.keep = runs, seconds, keep
        self.tried = 0
        self.finds: Counter[str] = Counter()
        self.smallest: dict[str, bytes] = {}
        self._digest = hashlib.sha256()
        self._start = time.monotonic()

    def one(self, data: bytes) -> None:
        """Try ``data``; ends the process after the last one."""
        before = time.process_time()
        self._digest.update(data)
        try:
            self._target(data)
        except Exception as error:
            self._note(_kind(error), data)
        self.tried += 1
        if time.process_time() - before > SLOW:
            self._note("slow", data)

    @property
    def over(self) -> bool:
        """Whether enough was tried."""
        return self.tried >= self.runs or time.monotonic() - self._start > self.seconds

    def _note(self, kind: str, data: bytes) -> None:
        self.finds[kind] += 1
        if kind not in self.smallest or len(data) < len(self.smallest[kind]):
            self.smallest[kind] = data
            number = list(self.smallest).index(kind)
            (self.keep / f"{self.name}-{number}.txt").write_bytes(data)

    def end(self, engine: str) -> int:
        """Print what was found; the exit status."""
        took = time.monotonic() - self._start
        digest = self._digest.hexdigest()[:12]
        print(
            f"{self.name}, {engine}: {self.tried} texts ({digest}) in {took:.0f} s, {len(self.finds)} kinds of failures"
        )
        for number, (kind, times) in enumerate(self.finds.items()):
            print(f"  {times} times: {kind}, such as {self.keep / f'{self.name}-{number}.txt'}")
        sys.stdout.flush()
        return int(bool(self.finds))


def _kind(error: BaseException) -> str:
    """What tells one failure from another: its message without numbers and names, and where it was raised."""
    message = re.sub(r"(/\S+/)", "", str(error).partition("\n")[0])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "losslint" in f.filename]
    place = f" ({Path(frames[-1].filename).name}, {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {re.sub(r'[0-9]+', 'N', message)[:160]}{place}"


def _mutator(seeds: list[str]) -> Callable[[bytes, int], bytes]:
    from tests.fuzz.mutations import mutated

    def change(data: bytes, seed: int) -> bytes:
        dice = random.Random(seed)
        return mutated(data.decode(errors="replace"), dice, seeds, dice.randrange(1, 6)).encode(errors="replace")

    return change


def _blind(run: Run, seed: int, seeds: list[str]) -> None:
    change = _mutator(seeds)
    number = 0
    while not run.over:
        dice = random.Random(f"{seed} {number}")
        run.one(change(dice.choice(seeds).encode(), dice.getrandbits(32)))
        number += 1


def _guided(run: Run, seed: int, seeds: list[str]) -> None:
    """Ends the process: libFuzzer does not give control back."""
    import atheris

    change = _mutator(seeds)

    def one(data: bytes) -> None:
        if run.over:
            os._exit(run.end("atheris"))
        run.one(data)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        return bytes(atheris.Mutate(data, most)) if number % 8 == 0 else change(data, number)[:most]

    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(seeds):
            Path(folder, str(number)).write_text(text, encoding="utf-8")
        options = ["-max_len=20000", "-rss_limit_mb=0", "-report_slow_units=600", "-verbosity=0"]
        options += [f"-seed={seed}", f"-artifact_prefix={run.keep}{os.sep}"]
        atheris.Setup([sys.argv[0], *options, folder], one, custom_mutator=mutate)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=("check", "slicer", "fixes"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop then; how far it came is in the output"
    )
    parser.add_argument("--blind", action="store_true", help="without atheris, exactly repeatable")
    parser.add_argument("--keep", type=Path, help="the folder for the texts that broke something (default: a new one)")
    arguments = parser.parse_args()
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="losslint-fuzz-"))
    keep.mkdir(parents=True, exist_ok=True)
    if not arguments.blind:
        import atheris  # before what it is to watch

        with atheris.instrument_imports(include=["losslint"]):
            from tests.fuzz.targets import TARGETS

            for target in TARGETS.values():  # what is imported when it is needed is watched as well
                target(
                    b"import tensorflow as tf\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(y_pred - y_true)\n"
                )
    from tests.fuzz.targets import seeds

    sys.setrecursionlimit(1000)
    texts = [text.decode() for text in seeds()]
    run = Run(arguments.target, arguments.runs, arguments.seconds, keep)
    if arguments.blind:
        _blind(run, arguments.seed, texts)
        raise SystemExit(run.end("blind"))
    _guided(run, arguments.seed, texts)


if __name__ == "__main__":
    main()
