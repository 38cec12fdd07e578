"""What a sound record says: which entries stand and with which mark (journal.md,
J3 to J5 and J14 to J18; disclosure.md, "A verifier MUST report")."""

from collections import namedtuple

from . import entry, fork, keys, note
from .cbor import Bad

Cite = namedtuple("Cite", "log size root is_ref by")  # log is (party, lane, gen)

MALFORMED, DISPUTED = "MALFORMED", "DISPUTED CITATION"
BEFORE_BREAK, REVOKED = "SENT BEFORE THE BREAK", "AFTER REVOCATION"


class Opened:
    """An entry of a record whose opening fits. bad-rootkeys breaks the file; every
    other broken rule makes the entry MALFORMED, without effect."""

    def __init__(self, log, index, to, data):
        self.index, self.kind, self.body, self.malformed, self.seen = index, None, None, None, []
        c = log.file.charter
        try:
            self.seen = entry.parse(data).seen
            place = entry.Place(log.origin, index, to)
            e, body = entry.check_place(data, place, len(c.members), c.max_entry)
            self.meaning(log, e, body)
            self.kind, self.body = e.kind, body
        except Bad as bad:
            if bad.code == "bad-rootkeys":
                raise
            self.malformed = bad.code

    def meaning(self, log, e, body):
        """What the body says of keys and commitments must hold."""
        channel = log.file.charter.channel
        if e.kind == entry.ROOTKEYS or e.kind == entry.GENERATION and body[3]:
            r = body if e.kind == entry.ROOTKEYS else body[3]
            if (log.party, log.gen, r) not in log.file.rootkeys:
                m = log.file.charter.members[log.party - 1]
                keys.check_rootkeys(r, channel, log.party, log.gen, m[3], m[4])
                raise Bad("bad-rootkeys")
        elif e.kind == entry.KEYS:
            keys.check_signed(body, channel, log.party, log.gen, self.index, log.pair[0])
        elif e.kind == entry.OPENING:
            (party, lane, gen, index, leaf), salt, inner = body
            if party != log.party:
                raise Bad("bad-audience")
            origin = note.origin(channel, party, lane, gen)
            if entry.leaf(1, entry.commitment(origin, index, salt, inner)) != leaf:
                raise Bad("bad-opening")

    def cites(self):
        """Every head and reference that the entry names."""
        for h in self.seen:
            yield Cite(tuple(h[:3]), h[3], h[4], False, self.index)
        if self.malformed:
            return
        named = {entry.GENERATION: 2, entry.CLOSING: 1}.get(self.kind)
        for h in self.body[named] if named else []:
            yield Cite(tuple(h[:3]), h[3], h[4], False, self.index)
        ref = self.body[0] if self.kind in (entry.LIST, entry.OPENING) else None
        if ref:
            yield Cite(tuple(ref[:3]), ref[3] + 1, ref[4], True, self.index)


class Generation:
    """What the GENERATION entries of one generation say together."""

    def __init__(self, gen, serial):
        self.gen, self.serial, self.prev, self.last, self.root = gen, serial, set(), {}, False

    def add(self, party, body):
        prev, _, last, rootkeys = body
        self.root = self.root or rootkeys is not None
        self.prev.update(prev)
        for p, lane, gen, size, _ in last:
            if p == party:
                self.last[lane, gen] = max(size, self.last.get((lane, gen), 0))


def report(record):
    """Counts and marks of a record, and the lines that say them to people."""
    logs = {(l.party, l.lane, l.gen): l for l in record.logs}
    r = {"kind": "record", "channel": record.charter.channel.hex()}
    marks, named = [], {}

    def name(log, size):
        if log not in logs or logs[log].size < size:
            named[log] = max(size, named.get(log, 0))

    closed = after_closing(record)
    marks += ["%s %d-%d %s" % (l.origin, at, l.size, MALFORMED) for l, at in closed]
    for l in record.logs:
        name((l.party, l.lane, l.gen), l.known)
    for f in record.forks:
        name(tuple(f[1:4]), f[5][0])
    for l in record.logs:
        for o in l.opened.values():
            if o.malformed and o.malformed != "after CLOSING":
                marks.append("%s %d %s" % (l.origin, o.index, MALFORMED))
            for c in o.cites():
                there = logs.get(c.log)
                if there is None or there.size < c.size:
                    name(c.log, c.size)
                elif (there.leaves[c.size - 1] if c.is_ref else there.roots[c.size]) != c.root:
                    marks.append("%s %d %s" % (l.origin, c.by, DISPUTED))
    later, forks, hollow = events(record, logs)
    marks += ["%s %d HOLLOW NOTICE" % at for at in hollow]
    twice = []
    for member in record.charter.members:
        gens = generations(record, member[0])
        twice += runs_twice(member[0], gens)
        for l in record.logs:
            if l.party == member[0] and l.size:
                marks += ["%s %d-%d %s" % ((l.origin,) + s) for s in standings(l, gens)]
    every = [m for l in record.logs for m in l.marks]
    malformed = sum(l.size - at for l, at in closed)
    malformed += sum(bool(o.malformed) and o.malformed != "after CLOSING" for l in record.logs for o in l.opened.values())
    r["counts"] = {
        "exporter": record.inventory[0],
        "logs": len(record.logs),
        "entries": sum(l.size for l in record.logs),
        "opened": sum(len(l.opened) + len(later.get(k, set()) - set(l.opened)) for k, l in logs.items()),
        "receipts": sum(1 <= m[1] <= 20 for m in every),
        "seals": sum(m[1] == 0 for m in every),
        "witnessed": sum(witnessed(record.charter, l) for l in record.logs),
        "witness_cosignatures": sum(m[1] >= 32 for m in every),
        "malformed": malformed,
        "forks": len(record.forks) + len(forks),
        "logs_absent": sum(k not in logs for k in named),
        "logs_shorter": sum(k in logs for k in named),
    }
    r["marks"] = sorted(set(marks)) + sorted(twice)
    r["named"] = sorted("%s %d" % (note.origin(record.charter.channel, *k), n) for k, n in named.items())
    r["findings"] = r["marks"] + ["%s names %s" % ("something", n) for n in r["named"]]
    r["findings"] += ["%s: %d" % item for item in r["counts"].items()]
    return r


def after_closing(record):
    """J5: what follows CLOSING is MALFORMED; the logs that go on, and where."""
    out = []
    for l in record.logs:
        at = min((i for i, o in l.opened.items() if o.kind == entry.CLOSING), default=l.size) + 1
        if at < l.size:
            out.append((l, at))
            for i, o in l.opened.items():
                if i >= at:
                    o.malformed = "after CLOSING"
    return out


def events(record, logs):
    """Commitments opened later, forks that a NOTICE proves, NOTICEs that prove none."""
    later, forks, hollow = {}, set(), []
    for l in record.logs:
        for o in l.opened.values():
            if o.malformed:
                continue
            if o.kind == entry.OPENING:
                party, lane, gen, index, leaf = o.body[0]
                there = logs.get((party, lane, gen))
                if there and index < there.size and there.leaves[index] == leaf:
                    later.setdefault((party, lane, gen), set()).add(index)
            if o.kind == entry.NOTICE and o.body[0] == "fork":
                try:
                    record.check_fork(fork.parse(o.body[1]))
                    if o.body[1] not in record.raw_forks:
                        forks.add(o.body[1])
                except Bad:
                    hollow.append((l.origin, o.index))
    return later, forks, hollow


def generations(record, party):
    """The generations of a party, by number."""
    out = {}
    for l in record.logs:
        if l.party != party or not l.size:
            continue
        g = out.setdefault(l.gen, Generation(l.gen, record.serial(party, l.pair)))
        for o in l.opened.values():
            if o.kind == entry.GENERATION and not o.malformed:
                g.add(party, o.body)
    return out


def reached(gens, g):
    """The generations that g names, and those that they name in turn."""
    seen, todo = set(), list(g.prev)
    while todo:
        x = todo.pop()
        if x not in seen:
            seen.add(x)
            todo += gens[x].prev if x in gens else []
    return seen


def standings(l, gens):
    """J15 to J17: ranges of a log's entries with their mark."""
    own = gens[l.gen].serial
    for g in gens.values():
        if g.root and g.serial > own and g.gen != l.gen and l.gen not in reached(gens, g):
            return [(0, l.size, REVOKED)]
    after = [g for g in gens.values() if l.gen in g.prev]
    cited = max([g.last.get((l.lane, l.gen), 0) for g in after], default=l.size)
    if cited >= l.size:
        return []
    held = l.size
    if any(g.root for g in after):
        held = max([cited] + [size for size, signer, _, _ in l.marks if 1 <= signer <= 20])
    out = [(cited, held, BEFORE_BREAK)] if held > cited else []
    return out + ([(held, l.size, REVOKED)] if held < l.size else [])


def runs_twice(party, gens):
    """J18: pairs of generations that follow one and the same, and nothing names both."""
    out = []
    ordered = sorted(gens.values(), key=lambda g: g.gen)
    for i, a in enumerate(ordered):
        for b in ordered[i + 1 :]:
            shared = a.prev & b.prev or not a.prev and not b.prev
            merged = any(a.gen in g.prev and b.gen in g.prev for g in ordered)
            if shared and not merged and a.root == b.root:
                out.append("member %d RUNS TWICE %s %s" % (party, a.gen.hex(), b.gen.hex()))
    return out


def witnessed(charter, l):
    """How many entries of a log have a bound of their time (R7)."""
    if charter.groups[None] == "none":
        return 0
    seen, covered = [], 0
    for size, signer, _, time in l.marks:
        if signer >= 32:
            seen.append((charter.witnesses[signer - 32][0], size, time))
    for size in {s for _, s, _ in seen}:
        if note.not_after(size - 1, seen, charter.met) is not None:
            covered = max(covered, size)
    return covered
