"""The frame of the three files, and the two small ones (disclosure.md): a
disclosed entry and the proof of a fork. Records are in record.py."""

import base64
import re
from hashlib import sha256

from . import charter, entry, fork, keys, note, tree
from .cbor import MAX, Bad, Reader, bstr, decode, fields, uint

SECTION = 4 << 20

K = fields(uint(1, 20), bstr(8), keys.rootkeys)
extra = fields(bstr(32), bstr(0, entry.MOST))


def Z(signed):
    def null(r):
        if not r.null():
            raise Bad("wrong-type")

    return fields(uint(), bstr(64) if signed else null)


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
