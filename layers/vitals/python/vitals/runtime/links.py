"""Links of messages as requests: to a report's file, and out of a schedule, without a key."""

from __future__ import annotations

from html import escape

from vitals.domain.errors import MethodNotAllowedError
from vitals.runtime.http import Request, Response
from vitals.runtime.serve import Exchange
from vitals.usecases.context import Context
from vitals.usecases.report_links import file_url, leave, not_there

KEY = "link"
"""Who acts, as the audit names it."""
_LONGEST = 1000
_HTML = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'",
}


def followed(exchange: Exchange) -> Response:
    """Return what a link leads to: a redirect to a file, or a page of a schedule's receiver.

    Raises ReportNotFoundError for whatever is wrong with it, MethodNotAllowedError.
    """
    request = exchange.request
    place = exchange.action = request.path.removeprefix("/")
    # In the query, which nobody's log holds.
    token = request.query.get("link", "")
    parts = token.split(".")
    whole = len(parts) == (3 if place == "reports" else 4) and all(parts)
    if len(token) > _LONGEST or not whole:
        raise not_there()
    context = exchange.wired.background(parts[0], KEY, exchange.now, exchange.seconds_left)
    if context is None:
        raise not_there()
    if place == "reports":
        _allow(request, "GET", "HEAD")
        return Response(302, headers={"Location": file_url(context, parts[1], parts[2])})
    _allow(request, "GET", "POST")
    return _left(context, parts, confirmed=request.method == "POST")


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise MethodNotAllowedError(
            f"{request.method} is not served here", extra={"allow": list(methods)}
        )


def _left(context: Context, parts: list[str], *, confirmed: bool) -> Response:
    """Return a page that asks, or, *confirmed*, says that it is done.

    What looks at links before people do sends GET: that alone must take nobody off.
    """
    address = escape(leave(context, parts[1], parts[2], parts[3], confirmed=confirmed))
    if confirmed:
        said = f"<p>{address} gets this report no more.</p>"
    else:
        said = (
            f"<p>Shall {address} get this report no more?</p>"
            '<form method="post"><button type="submit">Unsubscribe</button></form>'
        )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Unsubscribe</title>'
        f"</head><body><main><h1>Unsubscribe</h1>{said}</main></body></html>"
    )
    return Response(200, headers=dict(_HTML), text=page)
