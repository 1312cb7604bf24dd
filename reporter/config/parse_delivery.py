"""From what a person typed to where reports go: addresses, servers, folders."""

from __future__ import annotations

import re

from reporter.config.parse import lines

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", re.ASCII)
_MAIL_HOST = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?", re.ASCII
)
FIELDS = ("date", "time", "week", "kind", "project")
"""What a folder pattern may hold in braces."""


def address(raw: object) -> str:
    """Read one e-mail address, plain or with a name: ``Ann <ann@example.org>``."""
    from email.errors import MessageError
    from email.headerregistry import Address
    from email.utils import formataddr, parseaddr

    value = raw.strip() if isinstance(raw, str) else ""
    if any(ord(ch) < 0x20 or ord(ch) == 0x7F for ch in value) or len(value) > 320:
        raise ValueError("give an e-mail address of one line")
    name, plain = parseaddr(value)
    local, _, domain = plain.rpartition("@")
    try:
        # Domains are looked up by their ASCII form; the part before the @ is the other server's business.
        domain = domain.encode("idna").decode("ascii").lower()
        found = Address(username=local, domain=domain).addr_spec if _DOMAIN.fullmatch(domain) else ""
    except (MessageError, UnicodeError, ValueError, IndexError):
        found = ""
    if not local.isascii() or not local or not found or " " in found or plain.count("@") != 1:
        raise ValueError("give an e-mail address, such as ann@example.org or Ann <ann@example.org>")
    return formataddr((name, found), charset="utf-8") if name and name.isascii() else _named(name, found)


def _named(name: str, plain: str) -> str:
    return f"{name} <{plain}>" if name else plain


def addresses(raw: object) -> tuple[str, ...]:
    """Read a list of e-mail addresses, each once: one a line, or several with commas between."""
    from email.utils import getaddresses

    found: dict[str, str] = {}
    for text_ in lines(raw):
        parts = getaddresses([text_])
        for name, plain in parts if len(parts) > 1 else [("", "")]:
            one = address(_named(name, plain) if len(parts) > 1 else text_)
            found.setdefault(one.rpartition("<")[2].rstrip(">").lower(), one)
    return tuple(found.values())


def mail_host(raw: object) -> str:
    """Read the name of a mail server, with or without a port."""
    value = raw.strip().lower() if isinstance(raw, str) else ""
    match = _MAIL_HOST.fullmatch(value)
    if match is None or not 0 < int(match["port"] or 25) < 65_536:
        raise ValueError("give a server such as smtp.example.org or smtp.example.org:587")
    return value


def link(raw: object) -> str:
    """Read the address of a page; it may hold the fields of a folder pattern."""
    value = raw.strip() if isinstance(raw, str) else ""
    if not re.fullmatch(r"https?://[^\s\"'<>\\^`|]{3,1900}", value, re.ASCII):
        raise ValueError("give an address that begins with https://")
    _fields(value)
    return value


def unsubscribe(raw: object) -> str:
    """Read where a reader can leave: https or mailto."""
    value = raw.strip() if isinstance(raw, str) else ""
    if not re.fullmatch(r"(https://|mailto:)[^\s\"'<>,\\]{3,900}", value, re.ASCII):
        raise ValueError("give an address that begins with https:// or mailto:")
    return value


def pattern(raw: object) -> str:
    """Read a folder pattern: names and fields, a relative path without steps upward."""
    value = raw.strip() if isinstance(raw, str) else ""
    if not re.fullmatch(r"[A-Za-z0-9_{}.-]+(/[A-Za-z0-9_{}.-]+)*", value, re.ASCII):
        raise ValueError("give a folder below --out, such as {date} or {project}/{week}")
    filled = _fields(value)
    if any(part.startswith(".") or part == "latest" for part in filled.split("/")):
        raise ValueError("give folders whose names do not begin with a dot and are not `latest`")
    return value


def uploads(raw: object) -> tuple[str, ...]:
    """Read addresses of object stores or folders; credentials belong into the environment."""
    found = lines(raw)
    for value in found:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]{0,30}://[!-~]{1,900}|[^:\0]{1,900}", value):
            raise ValueError("give an address such as s3://bucket/folder, or a folder")
        if re.match(r"[a-z0-9+.-]+://[^/]*@", value):
            raise ValueError(
                "give it without credentials; they come from the environment, as fsspec reads them"
            )
    return found


def _fields(value: str) -> str:
    """Fill a pattern in to see whether it can be filled in."""
    try:
        return value.format_map(dict.fromkeys(FIELDS, "x"))
    except (KeyError, ValueError, IndexError, AttributeError):
        raise ValueError(f"give a pattern whose fields are among {', '.join(FIELDS)}") from None
