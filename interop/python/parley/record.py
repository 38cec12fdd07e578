"""A whole record (disclosure.md, D10 to D13)."""

from hashlib import sha256

from . import charter, ed25519, entry, fold, fork, keys, note, tree
from .cbor import Bad, bstr, decode, fields, items, uint
from .files import SECTION, File

inventory = fields(
    uint(1, 20), bstr(32), uint(), items(0, 16384, entry.head, key=lambda h: h[:3]), items(0, 4096, bstr(32))
)
I = fields(bstr(1, SECTION), bstr(64))


def L(r):
    """[head, sig] or [head of size 0, null]."""
    if r.head(4) != 2:
        raise Bad("wrong-length")
    head = entry.head(r)
    if head[3] > 0:
        return [head, bstr(64)(r)]
    if not r.null():
        raise Bad("wrong-type")
    return [head, None]


def cosignature(r):
    out = [schema(r) for schema in (fixed(5), uint(0, 95), uint(0, 1), uint(), uint())][1:]
    return out + [bstr(2420 if out[1] else 64)(r)]


def fixed(n):
    """The head of a list of n."""

    def read(r):
        if r.head(4) != n:
            raise Bad("wrong-length")

    return read


S = items(1, 512, cosignature, key=lambda s: (s[2], s[0], s[1], s[3]))


def leaf(r):
    """[to, C] or [to, C, salt, entry]."""
    n = r.head(4)
    if n not in (2, 4):
        raise Bad("wrong-length")
    schemas = (uint(0, 2**32 - 1), bstr(32), bstr(32), bstr(0, entry.MOST))
    return [schema(r) for schema in schemas[:n]]


E = fields(uint(), items(1, 256, leaf))


class Record(File):
    signed = True

    def __init__(self, channel):
        super().__init__(channel)
        self.checked, self.log, self.logs = False, None, []
        self.forks, self.raw_forks = [], []

    def section(self, tag, payload):
        if self.log and tag in "SE":
            return getattr(self, "on_" + tag)(payload)
        self.end_log()
        if self.n < 2:
            if tag != "IC"[self.n]:
                raise Bad("wrong-section")
            return getattr(self, "on_" + tag)(payload)
        if tag == "K" and not self.checked:
            return self.on_K(payload)
        self.check_inventory()
        if tag != self.due():
            raise Bad("bad-inventory" if self.due() in "LF" else "wrong-section")
        getattr(self, "on_" + tag)(payload)

    def due(self):
        """What the inventory lists next: a log, a fork, or nothing more."""
        if len(self.logs) < len(self.inventory[3]):
            return "L"
        return "F" if len(self.forks) < len(self.inventory[4]) else "Z"

    def before_end(self):
        self.end_log()
        if self.n < 2:
            raise Bad("wrong-section")
        self.check_inventory()
        if self.due() != "Z":
            raise Bad("bad-inventory")

    def on_I(self, payload):
        self.raw, self.inventory_sig = decode(I, payload)
        self.inventory = decode(inventory, self.raw)
        if self.told is not None and self.told != self.inventory[1]:
            raise Bad("wrong-channel")

    def on_C(self, payload):
        self.charter = charter.in_force(payload)
        if self.inventory[1] != self.charter.channel:
            raise Bad("bad-inventory")

    def check_inventory(self):
        if not self.checked and not self.exporter_signed(b"parley/export/1\n" + self.raw, self.inventory_sig):
            raise Bad("bad-inventory")
        self.checked = True

    def exporter_signed(self, message, sig):
        return any(ed25519.verify(k, message, sig) for k in self.all_keys(self.inventory[0], keys.RECEIPT))

    def ended(self, sig, before):
        if not self.exporter_signed(b"parley/export-end/1\n" + self.charter.channel + before, sig):
            raise Bad("bad-end")

    def on_L(self, payload):
        head, sig = decode(L, payload)
        newest = self.inventory[3][len(self.logs)]
        if head[:3] != newest[:3] or head[0] > len(self.charter.members) or head[3] > newest[3]:
            raise Bad("bad-inventory")
        if head[3] == newest[3] and head[4] != newest[4]:
            raise Bad("bad-inventory")
        self.log = Log(self, head, sig, newest[3])
        self.logs.append(self.log)

    def on_S(self, payload):
        self.log.cosignatures(decode(S, payload))
        self.log.hurt = self.log.hurt or not self.intact

    def on_E(self, payload):
        self.log.add(*decode(E, payload))
        if not self.intact:
            raise Bad("file-damaged")
        self.log.verify()

    def later(self, tag):
        return tag == "S"

    def cut(self):
        if self.log:
            self.log.broken()

    def end_log(self):
        if self.log:
            self.log.finish()
        self.log = None

    def on_F(self, payload):
        f = fork.parse(payload)
        if sha256(payload).digest() != self.inventory[4][len(self.forks)]:
            raise Bad("bad-inventory")
        self.check_fork(f)
        self.forks.append(f)
        self.raw_forks.append(payload)

    def report(self):
        return fold.report(self)


class Log:
    """One log of a record while its sections pass."""

    def __init__(self, file, head, sig, known):
        self.file, (self.party, self.lane, self.gen, self.size, self.root) = file, head
        channel = file.charter.channel
        self.origin, self.known = note.origin(channel, self.party, self.lane, self.gen), known
        self.tree, self.roots = tree.Tree(), [tree.EMPTY]  # roots[n] is that of size n
        self.pending, self.ready, self.last = [], [], None
        self.hurt, self.wrong = False, None
        self.leaves, self.opened, self.marks = [], {}, []
        self.pair = None
        if self.size:
            where = note.Origin(channel, self.party, self.lane, self.gen)
            self.pair = file.head_keys(note.Head(self.origin, self.size, self.root), sig, where)

    def cosignatures(self, some):
        """An S section: every cosignature in its place, by somebody of the charter."""
        c = self.file.charter
        if len(self.pending) + len(some) > 1 << 17:
            raise Bad("too-large")
        for signer, pq, size, time, sig in some:
            order = (size, signer, pq, time)
            if not self.tree.size < size <= min(self.size, self.tree.size + 256):
                raise Bad("wrong-section")
            if self.last is not None and self.last >= order:
                raise Bad("not-sorted")
            member = 1 <= signer <= len(c.members) and signer != self.party
            witness = 32 <= signer < 32 + len(c.witnesses)
            if not (member or witness or signer == 0 and pq):
                raise Bad("bad-receipt")
            self.last = order
            self.pending.append((signer, pq, size, time, sig))

    def add(self, first, some):
        """An E section: leaves in order, openings that fit (D12)."""
        if first != self.tree.size:
            raise Bad("wrong-section")
        for index, leaf in enumerate(some, first):
            if len(leaf) == 4:
                if entry.commitment(self.origin, index, leaf[2], leaf[3]) != leaf[1]:
                    raise Bad("bad-opening")
                self.opened[index] = fold.Opened(self, index, leaf[0], leaf[3])
        if first + len(some) > self.size:
            raise Bad("wrong-section")
        for to, c in (leaf[:2] for leaf in some):
            self.leaves.append(entry.leaf(to, c))
            self.tree.add(self.leaves[-1])
            self.roots.append(self.tree.root())
            while self.pending and self.pending[0][2] == self.tree.size:
                self.ready.append(self.pending.pop(0))
        if self.pending:
            raise Bad("wrong-section")

    def verify(self):
        """The cosignatures whose roots are known by now. One that fails is judged at
        the end of the log, where the root tells whether it or the leaves are wrong."""
        for signer, pq, size, time, sig in self.ready:
            head = note.Head(self.origin, size, self.roots[size])
            code, name, candidates = self.signer(signer, pq)
            if any(note.cosigned(head, name, pq, time, sig, k) for k in candidates):
                self.marks.append((size, signer, pq, time))
            elif self.hurt:
                raise Bad(code)
            else:
                self.wrong = self.wrong or code
        self.ready = []
        if self.hurt:
            raise Bad("file-damaged")

    def signer(self, signer, pq):
        """The code, the name and the keys of a cosignature's signer."""
        c = self.file.charter
        if signer == 0:
            return "bad-seal", self.origin, [self.pair[1]]
        if signer <= 20:
            which = keys.RECEIPTPQ if pq else keys.RECEIPT
            return "bad-receipt", note.receipt_name(c.channel, signer), self.file.all_keys(signer, which)
        name, ed, key = c.witnesses[signer - 32]
        return "bad-witness", name, [k for k in [key if pq else ed] if k]

    def broken(self):
        """The file goes wrong before the log's end."""
        if self.hurt:
            raise Bad("file-damaged")
        if self.wrong:
            raise Bad(self.wrong)

    def finish(self):
        if self.hurt:
            raise Bad("file-damaged")
        if self.tree.size != self.size:
            raise Bad(self.wrong or "wrong-section")
        if self.pending:
            raise Bad("wrong-section")
        if self.tree.root() != self.root:
            raise Bad("wrong-root")
        if self.wrong:
            raise Bad(self.wrong)
