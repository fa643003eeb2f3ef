"""Why a request is not taken, as HTTP and gRPC say it.

OTLP: what is wrong with the request is not to be sent again (400, INVALID_ARGUMENT); what is wrong
with the receiver is, and when (429 or 503 with Retry-After, gRPC's RetryInfo). RESOURCE_EXHAUSTED
without RetryInfo means never again: split it. Senders that go by the words look for "too large".
"""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

RETRY_S = 1
_RETRY_INFO = f"type.googleapis.com/{RetryInfo.DESCRIPTOR.full_name}"

# google.rpc.Code, which are gRPC's numbers too.
INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = 3, 4, 8
UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 12, 13, 14


class RefusedError(Exception):
    """A request that is not taken; its text is what the sender is told."""

    def __init__(self, http: int, code: int, text: str, *, retry_s: int | None = None) -> None:
        super().__init__(text)
        self.http = http
        self.code = code
        self.retry_s = retry_s

    def status(self) -> bytes:
        """A google.rpc.Status, in protobuf."""
        message = Status(code=self.code, message=str(self))
        if self.retry_s is not None:
            retry = AnyMessage()
            retry.Pack(RetryInfo(retry_delay=Duration(seconds=self.retry_s)))
            message.details.append(retry)
        told: bytes = message.SerializeToString()
        return told

    def status_json(self) -> bytes:
        """A google.rpc.Status, in JSON."""
        told: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.retry_s is not None:
            told["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{self.retry_s}s"}]
        return json.dumps(told).encode()


def malformed(text: str) -> RefusedError:
    """A body that is not what it says it is."""
    return RefusedError(400, INVALID_ARGUMENT, text)


def too_large(limit: int) -> RefusedError:
    """A body beyond the limit; its sender should split it."""
    text = f"the message is too large, more than {limit:,} bytes: send fewer spans at a time"
    return RefusedError(413, RESOURCE_EXHAUSTED, text)


def too_many(what: str, limit: int) -> RefusedError:
    """A body of so little in each span that its size does not tell how much there is to write."""
    text = f"the message is too large, more than {limit:,} {what}: send fewer spans at a time"
    return RefusedError(413, RESOURCE_EXHAUSTED, text)


def unsupported(text: str) -> RefusedError:
    """A body of a type that is not OTLP's."""
    return RefusedError(415, INVALID_ARGUMENT, text)


def too_slow() -> RefusedError:
    """A body that did not come in time."""
    return RefusedError(408, DEADLINE_EXCEEDED, "the request did not come in time")


def overloaded() -> RefusedError:
    """Too much at once; a little later there is room."""
    return RefusedError(429, RESOURCE_EXHAUSTED, "too many requests at once", retry_s=RETRY_S)


def unavailable(text: str) -> RefusedError:
    """It cannot be stored now: the database is locked, or its disk full."""
    return RefusedError(503, UNAVAILABLE, text, retry_s=RETRY_S)


def failed(error: BaseException) -> RefusedError:
    """A mistake of ours, which would happen again."""
    return RefusedError(500, INTERNAL, f"dnpcsql failed: {type(error).__name__}: {error}")
