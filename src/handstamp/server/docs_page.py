"""The page at /docs: the endpoints, their fields and answers, from the OpenAPI document. Plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CODE = re.compile(r"`([^`]+)`")
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{margin-bottom:0}h2{margin-top:3rem;border-bottom:1px solid #d0d7de;text-transform:capitalize}
details{border:1px solid #d0d7de;border-radius:6px;margin:.6rem 0;padding:.5rem .9rem}summary{cursor:pointer}
.m{display:inline-block;min-width:3.5rem;font-weight:700;color:#0a5}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{background:#f6f8fa;padding:.7rem;border-radius:6px;overflow:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eaeef2}.o{color:#57606a}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}pre{background:#161b22}details,h2,td,th{border-color:#30363d}.o{color:#8d96a0}}"""
PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; frame-ancestors 'none'"


def docs_page(api: Mapping[str, Any]) -> str:
    """The page.

    Args:
        api: the OpenAPI document.
    """
    info = api["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(info['title'])}</title>",
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_text(info['description'])}",
        "<p>Send <code>Authorization: Bearer …</code>. For programs: <a href=/openapi.json>openapi.json</a>.",
    ]
    groups: dict[str, list[str]] = {}
    for path, methods in api["paths"].items():
        for method, endpoint in methods.items():
            groups.setdefault(endpoint["tags"][0], []).append("".join(_endpoint(api, method, path, endpoint)))
    for title, endpoints in groups.items():
        parts += [f"<h2>{escape(title)}</h2>", *endpoints]
    return "\n".join(parts)


def _endpoint(api: Mapping[str, Any], method: str, path: str, endpoint: Mapping[str, Any]) -> Iterator[str]:
    about = _text(endpoint.get("description", ""))
    yield f"<details><summary><span class=m>{method.upper()}</span><code>{escape(path)}</code> <span class=o>{about}</span></summary>"
    body = endpoint.get("requestBody")
    if body is not None:
        schema = _schema(api, body["content"]["application/json"]["schema"])
        yield f"<h4>Request</h4>{_fields(api, schema)}<pre>{escape(_curl(path, schema))}</pre>"
    yield "<h4>Answers</h4><table>"
    for status, answer in endpoint["responses"].items():
        content = answer.get("content", {}).get("application/json")
        fields = _fields(api, _schema(api, content["schema"])) if status == "200" and content else _text(answer.get("description", ""))
        yield f"<tr><td><code>{escape(status)}</code><td>{fields}"
    yield "</table></details>"


def _fields(api: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(name)}</code>{'' if name in required else ' <span class=o>optional</span>'}<td>{escape(_kind(api, field))}<td>{_about(field)}"
        for name, field in schema.get("properties", {}).items()
    ]
    return f"<table>{''.join(rows)}</table>"


def _kind(api: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_kind(api, one) for one in field["anyOf"])
    if "$ref" in field:
        return str(_schema(api, field).get("title", "object"))
    if "const" in field or "enum" in field:
        return " or ".join(json.dumps(value) for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_kind(api, field.get('items', {}))}"
    return str(field.get("format") or field.get("type") or "any")


def _schema(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    found: Mapping[str, Any] = api["components"]["schemas"][name] if name else schema
    return found


def _curl(path: str, schema: Mapping[str, Any]) -> str:
    names = [*schema.get("required", ())] or [name for name in schema.get("properties", {}) if name == "session_id"]
    example = {name: (schema["properties"][name].get("examples") or [f"… {name} …"])[0] for name in names}
    return f"curl -H \"Authorization: Bearer $HANDSTAMP_SERVER_TOKEN\" -H 'Content-Type: application/json' \\\n  -d '{json.dumps(example)}' http://127.0.0.1:8900{path}"


def _about(field: Mapping[str, Any]) -> str:
    """A field's description; of one that may be null it stands with what else it may be."""
    return next((_text(one["description"]) for one in (field, *field.get("anyOf", ())) if "description" in one), "")


def _text(text: str) -> str:
    """Paragraphs and names of a text in Markdown."""
    return _CODE.sub(r"<code>\1</code>", escape(text)).replace("\n\n", "<p>")
