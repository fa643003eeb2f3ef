"""Batches into a file: a line of OTLP/JSON each, or protobuf messages one after another."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from dnpcsql.errors import SendError, SettingError
from dnpcsql.exporters.batches import Batch
from dnpcsql.exporters.encoding import Encoder, Json, Protobuf
from dnpcsql.exporters.sending import Sent


def encoder_for(path: Path) -> Encoder:
    """By the file's name: .jsonl or .pb. Raises SettingError for another."""
    if path.suffix in (".jsonl", ".json", ".ndjson"):
        return Json()
    if path.suffix in (".pb", ".binpb"):
        return Protobuf()
    raise SettingError(f"--output {path}: name it FILE.jsonl (OTLP/JSON) or FILE.pb (protobuf)")


class FileSender:
    """Writes beside the file, and puts the whole in its place at the end."""

    def __init__(self, path: Path, encoder: Encoder) -> None:
        """Raises SendError where the file cannot be written."""
        self.sent = Sent()
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._encoder = encoder
        self._end = b"\n" if isinstance(encoder, Json) else b""
        if path.is_dir():
            raise SendError(f"{path} cannot be written: it is a directory")
        try:
            self._file: BinaryIO = self._part.open("wb")
        except OSError as error:
            raise self._cannot(error) from None

    def _cannot(self, error: OSError) -> SendError:
        return SendError(f"{self._path} cannot be written: {error.strerror}")

    def send(self, batch: Batch) -> None:
        """One message. Raises SendError where there is no room."""
        body = batch.request(self._encoder) + self._end
        try:
            self._file.write(body)
        except OSError as error:
            raise self._cannot(error) from None
        self.sent.requests += 1
        self.sent.size += len(body)
        self.sent.add(batch)

    def __enter__(self) -> FileSender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._part.replace(self._path)
        except OSError as failed:
            error = failed
            raise self._cannot(failed) from None
        finally:
            with contextlib.suppress(OSError):  # what is left in the buffer finds no room either
                self._file.close()
            if error is not None:
                self._part.unlink(missing_ok=True)
