"""A handstamp server from programs on other machines: `Remote`, and `AsyncRemote`, the same with `await`.

with Remote("https://sessions.example", token=…) as remote:
    session = remote.get_session("dana", "…")
    found = remote.call("get_containers", session_id=session.session_id)
"""

from handstamp.remote.clients import AsyncRemote, Remote
from handstamp.remote.values import AsyncResult, OpenedSession, Result, ServedSession

__all__ = ["AsyncRemote", "AsyncResult", "OpenedSession", "Remote", "Result", "ServedSession"]
