"""The addresses of the web pages."""

from django.urls import path

from console.views import landing

urlpatterns = [
    path("", landing.landing, name="landing"),
]
