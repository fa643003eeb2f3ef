"""Reading log files that may hold anything: lines, record heads, what was not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

LINE_LIMIT = 1 << 20
_FORGOTTEN = 4 << 20
# A chunk and its lines fit a processor's cache: read by the MiB, a line costs twice as much. Not
# more than LINE_LIMIT, or a line within it could be too long.
_CHUNK = 64 << 10
_DIGITS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+")
# amqps://ee4737d1:4vVkX_TdS@b-54aed8a0.mq.us-east-1.amazonaws.com:5671: who copies a log gives away
# no password with the database that was made of it.
_PASSWORD = re.compile(r"(://[^/\s:@]{0,200}):[^/\s@]{1,500}@")
_SHAPE_LIMIT = 160
_SITES = 5_000


class Lines:
    """The lines of a file, without their ends, decoded as UTF-8; what is not UTF-8 becomes �.

    A line longer than LINE_LIMIT is cut. After iteration `torn` says that the last line has no
    end (it was not yielded: half a number reads like a number), and `cut` counts cut lines.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.torn: str | None = None
        self.cut: list[int] = []
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            yield from block

    def blocks(self) -> Iterator[list[str]]:
        """The same lines, many at a time, which costs less."""
        with self._path.open("rb") as file:
            rest = b""
            skipping = False
            while chunk := file.read(_CHUNK):
                if skipping:
                    end = chunk.find(b"\n")
                    if end < 0:
                        continue
                    chunk, skipping = chunk[end + 1 :], False
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    lines = self._whole(whole)
                    self.count += len(lines)
                    yield lines
                if len(rest) > LINE_LIMIT and len(rest.removesuffix(b"\r")) > LINE_LIMIT:
                    self.count += 1
                    self.cut.append(self.count)
                    yield [_decoded(rest[:LINE_LIMIT])]
                    rest, skipping = b"", True
            if rest:
                self.count += 1
                self.torn = _decoded(rest[:_SHAPE_LIMIT])

    def _whole(self, whole: bytes) -> list[str]:
        """Lines that have ended. Only the first can be too long: it began in an earlier chunk."""
        first, newline, others = whole.partition(b"\n")
        if len(first.removesuffix(b"\r")) > LINE_LIMIT:
            self.cut.append(self.count + 1)
            whole = first[:LINE_LIMIT] + newline + others
        if b"\r" in whole:
            whole = whole.replace(b"\r\n", b"\n").removesuffix(b"\r")
        return _decoded(whole).split("\n")


def lines_with(path: Path, *texts: bytes) -> Iterator[bytes]:
    """The lines of a log that hold one of some texts, at the speed of a search for these."""
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            if any(text in whole for text in texts):
                for line in whole.split(b"\n"):
                    if any(text in line for text in texts):
                        yield line
            if len(rest) > _FORGOTTEN:
                rest = b""


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def without_secrets(text: str) -> str:
    """A text without the passwords of URLs in it."""
    return _PASSWORD.sub(r"\1:…@", text) if "://" in text else text


def shape(message: str) -> str:
    """A message with its numbers and addresses masked, so that equal kinds look equal."""
    first, _, _ = message.partition("\n")
    return _DIGITS.sub("N", without_secrets(first[: 2 * _SHAPE_LIMIT]))[:_SHAPE_LIMIT]


class Unused:
    """Counts, by where in Parsl's source they were logged, the messages not used.

    Masking each message would cost more than reading it, so one example a site is kept and
    masked at the end. `known` are the beginnings, masked, of those left out on purpose. A loop
    over millions of lines adds to `sites` and `examples` by itself.
    """

    def __init__(self, known: tuple[str, ...]) -> None:
        self._known = known
        self.sites: dict[str, int] = {}
        self.examples: dict[str, str] = {}

    def add(self, site: str, message: str) -> None:
        """Count one message that was logged at a site."""
        if site not in self.sites and len(self.sites) >= _SITES:
            site = ""  # no log of Parsl's has so many: the heads are not what they seem
        if site in self.sites:
            self.sites[site] += 1
        else:
            self.sites[site], self.examples[site] = 1, message[: 2 * _SHAPE_LIMIT]

    def messages(self) -> dict[str, tuple[int, bool]]:
        """{shape: (count, known)}."""
        found: dict[str, tuple[int, bool]] = {}
        for site, count in self.sites.items():
            masked = shape(self.examples[site])
            known = masked.startswith(self._known)
            found[masked] = (found.get(masked, (0, known))[0] + count, known)
        return found
