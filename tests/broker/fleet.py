# SPDX-License-Identifier: Apache-2.0
"""A simulated fleet as a test sends it to a broker: in the order of event time, each tenant on a partition of its own. At the
end every partition gets an event of an hour later, so that everything falls due which a replay of the same records calls
due; what must be found is what that replay finds.
Either at the test's own pace: then its baseline lets event time alone move the watermark (`idle` is an hour), and nothing
depends on the pace. Or live: each record when its time has come; a partition that is silent for `idle` follows the clock."""

import datetime
import hashlib
import json
import os
import subprocess
import zlib

from monitor import INVIGIL

STREAMS = ("ledger", "telemetry")
LATER = datetime.timedelta(hours=1)
# Live, a record is late, and the outcome another, where the test's producer was kept from sending for longer than that: it
# loses a broker that is killed as the daemon does, and the partitions come back to it one after another.
LATENESS = "90s"


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamped(event, seq=0, before="0" * 96):
    """A ledger event with its place in a log: contract "Events", hash chain. Its members are ASCII and its numbers small,
    so that sorted JSON is JCS."""
    event = {**event, "ledgerseq": seq, "ledgerprev": before}
    text = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return {**event, "ledgerhash": hashlib.sha384(text.encode()).hexdigest()}


def closing(moment, stream, partition):
    """An event that no rule asks anything of."""
    event = {"specversion": "1.0", "id": f"closing-{partition}", "source": "/test", "time": text_of(moment),
             "subject": "nobody"}
    if stream == "telemetry":
        return {**event, "type": "agent.stopped", "data": {"reason": "the end"}}
    return stamped({**event, "type": "change.approved", "data": {"change_id": "none", "approver": "nobody"},
                    "ledgerid": f"closing-{partition}"})


def edit(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text, f"{path} has no '{old}'"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def brief(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {(line["rule"], line["trigger"]["source"], line["trigger"]["id"]) for line in lines}


class Fleet:
    def __init__(self, folder, partitions=1, agents=40, events=3000, seed=1, violations=0.05, live=False):
        self.folder = os.path.join(folder, "fleet")
        self.partitions = partitions
        start = ["--start", text_of(datetime.datetime.now(datetime.timezone.utc))] if live else []
        subprocess.run([INVIGIL, "simulate", "--agents", str(agents), "--events", str(events), "--seed", str(seed),
                        "--violations", str(violations), "--out", self.folder, *start], check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        baseline = os.path.join(self.folder, "baseline.yaml")
        if live:
            edit(baseline, "lateness: 1s", f"lateness: {LATENESS}")
            edit(baseline, "lateness: 2s", f"lateness: {LATENESS}")
        else:
            edit(baseline, "idle: 500ms", "idle: 1h")
        self.records = self.read()
        self.close()
        self.sent = 0

    def path(self, stream):
        return os.path.join(self.folder, f"{stream}.ndjson")

    def read(self):
        """(time, stream, partition, key, line), by time; those of one stream stay in their order."""
        records = []
        for stream in STREAMS:
            latest = ""
            with open(self.path(stream), encoding="utf-8") as file:
                for line in file:
                    event = json.loads(line)
                    latest = max(latest, event["time"])
                    key = event["tenantid"]
                    records.append((latest, stream, zlib.crc32(key.encode()) % self.partitions, key, line.rstrip("\n")))
        return sorted(records, key=lambda record: record[0])

    def close(self):
        """An hour after the last event."""
        last = datetime.datetime.strptime(self.records[-1][0][:19], "%Y-%m-%dT%H:%M:%S") + LATER
        for stream in STREAMS:
            with open(self.path(stream), "a", encoding="utf-8") as file:
                for partition in range(self.partitions):
                    line = json.dumps(closing(last, stream, partition))
                    file.write(line + "\n")
                    self.records.append((text_of(last), stream, partition, "nobody", line))

    def expected(self):
        """What a replay finds: {(rule, source, id)}."""
        found = os.path.join(self.folder, "found.ndjson")
        with open(found, "w", encoding="utf-8") as out:
            ran = subprocess.run([INVIGIL, "replay", "--baseline", self.folder, "--ledger", self.path("ledger"),
                                  "--telemetry", self.path("telemetry"), "--format", "brief"], stdout=out,
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        assert ran.returncode == 3, f"replay ended with status {ran.returncode}: {ran.stderr.decode()}"
        return brief(found)

    def topics(self):
        return tuple(f"{stream}:{self.partitions}" for stream in STREAMS)

    def left(self):
        return len(self.records) - self.sent

    def send(self, producer, count=None):
        """The next records, or all that are left; acknowledged when it returns."""
        part = self.records[self.sent:] if count is None else self.records[self.sent:self.sent + count]
        for _, stream, partition, key, line in part:
            producer.send(stream, partition, key, line)
        producer.flush()
        self.sent += len(part)

    def send_due(self, producer):
        """Of a live fleet: what has happened by now. Nobody waits for the broker. Answers whether something is left; what
        closes the partitions is."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        while self.left() > 0 and self.records[self.sent][0] <= now:
            _, stream, partition, key, line = self.records[self.sent]
            producer.send(stream, partition, key, line)
            self.sent += 1
        return self.left() > len(STREAMS) * self.partitions
