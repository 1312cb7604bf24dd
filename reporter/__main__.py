"""``python -m reporter``, and what the installed ``reporter`` begins with."""

import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from reporter.cli import main


def run() -> NoReturn:
    """Run ``reporter`` and end the process with its exit code.

    It ends at once: taking numpy, scipy and DuckDB apart would cost a tenth of a second, and everything is
    closed by now. As elsewhere, threads that are no daemons are waited for, and output is flushed.
    """
    code = main()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # whoever read it is gone, or it never was
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
