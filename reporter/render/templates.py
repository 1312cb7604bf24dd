"""Jinja's environment: where templates are found, how they escape, how their errors are told.

Data never becomes a template, and nothing is marked safe except what `own_markup` is given.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from reporter import units
from reporter.errors import RenderError

CONTEXT_VERSION = "1"
"""Of what templates are given, see docs/templates.md: it rises when a name goes or changes its meaning."""
_KINDS = (".html", ".css", ".js", ".txt", ".md")
_ABOUT = re.compile(r"\s*(?:\{#|/\*|//|\"use strict\";\s*//)\s*(.+?)\s*(?:#\}|\*/|\n)", re.DOTALL)
_PACKAGE = Path(__file__).resolve().parent.parent
_BLOCK_HINT = 'A template of yours can extend the built-in one: {% extends "builtin/page.html" %}.'


def built_in_folder() -> Path:
    """Find the built-in templates: inside the installed package, else at the top of a checkout.

    Raises:
        RenderError: Neither folder exists.
    """
    for folder in (_PACKAGE / "templates", _PACKAGE.parent / "templates"):
        if (folder / "page.html").is_file():
            return folder
    raise RenderError(
        "the built-in templates are missing", hint="Install reporter again: its files are incomplete."
    )


def texts(folder: Path) -> dict[str, str]:
    """Read every template of a folder: name → text.

    Raises:
        RenderError: It is no folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise _no_folder(folder)
    try:
        return {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.suffix in _KINDS and path.is_file()
        }
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"a template cannot be read: {error}", subject=str(folder)) from error


def about(text: str) -> str:
    """Give the first sentence of the comment a template begins with; empty where there is none."""
    found = _ABOUT.match(text)
    return units.clean(found[1].split(". ")[0].removesuffix("."), 100) if found else ""


def requires(version: str) -> str:
    """Stop a template that was written for another context than this one.

    Raises:
        ValueError: It was; `render` names the template and the line.
    """
    if str(version) != CONTEXT_VERSION:
        raise ValueError(
            f"this template was written for context {version}, reporter gives {CONTEXT_VERSION}: "
            "see docs/templates.md for what changed"
        )
    return ""


def _no_folder(folder: Path) -> RenderError:
    return RenderError(
        "this template folder does not exist", subject=str(folder), hint="Give a folder that holds templates."
    )


def environment(override: Path | None = None) -> jinja2.Environment:
    """Make the environment all documents are rendered in.

    Args:
        override: The user's template folder, searched first. The built-in set stays reachable as
            ``builtin/…``, so that one block of a template can be replaced.

    Raises:
        RenderError: `override` is not a folder, or the built-in templates are missing.
    """
    if override is not None and not override.is_dir():
        raise _no_folder(override)
    built_in = jinja2.FileSystemLoader(built_in_folder())
    own = [] if override is None else [jinja2.FileSystemLoader(override)]
    env = jinja2.Environment(
        loader=jinja2.ChoiceLoader([*own, built_in, jinja2.PrefixLoader({"builtin": built_in})]),
        # Outright, not by file name: select_autoescape() answers False for names such as page.html.j2.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        newline_sequence="\n",
    )
    env.filters.update(
        money=units.money,
        seconds=units.seconds,
        tokens=units.tokens,
        count=units.count,
        percent=units.percent,
        points=units.points,
        plural=units.plural,
        day=units.day,
        days=units.days,
        moment=units.moment,
        clean=units.clean,
        amount=_amount,
    )
    env.globals["requires"] = requires
    return env


def _amount(text: object) -> str:
    """Give what a printed amount is sorted by; empty where there is none."""
    size = units.amount(str(text))
    return "" if size is None else f"{size:.6g}"


def render(env: jinja2.Environment, name: str, **values: Any) -> str:
    """Render one template.

    Raises:
        RenderError: The template is missing, does not parse, or asks for something that does not exist.
    """
    try:
        return env.get_template(name).render(**values)
    except jinja2.TemplateNotFound as error:
        raise RenderError(
            f"the template “{error.name}” does not exist", subject=name, hint="Run `reporter templates list`."
        ) from error
    except jinja2.TemplateSyntaxError as error:
        raise RenderError(
            f"line {error.lineno}: {error.message}", subject=_named(error.filename or name), hint=_BLOCK_HINT
        ) from error
    except (jinja2.TemplateError, TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
        # What a template may do wrong while it runs; Jinja puts template lines into the traceback.
        where, line = _place(error, name)
        if line is None:
            raise
        raise RenderError(f"line {line}: {error}", subject=where, hint=_BLOCK_HINT) from error


def source(env: jinja2.Environment, name: str) -> str:
    """Read a style sheet or script by the same search order, as it is, without rendering it.

    Raises:
        RenderError: No such file in any template folder.
    """
    loader = env.loader or jinja2.ChoiceLoader([])
    try:
        # A sheet is not a template, so that its braces stay what they are.
        return loader.get_source(env, name)[0].replace("\r\n", "\n").replace("\r", "\n")
    except jinja2.TemplateNotFound as error:
        raise RenderError(
            "this file is missing", subject=name, hint="Run `reporter templates list`."
        ) from error


def own_markup(text: str) -> Markup:
    """Mark text as safe to stand in a page unescaped: the only place where that happens.

    Sound for exactly three things, none of which is data: a chart's SVG (drawn by the charts room,
    which escapes every text in it and drops scripts and links), the style sheets, and the page's
    script. Titles, descriptions, errors and quotes must never come here.
    """
    return Markup(text)  # noqa: S704 (see the docstring: our own markup only)


def _place(error: BaseException, name: str) -> tuple[str, int | None]:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.endswith(".py")
    ]
    if not frames:
        return name, None
    return _named(frames[-1].filename), frames[-1].lineno


def _named(path: str) -> str:
    """Name a template: a built-in one as it is included, a user's own by its whole path."""
    folder = built_in_folder()
    found = Path(path)
    return found.relative_to(folder).as_posix() if found.is_relative_to(folder) else path
