"""Who plays in the tests: Acme is ours, Globex must never see it."""

from django.db import connection

from tenants import founding, members
from tenants.audit import Actor
from tenants.models import Organization, Project, Role, User

SYSTEM = Actor.system("tests")


def person(name: str = "Ada", **fields) -> User:
    """Return a new person, with an address made from the name."""
    return User.objects.create_user(f"{name.lower()}@example.com", name=name, **fields)


def organization(name: str = "Acme", owner: User | None = None) -> Organization:
    """Return a new organisation with its default project."""
    return founding.found_organization(name=name, slug=name.lower(), actor=SYSTEM, owner=owner)


def member(of: Organization, role: Role, name: str = "") -> User:
    """Return a new person who has this role there."""
    user = person(name or f"{role}-{of.slug}")
    members.add(organization=of, user=user, role=role, actor=SYSTEM)
    return user


def project(of: Organization) -> Project:
    """Return the organisation's default project."""
    return Project.objects.for_organization(of).get(slug="default")


def leave_scope() -> None:
    """See no tenant's rows any more, as a transaction that has not said whose it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('turnpike.scope', '', true)")
