"""What can be known of a host's clock from messages: nothing arrives before it was sent.

An *offset* is what a host's clock shows less what the reference's shows at the same instant. A
message to the host bounds it from above (it arrived after it was sent), one back from below. A
clock that drifts gains or loses at most DRIFT of the time that passes, so each message also bounds
the offset at other times, the less the further away they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnpcsql.analyses.times import Counts, Times

DRIFT = 500e-6
"""By how much of the time that passes a clock may gain or lose. Clocks of computers keep within
it: NTP corrects no more (RFC 5905, §11: 500 parts in a million)."""

_UNBOUNDED = np.iinfo(np.int64).max // 4


class Message(NamedTuple):
    """The message that bounds an offset most tightly."""

    place: int  # among those given
    at: int  # by the reference's clock, nanoseconds
    offset: int  # the bound it gives, nanoseconds


class Bounds(NamedTuple):
    """What is known of a host's offset, in nanoseconds; None: no message that way.

    `low` and `high` hold at every moment from the first to the last message. `steady_low` and
    `steady_high` would hold for a clock that does not drift; where they cross, it drifts, or a log
    line is late, by `crossed`.
    """

    low: int | None
    high: int | None
    steady_low: int | None
    steady_high: int | None
    there: int  # how many messages to the host
    back: int
    latest_there: Message | None  # the one that bounds it from above
    latest_back: Message | None
    drift_ppm: float | None  # the middle's slope; None where the bounds leave it open

    @property
    def crossed(self) -> int:
        """By how much a clock that does not drift contradicts the messages; 0 if it does not."""
        if self.steady_low is None or self.steady_high is None:
            return 0
        return max(0, self.steady_low - self.steady_high)

    @property
    def middle(self) -> int | None:
        """Half way between the two; None where one is missing."""
        if self.low is None or self.high is None:
            return None
        return (self.low + self.high) // 2

    @property
    def uncertainty(self) -> int | None:
        """How far from the middle the offset may be."""
        if self.low is None or self.high is None:
            return None
        return -(-abs(self.high - self.low) // 2)

    @property
    def differs(self) -> bool:
        """Whether the clock certainly shows another time than the reference's."""
        return (self.low is not None and self.low > 0) or (self.high is not None and self.high < 0)


class Messages(NamedTuple):
    """Messages one way, in order of time: when, by the reference's clock, and each one's bound."""

    at: Times
    offset: Times
    place: Counts  # among those given


def messages(reference: Times, host: Times) -> Messages:
    """From the two clocks' times of the same messages, all of which are told."""
    order = np.argsort(reference, kind="stable")
    return Messages(reference[order], (host - reference)[order], order)


def above(there: Messages, at: Times) -> Times:
    """The least that the offset can be bounded to from above, at each of these times."""
    return _envelope(there.at, there.offset, at)


def below(back: Messages, at: Times) -> Times:
    """The most that the offset can be bounded to from below, at each of these times."""
    return -_envelope(back.at, -back.offset, at)


def _envelope(at: Times, offset: Times, asked: Times) -> Times:
    """min over i of offset[i] + DRIFT·|asked - at[i]|, in O(n log n)."""
    if not at.size:
        return np.full(asked.shape, _UNBOUNDED, dtype=np.int64)
    origin = int(at[0])
    gain = np.floor((at - origin) * DRIFT).astype(np.int64)
    asked_gain = np.floor((asked - origin) * DRIFT).astype(np.int64)
    before = np.minimum.accumulate(offset - gain)
    after = np.minimum.accumulate((offset + gain)[::-1])[::-1]
    place = np.searchsorted(at, asked, side="right")
    from_before = np.where(place > 0, before[place - 1] + asked_gain, _UNBOUNDED)
    from_after = np.where(
        place < at.size, after[np.minimum(place, at.size - 1)] - asked_gain, _UNBOUNDED
    )
    return np.minimum(from_before, from_after) + 1  # for the two that were rounded down


def bounds(there: Messages, back: Messages) -> Bounds:
    """What messages to a host and back from it tell of its clock."""
    asked = np.unique(np.concatenate([there.at, back.at]))
    low = int(below(back, asked).min()) if back.at.size else None
    high = int(above(there, asked).max()) if there.at.size else None
    tight_there = _tightest(there, lowest=True)
    tight_back = _tightest(back, lowest=False)
    return Bounds(
        low,
        high,
        tight_back.offset if tight_back else None,
        tight_there.offset if tight_there else None,
        int(there.at.size),
        int(back.at.size),
        tight_there,
        tight_back,
        _drift(there, back),
    )


def middles(there: Messages, back: Messages, at: Times) -> Times:
    """The offset to take at each of these times: half way between the bounds there.

    Where messages go one way only, what bounds it from that side; 0 if there are none, or if 0 is
    within the bounds: a clock is right until it is shown to be wrong.
    """
    high, low = above(there, at), below(back, at)
    bounded = np.where(high == _bare(), low, np.where(low == -_bare(), high, (low + high) // 2))
    right = (low <= 0) & (high >= 0)
    return np.where(right, 0, bounded)


def _bare() -> int:
    return _UNBOUNDED


def _tightest(given: Messages, *, lowest: bool) -> Message | None:
    if not given.at.size:
        return None
    place = int(given.offset.argmin() if lowest else given.offset.argmax())
    return Message(int(given.place[place]), int(given.at[place]), int(given.offset[place]))


def _drift(there: Messages, back: Messages) -> float | None:
    """The slope of the middle between the run's first third and its last, in parts in a million.

    Only where the bounds of the two do not overlap: else a clock that does not drift will do.
    """
    if not there.at.size or not back.at.size:
        return None
    asked = np.unique(np.concatenate([there.at, back.at]))
    first, last = int(asked[0]), int(asked[-1])
    third = (last - first) // 3
    early, late = asked[asked <= first + third], asked[asked >= last - third]
    sides = []
    for when in (early, late):
        begin, end = int(when[0]), int(when[-1])
        up = there.offset[(there.at >= begin) & (there.at <= end)]
        down = back.offset[(back.at >= begin) & (back.at <= end)]
        if not up.size or not down.size:
            return None
        sides.append((int(down.max()), int(up.min()), (begin + end) / 2))
    (low_1, high_1, at_1), (low_2, high_2, at_2) = sides
    if max(low_1, low_2) <= min(high_1, high_2) or at_2 <= at_1:
        return None
    return ((low_2 + high_2) / 2 - (low_1 + high_1) / 2) / (at_2 - at_1) * 1e6
