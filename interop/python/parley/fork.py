"""The proof of a fork (journal.md J10 to J13)."""

from . import note, tree
from .cbor import Bad, bstr, decode, fields, items, nullable, uint

signed = fields(uint(), bstr(32), bstr(64))
fork = fields(
    bstr(32), uint(1, 20), uint(0, 4), bstr(8), signed, signed, nullable(bstr(32)), items(0, 64, bstr(32))
)


def parse(data):
    """J13: the form."""
    return decode(fork, data)


def check(f, logs):
    """J10 to J12: two histories, both heads signed by one of those keys."""
    histories(f)
    origin = note.origin(*f[:4])
    for key in logs:
        if all(note.author_signed(note.Head(origin, s, r), sig, key) for s, r, sig in f[4:6]):
            return
    raise Bad("bad-signature")


def histories(f):
    (size, root, _), (size2, root2, _), other, proof = f[4:]
    if size > size2:
        raise Bad("not-sorted")
    if size == size2:
        if root == root2 or other is not None or proof:
            raise Bad("no-fork")
        if root > root2:
            raise Bad("not-sorted")
        return
    if size < 1 or other is None or other == root:
        raise Bad("no-fork")
    if not tree.consistent(size, other, size2, root2, proof):
        raise Bad("bad-proof")
