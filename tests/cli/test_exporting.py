"""`dnpcsql export otlp` and `dnpcsql task --trace-id`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.cli.conftest import Run
from tests.peers.collector import collecting

TRACE = "71d4a7516867449fb8936b653903b644"


def test_a_run_is_sent_and_told_of_in_a_line(killed: Run) -> None:
    with collecting() as collector:
        ran = killed("export", "otlp", "last", "--endpoint", f"{collector.url}/v1/traces")
        assert ran.out == (
            f"23 tasks: one trace for the run, http://127.0.0.1:16686/trace/{TRACE}\n"
        )
        assert ran.err == f"{collector.count()} spans, 250 events, 2 links in 1 request\n"
        assert ran.status == 0


def test_a_trace_for_each_task(killed: Run, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    ran = killed("export", "otlp", "--trace-per", "task", "--output", out)
    assert ran.out == f"23 tasks: 24 traces, the run's {TRACE}\n"
    shown = killed("task", "last", "5", "--trace-id").out.strip()
    traces = {
        span["traceId"]
        for line in out.read_text().splitlines()
        for one in json.loads(line)["resourceSpans"]
        for part in one["scopeSpans"]
        for span in part["spans"]
        if {"key": "parsl.task.id", "value": {"intValue": "5"}} in span["attributes"]
    }
    assert traces == {shown}


def test_a_file_of_protobuf(killed: Run, tmp_path: Path) -> None:
    out = tmp_path / "run.pb"
    assert killed("export", "otlp", "--output", out).status == 0
    assert TracesData.FromString(out.read_bytes()).resource_spans


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nosuch"], "no run nosuch"),
        (["f" * 32], f"no trace {'f' * 32} here"),
        (["--output", "run.txt"], "--output run.txt: name it FILE.jsonl (OTLP/JSON) or FILE.pb"),
        (["--output", "no/such/run.pb"], "no/such/run.pb cannot be written: No such file"),
        (["--output", "run.pb", "--endpoint", "http://x"], "goes without --endpoint"),
        (["--output", "x.pb", "--verify", "http://x"], "--verify has nothing to count"),
        (["--endpoint", "ftp://x"], "endpoint ftp://x: write it as http://HOST:PORT"),
        (["--where", "nam = 1", "--output", "x.pb"], "--where nam = 1: no such column: nam"),
        (["--output", "a.pb"], "a.pb cannot be written: it is a directory"),
        (["--where", "count(*) > 0", "--output", "x.jsonl"], "misuse of aggregate"),
        (["--where", "1) --", "--output", "x.pb"], "--where 1) --: "),
    ],
)
def test_what_is_wrong_is_told(
    killed: Run, options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "a.pb" in options:
        (tmp_path / "a.pb").mkdir()
    ran = killed("export", "otlp", *options)
    if "a.pb" in options:
        (tmp_path / "a.pb").rmdir()
    assert (ran.status, ran.out) == (1, "")
    assert words in ran.err
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.pb"))


def test_nobody_listens(killed: Run) -> None:
    ran = killed("export", "otlp", "--endpoint", "http://127.0.0.1:9")
    assert ran.status == 1
    assert "nothing listens at http://127.0.0.1:9 (grpc): start it" in ran.err


def test_nothing_chosen_is_nothing_sent(killed: Run, tmp_path: Path) -> None:
    ran = killed("export", "otlp", "--where", "0", "--output", tmp_path / "none.jsonl")
    assert ran.out == "0 spans: 0 traces\n"
