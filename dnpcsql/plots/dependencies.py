"""What waits for what: tasks by how deep they depend on others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dnpcsql.analyses.graphs import depths, layered
from dnpcsql.plots import style

_MOST_NODES = 2_000
_MOST_MARKS = 240
_LABELLED = 50


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
    every = {**dict.fromkeys((node for edge in edges for node in edge), None), **nodes}
    depth = depths(list(every), edges)
    deepest = max(depth.values(), default=0)
    tied = {node for edge in edges for node in edge}
    widest = max(Counter(depth[node] for node in tied).values(), default=0)
    rows = 8 if len(tied) > _MOST_NODES else widest
    ax = ax or style.new_axes(height=float(np.clip(2.2 + 0.22 * rows, 2.6, 6)))
    style.title(
        ax,
        f"{style.count(len(every), noun).capitalize()}, {len(edges):,} dependencies, "
        f"{style.count(deepest, 'levels')} deep",
        about,
    )
    if not every:
        return style.empty(ax, f"no {noun}")
    if not edges:
        return style.empty(ax, f"none of {style.count(len(every), noun)} waits for another")
    if len(tied) < len(every):
        alone = len(every) - len(tied)
        ax.annotate(
            f"not drawn: {style.count(alone, noun)} that neither wait nor are waited for",
            (1, 0), xytext=(0, 4), xycoords="axes fraction", textcoords="offset points",
            ha="right", fontsize="small", color=style.INK,
        )  # fmt: skip
        every = {node: group for node, group in every.items() if node in tied}
    if len(every) > _MOST_NODES:
        _summary(ax, every, edges, depth)
        ax.set_ylabel("a mark: as large as many")
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
    style.legend(ax, _handles(ax))
    return ax


def _handles(ax: Axes) -> list[Line2D]:
    """Marks of one size, however large they are in the picture."""
    handles = []
    for drawn in ax.collections:
        if isinstance(drawn, PathCollection):
            handle = Line2D([], [], ls="", marker="o", label=drawn.get_label())
            handle.set_color(np.asarray(drawn.get_facecolor())[0])
            handles.append(handle)
    return handles


def _all(ax: Axes, nodes: Mapping[int, Any], edges: Sequence[tuple[int, int]]) -> None:
    names = [str(node) for node in nodes]
    layout = layered(names, [(str(one), str(other)) for one, other in edges])
    places = {node: (layout.layer[str(node)], layout.order[str(node)]) for node in nodes}
    _arcs(ax, [(places[one], places[other]) for one, other in edges], [0.8] * len(edges))
    labels, groups = style.grouped(nodes.values())
    at = np.array(list(places.values()), dtype=np.float64)
    size = float(np.clip(9000 / len(names), 8, 170))
    for place, label in enumerate(labels):
        here = groups == place
        ax.scatter(at[here, 0],
            at[here, 1], s=size, color=style.colour_of(place, label), zorder=3,
                   edgecolors="white", linewidths=0.5,
                   label=f"{style.name(label)} ({int(here.sum()):,})")  # fmt: skip
    if len(names) <= _LABELLED:
        for (node, (x, y)), place in zip(places.items(), groups, strict=True):
            colour = style.readable_on(style.colour_of(int(place), labels[int(place)]))
            ax.annotate(
                str(node), (x, y), ha="center", va="center", fontsize=5.5, zorder=4, color=colour
            )


def _summary(
    ax: Axes, nodes: Mapping[int, Any], edges: Sequence[tuple[int, int]], depth: Mapping[int, int]
) -> None:
    """Nodes of a group at a depth are one mark; of very many depths, those of a stretch of them."""
    labels, groups = style.grouped(nodes.values())
    at = np.fromiter((depth[node] for node in nodes), np.int64, len(nodes))
    step = int(at.max()) * len(labels) // _MOST_MARKS + 1
    cell = at // step * step * len(labels) + groups
    cells, counts = np.unique(cell, return_counts=True)
    cell_of = dict(zip(nodes, cell.tolist(), strict=True))
    ways = Counter((cell_of[one], cell_of[other]) for one, other in edges)
    ways = Counter({way: n for way, n in ways.items() if way[0] != way[1]})
    thickest = max(ways.values(), default=1)
    _arcs(
        ax,
        [(_place(one, len(labels)), _place(other, len(labels))) for one, other in ways],
        [0.5 + 4 * n / thickest for n in ways.values()],
    )
    for place, label in enumerate(labels):
        mine = cells % len(labels) == place
        ax.scatter(
            cells[mine] // len(labels),
            np.full(int(mine.sum()), place),
            s=12 + 500 * counts[mine] / counts.max(),
            color=style.colour_of(place, label),
            zorder=3,
            edgecolors="white",
            linewidths=0.5,
            label=f"{style.name(label)} ({int(counts[mine].sum()):,})",
        )


def _place(cell: int, groups: int) -> tuple[float, float]:
    return cell // groups, cell % groups


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
