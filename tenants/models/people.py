"""People. A user belongs to no tenant: memberships tie them to organisations."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from foundation import clock, ids


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds them by e-mail whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        """A user who can sign in; without a password only by other means (a link, an identity provider)."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        """An operator of the whole platform."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this e-mail address, in any case of letters (served by the unique index on it)."""
        return self.alias(folded_email=Lower("email")).get(folded_email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail. Staff see the operators' admin; a superuser may do everything there."""

    PREFIX = "user"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    # Unique in itself, too, because Django's check of a user-name field does not look into expression constraints.
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)

    def get_full_name(self) -> str:
        """The name to greet by; the address where no name is known."""
        return self.name.strip() or self.email

    def get_short_name(self) -> str:
        """The first word of the name; the part before the @ where no name is known."""
        return (self.name.strip() or self.email.partition("@")[0]).split()[0]
