# SPDX-License-Identifier: Apache-2.0
"""What judges our files and is no package that one installs: fetched once into the build's folder."""

import os
import subprocess
import sys
import venv

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def holds(path, text):
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return file.read() == text


def python_packages(folder, list_of="tests/deploy/published.txt"):
    """The packages of the list, unpacked: answers where."""
    home = os.path.join(folder, "python")
    done = os.path.join(home, "done")
    with open(os.path.join(TOP, list_of), encoding="utf-8") as file:
        wanted = file.read()
    if not holds(done, wanted):
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([os.path.join(home, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "-r", os.path.join(TOP, list_of)], check=True)
        with open(done, "w", encoding="utf-8") as file:
            file.write(wanted)
    return home


def run(*command, **options):
    """For the program to be judged by: its output belongs into ours where it is not content."""
    answer = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                            stdin=subprocess.DEVNULL, **options)
    if answer.returncode != 0:
        print(answer.stdout)
        sys.exit(f"status {answer.returncode}: {' '.join(command)}")
    return answer.stdout
