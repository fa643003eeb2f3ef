"""Trying a definition out: which lines each rule is for, and what it makes of them.

`dnpcsql import logs/ --importer my.toml --dry-run`
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnpcsql import trees
from dnpcsql.errors import NotFoundError, UnreadableError
from dnpcsql.importers.own import from_toml
from dnpcsql.importers.own.declared import definition_of
from dnpcsql.importers.own.definition import Definition, Lines, Rule
from dnpcsql.importers.own.reading import OwnLog
from dnpcsql.importing import zones_of
from dnpcsql.layout import Layout
from dnpcsql.records import Event, Link, Problem, Sample, Span, Tally


@dataclass
class Tried:
    """A rule of the TOML: its line there, how many lines it was for, and the first's fields."""

    place: int
    told: str
    lines: int = 0
    where: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Trial:
    """What an import would do."""

    files: int = 0
    lines: int = 0
    used: int = 0
    rules: list[Tried] = field(default_factory=list)
    unmatched: Counter[str] = field(default_factory=Counter)
    ignored: int = 0
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0
    spans: set[str] = field(default_factory=set)
    others: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, int]:
        """How many spans, events, samples and links an import would tell of."""
        return {"span": len(self.spans), **self.others}


_SHOWN_PROBLEMS = 10
_MANY_SPANS = 1_000_000  # of more it is only told that they are as many
_NAMES: dict[type, str] = {Event: "event", Sample: "sample", Link: "link"}


def trial(paths: Sequence[Path], toml: Path, timezone: Sequence[str] = ()) -> Trial:
    """Read all files, and keep nothing. `timezone` is as for an import. Raises NotFoundError or
    UnreadableError."""
    definition = definition_of(toml)
    importer = from_toml(toml)
    found = Trial(rules=_rules(definition))
    by_place = {rule.place: rule for rule in found.rules}
    with tempfile.TemporaryDirectory(prefix="dnpcsql-") as scratch:
        tree = trees.walk(paths, Path(scratch))
        layout = Layout(zones_of(timezone, tree))
        for file in tree.files:
            with file.path.open("rb") as opened:
                head = opened.read(1 << 16)
            if importer.recognises(file.path, head):
                log = OwnLog(definition, file.path, layout.context(file.path))
                _try_one(log, file.shown, found, by_place)
    if not found.files:
        raise NotFoundError(f"{', '.join(map(str, paths))}: no file that {toml} is for")
    return found


def _try_one(log: OwnLog, shown: str, found: Trial, by_place: dict[int, Tried]) -> None:
    found.files += 1
    try:
        for record in log:
            if isinstance(record, Problem):
                found.problem_count += record.times
                if len(found.problems) < _SHOWN_PROBLEMS:
                    place = f"{shown}:{record.line}" if record.line else shown
                    found.problems.append(f"{place}: {record.kind}: {record.text}")
            elif isinstance(record, Tally):
                found.lines += record.records
                found.used += record.understood
                left = [count for count, known in record.messages.values() if known]
                found.ignored += sum(left)
            elif isinstance(record, Span):
                if len(found.spans) < _MANY_SPANS:
                    found.spans.add(record.uuid)
            elif type(record) in _NAMES:
                found.others[_NAMES[type(record)]] += 1
    except UnreadableError as error:
        found.problem_count += 1
        found.problems.append(str(error))
    found.unmatched += log.unmatched
    for rule, count in log.matched.items():
        tried = by_place[rule]
        if not tried.lines:
            line, tried.fields = log.examples[rule]
            tried.where = f"{shown}:{line}"
        tried.lines += count


def _rules(definition: Definition) -> list[Tried]:
    rules = sorted((*definition.remember, *definition.rules), key=lambda rule: rule.place)
    return [Tried(rule.place, _told(rule)) for rule in rules]


def _told(rule: Lines) -> str:
    if not isinstance(rule, Rule):
        return "[[remember]]"
    says = [name for name in ("event", "start", "end") if getattr(rule, name)]
    says += [*rule.events, *(["measure"] if rule.measure else [])]
    return f"[[span]] {rule.type}" + (f" ({', '.join(says)})" if says else "")
