"""The addresses of the pages."""

from django.urls import path

from console.views import documentation, keys, limits, public, receipts, settings, statements, usage

app_name = "console"

urlpatterns = [
    path("", public.landing, name="landing"),
    path("status", public.status, name="status"),
    path("docs/", documentation.show, name="docs"),
    path("docs/<path:address>/", documentation.show, name="docs_page"),
    path("app/", usage.home, name="home"),
    path("app/<slug:slug>/", usage.overview, name="overview"),
    path("app/<slug:slug>/usage/", usage.usage, name="usage"),
    path("app/<slug:slug>/statements/", statements.index, name="statements"),
    path("app/<slug:slug>/statements/<str:month>/", statements.detail, name="statement"),
    path("app/<slug:slug>/receipts/<str:request_id>/", receipts.receipt, name="receipt"),
    path("app/<slug:slug>/receipts/<str:request_id>/receipt.json", receipts.document, name="receipt_document"),
    path("app/<slug:slug>/limits/", limits.index, name="limits"),
    path("app/<slug:slug>/limits/of/", limits.scope, name="limits_of"),
    path("app/<slug:slug>/settings/", settings.settings, name="settings"),
    path("app/<slug:slug>/keys/", keys.index, name="keys"),
    path("app/<slug:slug>/keys/new/", keys.new, name="key_new"),
    path("app/<slug:slug>/keys/<str:key_id>/", keys.detail, name="key"),
    path("app/<slug:slug>/keys/<str:key_id>/rotate/", keys.rotate, name="key_rotate"),
    path("app/<slug:slug>/keys/<str:key_id>/revoke/", keys.revoke, name="key_revoke"),
]
