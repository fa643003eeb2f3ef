"""The table of what dnpcsql is to cost, and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import (
    Imported,
    imported,
    made,
    median,
    queried,
    run,
    scan,
    sequenced,
    sizes,
)

QUERIES = {
    "durations by app": "SELECT name, count(*), avg(duration_s) FROM span_duration "
    "WHERE type = 'parsl.rundir.task' GROUP BY name",
    "one task by parsl_task": "SELECT * FROM parsl_task WHERE run_id = :run AND task_id = :task",
    "hops of one try by parsl_try": "SELECT * FROM parsl_try WHERE run_id = :run "
    "AND task_id = :task",
    "occupancy of the states of all tries": "SELECT * FROM occupancy "
    "WHERE type = 'parsl.monitoring.try'",
    "everything inside one root": "WITH RECURSIVE inside(uuid) AS (VALUES (:root) UNION "
    "SELECT subspan_uuid FROM subspan JOIN inside ON superspan_uuid = inside.uuid UNION "
    "SELECT right_uuid FROM facet JOIN inside ON left_uuid = inside.uuid UNION "
    "SELECT left_uuid FROM facet JOIN inside ON right_uuid = inside.uuid) "
    "SELECT event.* FROM inside JOIN event ON span_uuid = inside.uuid ORDER BY time_unix_nano",
}
_LIMITS = dict(zip(QUERIES, (0.3, 0.005, 0.005, 5.0, 0.005), strict=True))


class Row(NamedTuple):
    """One line of the table: what was measured, and what it must not exceed."""

    work: str
    reached: float
    must: float
    stretch: float
    unit: str = "x"


def show(place: Path, rounds: int, *, million: bool) -> None:
    """Measure, and print each row as soon as it is known."""
    print(f"{'work':<58}{'reached':>12}{'must':>10}{'stretch':>10}")
    logs = imported(made(place, 10_000), place / "logs.sqlite3", rounds)
    _print(Row("10,000 tasks with logs: import / floor", logs.ratio, 2.0, 1.4))
    alone = imported(made(place, 10_000, files="monitoring"), place / "alone.sqlite3", rounds)
    _print(Row("10,000 tasks, monitoring.db only: import / floor", alone.ratio, 2.0, 1.2))
    for log in made(place, 10_000, "full", "parsl").glob("*/parsl.log"):
        found, lines = scan(log, rounds)
        _print(Row("full-DEBUG parsl.log: scan / iterating its lines", found / lines, 7, 4))
    bare = median([run("-c", "pass") for _ in range(3 * rounds)])
    told = median([run("-m", "dnpcsql", "--help") for _ in range(3 * rounds)])
    _print(Row("dnpcsql --help / python -c pass", told / bare, 10, 5))
    many = place / "many.sqlite3"
    more = imported(made(place, 100_000), many, 1)
    _print(Row("growth: 100,000 tasks / 10,000", more.first / logs.first, 12.5, 10.5))
    _all_of(many, more)
    if million:
        most = imported(made(place, 1_000_000), place / "most.sqlite3", 1)
        _print(Row("growth: 1,000,000 tasks / 100,000", most.first / more.first, 12.5, 10.5))
        _print(Row("1,000,000 tasks: peak memory", most.peak_mb, 256, 128, "MB"))


def _all_of(database: Path, cost: Imported) -> None:
    """The rows of 100,000 tasks."""
    events, size, _ = sizes(database)
    _print(Row("100,000 tasks: peak memory", cost.peak_mb, 256, 128, "MB"))
    _print(Row("database, bytes an event, samples left out", size / events, 220, 190, "B"))
    _print(Row("the same import again / the first", cost.again / cost.first * 100, 2, 0.5, "%"))
    for name, seconds in queried(database, QUERIES).items():
        _print(Row(name, seconds * 1000, _LIMITS[name] * 1000, _LIMITS[name] * 500, "ms"))
    _print(Row("sequences of all tasks", sequenced(database) * 1000, 10_000, 5_000, "ms"))


def _print(row: Row) -> None:
    mark = "" if row.reached <= row.must else "  missed"
    figures = f"{row.reached:>9,.2f} {row.unit:<2}{row.must:>10,g}{row.stretch:>10,g}"
    print(f"{row.work:<58}{figures}{mark}", flush=True)
