"""The rows of monitoring.db → records, a method a table, its columns as arguments."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from dnpcsql.identity import MONITORING, Names
from dnpcsql.importers.attributes import encode
from dnpcsql.importers.monitoring_times import Times
from dnpcsql.importers.monitoring_values import (
    TEXT_LIMIT,
    exception,
    links,
    moments,
    needed,
    said,
    to_json,
)
from dnpcsql.records import Containment, Event, Record, Sample, Span

_WORKER_STATES = frozenset({"running", "running_ended"})


class Rows:
    """One database's rows; what is kept between them is by run, block and manager."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._of = functools.cache(functools.partial(Names, teller=MONITORING))
        self._blocks: set[str] = set()
        self._managers: dict[str, tuple[Any, ...]] = {}
        self.metrics: tuple[str, ...] = ()

    def workflow(
        self, line: int, run_id: str, name: Any, version: Any, began: Any, completed: Any,
        host: Any, user: Any, rundir: Any, failed: Any, done: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A run."""
        start, end = self._times.begin_run(needed(run_id, "run_id"), rundir, began, completed)
        names = self._of(run_id)
        uuid = names.workflow()
        attributes = to_json(
            {
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
            *moments(uuid, line, began=start, completed=end),
        ]  # fmt: skip

    def task(
        self, line: int, run_id: str, task_id: int, depends: Any, app: Any, memoize: Any,
        hashsum: Any, inputs: Any, outputs: Any, stdin: Any, stdout: Any, stderr: Any,
        invoked: Any, returned: Any, fail_count: Any, fail_cost: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A task, and what it depends on."""
        names = self._of(run_id)
        uuid, run = names.task(task_id), names.workflow()
        start = self._times.time("task", run_id, invoked)
        end = self._times.time("task", run_id, returned)
        attributes = to_json(
            {
                "parsl.task.memoize": True if memoize == "1" else None,
                "parsl.task.hashsum": hashsum,
                "parsl.task.inputs": said(inputs),
                "parsl.task.outputs": said(outputs),
                "parsl.task.stdin": said(stdin),
                "parsl.task.stdout": said(stdout),
                "parsl.task.stderr": said(stderr),
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
            *moments(uuid, line, invoked=start, returned=end),
            *links(uuid, "depends_on", depends, names),
        ]  # fmt: skip

    def attempt(
        self, line: int, run_id: str, task_id: int, try_id: int, block: Any, host: Any,
        executor: Any, launched: Any, running: Any, returned: Any, history: Any, joins: Any,
    ) -> Sequence[Record]:  # fmt: skip
        """A try. Its `launched` column is when launching was attempted: see the table status."""
        names = self._of(run_id)
        uuid, task = names.attempt(task_id, try_id), names.task(task_id)
        attempted = self._times.time("try launched", run_id, launched)
        end = self._times.time("try returned", run_id, returned)
        attributes = to_json(
            {
                "parsl.executor.label": executor,
                "parsl.block.id": block,
                "host.name": host,
                "parsl.try.launch_attempted_unix_nano": attempted,
            }
        )
        records: list[Record] = [
            Span(
                uuid, "parsl.monitoring.try", names.trace_high, parent_uuid=task,
                end_unix_nano=end, status_message=history[:TEXT_LIMIT] if history else None,
                status_code=2 if history else None, attributes=attributes, line=line,
            ),
            Containment(task, uuid),
        ]  # fmt: skip
        if history:
            moment = end or self._times.time("try running", run_id, running, host) or attempted
            records.append(exception(uuid, line, history, moment))
        if joins:
            records += links(task, "joins", joins, names)
        return records

    def status(
        self, line: int, host: Any, run_id: str, task_id: int, try_id: int, state: str, time: Any
    ) -> Sequence[Record]:
        """A try's change of state."""
        if not state:
            raise ValueError("no task_status_name")
        if state not in _WORKER_STATES:
            host = None
        return (
            Event(
                self._of(run_id).attempt(task_id, try_id),
                self._times.reader("status", run_id, host)(time),
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
                self._times.reader("resource", run_id, host)(time),
                line,
                encode(metrics),
            ),
        )

    def block(
        self, line: int, run_id: str, label: str, block_id: str, job: Any, time: Any, status: str
    ) -> Sequence[Record]:
        """A block's state, as it was polled."""
        names = self._of(run_id)
        uuid = names.block(needed(label, "executor_label"), needed(block_id, "block_id"))
        moment = self._times.reader("block", run_id, None)(time)
        event = Event(uuid, moment, needed(status, "status"), line)
        if uuid in self._blocks:
            return (event,)
        self._blocks.add(uuid)
        attributes = to_json(
            {"parsl.executor.label": label, "parsl.block.id": block_id, "parsl.block.job_id": job}
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
        uuid = names.manager(needed(uid, "uid"))
        now = (workers, heartbeat)
        before = self._managers.get(uuid)
        self._managers[uuid] = now
        changed: dict[str, object] = {}
        if before is not None and before[0] != workers:
            changed["parsl.manager.worker_count"] = workers
        if before is not None and before[1] != heartbeat:
            heard = self._times.time("heartbeat", run_id, heartbeat)
            changed["parsl.manager.last_heartbeat_unix_nano"] = heard
        moment = self._times.reader("node", run_id, None)(time)
        state = "node_active" if active else "node_inactive"
        event = Event(uuid, moment, state, line, attributes=to_json(changed))
        if before is not None:
            return (event,)
        attributes = to_json(
            {
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
