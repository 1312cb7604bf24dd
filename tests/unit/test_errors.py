"""The error tree: every failure can be told to a person and ends with the documented code."""

import pytest

from reporter import errors

CODES = {
    "ReporterError": 70, "UsageError": 2, "SourceError": 3, "SourceUnreadable": 3, "RunNotFound": 3,
    "QuestionRefused": 3, "QuestionFailed": 3, "QuestionTooLarge": 3,
    "RunUnreadable": 3, "NothingToReport": 4, "RenderError": 5, "LibraryMissing": 5, "DeliveryError": 6,
}  # fmt: skip


def test_every_error_has_its_documented_exit_code():
    found = {
        n: c.exit_code for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, Exception)
    }
    assert found == CODES


@pytest.mark.parametrize(
    ("subject", "hint", "expected"),
    [
        ("", "", "it broke"),
        ("a.json", "", "a.json: it broke"),
        ("", "Mend it.", "it broke. Mend it."),
        ("a.json", "Mend it.", "a.json: it broke. Mend it."),
    ],
)
def test_text_joins_subject_message_and_hint(subject, hint, expected):
    assert str(errors.UsageError("it broke", subject=subject, hint=hint)) == expected


def test_unreadable_run_lists_five_faults_and_counts_the_rest():
    error = errors.RunUnreadable("run-1", [f"$.clusters[{i}]: bad" for i in range(8)])
    assert "$.clusters[4]: bad; and 3 more" in str(error)
    assert "$.clusters[5]" not in str(error)
    assert len(error.faults) == 8


def test_unreadable_run_with_five_faults_counts_no_rest():
    assert "more" not in str(errors.RunUnreadable("run-1", [f"fault {i}" for i in range(5)]))
