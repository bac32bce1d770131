"""The pages of limits: what applies, who may change it, and what it would have refused."""

from datetime import timedelta

import pytest

from keys import limiting, planning
from keys.effective import Limits
from keys.models import ScopeLimits
from tenants.models import AuditEvent, Role
from tests.console.cast import bill, credit, offer, settle, visitor
from tests.console.views.test_keys import text
from tests.inference.limits.cast import rich, spend
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast

ALL = "/app/acme/limits/"
OF = "/app/acme/limits/of/"
EACH_CUSTOMER = f"{OF}?scope=customer"
DAILY = Limits(budget_nusd=10**9, budget_window="day")


def of(key) -> str:
    return f"{OF}?scope=key&subject={key.public_id}"


def of_project(acme) -> str:
    return f"{OF}?scope=project&subject={cast.project(acme).public_id}"


def wish(**fields) -> dict:
    """Return the form as a browser sends it."""
    return {"do": "save", "budget_window": "month", "budget_mode": "hard", "period": "7d", **fields}


def test_the_list_says_what_applies_and_which_parent_clips_it(acme, ada, key):
    limiting.set_limits(target=key, limits=Limits(rpm=900, tpm=5000), actor=cast.SYSTEM)
    limiting.set_limits(target=cast.project(acme), limits=Limits(concurrency=7), actor=cast.SYSTEM)
    limiting.set_limits(target=acme, limits=Limits(rpm=600, tpm=9000), actor=cast.SYSTEM)
    page = text(ada.get(ALL))
    line = page[page.index("Search Key") :]
    assert line.startswith("Search Key 600 900 by organization 5,000 7 by project Every model")


def test_limits_of_a_plan_and_of_those_beside_the_keys_are_listed(acme, ada):
    plan = planning.create(name="Pro", slug="pro", limits=Limits(rpm=60), actor=cast.SYSTEM)
    limiting.set_limits(target=cast.project(acme), limits=Limits(), plan=plan, actor=cast.SYSTEM)
    each = limiting.subject(acme, "customer", None)
    limiting.set_limits(target=each, limits=Limits(rpm=5, allowed_models=frozenset()), actor=cast.SYSTEM)
    member = limiting.subject(acme, "member", cast.member(acme, Role.DEVELOPER, "Dee").public_id)
    limiting.set_limits(target=member, limits=Limits(tpm=0), actor=cast.SYSTEM)
    page = text(ada.get(ALL))
    assert "Project, plan “Pro” 60" in page
    assert "Each End customer 5 – None" in page
    assert "Dee Member – 0 Every model" in page


def test_budgets_and_the_marks_they_passed_are_shown_with_the_end_of_their_window(acme, ada):
    acme.time_zone = "Asia/Tokyo"
    acme.save()
    rich(acme)
    spend(limiting.set_limits(target=cast.project(acme), limits=DAILY, actor=cast.SYSTEM), 8 * 10**8)
    page = text(ada.get(ALL))
    assert "$0.80 of $1.00 per day 80 %" in page
    assert "Times in Asia/Tokyo" in page
    assert ", 00:00." in page[page.index("Full again") :][:40]
    assert "80 % of the budget of the project “Default” per day: $0.80 of $1.00" in page


def test_no_limit_of_somebody_else_is_shown(ada, globex):
    limiting.set_limits(target=inference_key(globex, name="Theirs").key, limits=Limits(rpm=77), actor=cast.SYSTEM)
    limiting.set_limits(target=limiting.subject(globex, "customer", "umbrella"), limits=DAILY, actor=cast.SYSTEM)
    page = text(ada.get(ALL))
    assert "Theirs" not in page
    assert "umbrella" not in page


@pytest.mark.parametrize("scope", ["project", "key"])
def test_limits_of_somebody_else_look_like_those_of_nobody(ada, globex, scope):
    theirs = cast.project(globex) if scope == "project" else inference_key(globex).key
    prefix = theirs.public_id.partition("_")[0]
    addresses = [
        f"{OF}?scope={scope}&subject={name}" for name in (theirs.public_id, f"{prefix}_{'0' * 26}", "nonsense")
    ]
    answers = [ada.get(address) for address in addresses] + [ada.post(address, wish(rpm="1")) for address in addresses]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not ScopeLimits.objects.exists()


@pytest.mark.parametrize("query", ["", "scope=galaxy", "scope=member&subject=user_00000000000000000000000000"])
def test_limits_of_what_there_is_not_are_not_found(ada, query):
    assert ada.get(f"{OF}?{query}").status_code == 404


@pytest.mark.parametrize(
    ("query", "problem"), [("scope=address&subject=here", "no IP address"), ("scope=key&subject={}", "has no limits")]
)
def test_what_cannot_have_limits_is_said_on_the_list(acme, ada, query, problem):
    key = management_key(acme, "usage.read").key
    assert problem in text(ada.get(f"{OF}?{query.format(key.public_id)}", follow=True))


def test_the_page_of_a_scope_shows_its_own_limits_in_the_form_and_what_is_above(acme, ada, key):
    mine = Limits(rpm=900, budget_nusd=12_500_000_000, budget_window="week", allowed_models=frozenset({"gone"}))
    limiting.set_limits(target=key, limits=mine, actor=cast.SYSTEM)
    limiting.set_limits(target=acme, limits=Limits(rpm=600), actor=cast.SYSTEM)
    answer = ada.get(of(key))
    assert "Requests per minute 600 , by organization 900" in text(answer)
    page = answer.content.decode()
    assert 'name="budget" value="12.5"' in page
    assert 'value="gone" checked' in page
    assert "Save limits" in page


def test_limits_are_set_as_a_whole_and_the_plan_stays(acme, owner, ada):
    offer("tiny")
    plan = planning.create(name="Pro", slug="pro", limits=Limits(rpm=60), actor=cast.SYSTEM)
    limiting.set_limits(target=cast.project(acme), limits=Limits(rpm=5, tpm=5), plan=plan, actor=cast.SYSTEM)
    fields = wish(input_tpm="9", budget="0.000000001", budget_mode="soft", allowed_models=["tiny"])
    answer = ada.post(of_project(acme), fields, follow=True)
    assert "The limits of “Default” are changed." in text(answer)
    row = ScopeLimits.objects.get()
    assert limiting.of(row) == Limits(
        input_tpm=9,
        budget_nusd=1,
        budget_window="month",
        budget_mode="soft",
        allowed_models=frozenset({"tiny"}),
    )
    assert row.plan == plan
    assert AuditEvent.objects.filter(action="limits.set", actor_label=owner.email).exists()


def test_what_is_saved_again_without_a_change_is_the_same(acme, ada, key):
    offer("tiny")
    mine = Limits(rpm=0, budget_nusd=100 * 10**9, budget_window="day", budget_carries_over=True)
    for limits in (mine, Limits(allowed_models=frozenset()), Limits(allowed_models=frozenset({"tiny", "gone"}))):
        limiting.set_limits(target=key, limits=limits, actor=cast.SYSTEM)
        form = ada.get(of(key)).context["form"]
        sent = {field.name: field.value() for field in form if field.value() is not None and field.value() is not False}
        assert ada.post(of(key), {"do": "save", **sent}).status_code == 302
        assert limiting.of(ScopeLimits.objects.get()) == limits


def test_nothing_wider_than_above_is_saved_and_the_field_says_so(acme, ada, key):
    limiting.set_limits(target=acme, limits=Limits(rpm=10), actor=cast.SYSTEM)
    answer = ada.post(of(key), wish(rpm="11"))
    assert answer.status_code == 422
    assert "wider than the one above it" in text(answer)
    assert ScopeLimits.objects.count() == 1


def test_each_end_customer_can_be_limited_and_one_of_them_otherwise(acme, ada):
    ada.post(EACH_CUSTOMER, wish(rpm="60"))
    assert "has none of its own, so those for each apply" in text(ada.get(f"{EACH_CUSTOMER}&subject=umbrella"))
    ada.post(f"{EACH_CUSTOMER}&subject=umbrella", wish(rpm="6"))
    assert dict(ScopeLimits.objects.values_list("label", "rpm")) == {"each": 60, "umbrella": 6}
    page = text(ada.post(f"{EACH_CUSTOMER}&subject=umbrella", {"do": "remove"}, follow=True))
    assert "The end customer “umbrella” has no limits of its own any more." in page
    assert ScopeLimits.objects.get().label == "each"


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        (Role.OWNER, "project", 302),
        (Role.DEVELOPER, "key", 302),
        (Role.DEVELOPER, "project", 403),
        (Role.DEVELOPER, "customer", 403),
        (Role.ADMIN, "customer", 302),
        (Role.VIEWER, "key", 403),
        (Role.BILLING, "key", 403),
        (Role.OWNER, "organization", 403),
    ],
)
def test_who_may_change_which_limits(acme, key, role, scope, status):
    someone = visitor(cast.member(acme, role))
    addresses = {
        "key": of(key),
        "project": of_project(acme),
        "customer": EACH_CUSTOMER,
        "organization": f"{OF}?scope=organization",
    }
    page = someone.get(addresses[scope])
    assert ("Save limits" in text(page)) is (status == 302)
    assert someone.post(addresses[scope], wish(rpm="5")).status_code == status
    assert ScopeLimits.objects.exists() is (status == 302)


def test_a_trial_counts_and_draws_what_would_have_been_refused_and_changes_nothing(acme, viewer, key):
    credit(acme, "10")
    settle(*(bill(key, cost="0.25", ago=timedelta(days=1, seconds=second)) for second in range(4)))
    answer = viewer.post(of(key), wish(do="try", rpm="3"))
    page = text(answer)
    assert "1 of 4 requests would have been refused (25 %), which cost $0.25 of $1.00." in page
    assert "By limit Requests per minute 1" in page
    assert "By key Search 1" in page
    assert [text for _, name, text in answer.context["trial"].chart.series] == ["3", "1"]
    assert "Let through" in page
    assert not ScopeLimits.objects.exists()


def test_a_trial_of_what_refuses_nothing_and_of_nothing(acme, ada, key):
    assert "There were no requests to try them on." in text(ada.post(of(key), wish(do="try", rpm="3")))
    settle(bill(key))
    assert "None of 1 request would have been refused." in text(ada.post(of(key), wish(do="try", rpm="3")))


def test_a_trial_of_nonsense_says_what_is_wrong(ada, key):
    answer = ada.post(of(key), wish(do="try", budget="1", budget_window="lifetime", budget_carries_over="on"))
    assert answer.status_code == 422
    assert "carries over" in text(answer)


def test_addresses_cannot_be_tried(ada):
    page = text(ada.get(f"{OF}?scope=address&subject=192.0.2.1"))
    assert "Save limits" in page
    assert "Try on the" not in page


def test_the_page_of_a_key_leads_to_its_limits(ada, key):
    page = ada.get(f"/app/acme/keys/{key.public_id}/").content.decode()
    assert f'href="{OF}?scope=key&amp;subject={key.public_id}"' in page
