"""Only the tested pair of libraries is worked with."""

from __future__ import annotations

from importlib import metadata

import pytest

import deltasql
from deltasql import versions


def _install(monkeypatch: pytest.MonkeyPatch, **installed: str) -> None:
    found = {"datafusion": "55.0.0", "deltalake": "1.6.6", **installed}
    monkeypatch.setattr(metadata, "version", found.__getitem__)
    monkeypatch.setattr(versions, "version", found.__getitem__)


def test_the_installed_pair_is_tested() -> None:
    versions.require_tested()


@pytest.mark.parametrize(
    "installed",
    [
        {},
        {"datafusion": "55.3.1"},
        {"deltalake": "1.6.0"},
        {"deltalake": "1.6.12"},
        {"datafusion": "55.0.0.dev1"},
    ],
)
def test_later_fixes_are_fine(monkeypatch: pytest.MonkeyPatch, installed: dict[str, str]) -> None:
    _install(monkeypatch, **installed)
    versions.require_tested()


@pytest.mark.parametrize(
    ("package", "version", "tested"),
    [
        ("datafusion", "54.0.0", "55"),
        ("datafusion", "56.0.0", "55"),
        ("datafusion", "5.5.0", "55"),
        ("deltalake", "1.5.9", "1.6"),
        ("deltalake", "1.7.0", "1.6"),
        ("deltalake", "2.6.0", "1.6"),
        ("deltalake", "1", "1.6"),
    ],
)
def test_others_are_refused(monkeypatch: pytest.MonkeyPatch, package: str, version: str, tested: str) -> None:
    _install(monkeypatch, **{package: version})
    with pytest.raises(deltasql.InterfaceError) as caught:
        versions.require_tested()
    assert caught.value.message == f"deltasql was tested with {package} {tested}, {version} is installed"
    assert caught.value.hint == f"pip install '{package}=={tested}.*'"


def test_connect_refuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, deltalake="2.0.0")
    with pytest.raises(deltasql.InterfaceError, match="deltalake"):
        deltasql.connect()
