# SPDX-License-Identifier: Apache-2.0
"""The source tree as the lint tests see it: what git has or would add, and C without its comments and strings."""
import os
import re
import subprocess
import sys

TOKENS = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
C_FILES = (".c", ".h", ".cpp")


class Tree:
    def __init__(self, top):
        self.top = os.path.realpath(top)
        listing = ["git", "-c", "safe.directory=*", "-C", self.top, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")
        self.files = sorted(name for name in set(names) if name and os.path.isfile(self.path(name)))

    def path(self, name):
        return os.path.join(self.top, name)

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def under(self, folder, *endings):
        return [name for name in self.files if name.startswith(folder) and name.endswith(endings)]

    def scripts(self, interpreter):
        """Files whose first line names the interpreter."""
        return [name for name in self.files if self.first_line(name).startswith("#!")
                and interpreter in self.first_line(name)]

    def first_line(self, name):
        with open(self.path(name), "rb") as file:
            return file.readline(200).decode("utf-8", "replace").rstrip("\n")


def bare_c(text):
    """C with comments and the insides of literals blanked, on the same lines."""
    def blank(match):
        word = match.group(0)
        if word[0] in "\"'":
            return word[0] + word[0]
        return "\n" * word.count("\n") or " "
    return TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(check):
    """Runs check(tree), a generator of faults, over the tree that the first argument names."""
    faults = list(check(Tree(sys.argv[1] if len(sys.argv) > 1 else ".")))
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
