"""A FastAPI application that answers from behind somebody else's login: ``uvicorn --app-dir examples fastapi_app:app``.

One client for the whole application: it is safe to share, and a session that ends costs one login, whoever meets it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request

import handstamp
from handstamp.errors import LoginError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The client lives as long as the application."""
    async with handstamp.AsyncClient("portside") as client:
        app.state.portside = client
        yield


app = FastAPI(lifespan=lifespan)


def portside(request: Request) -> handstamp.AsyncClient:
    """The session, as a dependency."""
    client: handstamp.AsyncClient = request.app.state.portside
    return client


@app.get("/containers/{number}")
async def container(number: str, client: Annotated[handstamp.AsyncClient, Depends(portside)]) -> dict[str, Any]:
    """One container as the terminal knows it."""
    try:
        answer = await client.get("/api/containers", params={"q": number})
    except LoginError as error:
        raise HTTPException(503, detail=str(error)) from error
    rows = answer.raise_for_status().json()["containers"]
    if not rows:
        raise HTTPException(404, detail=f"the terminal knows no container {number}")
    found: dict[str, Any] = rows[0]
    return found
