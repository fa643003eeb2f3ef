"""Which run a directory without a parsl.log belongs to, as the database beside it says."""

from __future__ import annotations

import functools
import sqlite3
from pathlib import Path

from dnpcsql.errors import DnpcsqlError
from dnpcsql.importers.sqlite_file import is_sqlite, open_readonly


def run_of_directory(directory: Path) -> str | None:
    """The one run whose `rundir` ends in this directory's name; None if there is none, or more."""
    runs: set[str] = set()
    try:
        for path in sorted(directory.parent.iterdir()):
            if path.is_file():
                runs.update(
                    run_id for run_id, name in _rundirs(path, path.stat().st_mtime_ns) if name == directory.name
                )
    except OSError:
        return None
    return runs.pop() if len(runs) == 1 else None


@functools.lru_cache(maxsize=64)
def _rundirs(path: Path, modified: int) -> tuple[tuple[str, str], ...]:
    try:
        with path.open("rb") as file:
            if not is_sqlite(file.read(16)):
                return ()
        with open_readonly(path) as connection:
            rows = connection.execute("SELECT run_id, rundir FROM workflow").fetchall()
    except (OSError, sqlite3.Error, DnpcsqlError):
        return ()
    return tuple((run_id, Path(rundir or "").name) for run_id, rundir in rows)
