"""Where a line of parents must be cut, so that it comes to an end: Jaeger's page is blank else."""

from __future__ import annotations

from collections.abc import Callable

DEEPEST = 5_000  # levels: Jaeger's page fails at 10,000
_KEPT = 200_000


class Ancestors:
    """Walks up from spans, looking at each parent once."""

    def __init__(self, parent_of: Callable[[str], str | None]) -> None:
        self._parent_of = parent_of
        self._depths: dict[str, int] = {}
        self._cuts: dict[str, str] = {}

    def cut(self, uuid: str) -> str | None:
        """Why a span cannot be below its parent: `its own ancestor` (of a circle this holds for the
        first by id), `too deep`, or None: it can."""
        if len(self._depths) > _KEPT:
            self._depths.clear()  # what is found again is the same
            self._cuts.clear()
        while uuid not in self._depths:
            self._walk(uuid)
        return self._cuts.get(uuid)

    def _walk(self, uuid: str) -> None:
        path: dict[str, None] = {}
        at: str | None = uuid
        while at is not None and at not in self._depths and at not in path:
            path[at] = None
            at = self._parent_of(at)
        if at is not None and at in path:
            line = list(path)
            first = min(line[line.index(at) :])
            self._depths[first] = 0
            self._cuts[first] = "its own ancestor"
            return
        depth = -1 if at is None else self._depths[at]
        for span in reversed(path):
            depth += 1
            if depth > DEEPEST:
                depth = 0
                self._cuts[span] = "too deep"
            self._depths[span] = depth
