"""What `dnpcsql why` costs: CPU seconds, and against merely fetching all events of the database.

python benchmarks/run.py --tasks 100000 --keep place
python benchmarks/answers.py place/import.sqlite3
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import dnpcsql  # noqa: E402


def main() -> None:
    """Print a line an answer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("database", type=Path)
    options = parser.parse_args()
    with dnpcsql.open(options.database) as store:
        events = "SELECT span_uuid, time_unix_nano, type FROM event"
        floor = measured("all events", lambda: sum(1 for _ in store.query(events)), 0.0)
        measured("why", store.why, floor)
        measured("ledger", store.ledger, floor)
        measured("hops", store.hops, floor)
        measured("failures", store.failures, floor)


def measured(name: str, answer: Callable[[], object], floor: float) -> float:
    """Print the CPU that an answer took."""
    began = time.process_time()
    answer()
    spent = time.process_time() - began
    ratio = f"{spent / floor:8.1f} x" if floor else ""
    print(f"{name:<12}{spent:>8.2f} s CPU{ratio}", flush=True)
    return spent


if __name__ == "__main__":
    main()
