"""The managers of one HTEX interchange, as the messages of its log tell of them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence

from dnpcsql.clock import epoch_ns
from dnpcsql.identity import INTERCHANGE, PARSL_LOG, Names
from dnpcsql.importers.wordings import At
from dnpcsql.records import Containment, Event, Record, Span

# {'type': 'registration', 'parsl_v': '2026.10.26', …, 'packages': {…}, 'worker_count': 2, …}
_PACKAGES = re.compile(r"'packages': \{[^}]*\}")
_PAIR = re.compile(r"'(\w+)': (?:'([^']*)'|([\w.+-]+))")

_REGISTERED = {
    "uid": "parsl.manager.id",
    "block_id": "parsl.block.id",
    "hostname": "host.name",
    "worker_count": "parsl.manager.worker_count",
    "max_capacity": "parsl.manager.max_capacity",
    "prefetch_capacity": "parsl.manager.prefetch_capacity",
    "cpu_count": "parsl.manager.cpu_count",
    "total_memory": "parsl.manager.total_memory",
    "python_v": "process.runtime.version",
    "parsl_v": "parsl.version",
    "os": "os.type",
}


class Managers:
    """Turns messages about managers into records."""

    def __init__(self, scope: str, label: str | None) -> None:
        """`scope`: the run's id, or what stands for it. `label`: the executor's."""
        self._label = label or ""
        self._names = Names(scope, INTERCHANGE)
        self._parsl = Names(scope, PARSL_LOG)
        self._lost: str | None = None

    def registered(self, at: At, uid: str, text: str) -> Sequence[Record]:
        """A manager says hello, from where and with what."""
        uuid, said = self._names.manager(uid), pairs(text)
        attributes: dict[str, object] = {
            name: said[key] for key, name in _REGISTERED.items() if key in said
        }
        if self._label:
            attributes["parsl.executor.label"] = self._label
        with contextlib.suppress(ValueError):
            attributes["parsl.manager.start_unix_nano"] = epoch_ns(str(said.get("start_time", "")))
        block_id = said.get("block_id")
        block = None if block_id is None else self._parsl.block(self._label, str(block_id))
        parent = block or self._parsl.executor(self._label)
        return (
            Span(
                uuid, "parsl.executor.htex.interchange.manager", self._names.trace_high,
                parent_uuid=parent, name="manager",
                attributes=json.dumps(attributes, ensure_ascii=False), line=at.line,
            ),
            Containment(parent, uuid),
            Event(uuid, at.time, "registered", at.line),
        )  # fmt: skip

    def held(self, at: At, uid: str) -> Sequence[Record]:
        """A manager gets no more tasks."""
        return (Event(self._names.manager(uid), at.time, "hold", at.line),)

    def lost(self, at: At, uid: str) -> Sequence[Record]:
        """Nothing was heard of a manager for too long."""
        self._lost = uid
        uuid = self._names.manager(uid)
        return (
            Span(
                uuid, "parsl.executor.htex.interchange.manager", self._names.trace_high,
                status_code=2, status_message="too many heartbeats missed",
            ),
            Event(uuid, at.time, "lost", at.line),
        )  # fmt: skip

    def cancelled(self, at: At, tasks: str) -> Iterator[Record]:
        """The tasks of the manager that was just lost are given up."""
        given_up = numbers(tasks)
        for number in given_up:
            uuid = self._names.executor_task(self._label, number)
            yield Event(uuid, at.time, "interchange_cancelling_task", at.line)
        if self._lost is not None:
            manager = self._names.manager(self._lost)
            count = json.dumps({"parsl.tasks.cancelled": len(given_up)})
            yield Event(manager, at.time, "tasks_cancelled", at.line, attributes=count)

    def drained(
        self, at: At, uid: str, time_up: str | None, asked: str | None, done: str | None
    ) -> Sequence[Record]:
        """A manager is to end, or has no more tasks and ends."""
        type_ = "drained" if done else "draining"
        return (Event(self._names.manager(uid), at.time, type_, at.line),)


def numbers(text: str) -> list[int]:
    """The numbers in '1, 2'."""
    return [int(number) for number in text.split(",")] if text.strip() else []


def pairs(text: str) -> dict[str, str | int]:
    """What a Python dict's text says, but None and what is nested."""
    return {
        name: int(bare) if bare.isdecimal() else bare or quoted
        for name, quoted, bare in _PAIR.findall(_PACKAGES.sub("", text))
        if bare != "None"
    }
