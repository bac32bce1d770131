"""Projects."""

from __future__ import annotations

from tenants.models import AuditEvent, Project
from tests.api.world import error, rfc3339


def test_a_project_is_made_and_read(acme, by_key):
    made = by_key("POST", "projects", {"name": "Search", "slug": "search"}).json()
    project = Project.objects.get(slug="search")
    assert made == {
        "id": project.public_id,
        "name": "Search",
        "slug": "search",
        "archived_at": None,
        "created_at": rfc3339(project.created_at),
    }
    assert by_key.get(f"projects/{made['id']}") == made
    assert project.organization == acme.organization


def test_a_program_that_acts_is_named_in_the_audit_trail(acme, by_key):
    by_key("POST", "projects", {"name": "Search", "slug": "search"})
    event = AuditEvent.objects.get(action="project.created")
    assert (event.actor_kind, event.organization) == ("key", acme.organization)
    assert event.actor_id.startswith("key_")


def test_a_slug_is_taken_once_per_organization(acme, globex, by_key):
    answer = by_key("POST", "projects", {"name": "Default", "slug": "default"})
    assert (answer.status_code, error(answer)["code"], error(answer)["param"]) == (409, "slug_taken", "slug")


def test_a_project_gets_another_name(acme, by_key):
    path = f"projects/{acme.project.public_id}"
    assert by_key("PATCH", path, {"name": "Main"}).json()["name"] == "Main"
    assert by_key.get(path)["name"] == "Main"


def test_a_change_of_nothing_changes_nothing(acme, by_key):
    assert by_key("PATCH", f"projects/{acme.project.public_id}", {}).json()["name"] == "Default"


def test_an_archived_project_stops_its_keys_and_stays_archived(acme, by_key):
    path = f"projects/{acme.project.public_id}"
    archived = by_key("POST", f"{path}/archive").json()
    assert archived["archived_at"] is not None
    assert by_key("POST", f"{path}/archive").json() == archived
    answer = by_key("POST", "keys", {"name": "New", "project": acme.project.public_id})
    assert (answer.status_code, error(answer)["code"]) == (403, "project_archived")


def test_archived_projects_can_be_left_out(acme, by_key):
    by_key("POST", "projects", {"name": "Search", "slug": "search"})
    by_key("POST", f"projects/{acme.project.public_id}/archive")
    assert [row["slug"] for row in by_key.get("projects?archived=false")["data"]] == ["search"]
    assert [row["slug"] for row in by_key.get("projects?archived=true")["data"]] == ["default"]
    assert [row["slug"] for row in by_key.get("projects")["data"]] == ["search", "default"]
