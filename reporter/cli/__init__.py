"""The command line: it parses, calls the pipeline, prints, and turns what happened into an exit code.

No arithmetic and no knowledge of formats lives here. Importing this room loads click and nothing heavier.
"""

from reporter.cli.app import main

__all__ = ["main"]
