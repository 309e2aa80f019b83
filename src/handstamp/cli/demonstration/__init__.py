"""What `handstamp demo` shows: one login, and then everybody comes back without one. Each step is a process of its own."""

from handstamp.cli.demonstration.story import Ended, Show, tell

__all__ = ["Ended", "Show", "tell"]
