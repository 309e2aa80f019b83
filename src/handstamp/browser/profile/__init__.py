"""Whole profiles: a browser on files of its own, which the vault keeps sealed, in pieces, between its runs.

What only those files hold survives: keys that no script can export, the Cache API, service workers, storage buckets.
"""

from handstamp.browser.profile.chromium import ProfileChromium, profile_launch, whole_profile
from handstamp.browser.profile.keep import KeptDirectory, Stored

__all__ = ["KeptDirectory", "ProfileChromium", "Stored", "profile_launch", "whole_profile"]
