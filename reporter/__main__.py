"""``python -m reporter``."""

import sys

from reporter.cli import main

if __name__ == "__main__":
    sys.exit(main())
