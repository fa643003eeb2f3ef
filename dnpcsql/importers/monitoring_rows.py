"""The rows of monitoring.db → records, a method a table, its columns as arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dnpcsql.identity import MONITORING, Names
from dnpcsql.importers.context import RunClocks
from dnpcsql.records import Containment, Event, Link, Problem, Record, Sample, Span

# In the order in which they are read: a run's bounds are known before its rows.
COLUMNS = {
    "workflow": (
        "run_id", "workflow_name", "workflow_version", "time_began", "time_completed", "host",
        "user", "rundir", "tasks_failed_count", "tasks_completed_count",
    ),
    "task": (
        "run_id", "task_id", "task_depends", "task_func_name", "task_memoize", "task_hashsum",
        "task_inputs", "task_outputs", "task_stdin", "task_stdout", "task_stderr",
        "task_time_invoked", "task_time_returned", "task_fail_count", "task_fail_cost",
    ),
    "try": (
        "run_id", "task_id", "try_id", "block_id", "hostname", "task_executor",
        "task_try_time_launched", "task_try_time_running", "task_try_time_returned",
        "task_fail_history", "task_joins",
    ),
    "status": ("run_id", "task_id", "try_id", "task_status_name", "timestamp"),
    "resource": ("run_id", "task_id", "try_id", "timestamp"),
    "block": ("run_id", "executor_label", "block_id", "job_id", "timestamp", "status"),
    "node": (
        "run_id", "hostname", "uid", "block_id", "cpu_count", "total_memory", "active",
        "worker_count", "python_v", "timestamp", "last_heartbeat",
    ),
}  # fmt: skip
RESOURCE_KEY = frozenset(COLUMNS["resource"])

_TEXT_LIMIT = 4_000
_WORKER_STATES = frozenset({"running", "running_ended"})
_SAID_NOTHING = frozenset({"", "None", "[]"})

# ValueError('multi-line\n  message: one')
_EXCEPTION = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)$", re.DOTALL)


def to_json(**values: object) -> str | None:
    """A JSON object of the attributes that say something: `parsl_try_id=0` → `parsl.try.id`."""
    said = {
        name: value[:_TEXT_LIMIT] if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None
    }
    return json.dumps(said, ensure_ascii=False) if said else None


class Rows:
    """One database's rows; what is kept between them is by run, block and manager."""

    def __init__(self, clocks: Callable[[str, str | None], RunClocks]) -> None:
        self._find_clocks = clocks
        self._clocks: dict[str, RunClocks] = {}
        self._names: dict[str, Names] = {}
        self._readers: dict[tuple[str, str, str | None], Callable[[str], int]] = {}
        self._bounds: dict[str, tuple[int | None, int | None]] = {}
        self._blocks: set[str] = set()
        self._managers: dict[str, tuple[Any, ...]] = {}
        self.metrics: tuple[str, ...] = ()

    def hosts_differ(self) -> bool:
        """Whether any run here had workers in another zone."""
        return any(clocks.differ() for clocks in self._clocks.values())

    def problems(self) -> Iterator[Problem]:
        """What is to be said of the runs as a whole."""
        for run_id, clocks in self._clocks.items():
            if clocks.submit.how.startswith("nothing known"):
                yield Problem(
                    None,
                    "no zone",
                    f"run {run_id}: nothing tells the zone of its times, UTC is taken; "
                    "import again with --timezone TZ",
                )

    def workflow(
        self, line: int, run_id: str, name: Any, version: Any, began: Any, completed: Any,
        host: Any, user: Any, rundir: Any, failed: Any, done: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A run."""
        self._clocks[run_id] = self._find_clocks(run_id, rundir)
        start = self._time("workflow", run_id, began)
        end = self._time("workflow", run_id, completed)
        self._bounds[run_id] = (start, end)
        names = self._of(run_id)
        uuid = names.workflow()
        attributes = to_json(
            **{
                "parsl.workflow.version": version,
                "host.name": host,
                "user.name": user,
                "parsl.rundir": rundir,
                "parsl.tasks.failed": failed,
                "parsl.tasks.completed": done,
            }
        )
        return [
            Span(
                uuid, "parsl.monitoring.workflow", names.trace_high, name=name,
                start_unix_nano=start, end_unix_nano=end, attributes=attributes, line=line,
            ),
            *_moments(uuid, line, began=start, completed=end),
        ]  # fmt: skip

    def task(
        self, line: int, run_id: str, task_id: int, depends: Any, app: Any, memoize: Any,
        hashsum: Any, inputs: Any, outputs: Any, stdin: Any, stdout: Any, stderr: Any,
        invoked: Any, returned: Any, fail_count: Any, fail_cost: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A task, and what it depends on."""
        names = self._of(run_id)
        uuid, run = names.task(task_id), names.workflow()
        start = self._time("task", run_id, invoked)
        end = self._time("task", run_id, returned)
        attributes = to_json(
            **{
                "parsl.task.memoize": True if memoize == "1" else None,
                "parsl.task.hashsum": hashsum,
                "parsl.task.inputs": _said(inputs),
                "parsl.task.outputs": _said(outputs),
                "parsl.task.stdin": _said(stdin),
                "parsl.task.stdout": _said(stdout),
                "parsl.task.stderr": _said(stderr),
                "parsl.task.fail_count": fail_count or None,
                "parsl.task.fail_cost": fail_cost or None,
            }
        )
        return [
            Span(
                uuid, "parsl.monitoring.task", names.trace_high, parent_uuid=run, name=app,
                start_unix_nano=start, end_unix_nano=end, attributes=attributes, line=line,
            ),
            Containment(run, uuid),
            *_moments(uuid, line, invoked=start, returned=end),
            *_links(uuid, "depends_on", depends, names),
        ]  # fmt: skip

    def attempt(
        self, line: int, run_id: str, task_id: int, try_id: int, block: Any, host: Any,
        executor: Any, launched: Any, running: Any, returned: Any, history: Any, joins: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A try. Its `launched` column is when launching was attempted: see the table status."""
        names = self._of(run_id)
        uuid, task = names.attempt(task_id, try_id), names.task(task_id)
        attempted = self._time("try launched", run_id, launched)
        end = self._time("try returned", run_id, returned)
        attributes = to_json(
            **{
                "parsl.executor.label": executor,
                "parsl.block.id": block,
                "host.name": host,
                "parsl.try.launch_attempted_unix_nano": attempted,
            }
        )
        records: list[Record] = [
            Span(
                uuid, "parsl.monitoring.try", names.trace_high, parent_uuid=task,
                end_unix_nano=end, status_message=history[:_TEXT_LIMIT] if history else None,
                status_code=2 if history else None, attributes=attributes, line=line,
            ),
            Containment(task, uuid),
        ]  # fmt: skip
        if history:
            moment = end or self._time("try running", run_id, running) or attempted
            records += _exception(uuid, line, history, moment)
        if joins:
            records += _links(task, "joins", joins, names)
        return records

    def status(
        self, line: int, host: Any, run_id: str, task_id: int, try_id: int, state: str, time: Any
    ) -> Sequence[Record]:
        """A try's change of state."""
        if state not in _WORKER_STATES:
            host = None
        return (
            Event(
                self._of(run_id).attempt(task_id, try_id),
                self._reader("status", run_id, host)(time),
                state,
                line,
            ),
        )

    def resource(
        self, line: int, host: Any, run_id: str, task_id: int, try_id: int, time: Any, *values: Any
    ) -> Sequence[Record]:
        """A reading of a try's process."""
        metrics = {
            name: value
            for name, value in zip(self.metrics, values, strict=True)
            if value is not None
        }
        return (
            Sample(
                self._of(run_id).attempt(task_id, try_id),
                self._reader("resource", run_id, host)(time),
                line,
                json.dumps(metrics),
            ),
        )

    def block(
        self, line: int, run_id: str, label: str, block_id: str, job: Any, time: Any, status: str
    ) -> Sequence[Record]:
        """A block's state, as it was polled."""
        names = self._of(run_id)
        uuid = names.block(label, str(block_id))
        event = Event(uuid, self._reader("block", run_id, None)(time), status, line)
        if uuid in self._blocks:
            return (event,)
        self._blocks.add(uuid)
        attributes = to_json(
            **{"parsl.executor.label": label, "parsl.block.id": block_id, "parsl.block.job_id": job}
        )
        return (
            Span(
                uuid, "parsl.monitoring.block", names.trace_high, parent_uuid=names.workflow(),
                name="block", attributes=attributes, line=line,
            ),
            Containment(names.workflow(), uuid),
            event,
        )  # fmt: skip

    def node(
        self, line: int, run_id: str, host: Any, uid: str, block_id: Any, cpus: Any, memory: Any,
        active: Any, workers: Any, python: Any, time: Any, heartbeat: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A manager's state; since 2025 two rows a task, so only what changed is kept of each."""
        names = self._of(run_id)
        uuid = names.manager(uid)
        now = (workers, heartbeat)
        before = self._managers.get(uuid)
        self._managers[uuid] = now
        changed = to_json(
            **{
                "parsl.manager.worker_count": workers if before and before[0] != workers else None,
                "parsl.manager.last_heartbeat_unix_nano": self._time("heartbeat", run_id, heartbeat)
                if before and before[1] != heartbeat
                else None,
            }
        )
        moment = self._reader("node", run_id, None)(time)
        event = Event(
            uuid, moment, "node_active" if active else "node_inactive", line, attributes=changed
        )
        if before is not None:
            return (event,)
        attributes = to_json(
            **{
                "parsl.manager.id": uid,
                "parsl.block.id": block_id,
                "host.name": host,
                "parsl.manager.cpu_count": cpus,
                "parsl.manager.total_memory": memory,
                "parsl.manager.worker_count": workers,
                "process.runtime.version": python,
            }
        )
        return (
            Span(
                uuid, "parsl.monitoring.manager", names.trace_high, parent_uuid=names.workflow(),
                name="manager", attributes=attributes, line=line,
            ),
            Containment(names.workflow(), uuid),
            event,
        )  # fmt: skip

    def _of(self, run_id: str) -> Names:
        names = self._names.get(run_id)
        if names is None:
            names = self._names[run_id] = Names(run_id, MONITORING)
        return names

    def _time(self, column: str, run_id: str, text: Any) -> int | None:
        return None if text is None else self._reader(column, run_id, None)(text)

    def _reader(self, column: str, run_id: str, host: str | None) -> Callable[[str], int]:
        """A run's reader of a column's times: each column has an order of its own."""
        key = (column, run_id, host)
        reader = self._readers.get(key)
        if reader is None:
            clocks = self._clocks.get(run_id)
            if clocks is None:
                clocks = self._clocks[run_id] = self._find_clocks(run_id, None)
            clock = clocks.submit if host is None else clocks.of_host(host)
            reader = self._readers[key] = clock.within(*self._bounds.get(run_id, (None, None))).reader()
        return reader


def _said(value: Any) -> Any:
    """None for the ways in which Parsl's columns say that there is nothing."""
    return None if value in _SAID_NOTHING else value


def _moments(uuid: str, line: int, **times: int | None) -> list[Event]:
    return [Event(uuid, time, type_, line) for type_, time in times.items() if time is not None]


def _links(uuid: str, type_: str, ids: Any, names: Names) -> list[Link]:
    """Parsl writes task ids as '3,17'; '' or NULL for none."""
    return [
        Link(uuid, names.task(int(number)), type_, place)
        for place, number in enumerate(str(ids or "").split(",") if ids else ())
    ]


def _exception(uuid: str, line: int, history: str, moment: int | None) -> list[Record]:
    """What made a try fail, as OpenTelemetry writes exceptions."""
    if moment is None:
        return [Problem(line, "no time", f"a failure without any time: {history[:100]}")]
    found = _EXCEPTION.match(history)
    attributes = to_json(
        **{
            "exception.type": found[1] if found else None,
            "exception.message": found[2] if found else history,
        }
    )
    return [Event(uuid, moment, "exception", line, attributes=attributes)]
