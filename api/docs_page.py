"""The API's description as one page, made from the OpenAPI document alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from api.problem_kinds import problem_kinds
from api.problems import PROBLEM_PAGES

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem;
  color: #1c2430; background: #fff }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d4dae3 }
details { border: 1px solid #d4dae3; border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer }
code, textarea, input, pre { font: 13px/1.5 ui-monospace, monospace }
textarea, input { width: 100%; box-sizing: border-box }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; border-top: 1px solid #e6eaf0; padding: .25rem }
pre { background: #f3f5f8; padding: .6rem; overflow: auto; max-height: 30rem }
.verb { display: inline-block; min-width: 4.5rem; font-weight: 600 }
"""

SCRIPT = """
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const out = form.querySelector("pre");
    const headers = {};
    const token = document.getElementById("token").value.trim();
    if (token) headers.Authorization = "Bearer " + token;
    const request = { method: form.dataset.method, headers };
    const body = form.querySelector("textarea");
    if (body && body.value.trim()) {
      request.body = body.value;
      headers["Content-Type"] = "application/json";
    }
    try {
      const answer = await fetch(form.querySelector("input").value, request);
      const text = await answer.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch (ignored) { }
      out.textContent = answer.status + " " + answer.statusText + "\\n" + shown;
    } catch (error) {
      out.textContent = String(error);
    }
  });
}
"""


def page(document: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI `document`."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style>",
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])}</p>",
        "<p><a href=openapi.json>OpenAPI 3.1 description</a></p>",
        "<label>Token for the calls below <input id=token autocomplete=off></label>",
        *_tags(document),
        "<h2>Problem codes</h2><table>",
        *_kinds(),
        f"</table><script>{SCRIPT}</script></html>",
    ]
    return "\n".join(parts)


def _tags(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, operations in document["paths"].items():
            shared = operations.get("parameters", [])
            for verb, operation in operations.items():
                if verb != "parameters" and tag["name"] in operation["tags"]:
                    yield _operation(document, path, verb, operation, shared)


def _operation(
    document: Mapping[str, Any],
    path: str,
    verb: str,
    operation: Mapping[str, Any],
    shared: Iterable[Mapping[str, Any]],
) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    responses = operation["responses"].items()
    return "\n".join(
        (
            f"<details><summary><span class=verb>{verb.upper()}</span>",
            f"<code>{escape(path)}</code> {escape(operation.get('summary', ''))}</summary>",
            f"<p>{escape(operation.get('description', ''))}</p><table>",
            *(_parameter(p) for p in (*shared, *operation.get("parameters", []))),
            *(_property(*p) for p in (_properties(document, body["schema"]) if body else ())),
            *(_row(status, "", response["description"]) for status, response in responses),
            f"</table><form data-method={verb.upper()}><input value='{escape(path)}'>",
            "<textarea rows=4></textarea>" if body else "",
            "<button>Send</button><pre></pre></form></details>",
        )
    )


def _properties(
    document: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    name = schema["$ref"].rpartition("/")[2]
    found = document["components"]["schemas"][name]
    for field, described in found["properties"].items():
        yield field, described, field in found.get("required", ())


def _parameter(parameter: Mapping[str, Any]) -> str:
    kind = _kind(parameter["schema"], required=parameter.get("required", False))
    return _row(parameter["name"], f"{parameter['in']}, {kind}", parameter.get("description", ""))


def _property(name: str, described: Mapping[str, Any], required: bool) -> str:  # noqa: FBT001
    kind = _kind(described, required=required)
    return _row(name, f"body, {kind}", described.get("description", ""))


def _kind(schema: Mapping[str, Any], *, required: bool) -> str:
    kinds = schema.get("type", "object")
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    allowed = schema.get("enum", schema.get("items", {}).get("enum", ()))
    if allowed:
        words.append("one of " + ", ".join(str(word) for word in allowed if word is not None))
    return ", ".join([*words, *(["required"] if required else [])])


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def _kinds() -> Iterator[str]:
    for kind in problem_kinds():
        link = f"<a href='{PROBLEM_PAGES}/{kind.code}'><code>{kind.code}</code></a>"
        yield f"<tr><td>{link}<td>{int(kind.status)}<td>{escape(kind.meaning)}"
