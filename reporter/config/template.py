"""The commented reporter.toml that `reporter init` writes: every setting, its default and its other names."""

from __future__ import annotations

from textwrap import wrap

from reporter.config.key import SECTIONS, Key
from reporter.config.keys import KEYS

_WIDTH = 98
_HEAD = """\
# Settings of `reporter`: read from ./reporter.toml, or from the file given with --config.
# A flag wins over an environment variable, a variable over this file, this file over the defaults.
# Relative paths are meant from the folder this file lies in.
# The API key does not belong here: set POSTHOG_PERSONAL_API_KEY, or name a file with api_key_file.
# Take the # away from a line to use it.
"""


def template() -> str:
    """Write the file."""
    plain = [key for key in KEYS if not key.table]
    parts = [_HEAD]
    for section in SECTIONS:
        parts.append(f"\n# {f' {section} ':-^{_WIDTH - 2}}\n")
        parts += [_entry(key) for key in plain if key.section == section]
    for table in sorted({key.table for key in KEYS if key.table}):
        # TOML puts every line after a header into its table, so tables come last.
        parts.append(f"\n# {f' {table} ':-^{_WIDTH - 2}}\n\n[{table}]\n")
        parts += [_entry(key) for key in KEYS if key.table == table]
    return "".join(parts)


def _entry(key: Key) -> str:
    text = f"{key.help} ({', '.join([' '.join(key.flags), key.variable] if key.flags else [key.variable])})"
    comment = "\n".join(f"# {line}" for line in wrap(text, _WIDTH - 2, break_on_hyphens=False))
    return f"\n{comment}\n#{key.name.rpartition('.')[2]} = {key.example}\n"
