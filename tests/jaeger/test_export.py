"""Runs and traces that are exported are in Jaeger, span by span and field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import corpus
from tests.jaeger import kept
from tests.jaeger.server import Jaeger
from tests.peers.exporting import PROTOCOLS, RUNS, RUNS_OF_THE_CORPUS, TRACES, Exported, Exports
from tests.peers.spans import Ids, each, only_span, read_file, spans_of

# Each in one of the protocols; the smaller ones, in the checkout, in all.
CORPUS_BY_PROTOCOL = [
    (name, PROTOCOLS[number % 3]) for number, name in enumerate(RUNS_OF_THE_CORPUS)
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory)


def stored(jaeger: Jaeger, expected: dict[Ids, Any]) -> dict[Ids, Any]:
    """What Jaeger has of the traces of some spans."""
    return spans_of(jaeger.traces(trace_id for trace_id, _ in expected), kept.as_read)


def differences(expected: dict[Ids, Any], found: dict[Ids, Any]) -> str:
    """For people: a few of the spans that are not the same."""
    lines = [f"{len(expected)} sent, {len(found)} there"]
    for ids in expected.keys() | found.keys():
        if expected.get(ids) != found.get(ids):
            lines += [f"{ids}:", f"  {json.dumps(expected.get(ids), sort_keys=True)}"]
            lines += [f"  {json.dumps(found.get(ids), sort_keys=True)}"]
    return "\n".join(lines[:10])


def same(jaeger: Jaeger, expected: dict[Ids, Any]) -> None:
    assert expected, "nothing was sent"
    found = stored(jaeger, expected)
    assert found == expected, differences(expected, found)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [*RUNS, *TRACES])
def test_it_is_there_as_it_was_sent(
    jaeger: Jaeger, exported: Exported, name: str, protocol: str
) -> None:
    exported(name).to(jaeger.endpoint(protocol), protocol)
    same(jaeger, spans_of(exported(name).sent(), kept.on_disk))


@pytest.mark.parametrize(("name", "protocol"), CORPUS_BY_PROTOCOL)
def test_so_are_the_runs_of_the_corpus(
    jaeger: Jaeger, exported: Exported, name: str, protocol: str
) -> None:
    exported(name).to(jaeger.endpoint(protocol), protocol)
    same(jaeger, spans_of(exported(name).sent(), kept.on_disk))
    assert oddities(jaeger, exported(name)) == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", TRACES)
def test_traces_of_other_programs_are_there_as_they_were_in_their_file(
    roomy: Jaeger, exported: Exported, name: str, protocol: str
) -> None:
    """Read by the protobuf library from the file, not from what dnpcsql says that it sends."""
    exports = exported(name)
    exports.to(roomy.endpoint(protocol), protocol)
    same(roomy, spans_of(read_file(exports.source), kept.in_memory))


@pytest.mark.parametrize("stop", [Jaeger.stop, Jaeger.kill], ids=["stopped", "killed"])
@pytest.mark.parametrize("name", ["parsl-2026.10.26-killed", "node_express_grpc.len-prefixed.pb"])
def test_it_is_still_there_when_jaeger_is_started_again(
    jaeger: Jaeger, exported: Exported, name: str, stop: Callable[[Jaeger], None]
) -> None:
    """What was acknowledged was stored: a kill, too, loses none of it."""
    exported(name).to(jaeger.grpc, "grpc")
    stop(jaeger)
    jaeger.start()
    same(jaeger, spans_of(exported(name).sent(), kept.on_disk))


def test_exported_twice_it_is_there_once(jaeger: Jaeger, exported: Exported) -> None:
    exports = exported(RUNS[0])
    exports.to(jaeger.grpc, "grpc")
    exports.to(jaeger.http, "http/json")
    same(jaeger, spans_of(exports.sent(), kept.on_disk))


@pytest.mark.parametrize("per", ["run", "task", "auto"])
def test_traces_per_run_or_task(jaeger: Jaeger, exported: Exported, per: str) -> None:
    exports = exported(RUNS[0])
    exports.to(jaeger.grpc, "grpc", "--trace-per", per)
    expected = spans_of(exports.sent("--trace-per", per), kept.on_disk)
    assert (len({trace_id for trace_id, _ in expected}) == 1) == (per != "task")
    same(jaeger, expected)


@pytest.mark.parametrize("name", RUNS)
def test_jaeger_finds_nothing_odd_in_a_run(jaeger: Jaeger, exported: Exported, name: str) -> None:
    exports = exported(name)
    exports.to(jaeger.grpc, "grpc")
    assert oddities(jaeger, exports) == {}


def oddities(jaeger: Jaeger, exports: Exports) -> dict[str, list[str]]:
    """What Jaeger's page warns of, by span: missing parents, children before their parents.

    Two warnings are no fault of what was sent: Jaeger calls no time at all a negative one, and
    where hosts' clocks differ it says that it has not moved their spans.
    """
    sent = list(each(exports.sent()))
    hosts = {
        pair.value.string_value
        for one in sent
        for pair in one.resource.attributes
        if pair.key == "host.name"
    }
    timeless = {
        span.span_id.hex()
        for span in map(only_span, sent)
        if span.start_time_unix_nano == span.end_time_unix_nano
    }
    found: dict[str, list[str]] = {}
    for one in each(jaeger.traces((only_span(one).trace_id.hex() for one in sent), raw=False)):
        span = only_span(one)
        for warning in kept.warnings(span):
            explained = (
                span.span_id.hex() in timeless
                if warning.startswith("Negative duration")
                else len(hosts) > 1 and warning.startswith("clock skew adjustment disabled")
            )
            if not explained:
                found.setdefault(f"{span.name} {span.span_id.hex()}", []).append(warning)
    return found


def test_it_verifies_by_reading_back(
    jaeger: Jaeger, start_jaeger: Callable[[], Jaeger], exported: Exported
) -> None:
    exports = exported(RUNS[0])
    exports.to(jaeger.grpc, "grpc", "--verify", jaeger.url)
    other = start_jaeger()
    done = exports("--endpoint", jaeger.grpc, "--verify", other.url)
    assert done.returncode == 1, "they are not in the one that was asked"
    assert str(len(spans_of(exports.sent()))) in done.stdout + done.stderr


def test_it_ends_with_what_finds_the_run_in_jaeger(jaeger: Jaeger, exported: Exported) -> None:
    exports = exported(RUNS[0])
    done = exports.to(jaeger.grpc, "grpc")
    (trace_id,) = {trace_id for trace_id, _ in spans_of(exports.sent())}
    assert re.search(rf"http://\S+/trace/{trace_id}\b", done.stdout + done.stderr)


@pytest.mark.parametrize("name", [*RUNS, "parsl-2023-upstream-fixture"])
def test_an_old_run_is_found_as_the_page_looks_for_it(
    jaeger: Jaeger, exported: Exported, name: str
) -> None:
    """Ten years back: the page asks for a service, and for a time by when spans started."""
    if name not in RUNS:
        corpus(name)
    exports = exported(name)
    exports.to(jaeger.grpc, "grpc")
    assert "parsl-workflow" in jaeger.get("services")["services"]
    found = jaeger.find("parsl-workflow", "2016-11-25T00:00:00Z", "2026-12-31T00:00:00Z")
    answer = json.dumps(found)
    for trace_id in {trace_id for trace_id, _ in spans_of(exports.sent())}:
        assert trace_id in answer
