"""A long run: python -m tests.fuzz --executions 1000000

Prints how many executions each importer had, and every bug once, with the number that repeats it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.fuzz.executing import FoundError, execute
from tests.fuzz.seeds import Seed, all_seeds

_STORED_EVERY = 500


def main() -> None:
    """Go round the importers until the executions, or the seconds, are over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000, help="over all importers")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most so long")
    parser.add_argument("--importer", default="", help="only those whose name holds this")
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = _run(Path(scratch), given)
    raise SystemExit(1 if found else 0)


def _run(scratch: Path, given: argparse.Namespace) -> int:
    seeds: dict[str, list[Seed]] = defaultdict(list)
    for seed in all_seeds(scratch):
        if given.importer in seed.importer.name:
            seeds[seed.importer.name].append(seed)
    done: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    bugs: Counter[str] = Counter()
    until = time.monotonic() + given.seconds
    number = given.first
    while done.total() < given.executions and time.monotonic() < until:
        for name, files in seeds.items():
            seed = files[number % len(files)]
            began = time.process_time_ns()
            stored = number % _STORED_EVERY == 0
            try:
                execute(seed, number, scratch / name, stored=stored)
            except FoundError as error:
                text = str(error)[:400]
                bugs[text[:90]] += 1
                if bugs[text[:90]] == 1:
                    print(f"number {number} of {seed.place}: {text}", flush=True)
            spent[name] += time.process_time_ns() - began
            done[name] += 1
        number += 1
    for name, count in sorted(done.items()):
        print(f"{name:28} {count:10,} executions {spent[name] / 1e9:8.1f} s of CPU")
    print(f"{'in all':28} {done.total():10,} executions; bugs: {len(bugs)}")
    for text, times in bugs.most_common():
        print(f"  {times:6,} x {text}")
    return len(bugs)


if __name__ == "__main__":
    main()
