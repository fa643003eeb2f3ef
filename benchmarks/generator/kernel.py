"""The DataFlowKernel: it submits, launches and ends tasks, and tells monitoring.db of them."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from .executor import Executor
from .logs import Log, Voice
from .plan import RETRIES, Plan, Task
from .run import Run
from .worker import Worker


class Kernel:
    """The submitting process's three threads: of the workflow, for launching, for results."""

    def __init__(self, run: Run, plan: Plan, executor: Executor, log: Log) -> None:
        """Have tasks of a plan run by an executor."""
        self.run = run
        self.states: Counter[str] = Counter()
        self.main = Voice(log)
        self.results = Voice(log)
        self._launcher = Voice(log)
        self._words = run.words
        self._plan = plan
        self._executor = executor
        self._tell = run.monitoring
        self._unfinished: dict[int, Task] = {}
        self._errors: dict[int, str] = {}  # of tasks that failed
        self._cached: set[str] = set()  # hashes with a result
        self._submission_waits = False
        self._to_launch: deque[tuple[int, Task]] = deque()
        self._functions = {app: self._address() for app in ("", "reduce", "reference")}
        executor.kernel = self

    @property
    def ended(self) -> bool:
        """Whether all tasks have ended."""
        return self.states.total() == self.run.options.tasks

    # ---- MainThread ----

    def submit(self, time: int, _: Any) -> None:
        """Submit the next task, unless too many wait."""
        options = self.run.options
        if len(self._unfinished) >= options.outstanding:
            self._submission_waits = True
            return
        task = self._plan.next()
        speak, words = self.main.speak, self._words
        task.invoked = speak(words["submit"], time, task=task.id)
        for dependency in task.depends:
            time = speak(words["dependency"], time, task=task.id, dependency=dependency)
        time = speak(
            words["submitted"],
            time,
            task=task.id,
            app=task.app,
            waiting=_waiting(task.depends),
            address=self._address(),
        )
        self._tell.status(time + 25, task, "pending")
        self._unfinished[task.id] = task
        for number in task.depends:
            if (parent := self._unfinished.get(number)) is not None:
                parent.dependents.append(task)
                task.waiting += 1
        self._launch_if_ready(time + 60, task)
        if self._plan.submitted < options.tasks:
            self.run.at(time + 150, self.submit)

    # ---- Task-Launch_0 ----

    def _launch_if_ready(self, time: int, task: Task) -> None:
        """Have the launching thread look at a task."""
        self._to_launch.append((time, task))
        if len(self._to_launch) == 1:
            self.run.at(time, self._launch_next)

    def _launch_next(self, time: int, _: Any) -> None:
        """Look at the task that has waited longest for the launching thread."""
        _, task = self._to_launch[0]
        self._consider(time, task)
        self._to_launch.popleft()
        if self._to_launch:
            self.run.at(max(self._launcher.free + 30, self._to_launch[0][0]), self._launch_next)

    def _consider(self, time: int, task: Task) -> None:
        """Launch a task if it can be, or see that it never will be."""
        if task.begun:
            self._launcher.speak(self._words["not_pending"], time, task=task.id)
        elif task.waiting:
            self._launcher.speak(self._words["not_ready"], time, task=task.id)
        elif failed := [number for number in task.depends if number in self._errors]:
            self._dep_fail(time, task, failed)
        elif task.hash in self._cached:
            self._reuse(time, task)
        else:
            self._launch(time, task)

    def _launch(self, time: int, task: Task) -> None:
        """Give a task to the executor."""
        speak, words = self._launcher.speak, self._words
        task.begun = True
        memo = "memo_miss" if task.hash else "unmemoized"
        time = speak(words[memo], time, task=task.id, hash=task.hash)
        task.launched = time - 5
        self._executor.launches += 1
        task.executor_id = self._executor.launches
        function = self._functions.get(task.app, self._functions[""])
        time = speak(words["push"], time, task=task.id, app=task.app, function=function)
        self._tell.status(time + 30, task, "launched")
        self._executor.put(time + 60, task)
        time = speak(words["launched"], time, task=task.id, try_id=task.try_id, id=task.executor_id)
        speak(words["launcher_streams"], time, task=task.id)

    def _reuse(self, time: int, task: Task) -> None:
        """End a task with the result of an earlier one that had the same arguments."""
        speak, words = self._launcher.speak, self._words
        task.begun = True
        task.launched = time + 5
        time = speak(words["memo_hit"], time, task=task.id, hash=task.hash)
        returned = time + 5
        time = speak(words["memo_done"], time, task=task.id, hash=task.hash)
        self._tell.status(time + 20, task, "memo_done")
        time = speak(words["launcher_streams"], time + 30, task=task.id)
        self._tell.attempt(task, returned)
        self._end(time, task, "memo_done", returned + 3)

    def _dep_fail(self, time: int, task: Task, failed: list[int]) -> None:
        """End a task that depends on failed ones."""
        speak, words = self._launcher.speak, self._words
        task.begun = True
        causes = ", ".join(f"({self._errors[number]}, 'task {number}')" for number in failed)
        error = f"DependencyError([{causes}], {task.id})"
        time = speak(words["dependency_error"], time, task=task.id)
        if self.run.era.dep_fail_rows == 2:
            self._tell.status(time + 10, task, "dep_fail")
        returned = time + 40
        time = ended = speak(words["dep_fail"], returned, task=task.id, try_id=task.try_id)
        self._tell.status(time + 20, task, "dep_fail")
        time = speak(words["launcher_streams"], time + 30, task=task.id)
        task.failures += 1
        self._tell.attempt(task, returned, error)
        self._end(time, task, "dep_fail", ended + 10, error)

    # ---- HTEX-Result-Queue-Thread ----

    def result(self, time: int, worker: Worker) -> None:
        """Take a result from the executor."""
        task = worker.task
        time = self.results.speak(self._words["received"], time)
        self._tell.measured(worker)
        if task.failures_left:
            self._fail(time, task, worker)
        else:
            self._done(time, task, worker)

    def _done(self, time: int, task: Task, worker: Worker) -> None:
        """End a task that succeeded."""
        speak, words = self.results.speak, self._words
        returned = time + 5
        done = "done_stored" if task.hash else "done"
        time = speak(words[done], returned, task=task.id, hash=task.hash)
        self._tell.status(time + 20, task, "exec_done")
        time = speak(words["result_streams"], time + 30, task=task.id)
        self._tell.attempt(task, returned, "", worker)
        self._end(time, task, "exec_done", returned + 3)

    def _fail(self, time: int, task: Task, worker: Worker) -> None:
        """Try a task again that failed, or give it up."""
        speak, words = self.results.speak, self._words
        kind, message, error = task.error
        returned = time + 5
        time = speak(words["error"], returned, task=task.id, try_id=task.try_id, kind=kind)
        self._tell.attempt(task, returned, error, worker)
        task.failures += 1
        task.failures_left -= 1
        if task.try_id < RETRIES:
            self._retry(time, task)
            return
        time = speak(words["failed"], time, task=task.id, app=task.app, kind=kind, message=message)
        ended = time + 10
        self._tell.status(time + 20, task, "failed")
        time = speak(words["result_streams"], time + 30, task=task.id)
        self._end(time, task, "failed", ended, error)

    def _retry(self, time: int, task: Task) -> None:
        """Launch a task again."""
        speak, words = self.results.speak, self._words
        time = speak(words["fail_retryable"], time, task=task.id) + 20
        self._tell.status(time, task, "fail_retryable")
        task.try_id += 1
        time = speak(words["pending_again"], time, task=task.id) + 20
        self._tell.status(time, task, "pending")
        time = speak(words["retry"], time, task=task.id)
        time = speak(words["result_streams"], time, task=task.id)
        task.begun = False
        self._launch_if_ready(time + 60, task)

    # ---- all of them ----

    def _end(self, time: int, task: Task, state: str, returned: int, error: str = "") -> None:
        """Have a task end, well or with an error."""
        self._tell.task(task, returned)
        self.run.at(time, self._release, (task, state, error))

    def _release(self, time: int, ended: tuple[Task, str, str]) -> None:
        """Let those know of a task's end who waited for it."""
        task, state, error = ended
        self.states[state] += 1
        del self._unfinished[task.id]
        if error:
            self._errors[task.id] = error
        elif task.hash:
            self._cached.add(task.hash)
        for dependent in task.dependents:
            dependent.waiting -= 1
            self._launch_if_ready(time + 100, dependent)
        if self._submission_waits:
            self._submission_waits = False
            self.run.at(time + 200, self.submit)

    def _address(self) -> str:
        """Where in memory something lies."""
        return f"0x7f{self.run.random.getrandbits(36) * 16:010x}"


def _waiting(depends: tuple[int, ...]) -> str:
    """What parsl.log says of a task's dependencies."""
    if not depends:
        return "not waiting on any dependency"
    return "waiting on " + ", ".join(f"task {number}" for number in depends)
