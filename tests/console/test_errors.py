"""Pages that say what went wrong have our look, also where there is no request to speak of."""

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.views import defaults

from tests.console.cast import visitor

TEMPLATES = ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_page_stands_alone(template):
    page = render_to_string(template)
    assert "console/console.css" in page
    assert 'href="/app/"' in page


def test_an_address_that_is_wrong(db):
    answer = visitor().get("/nothing/here")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_a_fault_of_ours_tells_nothing_of_its_cause():
    answer = defaults.server_error(HttpRequest())
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()
