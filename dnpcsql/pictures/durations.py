"""Pictures of how long things took: rows → analysis → plot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from dnpcsql import plots
from dnpcsql.analyses.times import told
from dnpcsql.errors import NotFoundError
from dnpcsql.measures import compared_names, compared_subjects
from dnpcsql.pictures.asked import Asked, about_of, words
from dnpcsql.plots import style


def latency(asked: Asked) -> Axes:
    """Each row's time from one event to another, where it ended."""
    found = asked.subject()
    begin, end, _ = words(found, asked)
    ranges = found.ranges(begin, end)
    by = asked.by or next(iter(found.columns))
    return plots.latency(
        ranges, asked.ax, begin=begin, end=end, groups=found.groups(by), by=by, noun=found.noun,
        clock=asked.clock(ranges.begins, ranges.ends), log=asked.log, about=about_of(found, asked),
    )  # fmt: skip


def spread(draw: Callable[..., Axes]) -> Callable[[Asked], Axes]:
    """A picture of how durations are spread, in groups if they are asked for."""

    def by_groups(asked: Asked) -> Axes:
        found = asked.subject()
        begin, end, what = words(found, asked)
        return draw(
            found.ranges(begin, end).durations_s, asked.ax, what=what, noun=found.noun,
            groups=None if asked.by is None else found.groups(asked.by), by=asked.by or "",
            log=asked.log, about=about_of(found, asked),
        )  # fmt: skip

    return by_groups


def boxes(asked: Asked) -> Axes:
    """How long after the first event each other one came."""
    found = asked.by_run()
    first = asked.begin or ("invoked" if asked.type is None else found.events[0])
    rest = [event for event in found.events if event not in (first, "task_returned")]
    later = [event for event in rest if told(found.of(event)).any()]
    times = np.stack([found.of(event) for event in (first, *later)], axis=1)
    return plots.boxes(
        times,
        [first, *later],
        asked.ax,
        noun=found.noun,
        log=asked.log,
        about=about_of(found, asked),
    )


def compare(asked: Asked) -> Axes:
    """Durations of two runs. Raises NotFoundError if only one is named."""
    if asked.other is None:
        raise NotFoundError("compare what with what? name two runs: `dnpcsql plot compare A B`")
    first = asked.run or "last"
    both = compared_subjects(
        asked.store, (first, asked.other), (asked.where, asked.where_first, asked.where_second),
        asked.type, (asked.begin, asked.end),
    )  # fmt: skip
    begin, end, what = words(both[0], asked)
    took = [found.ranges(begin, end).durations_s for found in both]
    names = compared_names(first, asked.other, asked.where_first, asked.where_second)
    return plots.comparison(
        took[0], took[1], asked.ax, names=names, what=what, noun=both[0].noun, log=asked.log,
        about=style.name(f"where {asked.where}", 110) if asked.where else "",
    )  # fmt: skip
