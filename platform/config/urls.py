"""Which address goes where, for everything that Django answers."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# One door for everybody: allauth limits how often a password can be tried, the admin's own form does not.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's documented way

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("config.api")),
    path("", include("console.urls")),
]

handler400 = "config.failing.bad_request"
handler500 = "config.failing.server_error"
