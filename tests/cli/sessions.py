#!/usr/bin/env python3
"""sessions.py NPF SHARED [FOLDER ...]: real TCP sessions, replayed with their connections.

Every capture of the shared traces (or of the named folders of them) is replayed where each address
is a pod that no policy selects, so that nothing but the rules of connections denies a segment. A session is complete
where the capture has all of it: a SYN, the SYN-ACK that acknowledges it, every byte of both sides up to
the last one that either has sent or acknowledged, and both FINs or a RST exactly where its receiver
waits. What comes behind such a RST is of no connection (RFC 9293, 3.10.7.4). At most one packet in a
thousand of complete sessions may be denied; the first ones are told, by file and number. Status 77,
and why, where the traces are not there."""
import collections
import ipaddress
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

FIN, SYN, RST, ACK = 1, 2, 4, 16
DENIED_MAX = 0.001
EXAMPLES = 30
UNUSABLE = {"0.0.0.0", "::", "255.255.255.255"}  # no pod has such an address

Segment = collections.namedtuple("Segment", "number side flags seq ack end verdict reason")


def run(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, text=True)
    if done.returncode < 0 or "Sanitizer" in done.stderr or "runtime error:" in done.stderr:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
    return done


def pods(addresses):
    yield "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"
    for number, address in enumerate(sorted(addresses)):
        yield (f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: x}}\n"
               f"status: {{phase: Running, podIPs: [{{ip: '{address}'}}]}}\n")


def frames(path):
    """The packets of a pcapng as `npf replay -w` writes it, in order."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured = struct.unpack_from("<I", data, at + 20)[0]
            yield data[at + 28:at + 28 + captured]
        at += size


def transport_of(frame, row):
    """Where the transport header of the packet that was judged begins and ends on the wire."""
    src, dst = (ipaddress.ip_address(row[name]) for name in ("src", "dst"))
    at = frame.find(src.packed + dst.packed)
    if src.version == 4:
        begin = at - 12
        return begin + frame[begin] % 16 * 4, begin + struct.unpack_from(">H", frame, begin + 2)[0]
    begin, following = at - 8, frame[at - 2]
    end = begin + 40 + struct.unpack_from(">H", frame, begin + 4)[0]
    begin += 40
    while following in (0, 43, 44, 60):
        following, begin = frame[begin], begin + (8 if following == 44 else 8 + frame[begin + 1] * 8)
    return begin, end


def read_segment(frame, row):
    """A segment whose header was captured, or None. Its side is 0 where its key is in order."""
    begin, end = transport_of(frame, row)
    if begin < 0 or begin + 14 > len(frame):
        return None
    seq, ack, offset, flags = struct.unpack_from(">IIBB", frame, begin + 4)
    length = max(0, end - begin - offset // 16 * 4) + bool(flags & SYN) + bool(flags & FIN)
    ends = (row["src"], row["src_port"]), (row["dst"], row["dst_port"])
    return Segment(row["n"], int(ends[0] > ends[1]), flags, seq, ack, seq + length,
                   row["verdict"], row["reason"])


class Session:
    """All segments from a SYN on."""

    def __init__(self, syn):
        self.segments = []
        self.begun_by = syn.side
        self.first = {syn.side: syn.seq}
        self.reset = False
        self.add(syn)

    def begins_anew(self, segment):
        if segment.flags & (SYN | ACK) != SYN:
            return False
        return segment.side != self.begun_by or segment.seq != self.first[self.begun_by]

    def distance(self, side, number):
        """Of a sequence number from the side's first one, or 0 where that is not known."""
        distance = (number - self.first.get(side, number)) % 2**32
        return distance - 2**32 if distance >= 2**31 else distance

    def add(self, segment):
        if segment.flags & (SYN | ACK) == SYN | ACK and segment.side != self.begun_by:
            if self.distance(self.begun_by, segment.ack) == 1:
                self.first.setdefault(segment.side, segment.seq)
        self.segments.append(segment)
        if segment.flags & RST and segment.seq in self.awaited(segment.side):
            self.reset = True

    def acknowledged(self, side):
        """Behind the last byte of this side that the other has acknowledged."""
        return max((self.distance(side, s.ack) for s in self.segments
                    if s.side != side and s.flags & (ACK | RST) == ACK), default=0)

    def sent(self, side):
        """Behind the last byte of this side before which none is missing."""
        sent = 0
        for begin, end in sorted((self.distance(side, s.seq), self.distance(side, s.end))
                                 for s in self.segments if s.side == side and not s.flags & RST):
            sent = max(sent, end) if begin <= sent else sent
        return sent

    def awaited(self, side):
        """Where this side's receiver may wait, as far as who stands between them can tell."""
        first = self.first.get(side, 0)
        return {(first + self.sent(side)) % 2**32, (first + self.acknowledged(side)) % 2**32}

    def is_complete(self):
        if len(self.first) != 2:
            return False
        known = [s for s in self.segments if not s.flags & RST]
        if not self.reset and {s.side for s in known if s.flags & FIN} != {0, 1}:
            return False
        for side in (0, 1):
            ends = [self.distance(side, s.end) for s in known if s.side == side]
            if self.sent(side) != max(ends) or self.acknowledged(side) > max(ends):
                return False
        return True


def segments_by_ends(npf, capture, scratch):
    """Of each pair of ends the segments in order, as the engine judged them; {} where it reads none."""
    cluster, judged = scratch / "cluster.yaml", scratch / "judged.pcapng"
    replay = [npf, "replay", "-r", capture, "-f", cluster, "--checksums", "ignore", "-o"]
    cluster.write_text("".join(pods([])))
    flows = [line.split(",") for line in run(replay + ["csv", "--stateless"]).stdout.splitlines()]
    tcp = [flow for flow in flows if len(flow) > 4 and flow[4] == "TCP"]
    cluster.write_text("".join(pods({flow[i] for flow in tcp for i in (0, 2)} - UNUSABLE)))
    rows = map(json.loads, run(replay + ["jsonl", "-w", judged]).stdout.splitlines())
    found = collections.defaultdict(list)
    for frame, row in zip(frames(judged), rows):
        is_tcp = row.get("proto") == "TCP" and "src_port" in row
        segment = read_segment(frame, row) if is_tcp else None
        if segment:
            ends = [(row["src"], row["src_port"]), (row["dst"], row["dst_port"])]
            found[tuple(sorted(ends))].append(segment)
    return found


def sessions(segments):
    session = None
    for segment in segments:
        if segment.flags & (SYN | ACK) == SYN and (session is None or session.begins_anew(segment)):
            if session:
                yield session
            session = Session(segment)
        elif session and not session.reset:
            session.add(segment)
    if session:
        yield session


def main(npf, traces, folders):
    seen, complete, packets = 0, 0, 0
    denied, examples = collections.Counter(), []
    with tempfile.TemporaryDirectory() as scratch:
        for capture in sorted(traces.glob("*/*.pcap*")):
            if folders and capture.parent.name not in folders:
                continue
            for ends, segments in segments_by_ends(npf, capture, pathlib.Path(scratch)).items():
                for session in sessions(segments):
                    seen += 1
                    if not session.is_complete():
                        continue
                    complete += 1
                    packets += len(session.segments)
                    for segment in session.segments:
                        if segment.verdict != "allow":
                            denied[segment.reason] += 1
                            examples.append(f"{capture.relative_to(traces)} packet {segment.number} "
                                            f"{ends}: {segment.reason}")
    for example in examples[:EXAMPLES]:
        print(example)
    for reason, count in denied.most_common():
        print(f"denied {reason}: {count}")
    wrong = sum(denied.values())
    print(f"{seen} sessions, {complete} of them complete: {packets} packets, {wrong} denied, "
          f"{100 * wrong / max(packets, 1):.3f} %")
    return 1 if wrong > DENIED_MAX * packets or not packets else 0


if __name__ == "__main__":
    if not (pathlib.Path(sys.argv[2]) / "traces" / "INDEX.csv").is_file():
        print(f"skipped: {sys.argv[2]}/traces is not there")
        sys.exit(77)
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]) / "traces", sys.argv[3:]))
