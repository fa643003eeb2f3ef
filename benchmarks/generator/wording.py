"""The words of an era, read from words/*.txt (2026.txt explains the notation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template

WORDS = Path(__file__).with_name("words")


Burst = tuple[tuple[int, Callable[..., str]], ...]


class Wording:
    """All that an era has words for."""

    def __init__(self, name: str, *, full: bool) -> None:
        """Read an era's file; without `full`, leave out what only full noise has."""
        self._full = full
        self._lets: dict[str, str] = {}
        self._events: dict[str, list[tuple[int, str]]] = {}
        for file in ("common.txt", name):
            for section, lines in _sections((WORDS / file).read_text(encoding="utf-8")):
                self._take(section, lines)

    def scope(self, **constants: object) -> Scope:
        """The words with everything filled in that does not change for a run, manager or worker."""
        escaped = {k: str(v).replace("{", "{{").replace("}", "}}") for k, v in constants.items()}
        return Scope(self._lets, self._events, escaped)

    def _take(self, section: str, lines: list[str]) -> None:
        """Keep one section of the file."""
        if section.startswith("let "):
            self._lets[section[4:]] = "\n".join(lines)
        else:
            self._events[section] = list(_records(lines, full=self._full))


class Scope(dict[str, Burst]):
    """An era's words for one run, manager or worker: the records of each event."""

    def __init__(
        self,
        lets: Mapping[str, str],
        events: Mapping[str, list[tuple[int, str]]],
        constants: dict[str, str],
    ) -> None:
        """Fill the constants into the names that the file itself defines."""
        super().__init__()
        self._events = events
        self._constants = dict(constants)
        for name, text in lets.items():
            self._constants.setdefault(name, Template(text).safe_substitute(self._constants))

    def constant(self, name: str) -> str:
        """What $name stands for."""
        return self._constants[name]

    def __missing__(self, event: str) -> Burst:
        """The records of an event: how long each waits, and how it is filled."""
        fill = self._constants
        self[event] = burst = tuple(
            (gap, Template(text).safe_substitute(fill).format) for gap, text in self._events[event]
        )
        return burst

    def text(self, event: str, **values: object) -> str:
        """The only record of an event, filled in."""
        [(_, filled)] = self[event]
        return filled(**values)


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """The file's sections: name and lines, comments and blank lines left out."""
    name, lines = "", list[str]()
    for line in text.split("\n"):
        if line.startswith("["):
            if name:
                yield name, lines
            name, lines = line[1:-1], []
        elif line and not line.startswith("#"):
            lines.append(line)
    yield name, lines


def _records(lines: list[str], *, full: bool) -> Iterator[tuple[int, str]]:
    """The records of a section, each with the microseconds to wait before it."""
    gap, record = 0, list[str]()
    for line in [*lines, "@0"]:
        if line.startswith("|"):
            record.append(line[1:])
            continue
        if record and (full or not record[0].startswith("+")):
            yield gap, "\n".join(record).removeprefix("+")
            gap = 0
        record = []
        if line.startswith("@"):
            gap += int(line[1:])
        else:
            record.append(line)
