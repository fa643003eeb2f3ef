"""What waits for what: tasks by how deep they depend on others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from dnpcsql.analyses.graphs import depths, layered
from dnpcsql.plots import style

_MOST_NODES = 2_000
_LABELLED = 60


def dependencies(
    nodes: Mapping[int, Any],
    edges: Sequence[tuple[int, int]],
    ax: Axes | None = None,
    *,
    noun: str = "tasks",
    about: str = "",
) -> Axes:
    """Each node (number → group) at its depth, a line for each edge (earlier, later).

    Of more than 2,000 nodes those of one group at one depth are one mark, the larger the more.
    """
    ax = ax or style.new_axes(height=4.6)
    every = {**dict.fromkeys((node for edge in edges for node in edge), None), **nodes}
    deepest = max(depths(list(every), edges).values(), default=0)
    style.title(
        ax,
        f"{style.count(len(every), noun).capitalize()}, {len(edges):,} dependencies, "
        f"{style.count(deepest, 'levels')} deep",
        about,
    )
    if not every:
        return style.empty(ax, f"no {noun}")
    if len(every) > _MOST_NODES:
        _summary(ax, every, edges)
        ax.set_ylabel(f"{noun} of an app, by depth (area: how many)")
        ax.margins(0.08)
    else:
        _all(ax, every, edges)
        ax.set_ylabel(f"{noun} of a depth")
        ax.margins(0.05)
    ax.set_yticks([])
    ax.set_xlabel("depth: dependencies on the longest way to it")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.tidy(ax, grid="x")
    ax.spines["left"].set_visible(False)
    style.legend(ax)
    return ax


def _all(ax: Axes, nodes: Mapping[int, Any], edges: Sequence[tuple[int, int]]) -> None:
    names = [str(node) for node in nodes]
    layout = layered(names, [(str(one), str(other)) for one, other in edges])
    places = {node: (layout.layer[str(node)], layout.order[str(node)]) for node in nodes}
    _arcs(ax, [(places[one], places[other]) for one, other in edges], [0.8] * len(edges))
    labels, groups = style.grouped(nodes.values())
    at = np.array(list(places.values()), dtype=np.float64)
    size = float(np.clip(9000 / len(names), 8, 160))
    for place, label in enumerate(labels):
        here = groups == place
        ax.scatter(at[here, 0],
            at[here, 1], s=size, color=style.colour_of(place, label), zorder=3,
                   edgecolors="white", linewidths=0.5,
                   label=f"{style.name(label)} ({int(here.sum()):,})")  # fmt: skip
    if len(names) <= _LABELLED:
        for node, (x, y) in places.items():
            ax.annotate(str(node), (x, y), xytext=(0, 6), textcoords="offset points", ha="center",
                        fontsize="xx-small", color=style.INK)  # fmt: skip


def _summary(ax: Axes, nodes: Mapping[int, Any], edges: Sequence[tuple[int, int]]) -> None:
    depth = depths(list(nodes), edges)
    labels, groups = style.grouped(nodes.values())
    group = dict(zip(nodes, (int(place) for place in groups), strict=True))
    cells = Counter((depth[node], group[node]) for node in nodes)
    ways = Counter(((depth[a], group[a]), (depth[b], group[b])) for a, b in edges)
    if len(cells) > _MOST_NODES:  # a chain of thousands: depths, thinned evenly
        step = max(cell[0] for cell in cells) // (_MOST_NODES // len(labels)) + 1
        thin = {cell: (cell[0] // step * step, cell[1]) for cell in cells}
        merged: Counter[tuple[int, int]] = Counter()
        for cell, n in cells.items():
            merged[thin[cell]] += n
        between: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
        for (one, other), n in ways.items():
            between[thin[one], thin[other]] += n
        cells, ways = merged, between
    most = max(ways.values(), default=1)
    _arcs(ax, list(ways), [0.5 + 4 * n / most for n in ways.values()])
    largest = max(cells.values())
    for place, label in enumerate(labels):
        mine = {cell: n for cell, n in cells.items() if cell[1] == place}
        ax.scatter(
            [x for x, _ in mine],
            [y for _, y in mine],
            s=[12 + 500 * n / largest for n in mine.values()],
            color=style.colour_of(place, label),
            zorder=3,
            edgecolors="white",
            linewidths=0.5,
            label=f"{style.name(label)} ({sum(mine.values()):,})",
        )


def _arcs(
    ax: Axes, pairs: Sequence[tuple[tuple[float, float], tuple[float, float]]], widths: list[float]
) -> None:
    ax.add_collection(
        LineCollection(
            [np.array(pair) for pair in pairs],
            colors="#9A9A9A",
            linewidths=widths,
            alpha=0.7,
            rasterized=style.rasterized(len(pairs)),
        )
    )
