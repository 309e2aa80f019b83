"""Moves state in and out of live browsers: starts Chromium, restores before a page's first script, mirrors every change."""

from handstamp.browser.chromium import Chromium
from handstamp.browser.drivers import AsyncDrivers, SyncDrivers
from handstamp.browser.engine import Engine
from handstamp.browser.find import find_browser, is_headless_shell
from handstamp.browser.live import LiveContext
from handstamp.browser.process import Launch, sweep
from handstamp.browser.relay import Driver

__all__ = ["AsyncDrivers", "Chromium", "Driver", "Engine", "Launch", "LiveContext", "SyncDrivers", "find_browser", "is_headless_shell", "sweep"]
