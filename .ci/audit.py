"""What is known against the packages that are installed, by pip-audit: exit code 1 if anything is.

It asks PyPI. Where the advisories can't be had that is told and is no failure: a build must pass without them.
"""

from __future__ import annotations

import json
import subprocess
import sys

_COMMAND = ("-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off", "--format", "json")


def verdict(report: str) -> tuple[str, int]:
    """What pip-audit's ``report`` (JSON) comes to, and the exit code."""
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        return "no advisories can be had: nothing was audited", 0
    audited = [each for each in packages if "skip_reason" not in each]
    found = [
        f"{each['name']} {each['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'}"
        for each in audited
        for known in each["vulns"]
    ]
    if found:
        return "\n".join(found), 1
    if not audited:
        return f"no advisories can be had of {len(packages)} packages: nothing was audited", 0
    return f"nothing is known against {len(audited)} of {len(packages)} packages, the others couldn't be looked up", 0


def main() -> int:
    """Audit the environment of this Python."""
    done = subprocess.run([sys.executable, *_COMMAND], capture_output=True, text=True, check=False)
    shown, code = verdict(done.stdout)
    print(shown)
    return code


if __name__ == "__main__":
    sys.exit(main())
