"""docs/templates.md, made from the values templates are given: ``python -m reporter.render.reference``.

`make docs-check` holds the file against what this module writes, so the reference cannot grow stale.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2

from reporter.render import templates

_HERE = Path(__file__).parent
_VALUES = ("views", "drawings", "facts", "changes", "rows", "marks", "words", "mail")
_LEFT_OUT = frozenset({"Limits", "PageAssets", "Metric"})
_HEAD = """\
# Templates

<!-- Made by `python -m reporter.render.reference > docs/templates.md`; a test fails when it is stale. -->

The documents are Jinja templates. `reporter templates list` shows them, `reporter templates copy page.html
--to mine` copies one to change, and `--templates mine` (or `templates = "mine"` in `reporter.toml`) uses your
folder: what it lacks is taken from the built-in set.

To replace one block and keep the rest, extend the built-in template under its own name:

```jinja
{{ requires("VERSION") }}
{% extends "builtin/page.html" %}
{% block footer %}<footer><p>Questions: the AI platform team.</p></footer>{% endblock %}
```

Blocks: BLOCKS. A partial, a style sheet or the script is replaced by a file of the same name, such as
`partials/ledger.html` or `style/page.css`.

Everything is escaped, whatever the template's name; values are text, never markup, but for a chart's `svg`. A
name that does not exist is an error that names the file and the line, not an empty place. The page's content
policy allows the style sheet and the script built into it and nothing else: no inline `style=`, no address
outside the file. In the PDF only `data:` addresses are read. `mail.html` has its styles in `style/mail.css`,
which is inlined with light colours in the place of `var(--NAME)`; `style/mail-head.css` holds the dark ones.
`mail.txt` is plain text: nothing in it is escaped.

## Context

Its version is VERSION: it rises when a name goes or changes its meaning, and stays when one is added. A
template that says `{{ requires("VERSION") }}` fails with a clear message under another one.

| Name | Where | What |
| --- | --- | --- |
| `doc` | page, print | A `Document`: everything there is to say. |
| `screen` | page, print | Whether this is the HTML page; else it is paper. |
| `light` | page, print | Colour token → hex on white paper. |
| `css` | page, print | The style sheet, for one `<style>`. |
| `command` | page | The command line that makes the report again; empty where it is not known. |
| `script`, `csp` | page | The script, and the policy that allows it and the style sheet. |
| `key(number)` | page, print | A number to sort by; empty where nothing is known. |
| `job` | partials | A `JobView`, in the loop over `doc.jobs`. |
| `verdict`, `preheader` | mail | The sentence at the top, and the line lists show beside the subject. |
| `reports` | mail | `Told` values: a `doc`, jobs told in full (`parts`), the others. |
| `note` | mail | What is said where there is nothing new; else empty. |
| `attached`, `withheld` | mail | What is sent along, and what is too large for it, as words. |
| `link`, `unsubscribe` | mail | Addresses, or none. |
| `head` | mail.html | Style rules that cannot be inlined. |

Filters: FILTERS. They write numbers for people, with units; `clean(limit)` cuts a text.
"""


def markdown() -> str:
    """Write the reference."""
    head = _HEAD.replace("VERSION", templates.CONTEXT_VERSION)
    env = templates.environment()
    plain = jinja2.Environment(autoescape=True).filters
    own = sorted(name for name, made in env.filters.items() if plain.get(name) is not made)
    head = head.replace("FILTERS", ", ".join(f"`{name}`" for name in own))
    blocks = "; ".join(
        f"in `{name}` {', '.join(f'`{block}`' for block in env.get_template(name).blocks)}"
        for name in ("page.html", "print.html", "mail.html")
    )
    head = head.replace("BLOCKS", blocks)
    return "\n".join((head, *_classes()))


def _classes() -> Iterator[str]:
    """Describe every value class by its own docstrings."""
    for module in _VALUES:
        tree = ast.parse((_HERE / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.decorator_list and node.name not in _LEFT_OUT:
                yield f"### {node.name}\n\n{ast.get_docstring(node) or ''}\n"
                yield "| Field | Type | What |\n| --- | --- | --- |"
                yield "\n".join(_fields(node)) + "\n"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            told = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                told = " ".join(str(after.value.value).split())
            kind = ast.unparse(field.annotation).replace("|", "\\|")
            yield f"| `{field.target.id}` | `{kind}` | {told} |"


if __name__ == "__main__":
    sys.stdout.write(markdown())
