"""The bodies of the hotline (hotline.md, Bodies: H1 to H24)."""

import re

from .cbor import Bad, decode, fields, items, nullable, tstr, uint
from .charter import good_name
from .entry import ref

TEXT, ANSWER, LINE, ATTEMPT, QUERY, TRANSLATION = 1, 2, 20, 21, 22, 23

members = uint(0, 2**21 - 1)
relation = fields(uint(0, 5), ref, items(0, 64, uint(0, 9999)))


def some(schema, empty, code):
    """A list of which something is not empty; where none is, null is written."""

    def read(r):
        out = schema(r)
        if out[: len(empty)] == empty:
            raise Bad(code)
        return out

    return read


info = some(fields(members, uint(0, 4)), [0], "bad-info")
citation = fields(nullable(ref), tstr(0, 200))
language = fields(tstr(2, 35), uint(0, 1))
roles = some(fields(tstr(0, 64), tstr(0, 64)), ["", ""], "empty-roles")
schedule = fields(uint(1, 20), uint(), uint(0, 2678400), uint(0, 127), items(0, 24, uint(0, 1439)))

MESSAGE = [  # fields of a message, and what is empty
    (uint(0, 3), 0),
    (uint(0, 99), 0),
    (tstr(0, 32768), ""),
    (tstr(0, 200), ""),
    (uint(0, 4), 0),
    (uint(), 0),
    (nullable(relation), None),
    (nullable(info), None),
    (items(0, 26, citation), []),
    (uint(0, 4), 0),
    (nullable(language), None),
    (tstr(0, 500), ""),
    (nullable(roles), None),
]

RENDERING = [  # fields of a translation; the first four are never left out
    (ref, None),
    (tstr(2, 35), None),
    (uint(0, 2), None),
    (tstr(1, 32768), None),
    (tstr(0, 200), ""),
    (tstr(0, 64), ""),
]


def shortened(known, least):
    """A list that ends at its last field that is not empty, or at the least (H2)."""

    def read(r):
        n = r.head(4)
        if not least <= n <= len(known):
            raise Bad("wrong-length")
        return [schema(r) for schema, _ in known[:n]]

    return read


SCHEMAS = {
    TEXT: shortened(MESSAGE, 3),
    ANSWER: fields(ref, uint(0, 10), tstr(0, 1000)),
    LINE: fields(
        uint(0, 99), uint(), tstr(0, 200), tstr(0, 64), members, uint(0, 4), nullable(schedule),
        items(0, 400, uint(0, 65535)), uint(0, 99), uint(0, 86400),
    ),
    ATTEMPT: fields(uint(0, 3), uint(0, 99), uint(1, 20), members, uint(), uint(0, 5), tstr(0, 1000)),
    QUERY: fields(uint(0, 3), uint(0, 99), uint(0, 2), nullable(ref), tstr(0, 1000)),
    TRANSLATION: shortened(RENDERING, 4),
}


def check(kind, data, author, lane, to, count):
    """The body of an entry of one of these kinds, by that author, to that audience,
    in a channel of count members."""
    body = decode(SCHEMAS[kind], data)
    everybody = sum(1 << n for n in range(1, count + 1))
    readers = everybody & ~(1 << author) if to == 0 else to & ~1
    RULES[kind](body, author, lane, readers, everybody)
    return body


def prose(s):
    """H6."""
    if any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) <= 159 for c in s):
        raise Bad("bad-character")


def one_line(s):
    """H7."""
    if re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]", s):
        raise Bad("bad-character")


def _ascending(numbers, code):
    if any(a >= b for a, b in zip(numbers, numbers[1:])):
        raise Bad(code)


def _tag(s):
    """H11."""
    if not re.match(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z", s):
        raise Bad("bad-language")


def _message(m, author, lane, readers, everybody):
    if len(m) > 3 and m[-1] == MESSAGE[len(m) - 1][1]:
        raise Bad("not-canonical")
    m = m + [empty for _, empty in MESSAGE[len(m) :]]
    _, _, text, subject, _, _, rel, inf, cites, _, lang, reservation, role = m
    prose(text)
    one_line(subject)
    for _, note in cites:
        one_line(note)
    one_line(reservation)
    if inf:
        extra, precedence = inf
        if extra & ~readers or extra == readers or precedence < lane:
            raise Bad("bad-info")
    if rel:
        _not_zero(rel[0])
        if rel[2] and (rel[0] != 2 or rel[2][0] < 1):
            raise Bad("bad-paragraphs")
        _ascending(rel[2], "bad-paragraphs")
    if any(place is None and not note for place, note in cites):
        raise Bad("empty-citation")
    if lang:
        _tag(lang[0])
    if role:
        one_line(role[0])
        one_line(role[1])


def _not_zero(*numbers):
    if 0 in numbers:
        raise Bad("out-of-range")


def _answer(a, *_):
    _not_zero(a[1])
    prose(a[2])


def _line(line, author, lane, readers, everybody):
    number, serial, name, level, who, _, sched, holidays, following, grace = line
    _not_zero(number, serial)
    if not good_name(name):
        raise Bad("bad-name")
    one_line(level)
    if bin(who).count("1") < 2 or who & ~everybody or who & ~(readers | 1 << author):
        raise Bad("bad-line-members")
    if sched:
        first, _, every, days, minutes = sched
        weekly = every == 0 and days and minutes
        interval = every >= 300 and not days and not minutes
        if not (weekly or interval) or not who >> first & 1 or grace < 60:
            raise Bad("bad-schedule")
        _ascending(minutes, "not-sorted")
    elif grace:
        raise Bad("bad-schedule")
    if following == number:
        raise Bad("bad-next-line")
    _ascending(holidays, "not-sorted")


def _attempt(a, author, lane, readers, everybody):
    caller, called = a[2], a[3]
    _not_zero(a[4], a[5])
    both = called | 1 << caller
    if not called or called >> caller & 1 or both & ~everybody or not both >> author & 1:
        raise Bad("bad-caller")
    prose(a[6])


def _query(q, *_):
    _, _, ask, about, text = q
    _not_zero(ask)
    prose(text)
    if about is None and (ask == 1 or not text):
        raise Bad("bad-question")


def _translation(t, *_):
    if len(t) > 4 and t[-1] == "":
        raise Bad("not-canonical")
    _tag(t[1])
    prose(t[3])
    for s in t[4:]:
        one_line(s)


RULES = {TEXT: _message, ANSWER: _answer, LINE: _line, ATTEMPT: _attempt, QUERY: _query, TRANSLATION: _translation}
