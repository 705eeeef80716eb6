# SPDX-License-Identifier: Apache-2.0
"""A test in a namespace of its own: what it does to network or mounts ends with it and touches nobody."""

import os
import subprocess
import sys

INSIDE = "IV_TEST_NAMESPACE"
SKIPPED = 77


def enter(kind, probe):
    """Starts this program again within; kind: "--net", "--mount"; probe: a shell command that must work there. False where
    that is not possible (no root, no namespaces, something is not installed)."""
    if os.environ.get(INSIDE) == kind:
        return True
    try:
        possible = subprocess.run(["unshare", kind, "sh", "-c", probe], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if possible:
        os.execvpe("unshare", ["unshare", kind, sys.executable, *sys.argv], {**os.environ, INSIDE: kind})
    return False
