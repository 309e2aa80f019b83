"""Knowing one web site: its recipe, how to log in, how to tell in from out, what to log in with.

What drives a page (`login`), asks over HTTP (`check`) or makes codes (`totp`) is imported from its own module, late.
"""

from handstamp.sites.challenge import Challenge, ChallengeSolver
from handstamp.sites.credentials import Credentials, SavedSecrets, credentials_for
from handstamp.sites.expiry import expiry_evidence, login_ends_at
from handstamp.sites.judge import RULES, judge
from handstamp.sites.recipe import Bearer, ChallengeMarker, Check, Condition, KeepAlive, Login, Recipe, Refresh, SessionRules, Step, StepKind, TotpSettings
from handstamp.sites.registry import KnownSite, find_site, list_sites, site_at
from handstamp.sites.site import Site, parse_recipe
from handstamp.sites.verdict import Evidence, Verdict

__all__ = [
    "RULES",
    "Bearer",
    "Challenge",
    "ChallengeMarker",
    "ChallengeSolver",
    "Check",
    "Condition",
    "Credentials",
    "Evidence",
    "KeepAlive",
    "KnownSite",
    "Login",
    "Recipe",
    "Refresh",
    "SavedSecrets",
    "SessionRules",
    "Site",
    "Step",
    "StepKind",
    "TotpSettings",
    "Verdict",
    "credentials_for",
    "expiry_evidence",
    "find_site",
    "judge",
    "list_sites",
    "login_ends_at",
    "parse_recipe",
    "site_at",
]
