"""What dnpcsql costs, against floors stated in the same run.

    python benchmarks/run.py --quick               10,000 tasks, a minute or two
    python benchmarks/run.py --tasks 100000        the figures of docs/performance.md

The floor of an import is `executemany` of its own rows, from memory, into the same tables and
indexes. All figures are CPU seconds of whole processes, children included, floor and import in
turn, the median of the rounds: machines are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generate import generate  # noqa: E402

QUERIES = {
    "one task by parsl_task": "SELECT * FROM parsl_task WHERE run_id = :run AND task_id = :task",
    "hops of one try by parsl_try": "SELECT * FROM parsl_try WHERE run_id = :run "
    "AND task_id = :task",
    "all of parsl_task": "SELECT * FROM parsl_task",
    "all of parsl_try": "SELECT * FROM parsl_try",
    "durations by app": "SELECT name, count(*), avg(duration_s) FROM span_duration "
    "WHERE type = 'parsl.rundir.task' GROUP BY name",
}


class Cost(NamedTuple):
    """CPU seconds and peak memory of a process."""

    cpu_s: float
    peak_mb: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--quick", action="store_true", help="10,000 tasks, 3 rounds")
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--noise", choices=["light", "full"], default="light")
    parser.add_argument("--files", default="monitoring,parsl,htex")
    parser.add_argument("--keep", type=Path, help="a directory for the run and the databases")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        files = tuple(options.files.split(","))
        run = place / "-".join(("run", str(options.tasks), options.noise, *files))
        if not run.exists():
            generate(run, tasks=options.tasks, noise=options.noise, files=files)
        measure(run / "runinfo", place, options.rounds)


def measure(runinfo: Path, place: Path, rounds: int) -> None:
    """Import and floor in turn, then the queries and a second import of the same."""
    database, floor = place / "import.sqlite3", place / "floor.sqlite3"
    imports, floors, again = [], [], []
    for _ in range(rounds):
        database.unlink(missing_ok=True)
        imports.append(_run("-m", "dnpcsql", "--db", database, "import", runinfo))
        floor.unlink(missing_ok=True)
        floors.append(_run(ROOT / "benchmarks" / "floor.py", database, floor))
        again.append(_run("-m", "dnpcsql", "--db", database, "import", runinfo))
    first, least = _median(imports), _median(floors)
    events, size, lines = _sizes(database)
    print(f"{'import':<44}{first:10.2f} s CPU   {max(c.peak_mb for c in imports):6.0f} MB peak")
    print(f"{'executemany of its own rows':<44}{least:10.2f} s CPU")
    print(f"{'import / executemany':<44}{first / least:10.2f}")
    print(f"{'the same import again / the first':<44}{_median(again) / first:10.4f}")
    print(f"{'events':<44}{events:10,}   {events / first:,.0f} a CPU second")
    print(f"{'CPU an event':<44}{first / events * 1e6:10.1f} µs")
    print(f"{'lines and rows read':<44}{lines:10,}")
    print(f"{'database, bytes an event (samples left out)':<44}{size / events:10.0f}")
    for log in sorted(runinfo.glob("*/parsl.log")):
        scan, lines_alone = _scan(log, rounds)
        print(f"{'scan of parsl.log / iterating its lines':<44}{scan / lines_alone:10.2f}")
    for name, cost in _queries(database).items():
        print(f"{name:<44}{cost * 1000:10.2f} ms CPU")


def _run(*arguments: object) -> Cost:
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env=_environment(),
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{arguments} failed")
        output.seek(0)
        last = output.read().strip().rsplit("\n", 1)[-1]
    cpu = float(last[4:]) if last.startswith("cpu ") else used.ru_utime + used.ru_stime
    return Cost(cpu, used.ru_maxrss / 1024)


def _environment() -> dict[str, str]:
    """Compiled once, as what is installed is, wherever this environment would have it done anew."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "dnpcsql-pycache"), **kept}


def _median(costs: list[Cost]) -> float:
    return statistics.median(cost.cpu_s for cost in costs)


def _sizes(database: Path) -> tuple[int, int, int]:
    import dnpcsql

    with dnpcsql.open(database) as store:
        events = store.query("SELECT count(*) FROM event").value()
        lines = store.query("SELECT sum(lines) FROM source").value()
        samples = store.query("SELECT coalesce(sum(length(metrics) + 45), 0) FROM sample").value()
    return events, database.stat().st_size - samples, lines


def _scan(log: Path, rounds: int) -> tuple[float, float]:
    """CPU seconds of finding a log's messages, and of just iterating its lines, in turn."""
    from dnpcsql.clock import UNKNOWN
    from dnpcsql.importers.logs import open_log
    from dnpcsql.importers.parsl_log import WORDINGS

    scans, alone = [], []
    for _ in range(rounds):
        began = time.process_time()
        with log.open(encoding="utf-8", errors="replace") as lines:
            deque(lines, maxlen=0)
        alone.append(time.process_time() - began)
        began = time.process_time()
        deque(open_log(log, UNKNOWN, WORDINGS), maxlen=0)
        scans.append(time.process_time() - began)
    return statistics.median(scans), statistics.median(alone)


def _queries(database: Path) -> dict[str, float]:
    import dnpcsql

    costs = {}
    with dnpcsql.open(database) as store:
        run = store.run("last")
        for name, sql in QUERIES.items():
            values = {"run": run.id, "task": run.tasks // 2} if ":run" in sql else {}
            began = time.process_time()
            store.query(sql, **values).all()
            costs[name] = time.process_time() - began
    return costs


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keep the lines of the docstring."""


if __name__ == "__main__":
    main()
