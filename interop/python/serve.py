#!/usr/bin/env python3
"""Answers the differential fuzzer: one question a line, one answer a line.

A question is JSON: {"page": ..., "params": {...}, "input": hex}, as a vector has
them; the answer is {"code": ...}, and for a sound file also its report. What this
implementation does not survive is {"crash": ...}.
"""

import json
import sys
import traceback

from parley.cbor import Bad
from parley.verify import verify
from vectors import outcome


def answer(question):
    data, params = bytes.fromhex(question["input"]), question.get("params") or {}
    if question["page"] != "disclosure" or params.get("op") != "file":
        return {"code": outcome(question["page"], params, data)}
    channel = params.get("channel")
    try:
        return {"code": "ok", "report": verify(data, channel and bytes.fromhex(channel))}
    except Bad as bad:
        return {"code": bad.code}


def main():
    for line in sys.stdin:
        try:
            out = answer(json.loads(line))
        except Exception:
            out = {"crash": traceback.format_exc(limit=-3)}
        print(json.dumps(out), flush=True)


if __name__ == "__main__":
    main()
