"""The orders in which things happen, all of them, with what each step costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

Happening: TypeAlias = tuple[str, int, str, str, str]
"""Root span, time in nanoseconds, span uuid, span type, event type; a root's lie together."""

# What no record can show in the other order, for one thread writes both.
ALWAYS = (
    ("task/invoked", "task/returned"),
    ("try/running", "try/running_ended"),
    ("worker.task/worker_received_task", "worker.task/worker_completed_task"),
    ("worker.task/worker_completed_task", "worker.task/worker_all_finished_task"),
    ("interchange.task/interchange_received_task", "interchange.task/interchange_to_manager"),
    ("interchange.task/interchange_to_manager", "interchange.task/interchange_removing_task"),
)

# What happens in this order, though two threads, processes or hosts write of it, and so the
# records race.
RACING = (
    ("try/pending", "try/launched"),
    ("try/launched", "try/running"),
    ("try/launched", "interchange.task/interchange_received_task"),
    ("interchange.task/interchange_to_manager", "manager.task/manager_got_task"),
    ("manager.task/manager_got_task", "worker.task/worker_received_task"),
    ("worker.task/worker_received_task", "try/running"),
    ("try/running_ended", "worker.task/worker_completed_task"),
    ("worker.task/worker_completed_task", "interchange.task/interchange_removing_task"),
    ("interchange.task/interchange_removing_task", "try/exec_done"),
)

_PREFIXES = ("parsl.monitoring.", "parsl.rundir.", "parsl.executor.htex.", "parsl.executors.")


@dataclass
class Step:
    """One event of a variant, over all roots that had it: seconds."""

    label: str
    gap_sum: int = 0
    gap_min: int = 2**63
    gap_max: int = -(2**63)
    since_start_sum: int = 0

    def add(self, gap: int, since_start: int) -> None:
        """One more root."""
        self.gap_sum += gap
        self.gap_min = min(self.gap_min, gap)
        self.gap_max = max(self.gap_max, gap)
        self.since_start_sum += since_start


@dataclass
class Variant:
    """An order of events, and how many roots had it."""

    steps: list[Step]
    count: int = 0
    roots: list[str] = field(default_factory=list)  # the first few

    @property
    def labels(self) -> list[str]:
        """The order itself."""
        return [step.label for step in self.steps]

    def marks(self) -> list[str]:
        """What is odd in this order: pairs that stand the wrong way round."""
        return [f"impossible: {text}" for text in wrong_way(self.labels, ALWAYS)] + [
            f"racy: {text}" for text in wrong_way(self.labels, RACING)
        ]


def label(span_type: str, event_type: str) -> str:
    """`parsl.monitoring.try`, `pending` → `try/pending`."""
    for prefix in _PREFIXES:
        if span_type.startswith(prefix):
            return f"{span_type[len(prefix) :]}/{event_type}"
    return f"{span_type}/{event_type}"


def wrong_way(labels: list[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Of pairs that happen in order, those whose later event stands before every earlier one."""
    first = {name: place for place, name in reversed(list(enumerate(labels)))}
    return [
        f"{later} before {earlier}"
        for earlier, later in pairs
        if earlier in first and later in first and first[later] < first[earlier]
    ]


def variants(happenings: Iterable[Happening]) -> list[Variant]:
    """All orders of events of the roots, the commonest first.

    Several accounts of one event (the same thing, the same event type) count once, at the
    earliest; so does what Parsl writes twice. What another log tells several times of one span
    happened several times. Memory grows with the number of orders, not of roots.
    """
    found: dict[tuple[str, ...], Variant] = {}
    root: str | None = None
    events: list[tuple[int, str]] = []
    seen: dict[tuple[str, str], str] = {}
    for owner, time, uuid, span_type, event_type in happenings:
        if owner != root:
            _count(found, root, events)
            root, events, seen = owner, [], {}
        name = label(span_type, event_type)
        first = seen.setdefault((uuid[13:], name), "")
        if not first or (first == uuid and not span_type.startswith("parsl.")):
            seen[uuid[13:], name] = uuid
            events.append((time, name))
    _count(found, root, events)
    return sorted(found.values(), key=lambda variant: (-variant.count, variant.labels))


def _count(
    found: dict[tuple[str, ...], Variant], root: str | None, events: list[tuple[int, str]]
) -> None:
    if root is None or not events:
        return
    key = tuple(name for _, name in events)
    variant = found.get(key)
    if variant is None:
        variant = found[key] = Variant([Step(name) for name in key])
    variant.count += 1
    if len(variant.roots) < 3:
        variant.roots.append(root)
    start = before = events[0][0]
    for step, (time, _) in zip(variant.steps, events, strict=True):
        step.add(time - before, time - start)
        before = time
