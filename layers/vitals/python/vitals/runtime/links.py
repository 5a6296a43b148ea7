"""Links of messages as requests: to a report's file, and out of a schedule, without a key."""

from __future__ import annotations

from html import escape

from vitals.domain.errors import MethodNotAllowedError, ReportNotFoundError
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
    # The address of the page is the link.
    "Referrer-Policy": "no-referrer",
}
_OF_NO_USE = {
    "reports": (
        "This report is no longer here",
        "A link to a report holds for eight days, then its file is deleted. Ask whoever sends you "
        "the report for a new one.",
    ),
    "unsubscribe": (
        "There is nothing to unsubscribe from",
        "The report that this link is about is sent to nobody any more, or the link is not "
        "complete. If you still get the report, use the link in the newest mail.",
    ),
}
"""What is said of a link that leads nowhere, by its place: a heading and a sentence."""


def followed(exchange: Exchange) -> Response:
    """Return what a link leads to: a redirect to a file, or a page of a schedule's receiver.

    A link that leads nowhere is a 404 with a page that says so: people follow links, not programs.
    Raises MethodNotAllowedError.
    """
    request = exchange.request
    place = exchange.action = request.path.removeprefix("/")
    _allow(request, *(("GET", "HEAD") if place == "reports" else ("GET", "POST")))
    try:
        return _reached(exchange, place)
    except ReportNotFoundError as error:
        # The code is for the log: what is sent is the page.
        heading, said = _OF_NO_USE[place]
        text = "" if request.method == "HEAD" else _page(heading, f"<p>{said}</p>")
        return Response(404, {"code": error.code}, dict(_HTML), text)


def _reached(exchange: Exchange, place: str) -> Response:
    """Return what a link leads to. Raises ReportNotFoundError for whatever is wrong with it."""
    request = exchange.request
    # In the query, which nobody's log holds.
    token = request.query.get("link", "")
    parts = token.split(".")
    whole = len(parts) == (3 if place == "reports" else 4) and all(parts)
    if len(token) > _LONGEST or not whole:
        raise not_there()
    context = exchange.wired.background(parts[0], KEY, exchange.now, exchange.seconds_left)
    if context is None:
        raise not_there()
    if place == "unsubscribe":
        return _left(context, parts, confirmed=request.method == "POST")
    url = file_url(context, parts[1], parts[2])
    if request.method == "HEAD":
        # The URL is signed for GET: whoever looked at it by HEAD would be refused.
        return Response(200, headers=dict(_HTML))
    return Response(302, headers={"Location": url})


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
    return Response(200, headers=dict(_HTML), text=_page("Unsubscribe", said))


def _page(heading: str, said: str) -> str:
    """Return a page of plain HTML; *said* is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title></head>"
        f"<body><main><h1>{heading}</h1>{said}</main></body></html>"
    )
