"""Frames (frames.md, Rules of form: F1 to F18)."""


from .cbor import MAX, Bad, bstr, decode, fields, items, uint
from .entry import heads

HELLO, ENTRY, BLIND, RECEIPT, HEADS, HAVE, WANT, OPEN = range(8)
PAD, PING, CLEAR, GRANT = 9, 10, 11, 12
RESERVED = {8, 13, 14, 15} | set(range(16, 32))
MOST, LONGEST = 1 << 20, 1 << 21
EXACT = {HELLO: 52, BLIND: 106, RECEIPT: 74, PING: 14, GRANT: 1265}
LEAST = {ENTRY: 99, HEADS: 2, HAVE: 2, WANT: 2, OPEN: 115, PAD: 1, CLEAR: 111}


def keyid(r):
    k = bstr(8)(r)
    if k[:2] == b"\x00\x00":
        raise Bad("frame-keyid")
    return k


have = fields(heads(1024), items(0, 1024, keyid, key=lambda k: k))


def _item(r):
    """[party, lane, gen, first, last, form, reason], or four fields: reserved."""
    n = r.head(4)
    if n == 4:
        raise Bad("frame-reserved")
    if n != 7:
        raise Bad("wrong-length")
    out = [schema(r) for schema in (uint(1, 20), uint(0, 4), bstr(8), uint(), uint())]
    if out[3] > out[4]:
        raise Bad("frame-span")
    out.append(uint(0, 255)(r))
    if out[5] > 4:
        raise Bad("frame-reserved")
    return out + [uint(0, 3)(r)]


want = items(1, 16, _item)


def parse(f):
    """The type of a frame of good form, and the fields that vectors ask for."""
    if not f:
        raise Bad("frame-length")
    if len(f) > LONGEST:
        raise Bad("too-large")
    if f[0] >> 5 != 1:
        raise Bad("frame-version")
    kind = f[0] & 31
    if kind in RESERVED:
        raise Bad("frame-reserved")
    if len(f) < LEAST.get(kind, 0) or len(f) != EXACT.get(kind, len(f)):
        raise Bad("frame-length")
    most = {ENTRY: 98 + MOST, OPEN: 114 + MOST, CLEAR: 110 + MOST, HEADS: 1 + MOST}
    if len(f) > most.get(kind, len(f)):
        raise Bad("frame-length")
    CHECKS[kind](f)
    return kind


def _lane(b):
    if b >> 5 > 4:
        raise Bad("frame-lane")


def _member(n):
    if not 1 <= n <= 20:
        raise Bad("frame-member")


def _al(b):
    _lane(b)
    _member(b & 31)


def _flag(b):
    if b > 1:
        raise Bad("frame-flags")


def _long(f, at):
    if int.from_bytes(f[at : at + 8], "big") > MAX:
        raise Bad("frame-number")


def _audience(to, author):
    if to != 1 and to & ~(2**21 - 2) or to >> author & 1:
        raise Bad("bad-audience")


def _hello(f):
    _member(f[34])
    _flag(f[35])
    _long(f, 44)


def _entry(f):
    _lane(f[1])
    if f[1] & 28:
        raise Bad("frame-flags")


def _blind(f):
    _al(f[1])
    _audience(int.from_bytes(f[6:10], "big"), f[1] & 31)


def _heads(f):
    text, empty, lines = f[1:].partition(b"\n\n")
    if not empty or text.count(b"\n") != 2 or not 1 <= lines.count(b"\n") <= 64 or lines[-1:] != b"\n":
        raise Bad("frame-note")


def _open(f):
    _al(f[1])
    _long(f, 14)


def _pad(f):
    if any(f[1:]):
        raise Bad("frame-padding")


def _ping(f):
    _flag(f[1])
    _long(f, 6)


def _grant(f):
    author, recipient, keyid = f[3], f[4], f[5:13]
    to = int.from_bytes(f[13:17], "big")
    _member(author)
    _member(recipient)
    if keyid[:2] == b"\x00\x00":
        raise Bad("frame-keyid")
    _audience(to, author)
    if recipient == author or to == 1 or to > 1 and not to >> recipient & 1:
        raise Bad("frame-recipient")
    _long(f, 17)
    _long(f, 25)
    if f[17:25] >= f[25:33]:
        raise Bad("frame-window")


CHECKS = {
    HELLO: _hello,
    ENTRY: _entry,
    BLIND: _blind,
    RECEIPT: lambda f: _al(f[1]),
    HEADS: _heads,
    HAVE: lambda f: decode(have, f[1:]),
    WANT: lambda f: decode(want, f[1:]),
    OPEN: _open,
    PAD: _pad,
    PING: _ping,
    CLEAR: lambda f: _al(f[1]),
    GRANT: _grant,
}


def from_stream(data, most):
    """The first frame of a stream, for a reader of frames of at most that length (F5)."""
    if len(data) < 3:
        raise Bad("truncated")
    n = int.from_bytes(data[:3], "big")
    if n == 0:
        raise Bad("frame-length")
    if n > min(most, LONGEST):
        raise Bad("too-large")
    if len(data) < 3 + n:
        raise Bad("truncated")
    return data[3 : 3 + n]
