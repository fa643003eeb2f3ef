"""Where to send to: options, and OTEL_EXPORTER_OTLP_* of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dnpcsql.errors import DnpcsqlError
from dnpcsql.exporters.settings import Endpoint, endpoint

E = "OTEL_EXPORTER_OTLP_"

# options, environment → what of the endpoint
CASES: list[tuple[dict[str, str], dict[str, str], dict[str, Any]]] = [
    ({}, {}, {"url": "http://localhost:4317", "protocol": "grpc", "target": "localhost:4317"}),
    ({"protocol": "http/json"}, {}, {"url": "http://localhost:4318/v1/traces"}),
    (
        {"url": "http://jaeger:4318"},
        {},
        {"url": "http://jaeger:4318/v1/traces", "protocol": "http/protobuf"},
    ),
    ({"url": "jaeger:4317"}, {}, {"target": "jaeger:4317", "secure": False}),
    ({"url": "https://otel.org"}, {}, {"target": "otel.org:443", "secure": True}),
    ({"url": "http://[::1]:4317"}, {}, {"target": "[::1]:4317", "host": "::1"}),
    # A path given for traces is whole; one for all signals is where /v1/traces is below.
    (
        {},
        {E + "ENDPOINT": "http://proxy/otel/", E + "PROTOCOL": "http/protobuf"},
        {"url": "http://proxy/otel/v1/traces"},
    ),
    (
        {},
        {E + "TRACES_ENDPOINT": "http://proxy/mine", E + "ENDPOINT": "http://other:1"},
        {"url": "http://proxy/mine", "protocol": "http/protobuf"},
    ),
    # What is for traces goes before what is for all, an option before both.
    (
        {"protocol": "grpc"},
        {E + "PROTOCOL": "http/json", E + "TRACES_PROTOCOL": "http/protobuf"},
        {"protocol": "grpc"},
    ),
    ({}, {E + "PROTOCOL": "http/json", E + "TRACES_PROTOCOL": "grpc"}, {"protocol": "grpc"}),
    (
        {},
        {E + "HEADERS": "Authorization=Bearer%20x, b = 2,"},
        {"headers": (("authorization", "Bearer x"), ("b", "2"))},
    ),
    ({}, {E + "TIMEOUT": "2.5"}, {"timeout_s": 2.5}),
    ({}, {E + "COMPRESSION": "gzip"}, {"compression": "gzip"}),
    ({}, {E + "ENDPOINT": "", E + "PROTOCOL": ""}, {"url": "http://localhost:4317"}),
]  # fmt: skip

BAD = [
    ({"protocol": "udp"}, {}, "no protocol udp; there are: grpc, http/protobuf, http/json"),
    ({"url": "ftp://x"}, {}, "endpoint ftp://x: write it as http://HOST:PORT"),
    ({"url": "http://"}, {}, "endpoint http://: write it"),
    ({"url": "http://x:99999"}, {}, "endpoint http://x:99999: Port out of range"),
    ({}, {E + "TIMEOUT": "soon"}, "TIMEOUT=soon: no number of seconds"),
    ({}, {E + "TIMEOUT": "-1"}, "TIMEOUT=-1: no number of seconds"),
    ({}, {E + "HEADERS": "novalue"}, "'novalue' is no key=value"),
    ({}, {E + "HEADERS": "x=%E2%82%AC"}, "HEADERS: x: a header is printable ASCII"),
    ({}, {E + "HEADERS": "a=%0d%0aX: y"}, "HEADERS: a: a header is printable ASCII"),
    ({}, {E + "HEADERS": "my key=1"}, "HEADERS: my key: a header is printable ASCII"),
    ({}, {E + "COMPRESSION": "lzma"}, "COMPRESSION=lzma: none or gzip"),
    ({}, {E + "CERTIFICATE": "no/such.pem"}, "there is no file no/such.pem"),
]


@pytest.mark.parametrize(("options", "environment", "answer"), CASES)
def test_what_options_and_environment_say(
    options: dict[str, str], environment: dict[str, str], answer: dict[str, Any]
) -> None:
    found = endpoint(**options, environment=environment)
    assert {name: getattr(found, name) for name in answer} == answer


@pytest.mark.parametrize(("options", "environment", "words"), BAD)
def test_what_makes_no_sense_is_told(
    options: dict[str, str], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(DnpcsqlError) as told:
        endpoint(**options, environment=environment)
    assert words in str(told.value)


def test_certificates_are_files(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("x")
    found = endpoint("https://a:1", environment={E + "CERTIFICATE": str(file)})
    assert found == Endpoint("https://a:1", "grpc", certificate=str(file), secure=True)
