"""What layout.py found around a file, for its importer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from dnpcsql import clock
from dnpcsql.clock import Clock
from dnpcsql.identity import hexdigest
from dnpcsql.records import Problem, Record


class RunClocks(Protocol):
    """The clocks that wrote the records of one run."""

    @property
    def submit(self) -> Clock:
        """The clock of the submitting process."""

    def of_host(self, host: str | None) -> Clock:
        """The clock of a worker's host; the submitting one's where nothing else is known."""

    def differ(self) -> bool:
        """Whether any host's clock is another than the submitting one's."""


@dataclass(frozen=True)
class Alone:
    """The clocks of a run of which nothing but one file is at hand."""

    submit: Clock = clock.UNKNOWN

    def of_host(self, host: str | None) -> Clock:
        """There is but one."""
        return self.submit

    def differ(self) -> bool:
        """There is but one."""
        return False


class Queue(NamedTuple):
    """The manager of Work Queue or TaskVine that an executor has."""

    pid: int
    label: str
    system: str


Queues: TypeAlias = tuple[Queue, ...]


def _alone(run_id: str, rundir: str | None, hosts: dict[str, str]) -> RunClocks:
    return Alone()


@dataclass(frozen=True)
class Context:
    """The run, executor, block and manager that a path belongs to, and its clock.

    Everything that decides what an importer makes of a file besides its content is in here,
    so that `key` tells whether a file has to be read again. Where no run is named, `scopes`
    stand for it: for an interchange that was started several times, one a start. `tied` says
    that they are those of all the files of one executor. `only_runs` are the runs that are wanted
    of a database of many; None: all.
    """

    run_id: str | None = None
    label: str | None = None
    block_id: str | None = None
    manager_uid: str | None = None
    clock: Clock = clock.UNKNOWN
    labels: tuple[str, ...] = ()
    other_logs: tuple[str, ...] = ()
    overlapping: tuple[tuple[str, tuple[str, ...]], ...] = ()
    queues: Queues = ()
    scopes: tuple[str, ...] = ()
    tied: bool = False
    clocks_of_run: Callable[[str, str | None, dict[str, str]], RunClocks] = field(
        default=_alone, compare=False
    )
    only_runs: frozenset[str] | None = None
    key: str = ""

    def run_or_scope(self, first_record: str) -> tuple[str, list[Problem]]:
        """The run id, or a scope made from a file's first record, with the problem that says so."""
        if self.run_id is not None:
            return self.run_id, []
        scope = self.scopes[0] if self.scopes else "scope " + hexdigest(16, first_record)
        if self.tied:
            return scope, []
        return scope, [
            Problem(1, "run unknown", "no file around this one names its run: it stands alone")
        ]


Importing = Callable[[Path, Context], Iterator[Record]]
