"""Keys for the tests, of the organisations in tests.tenants.cast."""

from keys import issuing
from keys.issuing import Issued
from tenants.models import Organization
from tests.tenants import cast


def inference_key(of: Organization, **wishes) -> Issued:
    """Return a new key of the organisation's default project."""
    return issuing.issue(**{"project": cast.project(of), "name": "Web", "actor": cast.SYSTEM, **wishes})


def management_key(of: Organization, *scopes: str, **wishes) -> Issued:
    """Return a new management key with these scopes."""
    wishes = {"name": "CI", "actor": cast.SYSTEM, **wishes}
    return issuing.issue_management(organization=of, scopes=scopes or ["keys.read"], **wishes)
