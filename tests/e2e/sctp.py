"""SCTP association set-up by raw sockets, for kernels that have no SCTP: INIT, INIT ACK, COOKIE ECHO,
COOKIE ACK (RFC 9260), with the CRC32c of every packet right."""
import os
import struct

PROTOCOL = 132
INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK = 1, 2, 10, 11


def _table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def packet(src_port, dst_port, tag, kind, value):
    """One packet of one chunk."""
    chunk = struct.pack("!BBH", kind, 0, 4 + len(value)) + value
    chunk += bytes(-len(chunk) % 4)
    head = struct.pack("!HHI", src_port, dst_port, tag)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk


def parse(data):
    """(src_port, dst_port, tag, kind, value) of the first chunk, or None."""
    if len(data) < 16:
        return None
    src_port, dst_port, tag, _, kind, _, length = struct.unpack_from("!HHIIBBH", data)
    if length < 4 or 12 + length > len(data):
        return None
    return src_port, dst_port, tag, kind, data[16:12 + length]


def _beginning(tag, cookie=b""):
    value = struct.pack("!IIHHI", tag, 65536, 8, 8, 1)
    if cookie:
        value += struct.pack("!HH", 7, 4 + len(cookie)) + cookie
    return value


def init(src_port, dst_port, tag):
    return packet(src_port, dst_port, 0, INIT, _beginning(tag))


def answer(data, ports):
    """What one who listens on `ports` answers to a packet; None: nothing."""
    parsed = parse(data)
    if parsed is None or parsed[1] not in ports:
        return None
    src_port, dst_port, _, kind, value = parsed
    if kind == INIT and len(value) >= 4:
        peer_tag = value[:4]
        own_tag = int.from_bytes(os.urandom(4), "big") | 1
        return packet(dst_port, src_port, int.from_bytes(peer_tag, "big"), INIT_ACK,
                      _beginning(own_tag, peer_tag))
    if kind == COOKIE_ECHO and len(value) == 4:
        return packet(dst_port, src_port, int.from_bytes(value, "big"), COOKIE_ACK, b"")
    return None


def next_step(data, src_port, dst_port, tag):
    """What one who sent an INIT answers: (packet or None, whether the association stands)."""
    parsed = parse(data)
    if parsed is None or parsed[:3] != (dst_port, src_port, tag):
        return None, False
    kind, value = parsed[3:]
    if kind == COOKIE_ACK:
        return None, True
    if kind != INIT_ACK or len(value) < 16:
        return None, False
    peer_tag = int.from_bytes(value[:4], "big")
    at = 16
    while at + 4 <= len(value):
        name, length = struct.unpack_from("!HH", value, at)
        if length < 4:
            break
        if name == 7:
            return packet(src_port, dst_port, peer_tag, COOKIE_ECHO, value[at + 4:at + length]), False
        at += length + -length % 4
    return None, False
