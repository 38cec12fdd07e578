"""Heads as notes, and the lines under them (journal.md, Heads; receipts.md)."""

import base64
import binascii
import re
from collections import namedtuple
from hashlib import sha256

from . import ed25519, mldsa
from .cbor import MAX, Bad

ORIGIN = re.compile(r"parley/([0-9a-f]{64})/([1-9]|1[0-9]|20)/([0-4])/([0-9a-f]{16})\Z")
RECEIPT = re.compile(r"parley/([0-9a-f]{64})/([1-9]|1[0-9]|20)/receipt\Z")

Head = namedtuple("Head", "origin size root")
Line = namedtuple("Line", "name id data")
Origin = namedtuple("Origin", "channel party lane gen")


def origin(channel, party, lane, gen):
    return "parley/%s/%d/%d/%s" % (channel.hex(), party, lane, gen.hex())


def parse_origin(text):
    m = ORIGIN.match(text)
    if not m:
        raise Bad("bad-origin")
    return Origin(bytes.fromhex(m[1]), int(m[2]), int(m[3]), bytes.fromhex(m[4]))


def text(head):
    root = base64.b64encode(head.root).decode()
    return ("%s\n%d\n%s\n" % (head.origin, head.size, root)).encode()


def unbase64(s, code):
    """Strict base64: padded, and unused bits zero."""
    try:
        data = base64.b64decode(s, validate=True)
    except (binascii.Error, ValueError):
        raise Bad(code, "base64")
    if base64.b64encode(data).decode() != s:
        raise Bad(code, "base64")
    return data


def number(s, code):
    """A decimal number without leading zeros, below 2^53."""
    if not re.match(r"(0|[1-9][0-9]{0,15})\Z", s) or int(s) > MAX:
        raise Bad(code, "a number")
    return int(s)


def parse(data):
    """A note and its lines (J9), but for whether its first line is an origin."""
    body, empty, rest = data.decode("utf-8", "surrogateescape").partition("\n\n")
    lines = body.split("\n")
    if not empty or len(lines) != 3 or rest and not rest.endswith("\n"):
        raise Bad("bad-checkpoint", "not three lines, an empty line and signatures")
    if not 1 <= len(raw(lines[0])) <= 255 or " " in lines[0] or "+" in lines[0]:
        raise Bad("bad-checkpoint", "the first line is no name")
    head = Head(lines[0], number(lines[1], "bad-checkpoint"), unbase64(lines[2], "bad-checkpoint"))
    if len(head.root) != 32:
        raise Bad("bad-checkpoint", "the root")
    rest = rest.split("\n")[:-1]
    if len(rest) > 64:
        raise Bad("wrong-length", "signature lines")
    return head, [_line(s) for s in rest]


def _line(s):
    m = re.match(r"\u2014 ([^ +]+) ([^ ]+)\Z", s)
    if not m:
        raise Bad("bad-checkpoint", "a signature line")
    data = unbase64(m[2], "bad-checkpoint")
    if len(data) < 5:
        raise Bad("bad-checkpoint", "a signature line")
    return Line(m[1], data[:4], data[4:])


def key_id(name, kind, key):
    return sha256(raw(name) + b"\n" + bytes([kind]) + key).digest()[:4]


def author_signed(head, signature, key):
    """J8, without the line around it."""
    return ed25519.verify(key, text(head), signature)


def authors_line(head, line, key):
    """J8."""
    return line.name == head.origin and line.id == key_id(head.origin, 1, key) and author_signed(head, line.data, key)


def cosigned(head, name, pq, time, signature, key):
    """The signature of a receipt, seal or witness (receipts.md, Forms)."""
    if not 1 <= time <= MAX:
        return False
    if not pq:
        return ed25519.verify(key, b"cosignature/v1\ntime %d\n" % time + text(head), signature)
    message = b"subtree/v1\n\x00" + _short(name) + time.to_bytes(8, "big") + _short(head.origin)
    message += bytes(8) + head.size.to_bytes(8, "big") + head.root
    return mldsa.verify(key, message, signature)


def raw(name):
    return name.encode("utf-8", "surrogateescape")


def _short(name):
    return bytes([len(raw(name))]) + raw(name)


def receipt_name(channel, member):
    return "parley/%s/%d/receipt" % (channel.hex(), member)


def check_line(head, line, code, keys):
    """One cosignature line against the keys of its name; returns (pq, time).

    code is what a signature that verifies under none of them breaks: bad-receipt
    (R1 to R4), bad-seal (R5) or bad-witness (R6). A key ID of another key than
    the one that verifies is bad-checkpoint (R2).
    """
    if len(line.data) < 8:
        raise Bad("bad-receipt")
    time, signature = int.from_bytes(line.data[:8], "big"), line.data[8:]
    pq = len(signature) == mldsa.SIG_BYTES
    for key in keys:
        if (len(key) != 32) == pq and cosigned(head, line.name, pq, time, signature, key):
            if line.id != key_id(line.name, 6 if pq else 4, key):
                raise Bad("bad-checkpoint", "the key ID is of another key")
            return pq, time
    raise Bad(code)


def not_after(index, cosignatures, met):
    """R7: the least t such that met holds of the witnesses with a time of at most t.

    cosignatures are (witness, size, time)."""
    seen = set()
    for time, size, name in sorted((t, s, n) for n, s, t in cosignatures if t and s > index):
        seen.add(name)
        if met(seen):
            return time
    return None
