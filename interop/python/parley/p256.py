"""ECDSA on P-256 with SHA-256 (FIPS 186-5): the points of release.md A4, and
signatures in DER, A24."""

from functools import lru_cache
from hashlib import sha256

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def point(data):
    """The point of an uncompressed encoding, or None."""
    if len(data) != 65 or data[0] != 4:
        return None
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x + 3 * x - B) % P:
        return None
    return x, y


def _double(p):
    x, y, z = p
    if not y or not z:
        return 0, 1, 0
    yy = y * y % P
    s, m = 4 * x * yy % P, 3 * (x - z * z) * (x + z * z) % P
    nx = (m * m - 2 * s) % P
    return nx, (m * (s - nx) - 8 * yy * yy) % P, 2 * y * z % P


def _add(p, q):
    """Of two points in Jacobian coordinates."""
    if not p[2]:
        return q
    if not q[2]:
        return p
    pz, qz = p[2] * p[2] % P, q[2] * q[2] % P
    u, v = p[0] * qz % P, q[0] * pz % P
    s, t = p[1] * qz * q[2] % P, q[1] * pz * p[2] % P
    if u == v:
        return _double(p) if s == t else (0, 1, 0)
    h, r = (v - u) % P, (t - s) % P
    hh = h * h % P
    x = (r * r - h * hh - 2 * u * hh) % P
    return x, (r * (u * hh - x) - s * h * hh) % P, h * p[2] * q[2] % P


def _signature(data):
    """r and s of a DER signature in its one form, or None."""

    def integer(at):
        if data[at : at + 1] != b"\x02" or at + 2 > len(data):
            return None
        n = data[at + 1]
        v = data[at + 2 : at + 2 + n]
        if not 1 <= n <= 33 or len(v) != n or v[0] & 0x80 or (n > 1 and v[0] == 0 and not v[1] & 0x80):
            return None
        return int.from_bytes(v, "big"), at + 2 + n

    if len(data) < 2 or data[0] != 0x30 or data[1] != len(data) - 2:
        return None
    r = integer(2)
    s = r and integer(r[1])
    if not s or s[1] != len(data) or not 0 < r[0] < N or not 0 < s[0] < N:
        return None
    return r[0], s[0]


@lru_cache(maxsize=4096)
def verify(key, message, signature):
    q, rs = point(key), _signature(signature)
    if q is None or rs is None:
        return False
    r, s = rs
    w = pow(s, N - 2, N)
    e = int.from_bytes(sha256(message).digest(), "big")
    a, b = e * w % N, r * w % N
    g, q = (*G, 1), (*q, 1)
    table, sum_ = (None, g, q, _add(g, q)), (0, 1, 0)
    for i in range(255, -1, -1):
        sum_ = _double(sum_)
        bits = (a >> i & 1) | (b >> i & 1) << 1
        if bits:
            sum_ = _add(sum_, table[bits])
    if not sum_[2]:
        return False
    return sum_[0] * pow(sum_[2], P - 3, P) % P % N == r
