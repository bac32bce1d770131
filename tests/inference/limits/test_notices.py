"""One mail for all marks that an organisation has not been told of, to those who own it or pay."""

import pytest
from django.core import mail

from billing.models import BudgetNotice
from inference.limits import notices
from inference.tasks import mail_budget_notices
from keys import limiting
from keys.effective import Limits
from tenants.models import Membership, Role
from tests.inference.limits.cast import rich, spend
from tests.keys import cast as keys
from tests.tenants import cast

DAILY = Limits(budget_nusd=1000, budget_window="day", budget_mode="soft")


@pytest.fixture
def acme(db):
    organization = rich(cast.organization("Acme"))
    for role in (Role.OWNER, Role.BILLING, Role.VIEWER):
        cast.member(organization, role)
    return organization


@pytest.fixture
def spent(acme):
    """Acme's project has spent all of its soft budget at once."""
    row = limiting.set_limits(target=cast.project(acme), limits=DAILY, actor=cast.SYSTEM)
    spend(row, 1000)
    return row


def test_the_owner_and_whoever_pays_get_one_mail_of_the_highest_mark(acme, spent):
    assert notices.mail(acme.pk) == 3
    (sent,) = mail.outbox
    assert sent.subject.startswith("Acme: 100 % of the budget of the project")
    assert len(sent.to) == 2
    assert "$0.000001 of a budget of $0.000001 (100 %). It only notifies" in sent.body


def test_a_mark_is_mailed_once(acme, spent):
    mail_budget_notices.apply(kwargs={"organization_id": str(acme.pk)})
    mail_budget_notices.apply(kwargs={"organization_id": str(acme.pk)})
    assert len(mail.outbox) == 1
    assert not BudgetNotice.objects.filter(mailed_at=None).exists()


def test_a_mail_that_failed_is_sent_by_the_next_run(acme, spent, monkeypatch):
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", _away)
    with pytest.raises(ConnectionError):
        notices.mail(acme.pk)
    monkeypatch.undo()
    assert notices.mail(acme.pk) == 3


def test_everybody_who_was_not_told_is_announced_after_the_commit(acme, spent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as jobs:
        assert notices.announce() == 1
    assert len(jobs) == 1


def test_a_key_a_customer_and_a_member_are_called_by_their_names(acme):
    ada = Membership.objects.filter(organization=acme).earliest("pk").user
    targets: list[limiting.Target] = [keys.inference_key(acme, name="Web").key]
    targets += [limiting.subject(acme, scope, None) for scope in ("customer", "member")]
    texts = ["", "alice", ada.public_id]
    for target, text in zip(targets, texts, strict=True):
        spend(limiting.set_limits(target=target, limits=DAILY, actor=cast.SYSTEM), 500, text)
    told = notices.name_all(acme, BudgetNotice.objects.select_related("purse").order_by("pk"))
    assert [one.whose for one in told] == ["the key “Web”", "the customer “alice”", f"the member “{ada.email}”"]


def _away(*_: object) -> int:
    raise ConnectionError
