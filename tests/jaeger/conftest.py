"""A Jaeger for the tests marked `jaeger`; they skip where there is none to be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jaeger.server import IN_MEMORY, VARIABLE, Jaeger, binary

_WHY_NOT = f"no Jaeger here: {VARIABLE} names none, and there is no jaeger on the PATH"


def _program() -> str:
    program = binary()
    if program is None:
        pytest.skip(_WHY_NOT)
    return program


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """As docker-compose.yml starts it, with its storage on disk."""
    yield from _running(Jaeger(_program(), tmp_path_factory.mktemp("jaeger")))


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """The same with its storage in memory, which has room for all that OTLP says."""
    yield from _running(Jaeger(_program(), tmp_path_factory.mktemp("roomy"), IN_MEMORY))


def _running(jaeger: Jaeger) -> Iterator[Jaeger]:
    try:
        yield jaeger
    finally:
        jaeger.process.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.jaeger)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly whether a real Jaeger was there."""
    outcomes = Counter(
        outcome
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, ())
        if "jaeger" in getattr(report, "keywords", ())
        and "tests/jaeger/" in report.nodeid
    )
    ran = outcomes["passed"] + outcomes["failed"] + outcomes["error"]
    if ran:
        terminalreporter.section(f"JAEGER TESTS RAN: {ran}, against {binary()}", sep="=")
    elif outcomes["skipped"]:
        terminalreporter.section(f"JAEGER TESTS DID NOT RUN: {_WHY_NOT}", sep="=")
