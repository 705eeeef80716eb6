# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the release build, simulated streams, baselines less some rules, and replays that are timed.

Cost is processor time (user and system) for one event, the least of the rounds: on a machine that is shared the wall clock
tells of the neighbours."""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVIGIL = os.path.join(TOP, "build", "release", "invigil")


def build():
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release"]):
        subprocess.run(command, cwd=TOP, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def simulate(folder, agents, events):
    subprocess.run([INVIGIL, "simulate", "--agents", str(agents), "--events", str(events), "--seed", "1", "--out", folder],
                   check=True, stdin=subprocess.DEVNULL)


def rules_of(text):
    """A pack's text as its head and its rules, each with its id."""
    head, *rules = re.split(r"(?m)^(?=- id: )", text)
    return head, {re.match(r"- id: (\S+)", rule).group(1): rule for rule in rules}


def baseline_without(folder, name, unwanted):
    """A copy of the simulated baseline next to it, without the rules that unwanted(id, text) names."""
    copy = os.path.join(os.path.dirname(folder), name)
    os.makedirs(copy)
    for part in ("remediations", "packs", "canary"):
        shutil.copytree(os.path.join(folder, part), os.path.join(copy, part))
    shutil.copy(os.path.join(folder, "baseline.yaml"), copy)
    for pack in os.listdir(os.path.join(copy, "packs")):
        path = os.path.join(copy, "packs", pack)
        with open(path, encoding="utf-8") as file:
            head, rules = rules_of(file.read())
        wanted = [text for rule, text in rules.items() if not unwanted(rule, text)]
        if not wanted:
            os.remove(path)
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + "".join(wanted))
    return copy


def checks_signatures(text):
    return "receipt_valid" in text


class Replay:
    """One replay: the figures of its closing line by name, and `cpu`, its processor seconds."""

    def __init__(self, baseline, streams, *flags, cpu=None):
        command = [INVIGIL, "replay", "--baseline", baseline, "--format", "brief", *streams, *flags]
        if cpu is not None:
            command = ["taskset", "-c", str(cpu), *command]
        before = os.times()
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                             check=False)
        after = os.times()
        if run.returncode not in (0, 3):
            sys.exit(f"replay failed: {run.stderr}")
        closing = re.findall(r"([a-z_/]+)=([0-9.]+)", run.stderr.splitlines()[-1])
        self.figures = {name: float(value) for name, value in closing}
        self.cpu = after.children_user + after.children_system - before.children_user - before.children_system

    def cost(self):
        """Microseconds for one event."""
        return 1e6 * self.cpu / self.figures["events"]


def streams_of(folder):
    return ("--ledger", f"{folder}/ledger.ndjson", "--telemetry", f"{folder}/telemetry.ndjson")


def cheapest(runs, rounds):
    """The cheapest of so many rounds of each run (a dictionary of functions that replay), taken in turn."""
    best = {}
    for _ in range(rounds):
        for name, run in runs.items():
            replay = run()
            if name not in best or replay.cpu < best[name].cpu:
                best[name] = replay
    return best
