"""Lifelines, as NetLogger draws them: time across, stages up, a line for each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D

from dnpcsql.analyses.rasters import lines
from dnpcsql.analyses.times import Counts, Floats, Times, bounds, told
from dnpcsql.plots import style

_COLUMNS = 600


def lifelines(
    times: Times,
    stages: Sequence[str],
    ax: Axes | None = None,
    *,
    groups: Sequence[Any] | None = None,
    by: str = "",
    noun: str = "tasks",
    clock: style.Clock | None = None,
    about: str = "",
) -> Axes:
    """A line for each span through the times of its stages; above 50,000 pieces a density.

    `times` is (spans, stages). A stage that is not told of a span is passed over.
    """
    kept = [place for place in range(len(stages)) if told(times[:, place]).any()]
    names = [style.name(stages[place]) for place in kept]
    times = times[:, kept]
    some = told(times).sum(axis=1) > 1
    ax = ax or style.new_axes(height=max(3.0, 1.6 + 0.32 * len(kept)))
    style.title(ax, f"Lifelines of {style.count(int(some.sum()), noun)}", about)
    known = bounds(times[some])
    if known is None:
        return style.empty(ax, f"no {noun} with two stages that are told of")
    clock = clock or style.Clock(*known)
    x = np.where(told(times), clock.x(np.where(told(times), times, 0)), np.nan)[some]
    if x.size > style.MOST_MARKS:
        _density(ax, x, clock, known, noun)
    else:
        chosen = [group for group, here in zip(groups or (), some, strict=False) if here]
        labels, places = style.grouped(chosen or [noun] * len(x))
        handles = _draw(ax, x, labels, places)
        style.legend(ax, handles if chosen else [], heading=by)
    style.limits(ax, clock, *known)
    ax.set_yticks(range(len(kept)), names, fontsize="small")
    ax.set_ylim(-0.2, len(kept) - 0.8)
    clock.label(ax)
    style.tidy(ax, grid="" if ax.images else "both")
    return ax


def _draw(ax: Axes, x: Floats, labels: list[str], places: Counts) -> list[Line2D]:
    alpha = float(np.clip(120 / len(x), 0.15, 0.9))
    width = float(np.clip(200 / len(x), 0.6, 1.6))
    handles = []
    stages = np.arange(x.shape[1], dtype=np.float64)
    for place, label in enumerate(labels):
        mine = x[places == place]
        pieces = [np.column_stack([row, stages])[np.isfinite(row)] for row in mine]
        colour = style.colour_of(place, label)
        ax.add_collection(
            LineCollection(
                pieces, colors=colour, linewidths=width, alpha=alpha,
                rasterized=style.rasterized(len(x)),
            ),
            autolim=False,
        )  # fmt: skip
        handles.append(Line2D([], [], color=colour, label=f"{style.name(label)} ({len(mine):,})"))
    return handles


def _density(ax: Axes, x: Floats, clock: style.Clock, known: tuple[int, int], noun: str) -> None:
    low, high = float(clock.x(known[0])), float(clock.x(known[1]))
    counts = lines(x, low, high, _COLUMNS)
    image = ax.imshow(
        np.ma.masked_equal(counts, 0),
        extent=(low, high, 0, x.shape[1] - 1),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        norm=LogNorm(vmin=1, vmax=max(2.0, float(counts.max()))),
        cmap="viridis_r",
        rasterized=True,
    )
    ax.figure.colorbar(image, ax=ax, label=f"{noun} in a cell", pad=0.02)
