#!/usr/bin/env python3
"""wrap.py KIND IN.pcap OUT.pcap [--outer6] [--attacks]: what a wire between two nodes would have seen.

Puts every Ethernet frame of a capture into a tunnel between 192.168.0.1 and 192.168.0.2 (with --outer6,
between 2001:db8:1::1 and ::2). KIND: vxlan (VNI 1, port 8472), geneve (VNI 1), gre (key 1) or ip (IPv4 by
protocol 4, IPv6 by protocol 41, nothing else). --attacks appends what somebody might try who is not a
node, or who is one and lies."""
import struct
import sys

NODES4 = bytes([192, 168, 0, 1]), bytes([192, 168, 0, 2])
NODES6 = tuple(bytes.fromhex("20010db8000100000000000000000000")[:15] + bytes([n]) for n in (1, 2))
PORTS = {"vxlan": 8472, "geneve": 6081}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(kind, payload):
    return bytes.fromhex("020000000002020000000001") + struct.pack("!H", kind) + payload


def ipv4(src, dst, protocol, payload, fragment=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, fragment, 64, protocol, 0, src, dst)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def ipv6(src, dst, following, payload):
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), following, 64, src, dst) + payload


def outer(ends, protocol, payload, fragment=0):
    if len(ends[0]) == 4:
        return ethernet(0x0800, ipv4(*ends, protocol, payload, fragment))
    return ethernet(0x86dd, ipv6(*ends, protocol, payload))


def udp(port, payload):
    return struct.pack("!HHHH", 50000, port, 8 + len(payload), 0) + payload


def vxlan(frame, vni=1, flags=0x08000000):
    return udp(PORTS["vxlan"], struct.pack("!II", flags, vni << 8) + frame)


def wrapped(kind, frame, ends):
    """The tunnel's frame, or None where `kind` cannot carry it."""
    ethertype = struct.unpack("!H", frame[12:14])[0]
    if kind == "vxlan":
        return outer(ends, 17, vxlan(frame))
    if kind == "geneve":
        return outer(ends, 17, udp(PORTS["geneve"], struct.pack("!BBHI", 0, 0, 0x6558, 1 << 8) + frame))
    if kind == "gre":
        return outer(ends, 47, struct.pack("!HHI", 0x2000, 0x6558, 1) + frame)
    protocol = {0x0800: 4, 0x86dd: 41}.get(ethertype)
    return outer(ends, protocol, frame[14:]) if protocol else None


def attacks():
    """A SYN of the frontend to the database, by ways around the policy."""
    pod, node = bytes([10, 244, 1, 10]), NODES4[1]
    tcp = struct.pack("!HHIIBBHHH", 40000, 5432, 1, 0, 0x50, 2, 1024, 0, 0)
    pseudo = pod + bytes([10, 244, 1, 30]) + struct.pack("!HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    packet = ipv4(pod, bytes([10, 244, 1, 30]), 6, tcp)
    frame = ethernet(0x0800, packet)
    return [
        outer((pod, node), 17, vxlan(frame)),  # the pod is no endpoint
        outer(NODES4, 17, vxlan(frame)),  # a node sends it: policy decides
        outer(NODES4, 17, vxlan(frame, vni=2)),
        outer(NODES4, 17, vxlan(frame, flags=0)),
        outer(NODES4, 17, vxlan(frame, flags=0x0c000003)),  # GPE
        outer(NODES4, 17, vxlan(ethernet(0x0800, ipv4(pod, node, 17, vxlan(frame))))),
        outer(NODES4, 17, vxlan(frame)[:64], 0x2000),
        outer(NODES4, 17, vxlan(frame)[64:], 8),  # the rest of it
        outer(NODES4, 17, vxlan(frame[:-4])),
    ]


def main():
    kind, source, target = sys.argv[1:4]
    nodes = NODES6 if "--outer6" in sys.argv else NODES4
    data = open(source, "rb").read()
    out = [data[:24]]
    at, stamp = 24, data[24:32]

    def write(frame):
        out.append(stamp + struct.pack("<II", len(frame), len(frame)) + frame)

    while at < len(data):
        stamp, length = data[at:at + 8], struct.unpack("<I", data[at + 8:at + 12])[0]
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        ends = nodes if frame[6:12] < frame[0:6] else nodes[::-1]
        tunnel = wrapped(kind, frame, ends)
        if tunnel:
            write(tunnel)
    if "--attacks" in sys.argv:
        for frame in attacks():
            write(frame)
    open(target, "wb").write(b"".join(out))


if __name__ == "__main__":
    main()
