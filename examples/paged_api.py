"""All pages of an API, some at a time, in the session of a browser: ``python examples/paged_api.py``."""

from __future__ import annotations

import asyncio

import handstamp

AT_ONCE = 4


async def main() -> None:
    """Print how many containers of which status there are."""
    async with handstamp.AsyncClient("portside") as client:
        first = (await client.get("/api/containers", params={"page": 1})).raise_for_status().json()
        limit = asyncio.Semaphore(AT_ONCE)

        async def page(number: int) -> list[dict[str, str]]:
            async with limit:
                answer = await client.get("/api/containers", params={"page": number})
                rows: list[dict[str, str]] = answer.raise_for_status().json()["containers"]
                return rows

        later = await asyncio.gather(*(page(number) for number in range(2, first["pages"] + 1)))
    rows = [*first["containers"], *(row for rows in later for row in rows)]
    statuses = sorted({row["status"] for row in rows})
    print(f"{len(rows)} of {first['count']} containers:", ", ".join(f"{sum(row['status'] == one for row in rows)} {one}" for one in statuses))


if __name__ == "__main__":
    asyncio.run(main())
