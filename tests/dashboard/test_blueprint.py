from __future__ import annotations

from flask import Flask, render_template_string

from flask_cairnloop import Cairnloop
from tests.dashboard.conftest import Host


def test_the_hosts_templates_gain_no_name(host: Host) -> None:
    before: set[str] = set()
    app = host(before=lambda app: before.update(app.jinja_env.globals))
    app.test_client().get("/support/", headers={"X-Operator": "ada"})
    assert set(app.jinja_env.globals) == before


def test_a_name_the_host_has_given_its_templates_takes_none_of_ours(host: Host) -> None:
    app = host(before=lambda app: app.jinja_env.globals.update(cl="the host's"))
    page = app.test_client().get("/support/", headers={"X-Operator": "ada"})
    assert page.status_code == 200
    with app.test_request_context("/"):
        assert render_template_string("{{ cl }}") == "the host&#39;s"


def test_a_second_mount_links_to_itself(host: Host) -> None:
    app = host()
    Cairnloop(app, name="second", url_prefix="/second")
    browser = app.test_client()
    for prefix, other in (("/support", "/second"), ("/second", "/support")):
        page = browser.get(f"{prefix}/inbox", headers={"X-Operator": "ada"}).text
        assert f'href="{prefix}/settings"' in page
        assert f'src="{prefix}/assets/' in page
        assert f'"{other}/' not in page


def test_it_works_under_a_sub_path(host: Host) -> None:
    response = (
        host()
        .test_client()
        .get("/support/inbox", headers={"X-Operator": "ada"}, environ_overrides={"SCRIPT_NAME": "/app"})
    )
    assert response.status_code == 200
    assert 'href="/app/support/settings"' in response.text
    assert 'data-cl-root="/app/support/"' in response.text


def test_it_works_at_the_root(host: Host) -> None:
    app = host(CAIRNLOOP_URL_PREFIX="/")
    browser = app.test_client()
    assert browser.get("/inbox", headers={"X-Operator": "ada"}).status_code == 200
    assert browser.get("/nowhere").status_code == 404


def test_a_host_can_replace_one_template(host: Host, tmp_path_factory: object) -> None:
    from jinja2 import DictLoader

    def own(app: Flask) -> None:
        app.jinja_loader = DictLoader({"cairnloop/_shortcuts.html": "the host's own"})

    page = host(before=own).test_client().get("/support/", headers={"X-Operator": "ada"}).text
    assert "the host's own" in page
