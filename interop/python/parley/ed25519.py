"""Ed25519 verification (RFC 8032, without the cofactor) and the rules K2 and K3."""

from functools import lru_cache
from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1
SMALL = {  # the y coordinates of the points of small order (K3)
    0,
    1,
    P - 1,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
}


def good_key(key):
    """K2 and K3: the encoding is canonical, and the order not small."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return y < P and y not in SMALL


@lru_cache(maxsize=8192)
def verify(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a = _point(key)
    s = int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (P - a[0], a[1], a[2], P - a[3])
    x, y, z, _ = _two(s, BASE, h, minus)
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def _point(data):
    """The point of an encoding in extended coordinates, or None (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = y * y - 1, D * y * y + 1
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P != 0:
        x = x * ROOT % P
        if (v * x * x - u) % P != 0:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def _add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _table(p):
    """0p to 15p."""
    out = [(0, 1, 1, 0)]
    for _ in range(15):
        out.append(_add(out[-1], p))
    return out


def _two(s, base, h, p):
    """s times the base point of that table, plus h times p: four bits at a time."""
    table = _table(p)
    sum_ = (0, 1, 1, 0)
    for i in range(252, -4, -4):
        for _ in range(4):
            sum_ = _add(sum_, sum_)
        sum_ = _add(_add(sum_, base[s >> i & 15]), table[h >> i & 15])
    return sum_


BASE = _table(_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")))
