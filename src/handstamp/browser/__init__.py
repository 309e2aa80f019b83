"""Moves state in and out of live browsers: starts Chromium, restores before a page's first script, mirrors every change."""

from handstamp.browser.chromium import Chromium
from handstamp.browser.drivers import AsyncDrivers, SyncDrivers
from handstamp.browser.eager import EagerContext
from handstamp.browser.eager_driver import EagerDriver
from handstamp.browser.either import at_once, now
from handstamp.browser.endpoint import is_endpoint
from handstamp.browser.engine import Engine
from handstamp.browser.find import find_browser, is_headless_shell
from handstamp.browser.foreign import ForeignBrowser
from handstamp.browser.live import LiveContext
from handstamp.browser.process import Launch, sweep
from handstamp.browser.relay import Driver
from handstamp.browser.ways import Way, context_id, way_into

__all__ = [
    "AsyncDrivers",
    "Chromium",
    "Driver",
    "EagerContext",
    "EagerDriver",
    "Engine",
    "ForeignBrowser",
    "Launch",
    "LiveContext",
    "SyncDrivers",
    "Way",
    "at_once",
    "context_id",
    "find_browser",
    "is_endpoint",
    "is_headless_shell",
    "now",
    "sweep",
    "way_into",
]
