"""Projects of an organisation."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from foundation import clock
from tenants import audit, configuration, naming
from tenants.audit import Actor
from tenants.errors import SlugTaken
from tenants.models import Organization, Project


@transaction.atomic
def create(*, organization: Organization, name: str, slug: str, actor: Actor) -> Project:
    """Add a project. Raises InvalidName and SlugTaken."""
    project = Project(organization=organization, name=naming.name(name), slug=naming.slug(slug))
    try:
        with transaction.atomic():
            project.save(force_insert=True)
    except IntegrityError as cause:
        raise SlugTaken(param="slug") from cause
    audit.record(actor, "project.created", project, slug=project.slug)
    return project


@transaction.atomic
def rename(*, project: Project, name: str, actor: Actor) -> None:
    """Give it another name; the slug stays."""
    before, project.name = project.name, naming.name(name)
    project.save(update_fields=["name"])
    audit.record(actor, "project.renamed", project, before=before, after=project.name)


@transaction.atomic
def archive(*, project: Project, actor: Actor) -> None:
    """Stop its keys for good and hide it; its usage stays. Archiving it again changes nothing."""
    archived_at = clock.now()
    if not Project.objects.filter(pk=project.pk, archived_at=None).update(archived_at=archived_at):
        return
    project.archived_at = archived_at
    configuration.bump(project.organization_id)
    audit.record(actor, "project.archived", project)
