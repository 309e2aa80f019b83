"""Decides: is a session alive, must somebody log in, and who. Logs in as rarely as it can, and never twice at once."""

from handstamp.keeper.budget import Budget
from handstamp.keeper.by_hand import log_in_by_hand
from handstamp.keeper.keepalive import KeepAlive
from handstamp.keeper.keeper import CAPTCHA_KEY, Given, Keeper
from handstamp.keeper.launching import launch_for
from handstamp.keeper.saver import Saver

__all__ = ["CAPTCHA_KEY", "Budget", "Given", "KeepAlive", "Keeper", "Saver", "launch_for", "log_in_by_hand"]
