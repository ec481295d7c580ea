from __future__ import annotations

import posixpath
import re

import pytest
from flask.testing import FlaskClient


def linked(client: FlaskClient) -> list[str]:
    page = client.get("/support/").text  # even the refusal has a stylesheet
    return re.findall(r'(?:href|src)="(/support/assets/[^"#]+)', page)


def test_what_a_page_links_is_there_and_kept_for_a_year(client: FlaskClient, desk: FlaskClient) -> None:
    found = {*linked(client), *linked(desk)}
    assert {path.rsplit("/", 1)[1] for path in found} >= {"cairnloop.css", "htmx.min.js", "cairnloop.js", "icons.svg"}
    for path in found:
        response = client.get(path)
        assert response.status_code == 200, path
        assert "max-age=31536000" in response.headers["Cache-Control"]
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        response.close()


@pytest.mark.parametrize(
    ("entry", "pattern"),
    [("cairnloop.css", r'url\("([^"]+)"\)'), ("js/cairnloop.js", r'(?:from|import) "([^"]+)"')],
    ids=["styles", "scripts"],
)
def test_imports_are_relative_so_they_carry_the_version_too(client: FlaskClient, entry: str, pattern: str) -> None:
    root = linked(client)[0].rsplit("/", 1)[0]
    with client.get(f"{root}/{entry}") as response:
        imported = re.findall(pattern, response.text)
    assert len(imported) > 8
    for path in imported:
        assert not path.startswith(("/", "http"))
        with client.get(posixpath.normpath(f"{root}/{posixpath.dirname(entry)}/{path}")) as response:
            assert response.status_code == 200, path


def test_an_old_version_is_answered_but_not_kept(client: FlaskClient) -> None:
    with client.get("/support/assets/older/cairnloop.css") as response:
        assert response.status_code == 200
        assert "immutable" not in response.headers["Cache-Control"]
        assert "max-age=31536000" not in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../../pyproject.toml", "%2e%2e/%2e%2e/pyproject.toml", "..%2f..%2fpyproject.toml"])
def test_nothing_but_our_files_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/support/assets/x/{name}").status_code == 404
