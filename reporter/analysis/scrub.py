"""What identifies a person or opens a door, masked in texts of others: the documented rule set.

Texts from traces, titles made from them and error messages may hold addresses, keys and numbers of accounts.
Each rule replaces what it finds by its name in angle brackets and leaves the rest readable. The rules err on
the safe side: a long number is masked whether or not it is an account's. docs/redaction.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reporter import units

_NAMED = (
    r"pass(?:word|wd|phrase|code|wort)?|pwd|pin|otp|cvv|cvc|secret|token|credentials?|"
    r"(?:api|access|account|auth|client|encryption|license|master|private|secret|service|session|shared|signing|"
    r"storage|subscription|user|webhook)[\s_-]?(?:key|token|secret|id|password)|apikey|authorization|"
    r"x-api-key|cookie|set-cookie|session|sessid|jsessionid|phpsessid|signature|sig|kennwort|passwort"
)
_LONGEST = 20_000
_NO_WORD = 40
_TURNS = 3
_TURN = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")


def _unless_a_word(found: re.Match[str]) -> str:
    """Mask what changes between letters and digits three times, and what is longer than any word."""
    word = found.group()
    longest = max(len(part) for part in re.split(r"[_-]", word))
    return "<id>" if longest >= _NO_WORD or len(_TURN.findall(word)) >= _TURNS else word


RULES: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (
        "private keys",
        re.compile(r"-----BEGIN [A-Z0-9 ]{3,40}-----.*?(?:-----END [A-Z0-9 ]{3,40}-----|\Z)", re.DOTALL),
        "<key>",
    ),
    (
        "addresses of the web, but for scheme and host",
        re.compile(
            r"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/@?#\"'<>]*@)?([\w.-]*|\[[0-9a-f:.]*\])(?::\d+)?"
            r"(?:[/?#][^\s\"'<>]*)?",
            re.IGNORECASE,
        ),
        r"<url \2>",
    ),
    (
        "e-mail addresses",
        re.compile(
            r"[\w.+%][\w.+%'-]{0,63}(?:@|%40|\s?\[at\]\s?|\s?\(at\)\s?)[\w-]{1,63}(?:\.[\w-]{1,63})+",
            re.IGNORECASE,
        ),
        "<email>",
    ),
    ("JSON web tokens", re.compile(r"\beyJ[\w-]{4,}(?:\.[\w-]*){0,4}"), "<token>"),
    (
        "what follows Bearer, Basic and the like",
        re.compile(
            r"\b(bearer|basic|digest|negotiate|apikey)\s+(?=\S*[\d=/+._-])[\w.=/+~:-]{6,}", re.IGNORECASE
        ),
        r"\1 <token>",
    ),
    (
        "what a text itself calls a password, key, token or secret",
        re.compile(
            rf"(?<![\w-])((?:[\w-]{{0,40}}[_-])?(?:{_NAMED}))(\"?'?\s*(?:is|was|ist|lautet|[:=]>?|=>)\s*)"
            r"(?:\"[^\"\n]{1,400}\"|'[^'\n]{1,400}'|`[^`\n]{1,400}`|(?!<)[^\s,;)}\]\"'&]+)",
            re.IGNORECASE,
        ),
        r"\1\2<secret>",
    ),
    (
        "keys by their makers' prefixes",
        re.compile(
            r"\b(?:sk|pk|rk|whsec|phx|phc|phs|ghp|gho|ghu|ghs|ghr|github_pat|glpat|gldt|glrt|xox[abeoprs]|xapp|npm|"
            r"pypi|hf|r8|gsk|xai|dop_v1|doo_v1|shpat|shpss|shppa|shpca|ya29|SG|key|lin_api|ntn|secret|dckr_pat|"
            r"hvs|AKC|sq0[a-z]{3}|EAA[A-Za-z]|rzp|tvly|pplx|fw|nvapi|sntrys|atlasv1)[-_.][\w.-]{8,}"
            r"|\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}|\bAIza[\w-]{30,}|\bEAA[A-Za-z0-9]{20,}",
        ),
        "<key>",
    ),
    (
        "bank accounts (IBAN)",
        re.compile(
            r"\b(?=[A-Z]{2}\d{2}(?:[A-Z -]{0,6}\d){8})[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,8}\b",
            re.IGNORECASE,
        ),
        "<account>",
    ),
    (
        "addresses of the internet (IPv4, IPv6, MAC)",
        re.compile(
            r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+|/\d+)?\b"
            r"|(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:])"
            r"|(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])"
            r"|(?<![\w:])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?"
            r"(?:%\w+)?(?![\w:])",
            re.IGNORECASE,
        ),
        "<address>",
    ),
    (
        "ids (UUIDs)",
        re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE),
        "<id>",
    ),
    (
        "licence keys: groups of capitals and digits",
        re.compile(r"\b(?=[A-Z-]{0,80}\d)(?=[\d-]{0,80}[A-Z])(?:[A-Z0-9]{4,8}-){2,9}[A-Z0-9]{4,12}\b"),
        "<key>",
    ),
    (
        "long words that mix letters with digits, or are longer than words are: keys, hashes, ids",
        re.compile(r"(?<![\w/+])[\w/+-]{6,}={0,2}"),
        _unless_a_word,
    ),
    (
        "telephone, card and account numbers: eight digits and more, dates apart",
        re.compile(
            r"(?<![\w.])(?!(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
            r"|(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
            r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d{2}(?!\d)"
            r"|(?:19|20)\d{2}\s?[-/–]\s?(?:19|20)\d{2}(?!\d))"
            r"(?<!-)(?:\+|\(\+?|00)?\d(?:[\s()./–-]{0,3}\d){7,}(?![\w])|(?<=-)(?!20\d{6}(?!\d))\d{8,}"
        ),
        "<number>",
    ),
    ("short telephone numbers", re.compile(r"(?<![\w.-])\d{3}[-. ]\d{4}(?![\w-])"), "<number>"),
)
"""Name, pattern and what stands in its place; applied in this order."""


def scrub(text: str) -> str:
    """Mask what the rules find.

    Args:
        text: Text of any origin. Invisible characters are dropped first, since they could split a secret.

    Returns:
        One line of text; scrubbing it again changes nothing that matters: no rule finds more.
    """
    found = units.clean(text, _LONGEST)
    for _, pattern, mask in RULES:
        found = pattern.sub(mask, found)
    return found
