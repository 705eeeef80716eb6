# SPDX-License-Identifier: Apache-2.0
"""What trials wait by, and where their servers listen."""

import random
import socket
import threading
import time


def wait_for(condition, seconds, what):
    """Waits for a condition, not for a time: looks ten times a second, gives up after so many seconds. Answers what the
    condition did; `what` is a text, or a function that makes one then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.1)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


def free_port(kind=socket.SOCK_STREAM):
    """Below those that the system gives to outgoing connections: until it is bound, nobody but another such look takes it."""
    while True:
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", random.randrange(20000, 32000)))
                return s.getsockname()[1]
            except OSError:
                continue
