"""How deep tasks depend on each other, and where to put things that hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

Node = TypeVar("Node", int, str)


class Layout(NamedTuple):
    """A place for each node: its layer, and its order in it."""

    layer: dict[str, int]
    order: dict[str, float]


def depths(nodes: Iterable[Node], edges: Iterable[tuple[Node, Node]]) -> dict[Node, int]:
    """How many edges the longest way to each node has. An edge leads from earlier to later.

    What lies on a cycle, or after one, is put after all that is known to come before it.
    """
    known = list(edges)
    if all(earlier < later for earlier, later in known):  # as Parsl numbers its tasks
        return _depths_of_ordered(nodes, known)
    after: dict[Node, list[Node]] = defaultdict(list)
    before: dict[Node, int] = dict.fromkeys(nodes, 0)
    for earlier, later in set(known):
        before.setdefault(earlier, 0)
        if earlier != later:
            after[earlier].append(later)
            before[later] = before.get(later, 0) + 1
    depth = dict.fromkeys(before, 0)
    ready = [node for node, count in before.items() if not count]
    waiting = {node for node, count in before.items() if count}
    while ready or waiting:
        if not ready:
            cut = min(waiting, key=lambda node: (before[node], depth[node]))
            waiting.discard(cut)
            ready.append(cut)
        node = ready.pop()
        for later in after[node]:
            if later in waiting:
                depth[later] = max(depth[later], depth[node] + 1)
                before[later] -= 1
                if not before[later]:
                    waiting.discard(later)
                    ready.append(later)
    return depth


def _depths_of_ordered(nodes: Iterable[Node], edges: list[tuple[Node, Node]]) -> dict[Node, int]:
    """Where each edge leads to a higher node, one pass in their order will do."""
    depth = dict.fromkeys(nodes, 0)
    for earlier, later in sorted(edges):
        deeper = depth.setdefault(earlier, 0) + 1
        if depth.get(later, 0) < deeper:
            depth[later] = deeper
    return depth


def layered(nodes: Sequence[str], edges: Iterable[tuple[str, str]], sweeps: int = 8) -> Layout:
    """Layers by depth; within a layer each node near the middle of those it hangs together with."""
    known = list(edges)
    layer = depths(nodes, known)
    rows: dict[int, list[str]] = defaultdict(list)
    for node in layer:
        rows[layer[node]].append(node)
    near: dict[str, list[str]] = defaultdict(list)
    for one, other in known:
        near[one].append(other)
        near[other].append(one)
    order = {
        node: place - (len(row) - 1) / 2 for row in rows.values() for place, node in enumerate(row)
    }
    depth = sorted(rows)
    for sweep in range(sweeps):
        for number in depth if sweep % 2 == 0 else reversed(depth):
            row = rows[number]
            row.sort(key=lambda node: _middle(node, near, order))
            for place, node in enumerate(row):
                order[node] = place - (len(row) - 1) / 2
    return Layout(layer, order)


def _middle(node: str, near: dict[str, list[str]], order: dict[str, float]) -> float:
    places = [order[other] for other in near[node]]
    return sum(places) / len(places) if places else order[node]
