"""What the database beside a run's directory says of it, where the directory lacks it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from dnpcsql import fingerprints
from dnpcsql.errors import DnpcsqlError
from dnpcsql.importers.sqlite_file import DAMAGE, SHORT_WAIT_S, is_sqlite, open_readonly

_LONGEST = 4_096  # characters of a path


def run_of_directory(directory: Path) -> str | None:
    """The one run whose `rundir` ends in this directory's name; None if there is none, or more.

    Before 2022 the database lay one level higher, in the workflow's own directory.
    """
    higher = directory.parent.parent / "monitoring.db"
    runs = {
        run_id
        for path in (*_beside(directory), *((higher,) if higher.is_file() else ()))
        for run_id, rundir in runs_of(path)
        if Path(rundir or "").name == directory.name
        and (path != higher or Path(rundir or "").parent.name == directory.parent.name)
    }
    return runs.pop() if len(runs) == 1 else None


def runs_of(path: Path) -> list[tuple[str, str | None]]:
    """The runs of a database, and their directories where they ran."""
    try:
        return list(_runs(path, (path.stat().st_ino, *fingerprints.state(path))))
    except OSError:
        return []


def first_pending(directory: Path, run_id: str | None) -> tuple[int, str] | None:
    """The first task that a database beside a directory saw pending, and the local time of it."""
    select = (
        "SELECT task_id, timestamp FROM status "
        "WHERE run_id = ? AND task_status_name = 'pending' ORDER BY rowid LIMIT 1"
    )
    found = (row for path in _beside(directory) for row in _rows(path, select, (run_id,)))
    return next(((int(task), str(time)) for task, time in found), None)


def _beside(directory: Path) -> list[Path]:
    try:
        return [path for path in sorted(directory.parent.iterdir()) if path.is_file()]
    except OSError:
        return []


@functools.lru_cache(maxsize=64)
def _runs(path: Path, state: tuple[int, ...]) -> tuple[tuple[str, str | None], ...]:
    rows = _rows(path, "SELECT run_id, rundir FROM workflow ORDER BY rowid", ())
    return tuple(
        (run, rundir if isinstance(rundir, str) and len(rundir) < _LONGEST else None)
        for run, rundir in rows
        if isinstance(run, str)
    )


def _rows(path: Path, select: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    """What a database says; nothing if it is none, or cannot be read."""
    try:
        with path.open("rb") as file:
            if not is_sqlite(file.read(16)):
                return []
        with open_readonly(path, wait_s=SHORT_WAIT_S) as connection:
            return connection.execute(select, values).fetchall()
    except (OSError, *DAMAGE, DnpcsqlError):
        return []
