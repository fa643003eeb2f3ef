"""A definition from a TOML file, each key checked; mistakes are told with their line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dnpcsql import clock
from dnpcsql.importers.foreign_times import UNITS
from dnpcsql.importers.own.definition import Definition, Parent, Remember, Rule
from dnpcsql.importers.own.templates import LineForm, Template, as_text
from dnpcsql.importers.own.toml_file import Section, TomlFile

FORMATS = ("text", "csv", "tsv", "jsonl")

_TOP = (
    "format", "files", "columns", "delimiter", "timezone", "time_format", "missing", "run",
    "ignore", "remember", "span",
)  # fmt: skip
_LINE = ("line", "pattern", "where")
_REMEMBER = (*_LINE, "set")
_SPAN = (
    *_LINE, "type", "key", "name", "event", "time", "events", "start", "end", "duration",
    "attributes", "measure", "parent", "depends_on", "failed", "parsl",
)  # fmt: skip
_MISSING = ("", "-")


def definition_of(path: Path) -> Definition:
    """What a TOML file says. Raises NotFoundError or UnreadableError, which say file and line."""
    file = TomlFile(path)
    top = file.section()
    top.only(_TOP)
    format_ = top.text("format", "text") or ""
    if format_ not in FORMATS:
        top.wrong("format", f"format has to be one of {', '.join(FORMATS)}, not {format_!r}")
    made = Definition(
        file=file,
        format=format_,
        files=top.texts("files"),
        columns=top.texts("columns"),
        delimiter=_delimiter(top, format_),
        timezone=_zone(top),
        time_form=_time_form(top),
        missing=frozenset(top.texts("missing") or _MISSING),
        run=_template(top, "run"),
        ignore=top.texts("ignore"),
        remember=[_remember(section, format_) for section in top.tables("remember")],
        rules=[_rule(section, format_) for section in top.tables("span")],
    )
    if not made.rules:
        top.wrong("", "it says of no span; write [[span]] with line, type, key and event")
    for rule in (*made.remember, *made.rules):
        if rule.fields is not None:
            made.check(rule, rule.fields, "such a line has")
    if made.columns:
        made.check_fields(frozenset(made.columns), "columns has")
    return made


def _rule(section: Section, format_: str) -> Rule:
    section.only(_SPAN)
    rule = Rule(
        **_lines(section, format_),
        type=section.needed("type", '"batch.job"'),
        key=_made(section, "key", section.needed("key", '"{job}"')),
        name=_template(section, "name"),
        event=_template(section, "event"),
        time=_template(section, "time"),
        events=_templates(section, "events"),
        start=_template(section, "start"),
        end=_template(section, "end"),
        duration=_template(section, "duration"),
        attributes=_attributes(section),
        measure=section.texts("measure"),
        parent=_parent(section),
        depends_on=_template(section, "depends_on"),
        failed=_failed(section),
        failure=_failure(section),
        parsl=_parsl(section),
    )
    if rule.type.startswith(("parsl.", "otel.", "jaeger.", "zipkin.")):
        section.wrong("type", f"{rule.type!r} is a name of dnpcsql's own: choose another")
    if rule.duration is not None and rule.start is None and rule.end is None:
        section.wrong("duration", "duration needs start or end beside it")
    if rule.time is None and (rule.event or rule.measure):
        rule.time = Template("{time}")
    return rule


def _remember(section: Section, format_: str) -> Remember:
    section.only(_REMEMBER)
    given = section.table("set")
    if not all(isinstance(value, str) for value in given.values()):
        section.wrong("set", 'set has to be texts, like set = { state = "started" }')
    return Remember(**_lines(section, format_), given=dict(given))


def _lines(section: Section, format_: str) -> dict[str, Any]:
    """Which lines a table means, as arguments of Lines."""
    form, pattern = section.text("line"), section.text("pattern")
    place = section.file.line(section.place)
    where = {name: _values(section, "where", one) for name, one in section.table("where").items()}
    if format_ != "text":
        for key in ("line", "pattern"):
            if key in section.content:
                section.wrong(key, f'{key} is for format = "text"; choose lines by `where`')
        return {"place": place, "form": None, "pattern": None, "where": where, "fields": None}
    if (form is None) == (pattern is None):
        section.wrong("", "it needs `line` (how lines look, with {fields}) or `pattern` (a regular "
                          "expression with named groups), one of them")  # fmt: skip
    if form is not None:
        made = _made(section, "line", form, LineForm)
        return {"place": place, "form": made, "pattern": None, "where": where,
                "fields": frozenset(made.fields)}  # fmt: skip
    try:
        compiled = re.compile(pattern or "")
    except (re.error, OverflowError, RecursionError) as error:
        section.wrong("pattern", f"no regular expression: {error}")
    return {"place": place, "form": None, "pattern": compiled, "where": where,
            "fields": frozenset(compiled.groupindex)}  # fmt: skip


def _templates(section: Section, key: str) -> dict[str, Template]:
    return {name: _made(section, key, one) for name, one in section.table(key).items()}


def _template(section: Section, key: str) -> Template | None:
    text = section.text(key)
    return None if text is None else _made(section, key, text)


def _made(section: Section, key: str, text: Any, make: Callable[[str], Any] = Template) -> Any:
    if not isinstance(text, str):
        section.wrong(key, f'{key} has to be a text, like "{{job}}"')
    try:
        return make(text)
    except ValueError as error:
        section.wrong(key, f"{key}: {error}")


def _attributes(section: Section) -> Mapping[str, Template] | None:
    value = section.content.get("attributes")
    if value is None:
        return None
    if isinstance(value, dict):
        return _templates(section, "attributes")
    return {name: Template(f"{{{name}}}") for name in section.texts("attributes")}


def _parent(section: Section) -> Parent | None:
    if "parent" not in section.content:
        return None
    section.table("parent")
    inner = Section(section.file, (*section.place, "parent"), section.content["parent"])
    inner.only(("type", "key"))
    example = 'parent = { type = "batch.run", key = "{run}" }'
    for key in ("type", "key"):
        if not isinstance(inner.content.get(key), str):
            section.wrong("parent", f"parent needs type and key: {example}")
    return Parent(inner.content["type"], _made(section, "parent", inner.content["key"]))


def _failed(section: Section) -> Mapping[str, tuple[str, ...]] | None:
    value = section.content.get("failed", False)
    if isinstance(value, bool | str):
        return {} if value is True else None
    return {name: _values(section, "failed", one) for name, one in section.table("failed").items()}


def _failure(section: Section) -> Template | None:
    value = section.content.get("failed")
    return _made(section, "failed", value) if isinstance(value, str) else None


def _parsl(section: Section) -> Mapping[str, Template]:
    value = section.table("parsl")
    unknown = value.keys() - {"run", "task", "try"}
    if unknown or (value and "task" not in value):
        section.wrong("parsl", 'parsl has task, and may have run and try: { task = "{task}" }')
    return _templates(section, "parsl")


def _values(section: Section, key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, dict | list) for one in values):
        section.wrong(key, f'{key} has to be a table of values: {{ State = ["FAILED", "TIME*"] }}')
    return tuple(as_text(one) for one in values)


def _delimiter(top: Section, format_: str) -> str:
    given = top.text("delimiter", "\t" if format_ == "tsv" else ",") or ""
    if len(given) != 1 or given in '\r\n"':
        top.wrong("delimiter", "delimiter has to be one character")
    return given


def _zone(top: Section) -> str | None:
    text = top.text("timezone")
    if text is not None:
        try:
            clock.named(text, "")
        except ValueError as error:
            top.wrong("timezone", str(error))
    return text


def _time_form(top: Section) -> str | None:
    form = top.text("time_format")
    if form is None or form in UNITS:
        return form
    if "%" not in form:
        top.wrong("time_format", f'no form of a time: like "%d/%b/%Y:%H:%M:%S %z", or one of '
                                 f"{', '.join(UNITS)}")  # fmt: skip
    if not any(sign in form for sign in ("%Y", "%y", "%c", "%x", "%G")):
        top.wrong("time_format", 'it has no year; say it: time = "2026 {time}" in [[span]] and '
                                 f'time_format = "%Y {form}"')  # fmt: skip
    try:
        datetime.strptime(datetime(2026, 11, 23).strftime(form), form)
    except ValueError as error:
        if "does not match" not in str(error):
            top.wrong("time_format", f"no form of a time: {error}")
    return form
