"""The one encoding (entry.md, Encoding), as combinators over its CDDL.

A schema is a function that takes a Reader and returns a value; uint, bstr, tstr,
items and fields make schemas. decode reads one item, refuses what follows it,
and encodes the value again to compare: what is accepted has one encoding.
"""

MAX = 2**53 - 1


class Bad(Exception):
    """An input that breaks a rule; code is the error code that the rule names."""

    def __init__(self, code, why=""):
        super().__init__(code + (": " + why if why else ""))
        self.code = code


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if len(self.data) - self.at < n:
            raise Bad("truncated")
        self.at += n
        return self.data[self.at - n : self.at]

    def head(self, major):
        """The argument of an item of that major type: E1, E3, E2 in the order of the bytes."""
        first = self.take(1)[0]
        if first >> 5 != major:
            raise Bad("wrong-type")
        info = first & 31
        if info < 24:
            return info
        if info > 27:
            raise Bad("not-canonical")
        width = 1 << (info - 24)
        n = int.from_bytes(self.take(width), "big")
        if n < 24 or (width > 1 and n >> (4 * width) == 0):
            raise Bad("not-canonical")
        return n

    def null(self):
        """True, and one byte further, if null stands here."""
        if self.data[self.at : self.at + 1] == b"\xf6":
            self.at += 1
            return True
        return False


def uint(low=0, high=MAX):
    def read(r):
        n = r.head(0)
        if not low <= n <= high:
            raise Bad("out-of-range")
        return n

    return read


def bstr(low, high=None):
    high = low if high is None else high

    def read(r):
        n = r.head(2)
        if not low <= n <= high:
            raise Bad("wrong-length")
        return r.take(n)

    return read


def tstr(low, high):
    def read(r):
        n = r.head(3)
        if not low <= n <= high:
            raise Bad("wrong-length")
        try:
            return r.take(n).decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("bad-utf8")

    return read


def items(low, high, schema, key=None):
    """A list of low to high items; with key they ascend by it, each once (E8)."""

    def read(r):
        n = r.head(4)
        if not low <= n <= high:
            raise Bad("wrong-length")
        out = []
        for _ in range(n):
            item = schema(r)
            if key and out and key(out[-1]) >= key(item):
                raise Bad("not-sorted")
            out.append(item)
        return out

    return read


def fields(*schemas):
    """A list with one item for each schema."""

    def read(r):
        if r.head(4) != len(schemas):
            raise Bad("wrong-length")
        return [schema(r) for schema in schemas]

    return read


def nullable(schema):
    return lambda r: None if r.null() else schema(r)


def encode(x):
    if x is None:
        return b"\xf6"
    if isinstance(x, int):
        return _head(0, x)
    if isinstance(x, bytes):
        return _head(2, len(x)) + x
    if isinstance(x, str):
        raw = x.encode("utf-8")
        return _head(3, len(raw)) + raw
    return _head(4, len(x)) + b"".join(encode(item) for item in x)


def _head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n >> (8 * width) == 0:
            return bytes([major << 5 | info]) + n.to_bytes(width, "big")
    raise ValueError("an integer above 64 bits")


def decode(schema, data):
    r = Reader(data)
    value = schema(r)
    if r.at != len(data):
        raise Bad("trailing-bytes")
    if encode(value) != data:
        raise AssertionError("an encoding that is accepted and is not the only one")
    return value
