"""Runs and traces to a receiver of OTLP, or into a file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dnpcsql import database
from dnpcsql.errors import NotFoundError, SettingError
from dnpcsql.exporters.batches import Batch, batches
from dnpcsql.exporters.choosing import Choice
from dnpcsql.exporters.encoding import Encoder, Json, Protobuf
from dnpcsql.exporters.files import FileSender, encoder_for
from dnpcsql.exporters.instrumented import Instrumented, placed
from dnpcsql.exporters.outgoing import Outgoing
from dnpcsql.exporters.repairing import repaired
from dnpcsql.exporters.sending import Sender, Sent
from dnpcsql.exporters.settings import endpoint as endpoint_of
from dnpcsql.exporters.traces import AUTO_LIMIT, TracePer, Traces
from dnpcsql.exporters.transports import transport
from dnpcsql.identity import RUN_DIGITS, trace_id_of
from dnpcsql.otlp.incoming import FOREIGN, Group
from dnpcsql.otlp.reading import Reader

if TYPE_CHECKING:
    from dnpcsql.store import Store

_HEX = frozenset("0123456789abcdef")


class Exported(NamedTuple):
    """What became of one run, or of all traces of other programs (`trace_id` is then None)."""

    trace_id: str | None
    traces: int
    spans: int
    per_task: bool = False


class Export(NamedTuple):
    """What was sent: run by run, and in all. `untimed`: spans left out, as nothing tells when.
    `cut`: spans without their parent, since it was below them, or 5,000 levels above."""

    runs: list[Exported]
    sent: Sent
    untimed: int
    jaeger: str | None
    cut: int = 0


class _Sends(Protocol):
    sent: Sent

    def send(self, batch: Batch) -> None: ...


def export_otlp(
    store: Store,
    runs: Sequence[str] = (),
    *,
    endpoint: str | None = None,
    protocol: str | None = None,
    trace_per: TracePer = "auto",
    where: str | None = None,
    repair: bool = False,
    output: str | os.PathLike[str] | None = None,
    progress: Callable[[Sent], None] | None = None,
) -> Export:
    """Send runs (all, and all traces of other programs, if none is named) by OTLP.

    `endpoint`, `protocol`: default to OTEL_EXPORTER_OTLP_*, else gRPC to localhost:4317.
    `trace_per`: one trace for the `run`, one for each `task`, or `auto`: for each task in runs of
    more than 20,000 spans. `where`: only the rows of otlp_span for which this SQL is true.
    `repair`: mend spans of other programs, which else leave as they came. `output`: a file
    instead, .jsonl or .pb. Raises NotFoundError, QueryError, SettingError or SendError.
    """
    connection = store.reading()
    with database.telling(store.path):
        chosen = _Chosen.of(store, connection, runs)
        with contextlib.ExitStack() as stack:
            sender, encoder, jaeger = _sender(stack, endpoint, protocol, output)
            job = _Job(connection, sender, encoder, where, repair, progress)
            done = [job.run(trace, trace_per, chosen) for trace in chosen.runs]
            done += job.foreign(chosen)
            return Export(done, sender.sent, job.outgoing.untimed, jaeger, job.outgoing.cut)


def _sender(
    stack: contextlib.ExitStack,
    endpoint: str | None,
    protocol: str | None,
    output: str | os.PathLike[str] | None,
) -> tuple[_Sends, Encoder, str | None]:
    """Where batches go, how they are written, and where a Jaeger would show them."""
    if output is not None:
        if endpoint is not None or protocol is not None:
            raise SettingError("--output writes a file: it goes without --endpoint and --protocol")
        path = Path(output)
        encoder = encoder_for(path)
        return stack.enter_context(FileSender(path, encoder)), encoder, None
    to = endpoint_of(endpoint, protocol)
    encoder = Json() if to.protocol == "http/json" else Protobuf()
    connected = transport(to)
    stack.callback(connected.close)
    return Sender(connected, encoder, to), encoder, f"http://{to.host}:16686"


class _Chosen(NamedTuple):
    """Trace ids of runs, and of other programs' traces; `named`: runs chosen by trace id."""

    runs: list[str]
    foreign: list[str]
    everything: bool
    named: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store, connection: sqlite3.Connection, names: Sequence[str]) -> _Chosen:
        """Those that are named; all if none is."""
        if not names:
            return cls(_all_runs(connection), [], True)
        runs, foreign, named = [], [], set()
        for name in names:
            trace_id = name.lower()
            if len(trace_id) == 32 and _HEX.issuperset(trace_id):
                ours, theirs = _tellers(connection, trace_id)
                runs += [trace_id] * ours
                named.add(trace_id)
                foreign += [trace_id] * (theirs and not ours)
                if not ours and not theirs:
                    raise NotFoundError(f"no trace {name} here: `dnpcsql runs` lists the runs")
            else:
                runs.append(trace_id_of(store.run(name).id))
        return cls(list(dict.fromkeys(runs)), list(dict.fromkeys(foreign)), False, frozenset(named))


def _all_runs(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT (SELECT trace_id FROM span WHERE uuid BETWEEN part AND part || 'g' "
        f"AND type NOT IN {FOREIGN!r} LIMIT 1) FROM run_part"
    )
    return [trace_id for (trace_id,) in rows.fetchall() if trace_id is not None]


def _tellers(connection: sqlite3.Connection, trace_id: str) -> tuple[bool, bool]:
    """Whether a trace has spans of a run, and whether it has other programs'."""
    run = trace_id[-RUN_DIGITS:]
    found = []
    for not_ in ("NOT ", ""):
        sql = (
            "SELECT EXISTS (SELECT 1 FROM span WHERE uuid BETWEEN ? AND ? AND trace_high = ? "
            f"AND type {not_}IN {FOREIGN!r})"
        )
        row = connection.execute(sql, (run, run + "g", trace_id[:-RUN_DIGITS])).fetchone()
        found.append(bool(row[0]))
    return found[0], found[1]


class _Job:
    """One export."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sender: _Sends,
        encoder: Encoder,
        where: str | None,
        repair: bool,
        progress: Callable[[Sent], None] | None,
    ) -> None:
        self.outgoing = Outgoing(connection)
        self._reader = Reader(connection)
        self._connection = connection
        self._sender = sender
        self._encoder = encoder
        self._where = where
        self._repair = repair
        self._progress = progress
        self._per_task: dict[str, Instrumented] = {}

    def run(self, trace_id: str, trace_per: TracePer, chosen: _Chosen) -> Exported:
        """A run; if it is named, with what other programs tell in its trace."""
        run = trace_id[-RUN_DIGITS:]
        per_task = trace_per == "task" or (trace_per == "auto" and self._is_large(run))
        choice = Choice(self._connection, self._where, run) if self._where else None
        traces = Traces(self._connection, trace_id, per_task=per_task)
        if traces.per_task:
            self._per_task[trace_id] = Instrumented(self._connection, traces)
        only = trace_id if traces.many and trace_id in chosen.named else None
        groups = self.outgoing.groups(traces, choice, only)
        if not chosen.everything:
            groups = chain(groups, self._theirs(self._reader.groups(trace_id), choice))
        return self._send(trace_id, groups, traces.per_task)

    def foreign(self, chosen: _Chosen) -> list[Exported]:
        """Other programs' traces, all or those that are chosen."""
        choice = Choice(self._connection, self._where) if self._where else None
        if chosen.everything:
            asked: Iterable[Group] = self._reader.groups()
        else:
            asked = chain.from_iterable(map(self._reader.groups, chosen.foreign))
        done = self._send(None, self._theirs(asked, choice), False)
        return [done] if done.spans else []

    def _theirs(self, groups: Iterable[Group], choice: Choice | None) -> Iterator[Group]:
        if choice is not None:
            groups = (
                Group(told, scope, [span for span in spans if span.span.uuid in choice])
                for told, scope, spans in groups
            )
        if self._repair:
            groups = repaired(groups, self._connection)
        return placed(groups, self._per_task) if self._per_task else iter(groups)

    def _is_large(self, run: str) -> bool:
        row = self._connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM thing WHERE first BETWEEN ?1 AND ?2 UNION ALL "
            f"SELECT 1 FROM span WHERE uuid BETWEEN ?1 AND ?2 AND type IN {FOREIGN!r} LIMIT ?3)",
            (run, run + "g", AUTO_LIMIT + 1),
        ).fetchone()
        return bool(row[0] > AUTO_LIMIT)

    def _send(self, trace_id: str | None, groups: Iterable[Group], per_task: bool) -> Exported:
        sent = self._sender.sent
        spans, traces = sent.spans, len(sent.traces)
        for batch in batches(groups, self._encoder):
            self._sender.send(batch)
            if self._progress is not None:
                self._progress(sent)
        return Exported(trace_id, len(sent.traces) - traces, sent.spans - spans, per_task)
