"""The templates there are, for those who want their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter.errors import UsageError

if TYPE_CHECKING:
    from reporter.config import Settings


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One line of ``reporter templates list``."""

    name: str
    """As a template includes it, e.g. ``partials/ledger.html``."""
    origin: str
    """``built-in``, or the folder of the user's that replaces it."""
    about: str


def list_templates(settings: Settings) -> tuple[TemplateRow, ...]:
    """List the built-in templates and those of a user's folder.

    Raises:
        RenderError: The folder does not exist.
    """
    from reporter.render import templates

    own = templates.texts(settings.templates) if settings.templates is not None else {}
    built_in = templates.texts(templates.built_in_folder())
    return tuple(
        TemplateRow(
            name,
            str(settings.templates) if name in own else "built-in",
            templates.about(own.get(name, built_in.get(name, ""))),
        )
        for name in sorted({*built_in, *own})
    )


def built_in_templates(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Give built-in templates with their text: the ones named, else all.

    Raises:
        UsageError: There is no template of such a name.
    """
    from reporter.render import templates

    texts = templates.texts(templates.built_in_folder())
    for name in names:
        if name not in texts:
            raise UsageError(
                "there is no such template",
                subject=name,
                hint="Run `reporter templates list` for their names.",
            )
    for name in names or sorted(texts):
        yield name, texts[name].encode()
