"""How durations are spread: histogram, density, cumulative share, boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dnpcsql.analyses import durations as counting
from dnpcsql.analyses.times import Floats, Times, told
from dnpcsql.plots import style

__all__ = ["boxes", "ecdf", "histogram", "kde"]

_STEPS = 4_000
_RUG = 300
_SPREAD = 100


def _given(
    durations_s: Floats, groups: Sequence[Any] | None, log: bool | None
) -> tuple[list[tuple[str, str, Floats]], Floats, bool]:
    """The groups (name, colour, values), all values, and whether their axis is logarithmic."""
    given = np.asarray(durations_s, dtype=np.float64)
    finite = np.isfinite(given)
    values = given[finite]
    wide = values.size and values.min() > 0 and values.max() > _SPREAD * float(np.median(values))
    logarithmic = bool(wide) if log is None else log and bool((values > 0).any())
    if groups is None:
        return [("", style.COLOURS[0], values)], values, logarithmic
    names, places = style.grouped(group for group, here in zip(groups, finite, strict=True) if here)
    parts = [
        (label, style.colour_of(place, label), values[places == place])
        for place, label in enumerate(names)
    ]
    return parts, values, logarithmic


def _lines(ax: Axes, values: Floats) -> None:
    """Mean, median, p95 and max, told in the legend."""
    marks = (
        ("mean", float(values.mean()), "#D55E00", "-"),
        ("median", float(np.median(values)), "#333333", "--"),
        ("p95", float(np.quantile(values, 0.95)), "#333333", "-."),
        ("max", float(values.max()), "#333333", ":"),
    )
    for label, value, colour, dashes in marks:
        ax.axvline(value, color=colour, ls=dashes, lw=1.4, label=f"{label} {style.seconds(value)}")


def histogram(
    durations_s: Floats,
    ax: Axes | None = None,
    *,
    groups: Sequence[Any] | None = None,
    by: str = "",
    what: str = "duration",
    noun: str = "tasks",
    bins: int | None = None,
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """How many took how long, with mean, median, p95 and max; groups one on top of the other."""
    ax = ax or style.new_axes()
    parts, values, logarithmic = _given(durations_s, groups, log)
    style.title(ax, f"How long: {style.name(what, 60)}", about)
    if not values.size:
        return style.empty(ax, f"no {noun} with a {style.name(what, 60)}")
    found = counting.histogram(values, bins=bins, log=logarithmic)
    if groups is None:
        ax.stairs(found.counts, found.edges, fill=True, color=style.COLOURS[4])
    below = np.zeros(found.counts.size)
    for label, colour, part in parts if groups is not None else ():
        top = below + np.histogram(part, found.edges)[0]
        named = f"{style.name(label)} ({part.size:,})"
        ax.stairs(top, found.edges, baseline=below, fill=True, color=colour, label=named)
        below = top
    _lines(ax, values)
    if logarithmic:
        ax.set_xscale("log")
    style.whole_numbers(ax)
    ax.set_xlabel(f"{style.name(what, 60)} (s)")
    ax.set_ylabel(f"{noun} in a bin (n {values.size:,})")
    style.tidy(ax)
    style.legend(ax, heading=by)
    return ax


def kde(
    durations_s: Floats,
    ax: Axes | None = None,
    *,
    groups: Sequence[Any] | None = None,
    by: str = "",
    what: str = "duration",
    noun: str = "tasks",
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """A smooth density for each group; a mark below for each duration where there are few."""
    ax = ax or style.new_axes()
    parts, values, logarithmic = _given(durations_s, groups, log)
    style.title(ax, f"Density: {style.name(what, 60)}", about)
    if not values.size:
        return style.empty(ax, f"no {noun} with a {style.name(what, 60)}")
    for label, colour, part in parts:
        density = counting.kde(part, log=logarithmic)
        ax.fill_between(density.x, density.density, color=colour, alpha=0.15, lw=0)
        ax.plot(
            density.x, density.density, color=colour, label=f"{style.name(label)} ({part.size:,})"
        )
        if values.size <= _RUG:
            ax.plot(part, np.zeros(part.size), "|", color=colour, ms=8, clip_on=False)
    if groups is None:
        _lines(ax, values)
        ax.lines[0].set_label("density")
    if logarithmic:
        ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel(f"{style.name(what, 60)} (s)")
    per = "per factor of ten" if logarithmic else "per second"
    ax.set_ylabel(f"density, {per} (n {values.size:,})")
    style.tidy(ax)
    style.legend(ax, heading=by)
    return ax


def ecdf(
    durations_s: Floats,
    ax: Axes | None = None,
    *,
    groups: Sequence[Any] | None = None,
    by: str = "",
    what: str = "duration",
    noun: str = "tasks",
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """What share took at most so long, for each group."""
    ax = ax or style.new_axes()
    parts, values, logarithmic = _given(durations_s, groups, log)
    style.title(ax, f"Share done within: {style.name(what, 60)}", about)
    if not values.size:
        return style.empty(ax, f"no {noun} with a {style.name(what, 60)}")
    for label, colour, part in parts:
        text = f"{style.name(label)} ({part.size:,})" if groups is not None else ""
        median, p95 = np.quantile(part, [0.5, 0.95])
        figures = f"median {style.seconds(median)}, p95 {style.seconds(p95)}"
        cumulative(ax, part, colour, f"{text}\n{figures}".strip())
    if logarithmic:
        ax.set_xscale("log")
    elif values.min() >= 0:
        ax.set_xlim(left=0)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(f"{style.name(what, 60)} (s)")
    ax.set_ylabel(f"share of {noun} (n {values.size:,})")
    style.tidy(ax, grid="both")
    style.legend(ax, heading=by)
    return ax


def cumulative(ax: Axes, values: Floats, colour: str, label: str) -> None:
    """One group's steps; of more than some thousand as many, evenly taken."""
    found = counting.ecdf(values)
    x, share = found.x, found.share
    if x.size > _STEPS:
        kept = np.unique(np.linspace(0, x.size - 1, _STEPS).astype(np.int64))
        x, share = x[kept], share[kept]
    ax.step(
        np.append(x[:1], x), np.append(0, share), where="post", color=colour, label=label, lw=1.6
    )


def boxes(
    times: Times,
    events: Sequence[str],
    ax: Axes | None = None,
    *,
    noun: str = "tasks",
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """For each event after the first, how long after the first it came: a box an end event.

    `times` is (spans, events). Boxes hold the middle half with the median, lines reach from p5 to
    p95, dots are the least and the most.
    """
    first = style.name(events[0]) if len(events) else "the first event"
    rows: list[tuple[str, Floats]] = []
    for place in range(1, len(events)):
        both = told(times[:, 0]) & told(times[:, place])
        took = (times[both, place] - times[both, 0]) / 1e9
        if took.size:
            rows.append((f"{style.name(events[place])}\nn {took.size:,}", took))
    ax = ax or style.new_axes(height=max(2.6, 1.4 + 0.42 * len(rows)))
    style.title(ax, f"How long after {first}", about)
    if not rows:
        return style.empty(ax, f"no {noun} with {first} and another event")
    figures = np.array([np.quantile(took, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]) for _, took in rows])
    y = np.arange(len(rows), dtype=np.float64)
    least, p5, p25, p50, p75, p95, most = figures.T
    ax.hlines(y, p5, p95, color=style.INK, lw=1.2)
    ax.barh(
        y, p75 - p25, left=p25, height=0.55, color=style.COLOURS[4], edgecolor=style.INK, lw=0.8
    )
    ax.vlines(p50, y - 0.275, y + 0.275, color=style.INK, lw=2)
    ax.plot(np.concatenate([least, most]), np.concatenate([y, y]), "o", color=style.INK, ms=3)
    wide = least.min() > 0 and most.max() > _SPREAD * float(np.median(p50))
    if wide if log is None else log and most.max() > 0:
        ax.set_xscale("log")
    else:
        room = 0.02 * float(most.max() - min(least.min(), 0)) or 0.5
        ax.set_xlim(min(0.0, float(least.min())) - room, float(most.max()) + room)
    ax.set_yticks(y, [label for label, _ in rows], fontsize="small")
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(f"time since {first} (s); box: middle half, line: p5 to p95, dots: min, max")
    style.tidy(ax, grid="x")
    return ax
