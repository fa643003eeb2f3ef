"""Pictures of what happened over time: rows → analysis → plot."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dnpcsql import plots
from dnpcsql.analyses import concurrency as counting
from dnpcsql.analyses import rates as rating
from dnpcsql.analyses.times import MISSING, bounds, told
from dnpcsql.pictures.asked import Asked, about_of, words
from dnpcsql.plots import style
from dnpcsql.run_rows import readings_of, workers_of
from dnpcsql.subjects import Subject, tries_of

MEANINGS = {
    "pending": "waits for others",
    "launched": "queued",
    "running_ended": "on its way back",
    "joining": "waits for inner tasks",
}
_STATES = ("pending", "launched", "running", "running_ended", "joining")
_ALL_STATES = (
    "pending", "launched", "interchange_received", "interchange_sent", "manager_got",
    "worker_received", "queue_waiting", "queue_running", "running", "running_ended",
    "worker_completed", "worker_finished", "interchange_result", "queue_waiting_retrieval",
    "queue_retrieved", "queue_done", "joining",
)  # fmt: skip
_LAYERS = (
    ("tasks", "invoked", "task_returned"),
    ("launched tries", "launched", "returned"),
    ("at the interchange", "interchange_received", "interchange_result"),
    ("at workers", "worker_received", "worker_finished"),
    ("in Work Queue's hands", "queue_waiting", "queue_done"),
    ("at its workers", "queue_running", "queue_waiting_retrieval"),
    ("running", "running", "running_ended"),
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
            found.first_of("running", "worker_received", "queue_running"),
            found.first_of("running_ended", "worker_completed", "queue_waiting_retrieval"),
            found.of("joining"),
        ]
    return states, np.stack(begins, axis=1), found.of("returned")


def _commonest(found: Subject) -> tuple[str, ...]:
    """The events that most spans of a type have, in their order: as many as there are colours."""
    events = [event for event in found.events if event not in ("start", "end")]
    most = sorted(events, key=lambda event: -int(told(found.of(event)).sum()))
    kept = set(most[: len(style.COLOURS)])
    return tuple(event for event in events if event in kept) or ("start",)


def states(asked: Asked) -> Axes:
    """In which state how many were."""
    found = asked.by_run()
    names, begins, ends = _state_table(found, asked)
    return plots.states(
        counting.occupancy(names, begins, ends), asked.ax, noun=found.noun, meanings=MEANINGS,
        clock=asked.clock(begins, ends), until=_open(begins, ends, found),
        about=about_of(found, asked),
    )  # fmt: skip


def _open(begins: Any, ends: Any, found: Subject) -> int | None:
    """Until when to draw: to the run's end only if something never ended."""
    return found.until if (told(begins).any(axis=1) & ~told(ends)).any() else None


def concurrency(asked: Asked) -> Axes:
    """How many at a time, in each layer, or between two events."""
    found = asked.by_run()
    if asked.type is not None or asked.begin or asked.end:
        begin, end, what = words(found, asked)
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
        until=found.until if never_ended else None, log=asked.log, about=about_of(found, asked),
    )  # fmt: skip


def _first_tries(found: Subject) -> list[int]:
    """One row a task: a task of two tries is one task."""
    first: dict[str, int] = {}
    for row, name in enumerate(found.names):
        first.setdefault(name.partition(" ")[0].partition(".")[0], row)
    return list(first.values())


def rate(asked: Asked) -> Axes:
    """How often events happened: two that are named, else the usual ones."""
    found = asked.by_run()
    chosen = [event for event in (asked.begin, asked.end) if event]
    if not chosen:
        usual = ("launched", "running", "returned") if asked.type is None else found.events
        chosen = [event for event in usual if told(found.of(event)).any()][:7]
    times = [found.of(event) for event in chosen]
    known = bounds(*times) if times else None
    width = None if known is None else rating.nice_width(known[1] - known[0] + 1, 100)
    first = None if known is None or width is None else known[0] // width * width
    rates = {
        event: rating.rate(
            one, width_ns=width, begin=first, end=None if known is None else known[1]
        )
        for event, one in zip(chosen, times, strict=True)
    }
    edges = [one.edges for one in rates.values()]
    return plots.rate(rates, asked.ax, clock=asked.clock(*edges), about=about_of(found, asked))


def tasks(asked: Asked) -> Axes:
    """In which state each was, and when."""
    found = asked.by_run()
    names, begins, ends = _state_table(found, asked)
    return plots.tasks(
        names, begins, ends, asked.ax, labels=found.names, noun=found.noun, meanings=MEANINGS,
        clock=asked.clock(begins, ends), until=_open(begins, ends, found),
        about=about_of(found, asked),
    )  # fmt: skip


def workers(asked: Asked) -> Axes:
    """What each worker ran."""
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    ran = workers_of(asked.store, run, found, all_tasks=asked.where is None)
    text = about_of(found, asked)
    if ran.unplaced:
        text += f"\n{style.count(ran.unplaced, 'tries')} ran where no file tells of the worker"
    by = asked.by or "app"
    values = found.groups(by)
    groups = [None if row is None else values[row] for row in ran.rows]
    there = [np.array(times, dtype=np.int64) for times in ran.connected.values()]
    return plots.workers(
        ran.names, ran.starts, ran.ends, asked.ax, groups=groups, by=by, connected=ran.connected,
        noun=found.noun, clock=asked.clock(ran.starts, ran.ends, *there), about=text,
    )  # fmt: skip


def utilization(asked: Asked) -> Axes:
    """How many workers were busy, of those connected."""
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    used = workers_of(asked.store, run, found, all_tasks=asked.where is None).utilization()
    over = asked.clock(used.busy.times, used.connected.times)
    return plots.utilization(used, asked.ax, clock=over, about=about_of(found, asked))


def resources(asked: Asked) -> Axes:
    """What tasks used of a metric."""
    run = asked.store.run(asked.run or "last")
    found = tries_of(asked.store, run, asked.where)
    used = readings_of(asked.store, run, found, asked.metric or "memory", asked.by)
    over = asked.clock(*[level.times for level in used.levels.values()])
    return plots.resources(
        used.levels, asked.ax, what=used.what, unit=used.unit, clock=over,
        about=about_of(found, asked),
    )  # fmt: skip


def lifelines(asked: Asked) -> Axes:
    """When each went through which stage."""
    found = asked.by_run()
    by = asked.by or next(iter(found.columns))
    stages = [event for event in found.events if event != "task_returned"]
    return plots.lifelines(
        np.stack([found.of(stage) for stage in stages], axis=1), stages, asked.ax,
        groups=found.groups(by), by=by, noun=found.noun,
        clock=asked.clock(found.times), about=about_of(found, asked),
    )  # fmt: skip
