#!/usr/bin/env python3
"""Decodes and encodes open-mode STAMP packets with scapy (apt-get install python3-scapy), for TestScapy.

Each line of input is "request HEX" or "reply HEX"; the answer is the fields, and then the packet that scapy builds of the
fields alone.
"""
import sys
import warnings

warnings.filterwarnings("ignore")
try:
    from scapy.layers.inet import UDP
    from scapy.contrib.stamp import (
        STAMPSessionReflectorTestUnauthenticated as Reply,
        STAMPSessionSenderTestUnauthenticated as Request,
    )
except ImportError as e:
    print("no scapy:", e)
    sys.exit(77)


def fixed(ts):
    """scapy shows NTP times as seconds with a fraction; here they are in microseconds."""
    return round(ts * 1000000)


for line in sys.stdin:
    kind, data = line.split()
    data = bytes.fromhex(data)
    p = (Request if kind == "request" else Reply)(data, _parent=UDP(len=8 + len(data)))
    f = [kind, p.seq, fixed(p.ts), p.err_estimate.S, p.err_estimate.Z, p.err_estimate.scale, p.err_estimate.multiplier, p.ssid]
    if kind == "reply":
        f += [fixed(p.ts_rx), p.seq_sender, fixed(p.ts_sender), p.err_estimate_sender.multiplier, p.ttl_sender]
    print(*f, *["%d:%d" % (t.type, t.len) for t in p.tlv_objects])
    p.clear_cache()
    p.raw_packet_cache = None
    print(bytes(p).hex())
