"""Requests cut by their size in bytes: receivers stop at 4 MiB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dnpcsql.exporters.encoding import Encoder
from dnpcsql.identity import RUN_DIGITS
from dnpcsql.otlp.incoming import Group
from dnpcsql.records import Resource, Scope

AIM = 1_500_000


class Batch:
    """Encoded spans on their way, by who told them."""

    def __init__(self) -> None:
        self.size = 0
        self.spans = 0
        self.events = 0
        self.links = 0
        self.traces: Counter[str] = Counter()
        self._parts: dict[tuple[Resource, Scope], list[bytes]] = {}

    def add(self, resource: Resource, scope: Scope, span: bytes) -> None:
        """One more span."""
        key = (resource, scope)
        if key not in self._parts:
            self._parts[key] = []
            self.size += len(resource.attributes or "") + len(scope.attributes or "") + 100
        self._parts[key].append(span)
        self.size += len(span)
        self.spans += 1

    def request(self, encoder: Encoder) -> bytes:
        """The whole request."""
        return encoder.request((*who, spans) for who, spans in self._parts.items())

    def halves(self) -> tuple[Batch, Batch]:
        """Two of half as many spans."""
        flat = [(*who, span) for who, spans in self._parts.items() for span in spans]
        made = Batch(), Batch()
        for place, told in enumerate(flat):
            made[place * 2 >= len(flat)].add(*told)
        return made


def batches(groups: Iterable[Group], encoder: Encoder, aim: int = AIM) -> Iterator[Batch]:
    """Batches of about `aim` bytes; a span that is larger goes alone."""
    batch = Batch()
    for resource, scope, spans in groups:
        for told in spans:
            span = encoder.span(told)
            if batch.spans and batch.size + len(span) > aim:
                yield batch
                batch = Batch()
            batch.add(resource, scope, span)
            batch.events += len(told.events)
            batch.links += len(told.links)
            batch.traces[told.span.trace_high + told.span.uuid[:RUN_DIGITS]] += 1
    if batch.spans:
        yield batch
