"""The operators' pages about money: all to look at. It moves by the action on an organisation (config/admin.py)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest

from billing import units
from billing.models import BudgetNotice, Hold, LedgerEntry, LedgerTransaction, Purse, UsageRecord
from foundation import ids, money
from tenants.operating import EndlessAdmin, ReadOnlyAdmin, ReadOnlyInline, amount, labelled, public

OUTCOME_TONES = {
    "complete": "success",
    "no output": "warning",
    "drained": "warning",
    "out of credit": "warning",
    "upstream error": "danger",
    "timeout": "danger",
    "expired": "danger",
}


@admin.register(Purse)
class PurseAdmin(ReadOnlyAdmin):
    """What may still be spent: wallets, and the windows of budgets."""

    list_display = ("organization", "kind", "scope", "window", "posted", "held", "limit", "starts_at", "ends_at")
    list_filter = ("kind", "window")
    list_select_related = ("organization",)
    search_fields = ("organization__name", "organization__slug")
    # Wallets before budgets.
    ordering = ("-kind", "organization__name", "-starts_at")
    fields = (
        "id",
        "organization",
        "kind",
        "posted",
        "held",
        "credit_line",
        "budget_id",
        "scope",
        "label",
        "window",
        "starts_at",
        "ends_at",
        "limit",
        "soft",
        "shadow",
        "carried",
        "shadow_refused",
        "shadow_refused_amount",
    )
    public_id_field = "organization_id"

    posted = amount("posted_nusd", "Posted")
    held = amount("held_nusd", "In flight")
    credit_line = amount("credit_line_nusd", "Credit line")
    limit = amount("limit_nusd", "Limit")
    soft = amount("soft_nusd", "Soft limit")
    shadow = amount("shadow_nusd", "Shadow limit")
    carried = amount("carried_nusd", "Carried over")
    shadow_refused_amount = amount("shadow_refused_nusd", "Worst cases of those")


@admin.register(BudgetNotice)
class BudgetNoticeAdmin(ReadOnlyAdmin):
    """Marks that budgets have passed, and when people were told."""

    list_display = ("at", "organization", "scope", "label", "mode", "percent", "spent", "limit", "mailed_at")
    list_filter = ("mode", "percent", ("mailed_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "purse")
    search_fields = ("organization__name", "organization__slug")
    ordering = ("-id",)
    fields = ("public_id", "organization", "scope", "label", "mode", "percent", "spent", "limit", "at", "mailed_at")

    spent = amount("spent_nusd", "Spent")
    limit = amount("limit_nusd", "Limit")

    @admin.display(description="Scope")
    def scope(self, notice: BudgetNotice) -> str:
        """Show what the budget is of."""
        return notice.purse.scope

    @admin.display(description="Whose")
    def label(self, notice: BudgetNotice) -> str:
        """Show which customer, model, address or member it is of."""
        return notice.purse.label


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Requests in flight, with the worst case that is set aside for each."""

    list_display = (
        "request_public_id",
        "organization",
        "key_public_id",
        "model",
        "set_aside",
        "created_at",
        "expires_at",
    )
    list_select_related = ("organization",)
    search_fields = ("model", "organization__name", "organization__slug")
    ordering = ("-request_id",)
    fields = (
        "request_public_id",
        "organization",
        "project_public_id",
        "key_public_id",
        "model",
        "customer",
        "set_aside",
        "purses",
        "created_at",
        "expires_at",
    )

    request_public_id = public("req", "request_id", "Request")
    key_public_id = public("key", "key_id", "Key")
    project_public_id = public("proj", "project_id", "Project")
    set_aside = amount("amount_nusd", "Set aside")


@admin.register(UsageRecord)
class UsageRecordAdmin(EndlessAdmin):
    """What each request used, how it ended, and what it cost."""

    list_display = (
        "started_at",
        "request_public_id",
        "organization",
        "model",
        "outcome_label",
        "tokens",
        "cost",
        "ttft",
        "latency",
    )
    list_filter = ("outcome", "usage_source", "streamed", "late")
    list_select_related = ("organization",)
    search_fields = ("model",)
    search_help_text = "Model, or the public id of a request"
    ordering = ("-request_id",)
    readonly_fields = (
        "request_public_id",
        "key_public_id",
        "project_public_id",
        "outcome_label",
        "hold",
        "cost",
        "transaction_public_id",
    )
    fields = (
        ("request_public_id", "endpoint"),
        ("organization", "project_public_id", "key_public_id", "customer"),
        ("model", "pool", "replica"),
        ("outcome_label", "status", "streamed", "late"),
        ("prompt_tokens", "cached_tokens", "completion_tokens", "usage_source"),
        ("unit", "quantity"),
        ("cost", "hold", "price_version", "transaction_public_id"),
        "purses",
        ("started_at", "at", "ttft_ms", "latency_ms"),
    )

    request_public_id = public("req", "request_id", "Request")
    key_public_id = public("key", "key_id", "Key")
    project_public_id = public("proj", "project_id", "Project")
    transaction_public_id = public("txn", "transaction_id", "Transaction")
    cost = amount("cost_nusd", "Cost")
    hold = amount("hold_nusd", "Was held")

    @labelled("Outcome", OUTCOME_TONES, order="outcome")
    def outcome_label(self, record: UsageRecord) -> str:
        """Show how it ended."""
        return record.outcome.replace("_", " ")

    @admin.display(description="Used")
    def tokens(self, record: UsageRecord) -> str:
        """Show input and output in tokens, or what else was charged."""
        if record.unit:
            return units.counted(record.unit, record.quantity)
        return f"{record.prompt_tokens:,} + {record.completion_tokens:,}"

    @admin.display(description="First token", ordering="ttft_ms")
    def ttft(self, record: UsageRecord) -> str:
        """Show the time to the first token."""
        return "–" if record.ttft_ms is None else f"{record.ttft_ms:,} ms"

    @admin.display(description="Total", ordering="latency_ms")
    def latency(self, record: UsageRecord) -> str:
        """Show how long it took."""
        return "–" if record.latency_ms is None else f"{record.latency_ms:,} ms"


class EntryInline(ReadOnlyInline):
    """The lines of a transaction."""

    model = LedgerEntry
    fields = ("account", "kind", "signed_amount")
    readonly_fields = ("signed_amount",)
    verbose_name_plural = "Entries"
    show_title = False
    ordering = ("id",)

    signed_amount = amount("amount_nusd", "Amount")


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(EndlessAdmin):
    """Movements of money, each of which sums to zero."""

    list_display = ("at", "transaction_public_id", "organization", "kind_label", "wallet", "memo", "actor")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    search_fields = ("memo", "reference", "organization__name", "organization__slug")
    search_help_text = "Memo, reference, organization, or the public id of a transaction"
    ordering = ("-id",)
    fields = ("transaction_public_id", "organization", "kind", "reference", "memo", "actor", "at")
    inlines = (EntryInline,)

    transaction_public_id = public("txn", "id", "Transaction")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerTransaction]:
        """Add what each did to the wallet."""
        wallet = Sum("entries__amount_nusd", filter=Q(entries__account=LedgerEntry.Account.WALLET))
        rows: QuerySet[LedgerTransaction] = super().get_queryset(request).annotate(wallet_nusd=wallet)
        return rows

    @labelled("Kind", {"Credit": "success", "Adjustment": "warning", "Stripe": "success"}, order="kind")
    def kind_label(self, row: LedgerTransaction) -> str:
        """Show what moved the money."""
        return row.get_kind_display()

    @admin.display(description="Wallet")
    def wallet(self, row: Any) -> str:
        """Show what the wallet got, or lost."""
        return money.display(int(row.wallet_nusd or 0))


@admin.register(LedgerEntry)
class LedgerEntryAdmin(EndlessAdmin):
    """The lines of all transactions."""

    list_display = ("id", "at", "transaction_public_id", "organization", "account", "kind", "signed_amount")
    list_filter = ("account", "kind")
    list_select_related = ("organization", "transaction")
    search_fields = ("organization__name", "organization__slug")
    search_help_text = "Organization, or the public id of a transaction"
    ordering = ("-id",)
    fields = ("id", "at", "transaction", "organization", "account", "kind", "signed_amount")
    public_id_field = "transaction_id"

    signed_amount = amount("amount_nusd", "Amount")

    @admin.display(description="At")
    def at(self, entry: LedgerEntry) -> Any:
        """Show when its transaction was."""
        return entry.transaction.at

    @admin.display(description="Transaction")
    def transaction_public_id(self, entry: LedgerEntry) -> str:
        """Show the transaction's id as the outside world sees it."""
        return ids.public("txn", entry.transaction_id)
