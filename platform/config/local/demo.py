"""Organisations to try the platform with: the first one of `make up`, and more by `manage.py demo`."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from billing import wallet
from foundation.money import nano
from keys import digests, issuing, limiting
from keys.effective import Limits
from keys.models import ApiKey
from tenants import founding, isolation, members
from tenants.audit import Actor
from tenants.models import Organization, Project, Role, User
from tenants.roles import Right

FIRST = "acme-demo"
FIRST_CREDIT = Decimal(10)
OPERATOR = "operator@turnpike.example"
_ACTOR = Actor.system("demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A new organisation with all that it takes to use it. The secrets are here and nowhere else."""

    organization: Organization
    api_key: str
    management_key: str
    email: str = ""
    password: str = ""

    def lines(self) -> dict[str, str]:
        """Return what belongs into a `demo.env`."""
        return {
            "OPENAI_BASE_URL": base_url(),
            "OPENAI_API_KEY": self.api_key,
            "TURNPIKE_MANAGEMENT_KEY": self.management_key,
            "DEMO_EMAIL": self.email,
            "DEMO_PASSWORD": self.password,
        }


def base_url() -> str:
    """Return where this installation's OpenAI-compatible API is."""
    return f"http://{settings.HOST}:{settings.PORT}/v1"


@transaction.atomic
def found(*, name: str, credit: Decimal, limits: Limits | None = None, with_owner: bool = True) -> Founded:
    """Make one more organisation with a project, credit, keys and, unless it is to be quick, an owner who can sign in.

    `credit` is in USD. The limits are the organisation's own.
    """
    with isolation.everything():
        slug = _free_slug(name)
        organization = founding.found_organization(name=name, slug=slug, actor=_ACTOR)
        _pay_in(organization, credit)
        if limits is not None and limits != Limits():
            limiting.set_limits(target=organization, limits=limits, actor=_ACTOR)
        email, password = f"owner@{slug}.example", secrets.token_urlsafe(12)
        if with_owner:
            members.add(organization=organization, user=_person(email, password), role=Role.OWNER, actor=_ACTOR)
        return Founded(
            organization=organization,
            api_key=_inference_key(organization),
            management_key=_management_key(organization),
            email=email if with_owner else "",
            password=password if with_owner else "",
        )


@transaction.atomic
def found_first(known: Mapping[str, str]) -> dict[str, str]:
    """Make the organisation that every installation starts with, or what is missing of it; return its lines.

    `known` is what an earlier start wrote down. Secrets are kept while they work, and replaced where they are lost.
    """
    with isolation.everything():
        organization = Organization.objects.filter(slug=FIRST).first()
        if organization is None:
            organization = founding.found_organization(name="Acme", slug=FIRST, actor=_ACTOR)
        _pay_in(organization, FIRST_CREDIT)
        return {
            "OPENAI_BASE_URL": base_url(),
            "OPENAI_API_KEY": _working(known.get("OPENAI_API_KEY")) or _inference_key(organization),
            "TURNPIKE_MANAGEMENT_KEY": _working(known.get("TURNPIKE_MANAGEMENT_KEY")) or _management_key(organization),
            **_first_member(organization, known.get("DEMO_PASSWORD")),
            **_operator(known.get("ADMIN_PASSWORD")),
        }


def _free_slug(name: str) -> str:
    slug = "-".join(
        "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in name.lower()).split()
    )
    slug = slug[:50].strip("-") or "demo"
    taken = set(Organization.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(free for number in count(1) if (free := slug if number == 1 else f"{slug}-{number}") not in taken)


def _pay_in(organization: Organization, credit: Decimal) -> None:
    wallet.open_wallet(organization.pk)
    if credit:
        wallet.credit(
            organization_id=organization.pk,
            amount_nusd=nano(credit),
            reference=f"demo:{organization.public_id}",
            memo="Demo credit",
            actor=_ACTOR,
        )


def _inference_key(organization: Organization) -> str:
    project = Project.objects.for_organization(organization).get(slug="default")
    return issuing.issue(project=project, name="Demo key", actor=_ACTOR).secret


def _management_key(organization: Organization) -> str:
    issued = issuing.issue_management(organization=organization, name="Demo management key", scopes=Right, actor=_ACTOR)
    return issued.secret


def _working(secret: str | None) -> str | None:
    """Return the secret if it is still a key's."""
    if not secret:
        return None
    digest = digests.digest(secret, settings.KEY_PEPPER.encode())
    return secret if ApiKey.objects.filter(digest=digest, revoked_at=None).exists() else None


def _first_member(organization: Organization, password: str | None) -> dict[str, str]:
    email = "demo@acme.example"
    person, password = _known_person(email, password)
    if not organization.memberships.filter(user=person).exists():
        members.add(organization=organization, user=person, role=Role.OWNER, actor=_ACTOR)
    return {"DEMO_EMAIL": email, "DEMO_PASSWORD": password}


def _operator(password: str | None) -> dict[str, str]:
    operator, password = _known_person(OPERATOR, password)
    if not operator.is_superuser:
        operator.is_staff = operator.is_superuser = True
        operator.save(update_fields=["is_staff", "is_superuser"])
    return {"ADMIN_EMAIL": OPERATOR, "ADMIN_PASSWORD": password}


def _known_person(email: str, password: str | None) -> tuple[User, str]:
    """Return the person, made where missing, with the password that is known or else a new one."""
    person = User.objects.filter(email=email).first()
    if person is not None and password:
        return person, password
    password = secrets.token_urlsafe(12)
    if person is None:
        return _person(email, password), password
    person.set_password(password)
    person.save(update_fields=["password"])
    return person, password


def _person(email: str, password: str) -> User:
    person = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=person, email=email, primary=True, verified=True)
    return person
