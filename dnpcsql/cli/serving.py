"""`dnpcsql serve`: take in what running programs send."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dnpcsql.cli.output import plain, seconds

if TYPE_CHECKING:
    from dnpcsql.receivers import Received

_MIB = 1 << 20
_OFF = "off"


@click.command("serve")
@click.option(
    "--listen",
    default="127.0.0.1:4317",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen for OTLP by gRPC; off: not at all.",
)
@click.option(
    "--http",
    default="127.0.0.1:4318",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen for OTLP by HTTP, protobuf or JSON; off: not at all.",
)
@click.option("--certificate", metavar="FILE", help="TLS: the certificate (PEM).")
@click.option("--key", metavar="FILE", help="TLS: its key (PEM).")
@click.option(
    "--insecure", is_flag=True, help="Without TLS even where other machines can reach it."
)
@click.option(
    "--max-message",
    type=click.IntRange(1, 1024),
    default=16,
    show_default=True,
    help="MiB that one request may have, before and after decompression.",
)
@click.option(
    "--max-memory",
    type=click.IntRange(1, 1 << 20),
    default=128,
    show_default=True,
    help="MiB that all requests at hand may take.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(1, 1024),
    default=16,
    show_default=True,
    help="Requests that are taken in at once; more are told to come again.",
)
@click.pass_obj
def serve_command(
    db: str | None,
    listen: str,
    http: str,
    certificate: str | None,
    key: str | None,
    insecure: bool,
    max_message: int,
    max_memory: int,
    max_requests: int,
) -> None:
    """Take in traces that running OpenTelemetry programs send, until Ctrl-C or SIGTERM.

    What was answered is on the disk. A span sent again is not doubled. The database can be asked
    meanwhile.

    \b
    dnpcsql serve
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 opentelemetry-instrument python my_script.py
    """
    # With gRPC and protobuf, which the help of other commands does not need.
    from dnpcsql.receivers import Limits, Receiver

    receiver = Receiver(
        db,
        grpc=None if listen == _OFF else listen,
        http=None if http == _OFF else http,
        certificate=certificate,
        key=key,
        insecure=insecure,
        limits=Limits(message=max_message * _MIB, memory=max_memory * _MIB, requests=max_requests),
    )
    began = time.monotonic()
    with _until_a_signal() as wait:
        receiver.start()
        scheme = "https" if certificate else "http"
        if receiver.grpc_address:
            click.echo(f"listening: gRPC {scheme}://{receiver.grpc_address}")
        if receiver.http_address:
            click.echo(f"listening: HTTP {scheme}://{receiver.http_address}/v1/traces")
        wait()
        left = receiver.stop()
    click.echo("\n".join(_summary(receiver.session, receiver.received, time.monotonic() - began)))
    if left:
        click.echo(f"dnpcsql: {left}", err=True)


@contextmanager
def _until_a_signal() -> Iterator[Callable[[], None]]:
    """Something that waits for SIGINT or SIGTERM. The second one ends the process as it always
    does: what was acknowledged is on the disk by then."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def wait() -> None:
        # No handler: it could run anywhere, even within the lock that it needs.
        signal.sigwait(signals)
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield wait
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _summary(session: str, received: Received, duration: float) -> list[str]:
    again = f", {received.again:,} of them sent again" if received.again else ""
    came = f"{received.spans:,} spans in {received.requests:,} requests{again}"
    lines = [f"received {came}, in {seconds(duration)}"]
    if received.rejected or received.refused:
        lines.append(
            f"not taken: {received.refused:,} requests refused, "
            f"{received.rejected:,} spans not understood"
        )
    if received.problems:
        lines.append(f"{received.problems:,} problems: `dnpcsql problems`")
    if received.spans:
        lines.append(f"source: {plain(session)}")
    return lines
