"""Which route of the HTTP API takes a request, by API Gateway's rules."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from local.template import Route

_VARIABLE = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Match:
    """The route that takes a request, and the values of its path variables."""

    route: Route
    parameters: dict[str, str]


class Router:
    """Finds the most specific route: literal before {variable} before {greedy+} before $default."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, _pattern(route.path)) for route in sorted(routes, key=_generality)]

    def match(self, method: str, path: str) -> Match | None:
        """Return the route for *method* and the decoded *path*, or None if there is none."""
        for route, pattern in self._routes:
            if route.path == "$default":
                return Match(route, {})
            found = pattern.fullmatch(path)
            if found and route.method in {method, "ANY"}:
                names = [name for name, _greedy in _VARIABLE.findall(route.path)]
                return Match(route, dict(zip(names, found.groups(), strict=True)))
        return None


def _generality(route: Route) -> tuple[bool, list[int], bool]:
    segments = [
        (1 + bool(variable[2])) if (variable := _VARIABLE.fullmatch(segment)) else 0
        for segment in route.path.split("/")
    ]
    return route.path == "$default", segments, route.method == "ANY"


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile(
        "".join(
            (r"(.+)" if part.endswith("+}") else r"([^/]+)") if part[:1] == "{" else re.escape(part)
            for part in parts
        ),
        re.DOTALL,
    )
