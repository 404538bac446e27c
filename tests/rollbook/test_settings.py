from __future__ import annotations

from pathlib import Path

import pytest

from rollbook.setting_values import BadSetting, Bind
from rollbook.settings import Settings


def test_without_any_variable_everything_is_on_this_machine() -> None:
    settings = Settings.from_environment({})
    assert settings.home == Path(".rollbook").resolve()
    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.bind == Bind("127.0.0.1", 8000)


def test_an_empty_variable_counts_as_not_set() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "", "ROLLBOOK_BIND": " "})
    assert settings.database_url is None
    assert settings.bind.port == 8000


def test_the_token_key_is_kept_in_the_home_folder() -> None:
    settings = Settings.from_environment({"ROLLBOOK_HOME": "/srv/rollbook"})
    assert settings.token_key == Path("/srv/rollbook/keys/token.pem")


def test_an_ipv6_address_is_written_in_brackets() -> None:
    settings = Settings.from_environment({"ROLLBOOK_BIND": "[::1]:8000"})
    assert settings.bind == Bind("::1", 8000)
    assert str(settings.bind) == "[::1]:8000"


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("ROLLBOOK_BIND", "8000", "must be HOST:PORT"),
        ("ROLLBOOK_BIND", "localhost:0", "port from 1 to 65535"),
        ("ROLLBOOK_BIND", "localhost:70000", "port from 1 to 65535"),
        ("ROLLBOOK_LOG_LEVEL", "loud", "must be one of DEBUG, INFO"),
        ("ROLLBOOK_API_WORKERS", "0", "must be a whole number from 1 to 64"),
        ("ROLLBOOK_API_THREADS", "many", "must be a whole number from 1 to 64"),
        ("ROLLBOOK_CLIENT_SECONDS", "0", "must be a whole number from 1 to 3600"),
        ("ROLLBOOK_POOL_SIZE", "-3", "must be a whole number from 1 to 500"),
        ("DATABASE_URL", "mysql://host/x", "must start with postgresql://"),
        ("REDIS_URL", "http://host", "must start with redis://"),
        ("REDIS_URL", "redis://host:port", "is not a valid URL"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be one of otlp, console, none"),
    ],
)
def test_a_bad_value_is_refused_with_variable_and_rule(
    variable: str, value: str, rule: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({variable: value})
    assert refused.value.variable == variable
    assert rule in str(refused.value)
    assert str(refused.value).startswith(variable)


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({"DATABASE_URL": "mysql://me:hunter2@host/x"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@db:5432/rollbook",
        "postgresql://me:hunt@hunter2@db/rollbook",
        "postgresql://db/rollbook?user=me&password=hunter2",
    ],
)
def test_printing_the_settings_shows_no_password(url: str) -> None:
    settings = Settings.from_environment({"DATABASE_URL": url})
    assert "hunter2" not in f"{settings} {settings!r}"
    assert "db" in str(settings)


def test_a_child_gets_the_same_settings() -> None:
    settings = Settings.from_environment(
        {"ROLLBOOK_HOME": "/srv/rollbook", "DATABASE_URL": "postgresql://db/rollbook"}
    )
    child = Settings.from_environment(settings.handed_down())
    assert (child.home, child.database_url) == (settings.home, settings.database_url)


@pytest.mark.parametrize(
    ("variables", "exporter"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, None),
    ],
)
def test_traces_are_sent_where_somebody_says_where(
    variables: dict[str, str], exporter: str | None
) -> None:
    assert Settings.from_environment(variables).traces == exporter
