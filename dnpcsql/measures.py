"""Figures of a run: what is asked of a store, counted by the analyses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnpcsql.analyses.comparison import Comparison
from dnpcsql.analyses.comparison import compare as compare_durations
from dnpcsql.analyses.correlation import Correlation, correlations
from dnpcsql.analyses.durations import Statistics, statistics
from dnpcsql.analyses.rates import Throughput, throughput
from dnpcsql.analyses.times import Floats, told
from dnpcsql.analyses.timestamps import Ranges
from dnpcsql.analyses.utilization import Utilization
from dnpcsql.errors import NotFoundError
from dnpcsql.run_rows import workers_of
from dnpcsql.subjects import Subject, subject, tasks_of, tries_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# From when to when a try ran, the best account first: where Parsl's monitoring was off, what the
# worker's log tells, or Work Queue's or TaskVine's manager.
_RUNNING = (
    ("running", "running_ended"),
    ("worker_received", "worker_completed"),
    ("queue_running", "queue_waiting_retrieval"),
)


class Measured(NamedTuple):
    """Durations from one event to another, of all or of one group; `noun` says of what."""

    begin: str
    end: str
    noun: str
    group: str | None
    statistics: Statistics


class Overview(NamedTuple):
    """A run, or the spans of a type, in figures. What a type of spans has not is None."""

    about: str
    noun: str
    whole: Throughput  # of tasks, from invoked to returned
    running: Throughput | None  # of tries, while they ran
    workers: Utilization | None
    durations: list[Measured]
    correlations: list[Correlation]  # of the running time, or of the two events asked for
    running_by: tuple[tuple[str, str], ...] = ()  # by which events `running` is told
    untold: tuple[str, ...] = ()  # events that were asked for, and no file tells of
    told: tuple[str, ...] = ()  # those that there are


def overview(
    store: Store,
    run: str | None = None,
    *,
    where: str | None = None,
    begin: str | None = None,
    end: str | None = None,
    by: str | None = None,
    type: str | None = None,  # noqa: A002
) -> Overview:
    """How long things took: each phase of tasks, or from `begin` to `end`; `by` splits in groups.

    `where`: SQL over columns of parsl_try; of span, with `type`.
    """
    if type is not None or begin or end:
        found = subject(store, run, where=where, type=type, events=(begin, end))
        if by is not None and by not in found.columns and type is None:
            found = tries_of(store, store.run(run or "last"), where)
        words = begin or found.begin, end or found.end
        ranges = found.ranges(*words)
        known = found.told()
        return Overview(
            found.about,
            found.noun,
            throughput(*ranges),
            None,
            None,
            _measured(ranges, *words, found, by),
            correlations(ranges.durations_s, _named(found)),
            untold=tuple(event for event in words if event not in known),
            told=tuple(known),
        )
    return _of_run(store, store.run(run or "last"), where, by)


def _of_run(store: Store, run: Run, where: str | None, by: str | None) -> Overview:
    tries = tries_of(store, run, where)
    tasks = tasks_of(store, run, where)
    if by is not None and by not in tasks.columns:
        tries.groups(by)  # says so if there is no such column
    durations = []
    if by is None or by in tasks.columns:
        durations += _measured(tasks.ranges(), "invoked", "returned", tasks, by)
    if by is None or by in tries.columns:
        for begin, end in phases(tries):
            durations += _measured(tries.ranges(begin, end), begin, end, tries, by)
    running_by = tuple(_running_by(tries))
    running = Ranges(
        tries.first_of(*(begin for begin, _ in running_by)),
        tries.first_of(*(end for _, end in running_by)),
    )
    return Overview(
        tries.about,
        "tasks",
        throughput(*tasks.ranges()),
        throughput(*running),
        workers_of(store, run, tries, all_tasks=where is None).utilization(),
        durations,
        correlations(running.durations_s, _named(tries)),
        running_by=running_by,
    )


def phases(tries: Subject) -> list[tuple[str, str]]:
    """The phases of a try, one after the other, by the events that tell of them."""
    ran = _running_by(tries)
    return [
        ("pending", "launched"),
        *(("launched", begin) for begin, _ in ran),
        *ran,
        *((end, "returned") for _, end in ran),
    ]


def _running_by(tries: Subject) -> list[tuple[str, str]]:
    """By which events it is told when tries ran: the first of those that some try has, and what
    tells of others besides."""
    found = []
    missing = np.ones(len(tries.names), dtype=bool)
    for begin, end in _RUNNING:
        here = told(tries.of(begin))
        if (here & missing).any():
            found.append((begin, end))
        missing &= ~here
    return found or [_RUNNING[0]]


def _named(found: Subject) -> dict[str, Sequence[Any]]:
    """Columns as what goes with durations is told of them: a number in words, with its place.

    Each manager numbers its workers anew, each executor its blocks.
    """
    columns = dict(found.columns)
    for name, place in (("worker_id", "manager_id"), ("block_id", "executor")):
        if name not in columns or place not in columns:
            continue
        noun = name.removesuffix("_id")
        several = len({one for one in columns[place] if one is not None}) > 1
        columns[name] = [
            _called(noun, where if several else None, number)
            for where, number in zip(found.columns[place], found.columns[name], strict=True)
        ]
    return columns


def _called(noun: str, place: Any, number: Any) -> str | None:
    if number is None:
        return None
    if not str(number).isdecimal():  # Work Queue's workers have names
        return str(number)
    return f"{noun} {number}" if place is None else f"{noun} {place}/{number}"


def _measured(
    ranges: Ranges, begin: str, end: str, found: Subject, by: str | None
) -> list[Measured]:
    took = ranges.durations_s
    if by is None:
        return [Measured(begin, end, found.noun, None, statistics(took))]
    names = ["not told" if value is None else str(value) for value in found.groups(by)]
    groups = np.array(names)
    return [
        Measured(begin, end, found.noun, name, statistics(took[groups == name]))
        for name in sorted(set(names))
    ]


class Compared(NamedTuple):
    """Two runs, or two groups, side by side; `differs` is None if one has no durations."""

    names: tuple[str, str]
    begin: str
    end: str
    noun: str
    wholes: tuple[Throughput, Throughput]
    differs: Comparison | None
    groups: dict[str, Comparison]
    phases: dict[tuple[str, str], Comparison]  # of tries; if no two events were asked for


def compare(
    store: Store,
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
    """Whether durations of the second run are other than those of the first; `by` splits both.

    A run may be compared with itself: `where_first`, `where_second` say what of each is meant.
    """
    both = compared_subjects(
        store, (first, second), (where, where_first, where_second), type, (begin, end)
    )
    words = begin or both[0].begin, end or both[0].end
    ranges = [found.ranges(*words) for found in both]
    names = compared_names(first, second, where_first, where_second)
    took = [one.durations_s for one in ranges]
    return Compared(
        names,
        *words,
        both[0].noun,
        (throughput(*ranges[0]), throughput(*ranges[1])),
        _differs(took[0], took[1], names),
        {} if by is None else _by_group(both, took, by, names),
        {}
        if begin or end or by or type
        else _by_phase(store, (first, second), (where, where_first, where_second), names),
    )


def _by_phase(
    store: Store,
    runs: tuple[str, str],
    wheres: tuple[str | None, str | None, str | None],
    names: tuple[str, str],
) -> dict[tuple[str, str], Comparison]:
    """How each phase differs that both have."""
    both = compared_subjects(store, runs, wheres, None, ("launched", None))
    compared = {}
    for pair in phases(both[0]):
        took = [one.ranges(*pair).durations_s for one in both]
        found = _differs(took[0], took[1], names)
        if found is not None:
            compared[pair] = found
    return compared


def _by_group(
    both: list[Subject], took: list[Floats], by: str, names: tuple[str, str]
) -> dict[str, Comparison]:
    groups = [np.array([str(value) for value in found.groups(by)]) for found in both]
    compared = {}
    for group in sorted(set(groups[0]) & set(groups[1])):
        mine = [one[place == group] for one, place in zip(took, groups, strict=True)]
        found = _differs(mine[0], mine[1], names)
        if found is not None:
            compared[str(group)] = found
    return compared


def _differs(first: Floats, second: Floats, names: tuple[str, str]) -> Comparison | None:
    if not np.isfinite(first).any() or not np.isfinite(second).any():
        return None
    return compare_durations(first, second, names=names)


def _both(one: str | None, other: str | None) -> str | None:
    return f"({one}\n) AND ({other}\n)" if one and other else one or other


def compared_subjects(
    store: Store,
    runs: tuple[str, str],
    wheres: tuple[str | None, str | None, str | None],  # of both, of the first, of the second
    type_: str | None,
    events: tuple[str | None, str | None],
) -> list[Subject]:
    """What of two runs is to be compared."""
    return [
        subject(store, run, where=_both(wheres[0], own), type=type_, events=events)
        for run, own in zip(runs, wheres[1:], strict=True)
    ]


def compared_names(
    first: str, second: str, where_first: str | None, where_second: str | None
) -> tuple[str, str]:
    """What to call the two sides: their runs, or what tells them apart within one."""
    if first != second:
        return f"run {first}", f"run {second}"
    if where_first is None and where_second is None:
        return f"run {first}", f"run {second} again"
    return where_first or "all of it", where_second or "all of it"


def change(found: Compared, figure: str) -> float:
    """By how many percent a figure of the second is above the first's: mean, p50, …, makespan.

    Raises NotFoundError if there is nothing to compare.
    """
    if figure == "makespan":
        first, second = (whole.makespan_s for whole in found.wholes)
    elif found.differs is None:
        raise NotFoundError(
            f"nothing to compare: no {found.noun} with both {found.begin} and {found.end} in one "
            "of the two"
        )
    else:
        shift = found.differs.shift(figure)
        first, second = shift.first_s, shift.second_s
    if first == second:
        return 0.0
    return 100 * (second - first) / first if first else float("inf")
