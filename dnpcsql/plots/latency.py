"""How long from one event to another, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from dnpcsql.analyses.rasters import points
from dnpcsql.analyses.times import Floats, Times
from dnpcsql.analyses.timestamps import Ranges
from dnpcsql.plots import style

_CELLS = (160, 80)
_SPREAD = 100


def latency(
    ranges: Ranges,
    ax: Axes | None = None,
    *,
    begin: str = "begin",
    end: str = "end",
    groups: Sequence[Any] | None = None,
    by: str = "",
    noun: str = "tasks",
    clock: style.Clock | None = None,
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """A mark for each range, where it ended and how long it was; above 50,000 a density.

    `groups` names each range's group, for its colour. `log` is found from the data if not given.
    """
    ax = ax or style.new_axes()
    complete = ranges.complete
    ends, took = ranges.ends[complete], ranges.durations_s[complete]
    style.title(ax, f"{style.name(begin)} → {style.name(end)} over time", about)
    if not took.size:
        return style.empty(ax, f"no {noun} with both {style.name(begin)} and {style.name(end)}")
    clock = clock or style.Clock.over(ranges.begins[complete], ends)
    wide = bool(took.min() > 0 and took.max() > _SPREAD * float(np.median(took)))
    logarithmic = wide if log is None else log and bool(took.max() > 0)
    if took.size > style.MOST_MARKS:
        _density(ax, clock, ends, took, noun, logarithmic)
    else:
        chosen = [group for group, here in zip(groups or (), complete, strict=False) if here]
        _marks(ax, clock, ends, took, chosen, noun, by)
    if logarithmic:
        ax.set_yscale("log")
    elif took.min() >= 0:
        ax.set_ylim(bottom=0)
    left_out = int(complete.size - took.size)
    n = f"n {took.size:,}" + (f", {left_out:,} without both" if left_out else "")
    ax.set_ylabel(f"{style.name(begin)} → {style.name(end)} (s)\n{n}")
    style.limits(ax, clock, int(ends.min()), int(ends.max()))
    clock.label(ax, f"time of {style.name(end)}")
    style.tidy(ax)
    return ax


def _marks(
    ax: Axes,
    clock: style.Clock,
    ends: Times,
    took: Floats,
    groups: Sequence[Any],
    noun: str,
    by: str,
) -> None:
    names, places = style.grouped(groups or [noun] * took.size)
    size = float(np.clip(3000 / took.size, 3, 30))
    for place, label in enumerate(names):
        here = places == place
        ax.scatter(
            clock.x(ends[here]),
            took[here],
            s=size,
            linewidths=0,
            alpha=0.75,
            color=style.colour_of(place, label),
            label=f"{style.name(label)} ({int(here.sum()):,})",
            rasterized=style.rasterized(took.size),
        )
    if len(names) > 1:
        style.legend(ax, heading=by)


def _density(ax: Axes, clock: style.Clock, ends: Times, took: Floats, noun: str, log: bool) -> None:
    """Cells by how many ranges lie in them."""
    if log:
        ends, took = ends[took > 0], took[took > 0]
    x, y = clock.x(ends), took
    x_edges = np.linspace(x.min(), x.max() + (x.max() == x.min()), _CELLS[0] + 1)
    low, high = float(y.min()), float(y.max()) + float(y.max() == y.min())
    spaced = np.geomspace if log else np.linspace
    y_edges = np.asarray(spaced(low, high, _CELLS[1] + 1), dtype=np.float64)
    counts = points(x, y, x_edges, y_edges)
    mesh = ax.pcolormesh(
        x_edges,
        y_edges,
        np.ma.masked_equal(counts, 0),
        norm=LogNorm(vmin=1, vmax=max(2.0, float(counts.max()))),
        cmap="viridis_r",
        rasterized=True,
    )
    ax.figure.colorbar(mesh, ax=ax, label=f"{noun} in a cell", pad=0.02)
