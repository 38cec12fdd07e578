class Opened:
    def __init__(self, log, index, to, data):
        pass


def report(record):
    return {"kind": "record", "channel": record.charter.channel.hex(), "findings": []}
