"""Bars over time: a row a task, or a lane a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from dnpcsql.analyses.concurrency import states_left
from dnpcsql.analyses.rasters import coverage
from dnpcsql.analyses.times import OPEN, Counts, Floats, Times, bounds, numbered, told
from dnpcsql.analyses.utilization import utilization
from dnpcsql.plots import style

_MOST_BARS = 20_000
_MOST_LABELS = 40
_CELLS = (500, 1000)  # rows at most, columns


class Bars(NamedTuple):
    """Bars of one colour: their lanes, from where to where, and which part of the lane's height."""

    lane: Counts
    begin: Floats
    end: Floats
    low: Floats | float = 0.0
    high: Floats | float = 1.0


def tasks(
    states: Sequence[str],
    begins: Times,
    ends: Times,
    ax: Axes | None = None,
    *,
    labels: Sequence[str] | None = None,
    noun: str = "tasks",
    meanings: Mapping[str, str] | None = None,
    clock: style.Clock | None = None,
    until: int | None = None,
    about: str = "",
) -> Axes:
    """A row for each task, in order of its first time, coloured by the state it is in.

    `begins` is (tasks, states), `ends` when each was over, as for `analyses.concurrency.occupancy`.
    What never ended is drawn to `until`, else to the last time told.
    """
    reached = np.where(told(begins), begins, OPEN).min(axis=1, initial=OPEN)
    rows = np.argsort(reached, kind="stable")[: int((reached != OPEN).sum())]
    few = rows.size <= _MOST_LABELS and labels is not None
    ax = ax or style.new_axes(height=float(np.clip(1.4 + 0.2 * rows.size, 2.4, 8)) if few else 4.6)
    style.title(ax, f"When each of {style.count(rows.size, noun)} was in which state", about)
    known = bounds(begins[rows], ends[rows])
    if known is None:
        return style.empty(ax, f"no {noun} with a time")
    last = max(known[1], until or 0)
    clock = clock or style.Clock(known[0], last)
    left = np.minimum(states_left(begins[rows], ends[rows]), last)
    bars, names = [], []
    for place, state in enumerate(states):
        begun = begins[rows, place]
        lasting = told(begun) & (left[:, place] > begun)
        if lasting.any():
            lanes = np.flatnonzero(lasting)
            bars.append(Bars(lanes, clock.x(begun[lasting]), clock.x(left[lasting, place])))
            names.append(state)
    colours = [style.colour_of(place, label) for place, label in enumerate(names)]
    style.limits(ax, clock, known[0], last)
    _draw(ax, bars, colours, rows.size, (float(clock.x(known[0])), float(clock.x(last))))
    if few and labels is not None:
        ax.set_yticks(np.arange(rows.size), [style.name(labels[int(row)]) for row in rows],
                      fontsize="x-small")  # fmt: skip
    else:
        ax.set_ylabel(f"{noun}, the earliest on top")
    ax.set_ylim(rows.size - 0.4, -0.6)
    texts = [style.explained(label, meanings) for label in names]
    style.legend(ax, [Patch(color=c, label=t) for c, t in zip(colours, texts, strict=True)])
    clock.label(ax)
    style.tidy(ax, grid="x")
    return ax


def workers(
    names: Sequence[str],
    starts: Times,
    ends: Times,
    ax: Axes | None = None,
    *,
    groups: Sequence[Any] | None = None,
    by: str = "",
    connected: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    noun: str = "tasks",
    clock: style.Clock | None = None,
    until: int | None = None,
    about: str = "",
) -> Axes:
    """A lane for each worker with what it ran, coloured by group (an app, a state).

    `names` says which worker ran each task, `connected` from when to when a worker was there: its
    lane is grey then. Tasks that a worker had at once lie above each other in its lane. What never
    ended is drawn to `until`, else to the last time told.
    """
    begun = told(starts)
    kept = [int(row) for row in np.flatnonzero(begun)]
    starts, ends = starts[begun], ends[begun]
    found = utilization([names[row] for row in kept], starts, ends, connected, until=until)
    lanes = _lane_order([worker.name for worker in found.workers])
    height = float(np.clip(1.5 + 0.24 * len(lanes), 2.4, 8))
    ax = ax or style.new_axes(height=height)
    style.title(ax, f"What each of {style.count(len(lanes), 'workers')} ran", about)
    there = [(name, *pair) for name, pairs in (connected or {}).items() for pair in pairs]
    known = bounds(starts, ends, np.array([pair for _, *pair in there], dtype=np.int64))
    if known is None or not lanes:
        return style.empty(ax, "no worker is told of")
    never_ended = not told(ends).all() or any(down == OPEN for *_, down in there)
    last = max(known[1], until or 0) if never_ended else known[1]
    clock = clock or style.Clock(known[0], last)
    who, places = numbered(names[row] for row in kept)
    lane_of = np.array([lanes[name] for name in who], dtype=np.int64)[places]
    shut = np.where(told(ends), ends, last)
    labels, group_of = style.grouped(
        [groups[row] for row in kept] if groups else [noun] * len(kept)
    )
    colours = [style.colour_of(place, label) for place, label in enumerate(labels)]
    bars = []
    low, high = _slots(lane_of, starts, shut)
    for place in range(len(labels)):
        here = group_of == place
        at = clock.x(starts[here]), clock.x(shut[here])
        bars.append(Bars(lane_of[here], *at, low[here], high[here]))
    if there:
        up = np.array([(lanes[name], came, min(went, last)) for name, came, went in there],
                      dtype=np.int64)  # fmt: skip
        bars.insert(0, Bars(up[:, 0], clock.x(up[:, 1]), clock.x(up[:, 2])))
    style.limits(ax, clock, known[0], last)
    grey = [style.PALE] if there else []
    _draw(ax, bars, [*grey, *colours], len(lanes), (float(clock.x(known[0])), float(clock.x(last))),
          gap=0.12)  # fmt: skip
    _label_lanes(ax, lanes, {worker.name: worker for worker in found.workers})
    counts = np.bincount(group_of, minlength=len(labels))
    patches = [
        Patch(color=colour, label=f"{style.name(label)} ({n:,})")
        for colour, label, n in zip(colours, labels, counts, strict=True)
    ]
    style.legend(
        ax, patches + [Patch(color=style.PALE, label="connected, idle")] * bool(there), heading=by
    )
    clock.label(ax)
    style.tidy(ax, grid="x")
    return ax


def _slots(lane: Counts, starts: Times, ends: Times) -> tuple[Floats, Floats]:
    """Which part of its lane's height each bar has: all, or its slot of those used at once."""
    slot, most = np.zeros(lane.size), np.ones(int(lane.max(initial=-1)) + 1)
    if lane.size <= _MOST_BARS:  # above, a picture does not show them one by one
        order = np.lexsort((starts, lane))
        until: list[int] = []  # of each slot of the lane, when it is free
        before = -1
        for row in order.tolist():
            if lane[row] != before:
                until, before = [], int(lane[row])
            free = [place for place, end in enumerate(until) if end <= starts[row]]
            if free:
                until[free[0]] = int(ends[row])
            else:
                until.append(int(ends[row]))
            slot[row] = free[0] if free else len(until) - 1
            most[before] = max(most[before], len(until))
    return slot / most[lane], (slot + 1) / most[lane]


def _lane_order(names: list[str]) -> dict[str, int]:
    """A lane for each worker: by the place it is in, then by its number."""

    def key(name: str) -> tuple[str, int, str]:
        place, _, number = name.rpartition("/")
        return place, int(number) if number.isdecimal() else -1, name

    return {name: lane for lane, name in enumerate(sorted(names, key=key))}


def _label_lanes(ax: Axes, lanes: dict[str, int], workers: dict[str, Any]) -> None:
    if len(lanes) > _MOST_LABELS:
        ax.set_ylabel("workers, by host and number")
    else:
        texts = [
            f"{style.name(name)}  {100 * workers[name].busy_s / workers[name].connected_s:.0f} %"
            if workers[name].connected_s
            else style.name(name)
            for name in lanes
        ]
        ax.set_yticks(range(len(lanes)), texts, fontsize="x-small")
        ax.set_ylabel("worker, % busy")
    ax.set_ylim(len(lanes) - 0.4, -0.6)


def _draw(
    ax: Axes,
    bars: list[Bars],
    colours: list[str],
    lanes: int,
    span: tuple[float, float],
    gap: float = 0.0,
) -> None:
    """Bars in lanes, one collection a colour; above 20,000 of them an image of what they cover."""
    if sum(part.lane.size for part in bars) > _MOST_BARS:
        _paint(ax, bars, colours, lanes, span)
        return
    half = 0.5 - gap if lanes <= 200 else 0.5
    for (lane, begin, end, low, high), colour in zip(bars, colours, strict=True):
        top, bottom = lane - half + 2 * half * low, lane - half + 2 * half * high
        corners = np.stack(
            [
                np.stack([begin, begin, end, end], axis=1),
                np.stack([top, bottom, bottom, top], axis=1),
            ],
            axis=2,
        )
        edge = "white" if gap and lane.size < 2000 and colour != style.PALE else "face"
        ax.add_collection(
            PolyCollection(
                list(corners),
                facecolors=colour,
                edgecolors=edge,
                linewidths=0.3 if edge == "white" else 0.1,
                rasterized=style.rasterized(lane.size),
            ),
            autolim=False,
        )


def _paint(
    ax: Axes,
    bars: list[Bars],
    colours: list[str],
    lanes: int,
    span: tuple[float, float],
) -> None:
    rows = min(lanes, _CELLS[0])
    per_row = np.bincount(np.arange(lanes) * rows // lanes, minlength=rows)[:, None, None]
    image = np.ones((rows, _CELLS[1], 3))
    for (lane, begin, end, *_), colour in zip(bars, colours, strict=True):
        cover = coverage(lane * rows // lanes, begin, end, (rows, _CELLS[1]), *span)[:, :, None]
        share = np.minimum(cover / per_row, 1)
        image = image * (1 - share) + share * np.array(to_rgb(colour))
    ax.imshow(
        np.clip(image, 0, 1),
        extent=(span[0], span[1], lanes - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
        rasterized=True,
    )
