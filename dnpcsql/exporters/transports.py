"""One request to a receiver, by gRPC or HTTP, and what may come of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from dnpcsql.exporters.settings import Endpoint

_SHOWN = 300


class Answer(NamedTuple):
    """A receiver took a request, except for so many spans."""

    rejected: int = 0
    message: str = ""


class NotNowError(Exception):
    """To be tried again, not before `after_s` if that is given.

    `unreachable`: nobody listens. `answered`: the receiver said so itself.
    """

    def __init__(
        self,
        text: str,
        after_s: float | None = None,
        *,
        unreachable: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(text)
        self.after_s = after_s
        self.unreachable = unreachable
        self.answered = answered


class TooLargeError(Exception):
    """The request is more than the receiver takes at once."""


class RefusedError(Exception):
    """The receiver will never take it."""


class Transport(Protocol):
    """Sends requests to one endpoint."""

    def send(self, body: bytes) -> Answer:
        """One request. Raises NotNowError, TooLargeError or RefusedError."""

    def close(self) -> None:
        """Let go of the connection."""


def transport(endpoint: Endpoint) -> Transport:
    """The one for the endpoint's protocol."""
    if endpoint.protocol == "grpc":
        from dnpcsql.exporters.grpc_transport import Grpc

        return Grpc(endpoint)
    from dnpcsql.exporters.http_transport import Http

    return Http(endpoint)


def shown(text: str) -> str:
    """What a receiver says, harmless, in one line, and short."""
    line = "".join(char if char.isprintable() else " " for char in text[:_SHOWN])
    return " ".join(line.split()) + ("…" if len(text) > _SHOWN else "")
