"""Lets ``python -m handstamp.cli`` be the command line, where the script `handstamp` is not on PATH."""

import sys

from handstamp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
