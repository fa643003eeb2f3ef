"""Counts over time: states, concurrency, rates, workers, resources."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from dnpcsql.analyses.concurrency import Occupancy, Steps
from dnpcsql.analyses.rates import Rate
from dnpcsql.analyses.times import Floats, Times, bounds, distinct
from dnpcsql.analyses.utilization import Utilization
from dnpcsql.plots import style

_EXACT = 600  # changes; a picture has some 600 columns
_BINS = 400


def states(
    found: Occupancy,
    ax: Axes | None = None,
    *,
    noun: str = "tasks",
    meanings: Mapping[str, str] | None = None,
    clock: style.Clock | None = None,
    until: int | None = None,
    about: str = "",
) -> Axes:
    """How many are in each state over time, one above the other.

    `meanings` says in the legend what a state is. What never ended is drawn to `until`.
    """
    ax = ax or style.new_axes()
    style.title(ax, f"{noun.capitalize()} in each state", about)
    known = bounds(found.live.times, *[steps.times for steps in found.steps])
    if known is None:
        return style.empty(ax, f"no {noun} in any state at any time")
    first, last = known[0], max(known[1], until or 0)
    clock = clock or style.Clock(first, last)
    edges, heights = _heights(found.steps, first, last)
    kept = [place for place, row in enumerate(heights) if row.any()]
    names = [found.states[place] for place in kept]
    colours = _colours(names)
    x = clock.x(edges)
    below = np.zeros(edges.size)
    for place, colour in zip(kept, colours, strict=True):
        top = below + np.append(heights[place], heights[place][-1:])
        ax.fill_between(x, below, top, step="post", color=colour, lw=0)
        below = top
    style.limits(ax, clock, first, last)
    style.whole_numbers(ax)
    told = [style.explained(label, meanings) for label in names]
    handles = [Patch(color=colour, label=text) for colour, text in zip(colours, told, strict=True)]
    style.legend(ax, handles[::-1])
    ax.set_ylabel(f"{noun} at a time (peak {found.live.peak:,})")
    clock.label(ax)
    style.tidy(ax)
    return ax


def _heights(steps: list[Steps], first: int, last: int) -> tuple[Times, list[Floats]]:
    """Edges, and heights between them: exact where there are few changes, else means."""
    if sum(one.times.size for one in steps) <= len(steps) * _EXACT:
        times = distinct(np.array([first]), *[one.times for one in steps])
        edges = np.append(times, max(last, int(times[-1])))
        return edges, [one.at(times).astype(np.float64) for one in steps]
    edges = np.linspace(first, last, _BINS + 1).astype(np.int64)
    return edges, [one.means(edges) for one in steps]


def _colours(names: list[str]) -> list[str]:
    taken = {style.STATE_COLOURS[label] for label in names if label in style.STATE_COLOURS}
    free = iter([colour for colour in style.COLOURS if colour not in taken] * (len(names) + 1))
    return [style.STATE_COLOURS.get(label) or next(free) for label in names]


def concurrency(
    layers: Mapping[str, Steps],
    ax: Axes | None = None,
    *,
    noun: str = "tasks",
    clock: style.Clock | None = None,
    until: int | None = None,
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """How many are live at a time, a line a layer; of many changes the mean and the range."""
    ax = ax or style.new_axes()
    style.title(ax, f"{noun.capitalize()} at a time", about)
    layers = {label: steps for label, steps in layers.items() if steps.times.size}
    if not layers:
        return style.empty(ax, f"no {noun} at any time")
    first = min(int(steps.times[0]) for steps in layers.values())
    last = max(until or 0, *(int(steps.times[-1]) for steps in layers.values()))
    clock = clock or style.Clock(first, last)
    for place, (label, steps) in enumerate(layers.items()):
        text = f"{style.name(label)} (peak {steps.peak:,})"
        _line(ax, clock, steps, (first, last), place, text)
    style.limits(ax, clock, first, last)
    style.whole_numbers(ax)
    if log:
        ax.set_yscale("symlog", linthresh=1)
    ax.set_ylabel(f"{noun} at a time")
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


def _line(
    ax: Axes, clock: style.Clock, steps: Steps, span: tuple[int, int], place: int, label: str
) -> None:
    """Steps; where there are too many, their mean and, paler, from the least to the most."""
    colour = style.COLOURS[place % len(style.COLOURS)]
    width = max(1.0, 2.4 - 0.35 * place)  # what lies below another line still shows
    if steps.times.size <= _EXACT:
        x = clock.x(np.append(steps.times, span[1]))
        counts = np.append(steps.counts, steps.counts[-1])
        ax.step(x, counts, where="post", color=colour, lw=width, label=label)
        return
    edges = np.unique(np.linspace(*span, _BINS + 1).astype(np.int64))
    least, most = steps.extremes(edges)
    x = clock.x(edges[:-1])
    ax.fill_between(x, least, most, step="post", color=colour, alpha=0.2, lw=0)
    ax.step(x, steps.means(edges), where="post", color=colour, lw=width / 2, label=label)


def rate(
    found: Mapping[str, Rate],
    ax: Axes | None = None,
    *,
    clock: style.Clock | None = None,
    about: str = "",
) -> Axes:
    """How many events a second happen over time, a line for each kind of event."""
    ax = ax or style.new_axes()
    style.title(ax, "Events a second", about)
    found = {label: one for label, one in found.items() if one.counts.any()}
    if not found:
        return style.empty(ax, "no events")
    first = min(int(one.edges[0]) for one in found.values())
    last = max(int(one.edges[-1]) for one in found.values())
    clock = clock or style.Clock(first, last)
    for place, (label, one) in enumerate(found.items()):
        text = f"{style.name(label)} (n {int(one.counts.sum()):,})"
        filled = len(found) == 1
        ax.stairs(
            one.per_second,
            clock.x(one.edges),
            color=style.COLOURS[place % len(style.COLOURS)],
            lw=max(1.0, 2.6 - 0.6 * place),
            label=text,
            fill=filled,
            alpha=0.85 if filled else 1,
        )
    width = int(np.diff(next(iter(found.values())).edges[:2])[0]) / 1e9
    style.limits(ax, clock, first, last)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"events a second (bins of {width:g} s)")
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


def utilization(
    found: Utilization,
    ax: Axes | None = None,
    *,
    clock: style.Clock | None = None,
    about: str = "",
) -> Axes:
    """Busy workers over time, below those that are connected."""
    ax = ax or style.new_axes()
    head = "Busy workers"
    if np.isfinite(found.share):
        head += f": {100 * found.share:.1f} % of {style.seconds(found.connected_s)} of worker time"
    style.title(ax, head, about)
    known = bounds(found.busy.times, found.connected.times)
    if known is None:
        return style.empty(ax, "no worker is told of")
    clock = clock or style.Clock(*known)
    n = style.count(len(found.workers), "workers")
    x, connected = _outline(clock, found.connected, known)
    ax.fill_between(x, connected, step="post", color=style.PALE, lw=0, label=f"connected ({n})")
    ax.step(x, connected, where="post", color=style.INK, lw=1.2)
    x, busy = _outline(clock, found.busy, known)
    label = f"busy (peak {found.busy.peak:,})"
    ax.fill_between(x, busy, step="post", color=style.COLOURS[0], lw=0, label=label)
    style.limits(ax, clock, *known)
    style.whole_numbers(ax)
    ax.set_ylabel("workers")
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


def _outline(clock: style.Clock, steps: Steps, span: tuple[int, int]) -> tuple[Floats, Floats]:
    """Where a filled shape of these steps has its corners, from the first to the last time."""
    edges, (heights,) = _heights([steps], *span)
    return clock.x(edges), np.append(heights, heights[-1])


def resources(
    levels: Mapping[str, Steps],
    ax: Axes | None = None,
    *,
    what: str = "memory",
    unit: str = "",
    clock: style.Clock | None = None,
    about: str = "",
) -> Axes:
    """What was used at a time, a line for each level; of many readings the mean and the range."""
    ax = ax or style.new_axes()
    style.title(ax, f"{style.name(what[:1].upper() + what[1:], 60)} used at a time", about)
    levels = {label: one for label, one in levels.items() if one.times.size}
    if not levels:
        return style.empty(ax, f"no readings of {style.name(what, 60)}")
    first = min(int(one.times[0]) for one in levels.values())
    last = max(int(one.times[-1]) for one in levels.values())
    clock = clock or style.Clock(first, last)
    for place, (label, one) in enumerate(levels.items()):
        peak = f"peak {float(one.counts.max()):,.3g} {unit}".strip()
        _line(ax, clock, one, (first, last), place, f"{style.name(label)} ({peak})")
    style.limits(ax, clock, first, last)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"{style.name(what, 60)}" + (f" ({unit})" if unit else ""))
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax
