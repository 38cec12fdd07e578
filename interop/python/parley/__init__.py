"""A second implementation of Parley's formats, written from spec/ alone.

It exists to be compared with the first one: every vector of spec/vectors, and
in the differential fuzzer of spec/second_test.go hundreds of thousands of
broken files, must have the same outcome in both. It verifies only, needs
nothing but Python's standard library (3.9 or later), and prefers a form that can
be held beside the pages to speed. It is not constant-time: never give it a key
that matters.

Each module stands for one page or one borrowed standard:

    cbor      entry.md, Encoding: E1 to E8 as combinators that read like the CDDL
    ed25519   RFC 8032 with K2 and K3 of keys.md
    mldsa     FIPS 204, ML-DSA-44, verification
    tree      RFC 6962: roots, consistency, inclusion
    note      heads, cosignatures: journal.md J8, J9; receipts.md
    entry     entry.md, Fields and the protocol's kinds; journal.md J1 to J4
    keys      keys.md
    charter   charter.md
    fork      journal.md J10 to J13
    files     disclosure.md: the frame of the three files, a disclosed entry, a fork
    record    disclosure.md: a whole record
    verify    the verdict on any of the three
    fold      journal.md J14 to J18: which entries stand, and with which mark
    hotline   hotline.md, Bodies
    frames    frames.md, Rules of form
    symmetric, kem   what the vectors of frames.md and keys.md decrypt with
"""
