"""Projects of an organisation."""

import pytest

from tenants import projects
from tenants.errors import InvalidName, SlugTaken
from tenants.models import AuditEvent, Project
from tests.tenants import cast


def create(organization, slug: str = "search") -> Project:
    return projects.create(organization=organization, name="Search", slug=slug, actor=cast.SYSTEM)


def test_a_project_is_created_and_audited(acme):
    project = create(acme)
    assert (project.organization, project.archived_at) == (acme, None)
    assert AuditEvent.objects.get(action="project.created").target_id == project.public_id


def test_a_slug_is_taken_once_in_an_organization(acme, globex):
    create(acme)
    create(globex)
    with pytest.raises(SlugTaken):
        create(acme)


def test_a_project_needs_a_slug(acme):
    with pytest.raises(InvalidName):
        create(acme, slug="Not a slug")


def test_a_project_is_renamed(acme):
    project = create(acme)
    projects.rename(project=project, name="Find", actor=cast.SYSTEM)
    project.refresh_from_db()
    assert (project.name, project.slug) == ("Find", "search")


def test_an_archived_project_is_hidden_and_the_gateways_hear_of_it(acme):
    project = create(acme)
    for _ in range(2):
        projects.archive(project=project, actor=cast.SYSTEM)
    acme.refresh_from_db()
    assert project not in Project.objects.for_organization(acme).active()
    assert acme.config_version == 2
    assert AuditEvent.objects.filter(action="project.archived").count() == 1
