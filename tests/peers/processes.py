"""Other programs, started for tests and stopped again."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

Ready: TypeAlias = Callable[[], bool]

_PATIENCE = 60.0


def free_ports(number: int) -> list[int]:
    """Ports of the loopback address on which nobody listens just now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Process:
    """A server that runs until it is stopped."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, ready: Ready
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{command[0]} does not start:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end, and wait: its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()


def listens(port: int) -> bool:
    """Whether someone accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
