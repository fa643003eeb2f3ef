"""What a log has to say: tables of messages, and a message that was understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

Match: TypeAlias = re.Match[str]
Found: TypeAlias = tuple[str, Match]

# HTEX-Worker-0-17071 in shape A, HTEX-Interchange(16636) in B, 16704 in C; Rank:0 is none
_PROCESS_ID = re.compile(r"(?:^|[-(])(\d+)\)?$")


class At(NamedTuple):
    """Where and when a record stands, and who wrote it."""

    line: int
    time: int
    thread: str
    more: tuple[str, ...] = ()
    process: str = ""
    kernel: str | None = None

    def process_id(self) -> int | None:
        """The process that wrote it, if its head tells."""
        found = _PROCESS_ID.search(self.process)
        return int(found[1]) if found else None


class Message(NamedTuple):
    """A record that is understood: where it stands, its name in a table of wordings, its parts."""

    at: At
    name: str
    match: Match


class Wordings(NamedTuple):
    """What a kind of log has to say.

    `find` tells what a message is; `words` are all first words of those that it knows; `known` are the beginnings of those that are left out on
    purpose; `with_more` names the messages of which the lines that follow matter.
    """

    find: Callable[[str], Found | None]
    words: frozenset[str]
    known: tuple[str, ...]
    with_more: frozenset[str] = frozenset()


def first_words(table: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The plain words with which the patterns begin."""
    return frozenset(pattern.partition(" ")[0].replace("\\", "") for _, pattern in table)


def by_first_word(table: Iterable[tuple[str, str]]) -> Callable[[str], Found | None]:
    """A `find` from (name, pattern): a look-up by first word, then the few patterns that have it.

    Patterns begin with a plain word, and are matched against the whole message.
    """
    words: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern in table:
        word = pattern.partition(" ")[0].replace("\\", "")
        words.setdefault(word, []).append((name, re.compile(pattern)))

    def find(message: str) -> Found | None:
        for name, pattern in words.get(message.partition(" ")[0], ()):
            match = pattern.fullmatch(message)
            if match is not None:
                return name, match
        return None

    return find
