from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollbook.cli import main
from rollbook.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "projector", "past-projector", "publisher", "snapshotter", "notary")


def dockerfile(instruction: str) -> list[str]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{instruction} ")]


def test_compose_runs_both_servers_and_every_process() -> None:
    assert set(SERVICES) == {"postgres", "redis", *OURS}


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_the_command_of_its_name(name: str) -> None:
    command = SERVICES[name]["command"][0]
    assert name.endswith(command)
    assert command in main.commands


def test_the_projectors_share_out_all_tables() -> None:
    assert SERVICES["projector"]["command"][1:] == ["present"]
    assert SERVICES["past-projector"]["command"][1:] == ["past"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_each_long_running_service_has_a_health_check_and_restarts(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_only_for_what_there_is(name: str) -> None:
    for other, rule in SERVICES[name].get("depends_on", {}).items():
        checked = "healthcheck" in SERVICES[other]
        assert rule["condition"] == (
            "service_healthy" if checked else "service_completed_successfully"
        )


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_named_volume_is_declared(name: str) -> None:
    used = {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]}
    assert used <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_service_are_ones_that_rollbook_takes(name: str) -> None:
    given = {
        variable: re.sub(r"\$\{[^}]*\}", "secret", value)
        for variable, value in SERVICES[name]["environment"].items()
    }
    settings = Settings.from_environment(given)
    assert settings.database_url is not None
    assert settings.redis_url is not None


def test_the_image_does_not_run_as_root_and_holds_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert dockerfile("USER") == ["rollbook"]
    copied = {line.split()[0] for line in dockerfile("COPY")}
    assert {
        package.partition(".")[0] for package in project["tool"]["setuptools"]["packages"]
    } <= copied


def test_every_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["tool"]["setuptools"]["packages"]
    top = {name.partition(".")[0] for name in declared}
    found = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for package in top
        for file in (ROOT / package).rglob("__init__.py")
    }
    assert found == set(declared)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_requirement_has_hashes_and_names_no_place(file: str) -> None:
    text = (ROOT / file).read_text()
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert all("==" in one and "--hash=sha256:" in one for one in requirements)
    assert not re.search(r"://|^-", text, re.MULTILINE)
