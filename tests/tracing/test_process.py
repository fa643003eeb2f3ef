"""Spans of a process: in a file of its own, whatever ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from dnpcsql.identity import ENTITY, Names
from dnpcsql.store import Store
from dnpcsql.tracing import FileExporter, StoreExporter, Task, current_task, traced
from tests.test_foreign_ties import RUN


def ran(place: Path, script: str, **environment: str) -> int:
    """Run a script in another process; what it ended with."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=place,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode


def documents(place: Path) -> list[dict[str, Any]]:
    return [
        element
        for path in sorted(place.glob("*.jsonl"))
        for line in path.read_text().splitlines()
        for element in json.loads(line)["resourceSpans"]
    ]


def names(place: Path) -> list[str]:
    with Store(place / "it.sqlite3") as store:
        store.import_(place / "traces")
        assert store.query("SELECT sum(problems) FROM source").value() == 0
        return [name for (name,) in store.query("SELECT name FROM span ORDER BY start_unix_nano")]


KILLED = """
import os, signal
from dnpcsql.tracing import set_up, span
set_up("traces", attributes={"extra": 1})
with span("first"):
    with span("second"):
        pass
with span("never ended"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_ended_before_a_kill_is_there(tmp_path: Path) -> None:
    worker = {"PARSL_WORKER_POOL_ID": "abc", "PARSL_WORKER_RANK": "3", "PARSL_WORKER_BLOCK_ID": "0"}
    assert ran(tmp_path, KILLED, **worker) == -signal.SIGKILL
    told = documents(tmp_path / "traces")[0]["resource"]["attributes"]
    resource = {one["key"]: next(iter(one["value"].values())) for one in told}
    assert resource["service.name"] == "parsl-app"
    assert resource["parsl.manager.id"] == "abc"
    assert (resource["parsl.worker.id"], resource["parsl.block.id"]) == ("3", "0")
    assert (resource["extra"], resource["host.name"]) == ("1", os.uname().nodename)
    assert names(tmp_path) == ["first", "second"]


def test_a_forked_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    script = """
    import os
    from opentelemetry import trace
    from dnpcsql.tracing import set_up, span
    set_up("traces")
    with span("parent"):
        pass
    if os.fork() == 0:
        # One knows of the fork, the other goes on with what it has.
        with trace.get_tracer("x").start_as_current_span("inherited"):
            pass
        set_up("traces")
        with span("child"):
            pass
        os._exit(0)
    os.wait()
    with span("parent again"):
        pass
    """
    assert ran(tmp_path, script) == 0
    assert len(list((tmp_path / "traces").iterdir())) == 3
    assert sorted(names(tmp_path)) == ["child", "inherited", "parent", "parent again"]


def test_an_app_that_seeds_its_random_numbers_draws_new_ids_all_the_same(tmp_path: Path) -> None:
    # A simulation seeds them to be repeatable, in each task anew.
    script = """
    import random
    from dnpcsql.tracing import set_up, span
    set_up("traces")
    for _ in range(2):
        random.seed(42)
        with span("simulate"):
            with span("step"):
                pass
        assert random.random() == random.Random(42).random()
    """
    assert [ran(tmp_path, script) for _ in range(2)] == [0, 0]
    spans = [
        one
        for element in documents(tmp_path / "traces")
        for scope in element["scopeSpans"]
        for one in scope["spans"]
    ]
    assert len(spans) == 8
    assert len({one["spanId"] for one in spans}) == 8
    assert len({one["traceId"] for one in spans}) == 4
    assert all(one["spanId"][0] in "abcdef" for one in spans)


def test_in_batches_all_is_there_at_the_end(tmp_path: Path) -> None:
    script = """
    from dnpcsql.tracing import set_up, span
    set_up("traces", batch=True, service_name="mine")
    for number in range(100):
        with span(f"{number:03}"):
            pass
    """
    assert ran(tmp_path, script) == 0
    assert len(documents(tmp_path / "traces")) == 1
    assert names(tmp_path) == [f"{number:03}" for number in range(100)]


def test_a_directory_that_cannot_be_does_not_stop_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(FileExporter(tmp_path / "file")))
    with provider.get_tracer("x").start_as_current_span("it"):
        pass
    assert "File exists" in capsys.readouterr().err


def test_a_try_is_a_span_whose_ids_its_name_makes() -> None:
    context = Task(RUN, 7, 1).context()
    assert f"{context.trace_id:032x}" == RUN.replace("-", "")
    assert f"{context.span_id:016x}" == Names(RUN, ENTITY).attempt(7, 1)[12:] == "0300000000070001"


def test_no_task_runs_here() -> None:
    assert current_task() is None


def test_an_app_goes_to_a_worker_whole(tmp_path: Path) -> None:
    """By dill, as Parsl sends it, and without the state of this module."""
    dill = pytest.importorskip("dill", reason="Parsl brings it")
    (tmp_path / "sender.py").write_text(
        textwrap.dedent("""
        import sys, dill
        from dnpcsql.tracing import set_up, span, traced
        set_up("traces")

        def work(number):
            from dnpcsql.tracing import span
            with span("inner"):
                return number + 1

        sent = dill.dumps(traced("traces")(work))
        assert len(sent) < 3_000, len(sent)
        open("sent", "wb").write(sent)
        """)
    )
    script = "import runpy; runpy.run_path('sender.py', run_name='__main__')"
    assert ran(tmp_path, script) == 0
    script = "import dill; assert dill.load(open('sent', 'rb'))(1) == 2"
    assert ran(tmp_path, script) == 0
    assert names(tmp_path) == ["work", "inner"]
    assert dill.__name__ == "dill"


def test_a_decorated_function_keeps_its_name() -> None:
    def work(number: int) -> int:
        """Words."""
        return number

    run = traced("traces")(work)
    assert (run.__name__, run.__doc__) == ("work", "Words.")


def test_spans_go_into_a_store(tmp_path: Path) -> None:
    exporter = StoreExporter(tmp_path / "dnpc.sqlite3")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("x")
    for name in ("one", "two"):
        with tracer.start_as_current_span(name, attributes={"list": [1, 2]}) as span:
            span.add_event("it")
    with Store(tmp_path / "dnpc.sqlite3") as store:
        sql = "SELECT name, line, path, attributes FROM span JOIN source ON source.id = source_id"
        source = exporter.source
        assert source.startswith("otlp://received/")
        assert store.query(f"{sql} ORDER BY line").all() == [
            ("one", 1, source, '{"list":[1,2]}'),
            ("two", 2, source, '{"list":[1,2]}'),
        ]
        assert store.query("SELECT count(*) FROM event").value() == 2
    provider.shutdown()
