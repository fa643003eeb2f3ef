"""Lines and TOML in, records out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dnpcsql.errors import UnreadableError
from dnpcsql.identity import ENTITY, NAMED, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.own import from_toml, watch
from dnpcsql.records import Containment, Event, Link, Problem, Record, Sample, Span, Tally

NOON = 1_795_345_200 * 10**9  # 2026-11-22T11:00:00Z

Read = Callable[..., list[Record]]
Kind = TypeVar("Kind")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Records of a log by a TOML, both given as text."""

    def run(toml: str, log: str | bytes, context: Context | None = None) -> list[Record]:
        (tmp_path / "my.toml").write_text(toml)
        path = tmp_path / "logs" / "run.log"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(log if isinstance(log, bytes) else log.encode())
        return list(from_toml(tmp_path / "my.toml").read(path, context or Context()))

    return run


def of(kind: type[Kind], records: list[Record]) -> list[Kind]:
    return [record for record in records if isinstance(record, kind)]


def problems(records: list[Record]) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.kind) for problem in of(Problem, records)]


def tally(records: list[Record]) -> Tally:
    (found,) = of(Tally, records)
    return found


JOBS = """\
[[span]]
line = "{time} job {job} {state} on {host}"
type = "batch.job"
key = "{job}"
event = "{state}"
"""


def test_events_of_spans_that_lines_name(read: Read) -> None:
    records = read(
        JOBS,
        "2026-11-22T11:00:00Z job 7 started on n1\n"
        "something else 12\n"
        "\n"
        "something else 13\n"
        "2026-11-22T11:00:05Z job 7 ended on n1\n",
    )
    names = Names("my", NAMED)
    uuid = names.named("batch.job", "7")
    assert records == [
        Span(
            uuid, "batch.job", names.trace_high, name="job", attributes='{"job": 7}', line=1
        ),
        Event(uuid, NOON, "started", 1, attributes='{"host": "n1"}'),
        Event(uuid, NOON + 5 * 10**9, "ended", 5, attributes='{"host": "n1"}'),
        Tally(
            5, 4, 2, {"something else N": (2, False)}, utc_offset_how="times show their zone"
        ),
    ]  # fmt: skip


def test_a_pattern_reads_what_a_form_cannot(read: Read) -> None:
    toml = JOBS.replace(
        'line = "{time} job {job} {state} on {host}"',
        r"pattern = '^(?P<time>\S+) \w+ (?P<job>\d+) (?P<state>started|ended)( on (?P<host>\w+))?'",
    )
    records = read(toml, "2026-11-22T11:00:00Z task 7 started\nx\n")
    assert [event.type for event in of(Event, records)] == ["started"]
    assert of(Event, records)[0].attributes is None


def test_the_zone_of_the_toml_and_who_overrules_it(read: Read) -> None:
    from dnpcsql import clock

    line = "2026-11-22 12:00:00 job 7 started on n1\n"
    assert [kind for _, kind in problems(read(JOBS, line))] == ["no zone"]
    toml = 'timezone = "Europe/Berlin"\n' + JOBS
    records = read(toml, line)
    assert of(Event, records)[0].time_unix_nano == NOON
    assert tally(records).utc_offset_how == "my.toml: timezone = Europe/Berlin"
    given = Context(clock=clock.named("UTC", "--timezone UTC"))
    assert of(Event, read(toml, line, given))[0].time_unix_nano == NOON + 3600 * 10**9


def test_start_end_and_duration(read: Read) -> None:
    toml = """\
    [[span]]
    line = "{end} {job} took {seconds} s, exit {exit}"
    type = "job"
    key = "{job}"
    end = "{end}"
    duration = "{seconds}"
    failed = { exit = ["1", "13?"] }
    """
    records = read(toml, "2026-11-22T11:00:05Z a took 5 s, exit 0\n"
                         "2026-11-22T11:00:05Z b took 1m 5s s, exit 137\n")  # fmt: skip
    first, second = of(Span, records)
    assert (first.start_unix_nano, first.end_unix_nano) == (NOON, NOON + 5 * 10**9)
    assert (first.status_code, first.attributes) == (None, '{"job": "a", "exit": 0}')
    assert second.start_unix_nano == NOON - 60 * 10**9
    assert (second.status_code, second.status_message) == (2, "137")


def test_attributes_that_several_lines_tell_are_all_kept(read: Read) -> None:
    toml = """\
    [[span]]
    line = "{start} {job} begins on {host}"
    type = "job"
    key = "{job}"
    start = "{start}"
    [[span]]
    line = "{end} {job} ends with {code}"
    type = "job"
    key = "{job}"
    end = "{end}"
    """
    records = read(
        toml, "2026-11-22T11:00:00Z a begins on n1\n2026-11-22T11:00:05Z a ends with 3\n"
    )
    assert json.loads(of(Span, records)[-1].attributes or "") == {
        "job": "a",
        "host": "n1",
        "code": 3,
    }


def test_a_line_may_be_for_several_rules_and_parents_are_named(read: Read) -> None:
    toml = """\
    run = "{run}"
    [[span]]
    line = "{time} run {run} worker {worker} got {job}"
    type = "job"
    key = "{job}"
    name = "a job"
    event = "got"
    parent = { type = "worker", key = "{worker}" }
    attributes = []
    [[span]]
    line = "{time} run {run} worker {worker} {did} {job}"
    type = "worker"
    key = "{worker}"
    event = "{did}"
    """
    records = read(toml, "2026-11-22T11:00:00Z run r1 worker w3 got j9\n")
    names = Names("r1", NAMED)
    job, worker = names.named("job", "j9"), names.named("worker", "w3")
    assert of(Containment, records) == [Containment(worker, job)]
    spans = {span.uuid: span for span in of(Span, records)}
    assert spans[job].parent_uuid == worker
    assert (spans[job].name, spans[worker].name) == ("a job", "worker")
    assert {(event.span_uuid, event.type) for event in of(Event, records)} == {
        (job, "got"), (worker, "got"),
    }  # fmt: skip


def test_what_a_line_says_is_remembered_for_those_that_follow(read: Read) -> None:
    toml = """\
    [[remember]]
    line = "[{time}]"
    [[remember]]
    line = "rule {rule}:"
    set = { state = "started" }
    [[span]]
    line = "jobid: {job}"
    type = "job"
    key = "{folder} {job}"
    name = "{rule}"
    event = "{state}"
    """
    records = read(toml, "jobid: 0\n[2026-11-22T11:00:00Z]\nrule all:\n  jobid: 3\n")
    assert problems(records) == [(1, "no time")]
    (event,) = of(Event, records)
    assert (event.time_unix_nano, event.type, event.attributes) == (NOON, "started", None)
    assert of(Span, records)[0].name == "all"
    assert of(Span, records)[0].uuid == Names("my", NAMED).named("job", "logs 3")
    assert tally(records).understood == 4


def test_dependencies_and_parsl_tasks(read: Read) -> None:
    run_id = "71d4a751-6867-449f-b893-6b653903b644"
    toml = """\
    [[span]]
    line = "{time} {job} after {before} is task {task} try {try}"
    type = "job"
    key = "{job}"
    event = "submitted"
    depends_on = "{before}"
    parsl = { task = "{task}", try = "{try}" }
    """
    line = "2026-11-22T11:00:00Z c after a, b is task 7 try 1\n"
    records = read(toml, line, Context(run_id=run_id))
    names = Names(run_id, NAMED)
    uuid = names.named("job", "c")
    assert of(Link, records) == [
        Link(uuid, names.named("job", "a"), "depends_on"),
        Link(uuid, names.named("job", "b"), "depends_on"),
        Link(uuid, Names(run_id, ENTITY).attempt(7, 1), "parsl"),
    ]
    assert problems(read(toml, line)) == [(1, "no run")]
    assert problems(read(toml, line.replace("task 7", "task x"), Context(run_id=run_id))) == [
        (1, "no number")
    ]


TABLE = """\
format = "csv"
missing = ["", "Unknown"]
[[span]]
type = "job"
key = "{Job ID}"
events = { submitted = "{Submit}" }
start = "{Start}"
where = { State = "DONE*" }
failed = "{Error}"
"""


def test_a_table(read: Read) -> None:
    records = read(
        TABLE,
        "\ufeffJob ID,Submit,Start,State,Error,cpus\r\n"
        '"a, b",2026-11-22T11:00:00Z,2026-11-22T11:00:01Z,DONE,,007\r\n'
        'c,2026-11-22T11:00:00Z,Unknown,DONE late,"two\nlines",4\r\n'
        "d,2026-11-22T11:00:00Z,Unknown,WAITING,,4\r\n"
        "e,2026-11-22T11:00:00Z\r\n",
    )
    names = Names("my", NAMED)
    first, second = of(Span, records)
    assert first.uuid == names.named("job", "a, b")
    assert first.start_unix_nano == NOON + 10**9
    assert json.loads(first.attributes or "") == {
        "Job ID": "a, b",
        "State": "DONE",
        "cpus": "007",
    }
    assert (second.start_unix_nano, second.status_message, second.line) == (None, "two\nlines", 4)
    assert [event.type for event in of(Event, records)] == ["submitted", "submitted"]
    assert problems(records) == [(6, "row of another length")]
    assert tally(records).messages == {"a row that no [[span]] is for": (1, False)}


def test_a_table_that_lacks_a_column_is_told_of_with_both_files(read: Read, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError) as error:
        read(TABLE, "Job ID,Submit,State\n")
    assert str(error.value).startswith(f"{tmp_path}/my.toml:3: {tmp_path}/logs/run.log has no {{")


def test_columns_may_be_named_and_measured(read: Read) -> None:
    toml = """\
    format = "tsv"
    columns = ["t", "sensor", "cpu", "rss", "state"]
    [[span]]
    type = "sensor"
    key = "{sensor}"
    time = "{t}"
    measure = ["cpu", "rss"]
    """
    records = read(toml, "1795345200\tx\t97.5%\t12\tok\n1795345201\tx\tlots\t-\tok\n")
    (sample,) = of(Sample, records)
    assert (sample.time_unix_nano, sample.line) == (NOON, 1)
    assert json.loads(sample.metrics) == {"cpu": 97.5, "rss": 12}
    assert problems(records) == [(2, "no number")]


def test_json_lines(read: Read) -> None:
    toml = """\
    format = "jsonl"
    [[span]]
    type = "stage"
    key = "{stage.id}"
    time = "{created}"
    event = "{msg}"
    """
    records = read(
        toml,
        '{"created": 1795345200.123456789, "msg": "go", "stage": {"id": 7}, "n": "12", '
        '"list": [1, {"a": 2}], "bad": "\\ud800", "nan": NaN, "f": 1.5}\n'
        '{"created": 1795345200}\n'
        "[1]\n{torn\n" + "[" * 5000 + "\n"
        '{"no": "end"',
    )
    (event,) = of(Event, records)
    assert (event.time_unix_nano, event.type) == (NOON + 123_456_789, "go")
    assert json.loads(event.attributes or "") == {
        "n": "12", "list": '[1, {"a": 2}]', "bad": "\\ud800", "f": 1.5,
    }  # fmt: skip
    assert problems(records) == [
        (2, "no key"), (3, "no JSON object"), (4, "no JSON"), (5, "no JSON"), (6, "torn record"),
    ]  # fmt: skip


def test_what_is_wrong_with_a_line_is_a_problem_and_the_rest_is_read(read: Read) -> None:
    good = "2026-11-22T11:00:00Z job 7 started on n1\n"
    records = read(
        JOBS,
        good + "yesterday job 8 started on n1\n" + "\0\1\2\n" + "x" * (2 << 20) + "\n" + good
        + "2026-11-22T11:00:00Z job 9",
    )  # fmt: skip
    assert problems(records) == [(2, "time not understood"), (4, "long line"), (6, "torn record")]
    assert len(of(Event, records)) == 2


def test_nothing_that_fits_is_a_problem_that_says_what_to_do(read: Read) -> None:
    records = read(JOBS, "a\nb\n")
    assert problems(records) == [(None, "nothing understood")]
    assert "--dry-run" in of(Problem, records)[0].text
    assert problems(read(JOBS, "")) == []


def test_shapes_are_counted_up_to_a_limit(read: Read) -> None:
    from itertools import product

    words = ["".join(word) for word in product("ghijklmnopqrstuvwxyz", repeat=3)]
    messages = tally(read(JOBS, "\n".join(words) + "\n")).messages
    assert sum(count for count, _ in messages.values()) == 8000
    assert messages["and other lines"] == (3000, False)


def test_ignored_lines_are_left_out_on_purpose(read: Read) -> None:
    records = read('ignore = ["# "]\n' + JOBS, "# one\n  # two\nthree\n")
    assert tally(records).messages == {"three": (1, False), "ignored: # ": (2, True)}


SLOW = """\
[[span]]
pattern = '^(?P<job>(a+)+)$'
type = "job"
key = "{job}"
attributes = []
"""


def test_a_pattern_that_takes_ages_is_stopped(
    read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(watch, "TIME_LIMIT", 0.1)
    line = "a" * 50 + "b\n"
    records = read(SLOW, line + "aaa\n" + line)
    assert problems(records) == [(1, "pattern too slow"), (3, "pattern too slow")]
    assert len(of(Span, records)) == 1
    with pytest.raises(UnreadableError, match=f"run.log:4: {tmp_path}/my.toml:1: the pattern"):
        read(SLOW, line + "aaa\n" + line * 5)


def test_a_pattern_reads_no_line_of_more_than_8192_characters(read: Read) -> None:
    records = read(SLOW, "a" * 8_193 + "\n" + "a" * 8_192 + "\n")
    assert problems(records) == [(1, "long line")]
    assert len(of(Span, records)) == 1


def test_in_another_thread_lines_for_patterns_are_shorter(read: Read) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(read(SLOW, "a" * 513 + "\naaa\n")))
    thread.start()
    thread.join()
    assert problems(found) == [(1, "long line")]


def test_the_alarm_is_put_back(read: Read) -> None:
    import signal

    read(SLOW, "aaa\n")
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
