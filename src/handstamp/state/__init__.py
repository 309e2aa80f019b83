"""What a login is made of: values, merge, diff. No I/O, no browser, no clock but the one that is passed in."""

from handstamp.state.clock import ZERO, Clock, Stamp
from handstamp.state.cookie_date import cookie_date
from handstamp.state.cookies import Cookie, PartitionKey, Priority, SameSite, SourceScheme
from handstamp.state.device import Device
from handstamp.state.domains import cookie_scope, host_of, is_ip_address, registrable_domain, within
from handstamp.state.jar import MAX_PER_DOMAIN, Stored, cookie_header, cookies_to_send, evicted, store
from handstamp.state.merge import merge, merge_states, observed
from handstamp.state.parts import Entry, Key, Part, PartId, PartKind
from handstamp.state.select import cookie_belongs, emptied, live_entries, of_kinds, select
from handstamp.state.session import Activity, Health, Loss, Session
from handstamp.state.set_cookie import set_cookie
from handstamp.state.storage import StorageState

__all__ = [
    "MAX_PER_DOMAIN",
    "ZERO",
    "Activity",
    "Clock",
    "Cookie",
    "Device",
    "Entry",
    "Health",
    "Key",
    "Loss",
    "Part",
    "PartId",
    "PartKind",
    "PartitionKey",
    "Priority",
    "SameSite",
    "Session",
    "SourceScheme",
    "Stamp",
    "StorageState",
    "Stored",
    "cookie_belongs",
    "cookie_date",
    "cookie_header",
    "cookie_scope",
    "cookies_to_send",
    "emptied",
    "evicted",
    "host_of",
    "is_ip_address",
    "live_entries",
    "merge",
    "merge_states",
    "observed",
    "of_kinds",
    "registrable_domain",
    "select",
    "set_cookie",
    "store",
    "within",
]
