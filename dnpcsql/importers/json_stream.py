"""JSON of any size, a value at a time: lines, pretty-printed, several documents one after another.

Values of ordinary size are decoded whole. An object that is larger than a window, cut off or
damaged is walked through instead, so that its spans come one by one: first without them (`thin`),
for what is said of all of them may stand behind them, then with them (`spans_of`).
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterator
from typing import Any

from dnpcsql.otlp.json_values import Json

WINDOW = 4 << 20  # characters that one value may have to be decoded whole
VALUE_LIMIT = 256 << 20  # characters that one span may have
_CHUNK = 1 << 20
_DEEPEST = 100  # arrays and objects in each other that are walked through

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"|["{}\[\]]', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]+")
_scan = json.JSONDecoder().raw_decode


class MalformedError(ValueError):
    """What stands there is not JSON, or too long, or nested too deeply."""


class Pull:
    """Reads values from a file, keeping no more of it than the value at hand."""

    def __init__(self, descriptor: int, offset: int = 0) -> None:
        self._file = descriptor
        self._read_to = offset
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._offset = offset  # in the file, of the first character of the text
        self._ended = False
        self._odd = False
        self._depth = 0
        self.replaced = 0  # values in which was replaced what is not Unicode

    def again(self) -> Pull:
        """Another reader that begins here."""
        before = self._text[: self._at].encode("utf-8", "surrogateescape")
        return Pull(self._file, self._offset + len(before))

    def peek(self) -> str:
        """The next character that is not white space; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def value(self, limit: int = VALUE_LIMIT) -> Any:
        """The value that stands here. Raises MalformedError, and stays where it is."""
        self.peek()
        while True:
            try:
                value, end = _scan(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = len(self._text) - error.pos < 12 or error.msg.startswith("Unterminated")
                if not cut or not self._more():
                    raise MalformedError(f"{error.msg}: {self._around(error.pos)}") from None
            except ValueError:  # Python's own limit
                raise MalformedError("a number of thousands of digits") from None
            except RecursionError:
                raise MalformedError("nested too deeply") from None
            else:
                # A number may go on behind what was read.
                if end < len(self._text) or type(value) not in (int, float) or not self._more():
                    return self._taken(value, end)
            if len(self._text) - self._at > limit:
                raise MalformedError(f"one value of more than {limit} characters")

    def skip(self) -> None:
        """Pass over the value that stands here, however long and deep."""
        depth = 0
        if self.peek() not in '"{[':
            self._skip_scalar()
            return
        while True:
            for found in _TOKEN.finditer(self._text, self._at):
                self._at = found.start()
                if found[0] == '"':  # a string that does not end here
                    break
                self._at = found.end()
                depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
                if depth <= 0:
                    return
            else:
                self._at = len(self._text)
            within = (
                self._text.find("\n", self._at) < 0 and len(self._text) - self._at < VALUE_LIMIT
            )
            if not within or not self._more():
                raise MalformedError(f"a string without an end: {self._around(self._at)}")

    def _skip_scalar(self) -> None:
        while found := _SCALAR.match(self._text, self._at):
            self._at = found.end()
            if self._at < len(self._text) or not self._more():
                return

    def members(self) -> Iterator[str]:
        """The keys of the object that stands here; at each its value is to be taken."""
        self._expect("{")
        self._deeper()
        while self.peek() != "}":
            key = self.value()
            if not isinstance(key, str):
                raise MalformedError(f"no key: {self._around(self._at)}")
            self._expect(":")
            yield key
            if self.peek() != "}":
                self._expect(",")
        self._at += 1
        self._depth -= 1

    def elements(self) -> Iterator[None]:
        """Stops at each element of the array that stands here, which is to be taken."""
        self._expect("[")
        self._deeper()
        while self.peek() != "]":
            yield
            if self.peek() != "]":
                self._expect(",")
        self._at += 1
        self._depth -= 1

    def next_document(self) -> bool:
        """Go on after damage at the next line that begins like a document."""
        self._depth = 0
        while True:
            end = self._text.find("\n", self._at)
            self._at = end + 1 if end >= 0 else len(self._text)
            if self._at == len(self._text) and not self._more():
                return False
            if end >= 0 and self._text[self._at] in "{[":
                return True

    def _expect(self, character: str) -> None:
        if self.peek() != character:
            raise MalformedError(f"{character} expected: {self._around(self._at)}")
        self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedError("nested too deeply")

    def _around(self, place: int) -> str:
        shown = self._text[max(place - 30, 0) : place + 30]
        return shown.encode("utf-8", "replace").decode() or "cut off"

    def _taken(self, value: Any, end: int) -> Any:
        if self._odd or self._text.find("\\ud", self._at, end) >= 0 or (
            self._text.find("\\uD", self._at, end) >= 0
        ):  # fmt: skip
            text = json.dumps(value, ensure_ascii=False)
            clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            if clean != text:
                self.replaced += 1
                value = json.loads(clean)
        self._at = end
        return value

    def _more(self) -> bool:
        """Read on: as much again as the value at hand has by now."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        self._offset += len(self._text[: self._at].encode("utf-8", "surrogateescape"))
        read = os.pread(self._file, max(_CHUNK, len(kept)), self._read_to)
        self._ended = not read
        more = self._decoder.decode(read, final=self._ended)
        if self._read_to == 0 and more.startswith("\ufeff"):
            more, self._offset = more[1:], 3
        self._read_to += len(read)
        if not self._odd and not read.isascii():
            self._odd = more != more.encode("utf-8", "replace").decode("utf-8")
        self._text, self._at = kept + more, 0
        return bool(more) or not self._ended


def thin(pull: Pull, nested: frozenset[str]) -> Json:
    """The object that stands here, its arrays `spans` left empty, also those in the objects of the
    arrays called as in `nested`. Of damaged ones, what stands before the damage."""
    made: Json = {}
    try:
        for key in pull.members():
            if key == "spans":
                made[key] = []
                pull.skip()
            elif key in nested and pull.peek() == "[":
                made[key] = parts = []
                for _ in pull.elements():
                    parts.append(thin(pull, nested))
            else:
                made[key] = pull.value(WINDOW)
    except MalformedError:
        pass
    return made


def spans_of(pull: Pull, nested: frozenset[str]) -> Iterator[tuple[int, Any]]:
    """The spans of the object that stands here, each with the number of the element of a nested
    array that it is in. A span that cannot be decoded is a MalformedError instead of one.
    Raises MalformedError at the damage if the object is damaged."""
    for key in pull.members():
        if key == "spans":
            yield from _spans(pull, 0)
        elif key in nested and pull.peek() == "[":
            for number, _ in enumerate(pull.elements()):
                for inner in pull.members():
                    if inner == "spans":
                        yield from _spans(pull, number)
                    else:
                        pull.skip()
        else:
            pull.skip()


def _spans(pull: Pull, number: int) -> Iterator[tuple[int, Any]]:
    for _ in pull.elements():
        try:
            span = pull.value()
        except MalformedError as error:
            pull.skip()
            span = error
        yield number, span
