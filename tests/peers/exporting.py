"""`dnpcsql export otlp`, run as a user runs it, on real runs and traces."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from tests.conftest import CORPUS, DATA, corpus
from tests.peers.spans import read_file

PROTOCOLS = ("grpc", "http/protobuf", "http/json")

RUNS = tuple(path.name.removesuffix(".tar.xz") for path in sorted(DATA.glob("parsl-*.tar.xz")))
# Not part of the checkout.
RUNS_OF_THE_CORPUS = tuple(
    path.name
    for path in sorted(CORPUS.glob("*"))
    if path.is_dir() and path.name not in (*RUNS, "otlp")
)
TRACES = tuple(path.name for path in sorted((DATA / "otlp").glob("*")) if path.suffix != ".md")


def source(name: str, directory: Path) -> Path:
    """What `import` is given for a run's or a file's name."""
    if name in TRACES:
        return DATA / "otlp" / name
    if name not in RUNS:
        return corpus(name)
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        archive.extractall(directory, filter="data")
    return directory / "runinfo"


class Exports:
    """A database of one run or file of traces, and what `dnpcsql export otlp` does with it."""

    def __init__(self, name: str, directory: Path) -> None:
        self._directory = directory
        self._database = directory / "dnpc.sqlite3"
        self._sent: dict[tuple[str, ...], list[ResourceSpans]] = {}
        self.source = source(name, directory)
        done = self._dnpcsql("import", str(self.source))
        if "nothing here that dnpcsql knows" in done.stderr:
            pytest.skip(f"no importer for {name}")
        assert done.returncode == 0, done.stderr

    def __call__(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Export, with options."""
        return self._dnpcsql("export", "otlp", *options)

    def to(self, endpoint: str, protocol: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Send, which has to succeed."""
        done = self("--endpoint", endpoint, "--protocol", protocol, *options)
        assert done.returncode == 0, done.stderr
        return done

    def sent(self, *options: str) -> list[ResourceSpans]:
        """What is sent, as `--output` writes it."""
        if options not in self._sent:
            file = self._directory / f"sent-{len(self._sent)}.jsonl"
            done = self("--output", str(file), *options)
            assert done.returncode == 0, done.stderr
            self._sent[options] = read_file(file)
        return self._sent[options]

    def _dnpcsql(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        return subprocess.run(
            [sys.executable, "-m", "dnpcsql", *arguments],
            env={**kept, "DNPCSQL_DB": str(self._database)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


class Exported:
    """Exports by the name of a run or of a file of traces; each is imported once."""

    def __init__(self, directories: pytest.TempPathFactory) -> None:
        self._directories = directories
        self._made: dict[str, Exports] = {}

    def __call__(self, name: str) -> Exports:
        """One, imported when it is first asked for."""
        if name not in self._made:
            self._made[name] = Exports(name, self._directories.mktemp("exported"))
        return self._made[name]
