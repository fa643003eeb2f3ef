"""Spans that contain themselves, by way of others.

Nearly all relations are between spans of different types, of which the one never lies in the
other: those are passed over by their types alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from dnpcsql.checks.finding import ODD, Finding, counted, query

Node = TypeVar("Node", bound=Hashable)

# (lower, upper), and how a person sees the same.
_PARENTS = "SELECT uuid AS lower, parent_uuid AS upper FROM span WHERE parent_uuid IS NOT NULL"
_CONTAINED = "SELECT subspan_uuid AS lower, superspan_uuid AS upper FROM subspan"


def found(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Cycles of parents, and of containment."""
    for what, edges in (("parents", _PARENTS), ("containment", _CONTAINED)):
        circling = _of_spans(connection, edges)
        examples = (" → ".join(round_) for round_ in rounds(circling))
        show = ""
        if circling:
            names = ", ".join(f"'{uuid}'" for uuid in sorted(circling)[:20])
            show = query(f"SELECT * FROM span WHERE uuid IN ({names})")
        yield from counted(ODD, f"circles of {what}", examples, show)


def _of_spans(connection: sqlite3.Connection, edges: str) -> dict[str, set[str]]:
    low, high = "JOIN span AS low ON low.uuid = lower", "JOIN span AS high ON high.uuid = upper"
    joined = f"FROM ({edges}) {low} {high}"
    types = circles(connection.execute(f"SELECT DISTINCT low.type, high.type {joined}"))
    if not types:
        return {}
    among = "(SELECT value FROM json_each(:types))"
    return circles(
        connection.execute(
            f"SELECT lower, upper {joined} WHERE low.type IN {among} AND high.type IN {among}",
            {"types": json.dumps(sorted(types))},
        )
    )


def circles(edges: Iterable[tuple[Node, Node]]) -> dict[Node, set[Node]]:
    """What is left of a graph when all that leads nowhere, and all that nothing leads to, is taken
    away: its cycles, and what lies between them.

    >>> circles([("a", "b"), ("b", "c"), ("c", "b")])
    {'b': {'c'}, 'c': {'b'}}
    """
    graph: dict[Node, set[Node]] = defaultdict(set)
    for lower, upper in edges:
        graph[lower].add(upper)
    forwards = _without_ends(graph)
    return _turned(_without_ends(_turned(forwards)))


def rounds(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """One way round for each part of what `circles` left: its nodes, the first again at the end."""
    seen: set[str] = set()
    for start in sorted(graph):
        way: dict[str, None] = {}
        at = start
        while at not in way and at not in seen:
            way[at] = None
            at = min(graph[at])
        if at in way:
            nodes = list(way)
            yield [*nodes[nodes.index(at) :], at]
        seen |= set(way)


def _without_ends(graph: dict[Node, set[Node]]) -> dict[Node, set[Node]]:
    """The graph without the nodes from which every way ends."""
    back = _turned(graph)
    left = {node: len(others) for node, others in graph.items()}
    ends = [node for node in back if node not in graph]
    while ends:
        for before in back.get(ends.pop(), ()):
            left[before] -= 1
            if not left[before]:
                del left[before]
                ends.append(before)
    return {node: {other for other in graph[node] if other in left} for node in left}


def _turned(graph: dict[Node, set[Node]]) -> dict[Node, set[Node]]:
    turned: dict[Node, set[Node]] = {}
    for lower, uppers in graph.items():
        for upper in uppers:
            turned.setdefault(upper, set()).add(lower)
    return turned
