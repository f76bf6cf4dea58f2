#!/usr/bin/env python3
"""Prints STAMP packets written from the figures of RFC 8762 and RFC 8972, one "name hex" a line.

Independent of the Go code: struct for the layouts, hmac for the digests. Its output is vectors.txt:
    python3 testdata/vectors.py > testdata/vectors.txt
TestVectors compares the Go code with vectors.txt, TestVectorsPython vectors.txt with this.
"""
import hashlib
import hmac
import ipaddress
import struct

T1 = (3960748800 << 32) | 0x40000000  # 2025-07-06 00:00:00.25 UTC, NTP
T2 = (3960748800 << 32) | 0x40010000
T3 = (3960748800 << 32) | 0x40020000
FU = (3960748799 << 32) | 0x80000000
PTP = (1751760000 << 32) | 250000000  # the same as T1, truncated PTPv2
KEY = bytes(range(32))


def mac(*parts, key=KEY):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()[:16]


def ee(s, z, scale, mult):
    return s << 15 | z << 14 | scale << 8 | mult


def open_request(seq, t, e, ssid):
    return struct.pack("!IQHH28x", seq, t, e, ssid)


def open_reply(seq, t3, e, ssid, t2, sseq, t1, see, ttl):
    return struct.pack("!IQHHQIQH2xB3x", seq, t3, e, ssid, t2, sseq, t1, see, ttl)


def auth_request(seq, t, e, ssid, key=KEY):
    p = struct.pack("!I12xQHH68x", seq, t, e, ssid)
    return p + mac(p, key=key)


def auth_reply(seq, t3, e, ssid, t2, sseq, t1, see, ttl):
    p = struct.pack("!I12xQHH4xQ8xI12xQH6xB15x", seq, t3, e, ssid, t2, sseq, t1, see, ttl)
    return p + mac(p)


def tlv(flags, typ, value):
    return struct.pack("!BBH", flags, typ, len(value)) + value


def hmac_tlv(flags, base, tlvs):
    return tlv(flags, 8, mac(base[:4], tlvs))


def padding(n):
    """xorshift64 (13, 7, 17) from a fixed seed, little endian"""
    m, x, b = (1 << 64) - 1, 0x9E3779B97F4A7C15, b""
    while len(b) < n:
        x ^= x << 13 & m
        x ^= x >> 7
        x ^= x << 17 & m
        b += struct.pack("<Q", x)
    return b[:n]


def session_key(secret, sender, reflector):
    def a16(a):
        a = ipaddress.ip_address(a)
        return a.packed if a.version == 6 else b"\0" * 10 + b"\xff\xff" + a.packed

    prk = hmac.new(b"quorumwatch stamp master key v1", secret, hashlib.sha256).digest()
    info = b"quorumwatch stamp session key v1" + a16(sender) + a16(reflector)
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def out(name, *parts):
    print(name, b"".join(parts).hex())


def main():
    e, f = ee(1, 0, 22, 200), ee(0, 0, 25, 128)
    out("open-request", open_request(7, T1, e, 0xBEEF))
    out("open-request-ptp", open_request(0xFFFFFFFF, PTP, ee(1, 1, 0, 1), 0))
    out("open-reply", open_reply(9, T3, f, 0xBEEF, T2, 7, T1, e, 61))
    out("auth-request", auth_request(7, T1, e, 0xBEEF))
    out("auth-reply", auth_reply(9, T3, f, 0xBEEF, T2, 7, T1, e, 61))

    # All TLVs that are known, two that are not, padding, in authenticated mode.
    def tlvs(u, cos, direct, follow, clock):
        known = 0x80 if u else 0
        return b"".join([
            tlv(known, 4, cos),
            tlv(known, 5, direct),
            tlv(known, 7, follow),
            tlv(known, 3, clock),
            tlv(known, 247, b"qwB1" + b"mesh"),
            tlv(0x80, 10, b"\x00\x01\x00\x04\x00\x00\x00\x00"),
            tlv(0x80, 242, b"x"),
        ])

    pad = padding(13)
    q = tlvs(True, struct.pack("!I", 0x2E << 26), struct.pack("!III", 5, 0, 0), bytes(16), bytes(4)) + tlv(0x80, 1, pad)
    b = auth_request(7, T1, e, 1)
    out("auth-request-tlvs", b, q, hmac_tlv(0x80, b, q))
    # CoS: wanted EF (46) for the reply, came as CS1 (8) with ECN 1, refused (RP 1).
    r = tlvs(False, struct.pack("!I", 46 << 26 | 8 << 20 | 1 << 18 | 1 << 16), struct.pack("!III", 5, 4, 3),
             struct.pack("!IQB3x", 8, FU, 2), bytes([1, 2, 5, 2])) + tlv(0, 1, pad)
    b = auth_reply(9, T3, f, 1, T2, 7, T1, e, 61)
    out("auth-reply-tlvs", b, r, hmac_tlv(0, b, r))

    secret = bytes(range(128))
    out("session-key-v4", session_key(secret, "10.0.0.1", "10.0.0.2"))
    out("session-key-v6", session_key(secret, "2001:db8::1", "2001:db8::2"))
    out("session-request", auth_request(1, T1, e, 0, key=session_key(secret, "10.0.0.1", "10.0.0.2")))


main()
