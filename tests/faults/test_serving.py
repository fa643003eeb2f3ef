"""A receiver killed before any of its writes has what it acknowledged, and its disk may fail."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dnpcsql.store import Store
from tests.faults.conftest import COUNT, EIO, ENOSPC, KILL, environment
from tests.faults.test_importing import sound
from tests.receivers.conftest import Serving, serve
from tests.receivers.test_durability import SENDERS, Sender, acknowledged, names

__all__ = ["serve"]

# Calls on the database until it listens, and until it has served a while.
_BEGUN, _LATER = 400, 1_200


@pytest.mark.parametrize("seed", range(COUNT))
def test_killed_before_any_of_its_writes(
    seed: int,
    serve: Callable[..., Serving],
    faults: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = random.Random(seed).randrange(_BEGUN, _LATER)
    for name, value in environment(faults, "change", "dnpc.sqlite3", at, KILL).items():
        monkeypatch.setenv(name, value)
    serving = serve()
    for name in environment(faults, "", "", 0, 0):
        monkeypatch.delenv(name)
    senders = [Sender(serving, number) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    assert serving.process.wait(120) == -signal.SIGKILL
    known = acknowledged(senders)
    found = names(serving.database)
    assert known <= set(found)
    assert len(found) == len(set(found))
    with Store(serving.database) as store:
        store.writing()
        (source,) = store.sources()
        assert (source.understood, source.lines) == (len(found), len(found))
    sound(serving.database)
    assert list(serving.database.parent.iterdir()) == [serving.database]
    assert set(names(serving.database)) == set(found)


@pytest.mark.parametrize(
    ("kind", "number"),
    [("write", ENOSPC), ("write", EIO), ("sync", EIO)],
    ids=["disk full", "write error", "fsync error"],
)
@pytest.mark.parametrize("seed", range(max(1, COUNT // 8)))
def test_what_a_failing_disk_did_not_take_is_not_acknowledged(
    seed: int,
    kind: str,
    number: int,
    serve: Callable[..., Serving],
    faults: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The senders are told to come again, and give up here at the first such answer."""
    begun, later = (40, 80) if kind == "sync" else (_BEGUN, _LATER)
    at = random.Random(seed).randrange(begun, later)
    for name, value in environment(faults, kind, "dnpc.sqlite3", at, number).items():
        monkeypatch.setenv(name, value)
    serving = serve()
    for name in environment(faults, "", "", 0, 0):
        monkeypatch.delenv(name)
    senders = [Sender(serving, place) for place in range(SENDERS)]
    for sender in senders:
        sender.start()
    known = acknowledged(senders)
    assert not any(sender.is_alive() for sender in senders)
    assert known
    time.sleep(0.1)
    assert serving.process.poll() is None
    serving.process.kill()
    serving.process.wait()
    found = names(serving.database)
    assert known <= set(found)
    assert len(found) == len(set(found))
    Store(serving.database).writing().close()
    sound(serving.database)
