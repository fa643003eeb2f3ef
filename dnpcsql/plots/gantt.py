"""Bars over time: a row a task, or a lane a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
            bars.append((lanes, clock.x(begun[lasting]), clock.x(left[lasting, place])))
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
    connected: dict[str, tuple[int, int]] | None = None,
    noun: str = "tasks",
    clock: style.Clock | None = None,
    until: int | None = None,
    about: str = "",
) -> Axes:
    """A lane for each worker with what it ran, coloured by group (an app, a state).

    `names` says which worker ran each task, `connected` from when to when a worker was there: its
    lane is grey then. What never ended is drawn to `until`, else to the last time told.
    """
    begun = told(starts)
    kept = [int(row) for row in np.flatnonzero(begun)]
    starts, ends = starts[begun], ends[begun]
    found = utilization([names[row] for row in kept], starts, ends, connected, until=until)
    lanes = _lane_order([worker.name for worker in found.workers])
    height = float(np.clip(1.5 + 0.24 * len(lanes), 2.4, 8))
    ax = ax or style.new_axes(height=height)
    style.title(ax, f"What each of {style.count(len(lanes), 'workers')} ran", about)
    known = bounds(starts, ends, *(np.array(pair) for pair in (connected or {}).values()))
    if known is None or not lanes:
        return style.empty(ax, "no worker is told of")
    never_ended = not told(ends).all() or any(
        down == OPEN for _, down in (connected or {}).values()
    )
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
    for place in range(len(labels)):
        here = group_of == place
        bars.append((lane_of[here], clock.x(starts[here]), clock.x(shut[here])))
    up = [
        (lanes[name], *(min(time, last) for time in pair))
        for name, pair in (connected or {}).items()
    ]
    if up:
        there = np.array(up, dtype=np.int64)
        bars.insert(0, (there[:, 0], clock.x(there[:, 1]), clock.x(there[:, 2])))
    style.limits(ax, clock, known[0], last)
    grey = [style.PALE] if up else []
    _draw(ax, bars, [*grey, *colours], len(lanes), (float(clock.x(known[0])), float(clock.x(last))),
          gap=0.12)  # fmt: skip
    _label_lanes(ax, lanes, {worker.name: worker for worker in found.workers})
    counts = np.bincount(group_of, minlength=len(labels))
    patches = [
        Patch(color=colour, label=f"{style.name(label)} ({n:,})")
        for colour, label, n in zip(colours, labels, counts, strict=True)
    ]
    style.legend(
        ax, patches + [Patch(color=style.PALE, label="connected, idle")] * bool(up), heading=by
    )
    clock.label(ax)
    style.tidy(ax, grid="x")
    return ax


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
    bars: list[tuple[Counts, Floats, Floats]],
    colours: list[str],
    lanes: int,
    span: tuple[float, float],
    gap: float = 0.0,
) -> None:
    """Bars in lanes, one collection a colour; above 20,000 of them an image of what they cover."""
    if sum(part[0].size for part in bars) > _MOST_BARS:
        _paint(ax, bars, colours, lanes, span)
        return
    half = 0.5 - gap if lanes <= 200 else 0.5
    for (lane, begin, end), colour in zip(bars, colours, strict=True):
        y = lane.astype(np.float64)
        corners = np.stack(
            [
                np.stack([begin, begin, end, end], axis=1),
                np.stack([y - half, y + half, y + half, y - half], axis=1),
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
    bars: list[tuple[Counts, Floats, Floats]],
    colours: list[str],
    lanes: int,
    span: tuple[float, float],
) -> None:
    rows = min(lanes, _CELLS[0])
    per_row = np.bincount(np.arange(lanes) * rows // lanes, minlength=rows)[:, None, None]
    image = np.ones((rows, _CELLS[1], 3))
    for (lane, begin, end), colour in zip(bars, colours, strict=True):
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
