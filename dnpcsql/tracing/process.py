"""One process's provider of spans, and the task that it runs."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator

from dnpcsql.identity import ENTITY, RUN_DIGITS, Names
from dnpcsql.tracing.exporters import FileExporter

_SCOPE = "dnpcsql.tracing"
_lock = threading.Lock()
_drawn = random.SystemRandom()
_providers: dict[int, TracerProvider] = {}  # by process id: a forked one needs its own


class Task(NamedTuple):
    """Which task, and which try of it, runs."""

    run_id: str
    task_id: int
    try_id: int

    def context(self) -> trace.SpanContext:
        """The try as a span: its trace is the run's, its id computed from its name."""
        names = Names(self.run_id, ENTITY)
        return trace.SpanContext(
            int(names.trace_id, 16),
            int(names.attempt(self.task_id, self.try_id)[RUN_DIGITS:], 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        )


def set_up(
    directory: str | os.PathLike[str],
    *,
    service_name: str | None = None,
    attributes: Mapping[str, str | int] | None = None,
    batch: bool = False,
) -> TracerProvider:
    """Write the spans of this process to a file in a directory; a second call changes nothing.

    Becomes OpenTelemetry's provider where there is none; `span` and `traced` use it anyhow.
    `attributes` are added to those of the resource: `{"parsl.run.id": kernel.run_id}` ties a
    script's own spans to its run. `batch`: write now and then and at exit, which is faster and
    loses what a killed process had not written.
    """
    with _lock:
        provider = _providers.get(os.getpid())
        if provider is None:
            service = service_name or os.environ.get("OTEL_SERVICE_NAME", "parsl-app")
            provider = _new_provider(service, attributes or {})
            exporter = FileExporter(directory)
            processor = BatchSpanProcessor if batch else SimpleSpanProcessor
            provider.add_span_processor(processor(exporter))
            _providers.clear()
            _providers[os.getpid()] = provider
            if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
                trace.set_tracer_provider(provider)
        return provider


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[trace.Span]:
    """A span; inside a task and no other span, a child of the task's try.

    The try is known where Parsl's monitoring is on. Elsewhere, in a worker of HTEX, it is found
    when the worker's log is imported, by the worker and the time, and said to be inferred.
    """
    provider = _providers.get(os.getpid(), trace.get_tracer_provider())
    task = None if trace.get_current_span().is_recording() else current_task()
    around = contexts.get_current()
    if task is not None:
        attributes |= {
            "parsl.run.id": task.run_id,
            "parsl.task.id": task.task_id,
            "parsl.try.id": task.try_id,
        }
        around = trace.set_span_in_context(trace.NonRecordingSpan(task.context()), around)
    tracer = provider.get_tracer(_SCOPE)
    with tracer.start_as_current_span(name, around, attributes=attributes) as made:
        yield made


def current_task() -> Task | None:
    """The task that runs in this thread, if Parsl's monitoring is on.

    Its wrapper around the app knows the ids, and hands them to nobody: they are read from its
    frame.
    """
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "wrapped" and code.co_filename.endswith("parsl/monitoring/remote.py"):
            found = {key: frame.f_locals.get(key) for key in ("run_id", "task_id", "try_id")}
            try:
                return Task(str(found["run_id"]), int(found["task_id"]), int(found["try_id"]))  # type: ignore[arg-type]
            except (TypeError, ValueError):  # another Parsl, with other names
                return None
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return None


class _Ids(IdGenerator):
    """Span ids that begin with a letter. Those of the run's own begin with who tells of them, a
    number, and these spans lie in the run's trace.

    The operating system draws them: an app that calls `random.seed(42)`, as a simulation does to
    be repeatable, would draw the same ones in every task.
    """

    def generate_span_id(self) -> int:
        return _drawn.randrange(0xA << 60, 1 << 64)

    def generate_trace_id(self) -> int:
        return _drawn.randrange(1, 1 << 128)


def _new_provider(service_name: str, attributes: Mapping[str, str | int]) -> TracerProvider:
    worker: dict[str, str | int] = {}
    for attribute, variable in (
        ("parsl.manager.id", "PARSL_WORKER_POOL_ID"),
        ("parsl.worker.id", "PARSL_WORKER_RANK"),
        ("parsl.block.id", "PARSL_WORKER_BLOCK_ID"),
    ):
        if variable in os.environ:
            value = os.environ[variable]
            worker[attribute] = int(value) if attribute == "parsl.worker.id" else value
    said = {
        "service.name": service_name,
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
        **worker,
        **attributes,
    }
    return TracerProvider(resource=Resource.create(said), id_generator=_Ids())
