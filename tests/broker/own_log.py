# SPDX-License-Identifier: Apache-2.0
"""The monitor's own log, recomputed from its store by nothing but SQL and SHA-256 (RFC 9162 2.1): each leaf, each kept
root, each document's digest; one entry for each change of a finding and of an execution; each checkpoint's root."""

import base64
import contextlib
import hashlib
import json
import sqlite3

DOCUMENTS = """SELECT leaf, ocsf FROM findings UNION ALL SELECT leaf, ocsf FROM actions
               UNION ALL SELECT leaf, document FROM log_documents"""


def sha256(data):
    return hashlib.sha256(data).digest()


class Tree:
    """The roots of the perfect trees that the leaves make up, the largest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def append(self, data):
        """Answers the roots that end with this leaf."""
        roots = [sha256(b"\0" + data)]
        while self.size >> (len(roots) - 1) & 1:
            roots.append(sha256(b"\1" + self.peaks.pop() + roots[-1]))
        self.peaks.append(roots[-1])
        self.size += 1
        return roots

    def root(self):
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\1" + peak + root)
        return root


def check(store):
    """Answers how many entries there are of each kind."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        documents = {}
        for leaf, document in db.execute(DOCUMENTS):
            assert leaf not in documents, f"leaf {leaf} has two documents"
            documents[leaf] = document
        tree, roots, counts, keys = Tree(), {0: sha256(b"")}, {}, {}
        for leaf, entry, kept in db.execute("SELECT leaf, entry, roots FROM log ORDER BY leaf"):
            assert leaf == tree.size, f"leaf {tree.size} is missing"
            assert kept == b"".join(tree.append(entry.encode())), f"the roots that end with leaf {leaf} are others"
            roots[tree.size] = tree.root()
            said = json.loads(entry)
            assert sha256(documents[leaf].encode()).hex() == said["digest"], f"leaf {leaf} is of another document"
            counts[said["kind"]] = counts.get(said["kind"], 0) + 1
            keys.setdefault((said["kind"], said["key"]), []).append((leaf, said["digest"]))
        for uid, leaf in db.execute("SELECT uid, leaf FROM findings"):
            entries = keys.get(("finding", uid), [])
            assert entries and entries[-1][0] == leaf, f"the last entry of finding {uid} is not its own"
            digests = [digest for _, digest in entries]
            assert all(a != b for a, b in zip(digests, digests[1:])), f"finding {uid} was entered twice for one change"
        for size, note in db.execute("SELECT size, note FROM checkpoints"):
            _, said, root = note.split("\n")[:3]
            assert int(said) == size and base64.b64decode(root) == roots[size], f"the checkpoint of {size} is another"
        changes, = db.execute("SELECT count(*) FROM actions").fetchone()
        assert counts.get("action", 0) == changes, f"{changes} changes of state, {counts.get('action', 0)} entries"
        return counts
