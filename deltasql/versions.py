"""The pair of libraries that deltasql was tested with. Others are refused before they can misread a table."""

from __future__ import annotations

from importlib.metadata import version

from deltasql.errors import InterfaceError

TESTED = {"datafusion": (55,), "deltalake": (1, 6)}


def require_tested() -> None:
    """Raise `InterfaceError` unless the installed majors (deltalake: and minor) are the tested ones."""
    for package, wanted in TESTED.items():
        installed = version(package)
        found = tuple(int(part) for part in installed.split(".")[: len(wanted)] if part.isdigit())
        if found != wanted:
            tested = ".".join(map(str, wanted))
            message = f"deltasql was tested with {package} {tested}, {installed} is installed"
            raise InterfaceError(message, hint=f"pip install '{package}=={tested}.*'")
