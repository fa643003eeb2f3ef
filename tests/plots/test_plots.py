"""Plots of nothing, of one row, of many; of hostile names; on an Axes of one's own."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from benchmarks.pictures import Made, drawings
from dnpcsql import plots
from dnpcsql.analyses.concurrency import concurrency, occupancy
from dnpcsql.analyses.rates import rate
from dnpcsql.analyses.resources import level
from dnpcsql.analyses.times import MISSING, Times
from dnpcsql.analyses.timestamps import Ranges
from dnpcsql.analyses.utilization import utilization
from dnpcsql.pictures import Picture

EPOCH = 1_795_331_212_865_472_000
STATES = ["pending", "launched", "running"]
HOSTILE = [
    "$\\frac{1}{0}$",
    "a$b",
    "$",
    "\\$x$",
    "tab\there",
    "line\nbreak",
    "\x1b[31mred",
    "\u202eevil",
    "x" * 500,
    "{}%s_^",
    "字",
    "",
]


def times(*rows: tuple[int | None, ...]) -> Times:
    given = [[MISSING if cell is None else EPOCH + cell * 10**9 for cell in row] for row in rows]
    return np.array(given, dtype=np.int64)


def every(begins: Times, ends: Times, groups: list[str]) -> Mapping[str, Callable[..., Axes]]:
    """All plots of the same tasks; each takes an `ax`."""
    ranges = Ranges(begins[:, 0], ends) if len(begins) else Ranges(ends, ends)
    took = ranges.durations_s
    memory = level(np.arange(len(ends)), ranges.begins, np.ones(len(ends)), ends)
    edges = [(place, place + 1) for place in range(len(groups) - 1)]
    relations = [("contains", one, groups[0], 1) for one in groups[1:]]
    return {
        "latency": lambda **on: plots.latency(ranges, groups=groups, **on),
        "histogram": lambda **on: plots.histogram(took, **on),
        "kde": lambda **on: plots.kde(took, groups=groups, **on),
        "ecdf": lambda **on: plots.ecdf(took, groups=groups, **on),
        "boxes": lambda **on: plots.boxes(begins, STATES, **on),
        "states": lambda **on: plots.states(occupancy(STATES, begins, ends), **on),
        "concurrency": lambda **on: plots.concurrency({"tasks": concurrency(*ranges)}, **on),
        "rate": lambda **on: plots.rate({"done": rate(ends)}, **on),
        "tasks": lambda **on: plots.tasks(STATES, begins, ends, labels=groups, **on),
        "workers": lambda **on: plots.workers(groups, *ranges, groups=groups, **on),
        "utilization": lambda **on: plots.utilization(utilization(groups, *ranges), **on),
        "resources": lambda **on: plots.resources({"all": memory}, **on),
        "lifelines": lambda **on: plots.lifelines(begins, STATES, groups=groups, **on),
        "dependencies": lambda **on: plots.dependencies(dict(enumerate(groups)), edges, **on),
        "types": lambda **on: plots.types(dict.fromkeys(groups, 1), relations, **on),
        "comparison": lambda **on: plots.comparison(took, took[:1], **on),
    }


NOTHING = every(np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64), [])
ONE = every(times((0, 1, 2)), times((5,))[0], ["work"])
UNENDED = every(times((0, 1, None)), times((None,))[0], ["work"])
NAMED = every(
    times(*[(n, n + 1, n + 3) for n in range(len(HOSTILE))]),
    times(tuple(n + 4 for n in range(len(HOSTILE))))[0],
    HOSTILE,
)


def settings() -> dict[str, object]:
    """matplotlib's, but for the backend, which it chooses when it is first asked."""
    return {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}


def drawn(ax: Axes) -> list[str]:
    """Draws it, headless, and gives all texts in it."""
    figure = Picture("", ax).figure
    figure.savefig(io.BytesIO(), format="png")
    return [found.get_text() for found in figure.findobj(Text) if isinstance(found, Text)]


@pytest.mark.parametrize("name", NOTHING)
def test_a_picture_of_nothing_says_so(name: str) -> None:
    texts = drawn(NOTHING[name]())
    assert any(text.startswith(("no ", "nothing to compare: no ")) for text in texts), texts


@pytest.mark.parametrize("rows", [ONE, UNENDED], ids=["ended", "unended"])
@pytest.mark.parametrize("name", ONE)
def test_a_picture_of_one_row(name: str, rows: Mapping[str, Callable[..., Axes]]) -> None:
    texts = drawn(rows[name]())
    assert all(np.isfinite(limit) for limit in rows[name]().get_xlim())
    assert (
        any("(s)" in text for text in texts) or name in ("dependencies", "types") or rows is UNENDED
    )


@pytest.mark.parametrize("name", NAMED)
def test_names_are_shown_as_they_are_and_harm_nothing(name: str) -> None:
    ax = NAMED[name]()
    drawn(ax)  # a warning is an error here, and so is mathematics that cannot be parsed
    for text in Picture("", ax).figure.findobj(Text):
        assert isinstance(text, Text)
        assert text._preprocess_math(text.get_text())[1] is not True  # type: ignore[attr-defined]
        lines = text.get_text().replace("\n", "")
        assert lines.isprintable()
        assert len(lines) < 250


@pytest.mark.parametrize("name", ONE)
def test_an_axes_of_ones_own_is_drawn_on_and_no_setting_is_changed(name: str) -> None:
    before = settings()
    figure = Figure()
    ax = figure.add_subplot()
    assert ONE[name](ax=ax) is ax
    assert settings() == before
    assert "matplotlib.pyplot" not in vars(plots)


@pytest.mark.parametrize("name", ["tasks", "latency", "states", "lifelines", "rate"])
def test_wall_clocks(name: str) -> None:
    from zoneinfo import ZoneInfo

    clock = plots.Clock(EPOCH, EPOCH + 5 * 10**9, ZoneInfo("Europe/Berlin"))
    texts = drawn(ONE[name](clock=clock))
    assert any("wall clock, CET" in text for text in texts)
    days = ONE[name](clock=clock).get_xlim()[0]
    assert abs(days * 86_400 - EPOCH / 1e9) < 3600


def test_a_legend_lies_beside_the_data() -> None:
    ax = NAMED["latency"]()
    drawn(ax)
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_window_extent().x0 >= ax.get_window_extent().x1


# Many rows


MANY = drawings(Made(120_000))


@pytest.mark.parametrize("name", MANY)
def test_many_rows_are_few_marks_and_a_small_vector_file(name: str) -> None:
    ax = MANY[name]()
    marks = sum(np.asarray(found.get_offsets()).shape[0] for found in ax.collections)
    points = sum(len(np.asarray(line.get_xdata())) for line in ax.lines)
    assert len(ax.findobj()) < 1000
    assert marks + points < 50_000
    written = io.BytesIO()
    Picture("", ax).figure.savefig(written, format="pdf")
    assert len(written.getvalue()) < 1_000_000


def test_an_image_of_many_bars_has_the_colours_of_what_it_covers() -> None:
    n = 30_000
    begins = times(*[(0, 10, None)] * n)
    ax = plots.tasks(STATES, begins, np.full(n, EPOCH + 20 * 10**9))
    (image,) = ax.images
    colours = np.asarray(image.get_array())
    assert colours[:, 100].std(axis=0).max() < 1e-9
    assert np.allclose(colours[0, 100], mpl.colors.to_rgb(plots.style.STATE_COLOURS["pending"]))
    assert np.allclose(colours[0, 900], mpl.colors.to_rgb(plots.style.STATE_COLOURS["launched"]))
