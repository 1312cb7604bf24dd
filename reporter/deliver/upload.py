"""Copying documents to folders and object stores, by addresses that fsspec understands."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from reporter.artifact import Artifact, Receipt
from reporter.deliver.files import LAST
from reporter.errors import DeliveryError, UsageError

_SHOWN = 200


def upload(address: str, folders: Sequence[str], artifacts: Sequence[Artifact]) -> tuple[Receipt, ...]:
    """Copy documents to an address, report.json last in each folder.

    Credentials come from the environment, as the library behind the address reads them.

    Args:
        address: A folder as fsspec writes it: ``s3://bucket/reports``, ``gs://…``, ``file:///…``.
        folders: Folders below it; each gets every document. ``""`` is the address itself.
        artifacts: The documents.

    Returns:
        A receipt for each document in the first folder.

    Raises:
        UsageError: The library for such an address is not installed.
        DeliveryError: It cannot be written there.
    """
    ordered = sorted(artifacts, key=lambda artifact: artifact.name == LAST)
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UsageError(
            f"nothing here knows such an address: {_reason(error)}",
            subject=address,
            hint="pip install 'cluster-reporter[upload]', and what fsspec needs for it (s3fs, gcsfs, adlfs).",
        ) from error
    except Exception as error:  # each library behind an address raises its own
        raise _failure(address, error) from error
    for folder in folders:
        _fill(system, "/".join(part for part in (root.rstrip("/"), folder) if part), ordered, address)
    base = address.rstrip("/") + (f"/{folders[0]}" if folders[0] else "")
    return tuple(
        Receipt(
            name=artifact.name,
            path=f"{base}/{artifact.name}",
            sha256=sha256(artifact.data).hexdigest(),
            size_bytes=len(artifact.data),
        )
        for artifact in ordered
    )


def _fill(system: Any, folder: str, artifacts: Sequence[Artifact], address: str) -> None:
    try:
        system.makedirs(folder, exist_ok=True)
        for artifact in artifacts:
            system.pipe_file(f"{folder}/{artifact.name}", artifact.data)
    except Exception as error:  # as above
        raise _failure(address, error) from error


def _failure(address: str, error: Exception) -> DeliveryError:
    return DeliveryError(
        f"the documents cannot be copied there: {_reason(error)}",
        subject=address,
        hint="They lie in the folder of --out all the same.",
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:_SHOWN]
    return f"{type(error).__name__}{f': {text}' if text else ''}"
