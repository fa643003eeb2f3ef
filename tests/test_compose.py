"""docker-compose.yml and what it mounts: what has to be so for a Jaeger that is safe and keeps.

No Docker is needed; whether Jaeger takes the configuration is tried in tests/jaeger.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


@pytest.fixture(scope="module")
def jaeger(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]["jaeger"]
    return found


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "jaeger" / "config.yaml").read_text())
    return found


def default(value: str) -> str:
    """A setting as it is where no environment variable says otherwise."""
    return re.sub(r"\$\{env:\w+:-([^}]*)\}", r"\1", value)


def test_the_image_is_one_for_ever(compose: dict[str, Any]) -> None:
    images = {service["image"] for service in compose["services"].values()}
    assert len(images) == 1, "preparing the storage downloads nothing else"
    assert re.fullmatch(r"jaegertracing/jaeger:2\.\d+\.\d+@sha256:[0-9a-f]{64}", images.pop())


def test_ports_are_of_this_machine_alone(compose: dict[str, Any], jaeger: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports == jaeger["ports"]
    assert [port.rsplit(":", 2)[0] for port in ports] == ["127.0.0.1"] * 3
    assert [port.rsplit(":", 1)[1] for port in ports] == ["16686", "4317", "4318"]
    assert all(service.get("network_mode") != "host" for service in compose["services"].values())


def test_inside_it_listens_on_those_ports_and_not_on_loopback(
    jaeger: dict[str, Any], configuration: dict[str, Any]
) -> None:
    assert jaeger["environment"]["JAEGER_LISTEN_HOST"] == "0.0.0.0"
    protocols = configuration["receivers"]["otlp"]["protocols"]
    query = configuration["extensions"]["jaeger_query"]
    listening = [query["http"], protocols["grpc"], protocols["http"]]
    for port, part in zip(jaeger["ports"], listening, strict=True):
        assert part["endpoint"].startswith("${env:JAEGER_LISTEN_HOST:-")
        assert default(part["endpoint"]).rsplit(":", 1)[1] == port.rsplit(":", 1)[1]


def test_what_it_was_sent_stays_when_it_is_restarted(
    compose: dict[str, Any], jaeger: dict[str, Any], configuration: dict[str, Any]
) -> None:
    extensions = configuration["extensions"]
    (kept,) = extensions["jaeger_storage"]["backends"].values()
    (name,) = extensions["jaeger_storage"]["backends"]
    assert kept["badger"]["ephemeral"] is False
    assert int(kept["badger"]["ttl"]["spans"].removesuffix("h")) >= 10 * 365 * 24
    assert configuration["exporters"]["jaeger_storage_exporter"]["trace_storage"] == name
    assert extensions["jaeger_query"]["storage"]["traces"] == name
    mounted = [volume.split(":") for volume in jaeger["volumes"]]
    (place,) = [there for here, there, *_ in mounted if here in compose["volumes"]]
    directories = {default(path) for path in kept["badger"]["directories"].values()}
    assert directories == {f"{place}/keys", f"{place}/values"}


def test_nothing_is_acknowledged_before_it_is_stored(configuration: dict[str, Any]) -> None:
    """A batch processor or a queue would say yes to what a full disk or a kill then loses."""
    assert "batch" not in configuration["service"]["pipelines"]["traces"]["processors"]
    assert "queue" not in configuration["exporters"]["jaeger_storage_exporter"]


def test_the_volume_is_made_writable_for_the_user_before_jaeger_starts(
    compose: dict[str, Any], jaeger: dict[str, Any]
) -> None:
    assert jaeger["user"] == "10001:10001"
    ((first, how),) = jaeger["depends_on"].items()
    assert how == {"condition": "service_completed_successfully"}
    prepare = compose["services"][first]
    assert (prepare["user"], prepare["restart"]) == ("root", "no")
    assert prepare["volumes"] == ["traces:/badger"]
    (script,) = prepare["command"]
    assert "chown -R 10001:10001 /badger" in script


def test_its_health_is_asked_with_what_the_image_has(
    jaeger: dict[str, Any], configuration: dict[str, Any]
) -> None:
    how, program, *options = jaeger["healthcheck"]["test"]
    assert (how, program) == ("CMD", "wget"), "Alpine's busybox; there is no curl"
    health = configuration["extensions"]["healthcheckv2"]
    assert health["use_v2"] is True
    port = default(health["http"]["endpoint"]).rsplit(":", 1)[1]
    assert options[-1] == f"http://127.0.0.1:{port}/status"
    assert "healthcheckv2" in configuration["service"]["extensions"]


def test_memory_is_limited_and_reclaimed_before_the_limit(
    compose: dict[str, Any], jaeger: dict[str, Any], configuration: dict[str, Any]
) -> None:
    assert all("mem_limit" in service for service in compose["services"].values())
    limit = int(jaeger["mem_limit"].removesuffix("g")) * 1024
    reclaimed = int(jaeger["environment"]["GOMEMLIMIT"].removesuffix("MiB"))
    assert 0.7 * limit <= reclaimed < 0.9 * limit
    assert configuration["service"]["pipelines"]["traces"]["processors"] == ["memory_limiter"]


def test_what_jaeger_may_write_to_is_its_storage(jaeger: dict[str, Any]) -> None:
    assert jaeger["read_only"] is True
    assert jaeger["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in jaeger["security_opt"]
    assert jaeger["tmpfs"] == ["/tmp"]


def test_the_mounted_files_are_those_of_the_checkout(
    jaeger: dict[str, Any], configuration: dict[str, Any]
) -> None:
    (here, there, mode), *_ = [volume.split(":") for volume in jaeger["volumes"]]
    assert "ro" in mode.split(",")
    named = [
        jaeger["command"][1],
        default(configuration["extensions"]["jaeger_query"]["ui"]["config_file"]),
    ]
    for path in named:
        assert (ROOT / here / Path(path).relative_to(there)).is_file()


def test_the_pages_look_back_reaches_old_runs() -> None:
    """The menu ends at two days by default."""
    search = json.loads((ROOT / "jaeger" / "ui.json").read_text())["search"]
    assert search["maxLookback"] == {"label": "10 Years", "value": "520w"}
