"""What a run's messages tell of its hosts' clocks, and which hops are too short to be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.clocks import Bounds, Message, Messages, bounds, messages, middles
from dnpcsql.analyses.times import Times, numbered
from dnpcsql.answers.finding import Finding

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_MESSAGES = """
SELECT host, manager, way, submit_unix_nano, host_unix_nano, submit_type, host_type,
  executor_task_id, submit_file, submit_line, host_file, host_line
FROM clock_message WHERE run_id = :run
"""
_MILLISECOND = 1_000_000


class Evidence(NamedTuple):
    """The message that bounds a clock from one side."""

    executor_task_id: int
    submit: str  # the event of the submitting side, and where it stands: `type, file:line`
    host: str  # the event of the worker's host, and where it stands
    bound_ns: int


class HostClock(NamedTuple):
    """What is known of one host's clock."""

    host: str
    bounds: Bounds
    from_above: Evidence | None
    from_below: Evidence | None
    there: Messages
    back: Messages


class Hop(NamedTuple):
    """A hop from one clock to another: what is measured, and by how much that may be off."""

    host: str
    begin: str
    end: str
    n: int
    median_ns: int  # as told
    aligned_ns: int  # with the middle of the bounds taken off the host's clock
    uncertainty_ns: int | None  # None: the clock is bounded from one side only, or from none

    @property
    def resolvable(self) -> bool:
        """Whether it is longer than what the clocks leave open."""
        return self.uncertainty_ns is not None and abs(self.aligned_ns) > self.uncertainty_ns


class Clocks(NamedTuple):
    """What is known of the clocks of a run's hosts, against the submitting side's."""

    run: Run
    reference: str  # the submitting side's host
    hosts: list[HostClock]
    hops: list[Hop]

    def knows(self, host: str | None) -> bool:
        """Whether messages bound that host's clock."""
        return any(known.host == host for known in self.hosts)

    def offset_ns(self, host: str | None, at: Times) -> Times:
        """What to take off that host's times, told about `at`; 0 where its clock may be right."""
        for known in self.hosts:
            if known.host == host:
                return middles(known.there, known.back, at)
        return np.zeros(at.shape, dtype=np.int64)

    def between(self, one: str, other: str) -> tuple[int | None, int | None]:
        """How far one host's clock is ahead of the other's: at least and at most, nanoseconds.

        The reference's own name stands for the submitting side where no worker ran there.
        """
        sides = {known.host: (known.bounds.low, known.bounds.high) for known in self.hosts}
        sides.setdefault(self.reference, (0, 0))
        (low_1, high_1), (low_2, high_2) = sides[one], sides[other]
        return (
            None if low_1 is None or high_2 is None else low_1 - high_2,
            None if high_1 is None or low_2 is None else high_1 - low_2,
        )


def clocks(store: Store, run: Run) -> Clocks:
    """Bounds on each host's clock, from the messages that its tasks are.

    Only HTEX's logs tell of messages. Raw times are never rewritten.
    """
    rows = store.query(_MESSAGES, run=run.id).all()
    names, places = numbered(
        row[0] if row[0] is not None else f"host of manager {row[1]}" for row in rows
    )
    ways = np.array([row[2] == "there" for row in rows], dtype=np.bool_)
    near = np.array([row[3] for row in rows], dtype=np.int64)
    far = np.array([row[4] for row in rows], dtype=np.int64)
    hosts, hops = [], []
    for number, name in enumerate(names):
        mine = np.flatnonzero(places == number)
        there, back = mine[ways[mine]], mine[~ways[mine]]
        blur = _blur(near[mine], far[mine])
        sent = messages(near[there], far[there] + blur)
        answered = messages(near[back], far[back] - blur)
        known = bounds(sent, answered)
        host = HostClock(
            name,
            known,
            _evidence(rows, there, known.latest_there),
            _evidence(rows, back, known.latest_back),
            sent,
            answered,
        )
        hosts.append(host)
        uncertainty = 0 if name == run.host else known.uncertainty  # on one host one clock tells all
        hops += _hops(host, uncertainty, rows, near, far, there, back)
    order = sorted(hosts, key=lambda host: host.host)
    return Clocks(run, run.host or "submitting side", order, sorted(hops))


def _blur(near: Times, far: Times) -> int:
    """By how much a time may be cut off: texts with milliseconds only widen a bound by one."""
    coarse = [times.size > 0 and not (times % _MILLISECOND).any() for times in (near, far)]
    return _MILLISECOND if any(coarse) else 0


def _evidence(rows: list[tuple[object, ...]], places: Times, message: Message | None) -> Evidence | None:
    if message is None:
        return None
    row = rows[int(places[message.place])]
    return Evidence(
        int(str(row[7])),
        f"{row[5]}, {row[8]}:{row[9]}",
        f"{row[6]}, {row[10]}:{row[11]}",
        message.offset,
    )


def _hops(
    host: HostClock,
    uncertainty: int | None,
    rows: list[tuple[object, ...]],
    near: Times,
    far: Times,
    there: Times,
    back: Times,
) -> list[Hop]:
    """The hops that cross from one clock to the other, by kind."""
    found = []
    for places, sign in ((there, 1), (back, -1)):
        kinds, numbers = numbered((rows[place][5], rows[place][6]) for place in places.tolist())
        for number in range(len(kinds)):
            mine = places[numbers == number]
            types = str(rows[int(mine[0])][5]), str(rows[int(mine[0])][6])
            offset = middles(host.there, host.back, near[mine])
            raw = sign * (far[mine] - near[mine])
            found.append(
                Hop(
                    host.host,
                    *(types if sign > 0 else types[::-1]),
                    int(mine.size),
                    int(np.median(raw)),
                    int(np.median(raw - sign * offset)),
                    uncertainty,
                )
            )
    return found


def findings(found: Clocks) -> list[Finding]:
    """Whose clock is wrong, and by how much."""
    said = []
    for host in found.hosts:
        low, high = host.bounds.low, host.bounds.high
        if not host.bounds.differs:
            continue
        late = low is not None and low > 0
        between = " and ".join(f"{abs(end) / 1e9:.3f}" for end in (low, high) if end is not None)
        known = f"between {between} s" if low is not None and high is not None else f"by {between} s"
        said.append(
            Finding(
                abs((low if late else high) or 0) / 1e9,
                f"the clock of {host.host} is {'ahead of' if late else 'behind'} that of "
                f"{found.reference}, {known}: hops between the two are off by that in raw times",
                f"dnpcsql clocks {found.run.id[:8]}",
                tuple(
                    side.split(", ", 1)[1]
                    for one in (host.from_above, host.from_below)
                    if one is not None
                    for side in (one.submit, one.host)
                ),
            )
        )
    return said


def caveats(found: Clocks) -> list[str]:
    """What the bounds rest on, and what they cannot know."""
    if not found.hosts:
        return [
            "no messages between hosts are told of: it takes interchange.log and worker logs of HTEX"
        ]
    said = [
        "a clock is taken to gain or lose at most 500 millionths of the time that passes; where few "
        "messages went, bounds are wide"
    ]
    for host in found.hosts:
        if host.bounds.crossed:
            drift, apart = host.bounds.drift_ppm, f"{host.bounds.crossed / 1e6:.1f} ms"
            said.append(
                f"{host.host}: its messages contradict each other by {apart}: a log line is late, or "
                + ("its clock drifts" if drift is None else f"its clock drifts by {drift:.0f} ppm")
            )
    return said


