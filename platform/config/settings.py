"""The platform's settings: what differs between installations is read from the environment, once, by name."""

from pathlib import Path
from typing import Any

from django.utils.csp import CSP

from config import admin_site, env

BASE_DIR = Path(__file__).resolve().parents[2]

# --- What kind of installation this is -------------------------------------------------------------------------------
ENVIRONMENT = env.choice("ENVIRONMENT", ("development", "test", "production"), default="development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DEBUG", default=False)

# The defaults exist for a laptop only: config/checks.py refuses them in production.
INSECURE_SECRET = "insecure-development-only-"  # noqa: S105 - the mark of a value that is no secret
SECRET_KEY = env.text("SECRET_KEY", default=INSECURE_SECRET + "secret-key-0123456789abcdefghijklmnopqrstuvwxyz")
KEY_PEPPER = env.text("KEY_PEPPER", default=INSECURE_SECRET + "key-pepper")
METRICS_TOKEN = env.text("METRICS_TOKEN", default="")
# The first seals the engines' credentials, all of them open; the receipts' earlier keys are their public halves.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS", default=(INSECURE_SECRET + "credential-key",))
RECEIPT_SIGNING_KEY = env.text("RECEIPT_SIGNING_KEY", default=INSECURE_SECRET + "receipt-signing-key")
RECEIPT_PUBLIC_KEYS = env.public_keys("RECEIPT_PUBLIC_KEYS")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=() if PRODUCTION else ("localhost", "127.0.0.1", "[::1]", "testserver")
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=())
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOG_STREAM = env.choice("LOG_STREAM", ("stdout", "stderr"), default="stdout")
# config/apps.py sets logging up with foundation.logs: Django would add handlers of its own.
LOGGING_CONFIG = None

# --- Stores ----------------------------------------------------------------------------------------------------------
_LAPTOP_DATABASE = None if PRODUCTION else "postgresql://turnpike_app@127.0.0.1:5432/turnpike"
_LAPTOP_VALKEY = None if PRODUCTION else "redis://127.0.0.1:6379/0"
DATABASE_URL = env.postgres_url("DATABASE_URL", default=_LAPTOP_DATABASE)
REDIS_URL = env.valkey_url("REDIS_URL", default=_LAPTOP_VALKEY)

LOCK_TIMEOUT_SECONDS = env.number("DATABASE_LOCK_TIMEOUT_SECONDS", default=5, at_least=0)
STATEMENT_TIMEOUT_SECONDS = env.number("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=30, at_least=0)
DATABASES = {
    "default": env.django_database(
        "DATABASE_URL",
        DATABASE_URL,
        lock_timeout=f"{LOCK_TIMEOUT_SECONDS}s",
        statement_timeout=f"{STATEMENT_TIMEOUT_SECONDS}s",
        # A transaction that its process forgot must not hold locks on purses for longer than a request may last.
        idle_in_transaction_session_timeout="60s",
    )
}
if _pool_size := env.number("DATABASE_POOL_SIZE", default=0, at_least=0):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": _pool_size, "timeout": 5}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "turnpike:web",
    }
}

# --- Apps and the way of a request through Django --------------------------------------------------------------------
INSTALLED_APPS = [
    # Ahead of the admin: it overrides its templates.
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Arrays; without it their fields refuse to be checked.
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "tenants",
    "keys",
    "billing",
    "inference",
    "console",
    "config",
]
MIDDLEWARE = [
    "config.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFiles",
    "config.middleware.ContentSecurityPolicy",
    # Around the session, so that it is read and written in the request's one transaction.
    "config.middleware.TransactionPerRequest",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.OperatorScope",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- People ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/app/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Whether strangers may make an account, with an organisation of their own and an empty wallet.
SIGNUP_OPEN = env.flag("SIGNUP_OPEN", default=False)
ACCOUNT_ADAPTER = "console.signing_up.Adapter"
ACCOUNT_SIGNUP_FORM_CLASS = "console.signing_up.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MAIL_HOST = env.text("EMAIL_HOST", default="")
# Mails carry links that sign people in: without a mail server they are shown on a laptop, and dropped in production.
_NO_MAIL = "dummy" if PRODUCTION else "console"
MAILERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": f"django.core.mail.backends.{_NO_MAIL}.EmailBackend"}}
if MAIL_HOST:
    _mail_options = {
        "host": MAIL_HOST,
        "port": env.number("EMAIL_PORT", default=587, at_least=1, at_most=65535),
        "username": env.text("EMAIL_USER", default=""),
        "password": env.text("EMAIL_PASSWORD", default=""),
        "use_tls": env.flag("EMAIL_USE_TLS", default=True),
        "timeout": 10,
    }
    MAILERS["default"] = {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": _mail_options}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", default="turnpike@localhost")

# --- The browser's protections ---------------------------------------------------------------------------------------
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
# The operators' theme evaluates expressions and styles elements in place; config/middleware.py keeps this to /admin/.
SECURE_CSP_OPERATORS = SECURE_CSP | {
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", default=31_536_000 if PRODUCTION else 0, at_least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
# Of TRUSTED_PROXIES only: config/forwarding.py takes it away from anybody else's request.
TRUST_FORWARDED_PROTO = env.flag("TRUST_FORWARDED_PROTO", default=False)
if TRUST_FORWARDED_PROTO:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Words, time and files -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "/static/"
# In production `collectstatic` fills this folder; elsewhere files are served from where they lie.
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))) if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
_STATIC_STORAGE = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": _STATIC_STORAGE if PRODUCTION else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- The server and the gateway --------------------------------------------------------------------------------------
HOST = env.text("HOST", default="127.0.0.1")
PORT = env.number("PORT", default=8000, at_least=1, at_most=65535)
WEB_CONCURRENCY = env.number("WEB_CONCURRENCY", default=1, at_least=1)
# A request's head has to come within it, and the next one on a connection that is kept (architecture §4.3).
REQUEST_HEAD_SECONDS = env.number("REQUEST_HEAD_SECONDS", default=10, at_least=1)
MAX_CONNECTIONS = env.number("MAX_CONNECTIONS", default=4096, at_least=1)
# All gateway processes of the installation: without Valkey each enforces its share of a limit.
GATEWAY_PROCESSES = env.number("GATEWAY_PROCESSES", default=WEB_CONCURRENCY, at_least=1)
VALKEY_TIMEOUT_MS = env.number("VALKEY_TIMEOUT_MS", default=50, at_least=5, at_most=5000)
HOLD_LEASE_SECONDS = env.number("HOLD_LEASE_SECONDS", default=20, at_least=5)
# Parts of hot purses in memory, so that not every request asks Postgres for its hold.
HOLD_SLICES = env.flag("HOLD_SLICES", default=False)
CONCURRENCY_LEASE_SECONDS = env.number("CONCURRENCY_LEASE_SECONDS", default=15, at_least=5)
# Whose word on the client is taken (X-Forwarded-*); without any, the client is the peer.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# How long a server that is told to stop still takes new work while /readyz fails already: balancers need to notice.
DRAIN_NOTICE_SECONDS = env.number("DRAIN_NOTICE_SECONDS", default=0, at_least=0)
CLIENT_READ_SECONDS = env.number("CLIENT_READ_SECONDS", default=30, at_least=1)
# Certificate authorities that engines may have beside the system's own.
ENGINE_CA_BUNDLE = env.certificates("ENGINE_CA_BUNDLE")
DRAIN_SECONDS = env.number("DRAIN_SECONDS", default=30, at_least=1)

# --- The operators' theme and the management API ---------------------------------------------------------------------
UNFOLD = admin_site.UNFOLD
REST_FRAMEWORK: dict[str, Any] = {
    # The key first: who sends one means it, signed in or not.
    "DEFAULT_AUTHENTICATION_CLASSES": ["keys.bearer.ByKey", "tenants.rest.principals.BySession"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["foundation.rest.parsing.StrictJson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "foundation.rest.parsing.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "foundation.rest.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "foundation.rest.answers.answer_error",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Turnpike management API",
    "DESCRIPTION": "Organizations, projects, keys, plans, models, usage and money. Ids are opaque. Amounts are whole "
    "nano-dollars, with the same amount as a decimal string in US dollars beside them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    # Enumerations stay where they are used: sharing them would need a made-up name for each.
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
