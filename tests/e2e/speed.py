#!/usr/bin/env python3
"""speed.py NPF-DPDK [--rounds N] [--seconds S] [--core C]: the appliance beside dpdk-testpmd, which
forwards and does nothing else.

Packets: UDP requests and replies from DPDK's net_pcap driver without end (infinite_rx), to net_null;
what the driver costs is in both. Bytes: iperf3 over veth, AF_PACKET at both ends, and beside them the
kernel's own bridge. Contenders take turns, round by round; the table has the median and the range.
Figures are DPDK's own counters, read over its telemetry socket."""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import wire

FLOWS = 2048
PREFIX = "npf-speed"
TELEMETRY = f"/run/dpdk/{PREFIX}/dpdk_telemetry.v2"


def address(host):
    return f"10.0.{host >> 8}.{host & 255}"


def udp_frame(src, dst, src_port, dst_port):
    payload = bytes(18)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, socket.inet_aton(src), socket.inet_aton(dst))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:]
    return bytes.fromhex("020000000002020000000001" "0800") + head + struct.pack("!HHHH", src_port, dst_port, 26, 0) + payload


def write_traffic(path):
    """FLOWS requests and as many replies, 60 bytes each, among 64 clients and 32 servers."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for flow in range(FLOWS):
            client, server, port = address(256 + flow % 64), address(512 + flow // 64 % 32), 20000 + flow
            for frame in (udp_frame(client, server, port, 53), udp_frame(server, client, 53, port)):
                out.write(struct.pack("<IIII", flow, 0, len(frame), len(frame)) + frame)


def write_policy(path):
    pods = [wire.pod_object("x", f"client-{n}", [address(256 + n)], {"app": "client"}) for n in range(64)]
    pods += [wire.pod_object("x", f"server-{n}", [address(512 + n)], {"app": "server"}) for n in range(32)]
    # Both directions, so that replies pass without connections too.
    rule = {"podSelector": {"matchLabels": {"app": "client"}}}
    ports = [{"protocol": p, "port": n} for p, n in (("UDP", 53), ("TCP", 5201))]
    wire.write_objects(path, [wire.namespace_object("x"), *pods, {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"namespace": "x", "name": "in"},
        "spec": {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"],
                 "ingress": [{"from": [rule], "ports": ports}]}}])


class Contender:
    """A DPDK program that forwards, from now until stop()."""

    def __init__(self, program, core, vdevs, behind):
        eal = ["--no-huge", "-m", "512", "--no-pci", "--log-level", "lib.eal:error", f"--file-prefix={PREFIX}",
               f"--lcores=0@{1 - core},1@{core}", *(f"--vdev={v}" for v in vdevs)]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([program, *eal, "--", *map(str, behind)], stdin=subprocess.PIPE,
                                        stdout=self.log, stderr=self.log)

    def ask(self, path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as made:
            made.settimeout(2)
            made.connect(TELEMETRY)
            made.recv(16384)
            made.send(path.encode())
            return json.loads(made.recv(16384))[path.split(",")[0]]

    def sent(self):
        return self.ask("/ethdev/stats,1")["opackets"]

    def wait_until_it_forwards(self, is_up):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if is_up(self):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.seek(0)
        raise RuntimeError(f"does not forward: {self.process.args}\n{self.log.read().decode(errors='replace')[-3000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def testpmd(options, vdevs):
    return Contender("dpdk-testpmd", options.core, vdevs, ["--forward-mode=io", "--auto-start", "--total-num-mbufs=32767",
                                                            "--no-lsc-interrupt", "--nb-cores=1", "--stats-period=3600"])


def npf(options, vdevs, policy, *flags):
    return Contender(options.binary, options.core, vdevs, ["--pair", "0:1", "-f", policy, "--placement", "fabric", *flags])


def mpps(contender, seconds):
    contender.wait_until_it_forwards(lambda c: c.sent() > 0)
    time.sleep(0.5)
    before, begin = contender.sent(), time.monotonic()
    time.sleep(seconds)
    rate = (contender.sent() - before) / (time.monotonic() - begin) / 1e6
    contender.stop()
    return rate


def gbps(pods, seconds):
    client, server = pods
    with subprocess.Popen(["ip", "netns", "exec", server.ns, "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL) as listener:
        time.sleep(0.3)
        done = client.run("iperf3", "-c", server.v4, "-t", seconds, "-J")
        listener.terminate()
    report = json.loads(done.stdout)
    if "error" in report:
        raise RuntimeError(f"iperf3: {report['error']}")
    return report["end"]["sum_received"]["bits_per_second"] / 1e9


def over_veth(contender, pods, seconds):
    # Forwarding, once a connection comes about.
    contender.wait_until_it_forwards(lambda _: pods[0].probe("TCP", pods[1].v4, 5201, 0.5) in ("open", "refused"))
    rate = gbps(pods, seconds)
    contender.stop()
    return rate


def over_a_bridge(link, pods, seconds):
    take_away = link.bridge()
    rate = gbps(pods, seconds)
    take_away()
    return rate


def processor():
    named = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{named[1] if named else 'unknown processor'}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--core", type=int, default=1, choices=(0, 1), help="that forwards; the other has the rest")
    options = parser.parse_args()
    wire.isolate(options.binary, "dpdk-testpmd", "iperf3")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="npf-speed."))
    traffic, policy = scratch / "traffic.pcap", scratch / "policy.json"
    write_traffic(traffic)
    write_policy(policy)
    link = wire.Wire()
    pods = (link.pod("client", "left", [f"{address(256)}/16"]), link.pod("server", "right", [f"{address(512)}/16"]))
    endless = [f"net_pcap0,rx_pcap={traffic},infinite_rx=1", "net_null1,no-rx=1"]
    ends = [f"net_af_packet{n},iface={end}" for n, end in enumerate(("wa", "wb"))]
    seconds = options.seconds
    table = {
        ("testpmd io", "net_pcap", "Mpps"): lambda: mpps(testpmd(options, endless), seconds),
        ("npf-dpdk --stateless", "net_pcap", "Mpps"): lambda: mpps(npf(options, endless, policy, "--stateless"), seconds),
        ("npf-dpdk", f"net_pcap, {FLOWS} connections", "Mpps"): lambda: mpps(npf(options, endless, policy), seconds),
        ("bridge of the kernel", "veth, iperf3", "Gbit/s"): lambda: over_a_bridge(link, pods, seconds),
        ("testpmd io", "veth, iperf3", "Gbit/s"): lambda: over_veth(testpmd(options, ends), pods, seconds),
        ("npf-dpdk", "veth, iperf3", "Gbit/s"): lambda: over_veth(npf(options, ends, policy), pods, seconds),
    }
    found = {row: [] for row in table}
    for _ in range(options.rounds):
        for row, measure in table.items():
            found[row].append(measure())
    print(f"{processor()}; {options.rounds} rounds of {seconds} s")
    print(f"{'PROGRAM':<22} {'OVER':<28} {'MEDIAN':>7} {'LEAST':>7} {'MOST':>7}")
    for (program, over, unit), rates in found.items():
        print(f"{program:<22} {over:<28} {statistics.median(rates):7.2f} {min(rates):7.2f} {max(rates):7.2f} {unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
