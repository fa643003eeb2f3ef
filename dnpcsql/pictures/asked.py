"""What is to be drawn of what, and how its pictures are headed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from dnpcsql.plots import style
from dnpcsql.subjects import Subject, subject, tries_of

if TYPE_CHECKING:
    from dnpcsql.store import Store


@dataclass(frozen=True)
class Asked:
    """What is to be drawn of what."""

    store: Store
    run: str | None = None
    where: str | None = None
    begin: str | None = None
    end: str | None = None
    by: str | None = None
    type: str | None = None
    metric: str | None = None
    other: str | None = None  # another run, to compare with
    where_first: str | None = None
    where_second: str | None = None
    detail: bool = False
    log: bool | None = None
    zone: tzinfo | None = None
    ax: Axes | None = None

    def subject(self, *events: str) -> Subject:
        """The spans, tries or tasks of which these events, besides those asked for, are needed."""
        needed = (self.begin, self.end, *events)
        found = subject(self.store, self.run, where=self.where, type=self.type, events=needed)
        if self.type is None and self.by is not None and self.by not in found.columns:
            return tries_of(self.store, self.store.run(self.run or "last"), self.where)
        return found

    def by_run(self) -> Subject:
        """Tries of a run, or spans of a type."""
        return self.subject("launched") if self.type is None else self.subject()

    def clock(self, *times: Any) -> style.Clock:
        """A clock over these times."""
        return style.Clock.over(*times, zone=self.zone)


def words(subject: Subject, asked: Asked) -> tuple[str, str, str]:
    """The two events that are meant, and what lies between them."""
    begin, end = asked.begin or subject.begin, asked.end or subject.end
    return begin, end, f"{begin} → {end}"


def about_of(subject: Subject, asked: Asked) -> str:
    """Of what a picture is: whose run, and which part of it."""
    parts = [subject.about, asked.where and f"where {asked.where}"]
    return style.name(", ".join(part for part in parts if part), 110)
