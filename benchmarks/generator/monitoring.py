"""What monitoring.db is told of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .logs import SECOND
from .options import CORES, LOGIN_HOST, MEMORY, USER, WORKFLOW_NAME

if TYPE_CHECKING:
    from .plan import Task
    from .run import Run
    from .worker import Manager, Worker


class Monitoring:
    """Writes the rows of one run."""

    def __init__(self, run: Run) -> None:
        """Write to the run's database, in its local time."""
        self.tries = 0
        self._run = run
        self._run_id = run.run_id
        self._label = run.options.label
        self._add = run.database.add
        self._text = run.clock.text
        self._first_row = run.database.first_task_row

    def status(self, time: int, task: Task, state: str) -> None:
        """Tell of a task's new state."""
        self._add("status", task.id, state, self._text(time), self._run_id, task.try_id)

    def attempt(
        self, task: Task, returned: int, error: str = "", worker: Worker | None = None
    ) -> None:
        """Tell of a try that ended, on a worker if it got that far."""
        self.tries += 1
        block = host = running = launched = None
        if worker is not None:
            block, host = worker.manager.block, worker.manager.host
            running = self._text(worker.running)
        if task.launched:
            launched = self._text(task.launched)
        key = (task.try_id, task.id, self._run_id)
        times = (launched, running, self._text(returned))
        self._add("try", *key, block, host, self._label, *times, error, None)

    def measured(self, worker: Worker) -> None:
        """Tell what the worker's monitor saw of a try: its start, a sample, its end."""
        task = worker.task
        self.status(worker.running, task, "running")
        self.status(worker.ended, task, "running_ended")
        used = task.executor_id % 4096
        resident = 118e6 + used * 4096
        key = (task.try_id, task.id, self._run_id, self._text(worker.ended - 900))
        cpu = (round(worker.cpu, 2), round(0.15 + worker.cpu / 50, 2))
        memory = (resident + 181e6, resident)
        disk = (15406010.0 + used * 417.0, 8303.0 + used * 12.0)
        state = ("sleeping", str(worker.number), 72.0 + used, 763.0 + used)
        share = resident / MEMORY * 100
        self._add("resource", *key, 30.0, worker.pid, share, 1.0, *cpu, *memory, *disk, *state)

    def task(self, task: Task, returned: int) -> None:
        """Tell of a task that ended, in the row that it has had since it was submitted."""
        depends = ",".join(map(str, task.depends))
        inputs = "None"
        if task.app == "reduce":
            inputs = str([{"value": number} for number in task.depends])
        memo = ("1" if task.hash else "0", task.hash)
        times = (self._text(task.invoked), self._text(returned))
        failures = (task.failures, float(task.failures))
        key = (self._first_row + task.id, task.id, self._run_id)
        files = (inputs, "None", None, "", "")
        self._add("task", *key, depends, task.app, *memo, *files, *times, *failures)

    def node(self, time: int, manager: Manager) -> None:
        """Tell of a manager."""
        which = (self._run_id, manager.host, manager.uid, manager.block, CORES, MEMORY)
        state = (int(manager.active), len(manager.workers), "3.11.7")
        self._add("node", *which, *state, self._text(time), self._text(manager.heard))

    def block(self, time: int, block: str, job: int, status: str) -> None:
        """Tell of a block's new status."""
        self._add("block", self._run_id, self._label, block, str(job), self._text(time), status)

    def workflow(self, completed: int, succeeded: int, failed: int) -> None:
        """Tell of the whole."""
        began = self._run.began
        version = self._run.clock.second(began // SECOND)
        times = (self._text(began), self._text(completed))
        where = (LOGIN_HOST, USER, self._run.options.rundir)
        name = (self._run_id, WORKFLOW_NAME, version)
        self._add("workflow", *name, *times, *where, failed, succeeded)
