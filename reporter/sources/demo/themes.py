"""What a labeller can say about a group of items: themes of traces, generations and evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter.sources.demo.topic import Topic
from reporter.sources.demo.topics import all_topics

if TYPE_CHECKING:
    from reporter.model import Level

ODD = "odd"
"""Theme of items that fit nowhere."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One group of alike items: its wordings and its island on the map."""

    key: str
    titles: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    place: tuple[float, float]
    spread: tuple[float, float]
    halves: tuple[str, str] = ("", "")


NOISE_WORDS = (
    ("Outliers", "- Items that fit none of the groups"),
    ("Outliers: a mixed bag", "- One-off requests and odd documents\n- No common pattern"),
    ("Outliers: one of a kind", "- Single requests far from every group"),
    ("Outliers and leftovers", "- Chit-chat, unreadable pages, rare questions"),
)

MERGED = Theme(
    key="login+plan",
    titles=("Account access and subscription questions",),
    lines=(
        ("Users cannot sign in or the password fails", "Sign-in codes that do not arrive"),
        ("What a plan includes and why its price went up", "Price increase and plan contents"),
        ("Cancelling, downgrading or adding seats", "Upgrades, downgrades and cancellations"),
    ),
    place=(-0.6, -7.2),
    spread=(1.9, 0.6),
)
"""What a run makes of sign-in trouble and plan questions when it does not tell them apart."""

MERGED_FROM = ("login", "plan")

_EVALUATIONS = (
    Theme(
        "grounded-money-pass",
        (
            "Figures backed by the ledger",
            "Amounts in answers match the books",
            "Cash and invoice answers found grounded",
        ),
        (
            ("Judge finds every amount in the ledger", "All amounts were found in the ledger by the judge"),
            ("Answers on invoices, payments and cash flow", "Judged answers concern cash flow and payments"),
            ("Short, positive reasoning", "Reasoning is brief and positive"),
            ("Grounded in the books: passed", "Passed the check Grounded in the books"),
        ),
        (-5.0, 2.5), (1.3, 0.5),
    ),
    Theme(
        "grounded-tax-pass",
        ("Tax answers that quote the guide", "VAT answers backed by a source", "Tax rules quoted correctly"),
        (
            ("Judge finds the quoted passage in the tax guide", "The quoted tax guide passage exists"),
            ("VAT rates, returns and e-invoice rules", "Answers on VAT, returns and e-invoice duties"),
            ("Grounded in the books: passed", "Passed the check Grounded in the books"),
        ),
        (-1.0, 5.8), (1.0, 0.45),
    ),
    Theme(
        "grounded-fail",
        (
            "Invented or outdated figures",
            "Answers with amounts nobody can find",
            "Grounding failures: figures without a source",
        ),
        (
            ("Judge cannot find an amount or a date in the ledger", "An amount or date has no source"),
            ("Often rounding, an old balance or a guessed due date", "Old balances and guessed due dates"),
            ("Grounded in the books: failed", "Failed the check Grounded in the books"),
        ),
        (-8.0, -1.5), (0.8, 0.4),
    ),
    Theme(
        "grounded-na",
        ("Nothing to check: no figures", "Answers without amounts", "Grounding not applicable"),
        (
            ("The answer holds no amount or date, so the check does not apply",
             "Check does not apply because no amount is named"),
            ("Mostly how-to answers and clarifying questions",
             "How-to answers and questions back to the user"),
        ),
        (-4.2, -3.0), (0.8, 0.4),
    ),
    Theme(
        "polite-pass",
        ("Clear and friendly support replies", "Support tone found good", "Polite, easy to follow replies"),
        (
            ("Judge calls the reply clear, polite and short", "Replies are called polite, short and clear"),
            ("Sign-in help, plans and bank connections", "On sign-in, plans, exports and bank feeds"),
            ("Clear and polite: passed", "Passed the check Clear and polite"),
        ),
        (3.4, -5.2), (1.3, 0.5),
    ),
    Theme(
        "polite-fail",
        ("Replies too terse or full of jargon", "Support tone criticised", "Curt or confusing replies"),
        (
            ("Judge finds jargon or a curt tone", "A curt tone or jargon is criticised"),
            ("Refund refusals read as unfriendly", "Refusing a refund reads as unfriendly"),
            ("Clear and polite: failed", "Failed the check Clear and polite"),
        ),
        (0.2, -7.8), (0.6, 0.35),
    ),
    Theme(
        "fields-small-pass",
        ("Complete fields from receipts", "Receipts read without gaps", "Receipt fields all present"),
        (
            ("Total, tax and date are all present", "Date, total and tax were all read"),
            ("Receipt photos and delivery notes", "From photographed receipts and delivery slips"),
            ("Fields complete: passed, a rule without a model", "Rule Fields complete passed"),
        ),
        (6.8, 1.8), (1.4, 0.5),
    ),
    Theme(
        "fields-long-pass",
        (
            "Complete fields from bills and statements",
            "Bills and bank statements read in full",
            "Long documents without missing fields",
        ),
        (
            ("All line items and balances are present", "Balances and line items are complete"),
            ("Supplier invoices and bank statements", "From supplier bills and bank statements"),
            ("Fields complete: passed, a rule without a model", "Rule Fields complete passed"),
        ),
        (9.2, 5.4), (1.1, 0.45),
    ),
    Theme(
        "fields-fail",
        ("Missing tax id, date or total", "Documents with missing fields", "Extraction left fields empty"),
        (
            ("At least one required field is empty", "A required field such as tax id or date is empty"),
            ("Crumpled photos and long scans", "Long scans and crumpled photos"),
            ("Fields complete: failed", "Rule Fields complete failed"),
        ),
        (5.8, -2.0), (0.7, 0.4),
    ),
    Theme(
        "private-pass",
        ("No account numbers in replies", "Privacy rule passed", "Account numbers kept out of answers"),
        (
            ("No bank account or card number in the text", "Text is free of account and card numbers"),
            ("No account numbers: passed, a rule without a model", "Rule No account numbers passed"),
            ("Assistant and support answers alike", "Both assistant and support answers"),
        ),
        (0.4, 0.2), (1.0, 0.5),
    ),
)  # fmt: skip


def themes(level: Level) -> dict[str, Theme]:
    """Give the themes of a level by key.

    Args:
        level: Which kind of item is grouped.

    Returns:
        Topic key (or evaluation outcome) to theme, without the odd ones.
    """
    if level == "evaluation":
        return {theme.key: theme for theme in _EVALUATIONS}
    return {topic.key: _of(topic, level) for topic in all_topics() if topic.titles}


def _of(topic: Topic, level: Level) -> Theme:
    titles = topic.titles if level == "trace" else topic.answer_titles + topic.titles[:1]
    return Theme(topic.key, titles, topic.lines, topic.place, topic.spread, topic.halves)
