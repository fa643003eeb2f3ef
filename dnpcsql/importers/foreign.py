"""What all importers of other programs' traces do with what they decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dnpcsql.otlp.incoming import Group, Incoming
from dnpcsql.records import Problem, Record, Resource, Scope, Tally, Told

_REMEMBERED = 10_000


class Foreign:
    """Yields resources and scopes once, spans as they come, and problems where they are met."""

    def __init__(self, span_type: str, spans: int = 0, events: int = 0) -> None:
        """`spans`, `events`: how many came before, where this goes on with a source."""
        self.incoming = Incoming(span_type)
        self.incoming.spans, self.incoming.events = spans, events
        self._seen: set[str] = set()
        self._before = spans
        self.understood = 0

    def group(self, group: Group) -> Iterator[Record]:
        """The records of a group of spans."""
        return self.spans(*group)

    def spans(self, told: Resource, by: Scope, spans: Iterable[Told]) -> Iterator[Record]:
        """The records of spans of one resource and scope."""
        for row in (told, by):
            if row.id and row.id not in self._seen:
                if len(self._seen) > _REMEMBERED:
                    self._seen.clear()
                self._seen.add(row.id)
                yield row
        for span in spans:
            self.understood += 1
            yield span
            yield from self.incoming.problems()
        yield from self.incoming.problems()

    def damaged(self, kind: str, text: str) -> Iterator[Record]:
        """A problem with more than one span."""
        yield from self.incoming.problems()
        yield Problem(self.incoming.spans, kind, text)

    def ended(self, replaced: int = 0) -> Iterator[Record]:
        """The end of the file; `replaced`: values in which was replaced what is not Unicode."""
        yield from self.incoming.problems()
        if replaced:
            yield Problem(None, "not Unicode", "replaced by U+FFFD", replaced)
        spans = self.incoming.spans - self._before
        yield Tally(spans, spans, self.understood, {})
