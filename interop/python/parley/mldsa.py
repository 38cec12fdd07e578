"""ML-DSA-44 verification (FIPS 204) with the empty context."""

from functools import lru_cache
from hashlib import shake_128, shake_256

Q, N = 8380417, 256
K = L = 4
D, TAU, OMEGA = 13, 39, 80
GAMMA1, GAMMA2 = 1 << 17, (Q - 1) // 88
BETA = TAU * 2
KEY_BYTES, SIG_BYTES = 1312, 2420


def _reversed(i):
    return int(format(i, "08b")[::-1], 2)


ZETAS = [pow(1753, _reversed(i), Q) for i in range(N)]


@lru_cache(maxsize=8192)
def verify(key, message, signature):
    """FIPS 204, algorithms 3 and 8."""
    if len(key) != KEY_BYTES or len(signature) != SIG_BYTES:
        return False
    hint = _hint(signature[2336:])
    if hint is None:
        return False
    z = [_bits(signature[32 + 576 * i : 608 + 576 * i], 18) for i in range(L)]
    z = [[GAMMA1 - x for x in row] for row in z]
    if any(abs(x) >= GAMMA1 - BETA for row in z for x in row):
        return False
    a, t1, digest = _expand(key)
    mu = shake_256(digest + b"\x00\x00" + message).digest(64)
    c = _ntt(_ball(signature[:32]))
    z = [_ntt(row) for row in z]
    w1 = b""
    for i in range(K):
        sums = [-x * y for x, y in zip(c, t1[i])]
        for j in range(L):
            sums = [s + x * y for s, x, y in zip(sums, a[i][j], z[j])]
        w = _inverse([s % Q for s in sums])
        w1 += _pack([_use_hint(h, r) for h, r in zip(hint[i], w)])
    return shake_256(mu + w1).digest(32) == signature[:32]


@lru_cache(maxsize=64)
def _expand(key):
    """The matrix and t1 times 2^d, both in the domain of the NTT, and H(key)."""
    rho = key[:32]
    a = [[_reject(rho + bytes([j, i])) for j in range(L)] for i in range(K)]
    t1 = [_ntt([x << D for x in _bits(key[32 + 320 * i : 352 + 320 * i], 10)]) for i in range(K)]
    return a, t1, shake_256(key).digest(64)


def _reject(seed):
    """RejNTTPoly, algorithm 30."""
    size = 1344
    while True:
        stream, out = shake_128(seed).digest(size), []
        for i in range(0, size - 2, 3):
            x = stream[i] | stream[i + 1] << 8 | (stream[i + 2] & 127) << 16
            if x < Q:
                out.append(x)
                if len(out) == N:
                    return out
        size *= 2


def _ball(seed):
    """SampleInBall, algorithm 29."""
    size = 512
    while True:
        stream, c, at, i = shake_256(seed).digest(size), [0] * N, 8, N - TAU
        signs = int.from_bytes(stream[:8], "little")
        while i < N and at < size:
            j = stream[at]
            at += 1
            if j > i:
                continue
            c[i] = c[j]
            c[j] = 1 - 2 * (signs >> (i + TAU - N) & 1)
            i += 1
        if i == N:
            return c
        size *= 2


def _hint(data):
    """HintBitUnpack, algorithm 21, or None."""
    hint, at = [[0] * N for _ in range(K)], 0
    for i in range(K):
        end = data[OMEGA + i]
        if end < at or end > OMEGA:
            return None
        for first, n in zip([True] + [False] * OMEGA, range(at, end)):
            if not first and data[n - 1] >= data[n]:
                return None
            hint[i][data[n]] = 1
        at = end
    return None if any(data[at:OMEGA]) else hint


def _bits(data, width):
    """N numbers of that many bits, the least significant first."""
    whole, mask = int.from_bytes(data, "little"), (1 << width) - 1
    return [whole >> (width * i) & mask for i in range(N)]


def _pack(numbers):
    """w1Encode: six bits each."""
    whole = 0
    for x in reversed(numbers):
        whole = whole << 6 | x
    return whole.to_bytes(192, "little")


def _use_hint(h, r):
    """UseHint, algorithm 40."""
    high, low = _decompose(r)
    if not h:
        return high
    return (high + (1 if low > 0 else -1)) % 44


def _decompose(r):
    low = r % (2 * GAMMA2)
    if low > GAMMA2:
        low -= 2 * GAMMA2
    if r - low == Q - 1:
        return 0, low - 1
    return (r - low) // (2 * GAMMA2), low


def _ntt(w):
    w, m, length = [x % Q for x in w], 0, 128
    while length:
        for start in range(0, N, 2 * length):
            m += 1
            zeta = ZETAS[m]
            for j in range(start, start + length):
                t = zeta * w[j + length] % Q
                w[j + length] = (w[j] - t) % Q
                w[j] = (w[j] + t) % Q
        length >>= 1
    return w


def _inverse(w):
    w, m, length = list(w), N, 1
    while length < N:
        for start in range(0, N, 2 * length):
            m -= 1
            zeta = -ZETAS[m]
            for j in range(start, start + length):
                t = w[j]
                w[j] = (t + w[j + length]) % Q
                w[j + length] = zeta * (t - w[j + length]) % Q
        length <<= 1
    return [x * 8347681 % Q for x in w]
