"""Choosing a route as API Gateway does."""

import pytest
from local.routes import Router
from local.template import Route


def router(*keys: str) -> Router:
    split = [key.split(" ") for key in keys if key != "$default"]
    routes = [Route(method, path, "Function", 30) for method, path in split]
    return Router([*routes, *[Route("ANY", "$default", "Function", 30)] * ("$default" in keys)])


# the example of the developer guide, "Routing API requests", in another order
GUIDE = router(
    "$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1"
)


@pytest.mark.parametrize(
    ("request_line", "key", "parameters"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1", {}),
        ("GET /pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET /pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST /test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("POST /pets/dog/1", "ANY /{proxy+}", {"proxy": "pets/dog/1"}),
        ("GET /", "$default", {}),
    ],
)
def test_the_most_specific_route_wins(
    request_line: str, key: str, parameters: dict[str, str]
) -> None:
    match = GUIDE.match(*request_line.split(" "))
    assert match is not None
    assert (match.route.key, match.parameters) == (key, parameters)


def test_a_named_method_wins_over_any() -> None:
    routes = router("ANY /pets", "GET /pets")
    assert [found.route.method for m in ("GET", "PUT") if (found := routes.match(m, "/pets"))] == [
        "GET",
        "ANY",
    ]


@pytest.mark.parametrize("path", ["/petsx", "/pets/", "/xpets", "/pets/1/2", "/pets\n", "/p.ts"])
def test_a_route_matches_whole_paths(path: str) -> None:
    assert router("GET /pets", "GET /pets/{id}").match("GET", path) is None


def test_without_a_default_route_nothing_takes_the_rest() -> None:
    assert router("GET /pets").match("GET", "/other") is None
    assert router("GET /pets").match("POST", "/pets") is None
