"""What the official JavaScript exporters send. Needs node and npm, and their registry."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.otlp.test_round_trip import message_of, spans_of
from tests.receivers.conftest import Serving, stored

pytestmark = pytest.mark.node

SCRIPT = Path(__file__).with_name("send.mjs")
PACKAGES = (
    "@opentelemetry/api@1.9.0",
    "@opentelemetry/sdk-trace-node@2.12.0",
    "@opentelemetry/resources@2.12.0",
    "@opentelemetry/otlp-transformer@0.223.0",
    "@opentelemetry/exporter-trace-otlp-grpc@0.223.0",
    "@opentelemetry/exporter-trace-otlp-http@0.223.0",
    "@opentelemetry/exporter-trace-otlp-proto@0.223.0",
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script, beside the packages that it needs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("NOT RUN: the official JavaScript exporters, for there is no node or npm here")
    place = tmp_path_factory.mktemp("node")
    (place / "package.json").write_text('{"private": true}')
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"NOT RUN: the official JavaScript exporters: {done.stderr[-300:]}")
    return Path(shutil.copy(SCRIPT, place))


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_what_javascript_sends(
    serve: Callable[..., Serving], script: Path, protocol: str, compression: str
) -> None:
    serving = serve()
    done = subprocess.run(
        ["node", str(script), protocol, compression, serving.grpc, serving.http],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "received 2 spans in 2 requests" in serving.stop()
    meant = json.loads(done.stdout)["resourceSpans"]
    assert stored(serving.database) == spans_of(map(message_of, meant))
