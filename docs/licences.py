"""Writes docs/licences.md: every package that is installed to run reporter, with its version and licence.

Read from the metadata of what requirements.lock pins, as it is installed here: ``python docs/licences.py``.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
CLASSIFIER = "License :: OSI Approved :: "
HEAD = """# Licences

Every package that is installed to run reporter, pinned by hash in `requirements.lock`, with the licence
its own metadata states. Made by `make docs`; `make sbom` writes the same as a CycloneDX document.

| Package | Version | Licence |
| --- | --- | --- |
"""


def licence(name: str) -> str:
    """Give the licence a package states: as an expression, by classifier, or in words."""
    told = metadata(name)
    if expression := told.get("License-Expression"):
        return str(expression)
    named = [
        one.removeprefix(CLASSIFIER) for one in told.get_all("Classifier") or () if one.startswith(CLASSIFIER)
    ]
    words = (told.get("License") or "").strip().splitlines()
    return " and ".join(named) or (words[0][:60] if words else "not stated")


def main() -> None:
    """Print the document."""
    lines = []
    for pinned in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", LOCK.read_text("utf-8"), re.MULTILINE):
        try:
            lines.append(f"| {pinned} | {metadata(pinned)['Version']} | {licence(pinned)} |")
        except PackageNotFoundError:  # for another system or Python
            continue
    sys.stdout.write(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
