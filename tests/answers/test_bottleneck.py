from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from dnpcsql.answers.bottleneck import BETWEEN, WORKERS, findings
from dnpcsql.cli import cli
from dnpcsql.store import Store
from tests.answers.test_critical import WITH_TASKS
from tests.conftest import corpus


@pytest.mark.parametrize("name", [*WITH_TASKS, "parsl-2026.10.26-workqueue"])
def test_every_run_has_stages_and_one_that_saturates_first(store: Store, name: str) -> None:
    folder = corpus(name)
    packed = folder / "runinfo.tar.xz"
    store.import_(packed if packed.exists() else folder / "runinfo")
    for run in store.runs():
        found = store.bottleneck(run.id)
        assert found.first is not None
        assert found.first.most_per_s == min(
            one.most_per_s
            for one in found.stages
            if one.executor in ("", found.first.executor) and one.most_per_s > 0
        )
        assert f"{found.first.most_per_s:.4g} tasks a second" in found.words()
        # What all left, and one clock tells of, keeps Little's law.
        for one in found.stages:
            if one.name == WORKERS and one.flow.left == one.flow.arrived:
                assert abs(one.flow.little_error) < 1e-6


def test_four_workers_are_the_bottleneck(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-longtail")
    store.import_(folder / "runinfo.tar.xz")
    found = store.bottleneck()
    (truth,) = json.loads((folder / "truth.json").read_text())["workflows"]
    assert found.first is not None
    assert (found.first.name, found.first.workers) == (WORKERS, truth["peak_concurrency"])
    assert found.first.flow.arrived == truth["tasks_with_a_body"]
    assert found.first.most_per_s == pytest.approx(4 * 400 / 104.28, rel=0.01)
    (said,) = findings(found)
    assert said.sentence.startswith("htex's workers saturate first, at 15.3")


def test_what_logs_at_info_level_do_not_tell_apart(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-workqueue") / "runinfo")
    assert BETWEEN in {one.name for one in store.bottleneck().stages}


def test_the_command(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-full") / "runinfo")
    command = ["--db", str(store.path), "bottleneck"]
    assert "saturate" in CliRunner().invoke(cli, command).output.split("\n")[0]
    output = CliRunner().invoke(cli, [*command, "--format", "csv"]).output
    rows = list(csv.DictReader(io.StringIO(output)))
    assert [row["stage"] for row in rows][:4] == ["DFK", "interchange", "managers", "workers"]
