"""The runs in a store, and finding the one that a person means."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql.errors import NotFoundError

if TYPE_CHECKING:
    from dnpcsql.store import Store


_LEAST_DIGITS = 4


class Run(NamedTuple):
    """A row of parsl_run, and the number of the directory that its files were in."""

    id: str
    name: str | None
    rundir: str | None
    started: float | None
    ended: float | None
    tasks: int
    host: str | None
    user: str | None
    parsl_version: str | None
    number: str | None


def all_runs(store: Store) -> list[Run]:
    """Every run, the earliest first."""
    rows = store.query(
        "SELECT run_id, name, rundir, started, ended, tasks, host, user, parsl_version "
        "FROM parsl_run ORDER BY started, run_id"
    ).all()
    numbers = _numbers(store)
    return [Run._make((*row, _number(row[2]) or numbers.get(row[0][-12:]))) for row in rows]


def find_run(store: Store, name: str) -> Run:
    """The run of that id, id prefix, directory number, workflow name, or `last`.

    Raises NotFoundError with the runs that there are, or that it could be.
    """
    runs = all_runs(store)
    if not runs:
        raise NotFoundError(
            "no run here: `dnpcsql import PATH` brings one; what was read without its run is in "
            "`dnpcsql types` and `dnpcsql sequences`"
        )
    if name == "last":
        return runs[-1]
    for meant in (
        [run for run in runs if run.id == name],
        [run for run in runs if _is_number(run.number, name)],
        [run for run in runs if run.name == name],
        _beginning(runs, name),
    ):
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise NotFoundError(f"{name} could be any of these runs: {_listed(meant)}")
    few = " (of an id at least 4 digits)" if len(name.replace("-", "")) < _LEAST_DIGITS else ""
    raise NotFoundError(f"no run {name}{few}; there are: {_listed(runs)}")


def _beginning(runs: list[Run], name: str) -> list[Run]:
    """The runs whose id begins so. `7` is a number of a directory, not an id."""
    start = name.replace("-", "")
    if len(start) < _LEAST_DIGITS:
        return []
    return [run for run in runs if run.id.replace("-", "").startswith(start)]


def _is_number(number: str | None, name: str) -> bool:
    """Whether a run's directory, 003, is meant by 3 or 003."""
    return bool(number and number.isdecimal() and name.isdecimal() and int(number) == int(name))


def _listed(runs: list[Run]) -> str:
    texts = [f"{run.id} ({run.number or '-'}, {run.name or 'unnamed'})" for run in runs[:20]]
    return "; ".join(texts) + (f"; and {len(runs) - 20} more" if len(runs) > 20 else "")


def _number(rundir: str | None) -> str | None:
    return PurePosixPath(rundir).name if rundir else None


def _numbers(store: Store) -> dict[str, str]:
    """Run part → the directory of the parsl.log that told of it; logs often do not say it."""
    found: dict[str, str] = {}
    for source in store.sources():
        path = PurePosixPath(source.path.replace("!/", "/"))
        if path.name in ("parsl.log", "parsl.jsonlog") and path.parent.name.isdecimal():
            for run in json.loads(source.runs):
                found.setdefault(run, path.parent.name)
    return found
