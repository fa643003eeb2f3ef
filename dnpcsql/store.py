"""The store: add the records of a source, relate them to what is there, ask.

store = dnpcsql.open("dnpc.sqlite3")
store.import_("runinfo")
store.query("SELECT app, count(*) FROM parsl_task GROUP BY app")
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from dnpcsql import database, settling, sources
from dnpcsql.adding import checked
from dnpcsql.errors import DnpcsqlError, UnreadableError
from dnpcsql.identity import hexdigest
from dnpcsql.query import Result, run_query
from dnpcsql.records import Problem, Record
from dnpcsql.relate import relate
from dnpcsql.sources import Source
from dnpcsql.writer import NotARecordError, Writer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dnpcsql.analyses.sequences import Variant
    from dnpcsql.answers.bottleneck import Bottleneck
    from dnpcsql.answers.clocks import Clocks
    from dnpcsql.answers.critical import Critical
    from dnpcsql.answers.failures import Failures
    from dnpcsql.answers.funcx import Chain
    from dnpcsql.answers.hops import Hops
    from dnpcsql.answers.idle import Idle
    from dnpcsql.answers.ledger import Ledger
    from dnpcsql.answers.why import Why
    from dnpcsql.audit import Unmatched
    from dnpcsql.checks import Finding
    from dnpcsql.exporters.otlp import Export
    from dnpcsql.exporters.sending import Sent
    from dnpcsql.exporters.traces import TracePer
    from dnpcsql.importing import Importing, Progress
    from dnpcsql.lives import Life
    from dnpcsql.measures import Compared, Overview
    from dnpcsql.pictures import Picture
    from dnpcsql.runs import Run


class Added(NamedTuple):
    """What became of a source: its row, and how many records of each table it gave."""

    source: Source
    counts: Counter[str]


class Store:
    """One dnpc.sqlite3. Opened for reading; the first call that writes opens it for writing."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """`path` defaults to $DNPCSQL_DB, else dnpc.sqlite3 in the current directory."""
        self.path = Path(path or os.environ.get("DNPCSQL_DB") or database.DEFAULT_NAME)
        self._connection: sqlite3.Connection | None = None
        self._writable = False

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, sql: str, **values: object) -> Result:
        """The rows that SQL, or the name of a view, gives; `:name` takes its value from `values`.

        Read-only. Raises QueryError with what to do.
        """
        return run_query(self.reading(), sql, values)

    def runs(self) -> list[Run]:
        """The runs that were imported, the earliest first."""
        from dnpcsql.runs import all_runs

        return all_runs(self)

    def run(self, name: str = "last") -> Run:
        """The run of that id, id prefix, directory number, workflow name, or `last`.

        Raises NotFoundError with the runs that there are, or that it could be.
        """
        from dnpcsql.runs import find_run

        return find_run(self, name)

    def tasks(self, run: str = "last") -> Result:
        """The rows of parsl_task of a run."""
        sql = "SELECT * FROM parsl_task WHERE run_id = :run ORDER BY task_id"
        return self.query(sql, run=self.run(run).id)

    def life(self, run: str, task_id: int) -> Life:
        """All that is known of one task, event by event."""
        from dnpcsql.lives import life

        return life(self, self.run(run), task_id)

    def ledger(
        self, run: str = "last", *, by: str | None = None, task: int | None = None
    ) -> Ledger:
        """Where the wall time of a run's tasks went, exactly: `answers.ledger` says how."""
        from dnpcsql.answers.ledger import ledger

        return ledger(self, self.run(run), by, task)

    def hops(self, run: str = "last", *, task: int | None = None, slowest: int = 1) -> Hops:
        """How long each hop of the way of a run's tasks takes, and where the slowest stand."""
        from dnpcsql.answers.hops import hops

        return hops(self, self.run(run), task, slowest)

    def funcx_hops(self) -> Chain:
        """How long each hop of the way of funcX's or Globus Compute's tasks takes."""
        from dnpcsql.answers.funcx import chain

        return chain(self)

    def failures(self, run: str = "last") -> Failures:
        """Why things of a run failed, those that share a cause together, the costliest first."""
        from dnpcsql.answers.failures import failures

        return failures(self, self.run(run))

    def why(self, run: str = "last") -> Why:
        """Where did my time go? All that the answers say of a run, worst first."""
        from dnpcsql.answers.why import why

        return why(self, self.run(run))

    def clocks(self, run: str = "last") -> Clocks:
        """By how much the clocks of a run's hosts differ: `answers.clocks` says how it is known."""
        from dnpcsql.answers.clocks import clocks

        return clocks(self, self.run(run))

    def idle(self, run: str = "last") -> Idle:
        """Why a run's workers were idle, each worker-second: `answers.idle` says how."""
        from dnpcsql.answers.idle import idle

        return idle(self, self.run(run))

    def critical(self, run: str = "last", *, faster: Sequence[str] = ()) -> Critical:
        """What a run's length hung on, and what if: `answers.critical` says how."""
        from dnpcsql.answers.critical import critical

        return critical(self, self.run(run), faster)

    def bottleneck(self, run: str = "last") -> Bottleneck:
        """Which stage of a run saturates first: `answers.bottleneck` says how it is known."""
        from dnpcsql.answers.bottleneck import bottleneck

        return bottleneck(self, self.run(run))

    def unmatched(self, run: str | None = None) -> list[Unmatched]:
        """What one account tells of and its counterpart does not, of all runs or of one."""
        from dnpcsql.audit import unmatched

        return unmatched(self, None if run is None else self.run(run).id)

    def check(self) -> list[Finding]:
        """Whether the database is whole, and what it tells can be; nothing if all is well."""
        from dnpcsql.checks import check

        return check(self)

    def sequences(self, span_type: str | None = None) -> list[Variant]:
        """All orders of the events inside spans of a type (tasks), the commonest first."""
        from dnpcsql.sequences import sequences

        return sequences(self, span_type)

    def plot(
        self,
        kind: str,
        run: str | None = None,
        other: str | None = None,
        *,
        where: str | None = None,
        begin: str | None = None,
        end: str | None = None,
        by: str | None = None,
        type: str | None = None,  # noqa: A002
        metric: str | None = None,
        detail: bool = False,
        log: bool | None = None,
        wall: str | None = None,
        where_first: str | None = None,
        where_second: str | None = None,
        ax: Axes | None = None,
    ) -> Picture:
        """A picture of a run (the last one), as docs/gallery.md shows them; of `kind`, such as
        `states`, `workers`, `latency`. In a notebook it shows itself; `.save(path)` keeps it.

        `where`: SQL over columns of parsl_try; of span, with `type`. `begin`, `end`: two events.
        `by`: a column to colour or split by. `type`: spans of that type instead of a run's tasks.
        `metric`: for `resources`. `detail`: all hops as states. `wall`: a time zone, for wall-clock
        times instead of seconds. `other`: the run to compare with, `where_first` and
        `where_second` being about one of the two.
        Raises NotFoundError with what there is, if there is no such kind, run, event or column.
        """
        from dnpcsql.pictures import Asked, plot, zone_named

        zone = None if wall is None else zone_named(wall)
        asked = Asked(
            self, run, where, begin, end, by, type, metric, other, where_first, where_second,
            detail, log, zone, ax,
        )  # fmt: skip
        return plot(kind, asked)

    def statistics(
        self,
        run: str | None = None,
        *,
        where: str | None = None,
        begin: str | None = None,
        end: str | None = None,
        by: str | None = None,
        type: str | None = None,  # noqa: A002
    ) -> Overview:
        """How long things of a run (the last one) took: each phase of its tasks, or from `begin`
        to `end`; `by` a column; of spans of a `type`. With throughput and workers' utilization.
        """
        from dnpcsql.measures import overview

        return overview(self, run, where=where, begin=begin, end=end, by=by, type=type)

    def compare(
        self,
        first: str,
        second: str,
        *,
        where: str | None = None,
        where_first: str | None = None,
        where_second: str | None = None,
        begin: str | None = None,
        end: str | None = None,
        by: str | None = None,
        type: str | None = None,  # noqa: A002
    ) -> Compared:
        """Whether durations of the second run are other than those of the first, and by how much.

        `where` is about both, `where_first` and `where_second` about one of them, which may be the
        same run twice.
        """
        from dnpcsql.measures import compare

        return compare(
            self, first, second, where=where, where_first=where_first, where_second=where_second,
            begin=begin, end=end, by=by, type=type,
        )  # fmt: skip

    def import_(
        self,
        *paths: str | os.PathLike[str],
        timezone: Sequence[str] = (),
        last: bool = False,
        run: str | None = None,
        importer: str | None = None,
        progress: Progress | None = None,
    ) -> Importing:
        """Import files and trees, each file in a transaction of its own.

        `timezone`: zones of times that show none, `TZ` for all or `PATH=TZ` for those below a
        path. `last`, `run`: of a runinfo only the last run, or that of a number. `importer`: a
        built-in's name, or a file of your own, for all files. Raises NotFoundError if there is
        nothing to import.
        """
        from dnpcsql.importing import import_paths

        return import_paths(
            self,
            [Path(path) for path in paths],
            timezone=timezone,
            last=last,
            run=run,
            importer=importer,
            progress=progress,
        )

    def add(self, records: Iterable[Record], name: str = "added from Python") -> Source:
        """Add records of your own: `store.add(my_generator())`. The same name replaces.

        One whose attributes are no JSON object is left out, as a problem of the source.
        """
        source = Source(path=name, importer="store.add", fingerprint=hexdigest(32, name))
        return self.add_source(source, checked(records)).source

    def add_source(
        self,
        source: Source,
        records: Iterable[Record],
        *,
        progress: Callable[[int], None] | None = None,
        anchored: bool = False,
    ) -> Added:
        """Put a source's records in the place of what it told before, in one transaction.

        `anchored`: a source that is empty, or of which nothing was understood, is a problem.
        """
        connection = self.writing()
        if anchored and source.size == 0:
            records = [*records, Problem(None, "empty file", "it holds nothing")]
        with database.telling(self.path), database.transaction(connection):
            known = sources.by_path(connection, source.path)
            if known is not None:
                sources.remove(connection, [known])
            source_id = known.id if known is not None else sources.next_id(connection)
            writer = Writer(connection, source_id, source.path)
            try:
                tally = writer.write(records, progress, anchored)
            except NotARecordError as error:
                raise UnreadableError(f"{source.path}: {error}") from None
            for other in sources.telling_too(connection, source, writer.runs):
                writer.add_problem(
                    Problem(
                        None,
                        "run told twice",
                        f"{other} tells of the same run, so its events stand there twice: "
                        "`dnpcsql forget` both and import the fuller one again",
                    )
                )
            sources.insert(connection, source.told(source_id, tally, writer))
            settling.rely_on(connection, source.path, writer.settler.relied_on_by)
            relate(connection)
            added = sources.by_id(connection, source_id)
        return Added(added, writer.counts)

    def export_otlp(
        self,
        *runs: str,
        endpoint: str | None = None,
        protocol: str | None = None,
        trace_per: TracePer = "auto",
        where: str | None = None,
        repair: bool = False,
        output: str | os.PathLike[str] | None = None,
        progress: Callable[[Sent], None] | None = None,
    ) -> Export:
        """Send runs (all that there is, if none is named) by OTLP: exporters.otlp says how."""
        from dnpcsql.exporters.otlp import export_otlp

        return export_otlp(
            self,
            runs,
            endpoint=endpoint,
            protocol=protocol,
            trace_per=trace_per,
            where=where,
            repair=repair,
            output=output,
            progress=progress,
        )

    def forget(self, name: str) -> list[Source]:
        """Take a source (its path, or the end of it) or all of a run's out again.

        What a database of many runs tells of others stays: it is read again at the next import.
        Raises NotFoundError if there is no such source or run.
        """
        from dnpcsql.forgetting import forget

        return forget(self, name)

    def remove(self, found: Sequence[Source]) -> None:
        """Take sources out, with all that they told, in one transaction."""
        connection = self.writing()
        with database.telling(self.path), database.transaction(connection):
            sources.remove(connection, found)

    def sources(self) -> list[Source]:
        """All that was imported."""
        return sources.all_of(self.reading())

    def reading(self) -> sqlite3.Connection:
        """The sqlite3 connection, as it is; read-only until something was written."""
        if self._connection is None:
            self._connection = database.connect(self.path)
            self._writable = False
        return self._connection

    def writing(self) -> sqlite3.Connection:
        """The sqlite3 connection, for writing; makes the database if it is not there."""
        if self._connection is None or not self._writable:
            self.close()
            self._connection = database.connect(self.path, write=True)
            self._writable = True
        return self._connection

    def __repr__(self) -> str:
        try:
            return f"<dnpcsql.Store {self.path}: {len(self.sources())} sources>"
        except DnpcsqlError as error:
            return f"<dnpcsql.Store {self.path}: {error}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the runs, and what was read."""
        from html import escape

        from dnpcsql.query import html_table

        name = f"<p>dnpcsql store <code>{escape(str(self.path))}</code></p>"
        try:
            runs = self.query(
                "SELECT run_id, name, tasks, strftime('%Y-%m-%d %H:%M:%S', started, 'unixepoch') "
                "AS started_utc, ended - started AS seconds FROM parsl_run ORDER BY started"
            )
            read = self.query("SELECT importer, files, records, problems FROM source_summary")
            return name + html_table(runs.columns, runs) + html_table(read.columns, read)
        except DnpcsqlError as error:
            return f"{name}<p>{escape(str(error))}</p>"
