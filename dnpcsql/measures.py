"""Figures of a run: what is asked of a store, counted by the analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.comparison import Comparison
from dnpcsql.analyses.comparison import compare as compare_durations
from dnpcsql.analyses.correlation import Correlation, correlations
from dnpcsql.analyses.durations import Statistics, statistics
from dnpcsql.analyses.rates import Throughput, throughput
from dnpcsql.analyses.times import Floats
from dnpcsql.analyses.timestamps import Ranges
from dnpcsql.analyses.utilization import Utilization
from dnpcsql.errors import NotFoundError
from dnpcsql.run_rows import workers_of
from dnpcsql.subjects import Subject, subject, tasks_of, tries_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

# The phases of a try, one after the other. Where Parsl's monitoring was off, a worker's receiving
# and completing of a task stand for its running.
_PHASES = (
    (("pending",), ("launched",)),
    (("launched",), ("running", "worker_received")),
    (("running", "worker_received"), ("running_ended", "worker_completed")),
    (("running_ended", "worker_completed"), ("returned",)),
)
_RUNNING = _PHASES[2]


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
        ranges = found.ranges(begin, end)
        words = begin or found.begin, end or found.end
        return Overview(
            found.about,
            found.noun,
            throughput(*ranges),
            None,
            None,
            _measured(ranges, *words, found, by),
            correlations(ranges.durations_s, found.columns),
        )
    return _of_run(store, store.run(run or "last"), where, by)


def _of_run(store: Store, run: Run, where: str | None, by: str | None) -> Overview:
    tries = tries_of(store, run, where)
    tasks = tasks_of(store, run, where)
    durations = _measured(tasks.ranges(), "invoked", "returned", tasks, by)
    for begin, end in _PHASES:
        ranges = Ranges(tries.first_of(*begin), tries.first_of(*end))
        durations += _measured(ranges, begin[0], end[0], tries, by)
    running = Ranges(*(tries.first_of(*events) for events in _RUNNING))
    return Overview(
        tries.about,
        "tasks",
        throughput(*tasks.ranges()),
        throughput(*running),
        workers_of(store, run, tries, all_tasks=where is None).utilization(),
        durations,
        correlations(running.durations_s, tries.columns),
    )


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
    )


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
    return where_first or "the rest", where_second or "the rest"


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
