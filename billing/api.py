"""The management API's wallet, statements and prices."""

from __future__ import annotations

from typing import ClassVar

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import price_list, statements, wallet
from billing.shapes import PriceFacts, StatementFacts, StatementWithUsageFacts, WalletFacts
from foundation.rest import pages
from foundation.rest.bodies import Fields, query
from foundation.rest.pages import PageQuery
from tenants.rest.resources import OrganizationResource, Resource
from tenants.roles import Right


class Wallet(OrganizationResource):
    """The organization's credit."""

    rights: ClassVar = {"GET": Right.BILLING_READ}

    @extend_schema(operation_id="wallet_retrieve", summary="Read the wallet", responses=WalletFacts)
    def get(self, request: Request) -> Response:
        """Takes the right `billing.read`."""
        query(Fields, request)
        return Response(WalletFacts(wallet.balance(self.organization.pk)).data)


class Statements(OrganizationResource):
    """What an organization had, got, used and was left with, month by month."""

    rights: ClassVar = {"GET": Right.BILLING_READ}

    @extend_schema(
        operation_id="statements_list",
        summary="List statements",
        parameters=[PageQuery],
        responses=pages.shape(StatementFacts),
    )
    def get(self, request: Request) -> Response:
        """Takes the right `billing.read`. One for each month, newest first; the first one is still under way."""
        asked = query(PageQuery, request)
        found = statements.of(self.organization)
        page = pages.of_sequence(found, asked, name=lambda statement: statement.name)
        return pages.answer(StatementFacts, page)


class OneStatement(OrganizationResource):
    """One month."""

    rights: ClassVar = {"GET": Right.BILLING_READ}

    @extend_schema(operation_id="statements_retrieve", summary="Read a statement", responses=StatementWithUsageFacts)
    def get(self, request: Request, month: str) -> Response:
        """Takes the right `billing.read`. A month (`2026-11`) of the organization's time zone, with usage by model."""
        query(Fields, request)
        statement = statements.one(self.organization, month)
        lines = statements.usage(self.organization, statement)
        return Response(StatementWithUsageFacts(statement, context={"usage": lines}).data)


class Prices(Resource):
    """What models cost now."""

    @extend_schema(
        operation_id="prices_list", summary="List prices", parameters=[PageQuery], responses=pages.shape(PriceFacts)
    )
    def get(self, request: Request) -> Response:
        """The version in force of each model's price, by model. A model without a price cannot be called."""
        asked = query(PageQuery, request)
        page = pages.by_name(price_list.in_force(), asked, field="model", then=price_list.NEWEST_FIRST)
        return pages.answer(PriceFacts, page)


urlpatterns: list[URLPattern] = [
    path("wallet", Wallet.as_view(), name="wallet"),
    path("statements", Statements.as_view(), name="statements"),
    path("statements/<str:month>", OneStatement.as_view(), name="statement"),
    path("prices", Prices.as_view(), name="prices"),
]
