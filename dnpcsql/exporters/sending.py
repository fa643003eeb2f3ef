"""Batches to a receiver: tried again where that may help, split where they are too large."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dnpcsql.errors import SendError
from dnpcsql.exporters.batches import Batch
from dnpcsql.exporters.encoding import Encoder
from dnpcsql.exporters.settings import Endpoint
from dnpcsql.exporters.transports import Answer, NotNowError, RefusedError, TooLargeError, Transport

PATIENCE_S = 60.0
_FIRST_WAIT_S = 1.0
_WORDS = 5
_BISECTIONS = 12


@dataclass
class Sent:
    """What a receiver took."""

    spans: int = 0
    events: int = 0
    links: int = 0
    requests: int = 0
    size: int = 0
    rejected: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    traces: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Batch) -> None:
        """A batch that was taken, or of which the rest was refused."""
        self.spans += batch.spans
        self.events += batch.events
        self.links += batch.links
        self.traces.update(batch.traces)


class Sender:
    """Sends to one endpoint, no longer than `patience_s` for any request."""

    def __init__(
        self,
        transport: Transport,
        encoder: Encoder,
        endpoint: Endpoint,
        *,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sent = Sent()
        self._transport = transport
        self._encoder = encoder
        self._endpoint = endpoint
        self._patience_s = patience_s
        self._sleep = sleep

    def send(self, batch: Batch) -> None:
        """Raises SendError if the receiver cannot be reached or refuses."""
        self._send(batch)
        self.sent.add(batch)

    def _send(self, batch: Batch) -> None:
        try:
            self._tried(batch)
        except TooLargeError as error:
            if batch.spans == 1:
                self._rejected(Answer(1, f"one span of {batch.size:,} bytes: {error}"))
                return
            for half in batch.halves():
                self._send(half)

    def _tried(self, batch: Batch) -> None:
        """Wait 1, 2, 4 … seconds between tries, a fifth more or less, or longer if asked."""
        began = time.monotonic()
        wait = _FIRST_WAIT_S
        while True:
            try:
                self._once(batch)
            except NotNowError as error:
                if error.unreachable and not self.sent.requests:
                    raise SendError(
                        f"nothing listens at {self._where()}: start it (`docker compose up -d`), "
                        f"or name another with --endpoint ({error})"
                    ) from None
                pause = max(wait * random.uniform(0.8, 1.2), error.after_s or 0)
                took = time.monotonic() - began
                if took + pause <= self._patience_s:
                    self._sleep(pause)
                    wait *= 2
                elif error.answered and error.after_s is None and batch.spans > 1:
                    self._without_the_bad_ones(batch)
                    return
                else:
                    raise self._given_up(error, took) from None
            else:
                return

    def _once(self, batch: Batch) -> None:
        body = batch.request(self._encoder)
        try:
            answer = self._transport.send(body)
        except RefusedError as error:
            raise SendError(f"{self._where()} refuses: {error}") from None
        self.sent.requests += 1
        self.sent.size += len(body)
        if answer.rejected or answer.message:
            self._rejected(answer)

    def _without_the_bad_ones(self, batch: Batch) -> None:
        """Some receivers answer "try again" for ever to a request with one span that they cannot
        store (Jaeger's badger: an attribute of more than 65,000 bytes): try halves, once each, and
        single spans again at the end, for the receiver may be well by then."""
        remaining, refused, tries, taken = [*batch.halves()], [], 0, False
        while remaining:
            some = remaining.pop()
            try:
                self._once(some)
                taken = True
            except (NotNowError, TooLargeError) as error:
                tries += 1
                asked = isinstance(error, NotNowError) and error.after_s is not None
                if asked or (tries > _BISECTIONS and not taken):
                    raise self._given_up(error, self._patience_s) from None
                if some.spans > 1:
                    remaining += some.halves()
                else:
                    refused.append(some)
        for some in refused:
            try:
                self._once(some)
            except (NotNowError, TooLargeError) as error:
                self._rejected(Answer(1, str(error)))

    def _given_up(self, error: Exception, took: float) -> SendError:
        return SendError(
            f"{self._where()} did not take it in {took:.0f} s: {error}; "
            f"{self.sent.spans:,} spans are there. Run it again, from the same database"
        )

    def _rejected(self, answer: Answer) -> None:
        self.sent.rejected += answer.rejected
        if answer.message and (
            len(self.sent.messages) < _WORDS or answer.message in self.sent.messages
        ):
            self.sent.messages[answer.message] += answer.rejected

    def _where(self) -> str:
        return f"{self._endpoint.url} ({self._endpoint.protocol})"
