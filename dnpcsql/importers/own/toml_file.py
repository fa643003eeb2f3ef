"""A TOML file whose mistakes are told by file and line."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

from dnpcsql.errors import NotFoundError, UnreadableError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LONGEST = 1 << 20

# [[span]]     [parent]     key = "{job}"     "a key" = 1
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([\w-]+))\s*[=.]")
_TRIPLE = ("'''", '"""')


class TomlFile:
    """What a TOML file says, and where in it."""

    def __init__(self, path: Path) -> None:
        """Raises NotFoundError or UnreadableError."""
        self.path = path
        try:
            data = path.read_bytes()
            text = data[:_LONGEST].decode("utf-8")
            self.content: dict[str, Any] = tomllib.loads(text)
        except OSError as error:
            raise NotFoundError(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UnreadableError(f"{path}: not UTF-8 text, so no TOML") from None
        except tomllib.TOMLDecodeError as error:
            raise UnreadableError(_at_line(path, str(error))) from None
        except RecursionError:
            raise UnreadableError(f"{path}: nested too deeply") from None
        self._lines = _lines_of(text)

    def section(self, *place: str | int) -> Section:
        """The table at a place: `section()`, `section("span", 0)`."""
        content: Any = self.content
        for part in place:
            content = content[part]
        return Section(self, place, content)

    def line(self, place: tuple[str | int, ...]) -> int:
        """The line of a table or key, or of the nearest around it that is known."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def wrong(self, place: tuple[str | int, ...], text: str) -> NoReturn:
        """Raises UnreadableError: what is wrong, and where."""
        raise self.error(self.line(place), text)

    def error(self, line: int, text: str) -> UnreadableError:
        """What is wrong with a line of the file."""
        return UnreadableError(f"{self.path}:{line}: {text}")


class Section:
    """A table of the file, each of whose keys is asked for with the type that it has to have."""

    def __init__(self, file: TomlFile, place: tuple[str | int, ...], content: Any) -> None:
        self.file = file
        self.place = place
        if not isinstance(content, dict):
            file.wrong(place, f"{_shown(place)} has to be a table")
        self.content: dict[str, Any] = content

    def wrong(self, key: str, text: str) -> NoReturn:
        """Raises UnreadableError at a key."""
        self.file.wrong((*self.place, key) if key else self.place, text)

    def only(self, known: Collection[str]) -> None:
        """Raises UnreadableError if there is a key that is none of these."""
        for key in self.content:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
                self.wrong(key, f"no such key: {key!r} ({hint})")

    def text(self, key: str, default: str | None = None) -> str | None:
        """A string."""
        value = self.content.get(key, default)
        if value is not None and not isinstance(value, str):
            self.wrong(key, f"{key} has to be a text in quotes, like {key} = {str(value)!r}")
        return value

    def needed(self, key: str, example: str) -> str:
        """A string that has to be there, and not empty."""
        value = self.text(key)
        if not value:
            self.wrong(key if value == "" else "", f"{key} is missing: like {key} = {example}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single one is a list of one."""
        value = self.content.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            self.wrong(key, f'{key} has to be a list of texts, like {key} = ["a", "b"]')
        return tuple(values)

    def table(self, key: str) -> Mapping[str, Any]:
        """A table; an empty one if there is none."""
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            self.wrong(key, f'{key} has to be a table, like {key} = {{ a = "b" }}')
        return value

    def tables(self, key: str) -> list[Section]:
        """The tables of an array, `[[key]]`."""
        value = self.content.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, f"write it with two brackets: [[{key}]]")
        return [
            Section(self.file, (*self.place, key, number), one) for number, one in enumerate(value)
        ]


def _at_line(path: Path, said: str) -> str:
    """Python's `… (at line 3, column 5)` as `my.toml:3: …`."""
    found = re.search(r" \(at line (\d+), column \d+\)", said)
    if found is None:
        return f"{path}: no TOML: {said}"
    return f"{path}:{found[1]}: no TOML: {said[: found.start()]}"


def _shown(place: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in place if isinstance(part, str))


def _lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """Place → line, of each table and each key at the beginning of a line."""
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    table: tuple[str | int, ...] = ()
    within: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if within is None:
            header, key = _HEADER.match(line), _KEY.match(line)
            if header and header[1] == "[[":
                counts[header[2]] = counts.get(header[2], -1) + 1
                table = (header[2], counts[header[2]])
                found[table] = number
            elif header:
                name, _, rest = header[2].partition(".")
                table = (name, counts[name]) if name in counts else (name,)
                table += tuple(rest.split(".")) if rest else ()
                found.setdefault(table, number)
            elif key:
                found.setdefault((*table, key[1] or key[2] or key[3]), number)
        within = _still_within(line, within)
    return found


def _still_within(line: str, within: str | None) -> str | None:
    """Which multi-line string, if any, goes on behind a line."""
    while True:
        if within is None:
            opened = [(line.find(quote), quote) for quote in _TRIPLE if quote in line]
            if not opened:
                return None
            place, within = min(opened)
            line = line[place + 3 :]
        if within not in line:
            return within
        line = line.partition(within)[2]
        within = None
