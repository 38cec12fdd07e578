"""Charters (charter.md)."""

from hashlib import sha256

from . import ed25519, keys, mldsa, unicode15
from .cbor import Bad, bstr, decode, fields, items, nullable, tstr, uint
from .entry import heads

text = tstr(0, 200)
member = fields(uint(1, 20), uint(0, 2), text, bstr(32), bstr(1312), keys.nodekeys)
witness = fields(text, nullable(bstr(32)), nullable(bstr(1312)))
rules = fields(
    tstr(0, 16384), uint(), uint(), uint(), uint(), uint(), items(5, 5, uint()), uint(), uint(0, 1)
)


def version(r):
    n = uint()(r)
    if n != 1:
        raise Bad("wrong-version")
    return n


charter = fields(
    version, text, nullable(bstr(32)), heads(1024), items(2, 20, member), items(0, 64, witness), rules, uint()
)
signature = fields(uint(1, 20), bstr(64), bstr(2420))
signed = fields(bstr(1, 262144), items(0, 20, signature, key=lambda s: s[0]))


class Charter:
    """A charter that satisfies C1 to C13."""

    def __init__(self, data):
        if len(data) > 262144:
            raise Bad("too-large")
        _, self.name, self.prev, self.finals, self.members, self.witnesses, self.rules, _ = decode(charter, data)
        self.channel = sha256(b"parley/charter/1\n" + data).digest()
        self._check()
        self.groups = parse_quorum(self.rules[0], [w[0] for w in self.witnesses])
        self.max_entry = self.rules[7]

    def _check(self):
        """C3 to C11 in the order that the page gives."""
        self._named, self._known = set(), set()
        if not good_name(self.name):
            raise Bad("bad-name")
        if self.finals and self.prev is None:
            raise Bad("wrong-length")
        for place, (index, _, name, ed, pq, k) in enumerate(self.members, 1):
            if index != place:
                raise Bad("bad-members")
            self._name(name)
            if not ed25519.good_key(ed):
                raise Bad("bad-key")
            self._once(keys.listed(k) + [ed, pq])
            keys.check(k, keys.root_id(ed, pq))
        for name, ed, pq in self.witnesses:
            self._name(name)
            if " " in name or "+" in name or name == "none":
                raise Bad("bad-name")
            if ed is None and pq is None or ed is not None and not ed25519.good_key(ed):
                raise Bad("bad-key")
            self._once([key for key in (ed, pq) if key is not None])
        _, window, prepos, grace, kem_max, heartbeat, _, max_entry, _ = self.rules
        if window < 60 or heartbeat < 1 or kem_max < window or not 1024 <= max_entry <= 1 << 20:
            raise Bad("out-of-range")
        if max(window, prepos, grace, kem_max, heartbeat) > 2**31 - 1:
            raise Bad("out-of-range")

    def _name(self, name):
        if not good_name(name) or name in self._named:
            raise Bad("bad-name")
        self._named.add(name)

    def _once(self, some):
        for key in some:
            if key in self._known:
                raise Bad("key-repeated")
            self._known.add(key)

    def met(self, witnesses):
        """Is the quorum met by the set of those witnesses' names?"""
        return met(self.groups, witnesses)


def parse_signed(data):
    """A signed charter (C14): the charter, and the members that signed."""
    if len(data) > 314144:
        raise Bad("too-large")
    inner, signatures = decode(signed, data)
    c = Charter(inner)
    for index, ed, pq in signatures:
        if index > len(c.members):
            raise Bad("bad-members")
        message, m = b"parley/charter/1\n" + c.channel, c.members[index - 1]
        if not (ed25519.verify(m[3], message, ed) and mldsa.verify(m[4], message, pq)):
            raise Bad("bad-signature")
    return c, [s[0] for s in signatures]


def in_force(data):
    """C15."""
    c, members = parse_signed(data)
    if len(members) != len(c.members):
        raise Bad("not-all-signed")
    return c


def good_name(name):
    """C5."""
    raw = name.encode("utf-8")
    return (
        1 <= len(raw) <= 64
        and name[0] != " "
        and name[-1] != " "
        and all(c == " " or unicode15.shown(ord(c)) for c in name)
    )


def parse_quorum(text, witnesses):
    """C12: the groups by name, and under None the name of the quorum."""
    if not text.endswith("\n"):
        raise Bad("bad-quorum")
    lines = [line.split(" ") for line in text[:-1].split("\n")]
    groups, used = {}, set()
    for line in lines[:-1]:
        if line[0] != "group" or len(line) < 4:
            raise Bad("bad-quorum")
        name, threshold, names = line[1], line[2], line[3:]
        if not good_name(name) or name == "none" or name in groups or name in witnesses:
            raise Bad("bad-quorum")
        for m in names:
            if m in used or not (m in groups or m in witnesses):
                raise Bad("bad-quorum")
            used.add(m)
        groups[name] = (_threshold(threshold, len(names)), names)
    last = lines[-1]
    if len(last) != 2 or last[0] != "quorum" or not (last[1] == "none" or last[1] in groups or last[1] in witnesses):
        raise Bad("bad-quorum")
    groups[None] = last[1]
    return groups


def _threshold(word, n):
    if word in ("any", "all"):
        return 1 if word == "any" else n
    if not (word.isascii() and word.isdigit()) or word[0] == "0" or int(word) > n:
        raise Bad("bad-quorum")
    return int(word)


def met(groups, witnesses):
    def holds(name):
        if name not in groups:
            return name in witnesses
        threshold, names = groups[name]
        return sum(holds(m) for m in names) >= threshold

    return groups[None] == "none" or holds(groups[None])
