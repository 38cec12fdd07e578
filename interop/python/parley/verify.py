"""The verdict on a file (disclosure.md)."""

from .cbor import Bad
from .files import Entry, Fork
from .record import Record

KINDS = {b"parley/record/1\n": Record, b"parley/disclosure/1\n": Entry, b"parley/fork/1\n": Fork}


def verify(data, channel=None):
    """The report of a sound file; Bad with the first broken rule of any other."""
    for first, kind in KINDS.items():
        if data.startswith(first):
            return kind(channel).read(data, first)
    raise Bad("bad-file")
