from __future__ import annotations

import json
from pathlib import Path

import pytest

from dnpcsql.clock import fixed
from dnpcsql.identity import PARSL_LOG, Names
from dnpcsql.importers.context import Context
from dnpcsql.importers.monitoring_log import monitoring_log
from dnpcsql.layout import Layout, Zones
from dnpcsql.records import Event, Record, Span, Tally

RUN = "9bb82f2e-7ccb-4630-808b-b15227c7ce7c"
PLACE = Context(run_id=RUN, clock=fixed(0, "told"))
ERROR = "Got a database OperationalError."
A_HEAD = (
    "1795331241.507181 2026-11-22 07:07:21 Monitoring-ZMQ-Router-Process-18332 "
    "MainThread-140534725069696 parsl.monitoring.radios.zmq_router:68"
)
E_HEAD = "2026-11-22 07:06:40.130 database_manager:712"


def read(tmp_path: Path, *lines: str) -> list[Record]:
    path = tmp_path / "database_manager.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return list(monitoring_log(path, PLACE))


@pytest.mark.parametrize(
    "lines",
    [
        [
            f"{E_HEAD} [INFO] [MainThread 139657910037376] Starting dbm in dbm starter",
            f"{E_HEAD} [ERROR] [MainThread 139657910037376] {ERROR}",
            "Traceback (most recent call last):",
            f"{E_HEAD} [INFO] [MainThread 139657910037376] End of dbm_starter",
        ],
        [
            f"{A_HEAD} start ERROR: {ERROR}",
            "Traceback (most recent call last):",
        ],
        [
            json.dumps(
                {
                    "created": 1795331241.5,
                    "name": "parsl.monitoring.db_manager",
                    "levelname": "ERROR",
                    "formatted": f"{ERROR}\nTraceback (most recent call last):",
                }
            )
        ],
    ],
    ids=["2023", "2026", "JSON"],
)
def test_errors_are_all_that_is_told(tmp_path: Path, lines: list[str]) -> None:
    records = read(tmp_path, *lines)
    (error,) = (r for r in records if isinstance(r, Event))
    said = json.loads(error.attributes or "")
    assert said["exception.message"].endswith(ERROR)
    assert said["exception.stacktrace"] == "Traceback (most recent call last):"
    (span,) = (r for r in records if isinstance(r, Span))
    assert span.uuid == error.span_uuid
    assert span.parent_uuid == Names(RUN, PARSL_LOG).workflow()


def test_the_rest_is_counted_as_known(tmp_path: Path) -> None:
    records = read(tmp_path, f"{E_HEAD} [INFO] [MainThread 1396579] Starting dbm in dbm starter")
    (tally,) = (r for r in records if isinstance(r, Tally))
    assert (tally.records, tally.understood) == (1, 0)
    assert [known for _, known in tally.messages.values()] == [True]


def test_a_run_that_is_named_nowhere_else_is_named_by_the_database_s_log(tmp_path: Path) -> None:
    run = tmp_path / "000"
    (run / "htex").mkdir(parents=True)
    (run / "htex" / "interchange.log").write_text("")
    (run / "database_manager.log").write_text(
        f"{E_HEAD} [INFO] [Monitoring-migrate-block 139657818658496] Will put [{{'run_id': "
        f"'{RUN}', 'status': 'PENDING'}}] to pending block queue\n"
    )
    assert Layout(Zones()).context(run / "htex" / "interchange.log").run_id == RUN
