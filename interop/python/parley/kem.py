"""The KEM of grants, MLKEM768-X25519 (K10, K14): FIPS 203, RFC 7748, RFC 9180."""

import hmac
from hashlib import sha3_256, sha3_512, sha256, shake_128, shake_256

from .symmetric import expand as hkdf
from .symmetric import gcm_open

P = 2**255 - 19


def x25519(scalar, u):
    """RFC 7748, section 5."""
    k = int.from_bytes(scalar, "little") & (2**255 - 8) | 2**254
    k &= 2**255 - 1
    x1 = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a, (x3 + z3) * b
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def good_key(key):
    """K10: the ML-KEM-768 half is reduced, the X25519 half not of low order."""
    whole = int.from_bytes(key[:1152], "little")
    if any(whole >> (12 * i) & 4095 >= 3329 for i in range(768)):
        return False
    return any(x25519(bytes(32), key[1184:]))


Q, N, K, ETA, DU, DV = 3329, 256, 3, 2, 10, 4
ZETAS = [pow(17, int(format(i, "07b")[::-1], 2), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * int(format(i, "07b")[::-1], 2) + 1, Q) for i in range(128)]


def _ntt(f):
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = ZETAS[i] * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
            i += 1
        length >>= 1
    return f


def _inverse(f):
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, ZETAS[i] * (f[j + length] - t) % Q
            i -= 1
        length <<= 1
    return [x * 3303 % Q for x in f]


def _times(f, g):
    out = []
    for i in range(128):
        a, b, c, d = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        out += [(a * c + b * d % Q * GAMMAS[i]) % Q, (a * d + b * c) % Q]
    return out


def _dot(f, g):
    return [sum(column) % Q for column in zip(*(_times(a, b) for a, b in zip(f, g)))]


def _plus(f, g):
    return [(a + b) % Q for a, b in zip(f, g)]


def _reject(seed):
    stream, out = shake_128(seed).digest(1344), []
    for i in range(0, 1344, 3):
        a, b, c = stream[i : i + 3]
        out += [x for x in (a | (b & 15) << 8, b >> 4 | c << 4) if x < Q]
    return out[:N]


def _noise(seed, n):
    bits = int.from_bytes(shake_256(seed + bytes([n])).digest(64 * ETA), "little")
    return [((bits >> 4 * i & 1) + (bits >> 4 * i + 1 & 1) - (bits >> 4 * i + 2 & 1) - (bits >> 4 * i + 3 & 1)) % Q
            for i in range(N)]


def _unpack(data, width):
    whole = int.from_bytes(data, "little")
    return [whole >> (width * i) & (1 << width) - 1 for i in range(N)]


def _pack(numbers, width):
    whole = 0
    for x in reversed(numbers):
        whole = whole << width | x
    return whole.to_bytes(32 * width, "little")


def _compress(f, d):
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]


def _expand(f, d):
    return [(x * Q + (1 << d - 1)) >> d for x in f]


def _matrix(rho):
    return [[_reject(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def _keys(d):
    """K-PKE.KeyGen (FIPS 203, algorithm 13): s, t and rho."""
    g = sha3_512(d + bytes([K])).digest()
    rho, sigma = g[:32], g[32:]
    s = [_ntt(_noise(sigma, i)) for i in range(K)]
    e = [_ntt(_noise(sigma, K + i)) for i in range(K)]
    return s, [_plus(_dot(row, s), x) for row, x in zip(_matrix(rho), e)], rho


def _encrypt(t, rho, m, r):
    """K-PKE.Encrypt (algorithm 14)."""
    y = [_ntt(_noise(r, i)) for i in range(K)]
    columns = list(zip(*_matrix(rho)))
    u = [_plus(_inverse(_dot(column, y)), _noise(r, K + i)) for i, column in enumerate(columns)]
    v = _plus(_plus(_inverse(_dot(t, y)), _noise(r, 2 * K)), _expand(_unpack(m, 1), 1))
    return b"".join(_pack(_compress(x, DU), DU) for x in u) + _pack(_compress(v, DV), DV)


def _decapsulate(d, z, c):
    """ML-KEM.Decaps (algorithm 18) with the keys of the seed d, z."""
    s, t, rho = _keys(d)
    public = b"".join(_pack(x, 12) for x in t) + rho
    u = [_ntt(_expand(_unpack(c[320 * i : 320 * i + 320], DU), DU)) for i in range(K)]
    v = _expand(_unpack(c[960:], DV), DV)
    m = _pack(_compress([(a - b) % Q for a, b in zip(v, _inverse(_dot(s, u)))], 1), 1)
    g = sha3_512(m + sha3_256(public).digest()).digest()
    if _encrypt(t, rho, m, g[32:]) != c:
        return shake_256(z + c).digest(32)
    return g[:32]


def unwrap(seed, info, sealed):
    """K14: the audience key in the sealed part of a GRANT, or None."""
    if len(sealed) != 1168:
        return None
    whole = shake_256(seed).digest(96)
    d, z, x = whole[:32], whole[32:64], whole[64:]
    base = (9).to_bytes(32, "little")
    ct, enc = sealed[1088:1120], sealed[:1120]
    ss = _decapsulate(d, z, sealed[:1088]) + x25519(x, ct) + ct + x25519(x, base) + b"\\.//^\\"
    secret = sha3_256(ss).digest()
    suite = b"HPKE" + bytes.fromhex("647a00010002")

    def extract(salt, label, ikm):
        return hmac.new(salt, b"HPKE-v1" + suite + label + ikm, sha256).digest()

    def expand(prk, label, context, n):
        return hkdf(prk, n.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context, n)

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    prk = extract(secret, b"secret", b"")
    key, nonce = expand(prk, b"key", context, 32), expand(prk, b"base_nonce", context, 12)
    return gcm_open(key, nonce, sealed[1120:], b"")
