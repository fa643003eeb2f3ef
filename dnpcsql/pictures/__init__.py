"""Pictures: what is asked of a store, counted by an analysis, drawn by a plot.

store.plot("states").save("states.png")
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnpcsql import clock, plots
from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.pictures import durations, graphs, over_time
from dnpcsql.pictures.asked import Asked
from dnpcsql.plots.style import NOTHING

__all__ = ["FORMATS", "KINDS", "Asked", "Kind", "Picture", "kinds", "plot", "zone_named"]

FORMATS = (".png", ".svg", ".pdf")
_DPI = 110


class Picture(NamedTuple):
    """A drawn picture: shows itself in a notebook, and can be saved."""

    kind: str
    ax: Axes

    @property
    def figure(self) -> Figure:
        """The figure that it is on."""
        found = self.ax.figure
        return found if isinstance(found, Figure) else found.figure

    @property
    def nothing(self) -> str | None:
        """Why there is nothing in it; None if there is something."""
        if self.ax.get_gid() != NOTHING:
            return None
        return self.ax.texts[-1].get_text()

    def save(self, path: str | Path, *, dpi: int = _DPI) -> None:
        """Write it as .png, .svg or .pdf. Raises UnreadableError if it cannot be written."""
        path = Path(path)
        if path.suffix.lower() not in FORMATS:
            raise UnreadableError(f"{path}: a picture is {', '.join(FORMATS)}")
        try:
            self.figure.savefig(path, dpi=dpi, metadata=_undated(path.suffix.lower()))
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror or error}") from None

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.figure.savefig(written, format="png", dpi=_DPI)
        return written.getvalue()


def zone_named(text: str) -> tzinfo:
    """A time zone by its name: `Europe/Berlin`, `UTC`, `local`, `+05:30`.

    Raises NotFoundError if there is none.
    """
    try:
        found = clock.named(text, "")
    except ValueError as error:
        raise NotFoundError(str(error)) from None
    return found.zone or timezone(timedelta(microseconds=found.intervals[0].offset // 1000))


def _undated(suffix: str) -> dict[str, None]:
    """The same picture is the same file, whenever it is drawn."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})


class Kind(NamedTuple):
    """A kind of picture: what it shows, and what draws it."""

    about: str
    draw: Callable[[Asked], Axes]


def plot(kind: str, asked: Asked) -> Picture:
    """Draw a kind of picture. Raises NotFoundError if there is none so called, or no such run."""
    if kind not in KINDS:
        raise NotFoundError(f"no picture {kind}; there are: {', '.join(KINDS)}")
    return Picture(kind, KINDS[kind].draw(asked))


KINDS: dict[str, Kind] = {
    "latency": Kind("how long from one event to another, over time", durations.latency),
    "histogram": Kind(
        "how many took how long, with mean, median, p95 and max", durations.spread(plots.histogram)
    ),
    "kde": Kind("a smooth density of how long things took", durations.spread(plots.kde)),
    "ecdf": Kind("what share took at most how long", durations.spread(plots.ecdf)),
    "boxes": Kind("how long after the first event each other event came", durations.boxes),
    "states": Kind("how many were in each state over time", over_time.states),
    "concurrency": Kind("how many at a time, in each layer", over_time.concurrency),
    "rate": Kind("events a second over time", over_time.rate),
    "tasks": Kind("a row for each task, by the state it was in", over_time.tasks),
    "workers": Kind("a lane for each worker, by what it ran", over_time.workers),
    "utilization": Kind("busy workers over time, below those connected", over_time.utilization),
    "resources": Kind("memory, CPU or another metric over time", over_time.resources),
    "lifelines": Kind("a line for each task through its stages", over_time.lifelines),
    "types": Kind("how the types of spans hang together", graphs.types),
    "dependencies": Kind("what waits for what", graphs.dependencies),
    "compare": Kind("two runs, one over the other", durations.compare),
}


def kinds() -> Sequence[tuple[str, str]]:
    """All kinds of pictures, and what each shows."""
    return [(name, kind.about) for name, kind in KINDS.items()]
