"""What WfFormat says of a run → records."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from dnpcsql.clock import LATEST, SECOND
from dnpcsql.identity import NAMED, Names, hexdigest
from dnpcsql.importers.attributes import to_json
from dnpcsql.importers.context import Context
from dnpcsql.importers.foreign_times import Times
from dnpcsql.importers.kept import Kept
from dnpcsql.records import Containment, Link, Problem, Record, Span, Tally

_LONGEST = 4_000
_MANY = 1_000  # files or arguments of one task that are kept

# cpuhog_chain_00000001   mProject_ID0000001   align-12
_NAME_LONGEST = 500
_NUMBERED = re.compile(r"(.*?[A-Za-z].*?)[_.-]?(?:ID)?\d+", re.ASCII)

# What tells one run from another.
_IDENTITY = ("name", "createdAt", "executedAt", "makespanInSeconds", "runtimeSystem", "wms")

# Of a task's execution: by 1.5's names and by 1.4's.
_NUMBERS = {
    "coreCount": "wfformat.cores", "cores": "wfformat.cores",
    "avgCPU": "wfformat.avg_cpu_percent",
    "readBytes": "wfformat.read_bytes", "writtenBytes": "wfformat.written_bytes",
    "memoryInBytes": "wfformat.memory_bytes",
    "energyInKWh": "wfformat.energy_kwh", "energy": "wfformat.energy_kwh",
    "avgPowerInW": "wfformat.avg_power_w", "avgPower": "wfformat.avg_power_w",
    "priority": "wfformat.priority",
}  # fmt: skip


class Workflow:
    """One run: turns what is said of it into records, a task at a time."""

    def __init__(self, said: dict[str, Any], kept: Kept, context: Context) -> None:
        """`kept`: `ref NAME` → the task that is called so, `run ID` → how it ran, `file ID` → its
        size. The run is told from others by its names and times."""
        self.tasks = 0
        self.understood = 0
        self._said = said
        self._kept = kept
        self._problems: list[Problem] = []
        told = [json.dumps(said.get(key), sort_keys=True) for key in _IDENTITY]
        self._names = Names(f"wfformat {hexdigest(32, *told)}", NAMED)
        self._uuid = self._names.named("wfformat.workflow")
        self._unzoned = context.clock.how.startswith("nothing known")
        self._times = Times(context.clock, None)
        self._read_time = self._times.reader()

    def run(self, machines: list[Any]) -> Iterator[Record]:
        """The run and its machines."""
        said = self._said
        system = said.get("runtimeSystem") or said.get("wms") or {}
        system = system if isinstance(system, dict) else {"name": system}
        start = self._time(said.get("executedAt"))
        lasted = self._number(said.get("makespanInSeconds"), "makespanInSeconds")
        attributes = {
            "wfformat.schema_version": said.get("schemaVersion"),
            "wfformat.description": said.get("description"),
            "wfformat.created_at": said.get("createdAt"),
            "wfformat.system": system.get("name"),
            "wfformat.system_version": system.get("version"),
            "wfformat.makespan_s": lasted,
        }
        yield Span(
            self._uuid, "wfformat.workflow", self._names.trace_high, name=_text(said.get("name")),
            start_unix_nano=start, end_unix_nano=_after(start, lasted),
            attributes=to_json(attributes, _LONGEST), line=1,
        )  # fmt: skip
        for machine in machines:
            yield from self._machine(machine)
        yield from self._told()

    def task(self, task: Any) -> Iterator[Record]:
        """A task, the tasks that it depends on, and the machines that it ran on."""
        self.tasks += 1
        try:
            yield from self._task(task)
            self.understood += 1
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
            self._problem("task not understood", f"{error}: {str(task)[:100]}")
        yield from self._told()

    def finish(self) -> Iterator[Record]:
        """What shows only when all was read."""
        if self._times.zoneless and self._unzoned:
            self._problem("no zone", "no time shows its zone, UTC is taken: --timezone TZ")
        yield from self._told()

    def tally(self) -> Tally:
        """How much was read and understood."""
        how = None if self._times.zoneless else "times show their zone"
        return Tally(self.tasks, self.tasks, self.understood, {}, utc_offset_how=how)

    def _task(self, task: dict[str, Any]) -> Iterator[Record]:
        key = task.get("id") or task["name"]
        uuid = self._names.named("wfformat.task", key)
        ran = json.loads(self._kept[f"run {key}"] or "null") or task
        start = self._time(ran.get("executedAt"))
        runtime = ran.get("runtimeInSeconds", ran.get("runtime"))
        lasted = self._number(runtime, "runtimeInSeconds")
        machines = _list(ran.get("machines") or ran.get("machine"))
        name = _text(task.get("name")) or str(key)
        attributes = {
            "wfformat.task.id": key,
            "wfformat.task.name": name,
            "wfformat.runtime_s": lasted,
            **self._command(ran.get("command")),
            "host.name": machines[0] if machines else None,
            "wfformat.machines": machines if len(machines) > 1 else None,
            **{ours: self._number(ran.get(its), its) for its, ours in _NUMBERS.items()
               if its in ran},
            **self._files(task),
        }  # fmt: skip
        numbered = _NUMBERED.fullmatch(name[-_NAME_LONGEST:])
        yield Span(
            uuid, "wfformat.task", self._names.trace_high, parent_uuid=self._uuid,
            name=_text(task.get("category")) or (numbered[1] if numbered else name),
            start_unix_nano=start, end_unix_nano=_after(start, lasted),
            attributes=to_json(attributes, _LONGEST), line=self.tasks,
        )  # fmt: skip
        yield Containment(self._uuid, uuid)
        for machine in machines:
            yield Containment(self._names.named("wfformat.machine", machine), uuid)
        for parent in _list(task.get("parents")):
            yield Link(uuid, self._named(parent), "depends_on")
        for child in _list(task.get("children")):
            yield Link(self._named(child), uuid, "depends_on")

    def _machine(self, machine: Any) -> Iterator[Record]:
        if not isinstance(machine, dict) or not machine.get("nodeName"):
            self._problem("machine not understood", str(machine)[:100])
            return
        cpu = machine.get("cpu")
        cpu = cpu if isinstance(cpu, dict) else {}
        attributes = {
            "host.name": machine["nodeName"],
            "host.arch": machine.get("architecture"),
            "os.type": machine.get("system"),
            "os.version": machine.get("release"),
            "wfformat.memory_bytes": machine.get("memoryInBytes"),
            "wfformat.cores": cpu.get("coreCount", cpu.get("count")),
            "wfformat.cpu_mhz": cpu.get("speedInMHz", cpu.get("speed")),
            "wfformat.cpu_vendor": cpu.get("vendor"),
        }
        uuid = self._names.named("wfformat.machine", machine["nodeName"])
        yield Span(
            uuid, "wfformat.machine", self._names.trace_high, parent_uuid=self._uuid,
            name="machine", attributes=to_json(attributes, _LONGEST), line=1,
        )  # fmt: skip
        yield Containment(self._uuid, uuid)

    def _files(self, task: dict[str, Any]) -> dict[str, object]:
        """The files of a task, and their sizes in all, where all are known."""
        inputs, outputs = _list(task.get("inputFiles")), _list(task.get("outputFiles"))
        sizes = {}
        for file in _list(task.get("files")):  # 1.4
            if isinstance(file, dict) and file.get("name"):
                name = f"{file.get('path') or ''}{file['name']}"
                (inputs if file.get("link") == "input" else outputs).append(name)
                sizes[name] = file.get("sizeInBytes", file.get("size"))
        found: dict[str, object] = {}
        for way, names in (("input", inputs), ("output", outputs)):
            if names:
                known: list[Any] = [sizes.get(name, self._size(name)) for name in names]
                found[f"wfformat.{way}_files"] = names[:_MANY]
                if all(type(size) in (int, float) for size in known):
                    found[f"wfformat.{way}_bytes"] = sum(known)
        return found

    def _size(self, name: Any) -> Any:
        return json.loads(self._kept[f"file {name}"] or "null")

    def _command(self, command: Any) -> dict[str, object]:
        if not isinstance(command, dict):
            return {}
        return {
            "process.executable.name": _text(command.get("program")),
            "process.command_args": _list(command.get("arguments"))[:_MANY] or None,
        }

    def _named(self, reference: Any) -> str:
        """The uuid of a task that another refers to, by its id or its name."""
        key = self._kept[f"ref {reference}"]
        if key is None:
            self._problem("no such task", f"one refers to {str(reference)[:100]!r}")
        return self._names.named("wfformat.task", reference if key is None else key)

    def _time(self, text: Any) -> int | None:
        if text is None:
            return None
        try:
            return self._read_time(str(text))
        except ValueError:
            self._problem("time not understood", str(text)[:100])
            return None

    def _number(self, value: Any, what: str) -> float | int | None:
        if value is None:
            return None
        if type(value) in (int, float) and 0 <= value < 2**62 and math.isfinite(value):
            number: int | float = value
            return number
        self._problem("no number", f"{what}: {str(value)[:100]}")
        return None

    def _problem(self, kind: str, text: str) -> None:
        self._problems.append(Problem(self.tasks, kind, text))

    def _told(self) -> list[Problem]:
        told, self._problems = self._problems, []
        return told


def _after(start: int | None, seconds: float | None) -> int | None:
    if start is None or seconds is None:
        return None
    end = start + round(seconds * SECOND)
    return end if end <= LATEST else None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _text(value: Any) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) and value else None
