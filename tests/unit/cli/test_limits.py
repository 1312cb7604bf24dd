"""Deadlines and interruptions, also where a library swallows what a signal handler raises."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from reporter.cli.limits import limited
from reporter.errors import SourceError


def test_work_in_time_is_left_alone():
    before = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)
    with limited(60):
        done = True
    assert done
    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers)


def test_work_that_takes_too_long_is_stopped_and_told():
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"longer than 0\.05 s") as caught, limited(0.05):
        time.sleep(30)
    assert time.monotonic() - began < 10
    assert "--timeout" in caught.value.hint


def test_cleaning_up_runs_when_the_deadline_strikes():
    cleaned = []
    with pytest.raises(SourceError), limited(0.05):  # noqa: PT012 (the cleaning is the point)
        try:
            time.sleep(30)
        finally:
            cleaned.append(True)
    assert cleaned == [True]


_QUERY = """
import os, sys
import duckdb
from reporter.cli.limits import limited
from reporter.errors import SourceError
try:
    with limited(0.3, grace_s=1.0), duckdb.connect() as connection:
        connection.execute(
            "SELECT sum(a.i * b.i) FROM range(4000000) a(i), range(400000) b(i) WHERE (a.i * b.i) % 7 = 3"
        ).fetchall()
except SourceError as error:
    print(error.message, file=sys.stderr, flush=True)
    os._exit(error.exit_code)
"""
_STUBBORN = """
import time
from reporter.cli.limits import limited
with limited(0.1, grace_s=0.3):
    while True:
        try:
            time.sleep(30)
        except BaseException:
            pass
"""


@pytest.mark.parametrize("code", [_QUERY, _STUBBORN], ids=["query", "stubborn"])
def test_deadline_holds_where_a_library_hides_it_or_will_not_stop(code):
    """DuckDB answers with an error of its own, or waits for its threads: both end with 3 and a sentence."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert "the run took longer than" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_interruption_is_seen_even_if_something_else_was_raised(number, expected):
    with pytest.raises(expected), limited(60):  # noqa: PT012 (two steps: the signal, and what a library makes of it)
        try:
            os.kill(os.getpid(), number)
            time.sleep(30)
        except BaseException:  # noqa: BLE001 (what C libraries do)
            raise RuntimeError("Query interrupted") from None


def test_other_faults_pass_through():
    with pytest.raises(ZeroDivisionError), limited(60):
        _ = 1 / 0


def test_termination_carries_its_exit_code():
    with pytest.raises(SystemExit) as caught, limited(60):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    assert caught.value.code == 143
