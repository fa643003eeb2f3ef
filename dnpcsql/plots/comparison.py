"""Two sets of durations, one over the other."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes

from dnpcsql.analyses.comparison import compare
from dnpcsql.analyses.times import Floats
from dnpcsql.plots import style
from dnpcsql.plots.distributions import cumulative

_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_SPREAD = 100


def comparison(
    first: Floats,
    second: Floats,
    ax: Axes | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
    what: str = "duration",
    noun: str = "tasks",
    log: bool | None = None,
    about: str = "",
) -> Axes:
    """The cumulative shares of both, the shifts of their quantiles, and what it means in words."""
    ax = ax or style.new_axes(height=4.4)
    shown = style.name(names[0]), style.name(names[1])
    values = [given[np.isfinite(given)] for given in map(np.asarray, (first, second))]
    head = f"{shown[0]} and {shown[1]}: {style.name(what, 60)}"
    if not values[0].size or not values[1].size:
        style.title(ax, head, about)
        lacking = " and ".join(
            label for label, given in zip(shown, values, strict=True) if not given.size
        )
        return style.empty(ax, f"nothing to compare: no {noun} with a duration in {lacking}")
    found = compare(values[0], values[1], names=shown)
    words = "\n".join(textwrap.wrap(found.words, 100))
    style.title(ax, head, "\n".join(filter(None, (about, words))))
    for given, label, colour in zip(
        values, shown, (style.COLOURS[0], style.COLOURS[3]), strict=True
    ):
        cumulative(ax, given, colour, f"{label} (n {given.size:,})")
    for figure, share in _SHARES.items():
        shift = found.shift(figure)
        percent = f" ({100 * shift.ratio:+.0f} %)" if np.isfinite(shift.ratio) else ""
        low, high = shift.interval_s
        ax.plot(
            [shift.first_s, shift.second_s],
            [share, share],
            color=style.INK,
            lw=1.2,
            marker="o",
            ms=3.5,
            label=f"{figure} {shift.shift_s:+.3g} s{percent}\n95 %: {low:+.3g} to {high:+.3g} s",
        )
    everything = np.concatenate(values)
    wide = everything.min() > 0 and everything.max() > _SPREAD * float(np.median(everything))
    if wide if log is None else log and everything.max() > 0:
        ax.set_xscale("log")
    elif everything.min() >= 0:
        ax.set_xlim(left=0)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(f"{style.name(what, 60)} (s)")
    ax.set_ylabel(f"share of {noun}")
    style.tidy(ax, grid="both")
    style.legend(ax)
    return ax
