from urllib.parse import unquote

from django.test import Client


def test_the_landing_page_is_for_everybody(client: Client, db):
    assert client.get("/").status_code == 200


def test_operators_sign_in_at_the_door_of_everybody(client: Client, db):
    response = client.get("/admin/", follow=True)
    assert unquote(response.redirect_chain[-1][0]) == "/accounts/login/?next=/admin/"


def test_a_password_at_the_admins_own_form_is_not_tried(client: Client, db):
    response = client.post("/admin/login/", {"username": "op@turnpike.example", "password": "guess"})
    assert response.status_code == 302
    assert response.headers["location"].startswith("/accounts/login/")


def test_the_management_api_describes_itself(client: Client, db):
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.json()["info"]["title"] == "Turnpike management API"
