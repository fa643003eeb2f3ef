"""What a TOML file says of a log: which lines tell of which spans.

    timezone = "Europe/Berlin"

    [[span]]
    line = "{time} job {job} {state} on {host}"
    type = "batch.job"
    key = "{job}"
    event = "{state}"

All its keys are explained in docs/own-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from dnpcsql.importers.own.templates import Fields, LineForm, Template, as_text
from dnpcsql.importers.own.toml_file import TomlFile

AROUND = ("file", "folder", "line")  # fields that every line has


@dataclass
class Lines:
    """Which lines are meant: by their form, by a regular expression, or by values of fields."""

    place: int
    form: LineForm | None
    pattern: re.Pattern[str] | None
    where: Mapping[str, tuple[str, ...]]
    fields: frozenset[str] | None  # those that such a line has; None: known when a file is read

    def chosen(self, fields: Fields) -> bool:
        """Whether the fields have the values that they have to have."""
        return all(_fits(fields.get(name), values) for name, values in self.where.items())


@dataclass
class Remember(Lines):
    """Lines whose fields are those of the lines that follow, too."""

    given: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Parent:
    """The span in which another lies."""

    type: str
    key: Template


@dataclass
class Rule(Lines):
    """What some lines tell of a span."""

    type: str = ""
    key: Template = field(default_factory=lambda: Template("x"))
    name: Template | None = None
    event: Template | None = None
    events: Mapping[str, Template] = field(default_factory=dict)  # type → when
    time: Template | None = None
    start: Template | None = None
    end: Template | None = None
    duration: Template | None = None
    attributes: Mapping[str, Template] | None = None  # None: all fields that nothing else uses
    measure: tuple[str, ...] = ()
    parent: Parent | None = None
    depends_on: Template | None = None
    failed: Mapping[str, tuple[str, ...]] | None = None  # {}: always
    failure: Template | None = None  # why; where it says something, it failed
    parsl: Mapping[str, Template] = field(default_factory=dict)

    def templates(self) -> dict[str, Template]:
        """All of them, by their keys."""
        named = ("key", "name", "event", "time", "start", "end", "duration", "depends_on")
        found = {name: getattr(self, name) for name in named}
        found["failed"] = self.failure
        found |= {f"parsl.{name}": template for name, template in self.parsl.items()}
        found |= {f"events.{name}": template for name, template in self.events.items()}
        found |= {f"attributes.{name}": one for name, one in (self.attributes or {}).items()}
        if self.parent:
            found["parent"] = self.parent.key
        return {name: template for name, template in found.items() if template is not None}

    def used(self) -> frozenset[str]:
        """The fields that are no attributes by default."""
        fields = {name for one in self.templates().values() for name in one.fields}
        return frozenset({*fields, *self.measure, *AROUND})

    def keys(self) -> list[str]:
        """The fields of the key that are kept nowhere else: a span's id, a hash, does not show
        which one it is."""
        shown = {*AROUND, *(self.name.fields if self.name else ())}
        shown |= {name for one in (self.attributes or {}).values() for name in one.fields}
        return [name for name in self.key.fields if name not in shown]

    def has_failed(self, fields: Fields) -> str | None:
        """What it failed of; None if it did not."""
        if self.failure is not None:
            return self.failure.fill(fields)
        if self.failed is None:
            return None
        for name, values in self.failed.items():
            if _fits(fields.get(name), values):
                return as_text(fields[name])
        return None if self.failed else ""


@dataclass
class Definition:
    """What a TOML file says."""

    file: TomlFile
    format: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str
    timezone: str | None
    time_form: str | None
    missing: frozenset[str]
    run: Template | None
    ignore: tuple[str, ...]
    remember: list[Remember]
    rules: list[Rule]

    @property
    def name(self) -> str:
        """What the log is called: as the file."""
        return self.file.path.stem

    def takes(self, name: str) -> bool:
        """Whether a file is meant, by its name."""
        return not self.files or any(fnmatchcase(name, form) for form in self.files)

    def remembered(self) -> frozenset[str]:
        """The fields that lines may have from earlier ones."""
        return frozenset().union(*((*(one.fields or ()), *one.given) for one in self.remember))

    def check_fields(self, columns: frozenset[str], told: str) -> None:
        """Raises UnreadableError for a rule that names a field which `columns` lacks."""
        for rule in (*self.remember, *self.rules):
            self.check(rule, columns, told)

    def check(self, rule: Lines, columns: frozenset[str], told: str) -> None:
        """Raises UnreadableError if a rule names a field that `columns` lacks."""
        known = columns | self.remembered() | frozenset(AROUND)
        needed = [(name, name) for name in rule.where]
        if isinstance(rule, Rule):
            needed += [(name, name) for name in (*rule.measure, *(rule.failed or ()))]
            for key, template in rule.templates().items():
                needed += [(key, name) for name in template.fields]
        if self.run is not None:
            needed += [("run", name) for name in self.run.fields]
        for key, name in needed:
            if name not in known and key != "run":
                listed = ", ".join(sorted(columns | self.remembered()))
                kind = "[[span]]" if isinstance(rule, Rule) else "[[remember]]"
                text = f"{told} no {{{name}}}, which {key} of this {kind} names; it has: {listed}"
                raise self.file.error(rule.place, text)


def _fits(value: Any, values: tuple[str, ...]) -> bool:
    return value is not None and any(fnmatchcase(as_text(value), form) for form in values)
