"""WfFormat: what WfCommons says of a run of Pegasus, Nextflow, Snakemake, Makeflow and others.

    {"name": …, "schemaVersion": "1.5", "runtimeSystem": {…}, "workflow": {
      "specification": {"tasks": [{"name", "id", "parents", "children", "inputFiles", …}], "files"},
      "execution": {"makespanInSeconds", "executedAt", "tasks": [{"id", "runtimeInSeconds", …}],
                    "machines": […]}}}

Versions 1.5 and 1.6, and 1.4, where all of a task stands in one place, `workflow.tasks`, and tasks
refer to each other by name. The file is read twice: first what is said elsewhere of a task, which
is kept on disk, then the tasks.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnpcsql.errors import UnreadableError
from dnpcsql.importers.context import Context
from dnpcsql.importers.json_stream import MalformedError, Pull
from dnpcsql.importers.kept import Kept
from dnpcsql.importers.unpacked import opened, unpacked_head
from dnpcsql.importers.wfformat_records import Workflow
from dnpcsql.records import Problem, Record

VERSIONS = ("1.4", "1.5", "1.6")

_WORKFLOW = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{.*"workflow"\s*:\s*\{', re.DOTALL)
_SIGNS = (b'"schemaVersion"', b'"specification"', b'"makespanInSeconds"')
_SAID = frozenset({"name", "description", "createdAt", "schemaVersion", "runtimeSystem", "wms"})
_SAID_OF_RUN = frozenset({"makespanInSeconds", "executedAt", "makespan"})
_VALUE_LIMIT = 16 << 20  # characters that are said of one task


def recognises(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is WfFormat."""
    text = unpacked_head(head)
    if not text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return False
    version = b'"schemaVersion"' in text and (b'"runtimeSystem"' in text or b'"wms"' in text)
    return version or (_WORKFLOW.match(text) is not None and any(sign in text for sign in _SIGNS))


def wfformat(path: Path, context: Context) -> Iterator[Record]:
    """A run, its machines and its tasks. Raises UnreadableError for a version not known."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(opened(path))
        kept = Kept()
        stack.callback(kept.close)
        facts = _Facts(kept)
        damage = _walk(Pull(file.fileno()), facts)
        version = facts.said.get("schemaVersion")
        if version is not None and version not in VERSIONS:
            raise UnreadableError(
                f"{path}: WfFormat {str(version)[:20]} is not known, {', '.join(VERSIONS)} are; "
                "WfFormat's own wfcommons-migrate-instance.py makes it newer"
            )
        if not facts.tasks:
            raise UnreadableError(f"{path}: no WfFormat: there are no workflow tasks in it")
        workflow = Workflow(facts.said, kept, context)
        yield from workflow.run(facts.machines)
        yield from _Tasks(workflow).read(Pull(file.fileno()))
        yield from workflow.finish()
        if damage is not None:
            yield Problem(workflow.tasks, "malformed JSON", damage)
        yield workflow.tally()


class _Facts:
    """The first reading: all but the specification of tasks."""

    def __init__(self, kept: Kept) -> None:
        self.said: dict[str, Any] = {}
        self.machines: list[Any] = []
        self.tasks = 0
        self._kept = kept

    def said_of(self, key: str, value: Any) -> None:
        """A fact of the whole run."""
        self.said[key] = value

    def specified(self, task: Any) -> None:
        """Of a task, by which names others refer to it."""
        self.tasks += 1
        if isinstance(task, dict):
            key = task.get("id") or task.get("name")
            for reference in (task.get("id"), task.get("name")):
                if isinstance(reference, str) and self._kept[f"ref {reference}"] is None:
                    self._kept[f"ref {reference}"] = str(key)

    def executed(self, task: Any) -> None:
        """How a task ran."""
        if isinstance(task, dict) and "id" in task:
            self._kept[f"run {task['id']}"] = json.dumps(task)

    def file(self, file: Any) -> None:
        """How large a file is."""
        if isinstance(file, dict) and "id" in file:
            self._kept[f"file {file['id']}"] = json.dumps(file.get("sizeInBytes"))

    def machine(self, machine: Any) -> None:
        """A machine; there are not many."""
        if len(self.machines) < 100_000:
            self.machines.append(machine)


def _walk(pull: Pull, facts: _Facts) -> str | None:
    """Read a document, and say what damage ended it, if any."""
    try:
        for key in pull.members():
            if key == "workflow" and pull.peek() == "{":
                _walk_workflow(pull, facts)
            elif key in _SAID:
                facts.said_of(key, pull.value(_VALUE_LIMIT))
            else:
                pull.skip()
    except MalformedError as error:
        return str(error)
    return None


def _walk_workflow(pull: Pull, facts: _Facts) -> None:
    for key in pull.members():
        if key in ("specification", "execution") and pull.peek() == "{":
            for inner in pull.members():
                _walk_part(pull, facts, key, inner)
        else:
            _walk_part(pull, facts, "specification", key)


def _walk_part(pull: Pull, facts: _Facts, part: str, key: str) -> None:
    of_tasks = facts.executed if part == "execution" else facts.specified
    take = {"tasks": of_tasks, "files": facts.file, "machines": facts.machine}.get(key)
    if take is not None and pull.peek() == "[":
        for _ in pull.elements():
            take(pull.value(_VALUE_LIMIT))
    elif key in _SAID_OF_RUN:
        facts.said_of(key, pull.value(_VALUE_LIMIT))
    else:
        pull.skip()


class _Tasks:
    """The second reading: the specification of tasks."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    def read(self, pull: Pull) -> Iterator[Record]:
        """The records of all tasks, until the end or the damage, which was told of before."""
        with contextlib.suppress(MalformedError):
            for key in pull.members():
                if key == "workflow" and pull.peek() == "{":
                    for inner in pull.members():
                        yield from self._part(pull, inner)
                else:
                    pull.skip()

    def _part(self, pull: Pull, key: str) -> Iterator[Record]:
        if key == "specification" and pull.peek() == "{":
            for inner in pull.members():
                yield from self._part(pull, inner)
        elif key == "tasks" and pull.peek() == "[":
            for _ in pull.elements():
                yield from self._workflow.task(pull.value(_VALUE_LIMIT))
        else:
            pull.skip()
