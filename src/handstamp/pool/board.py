"""Who may have a window of the pool now: decisions only. No clock, no lock, no browser; whoever calls does what it says.

    (closed) ──ask──▶ waiting ──granted──▶ BUSY ──leave──▶ IDLE ──use──▶ BUSY
                         │                  │               │
                      withdraw            lost            close / chosen to make room
                         ▼                  ▼               ▼
                      (closed)           (closed)        CLOSING ──closed──▶ (closed)

A window is taken from the grant to the moment when its browser context is really gone, so that there are never more than
`capacity`. Whoever waits gets one in the order of asking; to make room the window that was used longest ago is closed, among
those that nobody is using. One in use is never closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Window(Enum):
    """How a window stands."""

    BUSY = "busy"
    IDLE = "idle"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be done now.

    Args:
        grant: who of those that wait have a window now, in order.
        close: whose windows are to be closed; each ends with `closed`.
    """

    grant: tuple[str, ...] = ()
    close: tuple[str, ...] = ()


@dataclass
class Board:
    """The windows of a pool.

    Args:
        capacity: how many there may be, from 1.
    """

    capacity: int
    _windows: dict[str, Window] = field(default_factory=dict)
    _used: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, None] = field(default_factory=dict)  # in order

    def window(self, key: str) -> Window | None:
        """How the window of `key` stands; None when it has none."""
        return self._windows.get(key)

    @property
    def taken(self) -> int:
        """Windows that there are, whatever is done with them."""
        return len(self._windows)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    def of(self, window: Window) -> tuple[str, ...]:
        """Whose windows stand so; of the idle ones the one that was used longest ago first."""
        found = [key for key, found in self._windows.items() if found is window]
        return tuple(sorted(found, key=lambda key: self._used.get(key, 0.0)))

    def ask(self, key: str) -> Decisions:
        """`key` wants a window, and has none."""
        self._expect(key, None)
        self._waiting.setdefault(key)
        return self._decide()

    def withdraw(self, key: str) -> Decisions:
        """It does not want one any more; no matter whether it has been granted meanwhile."""
        if key in self._waiting:
            del self._waiting[key]
        elif self._windows.get(key) is Window.BUSY:
            del self._windows[key]
        return self._decide()

    def use(self, key: str) -> None:
        """Its idle window is used."""
        self._expect(key, Window.IDLE)
        self._windows[key] = Window.BUSY

    def leave(self, key: str, now: float) -> Decisions:
        """It is not used any more."""
        self._expect(key, Window.BUSY)
        self._windows[key], self._used[key] = Window.IDLE, now
        return self._decide()

    def close(self, key: str) -> None:
        """An idle window, or one that its user gives up, is closed for other reasons than room; it ends with `closed`."""
        self._expect(key, Window.IDLE, Window.BUSY)
        self._windows[key] = Window.CLOSING

    def closed(self, key: str) -> Decisions:
        """It is gone: closed, or it never opened, or its browser has ended."""
        self._windows.pop(key, None)
        self._used.pop(key, None)
        return self._decide()

    def resize(self, capacity: int) -> Decisions:
        """Have more or fewer windows from now on; those in use stay until they are left."""
        self.capacity = max(1, capacity)
        return self._decide()

    def _decide(self) -> Decisions:
        granted = []
        while self._waiting and self.taken < self.capacity:
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._windows[key] = Window.BUSY
            granted.append(key)
        closing = sum(window is Window.CLOSING for window in self._windows.values())
        wanted = max(0, self.taken + len(self._waiting) - self.capacity) - closing
        chosen = self.of(Window.IDLE)[: max(0, wanted)]
        for key in chosen:
            self._windows[key] = Window.CLOSING
        return Decisions(tuple(granted), chosen)

    def _expect(self, key: str, *windows: Window | None) -> None:
        if (found := self._windows.get(key)) not in windows:
            raise RuntimeError(f"the window of {key} is {found}, not {' or '.join(map(str, windows))}")
