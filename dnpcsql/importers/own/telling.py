"""A line's fields → records, as its rule says."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from dnpcsql.identity import ENTITY, NAMED, Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.foreign_times import Times, duration_ns
from dnpcsql.importers.kept import Kept
from dnpcsql.importers.own.definition import Definition, Rule
from dnpcsql.importers.own.templates import Fields, Template
from dnpcsql.records import Containment, Event, Link, Problem, Record, Sample, Span

_LONGEST = 4_000
_LONGEST_NAME = 200
_REMEMBERED = 10_000
_TIMES = ("{time}", "{start}", "{end}")  # no event is called so

# 12   -3.5   but not 007, which is a name
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})", re.ASCII)
_BROKEN = re.compile(r"-?\d{1,15}\.\d{1,15}", re.ASCII)
_BETWEEN = re.compile(r"[\s,;:]+")


class Teller:
    """Tells what the lines of one file tell; keeps what was said of spans by several lines."""

    def __init__(self, definition: Definition, times: Times, run_id: str | None) -> None:
        """`run_id`: of the Parsl run that the file lies in."""
        self._definition = definition
        self._run_id = run_id
        self._names: dict[str, Names] = {}
        self._told: dict[str, Span] = {}
        self._typed = definition.format == "jsonl"
        self._readers = {
            (number, part): times.reader()
            for number, rule in enumerate(definition.rules)
            for part in (*_TIMES, *rule.events)
        }
        self._used = [rule.used() for rule in definition.rules]
        self._keys = [rule.keys() for rule in definition.rules]
        self._named = {rule.type for rule in definition.rules if rule.name is not None}
        types = [rule.type for rule in definition.rules]
        self._shared = {
            rule.type for rule in definition.rules if not rule.event and types.count(rule.type) > 1
        }
        self._kept = Kept() if self._shared else None

    def tell(self, number: int, line: int, fields: Fields, own: Fields) -> Iterator[Record]:
        """What a line tells by the rule of a number. `own`: its own fields, not those of earlier
        lines. A line that lacks what the rule needs is a problem."""
        rule = self._definition.rules[number]
        try:
            yield from self._records(number, rule, line, fields, own)
        except ValueError as error:
            kind, _, text = str(error).partition(": ")
            yield Problem(line, kind, f"{text} ([[span]] in line {rule.place} of the TOML)")

    def close(self) -> None:
        """All is read."""
        if self._kept is not None:
            self._kept.close()

    def _records(
        self, number: int, rule: Rule, line: int, fields: Fields, own: Fields
    ) -> Iterator[Record]:
        key = _filled(rule.key, fields, "no key")
        names = self._names_of(fields)
        uuid = names.named(rule.type, key)
        start, end = self._extent(number, rule, fields)
        time = self._moment(number, "{time}", rule.time, fields)
        if time is None and (rule.event or rule.measure):
            raise ValueError(f"no time: {rule.time.text if rule.time else ''} is missing")
        event = rule.event and _filled(rule.event, fields, "no event")[:_LONGEST_NAME]
        attributes = self._attributes(number, rule, own if rule.attributes is None else fields)
        said = rule.has_failed(fields)
        keyed = {name: self._value(fields[name]) for name in self._keys[number]}
        span = Span(
            uuid, rule.type, names.trace_high,
            parent_uuid=self._parent(rule, names, fields), name=self._name(rule, fields),
            start_unix_nano=start, end_unix_nano=end, line=line,
            status_code=None if said is None else 2, status_message=said or None,
            attributes=self._merged(uuid, rule, {**keyed, **({} if event else attributes)}),
        )  # fmt: skip
        yield from self._spans(span, rule, names)
        if event and time is not None:
            yield Event(uuid, time, event, line, attributes=to_json(attributes, _LONGEST))
        for type_, template in rule.events.items():
            when = self._moment(number, type_, template, fields)
            if when is not None:
                yield Event(uuid, when, type_, line)
        if rule.measure and time is not None:
            yield from self._sample(rule, uuid, time, line, fields)
        yield from self._links(rule, names, uuid, fields)

    def _sample(
        self, rule: Rule, uuid: str, time: int, line: int, fields: Fields
    ) -> Iterator[Record]:
        """A reading; a number that is none is left out of it."""
        metrics: dict[str, object] = {}
        for name in rule.measure:
            try:
                metrics[name] = _measured(fields.get(name))
            except ValueError:
                text = f"{name} is {str(fields[name])[:80]!r}"
                yield Problem(
                    line, "no number", f"{text} ([[span]] in line {rule.place} of the TOML)"
                )
        found = to_json(metrics)
        if found is not None:
            yield Sample(uuid, time, line, found)

    def _spans(self, span: Span, rule: Rule, names: Names) -> Iterator[Record]:
        """The span and the one around it, unless a line before told of them the same."""
        told = self._told.get(span.uuid)
        now = span._replace(line=None)
        if told != now:
            yield span if told is None else now
        if (
            rule.parent
            and span.parent_uuid
            and (told is None or told.parent_uuid != span.parent_uuid)
        ):
            if span.parent_uuid not in self._told:
                named = None if rule.parent.type in self._named else _last(rule.parent.type)
                outer = Span(span.parent_uuid, rule.parent.type, names.trace_high, name=named)
                self._told[span.parent_uuid] = outer
                yield outer._replace(line=span.line)
            yield Containment(span.parent_uuid, span.uuid)
        if len(self._told) > _REMEMBERED:
            self._told.clear()
        self._told[span.uuid] = now

    def _links(self, rule: Rule, names: Names, uuid: str, fields: Fields) -> Iterator[Record]:
        needs = rule.depends_on.fill(fields) if rule.depends_on else None
        for key in _BETWEEN.split(needs or ""):
            if key:
                yield Link(uuid, names.named(rule.type, key), "depends_on")
        task = self._number(rule.parsl.get("task"), fields)
        if task is None:
            return
        run = rule.parsl["run"].fill(fields) if "run" in rule.parsl else self._run_id
        if not run:
            raise ValueError("no run: of which run this is is not said: parsl = { run = … }")
        things = Names(run, ENTITY)
        attempt = self._number(rule.parsl.get("try"), fields)
        thing = things.task(task) if attempt is None else things.attempt(task, attempt)
        yield Link(uuid, thing, "parsl")

    @staticmethod
    def _number(template: Template | None, fields: Fields) -> int | None:
        text = template.fill(fields) if template else None
        if text is not None and not _WHOLE.fullmatch(text):
            raise ValueError(f"no number: {text!r} of parsl")
        return None if text is None else int(text)

    def _extent(self, number: int, rule: Rule, fields: Fields) -> tuple[int | None, int | None]:
        start = self._moment(number, "{start}", rule.start, fields)
        end = self._moment(number, "{end}", rule.end, fields)
        lasted = rule.duration.fill(fields) if rule.duration else None
        if lasted is not None:
            try:
                length = duration_ns(lasted)
            except ValueError as error:
                raise ValueError(f"duration not understood: {error}") from None
            if start is not None and end is None:
                end = start + length
            elif end is not None and start is None:
                start = end - length
        return start, end

    def _moment(
        self, number: int, part: str, template: Template | None, fields: Fields
    ) -> int | None:
        text = template.fill(fields) if template else None
        if text is None:
            return None
        read: Callable[[str], int] = self._readers[number, part]
        try:
            return read(text)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"time not understood: {text[:80]!r}: {error}") from None

    def _names_of(self, fields: Fields) -> Names:
        run = self._definition.run.fill(fields) if self._definition.run else None
        scope = run or self._run_id or self._definition.name
        names = self._names.get(scope)
        if names is None:
            if len(self._names) > _REMEMBERED:
                self._names.clear()
            names = self._names[scope] = Names(scope, NAMED)
        return names

    def _name(self, rule: Rule, fields: Fields) -> str | None:
        if rule.name is not None:
            name = rule.name.fill(fields)
            return None if name is None else name[:_LONGEST_NAME]
        return None if rule.type in self._named else _last(rule.type)

    def _parent(self, rule: Rule, names: Names, fields: Fields) -> str | None:
        key = rule.parent.key.fill(fields) if rule.parent else None
        return names.named(rule.parent.type, key) if rule.parent and key is not None else None

    def _attributes(self, number: int, rule: Rule, fields: Fields) -> dict[str, object]:
        if rule.attributes is None:
            used = self._used[number]
            return {name: self._value(value) for name, value in fields.items() if name not in used}
        return {name: self._value(one.fill(fields)) for name, one in rule.attributes.items()}

    def _value(self, value: Any) -> object:
        """A text that is a number becomes one, but in JSON, which has numbers."""
        if isinstance(value, Decimal):
            return float(value)
        if isinstance(value, str) and not self._typed:
            if _WHOLE.fullmatch(value):
                return int(value)
            if _BROKEN.fullmatch(value):
                return float(value)
        return value

    def _merged(self, uuid: str, rule: Rule, said: dict[str, object]) -> str | None:
        """With what other lines said of the span, where there may be some."""
        text = to_json(said, _LONGEST)
        if self._kept is None or rule.type not in self._shared or text is None:
            return text
        before = self._kept[uuid]
        if before is not None:
            text = to_json({**json.loads(before), **json.loads(text)})
        assert text is not None
        self._kept[uuid] = text
        return text


def _filled(template: Template, fields: Fields, kind: str) -> str:
    text = template.fill(fields)
    if not text:
        raise ValueError(f"{kind}: {template.text} is missing")
    return text


def _measured(value: Any) -> int | float | None:
    """`12`, `3.5e-2`, `97 %` as a number. ValueError for what is none."""
    if value is None or isinstance(value, int):
        return value
    text = str(value).removesuffix("%").strip()
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(text) if _WHOLE.fullmatch(text) else number


def _last(type_: str) -> str:
    return type_.rpartition(".")[2]
