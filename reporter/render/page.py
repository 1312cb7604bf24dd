"""The HTML page: one file that loads nothing, runs under a strict content policy, reads without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from reporter import units
from reporter.artifact import Artifact, Chart
from reporter.errors import RenderError
from reporter.render import templates, views, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import jinja2

    from reporter.render.views import PageAssets
    from reporter.report import Report

_WOFF2 = b"wOF2"
"""What such a file begins with."""
FAMILY = "Reporter Sans"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")


def html(
    report: Report,
    charts: Sequence[Chart],
    assets: PageAssets,
    *,
    env: jinja2.Environment,
    command: str = "",
) -> Artifact:
    """Render the page.

    Args:
        report: What to say.
        charts: Its charts, with SVG.
        assets: Type and colours.
        env: See `templates.environment`.
        command: The command line that makes the report again; left out where it is not known.

    Returns:
        ``report.html``; equal arguments give equal bytes.

    Raises:
        RenderError: A template is missing or wrong.
    """
    css = style(
        font_faces(assets.fonts),
        f":root {{ {variables(assets.light)} }}",
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(assets.dark)} }} }}",
        swatches(assets.light),
        templates.source(env, "style/base.css"),
        templates.source(env, "style/page.css"),
        assets.css,
    )
    script = _inside("script", templates.source(env, "script/page.js").strip())
    text = templates.render(
        env,
        "page.html",
        doc=views.document(report, charts, limits=views.SCREEN, swatch=swatch_of(assets)),
        screen=True,
        command=units.clean(command, 2_000),
        key=words.sort_key,
        light=assets.light,
        css=templates.own_markup(css),
        script=templates.own_markup(script),
        csp=policy(css, script),
    )
    return Artifact(name="report.html", media_type="text/html", data=text.encode("utf-8", "replace"))


def policy(css: str, script: str) -> str:
    """Give the content policy under which exactly this style sheet and script may run, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            "font-src data:",
            f"style-src '{_hash(css)}'",
            f"script-src '{_hash(script)}'" if script else "script-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def font_faces(fonts: Mapping[int, bytes]) -> str:
    """Write the rules that bring the page's face along, lightest first."""
    rules = []
    for weight, data in sorted(fonts.items()):
        kind, called = ("woff2", "woff2") if data.startswith(_WOFF2) else ("ttf", "truetype")
        held = base64.b64encode(data).decode("ascii")
        rules.append(
            f'@font-face {{ font-family: "{FAMILY}"; font-weight: {int(weight)}; font-display: swap; '
            f'src: url("data:font/{kind};base64,{held}") format("{called}"); }}'
        )
    return "\n".join(rules)


def variables(colours: Mapping[str, str]) -> str:
    """Write colour tokens as CSS variables.

    Raises:
        RenderError: A token or colour is not of the expected form, and so might break out of the sheet.
    """
    for token, colour in colours.items():
        if not (_NAME.fullmatch(token) and _COLOUR.fullmatch(colour)):
            raise RenderError("this is not a colour token", subject=f"{token}: {colour}")
    return " ".join(f"--{token}: {colour};" for token, colour in colours.items())


def swatches(colours: Mapping[str, str]) -> str:
    """Write the rules that colour the swatch of each lineage."""
    return "\n".join(f".sw-{token} {{ fill: var(--{token}); }}" for token in colours if token.startswith("L"))


def swatch_of(assets: PageAssets) -> Callable[[str], str | None]:
    """Give the function that finds a lineage's colour token; no colour where the palette has none."""

    def swatch(lineage_id: str) -> str | None:
        token = assets.swatch(lineage_id)
        return token if token in assets.light else None

    return swatch


def style(*sheets: str) -> str:
    """Join style sheets for one inline element."""
    return _inside("style", "\n".join(sheet.strip() for sheet in sheets if sheet.strip()))


def _inside(element: str, text: str) -> str:
    # A browser ends the element at the first closing tag, whatever stands around it.
    if f"</{element}" in text.lower() or "<!--" in text:
        raise RenderError(f"the text of a {element} element must not hold its own end", subject=element)
    return text


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
