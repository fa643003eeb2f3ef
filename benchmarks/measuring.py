"""CPU seconds and memory of whole processes, and of a few steps within this one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.generate import generate

ROOT = Path(__file__).resolve().parent.parent


_ROOT = (
    "SELECT uuid FROM span WHERE type = 'parsl.monitoring.task' ORDER BY uuid LIMIT 1 OFFSET :task"
)


FILES = "monitoring,parsl,htex"


class Cost(NamedTuple):
    """CPU seconds and peak memory of a process."""

    cpu_s: float
    peak_mb: float


class Imported(NamedTuple):
    """An import, its floor and the same import again, each the median of some rounds in turn."""

    first: float
    floor: float
    again: float
    peak_mb: float

    @property
    def ratio(self) -> float:
        """How many times its floor an import costs."""
        return self.first / self.floor


def made(place: Path, tasks: int, noise: str = "light", files: str = FILES) -> Path:
    """The runinfo of a run, generated if it is not there."""
    directory = place / "-".join(("run", str(tasks), noise, *files.split(",")))
    if not directory.exists():
        generate(directory, tasks=tasks, noise=noise, files=tuple(files.split(",")))
    return directory / "runinfo"


def imported(runinfo: Path, database: Path, rounds: int) -> Imported:
    """Import, floor and second import, in turn; the last database is left."""
    floor = database.with_name(f"floor-{database.name}")
    firsts, floors, again = [], [], []
    for _ in range(rounds):
        database.unlink(missing_ok=True)
        firsts.append(run("-m", "dnpcsql", "--db", database, "import", runinfo))
        floors.append(run(ROOT / "benchmarks" / "floor.py", database, floor))
        floor.unlink()
        again.append(run("-m", "dnpcsql", "--db", database, "import", runinfo))
    peak = max(cost.peak_mb for cost in firsts)
    return Imported(median(firsts), median(floors), median(again), peak)


def run(*arguments: object) -> Cost:
    """What a Python with these arguments costs; a last line of `cpu N` counts in place of all."""
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


def median(costs: Sequence[Cost]) -> float:
    """The median of CPU seconds."""
    return statistics.median(cost.cpu_s for cost in costs)


def sizes(database: Path) -> tuple[int, int, int]:
    """Events, bytes without samples, lines and rows read."""
    import dnpcsql

    with dnpcsql.open(database) as store:
        events = store.query("SELECT count(*) FROM event").value()
        lines = store.query("SELECT sum(lines) FROM source").value()
        samples = store.query("SELECT coalesce(sum(length(metrics) + 45), 0) FROM sample").value()
    return events, database.stat().st_size - samples, lines


def scan(log: Path, rounds: int) -> tuple[float, float]:
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


def queried(database: Path, queries: dict[str, str]) -> dict[str, float]:
    """CPU seconds of each query, all its rows fetched, on a connection of its own.

    They may name `:run`, the last one, `:task`, one in its middle, and `:root`, that task's span.
    """
    import dnpcsql

    costs = {}
    for name, sql in queries.items():
        with dnpcsql.open(database) as store:
            last = store.run("last")
            known: dict[str, object] = {"run": last.id, "task": last.tasks // 2}
            known["root"] = store.query(_ROOT, task=last.tasks // 2).value()
            values = {key: value for key, value in known.items() if f":{key}" in sql}
            began = time.process_time()
            store.query(sql, **values).all()
            costs[name] = time.process_time() - began
    return costs


def sequenced(database: Path) -> float:
    """CPU seconds of the sequences of events inside all tasks."""
    import dnpcsql

    with dnpcsql.open(database) as store:
        began = time.process_time()
        store.sequences()
        return time.process_time() - began
