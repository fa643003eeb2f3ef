"""Of funcX's sample run: where the time went on the way back."""

from __future__ import annotations

from click.testing import CliRunner

from dnpcsql.answers.funcx import chain, findings
from dnpcsql.cli import cli
from dnpcsql.store import Store
from tests.conftest import corpus


def test_the_way_back_is_split_and_the_hop_that_takes_the_time_is_named(store: Store) -> None:
    store.import_(corpus("funcx-2022"))
    found = chain(store)
    assert (found.tasks, found.without_client) == (1000, 1000)
    hops = {(step.begin, step.end): step for step in found.steps}
    back = [
        hops["remote_end", "worker_completed"],
        hops["worker_completed", "endpoint_forwarded"],
        hops["endpoint_forwarded", "retrieved"],
    ]
    assert [step.n for step in back] == [1000, 1000, 1000]
    assert max(back, key=lambda step: step.total_ns) is back[1]
    (said,) = [one.sentence for one in findings(found) if "the way back" in one.sentence]
    assert said.startswith("on the way back from worker_completed to endpoint_forwarded takes 99")
    # As the view has it, over the same tasks.
    mean = store.query(
        "SELECT avg(endpoint_forwarded - worker_completed) FROM funcx_task "
        "WHERE client_uuid IS NOT NULL"
    ).value()
    assert abs(back[1].mean_s - mean) < 1e-6
    ran = CliRunner().invoke(cli, ["--db", str(store.path), "hops", "--funcx"])
    assert "worker_completed > endpoint_forwarded" in ran.output


def test_where_there_is_nothing_of_funcx_it_says_so(store: Store) -> None:
    store.writing()
    ran = CliRunner().invoke(cli, ["--db", str(store.path), "hops", "--funcx"])
    assert "no tasks of funcX or Globus Compute here" in str(ran.exception)
