"""Where to send to, and how: options first, then OTEL_EXPORTER_OTLP_* of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from dnpcsql.errors import NotFoundError, SettingError

Protocol: TypeAlias = Literal["grpc", "http/protobuf", "http/json"]
PROTOCOLS: tuple[Protocol, ...] = ("grpc", "http/protobuf", "http/json")

_PORTS: dict[str, int] = {"grpc": 4317, "http/protobuf": 4318, "http/json": 4318}
_COMPRESSIONS = ("none", "gzip", "deflate")
_TIMEOUT_S = 10.0
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


class Endpoint(NamedTuple):
    """A receiver of OTLP."""

    url: str
    protocol: Protocol
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = _TIMEOUT_S
    compression: str = "none"
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    secure: bool = False

    @property
    def host(self) -> str:
        """The host's name."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def target(self) -> str:
        """What gRPC connects to: host and port."""
        parts = urlsplit(self.url)
        return f"{_bracketed(self.host)}:{parts.port or (443 if self.secure else 4317)}"


def endpoint(
    url: str | None = None,
    protocol: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Endpoint:
    """What options and environment say; by default a Jaeger or Collector on this machine.

    Raises SettingError with the variable or option that is wrong.
    """
    found = os.environ if environment is None else environment
    named = protocol or _of(found, "PROTOCOL")
    chosen, path_is_whole = url, True
    if chosen is None:
        chosen = found.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or None
        if chosen is None:
            chosen, path_is_whole = found.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None, False
    protocol = _protocol(named or _guessed(chosen))
    if chosen is None:
        chosen = f"http://localhost:{_PORTS[protocol]}"
    if "://" not in chosen:
        plain = protocol != "grpc" or _of(found, "INSECURE").lower() != "false" or url is not None
        chosen = f"{'http' if plain else 'https'}://{chosen}"
    parts = _split(chosen)
    if protocol != "grpc" and (not path_is_whole or parts.path in ("", "/")):
        chosen = f"{chosen.rstrip('/')}/v1/traces"
    return Endpoint(
        url=chosen,
        protocol=protocol,
        headers=_headers(_of(found, "HEADERS")),
        timeout_s=_timeout(_of(found, "TIMEOUT")),
        compression=_compression(_of(found, "COMPRESSION") or "none", protocol),
        certificate=_file(found, "CERTIFICATE"),
        client_certificate=_file(found, "CLIENT_CERTIFICATE"),
        client_key=_file(found, "CLIENT_KEY"),
        secure=parts.scheme == "https",
    )


def _of(environment: Mapping[str, str], name: str) -> str:
    """The variable for traces, else the one for all signals."""
    traces = environment.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}")
    return (traces or environment.get(f"OTEL_EXPORTER_OTLP_{name}") or "").strip()


def _guessed(url: str | None) -> str:
    """4318 and a path are HTTP's; gRPC has neither."""
    if url is None:
        return "grpc"
    parts = _split(url if "://" in url else f"http://{url}")
    return "http/protobuf" if parts.port == _PORTS["http/json"] or parts.path.strip("/") else "grpc"


def _protocol(named: str) -> Protocol:
    if named not in PROTOCOLS:
        raise SettingError(f"no protocol {named}; there are: {', '.join(PROTOCOLS)}")
    return named


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingError(f"endpoint {url}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise SettingError(f"endpoint {url}: write it as http://HOST:PORT")
    return parts


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    """`key=value,key=value`, percent-encoded, as the specification has it."""
    made = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise SettingError(f"OTEL_EXPORTER_OTLP_HEADERS: {pair!r} is no key=value")
        told = unquote(value.strip())
        if not _NAME.fullmatch(key.strip()) or not (told.isascii() and told.isprintable()):
            raise SettingError(
                f"OTEL_EXPORTER_OTLP_HEADERS: {key.strip()}: a header is printable ASCII"
            )
        made.append((key.strip().lower(), told))
    return tuple(made)


def _timeout(text: str) -> float:
    """Seconds, as the SDK for Python takes it."""
    if not text:
        return _TIMEOUT_S
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise SettingError(f"OTEL_EXPORTER_OTLP_TIMEOUT={text}: no number of seconds")
    return found


def _compression(named: str, protocol: Protocol) -> str:
    if named not in _COMPRESSIONS or (named == "deflate" and protocol == "grpc"):
        raise SettingError(f"OTEL_EXPORTER_OTLP_COMPRESSION={named}: none or gzip")
    return named


def _file(environment: Mapping[str, str], name: str) -> str | None:
    path = _of(environment, name) or None
    if path is not None and not Path(path).is_file():
        raise NotFoundError(f"OTEL_EXPORTER_OTLP_{name}: there is no file {path}")
    return path


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
