"""Posting to chats and webhooks through Apprise, which knows a hundred of them."""

from __future__ import annotations

import logging
from typing import Any, Self

from reporter.errors import DeliveryError, UsageError


class Chat:
    """One place to post to. Its address holds secrets and is never shown."""

    def __init__(self, address: str) -> None:
        """Read an address.

        Args:
            address: As Apprise writes it: ``slack://…``, ``workflows://…``, ``jsons://…``.

        Raises:
            UsageError: Apprise is not installed, or does not know such an address.
        """
        try:
            import apprise
        except ImportError as error:
            raise UsageError(
                "posting to chats needs Apprise, which is not installed",
                subject="--notify",
                hint="pip install 'cluster-reporter[notify]'",
            ) from error
        with _Said() as said:
            plugin: Any = apprise.Apprise.instantiate(address)
        if plugin is None:
            raise UsageError(
                f"one of the chat addresses cannot be used{said.ending(address)}",
                subject=address.partition("://")[0][:20] + "://…",
                hint="Apprise's own documentation lists how addresses are written.",
            )
        ident: str = plugin.url_id()
        self._plugin = plugin
        self.name = f"{plugin.service_name} {ident[:6]}"

    def post(self, title: str, body: str) -> None:
        """Post a message of plain text.

        Raises:
            DeliveryError: It was not taken.
        """
        import apprise

        with _Said() as said:
            taken = self._plugin.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
        if not taken:
            raise DeliveryError(f"the message was not taken{said.ending()}", subject=self.name)


class _Said:
    """What Apprise writes to its log while something is done: the only place where it tells why."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._handler = _Lines(self._lines)
        self._logger = logging.getLogger("apprise")
        self._before = self._logger.propagate
        self._logger.propagate = False
        self._logger.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self._logger.propagate = self._before

    def ending(self, secret: str = "") -> str:
        """Give the last line as the end of a sentence; nothing where it would repeat a secret."""
        line = " ".join(self._lines[-1].split())[:200] if self._lines else ""
        return f": {line}" if line and not (secret and secret[:12] in line) else ""


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())
