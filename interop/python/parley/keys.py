"""Keys: node keys, possession, ROOTKEYS, KEYS, derivations (keys.md)."""

from hashlib import sha256

from . import ed25519, kem, mldsa
from .cbor import Bad, bstr, decode, encode, fields, items, tstr, uint
from .symmetric import expand

nodekeys = fields(
    uint(), bstr(32), bstr(1312), bstr(32), bstr(1312), items(1, 8, bstr(32)), fields(bstr(64), bstr(64))
)
_rootkeys = fields(uint(), nodekeys, bstr(64), bstr(2420))
keysbody = fields(bstr(1216), uint(), items(0, 16, tstr(1, 256)), bstr(64))



def rootkeys(r):
    """ROOTKEYS, of which K6 is part of the form."""
    out = _rootkeys(r)
    if out[0] != out[1][SERIAL]:
        raise Bad("bad-serial")
    return out


SERIAL, LOG, LOGPQ, RECEIPT, RECEIPTPQ, TLS, PROOFS = range(7)


def root_id(ed, pq):
    return sha256(ed + pq).digest()


def listed(k):
    """Every public key of node keys."""
    return k[LOG : RECEIPTPQ + 1] + k[TLS]


def check(k, rootid):
    """K5, K2, K3 and K4 in this order, K5 without the root's keys."""
    if len(set(listed(k))) != len(listed(k)):
        raise Bad("key-repeated")
    for key in [k[LOG], k[RECEIPT]] + k[TLS]:
        if not ed25519.good_key(key):
            raise Bad("bad-key")
    for use, key in ((1, k[LOG]), (2, k[RECEIPT])):
        if not ed25519.verify(key, b"parley/possess/1\n" + rootid + bytes([use]) + key, k[PROOFS][use - 1]):
            raise Bad("no-possession")


def check_rootkeys(r, channel, member, gen, root_ed, root_pq):
    """K7 and the rules of node keys, of ROOTKEYS that has its form."""
    serial, k, ed, pq = r
    message = b"parley/rootkeys/1\n" + channel + bytes([member]) + serial.to_bytes(8, "big") + gen
    message += sha256(encode(k)).digest()
    if not (ed25519.verify(root_ed, message, ed) and mldsa.verify(root_pq, message, pq)):
        raise Bad("bad-signature")
    if root_ed in listed(k) or root_pq in listed(k):
        raise Bad("key-repeated")
    check(k, root_id(root_ed, root_pq))


def check_signed(body, channel, member, gen, index, log):
    """K9."""
    message = b"parley/keys/1\n" + channel + bytes([member]) + gen + index.to_bytes(8, "big")
    if not ed25519.verify(log, message + encode(body[:3]), body[3]):
        raise Bad("bad-signature")


def check_keys(body, channel, member, gen, index, log):
    """K9 and K10 of a KEYS body that has its form."""
    check_signed(body, channel, member, gen, index, log)
    if not kem.good_key(body[0]):
        raise Bad("bad-key")


def derive(key, label, origin, index, leaf=None):
    """K11 to K13: label is salt, entry or open."""
    info = ("parley/%s/1\n%s\n%d" % (label, origin, index)).encode()
    return expand(key, info if leaf is None else info + b"\n" + leaf)


def parse(data):
    return decode(nodekeys, data)
