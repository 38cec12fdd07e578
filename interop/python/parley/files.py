"""The three files and their verdict (disclosure.md).

verify(data, channel) returns a Report of a sound file and raises Bad with the
first broken rule of any other. A file is judged from its first byte to its last.
"""

import base64
import re
from hashlib import sha256

from . import charter, entry, fold, fork, keys, note, tree
from .cbor import MAX, Bad, Reader, bstr, decode, fields, items, uint
from .ed25519 import verify as ed_verify

RECORD, ENTRY, FORK = b"parley/record/1\n", b"parley/disclosure/1\n", b"parley/fork/1\n"
SECTION = 4 << 20

inventory = fields(
    uint(1, 20), bstr(32), uint(), items(0, 16384, entry.head, key=lambda h: h[:3]), items(0, 4096, bstr(32))
)
I = fields(bstr(1, SECTION), bstr(64))
K = fields(uint(1, 20), bstr(8), keys.rootkeys)
extra = fields(bstr(32), bstr(0, entry.MOST))


def L(r):
    """[head, sig] or [head of size 0, null]."""
    if r.head(4) != 2:
        raise Bad("wrong-length")
    head = entry.head(r)
    if head[3] > 0:
        return [head, bstr(64)(r)]
    if not r.null():
        raise Bad("wrong-type")
    return [head, None]


def cosignature(r):
    out = [schema(r) for schema in (fixed(5), uint(0, 95), uint(0, 1), uint(), uint())][1:]
    return out + [bstr(2420 if out[1] else 64)(r)]


def fixed(n):
    """The head of a list of n."""

    def read(r):
        if r.head(4) != n:
            raise Bad("wrong-length")

    return read


S = items(1, 512, cosignature, key=lambda s: (s[2], s[0], s[1], s[3]))


def leaf(r):
    """[to, C] or [to, C, salt, entry]."""
    n = r.head(4)
    if n not in (2, 4):
        raise Bad("wrong-length")
    schemas = (uint(0, 2**32 - 1), bstr(32), bstr(32), bstr(0, entry.MOST))
    return [schema(r) for schema in schemas[:n]]


E = fields(uint(), items(1, 256, leaf))


def Z(signed):
    def null(r):
        if not r.null():
            raise Bad("wrong-type")

    return fields(uint(), bstr(64) if signed else null)


def verify(data, channel=None):
    for first, judge in ((RECORD, Record), (ENTRY, Entry), (FORK, Fork)):
        if data.startswith(first):
            return judge(channel).read(data, first)
    raise Bad("bad-file")


class File:
    """The frame of all three files, and what they share: C, K and Z."""

    signed = False  # is the end mark?

    def __init__(self, channel):
        self.told, self.charter, self.rootkeys, self.raw_k = channel, None, [], []
        self.n, self.used, self.tags = 0, {}, ""

    def read(self, data, first):
        r, check = Reader(data), sha256(first).digest()
        r.take(len(first))
        tag = ""
        while tag != "Z":
            before = check
            try:
                start = r.at
                tag = r.take(1).decode("latin-1")
                length = int.from_bytes(r.take(4), "big")
                if length > SECTION:
                    raise Bad("too-large")
                payload = r.take(length)
                fits = sha256(check + data[start : r.at]).digest()
                check = r.take(32)
            except Bad:
                self.cut()
                raise
            self.intact = fits == check
            if tag == "Z":
                self.before_end()
                self.end(payload, before, r.at == len(data))
            else:
                self.section(tag, payload)
            if not self.intact and not self.later(tag):
                raise Bad("file-damaged")
            self.n += 1
        return self.report()

    def cut(self):
        """The file ends, or goes wrong, within a section."""

    def before_end(self):
        """What is judged before the end mark."""

    def later(self, tag):
        """Is a check that does not fit judged with a later section?"""
        return False

    ORDER = {}  # what may follow a tag; "" is the start of the file

    def section(self, tag, payload):
        if self.n >= 1024:
            raise Bad("wrong-length")
        if tag not in self.ORDER.get(self.tags[-1:], ""):
            raise Bad("wrong-section")
        self.tags += tag
        getattr(self, "on_" + tag)(payload)

    def end(self, payload, before, last):
        n, sig = decode(Z(self.signed), payload)
        if n != self.n:
            raise Bad("bad-end")
        if self.intact and not last:
            raise Bad("trailing-bytes")
        self.ended(sig, before)

    def ended(self, sig, before):
        """What the end mark's signature, if any, has to say."""

    def on_C(self, payload):
        self.charter = charter.in_force(payload)
        if self.told is not None and self.told != self.charter.channel:
            raise Bad("wrong-channel")

    def on_K(self, payload):
        party, gen, r = decode(K, payload)
        order = (party, r[0], gen, payload)
        if self.raw_k and self.raw_k[-1] >= order:
            raise Bad("not-sorted")
        self.raw_k.append(order)
        if not self.proves(party, gen, r):
            raise Bad("bad-rootkeys")
        self.rootkeys.append((party, gen, r))

    def proves(self, party, gen, r):
        if party > len(self.charter.members):
            return False
        m = self.charter.members[party - 1]
        try:
            keys.check_rootkeys(r, self.charter.channel, party, gen, m[3], m[4])
        except Bad:
            return False
        return True

    def all_keys(self, party, which):
        """A member's keys of one use, of the charter and of every ROOTKEYS."""
        if party > len(self.charter.members):
            return []
        out = [self.charter.members[party - 1][5][which]]
        return out + [r[1][which] for p, _, r in self.rootkeys if p == party]

    def log_keys(self, party, gen):
        """(Ed25519, ML-DSA-44) log keys that a generation may have (J14, D14)."""
        if (party, gen) in self.used:
            return [self.used[party, gen]]
        own = [r[1] for p, g, r in self.rootkeys if p == party and g == gen]
        if not own:
            return list(zip(self.all_keys(party, keys.LOG), self.all_keys(party, keys.LOGPQ)))
        return [(k[keys.LOG], k[keys.LOGPQ]) for k in own]

    def serial(self, party, pair):
        """The serial of the keys that a log was signed with."""
        sets = [self.charter.members[party - 1][5]] + [r[1] for p, _, r in self.rootkeys if p == party]
        return next(k[keys.SERIAL] for k in sets if (k[keys.LOG], k[keys.LOGPQ]) == pair)

    def head_keys(self, head, sig, where):
        """The log keys by which the author signed a head; the generation keeps them."""
        if where.channel == self.charter.channel:
            for pair in self.log_keys(where.party, where.gen):
                if note.author_signed(head, sig, pair[0]):
                    self.used[where.party, where.gen] = pair
                    return pair
        raise Bad("bad-head")

    def check_fork(self, f):
        if f[0] != self.charter.channel or f[1] > len(self.charter.members):
            raise Bad("no-fork")
        fork.check(f, [ed for ed, _ in self.log_keys(f[1], f[3])])

    def receipt_keys(self, party):
        return self.all_keys(party, keys.RECEIPT) + self.all_keys(party, keys.RECEIPTPQ)

    def signer_keys(self, head, line, pair):
        """The code and the keys that one line under a head is checked with."""
        where = note.parse_origin(head.origin)
        if line.name == head.origin:
            return "bad-seal", [pair[1]]
        m = note.RECEIPT.match(line.name)
        if m and bytes.fromhex(m[1]) == where.channel:
            party = int(m[2])
            if party != where.party and party <= len(self.charter.members):
                return "bad-receipt", self.receipt_keys(party)
        for name, ed, pq in self.charter.witnesses:
            if name == line.name:
                return "bad-witness", [k for k in (ed, pq) if k]
        raise Bad("bad-receipt")


class Fork(File):
    ORDER = {"": "C", "C": "KF", "K": "KF"}

    def on_F(self, payload):
        self.check_fork(fork.parse(payload))

    def report(self):
        if not self.tags.endswith("F"):
            raise Bad("wrong-section")
        return {"kind": "fork proof", "channel": self.charter.channel.hex(), "findings": []}


class Entry(File):
    ORDER = {"": "C", "C": "KP", "K": "KP", "P": "T"}

    def on_P(self, payload):
        self.policy = payload

    def on_T(self, payload):
        salt, data, index, hashes, (head, lines) = parse_proof(payload)
        where = note.parse_origin(head.origin)
        pair = self.author(head, lines, where)
        if self.policy != self.expected(head.origin, pair[0]):
            raise Bad("bad-policy")
        try:
            e = entry.parse(data)
        except Bad:
            raise Bad("bad-opening")
        leaf = entry.leaf(e.to, entry.commitment(head.origin, index, salt, data))
        if not tree.included(leaf, index, head.size, head.root, hashes):
            raise Bad("bad-opening")
        seen = set()
        for line in lines[1:]:
            code, candidates = self.signer_keys(head, line, pair)
            pq, _ = note.check_line(head, line, code, candidates)
            if (line.name, pq) in seen:
                raise Bad("not-sorted")
            seen.add((line.name, pq))

    def author(self, head, lines, where):
        """The log keys by which the first line is the author's (D9)."""
        if not lines:
            raise Bad("bad-head")
        pair = self.head_keys(head, lines[0].data, where)
        if not note.authors_line(head, lines[0], pair[0]):
            raise Bad("bad-head")
        return pair

    def expected(self, origin, log):
        """D8: the only policy that fits."""
        out = "log " + vkey(origin, 1, log) + "\n"
        for name, ed, pq in self.charter.witnesses:
            if ed and pq:
                out += "witness %s#ed25519 %s\n" % (name, vkey(name, 4, ed))
                out += "witness %s#mldsa44 %s\n" % (name, vkey(name, 6, pq))
                out += "group %s any %s#ed25519 %s#mldsa44\n" % (name, name, name)
            else:
                out += "witness %s %s\n" % (name, vkey(name, 4 if ed else 6, ed or pq))
        return (out + self.charter.rules[0]).encode()

    def report(self):
        if not self.tags.endswith("T"):
            raise Bad("wrong-section")
        return {"kind": "disclosed entry", "channel": self.charter.channel.hex(), "findings": []}


def vkey(name, kind, key):
    data = base64.b64encode(bytes([kind]) + key).decode()
    return "%s+%s+%s" % (name, note.key_id(name, kind, key).hex(), data)


def parse_proof(data):
    """D7: salt, entry, index, hashes, and the note under them."""
    lines = data.split(b"\n\n", 1)
    if len(lines) != 2:
        raise Bad("bad-proof")
    top, text = lines[0].decode("latin-1").split("\n"), lines[1]
    if not 3 <= len(top) <= 67 or top[0] != "c2sp.org/tlog-proof@v1" or not top[1].startswith("extra "):
        raise Bad("bad-proof")
    salt, e = decode(extra, note.unbase64(top[1][6:], "bad-proof"))
    digits = top[2][6:]
    if not top[2].startswith("index ") or not re.match("[0-9]+$", digits) or int(digits) > MAX:
        raise Bad("bad-proof")
    hashes = [note.unbase64(h, "bad-proof") for h in top[3:]]
    if any(len(h) != 32 for h in hashes):
        raise Bad("bad-proof")
    head_and_lines = note.parse(text)
    if digits != str(int(digits)):
        raise Bad("not-canonical")
    return salt, e, int(digits), hashes, head_and_lines


class Record(File):
    signed = True

    def __init__(self, channel):
        super().__init__(channel)
        self.checked, self.log, self.logs = False, None, []
        self.forks, self.raw_forks = [], []

    def section(self, tag, payload):
        if self.log and tag in "SE":
            return getattr(self, "on_" + tag)(payload)
        self.end_log()
        if self.n < 2:
            if tag != "IC"[self.n]:
                raise Bad("wrong-section")
            return getattr(self, "on_" + tag)(payload)
        if tag == "K" and not self.checked:
            return self.on_K(payload)
        self.check_inventory()
        if tag != self.due():
            raise Bad("bad-inventory" if self.due() in "LF" else "wrong-section")
        getattr(self, "on_" + tag)(payload)

    def due(self):
        """What the inventory lists next: a log, a fork, or nothing more."""
        if len(self.logs) < len(self.inventory[3]):
            return "L"
        return "F" if len(self.forks) < len(self.inventory[4]) else "Z"

    def before_end(self):
        self.end_log()
        if self.n < 2:
            raise Bad("wrong-section")
        self.check_inventory()
        if self.due() != "Z":
            raise Bad("bad-inventory")

    def on_I(self, payload):
        self.raw, self.inventory_sig = decode(I, payload)
        self.inventory = decode(inventory, self.raw)
        if self.told is not None and self.told != self.inventory[1]:
            raise Bad("wrong-channel")

    def on_C(self, payload):
        self.charter = charter.in_force(payload)
        if self.inventory[1] != self.charter.channel:
            raise Bad("bad-inventory")

    def check_inventory(self):
        if not self.checked and not self.exporter_signed(b"parley/export/1\n" + self.raw, self.inventory_sig):
            raise Bad("bad-inventory")
        self.checked = True

    def exporter_signed(self, message, sig):
        return any(ed_verify(k, message, sig) for k in self.all_keys(self.inventory[0], keys.RECEIPT))

    def ended(self, sig, before):
        if not self.exporter_signed(b"parley/export-end/1\n" + self.charter.channel + before, sig):
            raise Bad("bad-end")

    def on_L(self, payload):
        head, sig = decode(L, payload)
        newest = self.inventory[3][len(self.logs)]
        if head[:3] != newest[:3] or head[0] > len(self.charter.members) or head[3] > newest[3]:
            raise Bad("bad-inventory")
        if head[3] == newest[3] and head[4] != newest[4]:
            raise Bad("bad-inventory")
        self.log = Log(self, head, sig, newest[3])
        self.logs.append(self.log)

    def on_S(self, payload):
        self.log.cosignatures(decode(S, payload))
        self.log.hurt = self.log.hurt or not self.intact

    def on_E(self, payload):
        self.log.add(*decode(E, payload))
        if not self.intact:
            raise Bad("file-damaged")
        self.log.verify()

    def later(self, tag):
        return tag == "S"

    def cut(self):
        if self.log:
            self.log.broken()

    def end_log(self):
        if self.log:
            self.log.finish()
        self.log = None

    def on_F(self, payload):
        f = fork.parse(payload)
        if sha256(payload).digest() != self.inventory[4][len(self.forks)]:
            raise Bad("bad-inventory")
        self.check_fork(f)
        self.forks.append(f)
        self.raw_forks.append(payload)

    def report(self):
        return fold.report(self)


class Log:
    """One log of a record while its sections pass."""

    def __init__(self, file, head, sig, known):
        self.file, (self.party, self.lane, self.gen, self.size, self.root) = file, head
        channel = file.charter.channel
        self.origin, self.known = note.origin(channel, self.party, self.lane, self.gen), known
        self.tree, self.roots = tree.Tree(), [tree.EMPTY]  # roots[n] is that of size n
        self.pending, self.ready, self.last = [], [], None
        self.hurt, self.wrong = False, None
        self.leaves, self.opened, self.marks = [], {}, []
        self.pair = None
        if self.size:
            where = note.Origin(channel, self.party, self.lane, self.gen)
            self.pair = file.head_keys(note.Head(self.origin, self.size, self.root), sig, where)

    def cosignatures(self, some):
        """An S section: every cosignature in its place, by somebody of the charter."""
        c = self.file.charter
        if len(self.pending) + len(some) > 1 << 17:
            raise Bad("too-large")
        for signer, pq, size, time, sig in some:
            order = (size, signer, pq, time)
            if not self.tree.size < size <= min(self.size, self.tree.size + 256):
                raise Bad("wrong-section")
            if self.last is not None and self.last >= order:
                raise Bad("not-sorted")
            member = 1 <= signer <= len(c.members) and signer != self.party
            witness = 32 <= signer < 32 + len(c.witnesses)
            if not (member or witness or signer == 0 and pq):
                raise Bad("bad-receipt")
            self.last = order
            self.pending.append((signer, pq, size, time, sig))

    def add(self, first, some):
        """An E section: leaves in order, openings that fit (D12)."""
        if first != self.tree.size:
            raise Bad("wrong-section")
        for index, leaf in enumerate(some, first):
            if len(leaf) == 4:
                if entry.commitment(self.origin, index, leaf[2], leaf[3]) != leaf[1]:
                    raise Bad("bad-opening")
                self.opened[index] = fold.Opened(self, index, leaf[0], leaf[3])
        if first + len(some) > self.size:
            raise Bad("wrong-section")
        for to, c in (leaf[:2] for leaf in some):
            self.leaves.append(entry.leaf(to, c))
            self.tree.add(self.leaves[-1])
            self.roots.append(self.tree.root())
            while self.pending and self.pending[0][2] == self.tree.size:
                self.ready.append(self.pending.pop(0))
        if self.pending:
            raise Bad("wrong-section")

    def verify(self):
        """The cosignatures whose roots are known by now. One that fails is judged at
        the end of the log, where the root tells whether it or the leaves are wrong."""
        for signer, pq, size, time, sig in self.ready:
            head = note.Head(self.origin, size, self.roots[size])
            code, name, candidates = self.signer(signer, pq)
            if any(note.cosigned(head, name, pq, time, sig, k) for k in candidates):
                self.marks.append((size, signer, pq, time))
            elif self.hurt:
                raise Bad(code)
            else:
                self.wrong = self.wrong or code
        self.ready = []
        if self.hurt:
            raise Bad("file-damaged")

    def signer(self, signer, pq):
        """The code, the name and the keys of a cosignature's signer."""
        c = self.file.charter
        if signer == 0:
            return "bad-seal", self.origin, [self.pair[1]]
        if signer <= 20:
            which = keys.RECEIPTPQ if pq else keys.RECEIPT
            return "bad-receipt", note.receipt_name(c.channel, signer), self.file.all_keys(signer, which)
        name, ed, key = c.witnesses[signer - 32]
        return "bad-witness", name, [k for k in [key if pq else ed] if k]

    def broken(self):
        """The file goes wrong before the log's end."""
        if self.hurt:
            raise Bad("file-damaged")
        if self.wrong:
            raise Bad(self.wrong)

    def finish(self):
        if self.hurt:
            raise Bad("file-damaged")
        if self.tree.size != self.size:
            raise Bad(self.wrong or "wrong-section")
        if self.pending:
            raise Bad("wrong-section")
        if self.tree.root() != self.root:
            raise Bad("wrong-root")
        if self.wrong:
            raise Bad(self.wrong)
