#!/usr/bin/env python3
"""fragments.py NPF SOURCE_DIR: `npf replay --fragments` over a small capture of the three-tier example.

Records come in the order of the capture, with the verdicts that the packets have in the end."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

npf, example = sys.argv[1], pathlib.Path(sys.argv[2]) / "examples" / "three-tier"
FRONTEND, API, DNS = (bytes((10, 244, 1, last)) for last in (10, 20, 53))
UDP, TCP, MORE = 17, 6, 0x2000
failures = []


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(destination, protocol, payload, ident=1, fragment=0):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0) + FRONTEND + destination
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return b"\x02" * 12 + b"\x08\x00" + head + payload


def question(ident, size=64):
    datagram = struct.pack(">HHHH", 4000 + ident, 53, 8 + size, 0) + bytes(size)
    return (packet(DNS, UDP, datagram[:32], ident, MORE), packet(DNS, UDP, datagram[32:], ident, 32 // 8))


def syn(port):
    segment = struct.pack(">HHIIBBHHH", port, 8080, 1, 0, 0x50, 2, 1000, 0, 0)
    pseudo = FRONTEND + API + struct.pack(">HH", TCP, len(segment))
    segment = segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]
    return packet(API, TCP, segment)


def pcap(frames):
    records = [struct.pack("<IIII", 1000 + second, 0, len(frame), len(frame)) + frame for second, frame in frames]
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + b"".join(records)


def replay(work, frames, *flags, status=0):
    (work / "in.pcap").write_bytes(pcap(frames))
    command = [npf, "replay", "-f", example / "policies.yaml", "-f", example / "cluster.yaml", "-r", work / "in.pcap",
               "-o", "jsonl", *flags]
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, text=True)
    check(f"status of {flags}", done.returncode, status)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got}, wanted {wanted}")


def verdicts(rows):
    return [f"{row['n']} {row['verdict']} {row['reason']}" for row in rows]


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    first, last = question(1)
    lost, rest = question(2)
    frames = [(0, last), (0, syn(1000)), (1, lost), (1, first), (2, syn(1001))]
    rows, _ = replay(work, frames)
    check("track", verdicts(rows), ["1 deny frag_no_first", "2 allow policy", "3 allow policy", "4 allow policy",
                                    "5 allow policy"])
    rows, _ = replay(work, frames, "--fragments", "reassemble", "-w", work / "out.pcapng")
    wanted = ["1 allow policy", "2 allow policy", "3 deny frag_incomplete", "4 allow policy", "5 allow policy"]
    check("reassemble", verdicts(rows), wanted)
    check("proto and ports", [(row["proto"], row.get("dst_port")) for row in rows],
          [("fragment", None), ("TCP", 8080), ("UDP", 53), ("UDP", 53), ("TCP", 8080)])
    check("why, of a fragment without ports", rows[0]["why"], rows[3]["why"])
    annotated = (work / "out.pcapng").read_bytes()
    places = [annotated.find(frame) for _, frame in frames]
    check("the annotated capture's order", places, sorted(places))
    check("all are in it", -1 in places, False)
    check("what it says of the one", b"npf: deny: frag_incomplete: shop/frontend" in annotated, True)

    rows, _ = replay(work, [*frames[:3], (40, syn(1002)), (41, first)], "--fragments", "reassemble")
    check("after 30 s", verdicts(rows), ["1 deny frag_incomplete", "2 allow policy", "3 deny frag_incomplete",
                                         "4 allow policy", "5 deny frag_incomplete"])
    (work / "none.yaml").write_text("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                    "metadata: {name: none, namespace: shop}\nspec: {podSelector: {}, policyTypes: "
                                    "[Egress]}\n")
    rows, _ = replay(work, frames, "--fragments", "reassemble", "--update",
                     f"4={work / 'none.yaml'},{example / 'cluster.yaml'}")
    check("the policy at the end", verdicts(rows), ["1 deny policy", "2 allow policy", "3 deny frag_incomplete",
                                                    "4 deny policy", "5 deny policy"])
    check("its generation", [row["generation"] for row in rows], [2, 1, 1, 2, 2])
    check("who isolates", ["shop/none" in json.dumps(row.get("why", "")) for row in rows],
          [True, False, False, True, True])

    many = [(0, lost)] + [(1, syn(1000))] * 2**18 + [(2, rest), (2, first), (2, last)]
    rows, errors = replay(work, many, "--fragments", "reassemble")
    check("more than can wait", [row["n"] for row in rows], list(range(1, len(many) + 1)))
    check("is given up", verdicts(rows[:2] + rows[-3:]),
          ["1 deny frag_incomplete", "2 allow policy", f"{len(many) - 2} deny frag_incomplete",
           f"{len(many) - 1} allow policy", f"{len(many)} allow policy"])
    check("and told", "datagrams that were given up because too many packets waited for them: 1;" in errors, True)
    _, errors = replay(work, frames, "--fragments", "reassemble", "--stateless", status=2)
    check("contradictory flags", "--stateless" in errors, True)

print("\n".join(failures) or "all as it should be")
sys.exit(1 if failures else 0)
