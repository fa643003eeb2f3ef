"""Damage: of bytes, of lines, of values; by a seed, so that every execution can be done again."""

from __future__ import annotations

import random
import re

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][\w.\-]{2,40}")
_PIECE = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[{}\[\],:]')

# What has broken readers before.
NUMBERS = (
    b"0", b"-1", b"1", b"10000000000", b"99999999999999999999", b"9223372036854775807",
    b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"1e308", b"1e999",
    b"-1e999", b"NaN", b"nan", b"inf", b"Infinity", b"1_000", b"0x10", b"00007", b"1e-400",
    b"9" * 400, b"9" * 5000, b"1." + b"3" * 60, b".", b"--5", "٣".encode(), "²".encode(), b"",
    b"253402300800", b"-62135596801", b"1795331212.", b"null", b"true",
)  # fmt: skip
TEXTS = (
    b"", b"\0", b"\r", b"\n", b"\r\n", b"\x1b[2J\x1b]0;owned\x07", b"<script>alert(1)</script>",
    b"'; DROP TABLE span; --", b"\"); DELETE FROM event; --", b"\xff\xfe", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\\ud800", b"\\u0000", b"\xe2\x80\xae", b"\xef\xbb\xbf",
    b"%s%n", b"{0.__class__}", b"../../etc/passwd", b"=HYPERLINK(1)", b"\x1f\x8b", b"(",
    b"[" * 2000, b'{"a":' * 2000, b"(" * 200, b"a" * 5000, b" " * 5000, b"\t", b"\\", b'"', b"'",
    "\N{LINE SEPARATOR}".encode(), "\N{NEXT LINE}".encode(), b"\x1c", b"\x0c", b"None", b"null",
    b"[]", b"{}", b"[null]", b"0.5", b"b'", b"b'\\xff'",
)  # fmt: skip


def mutated(content: bytes, draw: random.Random, window: int = 6000) -> bytes:
    """A file of which a few things are other: what it is known by at its beginning, mostly left."""
    data = _cut_out(content, draw, window) if b"\0" not in content[:64] else content
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6, 20))):
        data = draw.choice(_WAYS)(data, draw)
    return data


def _cut_out(content: bytes, draw: random.Random, window: int) -> bytes:
    """The head of a file, and some lines out of the middle."""
    if len(content) <= window:
        return content
    head = content[: content.find(b"\n", 600) + 1 or 600]
    begin = draw.randrange(min(len(head), len(content) - 1), len(content))
    begin = content.find(b"\n", begin) + 1
    return head + content[begin : begin + window]


def _at(data: bytes, draw: random.Random) -> int:
    return draw.randrange(len(data) + 1)


def _flip(data: bytes, draw: random.Random) -> bytes:
    if not data:
        return data
    place = draw.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]


def _overwrite(data: bytes, draw: random.Random) -> bytes:
    place = _at(data, draw)
    new = draw.choice((bytes(draw.randrange(1, 40)), draw.randbytes(draw.randrange(1, 20))))
    return data[:place] + new + data[place + len(new) :]


def _delete(data: bytes, draw: random.Random) -> bytes:
    place = _at(data, draw)
    return data[:place] + data[place + draw.choice((1, 2, 10, 100, 1000)) :]


def _truncate(data: bytes, draw: random.Random) -> bytes:
    return data[: _at(data, draw)]


def _double(data: bytes, draw: random.Random) -> bytes:
    place = _at(data, draw)
    piece = data[place : place + draw.randrange(1, 300)]
    other = _at(data, draw)
    return data[:other] + piece * draw.choice((1, 1, 2, 30)) + data[other:]


def _insert(data: bytes, draw: random.Random) -> bytes:
    place = _at(data, draw)
    return data[:place] + draw.choice(TEXTS) + data[place:]


def _lines(data: bytes, draw: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            del lines[one]
        case 2:
            lines.insert(other, lines[one])
        case _:
            lines[one] = lines[one][: _at(lines[one], draw)] + lines[other]
    return b"\n".join(lines)


def _replace(data: bytes, draw: random.Random, what: re.Pattern[bytes], new: bytes) -> bytes:
    found = list(what.finditer(data, _at(data, draw), len(data)))[:20]
    if not found:
        return data
    chosen = draw.choice(found)
    return data[: chosen.start()] + new + data[chosen.end() :]


def _number(data: bytes, draw: random.Random) -> bytes:
    return _replace(data, draw, _NUMBER, draw.choice(NUMBERS))


def _word(data: bytes, draw: random.Random) -> bytes:
    return _replace(data, draw, _WORD, draw.choice(TEXTS))


def _piece(data: bytes, draw: random.Random) -> bytes:
    """Another piece of the same JSON, or what is no text there at all."""
    own = _PIECE.findall(data[:2000]) or [b""]
    new = draw.choice((draw.choice(own), draw.choice(TEXTS), draw.choice(NUMBERS)))
    return _replace(data, draw, _PIECE, new)


_WAYS = (
    _flip, _overwrite, _delete, _truncate, _double, _insert, _lines, _lines, _number, _number,
    _word, _word, _piece, _piece,
)  # fmt: skip
