"""What a run looks like as OpenTelemetry: view otlp_span, and what an export makes of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.generate import generate
from dnpcsql.errors import NotFoundError, QueryError
from dnpcsql.exporters.traces import TracePer
from dnpcsql.store import Store
from tests.conftest import CORPUS, Case
from tests.exporters.sent import export, faults, values

OURS = (
    "parsl-2023.12.18-full",
    "parsl-2025.9.15-elastic",
    "parsl-2025.9.15-multi",
    "parsl-2026.10.26-dst",
    "parsl-2026.10.26-killed",
    "parsl-2026.10.26-workqueue",
)
ALL = sorted(path.name for path in CORPUS.glob("*") if path.is_dir() and path.name != "otlp")


def imported(place: Path, *files: Path) -> Store:
    store = Store(place / "dnpc.sqlite3")
    store.import_(*files)
    return store


@pytest.mark.parametrize("trace_per", ["run", "task"])
@pytest.mark.parametrize("name", OURS)
def test_a_real_run_can_be_drawn(
    name: str, trace_per: TracePer, case: Case, tmp_path: Path
) -> None:
    store = imported(tmp_path, case(name) / "runinfo")
    done, sent = export(store, tmp_path, trace_per=trace_per)
    assert faults(sent) == Counter()
    # OTLP has a value that is empty; rotel 0.2.3 refuses the whole request for one.
    assert not [one for one in sent if None in one.attributes.values()]
    assert done.sent.spans == len(sent)
    assert done.sent.events == store.query("SELECT count(*) FROM event").value()
    assert sum(len(one.span.events) for one in sent) == done.sent.events
    things = store.query("SELECT count(*) FROM otlp_span").value()
    summaries = sum("parsl.task.count" in one.attributes for one in sent)
    assert done.sent.spans == things + summaries
    assert (summaries > 0) == (trace_per == "task")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("without", ["", "monitoring.db", "parsl.log"])
def test_whatever_is_left_of_a_run_can_be_drawn(name: str, without: str, tmp_path: Path) -> None:
    files = [
        path
        for path in sorted((CORPUS / name).rglob("*"))
        if path.is_file() and path.name != (without or "expected.json")
    ]
    if without and len(files) == len(
        [path for path in (CORPUS / name).rglob("*") if path.is_file()]
    ):
        pytest.skip(f"has no {without}")
    try:
        store = imported(tmp_path, *files)
    except NotFoundError:
        pytest.skip("nothing is left of it")
    for trace_per in ("run", "task"):
        done, sent = export(store, tmp_path, trace_per=trace_per)
        found = faults(sent)
        # A task that no file left here tells of may still be waited for, and its run linked to.
        found.pop("link to nothing", None)
        assert found == Counter()
        assert done.untimed == 0 or "fixture" in name


def test_the_parts_of_a_try_hang_below_it_and_on_their_workers(tmp_path: Path) -> None:
    generate(tmp_path, tasks=20)
    store = imported(tmp_path, tmp_path / "runinfo")
    rows = store.query(
        "SELECT span_id, name, substr(parent_uuid, 13), service, host FROM otlp_span "
        "WHERE task_id = 0 ORDER BY span_id"
    ).all()
    assert rows == [
        ("0200000000000000", "analyse", "0100000000000000", "parsl-workflow", "login-1"),
        ("0300000000000000", "try", "0200000000000000", "parsl-workflow", "login-1"),
        ("0882cfd500000001", "executor task", "0300000000000000", "parsl-workflow", "login-1"),
        (
            "3882cfd500000001",
            "interchange task",
            "0882cfd500000001",
            "parsl-interchange",
            "login-1",
        ),
        ("4882cfd500000001", "manager task", "0882cfd500000001", "parsl-manager", "node-1"),
        ("5882cfd500000001", "worker task", "0882cfd500000001", "parsl-worker", "node-1"),
    ]
    links = store.query(
        "SELECT holder.name, link.type FROM otlp_link AS link "
        "JOIN otlp_span AS holder ON holder.uuid = link.linked_uuid "
        "WHERE link.uuid LIKE '%5882cfd500000001'"
    ).all()
    assert ("worker", "within") in links


def test_a_killed_run_is_closed_at_the_last_that_is_known(case: Case, tmp_path: Path) -> None:
    store = imported(tmp_path, case("parsl-2026.10.26-killed") / "runinfo")
    _, sent = export(store, tmp_path)
    (run,) = (one.span for one in sent if not one.span.parent_span_id)
    last = max(event.time_unix_nano for one in sent for event in one.span.events)
    assert run.end_time_unix_nano == last
    assert values(run.attributes)["dnpc.incomplete"] is True
    open_tasks = [
        one for one in sent
        if one.span.span_id[:1] == b"\x02" and "dnpc.incomplete" in one.attributes
    ]  # fmt: skip
    states = {one.attributes["parsl.task.status"] for one in open_tasks}
    never_returned = store.query("SELECT count(*) FROM parsl_task WHERE returned IS NULL").value()
    assert len(open_tasks) == never_returned == 12
    assert states <= {"pending", "launched", "running"}


def test_a_failed_try_says_of_what(case: Case, tmp_path: Path) -> None:
    store = imported(tmp_path, case("parsl-2023.12.18-full") / "runinfo")
    _, sent = export(store, tmp_path)
    failed = [one for one in sent if one.span.name == "try" and one.span.status.code == 2]
    assert {one.attributes.get("error.type") for one in failed} >= {"ValueError"}
    exceptions = [
        values(event.attributes)
        for one in failed
        for event in one.span.events
        if event.name == "exception"
    ]
    assert {told.get("exception.type") for told in exceptions} >= {"ValueError"}
    assert any("message" in str(told.get("exception.message")) for told in exceptions)


def test_dependencies_are_links_from_the_later_to_the_earlier(case: Case, tmp_path: Path) -> None:
    store = imported(tmp_path, case("parsl-2023.12.18-full") / "runinfo")
    _, sent = export(store, tmp_path)
    told = {
        (int(one.span.span_id.hex()[2:12]), int(link.span_id.hex()[2:12]))
        for one in sent
        for link in one.span.links
        if values(link.attributes) == {"parsl.link": "depends_on"}
    }
    rows = store.query("SELECT task_id, depends_on FROM parsl_dependency").all()
    assert told == set(rows)
    assert len(told) > 10


def test_a_summary_links_to_no_more_than_twenty(case: Case, tmp_path: Path) -> None:
    store = imported(tmp_path, case("parsl-2023.12.18-full") / "runinfo")
    _, sent = export(store, tmp_path, trace_per="task")
    counts = {
        (one.span.name, one.attributes["parsl.task.status"]): (
            one.attributes["parsl.task.count"], len(one.span.links),
        )
        for one in sent
        if "parsl.task.count" in one.attributes
    }  # fmt: skip
    rows = store.query(
        "SELECT 'tasks ' || app, state, count(*) FROM parsl_task GROUP BY 1, 2"
    ).all()
    assert counts == {(app, state): (tasks, min(tasks, 20)) for app, state, tasks in rows}
    assert max(tasks for _, _, tasks in rows) > 20


def test_only_what_is_chosen_goes_out_below_its_nearest_ancestor(tmp_path: Path) -> None:
    generate(tmp_path, tasks=20, fail_share=0)
    store = imported(tmp_path, tmp_path / "runinfo")
    _, sent = export(
        store, tmp_path, where="name IN ('workflow synthetic campaign', 'worker task')"
    )
    assert Counter((one.span.name, one.span.parent_span_id.hex()) for one in sent) == {
        ("workflow synthetic campaign", ""): 1,
        ("worker task", "0100000000000000"): 20,
    }


def test_a_condition_that_is_no_sql_is_told(case: Case, tmp_path: Path) -> None:
    store = imported(tmp_path, case("parsl-2025.9.15-elastic") / "runinfo")
    with pytest.raises(QueryError, match=r"no such column: nam .*dnpcsql views otlp_span"):
        export(store, tmp_path, where="nam = 'try'")
    assert not list(tmp_path.glob("*sent*"))


TASKS = 15_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Store:
    place = tmp_path_factory.mktemp("large")
    generate(place, tasks=TASKS)
    return imported(place, place / "runinfo")


@pytest.mark.parametrize("trace_per", ["run", "auto"])
def test_a_large_run_goes_out_whole(trace_per: TracePer, large: Store, tmp_path: Path) -> None:
    done, sent = export(large, tmp_path, trace_per=trace_per)
    assert faults(sent) == Counter()
    (run,) = done.runs
    assert (run.per_task, run.traces) == ((False, 1) if trace_per == "run" else (True, TASKS + 1))
    kinds = Counter(one.span.span_id.hex()[:2] for one in sent)
    rows = large.query("SELECT substr(span_id, 1, 2), count(*) FROM otlp_span GROUP BY 1").all()
    summaries = kinds.pop("09", 0)
    assert sorted(kinds.items()) == sorted(rows)
    assert kinds["02"] == TASKS
    assert (summaries > 0) == (trace_per == "auto")
    assert done.sent.events == large.query("SELECT count(*) FROM event").value()
