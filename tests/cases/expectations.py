# SPDX-License-Identifier: Apache-2.0
"""What a case expects of a text, and how what differs is told."""
import difflib
import json
import re

KINDS = ("exactly", "same_as", "json", "ordered", "contains", "lacks", "matches", "empty", "count", "where")


def fits(wanted, got):
    """A map fits when every member that is wanted is there and fits; a list item by item; {'~': RE} by search."""
    if wanted == {}:
        return True
    if isinstance(wanted, dict):
        if set(wanted) == {"~"}:
            return re.search(wanted["~"], got if isinstance(got, str) else json.dumps(got)) is not None
        return isinstance(got, dict) and all(name in got and fits(value, got[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(fits, wanted, got))
    return type(wanted) is type(got) and wanted == got


def pairing_faults(wanted, got, what):
    """Every wanted object is matched by one line of its own, and no line is left."""
    left = list(got)
    for one in wanted:
        found = next((line for line in left if fits(one, line)), None)
        if found is None:
            yield f"{what}: no line fits {json.dumps(one)}"
        else:
            left.remove(found)
    for line in left:
        yield f"{what}: not expected: {json.dumps(line)}"


def json_faults(wanted, text, ordered, where, what):
    try:
        got = [line for line in map(json.loads, text.splitlines()) if fits(where, line)]
    except ValueError as error:
        yield f"{what}: a line is no JSON ({error}):\n{text}"
        return
    if ordered and len(wanted) == len(got) and not all(map(fits, wanted, got)):
        yield f"{what}: not in the expected order:\n{text}"
    yield from pairing_faults(wanted, got, what)


def text_fault(wanted, got, what):
    if wanted == got:
        return
    yield f"{what}: differs:\n" + "".join(difflib.unified_diff(
        wanted.splitlines(True), got.splitlines(True), "expected", "got"))


def faults(wanted, text, what, read):
    """wanted: the map under stdout, stderr or a file's name. read(name): a file of the case."""
    for kind in wanted:
        if kind not in KINDS:
            raise ValueError(f"{what}: unknown expectation '{kind}'")
    if "exactly" in wanted:
        yield from text_fault(wanted["exactly"], text, what)
    if "same_as" in wanted:
        yield from text_fault(read(wanted["same_as"]), text, what)
    if "json" in wanted:
        yield from json_faults(wanted["json"], text, wanted.get("ordered", False), wanted.get("where", {}), what)
    if "count" in wanted and len(text.splitlines()) != wanted["count"]:
        yield f"{what}: {len(text.splitlines())} lines, not {wanted['count']}:\n{text}"
    if wanted.get("empty") and text:
        yield f"{what}: not empty:\n{text}"
    for part in wanted.get("contains", []):
        if part not in text:
            yield f"{what}: does not contain '{part}':\n{text}"
    for part in wanted.get("lacks", []):
        if part in text:
            yield f"{what}: contains '{part}':\n{text}"
    for pattern in wanted.get("matches", []):
        if not re.search(pattern, text, re.MULTILINE):
            yield f"{what}: nothing matches {pattern}:\n{text}"
