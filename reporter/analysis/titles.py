"""What the words of a cluster come to: its title and description, reduced to what is compared."""

from __future__ import annotations

import re

TEXT_LIMIT = 1_500
"""Characters of a title with its description that are looked at; labels are a few hundred long."""
_SPACE = re.compile(r"\s+")
_FALLBACK = re.compile(r"(cluster\s*-?\d*|outliers|untitled)?")


def document(title: str, description: str) -> str:
    """Join title and description into the text that is compared; ``""`` where nobody named the cluster."""
    text = f"{title[:TEXT_LIMIT]} {description[:TEXT_LIMIT]}"[:TEXT_LIMIT].lower().replace("&", " and ")
    text = _SPACE.sub(" ", text.encode("utf-8", "replace").decode("utf-8")).strip()
    return "" if _FALLBACK.fullmatch(text) else text


def normalised(title: str) -> str:
    """Reduce a title to what must be equal for a cluster not to count as renamed."""
    return " ".join(re.findall(r"[^\W_]+", title[:TEXT_LIMIT].lower().replace("&", " and ")))
