"""Entries, their fields, the protocol's own bodies (entry.md), their leaves and
places (journal.md J1 to J4)."""

from collections import namedtuple
from hashlib import sha256

from . import keys, note
from .cbor import Bad, bstr, decode, fields, items, nullable, tstr, uint

KEYS, LIST, OPENING, NOTICE, GENERATION, ROOTKEYS, CLOSING = 4, 10, 11, 12, 13, 16, 18
TO_ALL = {KEYS, NOTICE, GENERATION, ROOTKEYS, CLOSING}
MOST = 1 << 20

head = fields(uint(1, 20), uint(0, 4), bstr(8), uint(), bstr(32))
ref = fields(uint(1, 20), uint(0, 4), bstr(8), uint(), bstr(32))


def heads(most):
    return items(0, most, head, key=lambda h: h[:3])


entry = fields(uint(), uint(0, 2**21 - 1), uint(), heads(64), bstr(0, MOST))

Entry = namedtuple("Entry", "kind to time seen body")
Place = namedtuple("Place", "origin index to")

BODIES = {
    KEYS: keys.keysbody,
    LIST: fields(nullable(ref), items(0, 10000, tstr(0, 4096))),
    OPENING: fields(ref, bstr(32), bstr(1, MOST)),
    NOTICE: fields(tstr(1, 64), bstr(0, MOST)),
    GENERATION: fields(
        items(0, 1024, bstr(8), key=lambda g: g), uint(0, 5), heads(1024), nullable(keys.rootkeys)
    ),
    ROOTKEYS: keys.rootkeys,
    CLOSING: fields(bstr(32), heads(1024)),
}


def parse(data):
    """E1 to E10 and E12."""
    if len(data) > MOST:
        raise Bad("too-large")
    e = Entry(*decode(entry, data))
    if e.kind == 0:
        raise Bad("out-of-range")
    if e.to & 1 and e.to != 1:
        raise Bad("bad-audience")
    return e


def check_audience(to, author, members):
    """E13."""
    others = sum(1 << n for n in range(1, members + 1) if n != author)
    if to > 1 and (to & ~others or to == others):
        raise Bad("bad-audience")


def check(e, lane):
    """E14 to E24; returns the body, or None of a kind that is not the protocol's."""
    if e.kind in TO_ALL and e.to != 0:
        raise Bad("kind-needs-all")
    if e.kind in (KEYS, ROOTKEYS) and lane != 3:
        raise Bad("kind-wrong-lane")
    if lane <= 1 and len(e.seen) > 4 and e.kind != GENERATION:
        raise Bad("wrong-length")
    if e.kind not in BODIES:
        return None
    body = decode(BODIES[e.kind], e.body)
    if e.kind == GENERATION and body[3] and lane != 3:
        raise Bad("kind-wrong-lane")
    if e.kind == OPENING:
        inner = parse(body[2])
        if inner.to != 1:
            raise Bad("bad-audience")
        if not (inner.kind in (1, 2, LIST) or inner.kind >= 32):
            raise Bad("out-of-range")
    return body


def commitment(origin, index, salt, data):
    return sha256(("parley/entry/1\n%s\n%d\n" % (origin, index)).encode() + salt + data).digest()


def leaf(to, c):
    return sha256(b"\x00" + to.to_bytes(4, "big") + c).digest()


def check_place(data, place, members, most):
    """J3 and J4; returns the entry and its body."""
    where = note.parse_origin(place.origin)
    e = parse(data)
    if len(data) > most:
        raise Bad("too-large")
    if e.to != place.to:
        raise Bad("bad-audience")
    check_audience(e.to, where.party, members)
    body = check(e, where.lane)
    if (e.kind == GENERATION) != (place.index == 0):
        raise Bad("generation-place")
    return e, body
