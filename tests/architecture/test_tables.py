"""Tables belong to a tenant, and references between apps point down. Asks Django's registry; needs no database."""

import weakref
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from tests.architecture import checkout

# Tables of the whole platform, each with the reason why no organisation stands in it.
WITHOUT_ORGANIZATION = {
    "tenants_organization": "is the tenant",
    "tenants_user": "people belong to several tenants, by memberships",
    "tenants_user_groups": "rights of operators in the admin",
    "tenants_user_user_permissions": "rights of operators in the admin",
    "tenants_auditlink": "one chain of hashes over the events of all tenants; a link holds no fact of its event",
    "billing_price": "prices of the platform's catalogue are public",
    "billing_pricecomponent": "part of a price",
    "inference_model": "the platform's catalogue is public",
    "inference_pool": "engines are the operators', shared by all tenants",
    "inference_deployment": "which pool serves which model",
    "inference_replica": "part of a pool",
}


def tables() -> list[type[models.Model]]:
    """Return the models of our apps, those that Django makes for many-to-many relations included."""
    return [model for app in checkout.APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]


@pytest.mark.parametrize("model", tables(), ids=lambda model: model._meta.db_table)
def test_every_table_has_an_organization_or_a_reason(model: type[models.Model]):
    columns = {field.column for field in model._meta.concrete_fields}
    assert ("organization_id" in columns) is (model._meta.db_table not in WITHOUT_ORGANIZATION)


def test_the_list_of_tables_without_organization_names_only_tables_that_exist():
    assert set(WITHOUT_ORGANIZATION) <= {model._meta.db_table for model in tables()}


@pytest.mark.parametrize("model", tables(), ids=lambda model: model._meta.db_table)
def test_foreign_keys_point_down_also_as_strings(model: type[models.Model]):
    own = model._meta.app_label
    targets = {_app_of(field) for field in model._meta.get_fields() if field.concrete and field.is_relation}
    assert not [app for app in targets & set(checkout.APPS) if not checkout.points_down(own, app)]


def test_migrations_depend_on_apps_below():
    graph = MigrationLoader(None).graph
    up = [
        (migration, parent.key)
        for migration, node in graph.node_map.items()
        for parent in node.parents
        if migration[0] in checkout.APPS and parent.key[0] in checkout.APPS
        if not checkout.points_down(migration[0], parent.key[0])
    ]
    assert not up


def test_no_signal_of_the_orm_carries_the_domain():
    signals = (models.signals.pre_save, models.signals.post_save, models.signals.pre_delete, models.signals.post_delete)
    ours = [name for signal in signals for name in map(_module_of, signal.receivers) if name in checkout.PACKAGES]
    assert not ours


def _app_of(field: Any) -> str:
    return str(field.related_model._meta.app_label)


def _module_of(receiver: tuple[Any, ...]) -> str:
    """Return the package of a signal's receiver; Django keeps most receivers as weak references."""
    function = receiver[1]() if isinstance(receiver[1], weakref.ReferenceType) else receiver[1]
    return str(getattr(function, "__module__", "")).partition(".")[0]
