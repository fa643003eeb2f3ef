"""What all parts of one simulated run share: its options, time, chance, words and files."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from .database import Database
from .logs import SECOND, Clock, Log
from .monitoring import Monitoring
from .options import CORES, ERAS, HOME, LOGIN_HOST, MEMORY, USER, WORKFLOW_NAME, Options
from .wording import Scope, Wording

Handler = Callable[[int, Any], None]


class Run:
    """One run: its events yet to come, and the files that it writes."""

    def __init__(self, directory: Path, options: Options) -> None:
        """Prepare to write below `directory`/runinfo."""
        self.options = options
        self.era = ERAS[options.era]
        self.random = Random(f"{options.seed} {options.run_number}")
        self.clock = Clock(options.utc_offset)
        self.run_id = str(UUID(int=self.random.getrandbits(128), version=4))
        self.pids = count(16615 + 7 * int(options.run_number))
        self.logs: dict[str, list[Log]] = {"parsl": [], "interchange": [], "manager": []}
        self.logs["worker"] = []
        runinfo = directory / "runinfo"
        self.path = runinfo / options.run_number
        self.path.mkdir(parents=True)
        monitoring = runinfo / "monitoring.db" if "monitoring" in options.files else None
        self.database = Database(monitoring)
        self.wording = Wording(self.era.wording, full=options.noise == "full")
        self.words = self._words()
        self.monitoring = Monitoring(self)
        self._events: list[tuple[int, int, Handler, Any]] = []
        self._order = count()

    def at(self, time: int, handler: Handler, subject: Any = None) -> None:
        """Have something happen at a time."""
        heappush(self._events, (time, next(self._order), handler, subject))

    def play(self, ended: Callable[[], bool]) -> None:
        """Let everything happen in its order, until the run has ended."""
        events = self._events
        for turn in count(1):
            time, _, handler, subject = heappop(events)
            handler(time, subject)
            if turn % 512 == 0:
                self._write(time)
            if ended():
                return

    def log(self, kind: str, *below: str) -> Log:
        """A log file below the run's directory, or nowhere if it is not wanted."""
        wanted = ("parsl" if kind == "parsl" else "htex") in self.options.files
        epoch_heads = kind == "parsl" or self.era.epoch_heads
        path = self.path.joinpath(*below) if wanted else None
        log = Log(path, self.clock, epoch_heads=epoch_heads)
        self.logs[kind].append(log)
        return log

    def scope(self, **constants: object) -> Scope:
        """The era's words for a manager or a worker of this run."""
        return self.wording.scope(**self._constants, **constants)

    def thread_id(self) -> int:
        """A number like those that Python gives its threads."""
        return 139_000_000_000_000 + self.random.getrandbits(40) // 64 * 64

    def close(self) -> None:
        """Write all that has not been written."""
        self._write(1 << 62, least=1)
        self.database.close()

    def _write(self, until: int, least: int = 4096) -> None:
        """Write the logs of which enough waits to be written."""
        for logs in self.logs.values():
            for log in logs:
                if len(log.pending) >= least:
                    log.write(until)

    def _words(self) -> Scope:
        """The era's words for this run's own process and its interchange."""
        options = self.options
        day = int(options.run_number) * 86400 * SECOND
        self.started = int(self.wording.scope().constant("started")) * SECOND + day + 508034
        self.began = self.started + 56_000
        self._constants: dict[str, object] = {f"tid{n}": self.thread_id() for n in range(6)}
        pids = ("pid", "dbm_pid", "router_pid", "radio_pid", "ic_pid")
        self._constants |= {name: next(self.pids) for name in pids}
        self._constants |= {
            "run_id": self.run_id,
            "run_dir": options.rundir,
            "label": options.label,
            "home": HOME,
            "user": USER,
            "login": LOGIN_HOST,
            "cores": CORES,
            "memory": MEMORY,
            "workflow": WORKFLOW_NAME,
            "workflow_version": self.clock.second(self.began // SECOND),
            "began_repr": self.clock.repr(self.began),
            "blocks": options.blocks,
            "nodes": -(-options.managers // options.blocks),
            "workers_per_node": -(-options.workers // options.managers),
        }
        return self.wording.scope(**self._constants)
