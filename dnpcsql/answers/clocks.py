"""What a run's messages tell of its hosts' clocks, and which hops are too short to be measured.

The view clock_message lists the same messages, with the lines that tell of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnpcsql.analyses.clocks import Bounds, Message, Messages, bounds, messages, middles
from dnpcsql.analyses.times import MISSING, Counts, Mask, Times, numbered, told
from dnpcsql.answers.executor_tasks import TYPES, ExecutorTasks, read_executor_tasks
from dnpcsql.answers.finding import Finding
from dnpcsql.identity import trace_id_of

if TYPE_CHECKING:
    from dnpcsql.runs import Run
    from dnpcsql.store import Store

_HOSTS = """
SELECT substr(uuid, 15), json_extract(attributes, '$."host.name"') FROM span
WHERE (uuid > :part || '16' AND uuid < :part || '16g'
    OR uuid > :part || '36' AND uuid < :part || '36g')
  AND json_extract(attributes, '$."host.name"') IS NOT NULL
"""
_PENDING = """
SELECT CAST(substr(span_uuid, 15) AS INTEGER), min(time_unix_nano) FROM event
WHERE span_uuid > :part || '23' AND span_uuid < :part || '23g' AND type = 'pending'
GROUP BY span_uuid
"""
_LINE = """
SELECT path || ':' || line FROM event JOIN source ON source.id = source_id
WHERE span_uuid = :uuid AND type = :type AND time_unix_nano = :at
"""
_ACCOUNTS = {
    "pending": "23", "interchange_received": "38", "interchange_result": "38",
    "manager_got": "48", "worker_received": "58", "worker_completed": "58",
}  # fmt: skip
_EVENTS = {moment: type_ for type_, moment in TYPES.items()} | {"pending": "pending"}
_TRIES = 10_000  # a try's number in its uuid: four digits after its task's
_MILLISECOND = 1_000_000


class Evidence(NamedTuple):
    """The message that bounds a clock from one side."""

    executor_task: str  # its number
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


class _Way(NamedTuple):
    """Messages of one kind, of all hosts."""

    near: str  # the moment of the submitting side
    far: str  # the moment of the worker's host
    there: bool  # to the host, not back from it
    task: Counts  # place in ExecutorTasks.names
    submit: Times
    host: Times

    def take(self, which: Mask) -> _Way:
        return self._replace(
            task=self.task[which], submit=self.submit[which], host=self.host[which]
        )


def clocks(store: Store, run: Run) -> Clocks:
    """Bounds on each host's clock, from the messages that its tasks are.

    Only HTEX's logs tell of messages. Raw times are never rewritten.
    """
    return clocks_of(store, run, read_executor_tasks(store, run))


def clocks_of(store: Store, run: Run, tasks: ExecutorTasks) -> Clocks:
    """The same from tasks that were read before."""
    named: dict[str, str] = dict(store.query(_HOSTS, part=trace_id_of(run.id)[-12:]))
    names, host = numbered(named.get(name, f"host of manager {name}") for name in tasks.managers)
    ways = _ways(store, run, tasks)
    hosts, hops = [], []
    for number, name in enumerate(names):
        managers = np.append(host == number, False)
        mine = [way.take(managers[tasks.manager[way.task]]) for way in ways]
        mine = [way for way in mine if way.task.size]
        if not mine:
            continue
        found = _host(store, run, tasks, name, mine)
        hosts.append(found)
        # On one host one clock tells all.
        hops += _hops(found, 0 if name == run.host else found.bounds.uncertainty, mine)
    hosts.sort(key=lambda one: one.host)
    return Clocks(run, run.host or "submitting side", hosts, sorted(hops))


def _ways(store: Store, run: Run, tasks: ExecutorTasks) -> list[_Way]:
    """All messages. interchange.log tells of `Sent tasks` after it sent them, so it is their coming
    there that counts; where logs at INFO level tell of neither, a try's pending, for `launched` is
    logged after the launch."""
    times = dict(tasks.times)
    full = told(times["interchange_received"]) & told(times["manager_got"])
    times["pending"] = np.full(full.shape, MISSING, dtype=np.int64)
    if (~full & told(times["worker_received"])).any():
        known: dict[int, int] = dict(store.query(_PENDING, part=trace_id_of(run.id)[-12:]))
        tries = zip((tasks.task * _TRIES + tasks.attempt).tolist(), full.tolist(), strict=True)
        times["pending"][:] = [
            MISSING if other else known.get(key, MISSING) for key, other in tries
        ]
    found = []
    for near, far, there in (
        ("interchange_received", "manager_got", True),
        ("pending", "worker_received", True),
        ("interchange_result", "worker_completed", False),
    ):
        both = np.flatnonzero(told(times[near]) & told(times[far]) & (tasks.manager >= 0))
        found.append(_Way(near, far, there, both, times[near][both], times[far][both]))
    return found


def _host(store: Store, run: Run, tasks: ExecutorTasks, name: str, mine: list[_Way]) -> HostClock:
    sides: list[Messages] = []
    evidence: list[Evidence | None] = []
    for there, sign in ((True, 1), (False, -1)):
        ways = [way for way in mine if way.there == there]
        submit, host = (
            np.concatenate([getattr(way, side) for way in ways] or [np.empty(0, dtype=np.int64)])
            for side in ("submit", "host")
        )
        sides.append(messages(submit, host + sign * _blur(submit, host)))
    known = bounds(*sides)
    for there, message in ((True, known.latest_there), (False, known.latest_back)):
        ways = [way for way in mine if way.there == there]
        evidence.append(message and _evidence(store, run, tasks, ways, message))
    return HostClock(name, known, evidence[0], evidence[1], sides[0], sides[1])


def _blur(near: Times, far: Times) -> int:
    """By how much a time may be cut off: texts with milliseconds only widen a bound by one."""
    coarse = [times.size > 0 and not (times % _MILLISECOND).any() for times in (near, far)]
    return _MILLISECOND if any(coarse) else 0


def _evidence(
    store: Store, run: Run, tasks: ExecutorTasks, ways: list[_Way], message: Message
) -> Evidence:
    """The lines that tell of a message."""
    part, place = trace_id_of(run.id)[-12:], message.place
    for way in ways:
        if place < way.task.size:
            break
        place -= way.task.size
    task = int(way.task[place])
    shown = []
    for moment, at in ((way.near, way.submit[place]), (way.far, way.host[place])):
        account = _ACCOUNTS[moment]
        number = int(tasks.task[task] * _TRIES + tasks.attempt[task])
        name = f"{number:014d}" if account == "23" else tasks.names[task]
        type_ = _EVENTS[moment]
        line = store.query(_LINE, uuid=part + account + name, type=type_, at=int(at)).value()
        shown.append(f"{type_}, {line}")
    return Evidence(tasks.names[task][6:].lstrip("0"), shown[0], shown[1], message.offset)


def _hops(host: HostClock, uncertainty: int | None, mine: list[_Way]) -> list[Hop]:
    """The hops that cross from one clock to the other."""
    found = []
    for way in mine:
        sign = 1 if way.there else -1
        offset = middles(host.there, host.back, way.submit)
        raw = sign * (way.host - way.submit)
        begin, end = (way.near, way.far) if way.there else (way.far, way.near)
        median, aligned = int(np.median(raw)), int(np.median(raw - sign * offset))
        found.append(Hop(host.host, begin, end, int(raw.size), median, aligned, uncertainty))
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
        known = (
            f"between {between} s" if low is not None and high is not None else f"by {between} s"
        )
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
            "no messages between hosts are told of: it takes HTEX's interchange.log and worker logs"
        ]
    said = [
        "a clock is taken to gain or lose at most 500 ppm; where few messages went, bounds are wide"
    ]
    for host in found.hosts:
        if host.bounds.crossed:
            drift, apart = host.bounds.drift_ppm, f"{host.bounds.crossed / 1e6:.1f} ms"
            said.append(
                f"{host.host}: its messages contradict each other by {apart}: a line is late, or "
                + ("its clock drifts" if drift is None else f"its clock drifts by {drift:.0f} ppm")
            )
    return said
