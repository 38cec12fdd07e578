#!/usr/bin/env python3
"""Runs every vector of spec/vectors through this implementation.

    vectors.py [--quiet] [DIRECTORY]

Prints a line for each vector whose outcome is not the expected one, and a count.
Exit status: 0 all as expected, 1 some are not, 2 no vectors.
"""

import os
import sys
import zlib

from parley import charter, ed25519, entry, files, fork, frames, hotline, kem, keys, note, record, release, symmetric, tree
from parley.cbor import Bad, decode
from parley.verify import verify


def load(path):
    """The header and the input of one vector."""
    with open(path, encoding="utf-8") as f:
        top, _, digits = f.read().partition("\n\n")
    header = dict(line.split(": ", 1) for line in top.splitlines())
    return header, bytes.fromhex("".join(digits.split()))


def outcome(page, h, data):
    """ok, or the code of the first broken rule."""
    try:
        PAGES[page](h, data)
    except Bad as bad:
        return bad.code
    return "ok"


def need(holds, code="output-differs"):
    """What a vector's header says must come out; no rule's code."""
    if not holds:
        raise Bad(code)


def run_charter(h, data):
    if h["form"] == "charter":
        c = charter.Charter(data)
    elif h.get("in-force") == "true":
        c = charter.in_force(data)
    else:
        c, _ = charter.parse_signed(data)
    need(h.get("channel") in (None, c.channel.hex()))


def run_entry(h, data):
    e = entry.parse(data)
    if "members" in h:
        entry.check_audience(e.to, int(h["author"]), int(h["members"]))
    entry.check(e, int(h["lane"]))


def run_journal(h, data):
    op = h["op"]
    if op == "opening":
        c = entry.commitment(h["origin"], int(h["index"]), bytes.fromhex(h["salt"]), data)
        need(entry.leaf(int(h["to"]), c).hex() == h["leaf"], "bad-opening")
    elif op == "place":
        place = entry.Place(h["origin"], int(h["index"]), int(h["to"]))
        entry.check_place(data, place, int(h["members"]), int(h["max-entry"]))
    elif op in ("consistency", "inclusion"):
        hashes = [data[i : i + 32] for i in range(0, len(data), 32)] if len(data) % 32 == 0 else [b""]
        root, size = bytes.fromhex(h["root"]), int(h["size"])
        if op == "consistency":
            good = tree.consistent(int(h["from"]), bytes.fromhex(h["from-root"]), size, root, hashes)
        else:
            good = tree.included(bytes.fromhex(h["leaf"]), int(h["index"]), size, root, hashes)
        need(good, "bad-proof")
    elif op == "head":
        head, lines = note.parse(data)
        note.parse_origin(head.origin)
        key = bytes.fromhex(h["log-ed"])
        need(any(note.authors_line(head, line, key) for line in lines), "bad-head")
    else:
        fork.check(fork.parse(data), [bytes.fromhex(h["log-ed"])])


def run_receipts(h, data):
    if h["op"] == "time":
        names = h["witnesses"].split()
        groups = charter.parse_quorum(h["quorum"].replace("/", "\n"), names)
        lines = [line.split() for line in data.decode().splitlines()]
        got = note.not_after(
            int(h["index"]),
            [(n, int(s), int(t)) for n, s, t, _ in lines if n in names],
            lambda seen: charter.met(groups, seen),
        )
        return need(str(got).lower() == h["not-after"])
    head, lines = note.parse(data)
    where = note.parse_origin(head.origin)
    need(lines, "bad-checkpoint")
    key, signer, line = bytes.fromhex(h["key"]), h["signer"], lines[0]
    if signer == "author":
        name, code = head.origin, "bad-seal"
    elif signer.startswith("member "):
        name, code = note.receipt_name(where.channel, int(signer[7:])), "bad-receipt"
        need(int(signer[7:]) != where.party, "bad-receipt")
    else:
        name, code = signer[8:], "bad-witness"
    need(line.name == name, "bad-receipt")
    note.check_line(head, line, code, [key])


def run_keys(h, data):
    op = h["op"]
    if op == "node-keys":
        keys.check(keys.parse(data), bytes.fromhex(h["root-id"]))
    elif op == "derive":
        leaf = bytes.fromhex(h["leaf"]) if "leaf" in h else None
        need(keys.derive(data, h["label"], h["origin"], int(h["index"]), leaf).hex() == h["output"])
    elif op == "unwrap":
        key = kem.unwrap(bytes.fromhex(h["seed"]), bytes.fromhex(h["info"]), data)
        need(key is not None, "cannot-open")
        need(key.hex() == h["key"])
    else:
        channel, member, gen = bytes.fromhex(h["channel"]), int(h["member"]), bytes.fromhex(h["gen"])
        if op == "rootkeys":
            root = bytes.fromhex(h["root-ed"]), bytes.fromhex(h["root-pq"])
            keys.check_rootkeys(decode(keys.rootkeys, data), channel, member, gen, *root)
        else:
            body = decode(keys.keysbody, data)
            keys.check_keys(body, channel, member, gen, int(h["index"]), bytes.fromhex(h["log-ed"]))


def run_disclosure(h, data):
    op = h["op"]
    if op == "tlog-proof":
        files.parse_proof(data)
    elif op == "inventory":
        decode(record.inventory, data)
    else:
        verify(data, bytes.fromhex(h["channel"]) if "channel" in h else None)


def run_hotline(h, data):
    values = (int(h.get(name, default)) for name, default in (("author", 1), ("lane", 0), ("to", 0), ("members", 4)))
    hotline.check(int(h["kind"]), data, *values)


def run_release(h, data):
    kind = int(h.get("kind", 1))
    author, lane, to = int(h.get("author", 1)), int(h.get("lane", 3 if kind == release.ROSTER else 0)), int(h.get("to", 0))
    if kind == release.ROSTER:
        release.read_roster(data, lane, to)
    elif h["op"] == "digest":
        of = release.digest(lane, kind, to, data)
        got = release.challenge(bytes.fromhex(h["channel"]), author, int(h["step"]), bytes.fromhex(h["nonce"]), of)
        need(of.hex() == h["digest"] and got.hex() == h["challenge"])
    else:
        r = release.read_release(data, author)
        officers = release.read_roster(bytes.fromhex(h["roster"]))
        release.check(r, officers, bytes.fromhex(h["channel"]), author, (lane, 1, to, bytes.fromhex(h["body"])))


def run_frames(h, data):
    if "stream" in h:
        data = frames.from_stream(data, int(h["stream"]))
    kind = frames.parse(data)
    if "entry" in h:
        need(opened(h, kind, data) == bytes.fromhex(h["entry"]))
    if "size" in h:
        head = note.Head(h["origin"], int(h["size"]), bytes.fromhex(h["root"]))
        if kind == frames.RECEIPT:
            time = int.from_bytes(data[6:10], "big")
            name = note.receipt_name(note.parse_origin(head.origin).channel, data[1] & 31)
            need(note.cosigned(head, name, 0, time, data[-64:], bytes.fromhex(h["receipt-key"])))
        else:
            need(note.author_signed(head, data[-64:], bytes.fromhex(h["log-key"])))
    if kind == frames.GRANT and "log-key" in h:
        message = b"parley/grant/1\n" + bytes.fromhex(h["channel"]) + data[1:-64]
        need(ed25519.verify(bytes.fromhex(h["log-key"]), message, data[-64:]))


def opened(h, kind, data):
    """The plaintext of a sealed frame, inflated."""
    key = bytes.fromhex(h["key"])
    if kind == frames.OPEN:
        key = keys.derive(key, "open", h["origin"], int.from_bytes(data[14:22], "big"), data[22:54])
        return symmetric.gcm_open(key, data[54:66], data[66:], data[:66])[32:]
    key = keys.derive(key, "entry", h["origin"], int(h["size"]) - 1)
    plain = symmetric.gcm_open(key, data[6:18], data[18:-64], data[:18])
    return zlib.decompress(plain, -15) if data[1] & 1 else plain


PAGES = {
    "charter": run_charter,
    "disclosure": run_disclosure,
    "entry": run_entry,
    "frames": run_frames,
    "hotline": run_hotline,
    "journal": run_journal,
    "keys": run_keys,
    "receipts": run_receipts,
    "release": run_release,
}


def main(arguments):
    if "--help" in arguments:
        print(__doc__)
        return 0
    quiet = "--quiet" in arguments
    rest = [a for a in arguments if a != "--quiet"]
    root = rest[0] if rest else os.path.join(os.path.dirname(__file__), "..", "..", "spec", "vectors")
    count = wrong = 0
    for page in sorted(os.listdir(root)):
        for name in sorted(os.listdir(os.path.join(root, page))):
            header, data = load(os.path.join(root, page, name))
            got = outcome(header["page"], header, data)
            count += 1
            if got != header["expect"]:
                wrong += 1
                print("%s/%s: %s, expected %s" % (page, name, got, header["expect"]))
    if not quiet or wrong:
        print("%d vectors, %d with another outcome" % (count, wrong))
    return 2 if count == 0 else 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
