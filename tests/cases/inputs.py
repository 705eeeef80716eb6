# SPDX-License-Identifier: Apache-2.0
"""Inputs of a case: short notation for events to the files that invigil reads."""
import datetime
import gzip
import hashlib
import json
import os
import re
import subprocess

EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
UNITS = {"d": 86400 * 10**9, "h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
ATTRIBUTES = {"agent": "subject", "tenant": "tenantid", "trace": "traceparent"}
ENVELOPE = ("specversion", "id", "source", "type", "time", "subject", "tenantid", "traceparent", "ledgerid",
            "ledgerseq", "ledgerprev", "ledgerhash", "ledgeralg", "data")
OFFSET = re.compile(r"^\+?(-?)((?:\d+(?:d|h|ms|us|ns|m|s))+)$")


def moment(text):
    """'5m' is five minutes past the cases' epoch; anything else stands as it is."""
    found = OFFSET.match(text) if isinstance(text, str) else None
    if not found:
        return text
    ns = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|us|ns|[dhms])", found.group(2)))
    seconds, fraction = divmod(-ns if found.group(1) else ns, 10**9)
    stamp = (EPOCH + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return stamp + (f".{fraction:09d}".rstrip("0") if fraction else "") + "Z"


def canonical(value):
    """RFC 8785 for what cases hold: strings, integers, booleans, lists, maps with ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Chain:
    """Puts ledger events in their place of a log."""

    def __init__(self):
        self.heads = {}

    def link(self, event):
        log = event.setdefault("ledgerid", "log")
        seq, prev = self.heads.get(log, (0, "0" * 96))
        event.setdefault("ledgerseq", seq)
        event.setdefault("ledgerprev", prev)
        if "ledgerhash" not in event:
            event["ledgerhash"] = hashlib.sha384(canonical(event)).hexdigest()
        self.heads[log] = (event["ledgerseq"] + 1, event["ledgerhash"])


def event_of(short):
    """{type, time, id, source, agent, tenant, …}: all that is no attribute is data. A null is left out."""
    event = {"specversion": "1.0", "source": "test"}
    data = {}
    for name, value in short.items():
        name = ATTRIBUTES.get(name, name)
        if name == "data":
            data.update(value)
        elif name in ENVELOPE:
            event[name] = moment(value) if name == "time" else value
        else:
            data[name] = moment(value) if name.endswith(("_at", "not_after")) else value
    if data:
        event["data"] = data
    return {name: value for name, value in event.items() if value is not None}


def lines_of(items, ledger):
    """One line for each item: an event in short notation, or a text that stands as it is."""
    chain, lines = Chain(), []
    for item in items:
        if isinstance(item, str):
            lines.append(item)
            continue
        event = event_of(item)
        if ledger:
            chain.link(event)
        lines.append(json.dumps(event, ensure_ascii=False))
    return "".join(line + "\n" for line in lines)


def write(folder, inputs):
    """inputs: {file name: text, or a list of events}. The name's ending .gz or .zst packs it; a list is chained if the
    name begins with 'ledger'."""
    for name, content in (inputs or {}).items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not isinstance(content, str):
            content = lines_of(content, os.path.basename(name).startswith("ledger"))
        packed = content.encode("utf-8", "surrogateescape")
        if name.endswith(".gz"):
            packed = gzip.compress(packed, mtime=0)
        elif name.endswith(".zst"):
            packed = subprocess.run(["zstd", "-q", "-c"], input=packed, capture_output=True, check=True).stdout
        with open(path, "wb") as file:
            file.write(packed)
