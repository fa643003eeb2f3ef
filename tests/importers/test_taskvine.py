"""TaskVine's logs, by their documentation: there is no run of ours.

The lines are those of the cctools manual ("TaskVine Log File Formats") where it has an example,
else written to the letter of its table of records, or as the manager's source writes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dnpcsql.identity import WORK_QUEUE, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.taskvine_graph import taskgraph
from dnpcsql.importers.workqueue_log import transactions
from dnpcsql.importers.workqueue_statistics import performance
from dnpcsql.records import Containment, Event, Link, Problem, Record, Sample, Span, Tally
from dnpcsql.store import Store

NAMES = Names("work queue manager 1679929304405580 4107108", WORK_QUEUE)
MANAGER = NAMES.manager("")

# The manual's own example, its header cut to the lines that matter.
MANUAL = """\
# time manager_pid MANAGER manager_pid START|END time_from_origin
# time manager_pid WORKER worker_id CONNECTION host:port

1679929304405580 4107108 MANAGER 4107108 START 0
1679929315785718 4107108 TASK 1 WAITING default FIRST_RESOURCES 1 {"cores":[1,"cores"]}
1679929315789781 4107108 TASK 2 WAITING default FIRST_RESOURCES 1 {"cores":[1,"cores"]}
"""
CONNECTED = "1679929316000000 4107108 WORKER worker-a CONNECTION 10.0.0.1:53798\n"
RUNNING = '1679929316000001 4107108 TASK 1 RUNNING worker-a FIRST_RESOURCES {"cores":[4,"cores"]}\n'
LEAVES = "1679929316000002 4107108 TASK 1 WAITING_RETRIEVAL worker-a\n"


def of(records: list[Record], kind: type) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def read(tmp_path: Path, text: str) -> list[Record]:
    path = tmp_path / "transactions"
    path.write_text(text)
    return list(transactions(path, Context()))


def events(records: list[Record], uuid: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.type, json.loads(event.attributes or "{}"))
        for event in of(records, Event)
        if event.span_uuid == uuid
    ]


def span(records: list[Record], uuid: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for record in of(records, Span):
        if record.uuid == uuid:
            told |= {name: value for name, value in record._asdict().items() if value is not None}
    return told


def test_the_manuals_own_example(tmp_path: Path) -> None:
    records = read(tmp_path, MANUAL)
    task = NAMES.queue_task("", 1)
    assert (span(records, task)["type"], span(records, task)["name"]) == (
        "taskvine.task",
        "default",
    )
    said = {"taskvine.attempt": 1, "taskvine.requested.cores": 1}
    assert events(records, task) == [("WAITING", said)]
    assert span(records, MANAGER)["type"] == "taskvine.manager"
    assert events(records, MANAGER) == [("START", {})]
    assert of(records, Tally) == [Tally(6, 3, 3, {}, None, "its times are epochs")]


def test_the_manuals_other_example_is_of_an_older_version(tmp_path: Path) -> None:
    """It greps the life of a task: the worker by its address, the exit code behind the result."""
    records = read(
        tmp_path,
        '1599244364466668 16444 TASK 1 WAITING default FIRST_RESOURCES {"cores":[1,"cores"],'
        '"memory":[800,"MB"],"disk":[500,"MB"]}\n'
        "1599244400311044 16444 TASK 1 RUNNING 10.32.79.143:48268  FIRST_RESOURCES "
        '{"cores":[4,"cores"],"memory":[4100,"MB"]}\n'
        "1599244539953798 16444 TASK 1 WAITING_RETRIEVAL 10.32.79.143:48268\n"
        '1599244540075173 16444 TASK 1 RETRIEVED SUCCESS  0  {} {"cores":[1,"cores"],'
        '"wall_time":[123.137485,"s"]}\n'
        '1599244540083820 16444 TASK 1 DONE SUCCESS  0  {} {"cores":[1,"cores"],'
        '"wall_time":[123.137485,"s"]}\n',
    )
    names = Names("work queue manager 1599244364466668 16444", WORK_QUEUE)
    told = events(records, names.queue_task("", 1))
    assert [type_ for type_, _ in told] == [
        "WAITING",
        "RUNNING",
        "WAITING_RETRIEVAL",
        "RETRIEVED",
        "DONE",
    ]
    assert told[3][1]["taskvine.measured.wall_time_s"] == 123.137485
    assert told[1][1]["taskvine.worker.address"] == "10.32.79.143:48268"


@pytest.mark.parametrize(
    ("retrieved", "done"),
    [
        ('RETRIEVED SUCCESS {} {"cores":[1,"cores"]}', "DONE SUCCESS 0"),  # as documented
        ('RETRIEVED SUCCESS  0  {} {"cores":[1,"cores"]}', "DONE SUCCESS  0 "),  # as written
    ],
)
def test_the_life_of_a_task(tmp_path: Path, retrieved: str, done: str) -> None:
    records = read(
        tmp_path,
        f"{MANUAL}{CONNECTED}{RUNNING}{LEAVES}"
        f"1679929316000003 4107108 TASK 1 {retrieved}\n1679929316000004 4107108 TASK 1 {done}\n",
    )
    task, worker = NAMES.queue_task("", 1), NAMES.worker(" worker-a", 0)
    told = events(records, task)
    assert [type_ for type_, _ in told] == [
        "WAITING",
        "RUNNING",
        "WAITING_RETRIEVAL",
        "RETRIEVED",
        "DONE",
    ]
    assert told[1][1] == {
        "taskvine.worker.id": "worker-a",
        "taskvine.worker.address": "10.0.0.1:53798",
        "taskvine.allocated.cores": 4,
    }
    assert told[3][1]["taskvine.measured.cores"] == 1
    assert told[4][1] == {"taskvine.result": "SUCCESS", "process.exit.code": 0}
    assert span(records, task)["status_code"] == 1
    assert span(records, task)["end_unix_nano"] == 1679929316000004000
    assert Containment(worker, task) in records
    assert span(records, worker)["type"] == "taskvine.worker"
    assert not of(records, Problem)


def test_the_worker_says_when_the_task_itself_ran(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        MANUAL + "1679929317000000 4107108 TASK 1 RETRIEVED SUCCESS  0  {} "
        '{"time_worker_start":[1679929316.107334,"s"],"time_worker_end":[1679929316.47458,"s"]}\n',
    )
    found = [event for event in of(records, Event) if event.type.startswith("time_worker")]
    assert [(event.time_unix_nano, event.type, event.note) for event in found] == [
        (1679929316107334000, "time_worker_start", "by the clock of the worker's host"),
        (1679929316474580000, "time_worker_end", "by the clock of the worker's host"),
    ]


def test_ready_is_what_newer_versions_call_waiting(tmp_path: Path) -> None:
    text = MANUAL.replace("WAITING default", "READY <function_add_at_0x7f4c83763e20>")
    records = read(tmp_path, text)
    task = NAMES.queue_task("", 1)
    assert span(records, task)["name"] == "<function_add_at_0x7f4c83763e20>"
    assert [type_ for type_, _ in events(records, task)] == ["READY"]


@pytest.mark.parametrize(
    ("line", "type_", "said"),
    [
        (  # sizes in megabytes, as documented
            "TRANSFER INPUT a file 34.333 0.016464 1721323716084851",
            "TRANSFER_INPUT",
            {
                "file.name": "a file",
                "taskvine.transfer.size_mb": 34.333,
                "taskvine.transfer.time_s": 0.016464,
                "taskvine.transfer.start_us": 1721323716084851,
            },
        ),
        (  # in bytes, as written
            "CACHE_UPDATE temp-rnd-iaf 18000139 367246 1721323716107334",
            "CACHE_UPDATE",
            {
                "file.name": "temp-rnd-iaf",
                "taskvine.transfer.size_bytes": 18000139,
                "taskvine.transfer.time_us": 367246,
                "taskvine.transfer.start_us": 1721323716107334,
            },
        ),
        (  # without its beginning, before 2023
            "TRANSFER OUTPUT result 0.000005 0.000199",
            "TRANSFER_OUTPUT",
            {
                "file.name": "result",
                "taskvine.transfer.size_mb": 0.000005,
                "taskvine.transfer.time_s": 0.000199,
            },
        ),
        ('RESOURCES {"cores":[2,"cores"]}', "RESOURCES", {"taskvine.worker.cores": 2}),
        (
            "DISCONNECTION IDLE_OUT",
            "DISCONNECTION",
            {"taskvine.worker.address": "10.0.0.1:53798", "taskvine.reason": "IDLE_OUT"},
        ),
    ],
)
def test_what_happens_to_a_worker(
    tmp_path: Path, line: str, type_: str, said: dict[str, Any]
) -> None:
    records = read(
        tmp_path, f"{MANUAL}{CONNECTED}1679929317000000 4107108 WORKER worker-a {line}\n"
    )
    assert events(records, NAMES.worker(" worker-a", 0))[-1] == (type_, said)


def test_libraries_categories_and_what_the_application_says(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        f"{MANUAL}{CONNECTED}"
        "1679929317000000 4107108 LIBRARY 5 SENT worker-a\n"
        "1679929317000001 4107108 LIBRARY 5 STARTED worker-a\n"
        '1679929317000002 4107108 CATEGORY default MAX {"cores":[1,"cores"]}\n'
        "1679929317000003 4107108 APPLICATION half way, 5 of 10\n"
        "1679929317000004 4107108 MANAGER 4107108 END 12594420\n",
    )
    (library,) = {s.uuid for s in of(records, Span) if s.type == "taskvine.library"}
    assert [type_ for type_, _ in events(records, library)] == ["SENT", "STARTED"]
    assert Containment(NAMES.worker(" worker-a", 0), library) in records
    assert events(records, MANAGER)[1:] == [
        ("CATEGORY_MAX", {"taskvine.category": "default", "taskvine.limit.cores": 1}),
        ("APPLICATION", {"message": "half way, 5 of 10"}),
        ("END", {}),
    ]
    assert span(records, MANAGER)["end_unix_nano"] == 1679929317000004000


def test_lines_of_no_such_kind_are_counted(tmp_path: Path) -> None:
    hostile = ("WORKER", "WORKER w", "WORKER w TRANSFER INPUT", "WORKER w CACHE_UPDATE x y z",
               "LIBRARY x SENT", "TASK 1 RUNNING worker-a SOMEHOW", "SOMETHING new")  # fmt: skip
    text = MANUAL + "".join(f"1679929317000000 4107108 {line}\n" for line in hostile)
    records = read(tmp_path, text)
    (tally,) = of(records, Tally)
    unknown = sum(count for count, _ in tally.messages.values())
    assert len(of(records, Problem)) + unknown == len(hostile) == tally.records - tally.understood


def test_the_performance_log(tmp_path: Path) -> None:
    """The manual's example, whose rows it cuts off."""
    path = tmp_path / "performance"
    path.write_text(
        "# timestamp workers_connected workers_init workers_idle workers_slow\n"
        "1602165237833411 0 0 0 0\n1602165335687547 1 0 0 0\n"
    )
    records = list(performance(path, Context(scopes=("work queue manager 1 2",), tied=True)))
    assert [sample.time_unix_nano for sample in of(records, Sample)] == [
        1602165237833411000,
        1602165335687547000,
    ]
    assert of(records, Span)[0].type == "taskvine.manager.statistics"


GRAPH = """\
digraph "taskvine" {
node [style=filled,font=Helvetica,fontsize=10];
"file-file-meta-ad38" [shape=rect,color=blue,label="in [1] \\"quoted\\".dat"];
"file-temp-rnd-iaf" [shape=rect,color=blue,label=""];
"task-1" [color=green,label="1"];
"file-file-meta-ad38" -> "task-1";
"task-1" -> "file-temp-rnd-iaf";
"task-2" [color=green,label="2"];
"file-file-meta-ad38" -> "task-2";
"file-temp-rnd-iaf" -> "task-2";
}
"""


def graph(tmp_path: Path, text: str) -> list[Record]:
    path = tmp_path / "taskgraph"
    path.write_text(text)
    return list(taskgraph(path, Context(scopes=(NAMES_SCOPE,), tied=True)))


NAMES_SCOPE = "work queue manager 1679929304405580 4107108"


def test_the_graph_has_files_and_who_reads_and_writes_them(tmp_path: Path) -> None:
    records = graph(tmp_path, GRAPH)
    one, two = NAMES.queue_task("", 1), NAMES.queue_task("", 2)
    given, made = (NAMES.named("file", "", name) for name in ("file-meta-ad38", "temp-rnd-iaf"))
    assert [(link.span_uuid, link.linked_uuid, link.type) for link in of(records, Link)] == [
        (one, given, "reads"),
        (one, made, "writes"),
        (two, given, "reads"),
        (two, made, "reads"),
    ]
    assert [json.loads(s.attributes)["taskvine.file.cached_name"] for s in of(records, Span)] == [
        "file-meta-ad38",
        "temp-rnd-iaf",
    ]
    assert of(records, Tally)[0].understood == 8


@pytest.mark.parametrize(
    "line", ['"task-1" -> "task-2";', '"file-x" -> ', '"' * 50_000, "subgraph {"]
)
def test_other_lines_of_a_graph_are_counted(tmp_path: Path, line: str) -> None:
    (tally,) = of(graph(tmp_path, f"{GRAPH[:-2]}{line}\n}}\n"), Tally)
    assert (tally.records - tally.understood, sum(n for n, _ in tally.messages.values())) == (1, 1)


def test_a_graph_cut_off_tells_what_is_there(tmp_path: Path) -> None:
    records = graph(tmp_path, GRAPH[:-20])
    assert [problem.kind for problem in of(records, Problem)] == ["torn record"]
    assert len(of(records, Link)) == 3


@pytest.fixture
def vine(tmp_path: Path) -> Path:
    """A directory as TaskVine makes it, most-recent and all."""
    logs = tmp_path / "vine-run-info" / "2023-03-27T11:01:44" / "vine-logs"
    logs.mkdir(parents=True)
    (logs / "transactions").write_text(f"{MANUAL}{CONNECTED}{RUNNING}")
    (logs / "performance").write_text("# timestamp workers_connected\n1679929315785718 1\n")
    (logs / "taskgraph").write_text(GRAPH)
    (logs.parents[1] / "most-recent").symlink_to(logs.parent.name)
    return logs.parents[1]


def test_all_of_a_directory_is_one_managers(vine: Path, store: Store) -> None:
    done = store.import_(vine)
    assert done.problems == 0
    assert sorted(source.importer for source in store.sources()) == [
        "taskvine performance",
        "taskvine taskgraph",
        "taskvine transactions",
    ]
    assert store.query("SELECT DISTINCT trace_id FROM span").all() == [(NAMES.trace_id,)]
    assert store.query(
        "SELECT one.name, other.name FROM link JOIN span AS one ON one.uuid = span_uuid "
        "JOIN span AS other ON other.uuid = linked_uuid WHERE link.type = 'depends_on'"
    ).all() == [("default", "default")]
    (statistics,) = store.query(
        "SELECT superspan_uuid FROM subspan JOIN span ON span.uuid = subspan_uuid "
        "WHERE type = 'taskvine.manager.statistics'"
    ).all()
    assert statistics == (MANAGER,)
    store.forget("taskgraph")
    assert store.query("SELECT count(*) FROM link").value() == 0
