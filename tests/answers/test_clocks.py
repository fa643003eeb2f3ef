from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dnpcsql.analyses.clocks import bounds, messages
from dnpcsql.analyses.times import Times
from dnpcsql.answers.clocks import caveats, findings
from dnpcsql.cli import cli
from dnpcsql.store import Store
from tests.conftest import corpus, facts

ONE_HOST = (
    "parsl-2023.12.18-full",
    "parsl-2024.6.10-nomonitoring",
    "parsl-2025.1.13-full",
    "parsl-2025.9.15-elastic",
    "parsl-2025.9.15-multi",
    "parsl-2026.10.26-default",
    "parsl-2026.10.26-dst",
    "parsl-2026.10.26-full",
    "parsl-2026.10.26-htexalone",
    "parsl-2026.10.26-json",
    "parsl-2026.10.26-killed",
    "parsl-2026.10.26-longtail",
)


def test_true_clocks_lie_in_their_bounds(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-skew")
    store.import_(folder / "runinfo")
    found = store.clocks()
    truth = facts(folder)["clocks"]
    assert [host.host for host in found.hosts] == ["node-a", "node-b", "node-c"]
    for host in found.hosts:
        low, high = host.bounds.low, host.bounds.high
        assert low is not None
        assert high is not None
        for offset in truth[host.host]["measured_offset_s"]:
            assert low <= offset * 1e9 <= high
        assert high - low < 0.025e9
    by_name = {host.host: host.bounds for host in found.hosts}
    assert by_name["node-c"].drift_ppm == pytest.approx(truth["node-c"]["drift_ppm"], rel=0.1)
    assert by_name["node-a"].drift_ppm is None
    assert [host.host for host in found.hosts if host.bounds.differs] == ["node-a", "node-b"]
    assert [said.sentence[:38] for said in findings(found)] == [
        "the clock of node-a is ahead of that o",
        "the clock of node-b is behind that of ",
    ]
    assert any("drifts by 19" in said or "drifts by 20" in said for said in caveats(found))
    low, high = found.between("node-a", "node-b")
    assert low is not None
    assert high is not None
    assert low < 3.3e9 < high < low + 0.03e9
    known = by_name["node-a"]
    assert known.low is not None
    assert known.high is not None
    assert found.between("login-1", "node-a") == (-known.high, -known.low)


def test_true_offset_at_each_moment(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-skew")
    store.import_(folder / "runinfo")
    found = store.clocks()
    truth = facts(folder)["clocks"]
    for host in found.hosts:
        clock = truth[host.host]
        at = host.there.at
        drifted = clock["drift_ppm"] * 1e-6 * (at / 1e9 - clock["clock_started_true"])
        offset = found.offset_ns(host.host, at)
        assert np.abs(offset - (clock["offset_s"] + drifted) * 1e9).max() < 0.02e9


@pytest.mark.parametrize("name", ONE_HOST)
def test_one_clock_is_right_by_itself(store: Store, name: str) -> None:
    folder = corpus(name)
    packed = folder / "runinfo.tar.xz"
    store.import_(packed if packed.exists() else folder / "runinfo")
    hosts = [host for run in store.runs() for host in store.clocks(run.id).hosts]
    assert hosts
    for host in hosts:
        assert host.bounds.low is None or host.bounds.low <= 0
        assert host.bounds.high is None or host.bounds.high >= 0
        assert not host.bounds.differs


def test_each_message_is_listed_with_its_lines(store: Store) -> None:
    folder = corpus("parsl-2026.10.26-skew")
    store.import_(folder / "runinfo")
    found = store.clocks()
    command = ["--db", str(store.path), "clocks", "--messages", "--format", "csv"]
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(cli, command).output)))
    assert len(rows) == sum(host.bounds.there + host.bounds.back for host in found.hosts) == 190
    for host in found.hosts:
        for evidence, way in ((host.from_above, "there"), (host.from_below, "back")):
            assert evidence is not None
            bounds_s = [
                float(row["bound_s"])
                for row in rows
                if (row["host"], row["way"]) == (host.host, way)
            ]
            tightest = min(bounds_s) if way == "there" else max(bounds_s)
            assert evidence.bound_ns / 1e9 == pytest.approx(tightest)
            for said in (evidence.submit, evidence.host):
                file, _, line = said.split(", ")[1].rpartition(":")
                text = Path(file).read_text(encoding="utf-8").split("\n")[int(line) - 1]
                assert re.search(rf"\b{evidence.executor_task}\b", text.split(": ", 1)[-1])


def test_hops_shorter_than_the_bound_are_marked(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-skew") / "runinfo")
    found = store.clocks()
    assert {hop.host for hop in found.hops} == {"node-a", "node-b", "node-c"}
    assert not any(hop.resolvable for hop in found.hops)
    for hop in found.hops:
        assert hop.uncertainty_ns is not None
        assert 0 < hop.aligned_ns < hop.uncertainty_ns
    shown = CliRunner().invoke(cli, ["--db", str(store.path), "clocks"]).output
    assert shown.count("not resolvable") == len(found.hops)


def test_raw_times_are_never_rewritten(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-skew") / "runinfo")
    before = store.query("SELECT * FROM event").all()
    store.clocks()
    store.idle()
    assert store.query("SELECT * FROM event").all() == before


def test_no_messages_are_told_of(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-workqueue") / "runinfo")
    found = store.clocks()
    assert found.hosts == []
    assert findings(found) == []
    assert "no messages" in caveats(found)[0]


def test_nothing_is_known_of_the_side_from_which_no_message_came() -> None:
    none = np.empty(0, dtype=np.int64)
    there = messages(np.array([0, 10]), np.array([5, 12]))
    found = bounds(there, messages(none, none))
    assert (found.low, found.middle, found.uncertainty, found.crossed) == (None, None, None, 0)
    assert found.high is not None
    assert found.high >= 2


@pytest.mark.parametrize("drift", [-400e-6, 0.0, 150e-6])
def test_bounds_hold_for_any_clock_within_the_drift_that_is_taken(drift: float) -> None:
    draw = np.random.default_rng(7)
    sent = np.sort(draw.integers(0, 600_000_000_000, 300))
    offset = 1.5e9

    def by_host(true: Times) -> Times:
        return (true + offset + drift * true).astype(np.int64)

    arrived = sent + draw.integers(100_000, 50_000_000, sent.size)
    answered = arrived + draw.integers(0, 10_000_000_000, sent.size)
    back = answered + draw.integers(100_000, 50_000_000, sent.size)
    found = bounds(messages(sent, by_host(arrived)), messages(back, by_host(answered)))
    assert found.low is not None
    assert found.high is not None
    for true in (sent[0], sent[-1]):
        assert found.low <= offset + drift * true <= found.high


def test_rows_for_programs(store: Store) -> None:
    store.import_(corpus("parsl-2026.10.26-skew") / "runinfo")
    command = ["--db", str(store.path), "clocks", "--format", "json"]
    rows = json.loads(CliRunner().invoke(cli, command).output)
    assert [row["differs"] for row in rows] == [True, True, False]
    assert rows[0]["low_s"] < 2.5 < rows[0]["high_s"]
