"""What the operators' start page says needs somebody."""

from tests.admin.cast import text


def test_a_valkey_that_does_not_answer_is_said_to_degrade_limits(olu, furnished, settings):
    page = text(olu.get("/admin/"))
    assert "limits are degraded" not in page
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    page = olu.get("/admin/")
    assert "Valkey does not answer: limits are degraded" in text(page)
    assert 'href="/docs/limits/#without-valkey"' in page.content.decode()
