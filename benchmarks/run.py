"""What dnpcsql costs, against floors stated in the same run, and what it is to cost.

    python benchmarks/run.py --quick               the whole table, some minutes
    python benchmarks/run.py --million             growth to 1,000,000 tasks too, an hour
    python benchmarks/run.py --tasks 100000 --noise full    one run, with all logs at DEBUG

The floor of an import is `executemany` of its own rows, from memory, into the same tables and
indexes. All figures are CPU seconds of whole processes, children included, floor and import in
turn, the median of the rounds: machines are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from benchmarks.measuring import imported, made, queried, scan, sizes  # noqa: E402

QUERIES = {
    **table.QUERIES,
    "all of parsl_task": "SELECT * FROM parsl_task",
    "all of parsl_try": "SELECT * FROM parsl_try",
}


def main() -> None:
    """Print the table, or the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--quick", action="store_true", help="the table, to 100,000 tasks")
    parser.add_argument("--million", action="store_true", help="the table, to 1,000,000 tasks")
    parser.add_argument("--tasks", type=int, default=10_000, help="of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--noise", choices=["light", "full"], default="light")
    parser.add_argument("--files", default="monitoring,parsl,htex")
    parser.add_argument("--keep", type=Path, help="a directory for the runs and the databases")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        if options.quick or options.million:
            table.show(place, options.rounds, million=options.million)
        else:
            runinfo = made(place, options.tasks, options.noise, options.files)
            measure(runinfo, place / "import.sqlite3", options.rounds)


def measure(runinfo: Path, database: Path, rounds: int) -> None:
    """Print what one run costs."""
    cost = imported(runinfo, database, rounds)
    events, size, lines = sizes(database)
    print(f"{'import':<44}{cost.first:10.2f} s CPU   {cost.peak_mb:6.0f} MB peak")
    print(f"{'executemany of its own rows':<44}{cost.floor:10.2f} s CPU")
    print(f"{'import / executemany':<44}{cost.ratio:10.2f}")
    print(f"{'the same import again / the first':<44}{cost.again / cost.first:10.4f}")
    print(f"{'events':<44}{events:10,}   {events / cost.first:,.0f} a CPU second")
    print(f"{'CPU an event':<44}{cost.first / events * 1e6:10.1f} µs")
    print(f"{'lines and rows read':<44}{lines:10,}")
    print(f"{'database, bytes an event (samples left out)':<44}{size / events:10.0f}")
    for log in sorted(runinfo.glob("*/parsl.log")):
        found, alone = scan(log, rounds)
        print(f"{'scan of parsl.log / iterating its lines':<44}{found / alone:10.2f}")
    for name, seconds in queried(database, QUERIES).items():
        print(f"{name:<44}{seconds * 1000:10.2f} ms CPU")


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keep the lines of the docstring."""


if __name__ == "__main__":
    main()
