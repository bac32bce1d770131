"""What can go wrong with people and organisations. No Django here: the hot path raises some of these, too."""

from foundation.errors import Conflict, Forbidden, InvalidRequest


class InvalidName(InvalidRequest):
    """A name, slug or time zone that cannot be used; `param` says which."""

    message = "This name cannot be used."


class SlugTaken(Conflict):
    """Another organisation (or another project of this one) has the slug."""

    code = "slug_taken"
    message = "This short name is taken. Choose another."


class AlreadyMember(Conflict):
    """The person is in the organisation already."""

    code = "already_member"
    message = "This person is a member already. Change their role instead."


class LastOwner(Conflict):
    """An organisation without an owner could never be managed again."""

    code = "last_owner"
    message = "An organization needs at least one owner. Make somebody else an owner first."


class WiderThanOwn(Forbidden):
    """Nobody hands out more than they hold themselves."""

    message = "You cannot grant more than you may do yourself."


class OrganizationSuspended(Forbidden):
    """Its keys do not work until an operator resumes it."""

    code = "organization_suspended"
    message = "This organization is suspended. Contact support."


class ProjectArchived(Forbidden):
    """Its keys do not work any more."""

    code = "project_archived"
    message = "The project of this key is archived."
