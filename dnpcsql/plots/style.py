"""What all pictures have in common: colours, names that do no harm, clocks, legends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.dates import AutoDateLocator
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dnpcsql.analyses.times import Counts, Floats, Times, bounds

# Okabe and Ito's colours, which people of every colour vision tell apart, in an order in which
# neighbours differ in lightness too.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8C8C8C", "#F0E442"]
OTHER = "#B5B5B5"
INK, PALE = "#333333", "#E6E6E6"

# A colour that a state has in every picture.
STATE_COLOURS = {
    "pending": "#C9C9C9",
    "launched": "#E69F00",
    "interchange_received": "#F0C75E",
    "interchange_sent": "#F0E442",
    "manager_got": "#CC79A7",
    "worker_received": "#56B4E9",
    "running": "#0072B2",
    "running_ended": "#009E73",
    "worker_completed": "#66C2A5",
    "worker_finished": "#8C8C8C",
    "interchange_result": "#B07AA1",
    "queue_waiting": "#F0C75E",
    "queue_running": "#56B4E9",
    "queue_waiting_retrieval": "#66C2A5",
    "queue_retrieved": "#8C8C8C",
    "queue_done": "#B07AA1",
}

NOTHING = "nothing to draw"  # the gid of Axes that show nothing
MOST_MARKS = 50_000
MOST_GROUPS = len(COLOURS) - 1
_VECTOR_MARKS = 5_000
_NAME_LENGTH = 40
_LONG_S = 7200
_WALL_TICKS = dict.fromkeys(range(7), 7)  # so many whole times fit beside each other


def new_axes(width: float = 7.6, height: float = 4.0) -> Axes:
    """An Axes on a figure of its own, of which pyplot knows nothing: it needs no closing."""
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def rasterized(marks: int) -> bool:
    """Whether so many marks are better kept as pixels in a vector file."""
    return marks > _VECTOR_MARKS


def name(text: object, most: int = _NAME_LENGTH) -> str:
    """A name from a user as matplotlib shows it: as it is, on one line, no mathematics.

    What is no printable character, or is in no font that is set, is escaped; long names are cut
    in the middle.
    """
    shown = "".join(
        char if char.isprintable() and _drawable(char) else ascii(char)[1:-1].lstrip("'")
        for char in str(text)[: 4 * most]
    )
    if len(shown) > most:
        head = (most - 1) // 2
        shown = f"{shown[:head]}…{shown[-(most - 1 - head) :]}"
    return shown.replace("$", r"\$")


def _drawable(char: str) -> bool:
    return char.isascii() or any(
        ord(char) in _glyphs(family) for family in FontProperties().get_family()
    )


@lru_cache(maxsize=8)
def _glyphs(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[family]))).get_charmap())


def title(ax: Axes, head: str, about: str = "") -> None:
    """What the picture shows, and of what, above it."""
    lines = about.count("\n") + 1 if about else 0
    ax.set_title(head, loc="left", fontsize="medium", fontweight="bold", pad=6 + 12 * lines)
    if about:
        ax.annotate(
            about,
            (0, 1),
            xytext=(0, 5),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize="small",
            color="#555555",
        )


def tidy(ax: Axes, *, grid: str = "y") -> None:
    """Only the lines that carry something."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis="both" if grid == "both" else "x" if grid == "x" else "y", color=PALE, lw=0.8)


def whole_numbers(ax: Axes) -> None:
    """Ticks of a count, from 0."""
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_ylim(bottom=0)


def legend(ax: Axes, handles: Sequence[Any] | None = None, heading: str = "") -> None:
    """A legend beside the data, never on it."""
    found = handles if handles is not None else ax.get_legend_handles_labels()[0]
    if found:
        ax.legend(
            handles=list(found),
            title=name(heading) or None,
            loc="upper left",
            bbox_to_anchor=(1.005, 1.0),
            borderaxespad=0,
            frameon=False,
            fontsize="small",
            title_fontsize="small",
            alignment="left",
        )


def explained(label: str, meanings: Mapping[str, str] | None) -> str:
    """A state in a legend, with what it means on a line of its own."""
    meaning = (meanings or {}).get(label)
    return f"{name(label)}\n  {meaning}" if meaning else name(label)


def empty(ax: Axes, what: str) -> Axes:
    """Say in the picture that there is nothing to draw."""
    ax.set_axis_off()
    ax.set_gid(NOTHING)
    ax.text(0.5, 0.5, what, ha="center", va="center", transform=ax.transAxes, color=INK, wrap=True)
    return ax


def grouped(values: Iterable[Any], most: int = MOST_GROUPS) -> tuple[list[str], Counts]:
    """The commonest names, then `others`, and for each value the place of its name."""
    given = list(values)
    counts = Counter(given)
    chosen = [value for value, _ in sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))]
    names = ["not told" if value is None else str(value) for value in chosen]
    if len(chosen) > most:
        left = len(chosen) - most + 1
        chosen, names = chosen[: most - 1], [*names[: most - 1], f"{left} others"]
    places = {value: place for place, value in enumerate(chosen)}
    last = len(names) - 1
    return names, np.array([places.get(value, last) for value in given], dtype=np.int64)


def colour_of(place: int, label: str) -> str:
    """The colour of the group at a place; a state's own, if it is one."""
    if label.endswith(" others"):
        return OTHER
    return STATE_COLOURS.get(label) or COLOURS[place % len(COLOURS)]


def readable_on(colour: str) -> str:
    """White on dark, ink on light."""
    red, green, blue = to_rgb(colour)
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else INK


class Clock:
    """Where times lie on a time axis: time since an origin, or the wall clock of a zone."""

    def __init__(self, first: int, last: int, zone: tzinfo | None = None) -> None:
        """Nanoseconds since 1970, of the origin and of the last time that will be drawn."""
        self.origin = first
        self.zone = zone
        self.hours = (last - first) / 1e9 > _LONG_S

    @classmethod
    def over(cls, *times: Times, zone: tzinfo | None = None) -> Clock:
        """A clock from the first to the last of these times."""
        return cls(*(bounds(*times) or (0, 0)), zone=zone)

    def x(self, times: Times | int) -> Floats:
        """Where these times lie."""
        given = np.asarray(times, dtype=np.int64)
        if self.zone is not None:
            return np.asarray(given / 86_400e9)
        return np.asarray((given - self.origin) / (3600e9 if self.hours else 1e9))

    def label(self, ax: Axes, what: str = "time") -> None:
        """Ticks, and what they mean."""
        if self.zone is not None:
            locator = AutoDateLocator(tz=self.zone, maxticks=_WALL_TICKS)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(FuncFormatter(self._wall))
            moment = datetime.fromtimestamp(self.origin / 1e9, self.zone)
            ax.set_xlabel(f"{what} on {moment:%Y-%m-%d} (wall clock, {name(moment.tzname())})")
            return
        start = datetime.fromtimestamp(0, timezone.utc) + timedelta(
            microseconds=self.origin // 1000
        )
        unit = "h" if self.hours else "s"
        ax.set_xlabel(f"{what} since {start:%Y-%m-%d %H:%M:%S} UTC ({unit})")

    def _wall(self, days: float, _: object = None) -> str:
        """A tick that needs no other to be read; a later day's says which day it is."""
        moment = datetime.fromtimestamp(round(days * 86_400e6) / 1e6, self.zone)
        text = f"{moment:%H:%M:%S}"
        if moment.microsecond:
            text += f"{moment.microsecond / 1e6:.6f}"[1:].rstrip("0")
        if moment.date() != datetime.fromtimestamp(self.origin / 1e9, self.zone).date():
            text = f"{moment:%m-%d}\n{text}"
        return text


def limits(ax: Axes, clock: Clock, first: int, last: int) -> None:
    """From the first to the last time, with a little room; a single moment in the middle."""
    low, high = float(clock.x(first)), float(clock.x(last))
    room = (high - low) * 0.01 or (0.5 / 86_400 if clock.zone else 0.5)
    ax.set_xlim(low - room, high + room)


def seconds(value: float) -> str:
    """A duration in a legend: four figures and s."""
    return f"{value:.4g} s" if abs(value) < 10_000 else f"{value:,.0f} s"


def count(n: int, noun: str) -> str:
    """`1 task`, `400 tasks`, `1,000,000 tries`."""
    one = noun[:-3] + "y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{n:,} {one if n == 1 else noun}"
