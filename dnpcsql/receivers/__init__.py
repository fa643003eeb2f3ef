"""LISTEN: a live OTLP endpoint that feeds the store.

    with dnpcsql.receivers.Receiver("dnpc.sqlite3") as receiver:
        print(receiver.grpc_address, receiver.http_address)

`limits` and `refusals` are what protects it; `messages` makes records of a request's body;
`recorder` writes them, durably, before `grpc_server` and `http_server` answer; `receiver` holds
these together.
"""

from dnpcsql.receivers.limits import Limits
from dnpcsql.receivers.receiver import Receiver
from dnpcsql.receivers.recorder import Received

__all__ = ["Limits", "Received", "Receiver"]
