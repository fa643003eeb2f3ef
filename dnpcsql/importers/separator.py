"""Whose a record is, in a parsl.log into which several kernels wrote.

Two passes: the first learns which threads are whose and which starts and ends belong together,
the second tells. What cannot be told apart is None.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from dnpcsql.importers.context import Context
from dnpcsql.importers.kernel_tasks import TERMINAL
from dnpcsql.importers.wordings import Message

# {'python_version': '3.11.7', …, 'run_id': 'cc55368f-7e64-466f-9ce9-19dd3371b141', …}
_RUN_ID = re.compile(r"'run_id': '([^']+)'")

# Messages that name an executor, and the place of its label among their parts.
_LABELLED = {
    "launched": 3, "launched_then": 2, "block_launched": 2, "block_launched_now": 1, "scaling": 1,
    "executor": 1, "shutting_down": 1,
}  # fmt: skip
_SUBMITTING = frozenset({"submitted", "initial"})
_ENDING = frozenset({"gave_up", "dependency_failed"})


class Separator:
    """Tells the kernels of one log apart."""

    def __init__(self, own: str, context: Context) -> None:
        self._runs = {own: context.labels, **dict(context.overlapping)}
        self._own = own
        self._queues = {queue.pid for queue in context.queues}
        labels = Counter(label for found in self._runs.values() for label in found)
        self._labels = {
            label: run for run, found in self._runs.items() for label in found if labels[label] == 1
        }
        self._adds: dict[str, set[str]] = defaultdict(set)
        self._choices: dict[str, set[str]] = defaultdict(set)
        self._numbering: set[str] = set()
        self._votes: dict[str, Counter[str]] = defaultdict(Counter)
        self._by_line: dict[int, str] = {}
        self.names_kernels = False
        self._begin()

    def _begin(self) -> None:
        self._next: dict[str, int] = {}
        self._current: dict[str, tuple[str, str]] = {}
        self._live: dict[str, set[str]] = defaultdict(set)
        self._last: dict[str, str] = {}
        self._open: dict[str, list[int]] = defaultdict(list)
        self._starting: str | None = None

    def second_pass(self) -> None:
        """Forget where the first pass stood, but not what it learned: a label is a kernel's that
        alone chose it. (Of threads each kernel has some, by the same label.)"""
        for label, runs in self._choices.items():
            if len(runs) == 1 and label in self._numbering:
                self._labels.setdefault(label, *runs)
        self._begin()

    def owner(self, message: Message) -> str | None:
        """The run id that a record belongs to."""
        at, name, match = message
        if at.kernel is not None:
            return self._named(message, at.kernel)
        if at.line in self._by_line:
            return self._by_line[at.line]
        if name == "executor" and self._starting is not None:
            self._learn(match[1], self._starting)
        if name == "launched" and match[4] is not None:
            self._numbering.add(match[3])
        if name in _LABELLED:
            run = self._labels.get(match[_LABELLED[name]])
            if run is not None:
                self._labelled(at.thread, name, run)
            else:
                run = self._by_thread(at.thread)
        elif name == "chosen":
            return self._chosen(at.thread, match[1], match[2])
        elif name in ("run_id", "started", "version", "workflow_information", "cleanup"):
            return self._of_run(message)
        elif name == "result_thread":
            run = self._starting
            if run is not None:
                self._votes[at.thread][run] += 1
        elif name == "block_marked" or name == "block_launched_then":
            run = self._by_thread(at.thread) or self._last.get(at.thread)
        elif name in ("queued", "queue_completed"):
            run = self._own if at.process_id() in self._queues else None
        elif name in ("reraised", "bad_state"):
            run = self._by_thread(at.thread) or self._own
        else:
            return self._of_task(message)
        if name.startswith("launched") and run is not None:
            self._live[match[1]].add(run)
        return run

    def _named(self, message: Message, run: str) -> str:
        """JSON names the kernel of a record that changes a task's state, or launches a try."""
        at, name, match = message
        self.names_kernels = True
        self._runs.setdefault(run, ())
        if name == "workflow_information":
            return run
        self._votes[at.thread][run] += 1
        if name == "changed" and match[3] in TERMINAL:
            self._live[match[1]].discard(run)
        else:
            self._live[match[1]].add(run)
        return run

    def _learn(self, label: str, run: str) -> None:
        """A kernel adds an executor: then the label is that kernel's, if no other has it."""
        self._adds[label].add(run)
        if len(self._adds[label]) > 1:
            self._labels.pop(label, None)
        elif not any(label in labels for other, labels in self._runs.items() if other != run):
            self._labels[label] = run

    def _labelled(self, thread: str, name: str, run: str) -> None:
        self._votes[thread][run] += 1
        self._last[thread] = run
        if name == "shutting_down":
            for line in self._open.pop(f"cleanup {thread}", ()):
                self._by_line[line] = run

    def _by_thread(self, thread: str) -> str | None:
        """The kernel of a thread of which every record that could be told was one kernel's."""
        votes = self._votes.get(thread)
        if votes:
            return next(iter(votes)) if len(votes) == 1 else None
        if thread.startswith("HTEX-") and len(self._runs) == 2 and self._own_started():
            # The own kernel's result threads announced themselves: this is the other's.
            return next(run for run in self._runs if run != self._own)
        return None

    def _own_started(self) -> bool:
        return any(
            self._own in votes and thread.startswith("HTEX-")
            for thread, votes in self._votes.items()
        )

    def _chosen(self, thread: str, task: str, label: str) -> str | None:
        """`Task 5 will be sent to executor threads`: a kernel numbers its tasks in order."""
        number = int(task)
        run = self._labels.get(label)
        if run is None:
            possible = [run for run in self._runs if self._next.get(run, number) == number]
            known = [run for run in possible if run in self._next]
            candidates = known if len(known) == 1 else possible
            run = candidates[0] if len(candidates) == 1 else None
        if run is not None:
            self._choices[label].add(run)
            self._next[run] = max(number + 1, self._next.get(run, 0))
            self._current[thread] = (task, run)
            self._starting = None if self._starting == run else self._starting
        return run

    def _of_task(self, message: Message) -> str | None:
        at, name, match = message
        task = match[1]
        current = self._current.get(at.thread)
        if name in _SUBMITTING and current is not None and current[0] == task:
            self._live[task].add(current[1])
            return current[1]
        run = self._by_thread(at.thread)
        if run is None:
            live = self._live[task]
            if len(live) != 1:
                return None
            run = next(iter(live))
            self._votes[at.thread][run] += 1
        if name in _ENDING or (name in ("changed", "completed") and match[3] in TERMINAL):
            self._live[task].discard(run)
        return run

    def _of_run(self, message: Message) -> str | None:
        """Starts and ends: whose they are is said by what follows on the same thread."""
        at, name, match = message
        if name == "workflow_information":
            found = _RUN_ID.search(match[2])
            return found[1] if found else None
        if name == "run_id":
            for line in self._open.pop(f"start {at.thread}", ()):
                self._by_line[line] = match[1]
            self._runs.setdefault(match[1], ())
            self._starting = match[1]
            self._next[match[1]] = 0
            return match[1]
        if name == "cleanup":
            if match[1] != "initiated":
                return self._last.get(at.thread)
            self._open[f"cleanup {at.thread}"].append(at.line)
            self._last.pop(at.thread, None)
            return None
        self._open[f"start {at.thread}"].append(at.line)
        return None
