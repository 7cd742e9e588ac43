#!/usr/bin/env python3
"""pcap_equal.py NPF NPF-DPDK SHARED [--quick]: the appliance says of every packet what
`npf replay` says of it.

Each capture of the shared folder's hostile packets, and each Ethernet capture that has a cluster, is
read by both: by the appliance through DPDK's net_pcap driver, on the packets' own clock, with
--verdicts. The lines of both must be alike, packet by packet, in every field but the explanation,
which only replay gives, and the time, which the appliance reads once a burst; and what it forwards
must be the frames that replay allows, byte by byte. So that both judge the same frames, each capture is written anew first: classic pcap, microseconds, wire length as captured.

--quick: only the hostile ones, and only those with fragments under other flags too. Prints capture, packets, differences;
status 1 where anything differs, 77 where it cannot run."""
import argparse
import collections
import csv
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import wire

ETHERNET = 1
FLAGS = ["--unknown-pod", "deny", "--flows-max", "16384"]
NOT_COMPARED = ("time", "why")
PROFILES = [[], ["--midstream", "allow"], ["--fragments", "reassemble"]]


def read_pcap(data):
    """(microseconds, frame) of every record, or None where it is not Ethernet."""
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}.get(data[:4], ">")
    nano = data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    if struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != ETHERNET:
        return None
    records, at = [], 24
    while at + 16 <= len(data):
        seconds, part, length, _ = struct.unpack_from(order + "IIII", data, at)
        frame = data[at + 16:at + 16 + length]
        if len(frame) < length:
            break
        records.append((seconds * 1_000_000 + (part // 1000 if nano else part), frame))
        at += 16 + length
    return records


def read_pcapng(data):
    """The same of pcapng; of interfaces in microseconds, which is what they have unless they say."""
    records, at, order = [], 0, "<"
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == 1 and struct.unpack_from(order + "H", data, at + 8)[0] != ETHERNET:
            return None
        if kind == 6:
            _, high, low, captured = struct.unpack_from(order + "IIII", data, at + 8)
            records.append((high << 32 | low, data[at + 28:at + 28 + captured]))
        at += length
    return records


def rewrite(source, target):
    """The frames; none: not Ethernet, or nothing in it."""
    data = source.read_bytes()
    records = read_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else read_pcap(data)
    with target.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, ETHERNET))
        for stamp, frame in records or ():
            out.write(struct.pack("<IIII", stamp // 1_000_000, stamp % 1_000_000, len(frame), len(frame)) + frame)
    return [frame for _, frame in records or ()]


def lines_of(text):
    return [{k: v for k, v in json.loads(line).items() if k not in NOT_COMPARED} for line in text.splitlines()]


def replayed(npf, capture, inputs, flags):
    done = subprocess.run([npf, "replay", "-r", capture, "-o", "jsonl", *inputs, "--placement", "fabric", *FLAGS, *flags],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"npf replay: status {done.returncode}: {done.stderr[-500:]}")
    return lines_of(done.stdout)


def through_the_appliance(binary, capture, inputs, flags, scratch):
    verdicts, out = scratch / "verdicts.jsonl", scratch / "out.pcap"
    verdicts.unlink(missing_ok=True)
    vdevs = [f"net_pcap0,rx_pcap={capture},tx_pcap={out}.0", f"net_pcap1,tx_pcap={out}"]
    appliance = wire.Appliance(binary, (None,), ["--clock", "packet", "--opaque", "pass", "--verdicts", verdicts, "--buffers", 4095,
                                                *inputs, *FLAGS, *flags], vdevs=vdevs)
    appliance.wait_until_up()
    size, since = -1, time.monotonic()  # net_pcap does not say when it has read everything
    while time.monotonic() - since < 0.25:
        now = verdicts.stat().st_size + (out.stat().st_size if out.exists() else 0)
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.02)
    status = appliance.stop()
    if status:
        raise RuntimeError(f"npf-dpdk ended with {status}: {appliance.said()}")
    forwarded = read_pcap(out.read_bytes()) if out.exists() else []
    return lines_of(verdicts.read_text()), collections.Counter(frame for _, frame in forwarded)


def compare(options, capture, frames, inputs, flags, scratch):
    """What differs, as text, at most one line a packet."""
    wanted = replayed(options.npf, capture, inputs, flags)
    got, forwarded = through_the_appliance(options.binary, capture, inputs, flags, scratch)
    wrong = [f"  packet {w.get('n')}: {[(k, w.get(k), g.get(k)) for k in {**w, **g} if w.get(k) != g.get(k)]}"
             for w, g in zip(wanted, got) if w != g]
    if not len(got) == len(wanted) == len(frames):
        wrong.append(f"  {len(frames)} packets; npf replay judged {len(wanted)}, npf-dpdk {len(got)}")
    allowed = collections.Counter(f for f, w in zip(frames, wanted) if w["verdict"] == "allow")
    for frame, count in (allowed - forwarded).items():
        wrong.append(f"  allowed, and not forwarded: {count} times {frame.hex()[:120]}")
    for frame, count in (forwarded - allowed).items():
        wrong.append(f"  forwarded, and not allowed: {count} times {frame.hex()[:120]}")
    return wrong


def captures_of(shared, quick):
    """(name, capture, input paths, profiles)"""
    folder = shared / "adversarial"
    for path in sorted(folder.glob("*.expect.json")):
        expect = json.loads(path.read_text())
        first = (expect.get("phases") or [expect])[0]
        profiles = PROFILES if not quick or "frag" in path.name else [[]]
        yield expect["pcap"], folder / expect["pcap"], [folder / first["cluster"], folder / first["policies"]], profiles
    if quick:
        return
    with (shared / "traces/INDEX.csv").open() as index:
        files = {pathlib.Path(row["file"]).name.rsplit(".", 1)[0]: row["file"] for row in csv.DictReader(index)}
    for cluster in sorted((shared / "traces/clusters").glob("*.cluster.yaml")):
        name = cluster.name.removesuffix(".cluster.yaml")
        yield name, shared / "traces" / files[name], [cluster], [[]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("npf", type=pathlib.Path)
    parser.add_argument("binary")
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if not (options.shared / "adversarial/MANIFEST.json").is_file():
        wire.skip(f"{options.shared}/adversarial is not there")
    wire.isolate(options.npf, options.binary)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="npf-pcap."))
    judged, faults, left_out = 0, 0, []
    print("PACKETS  DIFFERENCES  CAPTURE")
    for name, source, paths, profiles in captures_of(options.shared, options.quick):
        capture = scratch / "in.pcap"
        frames = rewrite(source, capture)
        packets = len(frames)
        if not packets:
            left_out.append(f"{name} (not Ethernet)")
            continue
        for flags in profiles:
            wrong = compare(options, capture, frames, [a for p in paths for a in ("-f", p)], flags, scratch)
            judged, faults = judged + packets, faults + len(wrong)
            print(f"{packets:>7}  {len(wrong):>11}  {' '.join([name, *flags])}", *wrong[:10], sep="\n", flush=True)
    print("left out:", ", ".join(left_out) or "nothing")
    print(f"{judged} packets, {faults} differences")
    return 1 if faults or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
