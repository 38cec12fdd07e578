"""Officers' keys and releases (release.md, A1 to A26's digest)."""

import base64
import json
import re
from hashlib import sha256

from . import ed25519, p256
from .cbor import Bad, bstr, decode, fields, items, tstr, uint
from .charter import good_name
from .entry import ref

ROSTER, RELEASE = 32, 33
ES256, EDDSA = 7, 8

key = fields(uint(7, 8), bstr(32, 65), tstr(1, 64), uint(1, 3))
roster = fields(
    uint(1), uint(0, 1), tstr(1, 253), items(1, 16, tstr(1, 300), key=lambda s: s.encode()), items(0, 64, key)
)
approval = fields(bstr(16), bstr(32), bstr(37, 1024), bstr(2, 2048), bstr(8, 72))
release = fields(bstr(32), ref, approval, approval)

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


def name(alg, public):
    return sha256(bytes([alg]) + public).digest()[:16]


def need(holds, code):
    if not holds:
        raise Bad(code)


def is_host(s):
    """A2."""
    labels = s.split(".")
    return 0 < len(s) <= 253 and all(LABEL.match(x) for x in labels) and not re.match(r"[0-9]+\Z", labels[-1])


def is_origin(s, host):
    """A3."""
    m = re.match(r"(https?)://([^:]*)(?::([1-9][0-9]{0,4}))?\Z", s)
    if not m or not is_host(m[2]) or not (m[2] == host or m[2].endswith("." + host)):
        return False
    if m[1] == "http" and not (m[2] == "localhost" or m[2].endswith(".localhost")):
        return False
    return m[3] is None or (int(m[3]) <= 65535 and m[3] != {"http": "80", "https": "443"}[m[1]])


def good_key(alg, public):
    """A4."""
    if alg == ES256:
        return p256.point(public) is not None
    return len(public) == 32 and ed25519.good_key(public)


def read_roster(data, lane=3, to=0):
    r = decode(roster, data)
    _, _, host, origins, officers = r
    need(is_host(host), "roster-rp-id")
    need(all(is_origin(o, host) for o in origins), "roster-origin")
    need(all(good_key(alg, public) for alg, public, _, _ in officers), "roster-key")
    names = [name(alg, public) for alg, public, _, _ in officers]
    need(len(set(names)) == len(names), "roster-key-repeated")
    need(all(good_name(title) for _, _, title, _ in officers), "bad-name")
    need(lane == 3 and to == 0, "roster-not-all")
    return r


def read_release(data, author):
    r = decode(release, data)
    need(r[2][0] != r[3][0], "release-same-key")
    need(r[1][:2] == [author, 3], "release-no-roster")
    return r


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    width = next(w for w in (1, 2, 4, 8) if n < 1 << 8 * w)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + n.to_bytes(width, "big")


def digest(lane, kind, to, body):
    """A10."""
    d = head(4, 4) + head(0, lane) + head(0, kind) + head(0, to) + head(2, len(body)) + body
    return sha256(b"parley/draft/1\n" + d).digest()


def challenge(channel, author, step, nonce, of):
    """A11."""
    return sha256(b"parley/release/1\n" + channel + bytes([author, step]) + nonce + of).digest()


def check(r, officers, channel, author, draft):
    """A26's digest, then A12 to A25."""
    need(r[0] == digest(*draft), "release-digest")
    titles = [check_approval(a, officers, channel, author, step, r[0]) for step, a in ((1, r[2]), (2, r[3]))]
    need(titles[0] != titles[1], "release-same-office")


def check_approval(a, r, channel, author, step, of):
    _, _, host, origins, officers = r
    which, nonce, authenticator, client, signature = a
    found = [o for o in officers if name(o[0], o[1]) == which]
    need(found, "release-unknown-key")
    alg, public, title, functions = found[0]
    need(functions & step, "release-function")
    c = client_data(client)
    need(c.get("type") == "webauthn.get", "release-type")
    text = base64.urlsafe_b64encode(challenge(channel, author, step, nonce, of)).decode().rstrip("=")
    need(c.get("challenge") == text, "release-challenge")
    need(c.get("origin") in origins, "release-origin")
    need(c.get("crossOrigin", False) is False and "topOrigin" not in c, "release-cross-origin")
    flags = authenticator[32]
    need(not flags & 0x40 and bool(flags & 0x80) == (len(authenticator) > 37), "release-authenticator-data")
    need(authenticator[:32] == sha256(host.encode()).digest(), "release-rp")
    need(flags & 1, "release-not-present")
    need(flags & 4, "release-not-verified")
    need(flags & 8 or not flags & 16, "release-backup-flags")
    verify = p256.verify if alg == ES256 else ed25519.verify
    need(verify(public, authenticator + sha256(client).digest(), signature), "release-signature")
    return title


def client_data(data):
    """A14."""

    def once(pairs):
        if len({n for n, _ in pairs}) != len(pairs):
            raise ValueError("a member stands twice")
        return dict(pairs)

    def constant(_):
        raise ValueError("a number that is none")

    try:
        c = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=constant)
    except (ValueError, RecursionError):
        raise Bad("release-client-data")
    need(isinstance(c, dict) and readable(c, 1), "release-client-data")
    return c


def readable(v, depth):
    if isinstance(v, str):
        return not any(0xD800 <= ord(x) <= 0xDFFF or x == "\ufffd" for x in v)
    if isinstance(v, dict):
        return depth <= 8 and all(readable(n, 0) and readable(x, depth + 1) for n, x in v.items())
    if isinstance(v, list):
        return depth <= 8 and all(readable(x, depth + 1) for x in v)
    return True
