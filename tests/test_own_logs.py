"""Logs of shapes that dnpcsql knows nothing of, with the TOML files that say how they look.

What comes of each is in tests/expected/own-log-*.txt, to be read by people beside the log.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.conftest import as_text, dump

LOGS = Path(__file__).resolve().parents[1] / "examples" / "own-logs"
PAIRS = {
    "bps": "bps-job.log",
    "measurements": "measurements.csv",
    "nextflow": "nextflow-trace.tsv",
    "nginx": "nginx-access.log",
    "sacct": "sacct.txt",
    "snakemake": "snakemake.log",
}

_SPANS = """
SELECT line, type, name, start_unix_nano AS start, end_unix_nano AS "end", status_code,
  status_message, attributes
FROM span ORDER BY line, uuid
"""
_EVENTS = """
SELECT event.line, span.type, span.name, event.type AS event, time_unix_nano AS time,
  event.attributes
FROM event JOIN span ON span.uuid = span_uuid ORDER BY time_unix_nano, event.line, event.type
"""
_SAMPLES = "SELECT line, time_unix_nano, name, value FROM sample_value ORDER BY line, name"
_PROBLEMS = "SELECT kind, line, text, count FROM problem ORDER BY line"
_MESSAGES = """
SELECT key AS message, json_extract(value, '$[0]') AS count, json_extract(value, '$[1]') AS known
FROM source, json_each(messages) ORDER BY key
"""
_QUESTIONS = (_SPANS, _EVENTS, _SAMPLES, _PROBLEMS, _MESSAGES)


@pytest.mark.parametrize("name", PAIRS)
def test_a_log_by_its_toml(store: Store, name: str, expected: Callable[[str, str], None]) -> None:
    store.import_(LOGS / PAIRS[name], importer=str(LOGS / f"{name}.toml"))
    answers = [store.query(question) for question in _QUESTIONS]
    expected(f"own-log-{name}", "\n".join(as_text(one.columns, one.all()) for one in answers))


def test_all_examples_are_here() -> None:
    assert {path.stem for path in LOGS.glob("*.toml")} == PAIRS.keys()


@pytest.mark.parametrize("name", PAIRS)
def test_importing_twice_changes_nothing(tmp_path: Path, name: str) -> None:
    made = []
    for times in (1, 2):
        with Store(tmp_path / f"{times}.sqlite3") as store:
            for _ in range(times):
                store.import_(LOGS / PAIRS[name], importer=str(LOGS / f"{name}.toml"))
            made.append(dump(store))
    assert made[0] == made[1]


def test_a_folder_is_read_but_for_what_is_not_meant(store: Store, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        'files = "*.log"\n[[span]]\nline = "{time} {job} done"\ntype = "job"\nkey = "{job}"\n'
        'event = "done"\n'
    )
    (tmp_path / "a.log").write_text("2026-11-22T11:00:00Z j1 done\n")
    (tmp_path / "b.log").write_text("2026-11-22T11:00:01Z j2 done\n")
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "core.log").write_bytes(b"\x7fELF\0\0\0")
    done = store.import_(tmp_path, importer=str(tmp_path / "my.toml"))
    assert [Path(source.path).name for source in done.added] == ["a.log", "b.log"]
    assert {Path(path).name for path in done.not_imported} == {"my.toml", "notes.txt", "core.log"}


def test_another_toml_reads_a_file_again(store: Store, tmp_path: Path) -> None:
    toml, log = tmp_path / "my.toml", tmp_path / "a.log"
    toml.write_text('[[span]]\nline = "{time} {job} done"\ntype = "job"\nkey = "{job}"\n')
    log.write_text("2026-11-22T11:00:00Z j1 done\n")
    store.import_(log, importer=str(toml))
    assert store.query("SELECT count(*) FROM event").value() == 0
    toml.write_text(toml.read_text() + 'event = "done"\n')
    assert store.import_(log, importer=str(toml)).added
    assert store.query("SELECT count(*) FROM event").value() == 1


def test_a_log_in_a_run_is_of_that_run_and_lies_in_its_tasks(store: Store, tmp_path: Path) -> None:
    run = tmp_path / "runinfo" / "000"
    run.mkdir(parents=True)
    (run / "parsl.log").write_text(
        "1795345200.000000 2026-11-22 11:00:00 MainProcess-1 MainThread-1 parsl.dataflow.dflow:1 "
        "__init__ INFO: Run id is: 71d4a751-6867-449f-b893-6b653903b644\n"
        "1795345200.000000 2026-11-22 11:00:00 MainProcess-1 MainThread-1 parsl.dataflow.dflow:2 "
        "submit INFO: Task 7 submitted for App work, not waiting on any dependency\n"
    )
    (run / "my.log").write_text("2026-11-22T11:00:00Z phase read of task 7\n")
    toml = tmp_path / "my.toml"
    toml.write_text(
        '[[span]]\nline = "{time} phase {phase} of task {task}"\ntype = "phase"\n'
        'key = "{task} {phase}"\nevent = "began"\nparsl = { task = "{task}" }\n'
    )
    store.import_(run / "parsl.log")
    store.import_(run / "my.log", importer=str(toml))
    assert store.query(
        "SELECT outer.type, outer.name, inner.type, inner.trace_id = outer.trace_id "
        "FROM subspan JOIN span AS outer ON outer.uuid = superspan_uuid "
        "JOIN span AS inner ON inner.uuid = subspan_uuid WHERE inner.type = 'phase'"
    ).all() == [("parsl.rundir.task", "work", "phase", 1)]


def test_what_failed_is_among_the_failures_with_its_key(store: Store, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        "[[span]]\nline = '{time} job {job} failed on {host}: {why}'\ntype = 'batch.job'\n"
        "key = '{job}'\nevent = 'failed'\nfailed = '{why}'\n"
    )
    (tmp_path / "jobs.log").write_text(
        "2026-11-22T09:45:58Z job 4711 failed on n1: singular matrix\n"
    )
    store.import_(tmp_path / "jobs.log", importer=str(tmp_path / "my.toml"))
    rows = store.query(
        "SELECT layer, message, failure.line, attributes FROM failure "
        "JOIN span ON span.uuid = failure.uuid"
    ).all()
    assert rows == [("log", "singular matrix", 1, '{"job": 4711}')]
