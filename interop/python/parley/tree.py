"""Merkle trees of RFC 6962: roots, consistency proofs, inclusion proofs."""

from hashlib import sha256

EMPTY = sha256(b"").digest()


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree; root() is that of the leaves added so far."""

    def __init__(self):
        self.size, self.stack = 0, []  # roots of complete subtrees, largest first

    def add(self, leaf):
        n, self.size = self.size, self.size + 1
        while n & 1:
            leaf = node(self.stack.pop(), leaf)
            n >>= 1
        self.stack.append(leaf)

    def root(self):
        if not self.stack:
            return EMPTY
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node(left, root)
        return root


def consistent(m, old, n, new, proof):
    """J6: proof leads from the root of size m to that of size n (RFC 9162, 2.1.4.2)."""
    if not 1 <= m <= n:
        return False
    if m == n:
        return not proof and old == new
    path = list(proof)
    if m & (m - 1) == 0:
        path.insert(0, old)
    if not path:
        return False
    f, s = m - 1, n - 1
    while f & 1:
        f, s = f >> 1, s >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if s == 0:
            return False
        if f & 1 or f == s:
            fr, sr = node(c, fr), node(c, sr)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            sr = node(sr, c)
        f, s = f >> 1, s >> 1
    return s == 0 and fr == old and sr == new


def included(leaf, index, size, root, proof):
    """J7: the leaf stands at index under the root of that size (RFC 9162, 2.1.3.2)."""
    if not index < size:
        return False
    f, s, r = index, size - 1, leaf
    for c in proof:
        if s == 0:
            return False
        if f & 1 or f == s:
            r = node(c, r)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            r = node(r, c)
        f, s = f >> 1, s >> 1
    return s == 0 and r == root
