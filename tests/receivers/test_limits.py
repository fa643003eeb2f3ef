"""What is unpacked, and at what cost."""

from __future__ import annotations

import gzip
import os
import zlib
from itertools import pairwise

import pytest

from dnpcsql.receivers.limits import unpacked
from dnpcsql.receivers.refusals import RefusedError

LIMIT = 16 << 20
NOISE = os.urandom(1 << 20)


def inflated(packed: bytes, encoding: str = "gzip", limit: int = LIMIT) -> bytes:
    return unpacked(packed, encoding, limit, lambda size: None)


@pytest.mark.parametrize("content", [b"", b"{}", b"a" * LIMIT, NOISE], ids=len)
def test_all_that_was_packed(content: bytes) -> None:
    assert inflated(gzip.compress(content)) == content
    assert inflated(zlib.compress(content), "deflate") == content
    assert inflated(zlib.compress(content, wbits=-15), "deflate") == content


def test_members_of_all_lengths() -> None:
    # Of slices, their limits fall anywhere in a member.
    ends = [0, 0, 1, 2, 100, 16_000, 16_400, 33_000, 33_000, 500_000, len(NOISE)]
    packed = b"".join(gzip.compress(NOISE[start:end]) for start, end in pairwise(ends))
    assert inflated(packed) == NOISE
    # As BGZF is: 64 KiB each, and at the end an empty one.
    blocks = [gzip.compress(NOISE[at : at + 65_280]) for at in range(0, len(NOISE), 65_280)]
    assert inflated(b"".join(blocks) + gzip.compress(b"")) == NOISE


def test_a_member_more_costs_no_more_than_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What zlib copies: the input that a member did not use."""
    copied = 0
    new = zlib.decompressobj

    class Counting:
        def __init__(self, expected: int) -> None:
            self._member = new(expected)

        def __getattr__(self, name: str) -> object:
            return getattr(self._member, name)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal copied
            part = self._member.decompress(data, most)
            copied += len(self._member.unused_data) + len(self._member.unconsumed_tail)
            return part

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    # All but the last member are small, and what is behind them is large.
    assert inflated(gzip.compress(b"a") * 1_000 + gzip.compress(NOISE)) == b"a" * 1_000 + NOISE
    assert copied < 32 * len(NOISE)


@pytest.mark.parametrize("content", [b"", b" "])
def test_a_body_in_countless_parts_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError, match="in more than 2,000 parts") as refused:
        inflated(gzip.compress(content) * 3_000)
    assert refused.value.http == 400


@pytest.mark.parametrize("end", [0, 5, 10, 20, -9, -1])
def test_what_is_cut_off_is_refused(end: int) -> None:
    with pytest.raises(RefusedError):
        inflated(gzip.compress(NOISE)[:end])
    with pytest.raises(RefusedError):
        inflated(gzip.compress(b"whole") + gzip.compress(b"cut")[: end or 3])


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(RefusedError) as refused:
        inflated(gzip.compress(b"\0" * 10_000_000), limit=1_000_000)
    assert refused.value.http == 413
