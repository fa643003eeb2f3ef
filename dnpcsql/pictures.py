"""Pictures: what is asked of a store, counted by an analysis, drawn by a plot.

store.plot("states").save("states.png")
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnpcsql import clock, plots
from dnpcsql.analyses import concurrency as counting
from dnpcsql.analyses.rates import nice_width, rate
from dnpcsql.analyses.times import MISSING, bounds, told
from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.measures import compared_names, compared_subjects
from dnpcsql.picture_rows import dependencies_of, readings_of, workers_of
from dnpcsql.plots import style
from dnpcsql.subjects import Subject, about, subject, tries_of

if TYPE_CHECKING:
    from dnpcsql.store import Store

FORMATS = (".png", ".svg", ".pdf")
_DPI = 110

MEANINGS = {
    "pending": "waits for others",
    "launched": "queued",
    "running_ended": "on its way back",
    "joining": "waits for inner tasks",
}
_STATES = ("pending", "launched", "running", "running_ended", "joining")
_ALL_STATES = (
    "pending", "launched", "interchange_received", "interchange_sent", "manager_got",
    "worker_received", "running", "running_ended", "worker_completed", "worker_finished",
    "interchange_result", "joining",
)  # fmt: skip
_LAYERS = (
    ("tasks", "invoked", "task_returned"),
    ("launched tries", "launched", "returned"),
    ("at the interchange", "interchange_received", "interchange_result"),
    ("at workers", "worker_received", "worker_finished"),
    ("running", "running", "running_ended"),
)


@dataclass(frozen=True)
class Asked:
    """What is to be drawn of what."""

    store: Store
    run: str | None = None
    where: str | None = None
    begin: str | None = None
    end: str | None = None
    by: str | None = None
    type: str | None = None
    metric: str | None = None
    other: str | None = None  # another run, to compare with
    where_first: str | None = None
    where_second: str | None = None
    detail: bool = False
    log: bool | None = None
    zone: tzinfo | None = None
    ax: Axes | None = None

    def subject(self, *events: str) -> Subject:
        """The spans, tries or tasks of which these events, besides those asked for, are needed."""
        needed = (self.begin, self.end, *events)
        found = subject(self.store, self.run, where=self.where, type=self.type, events=needed)
        if self.type is None and self.by is not None and self.by not in found.columns:
            return tries_of(self.store, self.store.run(self.run or "last"), self.where)
        return found

    def by_run(self) -> Subject:
        """Tries of a run, or spans of a type."""
        return self.subject("launched") if self.type is None else self.subject()

    def clock(self, *times: Any) -> style.Clock:
        """A clock over these times."""
        return style.Clock.over(*times, zone=self.zone)


class Picture(NamedTuple):
    """A drawn picture: shows itself in a notebook, and can be saved."""

    kind: str
    ax: Axes

    @property
    def figure(self) -> Figure:
        """The figure that it is on."""
        found = self.ax.get_figure(root=True)
        assert isinstance(found, Figure)
        return found

    def save(self, path: str | Path, *, dpi: int = _DPI) -> None:
        """Write it as .png, .svg or .pdf. Raises UnreadableError if it cannot be written."""
        path = Path(path)
        if path.suffix.lower() not in FORMATS:
            raise UnreadableError(f"{path}: a picture is {', '.join(FORMATS)}")
        try:
            self.figure.savefig(path, dpi=dpi, metadata=_undated(path.suffix.lower()))
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror or error}") from None

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.figure.savefig(written, format="png", dpi=_DPI)
        return written.getvalue()


def zone_named(text: str) -> tzinfo:
    """A time zone by its name: `Europe/Berlin`, `UTC`, `local`, `+05:30`.

    Raises NotFoundError if there is none.
    """
    try:
        found = clock.named(text, "")
    except ValueError as error:
        raise NotFoundError(str(error)) from None
    return found.zone or timezone(timedelta(microseconds=found.intervals[0].offset // 1000))


def _undated(suffix: str) -> dict[str, None]:
    """The same picture is the same file, whenever it is drawn."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})


@dataclass(frozen=True)
class Kind:
    """A kind of picture: what it shows, and what draws it."""

    about: str
    draw: Callable[[Asked], Axes]


def plot(kind: str, asked: Asked) -> Picture:
    """Draw a kind of picture. Raises NotFoundError if there is none so called, or no such run."""
    if kind not in KINDS:
        raise NotFoundError(f"no picture {kind}; there are: {', '.join(KINDS)}")
    return Picture(kind, KINDS[kind].draw(asked))


# One function a kind: rows → analysis → plot.


def _words(subject: Subject, asked: Asked) -> tuple[str, str, str]:
    begin, end = asked.begin or subject.begin, asked.end or subject.end
    return begin, end, f"{begin} → {end}"


def _about(subject: Subject, asked: Asked) -> str:
    parts = [subject.about, asked.where and f"where {asked.where}"]
    return style.name(", ".join(part for part in parts if part), 110)


def _latency(asked: Asked) -> Axes:
    found = asked.subject()
    begin, end, _ = _words(found, asked)
    ranges = found.ranges(begin, end)
    by = asked.by or next(iter(found.columns))
    return plots.latency(
        ranges, asked.ax, begin=begin, end=end, groups=found.groups(by), by=by, noun=found.noun,
        clock=asked.clock(ranges.begins, ranges.ends), log=asked.log, about=_about(found, asked),
    )  # fmt: skip


def _histogram(asked: Asked) -> Axes:
    found = asked.subject()
    begin, end, what = _words(found, asked)
    return plots.histogram(
        found.ranges(begin, end).durations_s, asked.ax, what=what, noun=found.noun,
        log=asked.log, about=_about(found, asked),
    )  # fmt: skip


def _spread(draw: Callable[..., Axes]) -> Callable[[Asked], Axes]:
    def by_groups(asked: Asked) -> Axes:
        found = asked.subject()
        begin, end, what = _words(found, asked)
        return draw(
            found.ranges(begin, end).durations_s, asked.ax, what=what, noun=found.noun,
            groups=None if asked.by is None else found.groups(asked.by), by=asked.by or "",
            log=asked.log, about=_about(found, asked),
        )  # fmt: skip

    return by_groups


def _boxes(asked: Asked) -> Axes:
    found = asked.by_run()
    first = asked.begin or ("invoked" if asked.type is None else found.events[0])
    rest = [event for event in found.events if event not in (first, "task_returned")]
    later = [event for event in rest if told(found.of(event)).any()]
    times = np.stack([found.of(event) for event in (first, *later)], axis=1)
    return plots.boxes(
        times, [first, *later], asked.ax, noun=found.noun, log=asked.log, about=_about(found, asked)
    )


def _state_table(found: Subject, asked: Asked) -> tuple[tuple[str, ...], Any, Any]:
    """States, when each row reached each, and when it was over."""
    if asked.type is not None:
        states = _commonest(found)
        ends = found.of("end") if "end" in found.events else np.full(len(found.names), MISSING)
        return states, np.stack([found.of(state) for state in states], axis=1), ends
    if asked.detail:
        states = _ALL_STATES
        begins = [found.of(state) for state in states]
    else:
        states = _STATES
        begins = [
            found.of("pending"),
            found.of("launched"),
            found.first_of("running", "worker_received"),
            found.first_of("running_ended", "worker_completed"),
            found.of("joining"),
        ]
    return states, np.stack(begins, axis=1), found.of("returned")


def _commonest(found: Subject) -> tuple[str, ...]:
    """The events that most spans of a type have, in their order: as many as there are colours."""
    events = [event for event in found.events if event not in ("start", "end")]
    most = sorted(events, key=lambda event: -int(told(found.of(event)).sum()))
    kept = set(most[: len(style.COLOURS)])
    return tuple(event for event in events if event in kept) or ("start",)


def _states(asked: Asked) -> Axes:
    found = asked.by_run()
    states, begins, ends = _state_table(found, asked)
    return plots.states(
        counting.occupancy(states, begins, ends), asked.ax, noun=found.noun, meanings=MEANINGS,
        clock=asked.clock(begins, ends), until=_open(begins, ends, found),
        about=_about(found, asked),
    )  # fmt: skip


def _open(begins: Any, ends: Any, found: Subject) -> int | None:
    """Until when to draw: to the run's end only if something never ended."""
    return found.until if (told(begins).any(axis=1) & ~told(ends)).any() else None


def _concurrency(asked: Asked) -> Axes:
    found = asked.by_run()
    if asked.type is not None or asked.begin or asked.end:
        begin, end, what = _words(found, asked)
        pairs = {what: found.ranges(begin, end)}
    else:
        pairs = {label: found.ranges(one, other) for label, one, other in _LAYERS}
    layers = {}
    for label, ranges in pairs.items():
        rows = slice(None) if label != "tasks" else _first_tries(found)
        layers[label] = counting.concurrency(ranges.begins[rows], ranges.ends[rows])
    every = [times for ranges in pairs.values() for times in ranges]
    never_ended = any((told(pair.begins) & ~told(pair.ends)).any() for pair in pairs.values())
    return plots.concurrency(
        layers, asked.ax, noun=found.noun, clock=asked.clock(*every),
        until=found.until if never_ended else None, log=asked.log, about=_about(found, asked),
    )  # fmt: skip


def _first_tries(found: Subject) -> list[int]:
    """One row a task: a task of two tries is one task."""
    first: dict[str, int] = {}
    for row, name in enumerate(found.names):
        first.setdefault(name.partition(" ")[0].partition(".")[0], row)
    return list(first.values())


def _rate(asked: Asked) -> Axes:
    found = asked.by_run()
    chosen = [event for event in (asked.begin, asked.end) if event]
    if not chosen:
        usual = ("launched", "running", "returned") if asked.type is None else found.events
        chosen = [event for event in usual if told(found.of(event)).any()][:7]
    times = [found.of(event) for event in chosen]
    known = bounds(*times) if times else None
    width = None if known is None else nice_width(known[1] - known[0] + 1, 100)
    first = None if known is None or width is None else known[0] // width * width
    rates = {
        event: rate(one, width_ns=width, begin=first, end=None if known is None else known[1])
        for event, one in zip(chosen, times, strict=True)
    }
    edges = [one.edges for one in rates.values()]
    return plots.rate(rates, asked.ax, clock=asked.clock(*edges), about=_about(found, asked))


def _tasks(asked: Asked) -> Axes:
    found = asked.by_run()
    states, begins, ends = _state_table(found, asked)
    return plots.tasks(
        states, begins, ends, asked.ax, labels=found.names, noun=found.noun, meanings=MEANINGS,
        clock=asked.clock(begins, ends), until=_open(begins, ends, found),
        about=_about(found, asked),
    )  # fmt: skip


def _workers(asked: Asked) -> Axes:
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    ran = workers_of(asked.store, run, found)
    text = _about(found, asked)
    if ran.unplaced:
        text += f"\n{style.count(ran.unplaced, 'tries')} ran where no file tells of the worker"
    by = asked.by or "app"
    groups = [found.groups(by)[row] for row in ran.rows]
    there = map(np.array, ran.connected.values())
    return plots.workers(
        ran.names, ran.starts, ran.ends, asked.ax, groups=groups, by=by, connected=ran.connected,
        noun=found.noun, clock=asked.clock(ran.starts, ran.ends, *there), until=ran.until,
        about=text,
    )  # fmt: skip


def _utilization(asked: Asked) -> Axes:
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    used = workers_of(asked.store, run, found).utilization()
    over = asked.clock(used.busy.times, used.connected.times)
    return plots.utilization(used, asked.ax, clock=over, about=_about(found, asked))


def _resources(asked: Asked) -> Axes:
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    used = readings_of(asked.store, run, found, asked.metric or "memory", asked.by)
    over = asked.clock(*[level.times for level in used.levels.values()])
    return plots.resources(
        used.levels, asked.ax, what=used.what, unit=used.unit, clock=over,
        about=_about(found, asked),
    )  # fmt: skip


def _lifelines(asked: Asked) -> Axes:
    found = asked.by_run()
    by = asked.by or next(iter(found.columns))
    stages = [event for event in found.events if event != "task_returned"]
    return plots.lifelines(
        np.stack([found.of(stage) for stage in stages], axis=1), stages, asked.ax,
        groups=found.groups(by), by=by, noun=found.noun,
        clock=asked.clock(found.times), about=_about(found, asked),
    )  # fmt: skip


def _types(asked: Asked) -> Axes:
    counts: dict[str, int] = dict(
        asked.store.query("SELECT type, spans FROM span_type ORDER BY type").all()
    )
    relations = asked.store.query("SELECT * FROM span_type_relation ORDER BY 1, 2, 3").all()
    return plots.types(counts, relations, asked.ax, about=style.name(asked.store.path.name))


def _dependencies(asked: Asked) -> Axes:
    run = asked.store.run(asked.run or "last")
    nodes, edges = dependencies_of(asked.store, run, asked.where, asked.by or "app")
    return plots.dependencies(nodes, edges, asked.ax, about=style.name(about(run), 110))


def _compare(asked: Asked) -> Axes:
    if asked.other is None:
        raise NotFoundError("compare what with what? name two runs: `dnpcsql plot compare A B`")
    first = asked.run or "last"
    both = compared_subjects(
        asked.store, (first, asked.other), (asked.where, asked.where_first, asked.where_second),
        asked.type, (asked.begin, asked.end),
    )  # fmt: skip
    begin, end, what = _words(both[0], asked)
    took = [found.ranges(begin, end).durations_s for found in both]
    names = compared_names(first, asked.other, asked.where_first, asked.where_second)
    return plots.comparison(
        took[0], took[1], asked.ax, names=names, what=what, noun=both[0].noun, log=asked.log,
        about=style.name(f"where {asked.where}", 110) if asked.where else "",
    )  # fmt: skip


KINDS: dict[str, Kind] = {
    "latency": Kind("how long from one event to another, over time", _latency),
    "histogram": Kind("how many took how long, with mean, median, p95 and max", _histogram),
    "kde": Kind("a smooth density of how long things took", _spread(plots.kde)),
    "ecdf": Kind("what share took at most how long", _spread(plots.ecdf)),
    "boxes": Kind("how long after the first event each other event came", _boxes),
    "states": Kind("how many were in each state over time", _states),
    "concurrency": Kind("how many at a time, in each layer", _concurrency),
    "rate": Kind("events a second over time", _rate),
    "tasks": Kind("a row for each task, by the state it was in", _tasks),
    "workers": Kind("a lane for each worker, by what it ran", _workers),
    "utilization": Kind("busy workers over time, below those connected", _utilization),
    "resources": Kind("memory, CPU or another metric over time", _resources),
    "lifelines": Kind("a line for each task through its stages", _lifelines),
    "types": Kind("how the types of spans hang together", _types),
    "dependencies": Kind("what waits for what", _dependencies),
    "compare": Kind("two runs, one over the other", _compare),
}


def kinds() -> Sequence[tuple[str, str]]:
    """All kinds of pictures, and what each shows."""
    return [(name, kind.about) for name, kind in KINDS.items()]
