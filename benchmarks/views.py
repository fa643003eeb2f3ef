"""What each view costs: CPU seconds to read all its rows, of a database that is there.

    python benchmarks/run.py --tasks 100000 --keep place
    python benchmarks/views.py place/import.sqlite3

Of views that one never reads whole, the rows of one type, pair or stage.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import dnpcsql  # noqa: E402
from dnpcsql.views import views  # noqa: E402

# What is asked of a view in place of all its rows, which come besides unless said otherwise.
ASKED = {
    "concurrency": "type = 'parsl.monitoring.task'",
    "event_pair": "first_type = 'invoked' AND second_type = 'returned' AND scope = 'span'",
    "occupancy": "type = 'parsl.monitoring.try'",
    "queue_length": "stage = 'launched'",
    "worker_load": "level = 'run'",
}
NEVER_WHOLE = {"event_pair"}


def main() -> None:
    """Print a line a view."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("names", nargs="*", help="of views; default: all")
    options = parser.parse_args()
    with dnpcsql.open(options.database) as store:
        store.writing()  # brings the views up to date
        for view in views():
            if options.names and view.name not in options.names:
                continue
            if view.name in ASKED:
                measure(store, f"SELECT * FROM {view.name} WHERE {ASKED[view.name]}")
            if view.name not in NEVER_WHOLE:
                measure(store, view.name)


def measure(store: dnpcsql.Store, sql: str) -> None:
    """Print the CPU that a query took, and how many rows it has."""
    began = time.process_time()
    rows = sum(1 for _ in store.reading().execute(sql if " " in sql else f"SELECT * FROM {sql}"))
    spent = time.process_time() - began
    print(f"{sql:<100}{rows:>12,} rows{spent:>10.2f} s CPU", flush=True)


if __name__ == "__main__":
    main()
