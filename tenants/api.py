"""The management API's organizations and projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar
from uuid import UUID

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.errors import Forbidden, NotFound
from foundation.rest import pages
from foundation.rest.bodies import Fields, body, query
from foundation.rest.fields import Instant, PublicId, Text
from foundation.rest.pages import PageQuery
from tenants import founding, isolation, members, naming, organizations, projects
from tenants.models import Organization, Project, User
from tenants.rest import idempotency
from tenants.rest.resources import OrganizationResource, Resource, public_id
from tenants.roles import Right


class OrganizationFacts(serializers.Serializer[Organization]):
    """A tenant: everything else belongs to exactly one."""

    id = PublicId("org", read_only=True)
    name = serializers.CharField(read_only=True)
    slug = serializers.CharField(read_only=True, help_text="The short name in addresses; it never changes.")
    status = serializers.ChoiceField(Organization.Status.choices, read_only=True)
    time_zone = serializers.CharField(
        read_only=True, help_text="IANA name. Days, weeks and months of budgets turn over at its midnight."
    )
    allowed_origins = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Web pages whose scripts may use the inference API with the organization's keys.",
    )
    created_at = Instant(read_only=True)


class NewOrganization(Fields):
    """What it takes to make an organization."""

    name = Text(max_length=200)
    slug = Text(max_length=63)
    time_zone = Text(default="UTC", max_length=64)
    owner_email = serializers.EmailField(
        required=False, help_text="The first owner, a person who has an account; absent for none."
    )


class OrganizationChange(Fields):
    """What may change of an organization; what is absent stays."""

    name = Text(required=False, max_length=200)
    time_zone = Text(required=False, max_length=64)
    allowed_origins = serializers.ListField(
        child=Text(max_length=255),
        required=False,
        max_length=naming.MOST_ORIGINS,
        help_text="All of them: `https://app.example.com`, or `*` for any. An empty list, the default, allows none.",
    )


class Organizations(Resource):
    """All that one may see: a person's by membership, a key's own, an operator's every one.

    What else an organisation needs before it can be used is not known here: config gives it as `when_founded`.
    """

    when_founded: ClassVar[Sequence[Callable[[UUID], None]]] = ()

    @extend_schema(
        operation_id="organizations_list",
        summary="List organizations",
        parameters=[PageQuery],
        responses=pages.shape(OrganizationFacts),
    )
    def get(self, request: Request) -> Response:
        """Yours: those you are a member of, or the one that your key belongs to. Operators see all."""
        asked = query(PageQuery, request)
        rows = Organization.objects.all()
        if not self.actor.is_operator:
            rows = rows.filter(pk__in=self._own())
        with isolation.everything():
            page = pages.newest_first(rows, asked, prefix=Organization.PREFIX)
        return pages.answer(OrganizationFacts, page)

    @extend_schema(
        operation_id="organizations_create",
        summary="Create an organization",
        request=NewOrganization,
        responses={201: OrganizationFacts},
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """For operators: staff with the permission to add organizations, or a management key with the scope `platform`.

        It comes with a project of the slug `default`.
        """
        if not self.principal.may_found:
            raise Forbidden("Only operators make organizations here.")
        facts = body(NewOrganization, request)
        email = facts.pop("owner_email", None)
        organization = founding.found_organization(actor=self.actor, owner=_person(email), **facts)
        for prepare in self.when_founded:
            prepare(organization.pk)
        return Response(OrganizationFacts(organization).data, status=201)

    def _own(self) -> list[UUID]:
        if self.principal.user is not None:
            return [membership.organization_id for membership in members.of_user(self.principal.user)]
        own = self.principal.organization_id
        return [self.principal.enter(own, Right.ORGANIZATION_READ).pk] if own else []


class OneOrganization(Resource):
    """An organization by its id."""

    @extend_schema(operation_id="organizations_retrieve", summary="Read an organization", responses=OrganizationFacts)
    def get(self, request: Request, organization: str) -> Response:
        """Takes the right `organization.read`."""
        found = self._enter(organization, Right.ORGANIZATION_READ)
        return Response(OrganizationFacts(found).data)

    @extend_schema(
        operation_id="organizations_update",
        summary="Change an organization",
        request=OrganizationChange,
        responses=OrganizationFacts,
    )
    def patch(self, request: Request, organization: str) -> Response:
        """Takes the right `organization.manage`."""
        found = self._enter(organization, Right.ORGANIZATION_MANAGE)
        change = body(OrganizationChange, request)
        if "name" in change:
            organizations.rename(organization=found, name=change["name"], actor=self.actor)
        if "time_zone" in change:
            organizations.move_to_time_zone(organization=found, time_zone=change["time_zone"], actor=self.actor)
        if "allowed_origins" in change:
            organizations.allow_origins(organization=found, origins=change["allowed_origins"], actor=self.actor)
        return Response(OrganizationFacts(found).data)

    def _enter(self, organization: str, right: Right) -> Organization:
        return self.principal.enter(public_id(Organization.PREFIX, organization), right)


class ProjectFacts(serializers.Serializer[Project]):
    """A part of an organization with keys, limits and usage of its own."""

    id = PublicId("proj", read_only=True)
    name = serializers.CharField(read_only=True)
    slug = serializers.CharField(read_only=True, help_text="The short name; it never changes.")
    archived_at = Instant(read_only=True, allow_null=True, help_text="Since then its keys do not work.")
    created_at = Instant(read_only=True)


class NewProject(Fields):
    """What it takes to make a project."""

    name = Text(max_length=200)
    slug = Text(max_length=63)


class ProjectChange(Fields):
    """What may change of a project; what is absent stays."""

    name = Text(required=False, max_length=200)


class ProjectQuery(PageQuery):
    """Which projects."""

    archived = serializers.BooleanField(required=False, help_text="Only archived ones, or only those that are not.")


class Projects(OrganizationResource):
    """The organization's projects."""

    rights: ClassVar = {"GET": Right.PROJECTS_READ, "POST": Right.PROJECTS_MANAGE}

    @extend_schema(
        operation_id="projects_list",
        summary="List projects",
        parameters=[ProjectQuery],
        responses=pages.shape(ProjectFacts),
    )
    def get(self, request: Request) -> Response:
        """Takes the right `projects.read`."""
        asked = query(ProjectQuery, request)
        rows = Project.objects.for_organization(self.organization)
        if "archived" in asked:
            rows = rows.filter(archived_at__isnull=not asked["archived"])
        return pages.answer(ProjectFacts, pages.newest_first(rows, asked, prefix=Project.PREFIX))

    @extend_schema(
        operation_id="projects_create", summary="Create a project", request=NewProject, responses={201: ProjectFacts}
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Takes the right `projects.manage`."""
        facts = body(NewProject, request)
        project = projects.create(organization=self.organization, actor=self.actor, **facts)
        return Response(ProjectFacts(project).data, status=201)


class OneProject(OrganizationResource):
    """A project by its id."""

    rights: ClassVar = {"GET": Right.PROJECTS_READ, "PATCH": Right.PROJECTS_MANAGE}

    @extend_schema(operation_id="projects_retrieve", summary="Read a project", responses=ProjectFacts)
    def get(self, request: Request, project: str) -> Response:
        """Takes the right `projects.read`."""
        return Response(ProjectFacts(_project(self.organization, project)).data)

    @extend_schema(
        operation_id="projects_update", summary="Change a project", request=ProjectChange, responses=ProjectFacts
    )
    def patch(self, request: Request, project: str) -> Response:
        """Takes the right `projects.manage`."""
        found, change = _project(self.organization, project), body(ProjectChange, request)
        if "name" in change:
            projects.rename(project=found, name=change["name"], actor=self.actor)
        return Response(ProjectFacts(found).data)


class ProjectArchive(OrganizationResource):
    """Putting a project away for good."""

    rights: ClassVar = {"POST": Right.PROJECTS_MANAGE}

    @extend_schema(operation_id="projects_archive", summary="Archive a project", request=None, responses=ProjectFacts)
    @idempotency.once
    def post(self, request: Request, project: str) -> Response:
        """Takes the right `projects.manage`. Its keys stop working at once and for good; its usage stays."""
        body(Fields, request)
        found = _project(self.organization, project)
        projects.archive(project=found, actor=self.actor)
        return Response(ProjectFacts(found).data)


def _project(organization: Organization, text: str) -> Project:
    projects_of = Project.objects.for_organization(organization)
    project = projects_of.filter(pk=public_id(Project.PREFIX, text)).first()
    if project is None:
        raise NotFound
    return project


def _person(email: str | None) -> User | None:
    if email is None:
        return None
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        raise NotFound("No person with this e-mail address has an account.", param="owner_email") from None


# The list of organizations stands in config/api.py.
urlpatterns: list[URLPattern] = [
    path("organizations/<str:organization>", OneOrganization.as_view(), name="organization"),
    path("projects", Projects.as_view(), name="projects"),
    path("projects/<str:project>", OneProject.as_view(), name="project"),
    path("projects/<str:project>/archive", ProjectArchive.as_view(), name="project-archive"),
]
