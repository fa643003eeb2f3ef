"""What a log has to say: tables of messages, and a message that was understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from dnpcsql.records import Problem, Tally

Match: TypeAlias = re.Match[str]
Found: TypeAlias = tuple[str, Match]

# HTEX-Worker-0-17071 in shape A, HTEX-Interchange(16636) in B, 16704 in C; Rank:0 is none
_PROCESS_ID = re.compile(r"(?:^|[-(])(\d+)\)?$")


class At(NamedTuple):
    """Where and when a record stands, and who wrote it.

    Few records are asked who wrote them, so that is worked out when it is asked.
    """

    line: int
    time: int
    head: str
    more: tuple[str, ...] = ()
    kernel: str | None = None

    @property
    def thread(self) -> str:
        """The thread that wrote it; empty where a head is of an older shape than A."""
        if self.head[4:5] == "-":
            return ""
        return self.head.split(" ", 4)[4].rsplit(" ", 3)[0]

    @property
    def process(self) -> str:
        """The process that wrote it, as its head names it."""
        words = self.head.split(" ", 4)
        return words[3] if len(words) > 4 else ""

    def process_id(self) -> int | None:
        """The process that wrote it, if its head tells."""
        found = _PROCESS_ID.search(self.process)
        return int(found[1]) if found else None


class Message(NamedTuple):
    """A record that is understood: where it stands, its name in a table of wordings, its parts."""

    at: At
    name: str
    match: Match


Anchor: TypeAlias = tuple[frozenset[str], frozenset[str]]


def anchor(told: str, needs: str) -> Anchor:
    """`told` and `needs` are names of messages, set off by blanks."""
    return frozenset(told.split()), frozenset(needs.split())


class Wordings(NamedTuple):
    """What a kind of log has to say.

    `find` tells what a message is, by its first word, which is one of `words`; `known` are the
    beginnings, numbers masked, of the others that are left out on purpose; `with_more` names the
    messages of which the lines that follow matter; `anchors` are pairs: a log that has all the
    messages named first has one of those named second, or they are worded in a new way. Of a
    `loud` log each error is a message, whatever it says.
    """

    find: Callable[[str, str], Found | None]
    words: frozenset[str]
    known: tuple[str, ...]
    with_more: frozenset[str] = frozenset()
    anchors: tuple[Anchor, ...] = ()
    loud: bool = False


# 1.2.0 said which thread speaks: `[MAIN] Sent tasks: …`, `[TASK PULL THREAD] starting`
_MARKS = (
    "[MAIN]",
    "[CMD]",
    "[COMMAND]",
    "[TASK PULL THREAD]",
    "[TASK_PULL_THREAD]",
    "[RESULT_PUSH_THREAD]",
    "[WORKER_WATCHDOG_THREAD]",
)


def by_first_word(
    table: Iterable[tuple[str, str]],
    known: tuple[str, ...],
    with_more: Iterable[str] = (),
    anchors: tuple[Anchor, ...] = (),
    loud: bool = False,
) -> Wordings:
    """The wordings of (name, pattern), looked up by first word and then by the few that have it.

    Patterns begin with a plain word, and are matched against the whole message, without the mark
    that stands before it in 1.2.0.
    """
    by_word: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern in table:
        by_word.setdefault(first_word(pattern), []).append((name, re.compile(pattern)))

    def find(word: str, message: str) -> Found | None:
        if word[:1] == "[":
            message = message.partition("] ")[2]
            word = first_word(message)
        for name, pattern in by_word.get(word, ()):
            match = pattern.fullmatch(message)
            if match is not None:
                return name, match
        return None

    words = by_word.keys() | {first_word(mark) for mark in _MARKS}
    marked = tuple(f"{mark} {beginning}" for mark in _MARKS for beginning in known)
    return Wordings(find, frozenset(words), known + marked, frozenset(with_more), anchors, loud)


ERROR = "error"
_WHATEVER = re.compile(r"(.*)", re.DOTALL)


def error(message: str) -> Found:
    """An error, as a message of that name."""
    found = _WHATEVER.fullmatch(message)
    assert found is not None
    return ERROR, found


def drifted(wordings: Wordings, seen: set[str], tally: Tally) -> Iterator[Problem]:
    """Signs that a log is worded in a way that is not known: most of it is not, or a message is
    missing without which others that are there cannot be."""
    unknown = sum(count for count, known in tally.messages.values() if not known)
    if unknown > tally.understood > 0:
        yield Problem(
            None,
            "wording not known",
            f"of {tally.records} records {tally.understood} are understood, and {unknown} are of "
            "no known wording: a Parsl newer than this dnpcsql?",
        )
    for told, needs in wordings.anchors:
        if tally.understood and told <= seen and not needs & seen:
            before = f" before `{', '.join(sorted(told))}`" if told else ""
            yield Problem(
                None,
                "message missing",
                f"no `{'` or `'.join(sorted(needs))}`{before}: its wording is not known, or the "
                "log's beginning is lost",
            )


def first_word(message: str) -> str:
    """What stands before the first blank."""
    return message.partition(" ")[0]
