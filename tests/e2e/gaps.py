#!/usr/bin/env python3
"""gaps.py NPF NPF-DPDK SOURCE: `npf gaps` over real traffic, once where nothing enforces the policy, and
once with the appliance in the way.

The pods are those of examples/three-tier: frontend, report and outside at one side of the wire, on
node-a; api, postgres and dns at the other, on node-b. The same connections are tried both times, with
real stacks: some that the policy allows, and violations planted by hand. Packets are captured at both
sides of where the appliance is, and at the api pod. Near the destinations every violation must be
found, and proven, the first time, and none the second. Prints a line a check; status 1 where one
fails, 77 where none can run."""
import argparse
import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import wire

# Name: side, node, labels, host part of its addresses.
PODS = {"shop/frontend": ("left", "node-a", {"app": "frontend"}, 10),
        "batch/report": ("left", "node-a", {"app": "report"}, 40),
        "shop/api": ("right", "node-b", {"app": "api"}, 20),
        "shop/postgres": ("right", "node-b", {"app": "postgres"}, 30),
        "kube-system/dns": ("right", "node-b", {"k8s-app": "kube-dns"}, 53)}
OUTSIDE = ["203.0.113.80/24", "2001:db8:80::80/64"]
ALLOWED = [("shop/frontend", "shop/api", "TCP", 8080), ("shop/frontend", "kube-system/dns", "UDP", 53),
           ("batch/report", "kube-system/dns", "TCP", 53), ("batch/report", "kube-system/dns", "ICMP", 0)]
PLANTED = [("shop/frontend", "shop/postgres", "TCP", 5432), ("shop/frontend", "shop/api", "TCP", 9090),
           ("batch/report", "shop/api", "TCP", 8080), ("shop/frontend", "kube-system/dns", "TCP", 53),
           ("shop/frontend", "shop/postgres", "UDP", 7001), ("outside", "shop/api", "TCP", 8080),
           ("shop/frontend", "shop/postgres", "ICMP", 0)]
# Nobody listens: the pod answers with a RST.
CLOSED = ("shop/frontend", "shop/api", "TCP", 22)
ICMP_NAMES = {"4": "ICMP", "6": "ICMPv6"}


class Sniffer:
    """Captures at a device of a namespace until it is told to stop."""

    def __init__(self, ns, device, path):
        self.path, self._ready, self._stop = path, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ns, device), daemon=True)
        self._thread.start()
        if not self._ready.wait(5):
            raise RuntimeError(f"no capture of {device} in {ns}")

    def _run(self, ns, device):
        wire.enter(ns)()  # of this thread only
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw, self.path.open("wb") as out:
            raw.bind((device, 0))
            raw.settimeout(0.1)
            out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            self._ready.set()
            while not self._stop.is_set():
                try:
                    frame = raw.recv(65536)
                except TimeoutError:
                    continue
                now = time.time_ns()
                out.write(struct.pack("<IIII", now // 10**9, now % 10**9, len(frame), len(frame)) + frame)

    def stop(self):
        self._stop.set()
        self._thread.join(5)
        return self.path


class Bench:
    def __init__(self, options):
        self.options, self.checks, self.faults = options, 0, 0
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="npf-gaps."))
        self.link = wire.Wire()
        self.pods = {name: self.link.pod(name, side, [f"10.244.1.{host}/24", f"fd00:10:244:1::{host}/64"])
                     for name, (side, _, _, host) in PODS.items()}
        self.pods["outside"] = self.link.pod("outside", "left", OUTSIDE)
        for name in ("shop/api", "shop/postgres", "kube-system/dns"):
            self.pods[name].ask("serve", TCP=[53, 5432, 8080, 9090], UDP=[53, 7001])
        for pod in self.pods.values():
            wire.know_each_other(pod, [other for other in self.pods.values() if other is not pod])
        self.policies = options.source / "examples/three-tier/policies.yaml"
        self.cluster = self.scratch / "cluster.json"
        objects = [wire.namespace_object(ns) for ns in ("shop", "batch", "kube-system")]
        for name, (_, node, labels, _) in PODS.items():
            objects.append(wire.pod_object(*name.split("/"), self.pods[name].addresses, labels, node=node))
        wire.write_objects(self.cluster, objects)

    def check(self, what, holds, found=""):
        self.checks += 1
        self.faults += not holds
        print(f"{'ok   ' if holds else 'WRONG'} {what}{f' ({found})' if found != '' else ''}", flush=True)

    def try_all(self):
        """Every connection over both families, all at once; what came of each."""
        waited = {}
        for src, dst, proto, port in [*ALLOWED, *PLANTED, CLOSED]:
            for family in "46":
                to = self.pods[dst].v4 if family == "4" else self.pods[dst].v6
                probe = {"proto": proto, "to": to, "port": port, "timeout": 2.5}
                waited[src, dst, proto, port, family] = (self.pods[src], self.pods[src].begin("probes", probes=[probe]))
        return {what: pod.finish(which)[0] for what, (pod, which) in waited.items()}

    def capture(self, name):
        """The captures of all connections, by place, and what came of the connections."""
        places = {"sources": ("left", "wire0"), "destinations": ("right", "wire0"), "api": ("r-shop-api", "eth0")}
        sniffers = {place: Sniffer(ns, device, self.scratch / f"{name}-{place}.pcap")
                    for place, (ns, device) in places.items()}
        time.sleep(0.1)
        came = self.try_all()
        time.sleep(0.3)
        return {place: sniffer.stop() for place, sniffer in sniffers.items()}, came

    def gaps(self, capture, at):
        done = subprocess.run([self.options.npf, "gaps", "-f", self.policies, "-f", self.cluster, "-r", capture,
                               "--captured-at", at, "-o", "json"], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"npf gaps: status {done.returncode}: {done.stderr[-500:]}")
        return done.returncode, json.loads(done.stdout)


def named(row):
    family = "6" if ":" in row["dst"] else "4"
    proto = "ICMP" if row["proto"] == ICMP_NAMES[family] else row["proto"]
    return row.get("src_pod", "outside"), row["dst_pod"], proto, row.get("dst_port", 0), family


def of_both_families(connections):
    return {(*c, family) for c in connections for family in "46"}


def graded(report, grade):
    rows = report["gaps"] + report["not_delivered"]
    return {named(row): row for row in rows if row["grade"] == grade}


def nothing_enforces(bench):
    remove = bench.link.bridge()
    captures, came = bench.capture("open")
    remove()
    bench.check("without enforcement everything is answered",
                all(came[c] == ("refused" if c[:4] == CLOSED else "open") for c in came),
                [c for c in came if came[c] not in ("open", "refused")])
    status, report = bench.gaps(captures["destinations"], "node-b")
    proven, planted = graded(report, "proven"), of_both_families(PLANTED)
    bench.check(f"each of {len(planted)} planted violations is found, and proven", proven.keys() == planted and status == 1,
                {"missed": planted - proven.keys(), "invented": proven.keys() - planted, "status": status})
    bench.check("each names a policy, its file and line", all(
        by["file"] == str(bench.policies) and by["line"] > 0 for row in proven.values() for by in row["denied_by"][:1])
        and all(row["denied_by"] for row in proven.values()))
    bench.check("a RST seen at the node suggests, and no more", graded(report, "suggested").keys() == of_both_families([CLOSED]))
    bench.check("what is allowed is seen, and answered",
                report["summary"]["connections"]["allowed"] >= 2 * len(ALLOWED) and report["summary"]["unanswered"] == 0,
                report["summary"]["connections"]["allowed"])
    _, report = bench.gaps(captures["api"], "shop/api")
    bench.check("a RST that leaves the pod proves", of_both_families([CLOSED]) <= graded(report, "proven").keys())


def the_appliance_enforces(bench):
    appliance = wire.Appliance(bench.options.binary, bench.link.pairs[0],
                               ["-f", bench.policies, "-f", bench.cluster]).wait_until_up()
    captures, came = bench.capture("enforced")
    appliance.stop()
    denied, allowed = of_both_families([*PLANTED, CLOSED]), of_both_families(ALLOWED)
    bench.check("with enforcement only what is allowed is answered",
                all(came[c] == "timeout" for c in denied) and all(came[c] == "open" for c in allowed),
                [(c, came[c]) for c in came if (came[c] == "open") != (c in allowed)])
    for place, at in (("destinations", "node-b"), ("api", "shop/api")):
        status, report = bench.gaps(captures[place], at)
        bench.check(f"of {len(denied)} violations none is found near the {place}", status == 0 and not report["gaps"] and not
                        report["not_delivered"], report["gaps"])
    bench.check("what is allowed came there", bench.gaps(captures["destinations"], "node-b")[1]["summary"]["connections"]["allowed"]
                >= 2 * len(ALLOWED))
    status, report = bench.gaps(captures["sources"], "node-a")
    found = {named(row) for row in report["not_delivered"]}
    tcp = {c for c in denied if c[2] == "TCP"}
    bench.check("near the sources all are seen, and nothing is proven or suggested", status == 0 and found == denied and not
                graded(report, "proven") and not graded(report, "suggested"), found ^ denied)
    bench.check("and connections that were tried again are likely dropped", tcp <= graded(report, "dropped").keys())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("npf", type=pathlib.Path)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    options = parser.parse_args()
    wire.isolate(options.npf, options.binary)
    begin = time.monotonic()
    bench = Bench(options)
    nothing_enforces(bench)
    the_appliance_enforces(bench)
    print(f"{bench.checks} checks, {bench.faults} wrong, {time.monotonic() - begin:.0f} s")
    return 1 if bench.faults or not bench.checks else 0


if __name__ == "__main__":
    sys.exit(main())
