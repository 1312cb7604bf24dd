"""Texts of others lose what identifies a person or opens a door, and little else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import redact
from reporter.analysis.scrub import RULES, scrub
from reporter.report import Report, to_json
from tests.reports import report, section

SECRETS = (
    "anna.schmidt+shop@example.co.uk",
    "o'brien@example.org",
    "jörg@müller.example",
    "user%40example.com",
    "jane [at] example.org",
    "+49 (0)30 1234567",
    "+1-202-555-0143",
    "(202) 555-0143",
    "0044 20 7946 0958",
    "030/12345678",
    "555-0199",
    "020 7946 0018",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "378282246310005",
    "DE89 3704 0044 0532 0130 00",
    "GB29NWBK60161331926819",
    "NL91 ABNA 0417 1643 00",
    "12345678901",
    "987-65-4321",
    "192.168.17.4",
    "10.0.0.1:5432",
    "2001:db8:85a3::8a2e:370:7334",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "fe80::1ff:fe23:4567:890a%eth2",
    "3c:22:fb:9a:10:7e",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
    "sk-proj-Zx81kLm20QpR7tYv",
    "sk_live_51HxYzAbCdEfGhIj",
    "rk_test_4eC39HqLyjWDarjt",
    "phx_1a2b3c4d5e6f7g8h9i0j",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghij",
    "glpat-abcDEFghiJKLmnoPQRst",
    "xoxb-263594206564-FGqddMF8t08v8N7Oq4i57vs1",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AIzaSyDdI0hCZtE6vySjMm-WEfRq3CPzqKqqsHI",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "npm_abcdefghijklmnopqrstuvwxyz012345",
    "SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf",
    "ABCD1-EFGH2-IJKL3-MNOP4",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "7d444840-9dc0-11d1-b245-5ffdce74fad2",
    "Tm90IGEgc2VjcmV0LCBidXQgbG9uZyBlbm91Z2g5OTk=",
    "-----BEGIN RSA PRIVATE KEY----- MIIEpAIBAAKCAQEA -----END RSA PRIVATE KEY-----",
)
"""Each is a secret by its looks."""
NAMED = (
    ("password: {}", "swordfish"),
    ("my password is {}", "swordfish"),
    ("Passwort lautet {}", "geheim"),
    ("PWD={}", "swordfish"),
    ("api_key={}", "abcdef"),
    ('"api_key": "{}"', "abc def"),
    ("X-API-Key: {}", "abcdef"),
    ("OPENAI_API_KEY={}", "qwerty"),
    ("DB_PASSWORD='{}'", "pa ss"),
    ("client secret = {}", "qwerty"),
    ("access token: {}", "qwerty"),
    ("Authorization: Bearer {}", "abc.def-123456"),
    ("Basic {}", "dXNlcjpwYXNz="),
    ("session id: {}", "qwerty"),
    ("Set-Cookie: {}", "sid=qwerty"),
    ("user_id={}", "qwerty"),
    ("pin: {}", "4711"),
    ("https://example.org/reset?code={}", "qwerty"),
    ("https://hooks.example.org/services/{}", "T0/B0/qwerty"),
    ("https://bob:{}@example.org/", "swordfish"),
    ("postgres://app:{}@db.internal:5432/prod", "swordfish"),
    ("see https://example.org/#access_token={}", "qwerty"),
    ("redis://:{}@cache:6379", "swordfish"),
    ("mongodb+srv://app:{}@c0.example.net/x", "swordfish"),
)
"""Each is a secret by what stands around it."""
PLAIN = (
    "Which VAT rate applies in 2026 (19% or 7%)?",
    "Login trouble: password reset",
    "What is the token limit of gpt-4o-mini?",
    "Meetings from 2026-11-25 to 2026-11-30, years 2025-2026",
    "Due on 25.11.2026 at 10:15:30",
    "429: Rate limit reached for <id>: <n> requests per minute",
    "claude-sonnet-4-5-20250929 answers slowly",
    "FY24 cost per user up, H100 vs B200",
    "std::vector and C++20 questions",
    "Form 1099-NEC and W-2",
    "$12,345,678 invoiced in 1,200 orders",
    "请求退款与账单争议的客户支持对话",
    "طلبات استرداد الأموال والفواتير",
    "Donaudampfschifffahrtsgesellschaft",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "Call {} now", "({})", "said “{}”.", "x={};"])
def test_secret_goes_wherever_it_stands(secret: str, around: str) -> None:
    assert secret not in scrub(around.format(secret))
    longest = max(secret.replace("-", " ").replace("@", " ").split(), key=len)
    assert longest not in scrub(around.format(secret)), "half of it is left"


@pytest.mark.parametrize(("sentence", "secret"), NAMED)
def test_what_is_called_a_secret_goes(sentence: str, secret: str) -> None:
    shown = scrub(f"Why does {sentence.format(secret)} not work")
    assert secret not in shown
    assert "not work" in shown or "Cookie" in sentence


def test_zero_width_characters_do_not_split_a_secret() -> None:
    assert "fish" not in scrub("pass\u200bword: sword\u2060fish")


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


@given(st.text(max_size=300))
def test_scrubbing_twice_changes_no_more_and_keeps_to_one_line(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once
    assert "\n" not in once


@given(st.sampled_from(SECRETS), st.text(alphabet=" ,.;:!?()\n“”", max_size=5), st.text(max_size=30))
def test_secret_goes_in_any_company(secret: str, before: str, after: str) -> None:
    assert secret not in scrub(f"{before} {secret} {after}")


def planted() -> Report:
    """A report in which every free text holds a secret."""
    value = report([section(titles=SECRETS[:9], clusters=9)])
    job = value.jobs[0]
    replace = msgspec.structs.replace
    secret = iter([*SECRETS[9:], *(sentence.format(text) for sentence, text in NAMED)] * 40)

    def cluster(c):
        return replace(
            c,
            description=f"- about {next(secret)}\n- and {next(secret)}",
            lineage=replace(c.lineage, names=[next(secret), next(secret)]),
            change=replace(c.change, prior_title=next(secret)) if c.change else None,
            errors=[replace(e, cause=f"500: {next(secret)}") for e in c.errors],
            exemplars=[replace(e, quote=next(secret)) for e in c.exemplars],
            posthog_metrics={"note": next(secret)},
        )

    told = replace(
        job,
        clusters=[cluster(c) for c in job.clusters],
        gone=[replace(g, title=next(secret)) for g in job.gone],
        prior_clusters=[replace(p, title=next(secret)) for p in job.prior_clusters],
        job=replace(job.job, event_filters=[{"key": "email", "value": [SECRETS[0]], "type": "event"}]),
    )
    return replace(value, jobs=[told], redaction="full")


@pytest.mark.parametrize("level", ["numbers", "titles", "quotes"])
def test_no_planted_secret_is_in_a_report(level: str) -> None:
    before, after = (
        to_json(value).decode()
        for value in (planted(), redact.redact(planted(), level))  # type: ignore[arg-type]
    )
    secrets = [*SECRETS, "swordfish", "qwerty", "geheim"]
    assert sum(secret in before for secret in secrets) > 40
    assert [secret for secret in secrets if secret in after] == []


def test_full_masks_nothing() -> None:
    assert redact.section(planted().jobs[0], "full") == planted().jobs[0]


def test_words_of_a_small_cluster_stay_hidden() -> None:
    job = section(titles=("Big", "Middle", "Small"), clusters=3)
    sizes = sorted(c.size for c in job.clusters)
    shown = redact.section(job, "titles", least=sizes[1])
    small = next(c for c in shown.clusters if c.size == sizes[0])
    assert small.title == f"Cluster {small.cluster_id}"
    assert not small.description
    assert sum(c.title.startswith("Cluster ") for c in shown.clusters) == 1


def test_every_rule_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs" / "redaction.md").read_text(encoding="utf-8")
    assert [name for name, *_ in RULES if name not in documented] == []
