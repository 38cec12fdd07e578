#!/usr/bin/env python3
"""Checks an exported record, a disclosed entry or a fork proof, offline.

    parley_verify.py FILE [--channel HEX] [--json] [--quiet]

  --channel HEX  the channel that you mean, 64 hex digits, learnt from a party
                 that you trust; without it the result is SELF-ASSERTED
  --json         one JSON object
  --quiet        no findings, only the verdict

Exit status: 0 everything in the file fits; 1 something is broken, and the first
such thing is named; 2 the file cannot be read, or wrong usage.

Example:

    parley_verify.py record.parley --channel 9f2c...e1

A second opinion beside parley-verify, written from spec/ alone: the two must
agree on every file.
"""

import argparse
import json
import re
import sys

from parley.cbor import Bad
from parley.verify import verify


def main(arguments):
    if "-h" in arguments or "--help" in arguments:
        print(__doc__.strip())
        return 0
    p = argparse.ArgumentParser(prog="parley_verify.py", add_help=False)
    p.add_argument("file")
    p.add_argument("--channel")
    p.add_argument("--json", action="store_true")
    p.add_argument("--quiet", action="store_true")
    a = p.parse_args(arguments)
    if a.channel is not None and not re.match("[0-9a-f]{64}$", a.channel):
        print("--channel: 64 lower-case hex digits", file=sys.stderr)
        return 2
    try:
        with open(a.file, "rb") as f:
            data = f.read()
    except OSError as err:
        print(err, file=sys.stderr)
        return 2
    try:
        report = verify(data, a.channel and bytes.fromhex(a.channel))
    except Bad as bad:
        print(json.dumps({"broken": bad.code}) if a.json else "BROKEN     %s. Nothing in this file is proved." % bad)
        return 1
    report["told"] = a.channel is not None
    if a.json:
        print(json.dumps(report))
        return 0
    if not a.quiet:
        for finding in report["findings"]:
            print(finding)
    print("%s: a sound %s of channel %s" % ("PROVED" if a.channel else "SELF-ASSERTED", report["kind"], report["channel"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
