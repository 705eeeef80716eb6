# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker for a test, by deploy/kafka/kafka, and what a test asks of it through Kafka's own tools."""

import json
import os
import signal
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "deploy", "kafka", "kafka")


class Kafka:
    """Runs from __enter__ to __exit__, with data, ports and certificates of its own."""

    def __init__(self, *topics):
        self.topics = topics
        self.folder = tempfile.mkdtemp(prefix="invigil-kafka-")
        self.ports = ()  # free ones at the first start, the same ones from then on

    def command(self, *args):
        return [SCRIPT, "--dir", self.folder, *self.ports, *args]

    def run(self, *args, text_in="", **options):
        return subprocess.run(self.command(*args), check=True, input=text_in, text=True, **options)

    def prepare(self):
        """Addresses and certificates of a broker that is down: it was started once, and keeps them."""
        self.start()
        self.run("stop", stdout=subprocess.DEVNULL)

    def start(self):
        self.run("start", stdout=subprocess.DEVNULL)
        lines = self.run("env", stdout=subprocess.PIPE).stdout.splitlines()
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.servers = self.env["KAFKA_BOOTSTRAP"]
        tls_servers = self.env["KAFKA_TLS_BOOTSTRAP"]
        self.ports = ("--port", self.servers.rsplit(":", 1)[1], "--tls-port", tls_servers.rsplit(":", 1)[1])

    def kill(self):
        """As a machine that loses its power, but for what the system has still in memory."""
        with open(os.path.join(self.folder, "pid"), encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def __enter__(self):
        self.start()
        if self.topics:
            self.run("topics", *self.topics, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.run("clean", stdout=subprocess.DEVNULL)

    def count(self, topic):
        """How many records the topic holds, over all partitions."""
        out = self.run("tool", "org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", self.servers,
                       "--topic", topic, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return sum(int(line.rsplit(":", 1)[1]) for line in out.splitlines() if line.count(":") >= 2)

    def produce(self, topic, values):
        lines = "".join(value + "\n" for value in values)
        self.run("tool", "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", self.servers, "--topic", topic,
                 "--producer-property", "max.request.size=4194304", text_in=lines,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def configure(self, kind, name, *change):
        """Settings of a topic, quotas of a client: what kafka-configs changes, from now on."""
        self.run("tool", "kafka.admin.ConfigCommand", "--bootstrap-server", self.servers, "--alter", "--entity-type", kind,
                 "--entity-name", name, *change, stdout=subprocess.DEVNULL)

    def limit(self, topic, size):
        """From now on the topic takes no message larger than that."""
        self.configure("topics", topic, "--add-config", f"max.message.bytes={size}")

    def read(self, topic):
        """All records of a topic: (partition, offset, time in ms, key, value)."""
        total = self.count(topic)
        if total == 0:
            return []
        out = self.run("tool", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", self.servers,
                       "--topic", topic, "--from-beginning", "--max-messages", str(total), "--timeout-ms", "30000",
                       "--property", "print.key=true", "--property", "print.timestamp=true",
                       "--property", "print.partition=true", "--property", "print.offset=true",
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        records = []
        for line in out.splitlines():
            time, partition, offset, key, value = line.split("\t", 4)
            records.append((int(partition.split(":")[1]), int(offset.split(":")[1]), int(time.split(":")[1]), key,
                            json.loads(value)))
        return records
