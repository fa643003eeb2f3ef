"""`{field}`: texts made of a line's fields, and the form of a line that has such fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# {time}   {Job ID}   {resource.cpu}   but not {{ and }}, which stand for braces
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

Fields = Mapping[str, Any]


class Template:
    """A text in which `{name}` stands for a field's value."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for a brace that has no counterpart."""
        self.text = text
        self._parts = list(_parts(text))
        self.fields = tuple(part for part, is_field in self._parts if is_field)
        if "" in self.fields:
            raise ValueError("{} names no field")
        self._only = self.fields[0] if [*self._parts] == [(*self.fields[:1], True)] else None

    def fill(self, fields: Fields) -> str | None:
        """The text with the fields' values in it; None if one of them has none."""
        if self._only is not None:
            value = fields.get(self._only)
            return None if value is None else as_text(value)
        made = []
        for part, is_field in self._parts:
            value = fields.get(part) if is_field else part
            if value is None:
                return None
            made.append(as_text(value))
        return "".join(made)


class LineForm:
    """How a line looks: `{time} job {job} started`. A field is what stands before the text that
    follows it, so a line is taken apart at the speed of a search, whatever stands in it. `{}` is
    what does not matter; only there may be nothing."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for a form by which no line can be taken apart."""
        self.text = text
        self._begin = ""
        self._fields: list[tuple[str, str]] = []  # a field, and the text behind it
        before_field = True
        for part, is_field in _parts(text.strip()):
            if not is_field:
                if self._fields:
                    self._fields[-1] = (self._fields[-1][0], part)
                else:
                    self._begin = part
            elif not before_field:
                raise ValueError(f"nothing stands between two fields before {{{part}}}")
            else:
                self._fields.append((part, ""))
            before_field = not is_field
        self.fields = tuple(name for name, _ in self._fields if name)
        twice = {name for name in self.fields if self.fields.count(name) > 1}
        if twice:
            raise ValueError(f"the field {{{twice.pop()}}} stands there twice")
        told = self._begin or len(self._fields) > 1 or any(behind for _, behind in self._fields)
        if not told:
            raise ValueError("any line looks so: write some of its text beside the field")

    def match(self, line: str) -> dict[str, str] | None:
        """The fields of a line; None if it does not look so. Blanks around fields do not count."""
        line = line.strip()
        if not line.startswith(self._begin):
            return None
        rest = line[len(self._begin) :]
        found: dict[str, str] = {}
        last = len(self._fields) - 1
        for number, (name, behind) in enumerate(self._fields):
            if number == last:
                if not rest.endswith(behind):
                    return None
                value, rest = rest[: len(rest) - len(behind)], ""
            else:
                value, there, rest = rest.lstrip().partition(behind)
                if not there:
                    return None
            value = value.strip()
            if name:
                if not value:
                    return None
                found[name] = value
        return None if rest else found


def as_text(value: Any) -> str:
    """A field's value as it is written: JSON's true is `true`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a text: (literal, False) and (field, True)."""
    literal, end = "", 0
    for found in _FIELD.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            literal += found[0][0]
        elif found[1] is None:
            raise ValueError(
                f"a brace without its counterpart; for {found[0]} itself write it twice"
            )
        else:
            if literal:
                yield literal, False
            literal = ""
            yield found[1].strip(), True
    literal += text[end:]
    if literal:
        yield literal, False
