"""A value that must never be shown: printed, logged, formatted or pickled by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn, SupportsIndex, final

_MASK = "***"
_SHORTEST = 8
"""A shorter text is no key, and taking it out of every line would garble them."""
_known: set[str] = set()
"""Every secret of this process, for `mask` alone."""


@final
class Secret:
    """Hold a secret text; only `reveal` gives it away."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        """Take the secret.

        Args:
            value: The text to keep, without surrounding white space.
        """
        self.__value = value
        if len(value) >= _SHORTEST:
            _known.add(value)

    def reveal(self) -> str:
        """Give the secret itself, for the one place that sends it."""
        return self.__value

    def __repr__(self) -> str:
        """Show that something is there, not what."""
        return f"Secret({_MASK!r})"

    def __str__(self) -> str:
        """Show a mask."""
        return _MASK

    def __format__(self, spec: str) -> str:
        """Show a mask, whatever the format asked for."""
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        """Compare two secrets in constant time; a secret never equals plain text."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self.__value.encode("utf-8", "replace"), other.reveal().encode("utf-8", "replace")
        )

    def __hash__(self) -> int:
        """Hash like the text kept, so that equal secrets hash equal."""
        return hash((Secret, self.__value))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be pickled or copied into something that is.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a Secret cannot be pickled or copied")


def mask(text: str) -> str:
    """Take every secret of this process out of a text that is about to be shown or written."""
    for secret in _known:
        text = text.replace(secret, _MASK)
    return text
