"""The times of monitoring.db: naive, written by several hosts' clocks, of several runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from dnpcsql.clock import Clock, naive_ns
from dnpcsql.importers.context import RunClocks
from dnpcsql.records import Problem


class Times:
    """Turns the time texts of one database into absolute ones, by run and host."""

    def __init__(self, clocks: Callable[[str, str | None], RunClocks]) -> None:
        self._find_clocks = clocks
        self._clocks: dict[str, RunClocks] = {}
        self._bounds: dict[str, tuple[int | None, int | None]] = {}
        self.reader = functools.cache(self._reader)
        """A run's reader of a column's times, by column, run and host."""
        self._used: dict[Clock, None] = {}
        self.odd: list[tuple[str, str]] = []
        """What is to be said of the row that is being read: (kind of problem, text)."""

    def begin_run(
        self, run_id: str, rundir: str | None, began: Any, completed: Any
    ) -> tuple[int | None, int | None]:
        """When a run began and ended. All other times of it are about then."""
        clock = self._clocks_of(run_id, rundir).submit
        start = self.time("workflow", run_id, began)
        end = self.time("workflow", run_id, completed)
        if start is not None and len(_possible(clock, began)) > 1:
            text = f"run {run_id} began at {began}, which came twice that night: the first is taken"
            self.odd.append(("ambiguous hour", text))
        self._bounds[run_id] = (start, end)
        return start, end

    def time(self, column: str, run_id: str, text: Any, host: str | None = None) -> int | None:
        """A column's time, if it holds one; what cannot be read is told of in `odd`."""
        if text is None:
            return None
        try:
            return self.reader(column, run_id, host)(text)
        except (ValueError, TypeError):
            self.odd.append(("time not understood", f"{column}: {text!r}"))
            return None

    def _reader(self, column: str, run_id: str, host: str | None) -> Callable[[str], int]:
        """Each column has an order of its own, and so a reader."""
        clocks = self._clocks_of(run_id, None)
        clock = clocks.submit if host is None else clocks.of_host(host)
        self._used[clock] = None
        return clock.within(*self._bounds.get(run_id, (None, None))).reader()

    def hosts_differ(self) -> bool:
        """Whether any run here had workers in another zone."""
        return any(clocks.differ() for clocks in self._clocks.values())

    def offset(self) -> str | None:
        """The offsets that were used, as people write them."""
        return ", ".join(_each(clock.describe() for clock in self._used)) or None

    def how(self) -> str | None:
        """How they were known."""
        return "; ".join(_each(clock.how for clock in self._used)) or None

    def problems(self) -> Iterator[Problem]:
        """What is to be said of the runs as a whole."""
        for run_id, clocks in self._clocks.items():
            if clocks.submit.how.startswith("nothing known"):
                yield Problem(
                    None,
                    "no zone",
                    f"run {run_id}: nothing tells the zone of its times, UTC is taken; "
                    "import again with --timezone TZ",
                )

    def _clocks_of(self, run_id: str, rundir: str | None) -> RunClocks:
        clocks = self._clocks.get(run_id)
        if clocks is None:
            clocks = self._clocks[run_id] = self._find_clocks(run_id, rundir)
        return clocks


def _possible(clock: Clock, text: str) -> list[int]:
    found = clock.candidates(naive_ns(text)) if clock.zone or clock.intervals else []
    return [time for time in found if clock.first <= time <= clock.last]


def _each(texts: Iterator[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]
