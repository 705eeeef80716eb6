# SPDX-License-Identifier: Apache-2.0
"""What a trial must have come to, whatever was done to the daemon meanwhile: the findings of an undisturbed reading, none
lost, none twice; store and topic agree, one value for each key; every action carried out, under one key each."""

import collections
import contextlib
import json
import sqlite3

import own_log
import rdkafka
from monitor import wait_for

PATIENCE = 240
ENDED = "('done', 'failed', 'cancelled', 'unsupported')"


def positions(monitor):
    """In the streams; the store has the exchange's too."""
    query = "SELECT next_offset FROM positions WHERE topic IN ('ledger', 'telemetry')"
    return sum(offset for offset, in monitor.rows(query))


def settled(monitor):
    """Nothing is on its way any more: no message, no playbook."""
    return (monitor.rows("SELECT count(*) FROM outbox") == [(0,)]
            and monitor.rows("SELECT count(*) FROM executions WHERE finished = 0") == [(0,)])


def caught_up(monitor, fleet):
    return positions(monitor) >= fleet.sent and settled(monitor)


def await_all(monitor, fleet, expected):
    wait_for(lambda: monitor.alive() and len(monitor.findings()) >= len(expected), PATIENCE,
             f"{len(expected)} findings")
    wait_for(lambda: monitor.alive() and caught_up(monitor, fleet), PATIENCE, "the end of all that follows from them")


def check_store(monitor, expected):
    with contextlib.closing(sqlite3.connect(f"file:{monitor.store}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the store is whole"
    found = monitor.findings()
    values = collections.Counter(found.values())
    lost, invented = expected - set(values), set(values) - expected
    assert not lost and not invented, f"lost {len(lost)}: {sorted(lost)[:5]}, invented {len(invented)}: {sorted(invented)[:5]}"
    doubled = [value for value, count in values.items() if count > 1]
    assert not doubled, f"found twice: {doubled[:5]}"
    return found


def check_topic(servers, monitor, found):
    """Answers how many messages came more than once."""
    records = rdkafka.read(servers, "invigil.findings")
    values = collections.defaultdict(set)
    for _, _, key, value in records:
        assert value["finding_info"]["uid"] == key, "a finding's key is its uid"
        values[key].add(json.dumps(value, sort_keys=True))
    stored = {uid: json.dumps(json.loads(ocsf), sort_keys=True)
              for uid, ocsf in monitor.rows("SELECT uid, ocsf FROM findings")}
    assert set(values) == set(stored) and set(found) <= set(stored), "topic and store have the same findings"
    several = [key for key, all_of_key in values.items() if len(all_of_key) > 1]
    assert not several, f"one key has several values: {several[:3]}"
    assert all(values[uid] == {stored[uid]} for uid in stored), "and they are the same"
    return len(records) - len(values)


def check_actions(servers, monitor, hooks):
    """Answers how many hooks were called more than once."""
    executions = monitor.rows("SELECT finding, state FROM executions")
    assert executions and len({finding for finding, _ in executions}) == len(executions), "one execution for a finding"
    assert {state for _, state in executions} == {"done"}, collections.Counter(state for _, state in executions)
    steps = {key for key, in monitor.rows("SELECT key FROM steps WHERE kind = 'http'")}
    called = collections.Counter()
    for (_, key), count in hooks.calls.items():
        called[key] += count
    assert set(called) == steps, f"calls and steps differ by {len(set(called) ^ steps)}"
    sent = collections.defaultdict(set)
    for _, _, key, value in rdkafka.read(servers, "invigil.commands"):
        sent[(key, value["finding"])].add(json.dumps(value, sort_keys=True))
    assert all(len(values) == 1 for values in sent.values()), "a command that comes twice is the same"
    commands = monitor.rows("SELECT count(*) FROM steps WHERE kind = 'kafka'")
    assert len(sent) == commands[0][0], f"{len(sent)} commands for {commands[0][0]} steps"
    return sum(1 for count in called.values() if count > 1)


def check(servers, monitor, hooks, expected):
    """Answers (findings, messages repeated, hooks repeated)."""
    found = check_store(monitor, expected)
    own_log.check(monitor.store)
    return len(found), check_topic(servers, monitor, found), check_actions(servers, monitor, hooks)
