"""A real Jaeger, started with the very files that docker-compose.yml mounts."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from tests.peers.processes import Process, free_ports
from tests.peers.spans import from_json

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "DNPCSQL_JAEGER"

# As stored, without what Jaeger adjusts for its page. Its parameters have other names than they
# had in 2.13; both are given.
RAW = "rawTraces=true&raw_traces=true"

# Over the mounted configuration, for tests that compare what Jaeger's disk storage has no room for.
IN_MEMORY = {
    "extensions": {
        "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 100_000}}}},
        "jaeger_query": {"storage": {"traces": "memory"}},
    },
    "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
}


def binary() -> str | None:
    """The Jaeger that the environment names, or that of the PATH."""
    return os.environ.get(VARIABLE) or shutil.which("jaeger")


class Jaeger:
    """One Jaeger with a storage of its own, which it keeps when it is started again."""

    def __init__(self, program: str, directory: Path, over: dict[str, Any] | None = None) -> None:
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        (mount, inside, _), *_ = [
            volume.split(":") for volume in compose["services"]["jaeger"]["volumes"]
        ]
        _, file = compose["services"]["jaeger"]["command"]
        here = ROOT / mount
        http, grpc, otlp_grpc, otlp_http, health = free_ports(5)
        self.url = f"http://127.0.0.1:{http}"
        self.grpc = f"http://127.0.0.1:{otlp_grpc}"
        self.http = f"http://127.0.0.1:{otlp_http}"
        asked = compose["services"]["jaeger"]["healthcheck"]["test"][-1]
        self.health = asked.replace(":13133/", f":{health}/")
        self._command = [program, "--config", str(here / Path(file).relative_to(inside))]
        if over:
            self._command += ["--config", f"yaml:{json.dumps(over)}"]
        self._environment = {
            "JAEGER_LISTEN_HOST": "127.0.0.1",
            "JAEGER_BADGER_DIRECTORY": str(directory / "badger"),
            "JAEGER_UI_CONFIG": str(here / "ui.json"),
            "JAEGER_HTTP_PORT": str(http),
            "JAEGER_GRPC_PORT": str(grpc),
            "JAEGER_OTLP_GRPC_PORT": str(otlp_grpc),
            "JAEGER_OTLP_HTTP_PORT": str(otlp_http),
            "JAEGER_HEALTH_PORT": str(health),
        }
        self._log = directory / "jaeger.log"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it says that it is well."""
        self.process = Process(self._command, self._environment, self._log, self.is_well)

    def stop(self) -> None:
        """End it as `docker compose stop` does."""
        self.process.stop()

    def kill(self) -> None:
        """End it as a machine without memory does."""
        self.process.kill()

    def is_well(self) -> bool:
        """Whether the health check of docker-compose.yml is content."""
        try:
            with urllib.request.urlopen(self.health, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def endpoint(self, protocol: str) -> str:
        """Where to send to by a protocol, as OTEL_EXPORTER_OTLP_PROTOCOL names it."""
        return self.grpc if protocol == "grpc" else self.http

    def get(self, path: str) -> Any:
        """What the API answers."""
        with urllib.request.urlopen(f"{self.url}/api/v3/{path}", timeout=60) as answer:
            return json.load(answer)

    def find(self, service: str, since: str, until: str) -> Any:
        """What the page's search finds: a service, and times as in RFC 3339."""
        asked = {"serviceName": service, "startTimeMin": since, "startTimeMax": until}
        old = {"service_name": service, "start_time_min": since, "start_time_max": until}
        return self.get("traces?" + urlencode({f"query.{k}": v for k, v in (asked | old).items()}))

    def traces(self, ids: Iterable[str], *, raw: bool = True) -> list[ResourceSpans]:
        """The spans of traces as they are stored, or as the page shows them; none where none is."""
        found: list[ResourceSpans] = []
        for trace_id in sorted(set(ids)):
            try:
                answer = self.get(f"traces/{trace_id}?{RAW if raw else ''}")
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                continue
            found += from_json(answer["result"])
        return found
