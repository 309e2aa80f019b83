"""The command line: parses, calls one function of what lies below, and prints. `handstamp --help` says what there is."""

from handstamp.cli.main import main

__all__ = ["main"]
