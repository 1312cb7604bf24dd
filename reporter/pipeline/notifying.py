"""From reports to chats: what is posted, and readers who get it through Apprise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.errors import UsageError
from reporter.pipeline import placing
from reporter.pipeline.delivering import NO_NEW_RUN

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.deliver.chat import Chat
    from reporter.pipeline.delivering import About
    from reporter.report import Report


@dataclass(frozen=True, slots=True)
class ChatReader:
    """One chat."""

    address: str
    """With its secrets."""
    chat: Chat
    reports: tuple[Report, ...]
    settings: Settings

    @property
    def name(self) -> str:
        """The service, and what tells two chats of one service apart."""
        return self.chat.name

    @property
    def ident(self) -> str:
        """The address; the book keeps a hash of it."""
        return f"chat {self.address}"

    def describe(self, about: About) -> str:
        """Tell the title and how long the message is."""
        title, body = self._message(about)
        return f"“{title}” ({units.plural(len(body.splitlines()), 'line')})"

    def send(self, about: About, before_last_byte: Callable[[], None]) -> None:
        """Post the message."""
        title, body = self._message(about)
        before_last_byte()
        self.chat.post(title, body)

    def _message(self, about: About) -> tuple[str, str]:
        from reporter.render import chat

        link = self.settings.mail_link
        return chat.message(
            self.reports,
            note=NO_NEW_RUN if about == "no_new_run" else "",
            link=placing.filled(link, self.reports[0]) if link else None,
        )


def readers(reports: Sequence[Report], settings: Settings) -> tuple[ChatReader, ...]:
    """Give every chat the settings name.

    Raises:
        UsageError: There is none, or an address cannot be used.
    """
    from reporter import config
    from reporter.deliver.chat import Chat

    secret = settings.notify_urls
    if secret is None and settings.notify_file is not None:
        secret = config.secret_in(settings.notify_file)
    lines = [line.strip() for line in secret.reveal().splitlines()] if secret else []
    addresses = [line for line in dict.fromkeys(lines) if line and not line.startswith("#")]
    if not addresses:
        raise UsageError(
            "there is no chat to post to",
            subject="--notify",
            hint="Name a file of addresses with notify.file, or set REPORTER_NOTIFY_URLS.",
        )
    return tuple(ChatReader(address, Chat(address), tuple(reports), settings) for address in addresses)
