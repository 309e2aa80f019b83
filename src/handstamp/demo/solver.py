"""A service that reads portside's pictures, as captcha services on the market do: for tests and demonstrations of logins with one.

    POST /solver   {api_key, kind, image, …}   200 {answer} · 401 wrong key · 422 not a picture that portside shows now

It cheats: it draws every picture that is open, and answers with the one that looks the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import json
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError
from starlette.responses import JSONResponse, Response

from handstamp.demo.portside import captcha

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from handstamp.demo.world import World

LARGEST_BODY = 1 << 20
MOST_DIFFERENT = 25.0
"""Mean difference of grey levels, 0 to 255, up to which two pictures count as the same: a screenshot is never quite the original."""


async def solve(request: Request) -> Response:
    """POST /solver."""
    body = await _body(request)
    given = body.get("api_key")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), request.app.state.solver_key.encode()):
        return JSONResponse({"error": "The api_key is missing or wrong."}, status_code=401)
    world: World = request.app.state.world
    answer = read(body.get("image"), world.portside.presessions.answers().values())
    if answer is None:
        return JSONResponse({"error": "This is no picture that portside shows now."}, status_code=422)
    return JSONResponse({"answer": answer})


def read(image: object, answers: Iterable[str]) -> str | None:
    """The answer whose picture looks like this one; None when none does.

    Args:
        image: base64 of a picture.
        answers: of the pictures that are shown now.
    """
    try:
        seen = Image.open(io.BytesIO(base64.b64decode(image if isinstance(image, str) else "", validate=True))).convert("L").resize(captcha.SIZE)
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError):
        return None
    found = min(((_difference(seen, answer), answer) for answer in answers), default=(MOST_DIFFERENT, ""))
    return found[1] if found[0] < MOST_DIFFERENT else None


def _difference(seen: Image.Image, answer: str) -> float:
    drawn = Image.open(io.BytesIO(captcha.draw(answer))).convert("L")
    return float(ImageStat.Stat(ImageChops.difference(seen, drawn)).mean[0])


async def _body(request: Request) -> dict[str, Any]:
    try:
        data = json.loads((await request.body())[:LARGEST_BODY] or b"{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
