import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import env
from tests.inference.gateway.authority import authority

NAME = "TURNPIKE_TEST_SETTING"
# The example of RFC 8037, A.2.
PUBLIC_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
SCHEMES = ("http", "https")


@pytest.fixture
def setting(monkeypatch):
    return lambda value: monkeypatch.setenv(NAME, value)


def test_a_text_is_taken_without_the_blanks_around_it(setting):
    setting("  some words ")
    assert env.text(NAME) == "some words"


def test_a_text_too_short_is_refused(setting):
    setting("short")
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} needs at least 6 characters"):
        env.text(NAME, at_least=6)


@pytest.mark.parametrize("value", ["", "   "])
def test_an_empty_variable_counts_as_absent(setting, value):
    setting(value)
    assert env.number(NAME, default=7) == 7


@pytest.mark.parametrize("read", [env.text, env.flag, env.number, env.list, lambda name: env.choice(name, ["a"])])
def test_a_missing_setting_without_a_default_is_named(read):
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not set"):
        read(NAME)


@pytest.mark.parametrize(
    ("value", "meaning"), [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("Off", False)]
)
def test_a_flag_has_four_spellings_of_each_kind(setting, value, meaning):
    setting(value)
    assert env.flag(NAME) is meaning


@pytest.mark.parametrize("value", ["2", "ja", "enabled", "truee"])
def test_a_flag_that_is_no_flag_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be one of"):
        env.flag(NAME, default=False)


def test_a_default_of_false_or_zero_is_a_default():
    assert env.flag(NAME, default=False) is False
    assert env.number(NAME, default=0) == 0
    assert env.text(NAME, default="") == ""
    assert env.list(NAME, default=()) == ()


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_every_whole_number_is_read_back(number):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(NAME, str(number))
        assert env.number(NAME) == number


@pytest.mark.parametrize("value", ["1.5", "1_000", "+5", "٣", "1e3", "0x10", "-", "--1", "five"])
def test_a_number_that_is_no_number_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a whole number"):
        env.number(NAME)


@pytest.mark.parametrize(("value", "bound"), [("0", "at least 1"), ("11", "at most 10")])
def test_a_number_out_of_bounds_is_refused(setting, value, bound):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be {bound}"):
        env.number(NAME, at_least=1, at_most=10)


@pytest.mark.parametrize("value", ["1", "10"])
def test_bounds_are_allowed_themselves(setting, value):
    setting(value)
    assert env.number(NAME, at_least=1, at_most=10) == int(value)


def test_a_choice_is_one_of_its_options_spelled_exactly(setting):
    setting("Production")
    with pytest.raises(ImproperlyConfigured, match="one of development, production"):
        env.choice(NAME, ["development", "production"])


def test_a_list_has_its_parts_without_blanks_and_empty_ones(setting):
    setting(" a.example , ,b.example,")
    assert env.list(NAME) == ["a.example", "b.example"]


@pytest.mark.parametrize("value", ["https://example.com/x", "http://127.0.0.1:9000"])
def test_an_address_is_taken_as_it_stands(setting, value):
    setting(value)
    assert env.url(NAME, schemes=SCHEMES) == value


@pytest.mark.parametrize(
    "value", ["example.com", "ftp://example.com", "https://", "http://host:port", "http://host:99999", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.url(NAME, schemes=SCHEMES)


def test_a_refused_address_keeps_its_password_to_itself(setting):
    setting("mysql://app:hunter2@db/turnpike")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.postgres_url(NAME)
    assert "hunter2" not in str(caught.value)


def test_a_database_on_a_host_becomes_an_entry_of_django():
    entry = env.django_database(NAME, "postgresql://ap%40p:p%2Fw@db.example:6432/turn%20pike?sslmode=verify-full")
    assert entry == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "turn pike",
        "USER": "ap@p",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "verify-full"},
    }


def test_a_database_on_a_socket_becomes_an_entry_of_django():
    entry = env.django_database(NAME, "postgresql:///turnpike?host=/run/pg&user=app&port=5433")
    assert (entry["HOST"], entry["PORT"], entry["USER"], entry["NAME"]) == ("/run/pg", "5433", "app", "turnpike")
    assert entry["OPTIONS"] == {}


def test_session_settings_are_added_to_those_of_the_address():
    address = "postgresql://db/turnpike?options=-c%20jit%3Doff"
    entry = env.django_database(NAME, address, lock_timeout="5s", statement_timeout="30s")
    assert entry["OPTIONS"]["options"] == "-c lock_timeout=5s -c statement_timeout=30s -c jit=off"


@pytest.mark.parametrize(
    "value", ["postgresql://db.example", "postgresql://db.example/", "postgresql:///?host=/run/pg"]
)
def test_an_address_without_a_database_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.postgres_url(NAME)


@pytest.mark.parametrize("value", ["postgresql://db/turnpike", "postgresql:///turnpike?host=/run/pg"])
def test_a_postgres_address_stays_as_libpq_reads_it(setting, value):
    setting(value)
    assert env.postgres_url(NAME) == value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("redis://:pw@cache:6379/1", "redis://:pw@cache:6379/1"),
        ("rediss://cache:6379/0", "rediss://cache:6379/0"),
        ("unix:///run/valkey.sock?db=2", "unix:///run/valkey.sock?db=2"),
        ("valkey://cache:6379/0", "redis://cache:6379/0"),
        ("valkeys://cache:6379/0", "rediss://cache:6379/0"),
    ],
)
def test_a_valkey_address_is_spelled_as_its_client_reads_it(setting, value, read):
    setting(value)
    assert env.valkey_url(NAME) == read


@pytest.mark.parametrize("value", ["http://cache", "unix://", "redis://", "cache:6379"])
def test_a_valkey_address_that_is_none_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.valkey_url(NAME)


def test_networks_are_read_as_a_list(setting):
    setting("10.0.0.0/8, 2001:db8::/32,192.0.2.1")
    assert [str(network) for network in env.networks(NAME)] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]


def test_no_networks_are_none(setting):
    assert env.networks(NAME) == ()


@pytest.mark.parametrize("value", ["proxy", "10.0.0.1/8", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be networks"):
        env.networks(NAME)


def test_public_keys_are_read_as_a_list(setting):
    setting(f"{PUBLIC_KEY}, {PUBLIC_KEY}")
    assert env.public_keys(NAME) == [PUBLIC_KEY, PUBLIC_KEY]


@pytest.mark.parametrize("value", ["nonsense", PUBLIC_KEY + "=", PUBLIC_KEY[:-4], f"{PUBLIC_KEY},x", "é" * 43])
def test_what_is_no_public_key_is_refused(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be public keys"):
        env.public_keys(NAME)


def test_a_bundle_of_certificates_is_named_by_its_path(setting, tmp_path):
    bundle = authority(tmp_path).bundle
    setting(bundle)
    assert env.certificates(NAME) == bundle


@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_a_bundle_that_holds_no_certificate_is_refused(setting, tmp_path, text):
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    setting(str(tmp_path / "ca.pem"))
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a file of certificates"):
        env.certificates(NAME)


def test_without_a_bundle_there_is_none(setting):
    assert env.certificates(NAME) == ""
