"""How the operators' admin looks and how one gets around in it: settings of its theme, and nothing that runs."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import lazy

_static = lazy(static, str)


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Turnpike",
    "SITE_HEADER": "Turnpike",
    "SITE_SUBHEADER": "Operators’ admin",
    "SITE_URL": "/",
    "SITE_ICON": _static("console/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("console/mark.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [_static("console/admin.css")],
    "DASHBOARD_CALLBACK": "config.dashboard.show",
    "COLORS": {
        "primary": {
            "50": "oklch(97.6% .018 160)",
            "100": "oklch(94.5% .04 160)",
            "200": "oklch(89.5% .075 160)",
            "300": "oklch(82.5% .115 160)",
            "400": "oklch(73.5% .135 160)",
            "500": "oklch(59% .125 160)",
            "600": "oklch(46% .1 160)",
            "700": "oklch(41% .088 160)",
            "800": "oklch(35.5% .072 160)",
            "900": "oklch(31% .06 160)",
            "950": "oklch(21.5% .042 160)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                ],
            },
            {
                "title": "Tenants",
                "separator": True,
                "items": [
                    _page("Organizations", "apartment", "tenants_organization"),
                    _page("Projects", "folder", "tenants_project"),
                    _page("Members", "group", "tenants_membership"),
                    _page("Users", "person", "tenants_user"),
                    _page("Staff groups", "shield_person", "auth_group"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _page("API keys", "key", "keys_apikey"),
                    _page("Plans", "layers", "keys_plan"),
                    _page("Limits", "speed", "keys_scopelimits"),
                ],
            },
            {
                "title": "Models",
                "separator": True,
                "items": [
                    _page("Catalogue", "deployed_code", "inference_model"),
                    _page("Prices", "sell", "billing_price"),
                    _page("Pools", "dns", "inference_pool"),
                    _page("Deployments", "account_tree", "inference_deployment"),
                    _page("Replicas", "memory", "inference_replica"),
                ],
            },
            {
                "title": "Money",
                "separator": True,
                "items": [
                    _page("Usage", "receipt_long", "billing_usagerecord"),
                    _page("Ledger", "account_balance", "billing_ledgertransaction"),
                    _page("Ledger entries", "list_alt", "billing_ledgerentry"),
                    _page("Purses", "account_balance_wallet", "billing_purse"),
                    _page("Budget notices", "notifications", "billing_budgetnotice"),
                    _page("Holds", "hourglass_top", "billing_hold"),
                ],
            },
            {
                "title": "Trail",
                "separator": True,
                "items": [_page("Audit trail", "history", "tenants_auditevent")],
            },
        ],
    },
}
