"""HKDF-Expand, and AES-256-GCM opening (FIPS 197, SP 800-38D)."""

import hmac
from hashlib import sha256



def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 128 else 0)
        p &= 255
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 255
        if q & 128:
            q ^= 9
        x = q
        for shift in (1, 2, 3, 4):
            x ^= q << shift | q >> (8 - shift)
        box[p] = (x ^ 0x63) & 255
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()


def _schedule(key):
    words, rcon = [list(key[i : i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        w = list(words[-1])
        if i % 8 == 0:
            w = [SBOX[b] for b in w[1:] + w[:1]]
            w[0] ^= rcon
            rcon <<= 1
        elif i % 8 == 4:
            w = [SBOX[b] for b in w]
        words.append([a ^ b for a, b in zip(words[-8], w)])
    return [sum(words[i : i + 4], []) for i in range(0, 60, 4)]


def _double(b):
    return (b << 1) ^ (0x11B if b & 128 else 0)


def _block(keys, block):
    s = [a ^ b for a, b in zip(block, keys[0])]
    for key in keys[1:]:
        s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if key is not keys[-1]:
            mixed = []
            for c in range(0, 16, 4):
                col = s[c : c + 4]
                every = col[0] ^ col[1] ^ col[2] ^ col[3]
                mixed += [col[i] ^ every ^ _double(col[i] ^ col[(i + 1) % 4]) for i in range(4)]
            s = mixed
        s = [a ^ b for a, b in zip(s, key)]
    return bytes(s)


def _ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i : i + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y


def _padded(data):
    return data + bytes(-len(data) % 16)


def gcm_open(key, nonce, sealed, extra):
    """The plaintext, or None if the tag does not fit."""
    if len(sealed) < 16:
        return None
    keys, data = _schedule(key), sealed[:-16]
    h = int.from_bytes(_block(keys, bytes(16)), "big")
    lengths = (8 * len(extra)).to_bytes(8, "big") + (8 * len(data)).to_bytes(8, "big")
    tag = _ghash(h, _padded(extra) + _padded(data) + lengths)
    tag ^= int.from_bytes(_block(keys, nonce + b"\x00\x00\x00\x01"), "big")
    if tag.to_bytes(16, "big") != sealed[-16:]:
        return None
    out = b""
    for i in range(0, len(data), 16):
        stream = _block(keys, nonce + (i // 16 + 2).to_bytes(4, "big"))
        out += bytes(a ^ b for a, b in zip(data[i : i + 16], stream))
    return out


def expand(key, info, length=32):
    """HKDF-Expand with SHA-256 (RFC 5869, 2.3)."""
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = hmac.new(key, block + info + bytes([n]), sha256).digest()
        out, n = out + block, n + 1
    return out[:length]
