"""How the types of spans hang together: what contains what, what is an account of the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from dnpcsql.analyses.graphs import layered
from dnpcsql.plots import style

_MOST = 60


def types(
    counts: Mapping[str, int],
    relations: Sequence[tuple[str, str, str, int]],
    ax: Axes | None = None,
    *,
    about: str = "",
) -> Axes:
    """A box for each type with how many spans it has, and lines between them.

    `relations` are rows of the view span_type_relation: relation (`contains`, `facet`, or a link's
    type), left type, right type, how many.
    """
    shown = dict(sorted(counts.items(), key=lambda one: -one[1])[:_MOST])
    inside = [
        (left, right)
        for relation, left, right, _ in relations
        if relation == "contains" and left in shown and right in shown
    ]
    layout = layered(list(shown), inside)
    rows = max((sum(at == layer for at in layout.layer.values()) for layer in
                set(layout.layer.values())), default=1)  # fmt: skip
    columns = max(layout.layer.values(), default=0) + 1
    ax = ax or style.new_axes(width=max(6.0, 2.1 * columns), height=max(2.4, 0.8 + 0.62 * rows))
    style.title(ax, f"{style.count(len(counts), 'types')} of spans", about)
    if not shown:
        return style.empty(ax, "no spans")
    boxes = {}
    for kind, n in shown.items():
        text = _text(kind, n, relations)
        boxes[kind] = ax.text(
            layout.layer[kind],
            -layout.order[kind],
            text,
            ha="center",
            va="center",
            fontsize="x-small",
            bbox={"boxstyle": "round,pad=0.35", "fc": "white", "ec": style.COLOURS[0], "lw": 1},
            zorder=3,
        )
    places = {kind: (float(layout.layer[kind]), -layout.order[kind]) for kind in shown}
    for relation, left, right, _ in relations:
        if left in shown and right in shown and left != right:
            _line(ax, places, boxes, relation, left, right)
    ax.set_xlim(-0.55, columns - 0.45)
    ax.set_ylim(-(rows - 1) / 2 - 0.7, (rows - 1) / 2 + 0.7)
    ax.set_axis_off()
    _explain(ax, {relation for relation, left, right, _ in relations if left != right})
    return ax


def _line(
    ax: Axes,
    places: Mapping[str, tuple[float, float]],
    boxes: Mapping[str, Text],
    relation: str,
    left: str,
    right: str,
) -> None:
    colour, dashes = _look(relation)
    bend = 0.1 if places[left][0] != places[right][0] else 0.4
    ax.annotate(
        "",
        places[right],
        places[left],
        arrowprops={
            "arrowstyle": "-|>" if relation != "facet" else "-",
            "color": colour,
            "ls": dashes,
            "lw": 1.0,
            "mutation_scale": 9,
            "patchA": boxes[left].get_bbox_patch(),
            "patchB": boxes[right].get_bbox_patch(),
            "connectionstyle": f"arc3,rad={bend}",
        },
        zorder=2,
    )


def _look(relation: str) -> tuple[str, str]:
    if relation == "contains":
        return "#777777", "-"
    return (style.COLOURS[2], "--") if relation == "facet" else (style.COLOURS[3], ":")


def _explain(ax: Axes, relations: set[str]) -> None:
    handles = []
    for relation in sorted(relations, key=lambda one: (one != "contains", one != "facet", one)):
        colour, dashes = _look(relation)
        text = "facet: accounts of one thing" if relation == "facet" else style.name(relation)
        handles.append(Line2D([], [], color=colour, ls=dashes, label=text))
    ax.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False,
        fontsize="small", borderaxespad=0,
    )  # fmt: skip


def _text(kind: str, n: int, relations: Sequence[tuple[str, str, str, int]]) -> str:
    """A type, how many spans it has, and how many of these are tied to each other."""
    head, _, tail = kind.rpartition(".")
    lines = [style.name(head)] if head else []
    lines.append(f"{style.name(tail)}  {n:,}")
    lines += [
        f"{style.name(relation)} each other  {count:,}"
        for relation, left, right, count in relations
        if left == right == kind
    ]
    return "\n".join(lines)
