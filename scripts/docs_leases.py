"""The table of leases for the docs, and the diagram that follows from it."""

from __future__ import annotations

from docs_tables import table
from handstamp.vault.leases.machine import MEANS, TABLE, Ask, Do

_LEADS_TO = {Do.TAKE: "mine", Do.RENEW: "mine", Do.FREE: "free"}


def leases() -> list[str]:
    """One row for each way in which a lease stands, then the ways from one to the other."""
    rows = [(f"`{stands}`", MEANS[stands], *(f"`{TABLE[stands][ask]}`" for ask in Ask)) for stands in TABLE]
    return [*table(("stands as", "which means", *(f"{ask}" for ask in Ask)), rows), "", *_diagram()]


def _diagram() -> list[str]:
    """Mermaid: an edge for each answer that changes the row, with who asked for it."""
    edges: dict[tuple[str, str], list[str]] = {}
    for stands, answers in TABLE.items():
        for ask, do in answers.items():
            if do in _LEADS_TO:
                edges.setdefault((str(stands), _LEADS_TO[do]), []).append(str(ask))
    return ["```mermaid", "stateDiagram-v2", *(f"    {here} --> {there}: {', '.join(asks)}" for (here, there), asks in edges.items()), "```"]
