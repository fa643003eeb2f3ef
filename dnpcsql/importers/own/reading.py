"""A file of one's own → records, by a definition."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql import clock
from dnpcsql.clock import Clock
from dnpcsql.errors import UnreadableError
from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign_times import Times
from dnpcsql.importers.own.definition import Definition, Lines
from dnpcsql.importers.own.rows import Row, Rows
from dnpcsql.importers.own.telling import Teller
from dnpcsql.importers.own.watch import TIME_LIMIT, TooSlowError, Watch
from dnpcsql.importers.text import shape
from dnpcsql.records import Problem, Record, Tally

_SHAPES = 5_000
_TOO_SLOW = 3  # lines, after which a pattern is given up, and the file with it


class OwnLog:
    """One file; how many of its lines each rule was for."""

    def __init__(self, definition: Definition, path: Path, context: Context) -> None:
        self.definition = definition
        self.matched: Counter[int] = Counter()  # by the line of the rule in the TOML
        self.examples: dict[int, tuple[int, dict[str, Any]]] = {}  # a line, and its fields
        self.unmatched: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._path = path
        self._clock = _clock(definition, context)
        self._times = Times(self._clock, definition.time_form)
        self._teller = Teller(definition, self._times, context.run_id)
        self._around: dict[str, Any] = {"file": path.stem, "folder": path.parent.name}
        self._remembered: dict[str, Any] = {}
        self._slow = 0
        self._records = 0

    def __iter__(self) -> Iterator[Record]:
        rows = Rows(self.definition, self._path)
        understood = 0
        with contextlib.ExitStack() as stack:
            stack.callback(self._teller.close)
            watch = Watch()
            if any(rule.pattern for rule in (*self.definition.remember, *self.definition.rules)):
                stack.enter_context(watch)
            for row in rows:
                if isinstance(row, Problem):
                    yield row
                elif not self._left_out(row):
                    self._records += 1
                    before = self.matched.total()
                    yield from self._row(row, watch)
                    if self.matched.total() > before:
                        understood += 1
                    else:
                        self._count(row)
        yield from self._odd()
        messages = {
            **{found: (count, False) for found, count in self.unmatched.items()},
            **{f"ignored: {text}": (count, True) for text, count in self._ignored.items()},
        }
        zoneless = self._times.zoneless
        yield Tally(
            rows.lines.count, self._records, understood, messages,
            (self._clock.describe() or None) if zoneless else None,
            self._clock.how if zoneless else "times show their zone",
        )  # fmt: skip

    def _row(self, row: Row, watch: Watch) -> Iterator[Record]:
        self._around["line"] = row.line
        for remember in self.definition.remember:
            try:
                found = self._fields(remember, row, watch)
            except _Refused as refused:
                yield refused.problem
                continue
            if found is not None:
                own = self._known(found)
                self._note(remember, row, own)
                self._remembered |= {**own, **remember.given}
        for number, rule in enumerate(self.definition.rules):
            try:
                found = self._fields(rule, row, watch)
            except _Refused as refused:
                yield refused.problem
                continue
            if found is not None:
                own = self._known(found)
                self._note(rule, row, own)
                fields = {**self._around, **self._remembered, **own}
                yield from self._teller.tell(number, row.line, fields, own)

    def _fields(self, rule: Lines, row: Row, watch: Watch) -> dict[str, Any] | None:
        """The fields that a row has by a rule; None if it is not for the row."""
        found: dict[str, Any] | None
        if rule.form is not None:
            found = rule.form.match(row.text)
        elif rule.pattern is not None:
            found = self._searched(rule, row, watch)
        else:
            found = row.fields
        if found is None or not rule.where:
            return found
        return found if rule.chosen({**self._around, **self._remembered, **found}) else None

    def _searched(self, rule: Lines, row: Row, watch: Watch) -> dict[str, Any] | None:
        assert rule.pattern is not None
        if len(row.text) > watch.limit:
            text = f"{len(row.text)} characters, of which a pattern reads {watch.limit} at most"
            raise _Refused(Problem(row.line, "long line", text))
        try:
            match = watch.search(rule.pattern, row.text)
        except TooSlowError:
            self._slow += 1
            place = f"{self.definition.file.path}:{rule.place}"
            text = f"{place}: the pattern takes more than {TIME_LIMIT:g} s for one line"
            if self._slow >= _TOO_SLOW:
                raise UnreadableError(
                    f"{self._path}:{row.line}: {text}; write it without repeats within repeats, "
                    "like (a+)+, or as `line`"
                ) from None
            raise _Refused(Problem(row.line, "pattern too slow", text)) from None
        return None if match is None else match.groupdict()

    def _known(self, found: dict[str, Any]) -> dict[str, Any]:
        """Without the fields that say nothing."""
        missing = self.definition.missing
        return {
            name: value
            for name, value in found.items()
            if value is not None and not (isinstance(value, str) and value in missing)
        }

    def _note(self, rule: Lines, row: Row, fields: dict[str, Any]) -> None:
        self.matched[rule.place] += 1
        if rule.place not in self.examples:
            self.examples[rule.place] = (row.line, fields)

    def _left_out(self, row: Row) -> bool:
        if not self.definition.ignore:
            return False
        text = row.text.lstrip()
        found = next((start for start in self.definition.ignore if text.startswith(start)), None)
        if found is not None:
            self._ignored[found] += 1
        return found is not None

    def _count(self, row: Row) -> None:
        found = row.kind or shape(row.text.strip())
        known = found in self.unmatched or len(self.unmatched) < _SHAPES
        self.unmatched[found if known else "and other lines"] += 1

    def _odd(self) -> Iterator[Problem]:
        if self._times.zoneless and self._clock.how.startswith("nothing known"):
            yield Problem(
                1,
                "no zone",
                'no time shows its zone, UTC is taken; write timezone = "Europe/Berlin" into '
                f"{self.definition.file.path.name}, or import with --timezone",
            )
        if self._records and not self.matched.total():
            yield Problem(
                None,
                "nothing understood",
                f"none of {self._records} lines is as {self.definition.file.path.name} says: see "
                "`dnpcsql import … --dry-run`",
            )


class _Refused(Exception):  # noqa: N818 - no error: the line is a problem, the file is read on
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _clock(definition: Definition, context: Context) -> Clock:
    """What the command line says, else the TOML file, else what lies around the log."""
    if definition.timezone is None or context.clock.how.startswith("--timezone"):
        return context.clock
    name = definition.file.path.name
    return clock.named(definition.timezone, f"{name}: timezone = {definition.timezone}")
