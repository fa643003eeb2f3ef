"""The workers of one manager: who is connected, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dnpcsql.identity import Names
from dnpcsql.importers.attributes import to_json
from dnpcsql.records import Containment, Event, Problem, Record, Span


@dataclass
class Worker:
    """One worker. It keeps its name when it connects again, from another port."""

    uuid: str
    line: int
    name: str | None
    address: str | None = None
    connected: bool = False
    connections: int = 0
    first: int | None = None
    gone: int | None = None
    resources: dict[str, object] = field(default_factory=dict)


class Workers:
    """All of a manager's, by name and by the address that they are connected from now."""

    def __init__(self, system: str, names: Names, key: str, manager: str) -> None:
        """`key`: what stands for the manager in their uuids; `manager`: its uuid."""
        self._system, self._names, self._key, self._manager = system, names, key, manager
        self._by_name: dict[str, Worker] = {}
        self._by_address: dict[str, Worker] = {}

    def named(self, name: str, line: int) -> Worker:
        """The worker of a name."""
        worker = self._by_name.get(name)
        if worker is None:
            uuid = self._names.worker(f"{self._key} {name}", 0)
            worker = self._by_name[name] = Worker(uuid, line, name)
        return worker

    def at(self, address: str, line: int) -> Worker:
        """The worker that is connected from an address; one without a name if none is, which
        means that the log's beginning is lost."""
        worker = self._by_address.get(address)
        if worker is None:
            uuid = self._names.worker(f"{self._key} {address}", 0)
            worker = self._by_address[address] = Worker(uuid, line, None, address)
        return worker

    def known(self, name: str) -> bool:
        """Whether there is a worker of that name."""
        return name in self._by_name

    def happened(
        self, time: int, line: int, worker: Worker, what: str, said: dict[str, object]
    ) -> list[Record]:
        """Something in the worker's own life: its event, of the kind `what`."""
        if worker.first is None:
            worker.first = time
        return [Event(worker.uuid, time, what, line, attributes=to_json(said))]

    def connected(self, worker: Worker, address: str | None) -> None:
        """It is there, or there again."""
        worker.connected, worker.address = True, address
        worker.connections += 1
        if address is not None:
            self._by_address[address] = worker

    def disconnected(self, worker: Worker, time: int) -> None:
        """It went. Its port may be another's from now on."""
        worker.connected, worker.gone = False, time
        self._by_address.pop(worker.address or "", None)

    def finish(self) -> Iterator[Record]:
        """The workers themselves. One that did not go has no end."""
        nameless = [worker for worker in self._by_address.values() if worker.name is None]
        for worker in (*self._by_name.values(), *nameless):
            if worker.name is None:
                yield Problem(
                    worker.line, "worker unknown", f"none is connected from {worker.address}"
                )
            said = {
                f"{self._system}.worker.id": worker.name,
                f"{self._system}.worker.address": worker.address,
                f"{self._system}.worker.connections": worker.connections or None,
                **worker.resources,
            }
            yield Span(
                worker.uuid, f"{self._system}.worker", self._names.trace_high,
                parent_uuid=self._manager, name="worker", start_unix_nano=worker.first,
                end_unix_nano=None if worker.connected else worker.gone,
                attributes=to_json(said), line=worker.line,
            )  # fmt: skip
            yield Containment(self._manager, worker.uuid)
