"""Counts over time: states, concurrency, rates, workers, resources."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from dnpcsql.analyses.concurrency import Occupancy, Steps
from dnpcsql.analyses.rates import Rate
from dnpcsql.analyses.resources import Level
from dnpcsql.analyses.times import Floats, Times
from dnpcsql.analyses.utilization import Utilization
from dnpcsql.plots import style

_EXACT = 4_000
_BINS = 1_000


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
    times = np.unique(np.concatenate([steps.times for steps in found.steps] or [found.live.times]))
    if not times.size:
        return style.empty(ax, f"no {noun} in any state at any time")
    last = max(int(times[-1]), until or 0)
    clock = clock or style.Clock(int(times[0]), last)
    edges, heights = _heights(found.steps, times, last)
    kept = [place for place, row in enumerate(heights) if row.any()]
    names = [found.states[place] for place in kept]
    colours = _colours(names)
    x = clock.x(edges)
    below = np.zeros(edges.size)
    for place, colour in zip(kept, colours, strict=True):
        top = below + np.append(heights[place], heights[place][-1:])
        ax.fill_between(x, below, top, step="post", color=colour, lw=0)
        below = top
    style.limits(ax, clock, int(times[0]), last)
    style.whole_numbers(ax)
    told = [f"{label}: {meanings[label]}" if meanings and label in meanings else style.name(label)
            for label in names]  # fmt: skip
    handles = [Patch(color=colour, label=text) for colour, text in zip(colours, told, strict=True)]
    style.legend(ax, handles[::-1])
    ax.set_ylabel(f"{noun} at a time (peak {found.live.peak:,})")
    clock.label(ax)
    style.tidy(ax)
    return ax


def _heights(steps: list[Steps], times: Times, last: int) -> tuple[Times, list[Floats]]:
    """Edges, and heights between them: exact where there are few changes, else means."""
    if times.size <= _EXACT:
        edges = np.append(times, max(last, int(times[-1])))
        return edges, [one.at(times).astype(np.float64) for one in steps]
    edges = np.unique(np.linspace(int(times[0]), last, _BINS + 1).astype(np.int64))
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
        colour = style.colour_of(place, label)
        text = f"{style.name(label)} (peak {steps.peak:,})"
        if steps.times.size <= _EXACT:
            x = clock.x(np.append(steps.times, last))
            counts = np.append(steps.counts, steps.counts[-1])
            ax.step(x, counts, where="post", color=colour, lw=1.5, label=text)
            continue
        edges = np.unique(np.linspace(first, last, _BINS + 1).astype(np.int64))
        least, most = steps.extremes(edges)
        x = clock.x(edges[:-1])
        ax.fill_between(x, least, most, step="post", color=colour, alpha=0.25, lw=0)
        ax.step(x, steps.means(edges), where="post", color=colour, lw=1.2, label=text)
    style.limits(ax, clock, first, last)
    style.whole_numbers(ax)
    ax.set_ylabel(f"{noun} at a time")
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


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
        colour = style.colour_of(place, label)
        filled = len(found) == 1
        ax.stairs(one.per_second, clock.x(one.edges), color=colour, lw=1.4, label=text,
                  fill=filled, alpha=0.85 if filled else 1)  # fmt: skip
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
    known = [one.times for one in (found.busy, found.connected) if one.times.size]
    if not known:
        return style.empty(ax, "no worker is told of")
    times = np.unique(np.concatenate(known))
    last = int(times[-1])
    clock = clock or style.Clock(int(times[0]), last)
    edges, (busy, connected) = _heights([found.busy, found.connected], times, last)
    x = clock.x(edges)
    n = len(found.workers)
    ax.fill_between(x, np.append(connected, connected[-1]), step="post", color=style.PALE, lw=0,
                    label=f"connected ({style.count(n, 'workers')})")  # fmt: skip
    ax.step(x, np.append(connected, connected[-1]), where="post", color=style.INK, lw=1.2)
    ax.fill_between(x, np.append(busy, busy[-1]), step="post", color=style.COLOURS[0], lw=0,
                    label=f"busy (peak {found.busy.peak:,})")  # fmt: skip
    style.limits(ax, clock, int(times[0]), last)
    style.whole_numbers(ax)
    ax.set_ylabel("workers")
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


def resources(
    levels: Mapping[str, Level],
    ax: Axes | None = None,
    *,
    what: str = "memory",
    unit: str = "",
    clock: style.Clock | None = None,
    about: str = "",
) -> Axes:
    """What was used at a time, a line for each of `levels`; of many readings the most in a bin."""
    ax = ax or style.new_axes()
    style.title(ax, f"{style.name(what, 60)} used at a time", about)
    levels = {label: one for label, one in levels.items() if one.times.size}
    if not levels:
        return style.empty(ax, f"no readings of {style.name(what, 60)}")
    first = min(int(one.times[0]) for one in levels.values())
    last = max(int(one.times[-1]) for one in levels.values())
    clock = clock or style.Clock(first, last)
    for place, (label, one) in enumerate(levels.items()):
        times, values = _thinned(one)
        ax.step(clock.x(times), values, where="post", color=style.COLOURS[place % 7], lw=1.4,
                label=f"{style.name(label)} (peak {float(one.values.max()):,.3g} {unit})".replace(
                    " )", ")"))  # fmt: skip
    style.limits(ax, clock, first, last)
    ax.set_ylim(bottom=0)
    ax.set_ylabel(f"{style.name(what, 60)}" + (f" ({unit})" if unit else ""))
    clock.label(ax)
    style.tidy(ax)
    style.legend(ax)
    return ax


def _thinned(level: Level) -> tuple[Times, Floats]:
    """At most some thousand steps, each the most in its bin."""
    if level.times.size <= _EXACT:
        return level.times, level.values
    cuts = np.unique(np.linspace(0, level.times.size - 1, _EXACT).astype(np.int64))
    return level.times[cuts], np.maximum.reduceat(level.values, cuts)
