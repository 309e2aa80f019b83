"""The smallest set of things that is enough, by asking of sets whether they are. No I/O: the caller answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

T = TypeVar("T")


def minimal_set(things: Sequence[T]) -> Generator[tuple[T, ...], bool, tuple[T, ...]]:
    """Yields sets to ask about, is sent whether each is enough, and returns a set of which no member can be left out.

    What is enough must stay enough when more is added, and all of `things` together must be enough. Then the result is
    enough, and minimal; otherwise it is what the answers led to, and whoever asks tries it again.

    The shortest beginning that is enough is found by halving; its last member is needed, and what comes after it is not.
    So it asks some ``k * log2(n)`` times for `k` needed of `n`, fewest when what is likely stands first.

    Args:
        things: the likely ones first.
    """
    needed: tuple[T, ...] = ()
    rest = tuple(things)
    while rest and not (yield needed):
        low, high = 1, len(rest)  # the shortest beginning that is enough has from `low` to `high` members
        while low < high:
            middle = (low + high) // 2
            if (yield needed + rest[:middle]):
                high = middle
            else:
                low = middle + 1
        needed += (rest[low - 1],)
        rest = rest[: low - 1]
    return needed
