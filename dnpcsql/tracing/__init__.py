"""Spans from inside Parsl's apps, tied to the tasks that run them.

    import dnpcsql.tracing

    @parsl.python_app
    @dnpcsql.tracing.traced("/shared/traces")
    def work(number):
        with dnpcsql.tracing.span("read"):      # or any OpenTelemetry instrumentation
            ...

    dnpcsql.tracing.set_up("/shared/traces")     # in the script: its own spans

Each process writes a file of its own, a line as soon as a span ends: a database shared by many
hosts is not safe, a worker that is killed flushes nothing, and a process that was forked must not
go on with its parent's. `dnpcsql import /shared/traces runinfo` reads them with the run.
"""

from dnpcsql.tracing.apps import traced
from dnpcsql.tracing.exporters import FileExporter, StoreExporter
from dnpcsql.tracing.process import Task, current_task, set_up, span

__all__ = ["FileExporter", "StoreExporter", "Task", "current_task", "set_up", "span", "traced"]
