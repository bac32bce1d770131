"""Addresses of the admin, and what its pages say."""

from __future__ import annotations

import html
import re
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.urls import reverse


def pages() -> list[tuple[type[Model], ModelAdmin]]:
    """Return every registered model with its page."""
    return list(admin.site._registry.items())


def address(model: type[Model], page: str, *args: object) -> str:
    """Return the address of a page of a model: changelist, add, change, delete, or an action by its name."""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def text(answer: Any) -> str:
    """Return a page's words, each run of blanks as one."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))
