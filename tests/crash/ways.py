# SPDX-License-Identifier: Apache-2.0
"""All changes of state that there are, of executions and of steps, and ways through them: what tests/crash/respond kills
in the middle of each."""
import dataclasses

# "" is before it is planned. The diagram is in monitor/evidence/execution.h.
RUN_MOVES = {
    "": "planned waiting failed",
    "planned": "running waiting refused superseded",
    "waiting": "planned refused superseded",
    "running": "done verified failed ambiguous withheld undone refused",
    "done": "running verified failed ambiguous undone",
    "verified": "failed undone",
    "withheld": "failed undone",
}
STEP_MOVES = {
    "": "queued due",
    "queued": "due skipped",
    "due": "queued calling failed unsupported skipped withheld ambiguous",
    "calling": "due done absent failed unsupported",
    "done": "verified failed ambiguous undone",
    "verified": "undone",
    "failed": "undone",
    "ambiguous": "undone",
}
MOVES = {(what, before, after)
         for what, table in (("execution", RUN_MOVES), ("step", STEP_MOVES))
         for before, ends in table.items() for after in ends.split()}


@dataclasses.dataclass
class Way:
    playbooks: dict  # by name, without the head; the first is the one that the rule names
    phases: list  # the words of one process after another; one that is killed begins again
    ends: list  # "PLAYBOOK STATE: STEP STEP …" of each execution; "a|b" is either
    called: list = None  # after each phase: how many actions must have been called, over all; None: that is not asked
    alerts: dict = dataclasses.field(default_factory=dict)  # by name: what the notices of it count, together
    says: str = ""  # what some report must say where nothing is killed


HEAD = """apiVersion: invigil/v1
kind: Playbook
metadata: {name: %s, title: Do it}
"""
BY_FINDING = 'target: "{{finding.uid}}"\n'
BY_TOKEN = 'target: "{{trigger.token_id}}"\n'
SEEN = "  expect: {seen: {event: token.revoked, where: e.token_id == trigger.token_id}, within: 1s}\n"
UNSEEN = "  expect: {unseen: {event: token.used, where: e.token_id == trigger.token_id}, within: 1s}\n"
PATIENCE = "  timeout: 2m\n"  # a busy machine is no silence
ESCALATE = "  on_failure: escalate\n"
GO_ON = "  on_failure: continue\n"
ONLY = "  only: escalated\n"
OBSERVE = "mode: observe\n"
TWO_OF_THEM = "approval: {quorum: 2, roles: responder, within: 1h}\n"
ONE_AN_HOUR = "guards: {executions: {hour: 1}, ramp: {start: 9}}\n"
NEEDED, IN_VAIN = "invigil.approval-needed", "invigil.remediation-failed"
DAYS = "rest:1000000"


def call(path, more="", name="one", retry=""):
    return (f"- name: {name}\n  http: {{endpoint: hook, path: {path}}}\n" + PATIENCE +
            (f"  retry: {{{retry}}}\n" if retry else "") + more)


def local(action):
    return f"- name: one\n  {action}\n" + PATIENCE


def command(name="two"):
    return f"- name: {name}\n  kafka: {{topic: commands, key: k, value: {{}}}}\n"


def undo(path="/back", after="1h"):
    return f"  undo: {{after: {after}, http: {{endpoint: hook, path: {path}}}}}\n"


def way(steps, ends, *phases, keys=BY_FINDING, **more):
    """Of one playbook and one finding."""
    return Way({"revoke": f"{keys}steps:\n{steps}"}, [list(p) for p in phases] or [["find:1", DAYS]], [f"revoke {ends}"],
               **more)


def ways_of_two(first, second, ends, *phases, **more):
    return Way({"revoke": first, "block": second}, [list(p) for p in phases], ends, **more)


WAYS = {
    "done": way(call("/yes") + command() + call("/yes", name="three"), "done: done done done"),
    "tried again": way(call("/down-for/2", retry="attempts: 5, backoff: 1s"), "done: done"),
    "failed": way(call("/no") + call("/yes", name="two"), "failed: failed skipped"),
    "not planned": way(call('"/{{trigger.scope}}"'), "failed: "),
    "no endpoint": way("- name: one\n  http: {endpoint: elsewhere, path: /no}\n", "failed: unsupported"),
    "broken": way(local('exec: {command: note, values: {key: "{{trigger.scope?}}"}}'), "failed: failed",
                  ["hand", "find:1", DAYS]),
    "nothing there": way(local("kubernetes.delete_pod: {endpoint: hook, namespace: gone, pod: p}") +
                         call("/yes", name="two"), "done: absent done"),
    "no hand": way(local("oci.kill: {container: box}"), "failed: unsupported"),
    "a program": way(local('exec: {command: note, values: {key: "{{step.key}}"}}'), "done: done",
                     ["hand", "find:1", DAYS]),
    "a container": way(local("oci.kill: {container: box}"), "done: done|absent", ["hand", "find:1", DAYS]),
    "no such group": way(local("cgroup.kill: {group: missing}"), "done: absent", ["hand", "find:1", DAYS]),
    "escalated": way(call("/no", ESCALATE) + call("/yes", name="two") + call("/yes", ONLY, "three"),
                     "done: failed skipped done"),
    "verified": way(call("/yes", UNSEEN) + call("/yes", name="two"), "verified: verified done"),
    "disproved": way(call("/yes", SEEN), "failed: failed"),
    "disproved, escalated": way(call("/yes", SEEN + ESCALATE) + call("/yes", ONLY + UNSEEN, "two"),
                                "verified: failed verified", ["alerts", "find:1", DAYS], alerts={IN_VAIN: 1}),
    "nobody knows": way(call("/yes", SEEN, "lost"), "ambiguous: ambiguous"),
    "nobody knows, on the way": way(call("/yes", SEEN, "lost") + call("/yes", name="two"), "ambiguous: ambiguous skipped"),
    "withheld": way(call("/yes") + command(), "withheld: withheld withheld", keys=BY_FINDING + OBSERVE),
    # Approvals: while the process lives; while it is dead; two of them; a denial; nobody.
    "approved": way(call("/yes") + call("/yes", name="two"), "done: done done",
                    ["people", "alerts", "find:1", "rest", "approve:ann", "rest", "approve:bob", DAYS],
                    keys=BY_FINDING + TWO_OF_THEM, alerts={NEEDED: 2}),
    "approved while it was dead": way(call("/yes"), "done: done", ["people", "find:1", "rest"], ["people", "approve:ann"],
                                      ["people", "approve:bob"], ["people", DAYS], keys=BY_FINDING + TWO_OF_THEM,
                                      called=[0, 0, 0, 1]),
    "denied": way(call("/yes"), "refused: skipped", ["people", "find:1", "approve:ann", "rest", "deny:bob", DAYS],
                  keys=BY_FINDING + TWO_OF_THEM, called=[0]),
    "nobody came": way(call("/yes"), "refused: skipped", keys=BY_FINDING + TWO_OF_THEM, called=[0]),
    "past a limit": Way({"revoke": BY_TOKEN + ONE_AN_HOUR + "steps:\n" + call("/yes")},
                        [["people", "alerts", "find:1-3:*", "rest"], ["people", "alerts", "approve:ann", DAYS]],
                        3 * ["revoke done: done"], called=[1, 3], alerts={NEEDED: 2}),
    "past a limit by now": Way({"revoke": BY_TOKEN + ONE_AN_HOUR + "steps:\n" + call("/yes")},
                               [["people", "find:1-2:*", "rest"],
                                ["people", "pass:3601", "absence", "stale", "find:3:*", "turn:1", "approve:ann", "turn:2",
                                 "fresh", "rest", "pass:3601", "rest"]],
                               3 * ["revoke done: done"], called=[1, 3]),
    # Its finding falls: before it began, while it waits, after a call in vain.
    "fallen": way(call("/yes"), "refused: skipped", ["pause", "find:1", "close"], ["resume", DAYS], called=[0, 0]),
    "fallen while it waits": way(call("/yes"), "refused: skipped",
                                 ["people", "find:1", "rest", "close", "approve:ann", "approve:bob", DAYS],
                                 keys=BY_FINDING + TWO_OF_THEM, called=[0]),
    "fallen on the way": way(call("/down-in/0", retry="attempts: 9, backoff: 20m, max_backoff: 20m"), "refused: skipped",
                             ["find:1", "rest:60"], ["close", DAYS], called=[1, 1]),
    "fallen, and what was tried is taken back": way(
        call("/down-in/0", undo(), retry="attempts: 9, backoff: 20m, max_backoff: 20m"), "ambiguous: undone done",
        ["find:1", "rest:60"], ["close", DAYS], called=[1, 2]),
    # One in the place of another.
    "superseded": ways_of_two(
        BY_TOKEN + "escalate_to: block\nsteps:\n" + call("/no"), BY_TOKEN + "steps:\n" + call("/yes"),
        ["revoke superseded: skipped", "block done: done"], ["find:1:t", "find:2:t:block", DAYS]),
    "superseded while it waits": ways_of_two(
        BY_TOKEN + TWO_OF_THEM + "escalate_to: block\nsteps:\n" + call("/no"), BY_TOKEN + "steps:\n" + call("/yes"),
        ["revoke superseded: skipped", "block done: done"], ["find:1:t", "find:2:t:block", DAYS]),
    "taken over": ways_of_two(
        BY_TOKEN + "escalate_to: block\nsteps:\n" + call("/no"), BY_TOKEN + "steps:\n" + call("/yes"),
        ["revoke failed: failed", "block done: done"], ["find:1:t", DAYS]),
    "taken over, in doubt": ways_of_two(
        BY_TOKEN + "escalate_to: block\nsteps:\n" + call("/yes", SEEN, "lost"), BY_TOKEN + "steps:\n" + call("/yes"),
        ["revoke ambiguous: ambiguous", "block done: done"], ["alerts", "find:1:t", DAYS], alerts={IN_VAIN: 1}),
    "joined": way(call("/yes"), "done: done", ["find:1-20:t", DAYS], keys=BY_TOKEN),
    # A few at a time.
    "in turn": Way({"revoke": BY_TOKEN + "steps:\n" + call("/yes")}, [["find:1-4:*", DAYS]], 4 * ["revoke done: done"],
                   says="guard ramp: 1 at a time"),
    "stopped, and let go on": Way(
        {"revoke": BY_TOKEN + "steps:\n" + call("/down-in/0", retry="attempts: 1")},
        [["people", "find:1-5:*", "rest"], ["people", "approve:ann", DAYS]],
        3 * ["revoke failed: failed"] + 2 * ["revoke done: done"], called=[3, 5], says="guard ramp: 3 of the last 3"),
    "an endpoint that is silent": way(call("/down-for/6", retry="attempts: 8, backoff: 1s"), "done: done",
                                      says="does not answer: it is not called for now"),
    "not fresh": way(call("/yes"), "done: done", ["absence", "stale", "find:1", "turn:4"], [DAYS], called=[0, 1]),
    "paused": way(call("/yes"), "done: done", ["pause", "find:1", "turn:3"], ["resume", DAYS], called=[0, 1]),
    # Taken back.
    "undone": way(call("/yes", undo()), "undone: undone done"),
    "undone by somebody": way(call("/yes", undo()), "undone: undone done", ["find:1", "rest", "undo", "rest"]),
    "one of several undone": way(call("/yes") + call("/yes", undo(), "two") + call("/yes", name="three"),
                                 "undone: done undone done done", ["find:1", "rest", "undo", "rest"]),
    "undone on the way": way(call("/yes", undo(after="1s")) + call("/yes", UNSEEN, "two") + call("/yes", name="three"),
                             "undone: undone verified done done", ["silent", "find:1", DAYS], [DAYS], called=[3, 4]),
    "not to be undone": way(call("/yes", undo("/no")), "failed: done failed"),
    "undone, though verified": way(call("/yes", UNSEEN + undo()), "undone: undone done"),
    "not to be undone, though verified": way(call("/yes", UNSEEN + undo("/no")), "failed: verified failed"),
    "undone, though disproved": way(call("/yes", SEEN + GO_ON + undo()) + call("/yes", name="two"), "undone: undone done done"),
    "undone, in doubt": way(call("/yes", SEEN + GO_ON + undo(), "lost") + call("/yes", name="two"), "undone: undone done done"),
    "undone, undecided": way(call("/yes", UNSEEN + undo()) + call("/yes", name="two"), "undone: undone skipped done",
                             ["silent", "find:1", "rest", "undo", DAYS]),
    "half of it withheld, undone": way(
        call("/yes", undo()) + call("/down-in/0", name="two", retry="attempts: 9, backoff: 20m, max_backoff: 20m"),
        "undone: undone withheld done", ["find:1", "rest:60"], ["dry-run", "rest:1800"], [DAYS]),
    "half of it withheld, not undone": way(
        call("/yes", undo("/no")) + call("/down-in/0", name="two", retry="attempts: 9, backoff: 20m, max_backoff: 20m"),
        "failed: done withheld failed", ["find:1", "rest:60"], ["dry-run", "rest:1800"], [DAYS]),
}
