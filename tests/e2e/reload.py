#!/usr/bin/env python3
"""reload.py NPF-DPDK [--reloads N] [--restarts N] [--fifo]: policy that changes, and an appliance that
restarts, under traffic.

Reloads: two policies take turns while datagrams, a TCP connection and ten looks a second at /metrics
go on. Of each round the first half is quiet, so that what bursts take can be compared. One port is
open under both policies; another only to a packet of which one policy judges the egress, and the other
the ingress. Restarts: under iperf3, whose connection must live on.

Status 1 where a check fails, 77 where it cannot run. --fifo lets the worker's thread go before all
others of the machine: without it, where the machine is busy, its pauses are most of what is measured."""
import argparse
import collections
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

import wire

OPEN, MIXED = 7001, 7003
ROUNDS = 10
BYSTANDERS = 200  # pods, and as many policies, that have nothing to do with the traffic


def policy(name, labels, **spec):
    types = [t for t in ("Ingress", "Egress") if t.lower() in spec]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"namespace": "shop", "name": name},
            "spec": {"podSelector": {"matchLabels": labels}, "policyTypes": types, **spec}}


def ports(*udp):
    return [{"ports": [{"protocol": "UDP", "port": p} for p in udp] + [{"protocol": "TCP", "port": p} for p in (8080, 5201)]}]


def objects_of(client, server, egress, ingress):
    objects = [wire.namespace_object("shop"), wire.pod_object("shop", "client", client.addresses, {"app": "client"}),
               wire.pod_object("shop", "server", server.addresses, {"app": "server"}),
               policy("out", {"app": "client"}, egress=ports(*egress)), policy("in", {"app": "server"}, ingress=ports(*ingress))]
    for n in range(BYSTANDERS):
        objects.append(wire.pod_object("shop", f"b{n}", [f"10.99.{n >> 8}.{n & 255}"], {"app": f"b{n}"}))
        objects.append(policy(f"b{n}", {"app": f"b{n}"}, ingress=[{"from": [{"podSelector": {"matchLabels": {"app": f"b{n + 1}"}}}],
                                                                   "ports": [{"protocol": "TCP", "port": 1000 + n}]}]))
    return objects


class Poller(threading.Thread):
    """Ten looks a second: each page adds up, and no counter goes back."""

    def __init__(self, appliance):
        super().__init__(daemon=True)
        self.appliance, self.looks, self.faults, self.ended = appliance, 0, [], threading.Event()

    def run(self):
        before = {}
        while not self.ended.wait(0.1):
            now = self.appliance.metrics()
            self.looks += 1
            back = [n for n, v in before.items() if n.endswith("_total") or "_total{" in n if now.get(n, 0) < v]
            sums = collections.Counter()
            for name, value in now.items():
                sums[name.split("{")[0]] += value
            if back or sums["npf_packets_total"] != sums["npf_passes_total"] + sums["npf_drops_total"]:
                self.faults.append((back, sums["npf_packets_total"], sums["npf_passes_total"], sums["npf_drops_total"]))
            before = now


def bursts(metrics):
    """[(bound in seconds, bursts up to it)]"""
    found = ((re.match(r'npf_burst_seconds_bucket\{le="(.*)"\}', name), value) for name, value in metrics.items())
    return sorted((float(match[1]), value) for match, value in found if match)


def quantile(counts, q):
    """Of bursts, by a Counter of cumulative buckets."""
    total = counts[float("inf")]
    return min(bound for bound, value in counts.items() if value >= q * total) * 1e6


class Rounds:
    """Bursts of quiet halves and of those with reloads."""

    def __init__(self, appliance):
        self.appliance, self.counts, self.last = appliance, {False: collections.Counter(), True: collections.Counter()}, None
        self.look(None)

    def look(self, kind):
        now = dict(bursts(self.appliance.metrics()))
        if kind is not None:
            for bound, value in now.items():
                self.counts[kind][bound] += value - self.last[bound]
        self.last = now


class Bench:
    def __init__(self, options):
        self.options, self.faults, self.checks = options, 0, 0
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="npf-reload."))
        self.link = wire.Wire()
        self.client = self.link.pod("client", "left", ["10.244.1.10/24", "fd00:10:244:1::10/64"])
        self.server = self.link.pod("server", "right", ["10.244.1.20/24", "fd00:10:244:1::20/64"])
        wire.know_each_other(self.client, [self.server])
        wire.know_each_other(self.server, [self.client])
        self.server.ask("serve", TCP=[8080])

    def check(self, what, holds, found=""):
        self.checks += 1
        self.faults += not holds
        print(f"{'ok   ' if holds else 'WRONG'} {what}{f' ({found})' if found != '' else ''}", flush=True)

    def appliance(self, path, *flags):
        # The worker for itself, all else beside.
        vdevs = [f"net_af_packet{n},iface={end},framecnt=4096" for n, end in enumerate(self.link.pairs[0][1:])]
        made = wire.Appliance(self.options.binary, self.link.pairs[0], ["-f", path, *flags], core=0, main_core=os.cpu_count() - 1,
                              vdevs=vdevs, metrics=wire.METRICS).wait_until_up()
        if self.options.fifo:
            for task in pathlib.Path(f"/proc/{made.process.pid}/task").iterdir():
                if "worker" in (task / "comm").read_text():
                    os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(1))
        return made

    def apart(self):
        """Pods and this process leave the worker's processor alone, where there are two."""
        if os.cpu_count() > 1:
            for pid in (os.getpid(), self.client.pid, self.server.pid):
                os.sched_setaffinity(pid, range(1, os.cpu_count()))


def resident_kib(appliance):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{appliance.process.pid}/status").read_text())[1])


def reloads(bench):
    path = bench.scratch / "objects.json"
    sides = [bench.scratch / "a.json", bench.scratch / "b.json"]
    wire.write_objects(sides[0], objects_of(bench.client, bench.server, (OPEN, MIXED), (OPEN,)))
    wire.write_objects(sides[1], objects_of(bench.client, bench.server, (OPEN,), (OPEN, MIXED)))

    def change_to(side):
        new = bench.scratch / "new"
        new.unlink(missing_ok=True)
        new.symlink_to(sides[side])
        new.rename(path)
    change_to(0)
    appliance = bench.appliance(path)
    to = bench.server.addresses
    bench.server.ask("count")
    bench.client.ask("stream", name="s", to=to[0], port=8080)
    bench.client.ask("flood", name="f", to=[[a, p] for a in to for p in (OPEN, MIXED)], sources=8, pause=0.005)
    poller = Poller(appliance)
    time.sleep(1)
    before = appliance.metrics()
    poller.start()
    rounds, done, resident, quiet = Rounds(appliance), 0, [], 0.5
    for number in range(ROUNDS):
        time.sleep(quiet)
        rounds.look(False)
        begin = time.monotonic()
        while done < bench.options.reloads * (number + 1) // ROUNDS:
            done += 1
            change_to(done % 2)
            appliance.reload()
        rounds.look(True)
        quiet = min(10.0, max(0.5, time.monotonic() - begin))
        resident.append(resident_kib(appliance))
    poller.ended.set()
    poller.join()
    sent = bench.client.ask("flood_stop", name="f")
    stream = bench.client.ask("stream_state", name="s")
    time.sleep(0.5)
    after, arrived = appliance.metrics(), bench.server.ask("counted")
    lost = sum(after[n] - before[n] for n in after if n.startswith(("npf_port_missed", "npf_port_not_sent")))
    came = arrived.get(f"17/{OPEN}", 0)
    bench.check(f"{done} reloads; of {sent[str(OPEN)]} datagrams none is lost", came == sent[str(OPEN)] and lost == 0,
                f"{came} arrived, {int(lost)} lost at ports, {sent.get('failed', 0)} never left")
    bench.check(f"of {sent[str(MIXED)]} that only a mixture would let pass, none passes", arrived.get(f"17/{MIXED}", 0) == 0,
                arrived.get(f"17/{MIXED}", 0))
    bench.check("the connection lives", stream["echoes"] > 20 and stream["silent"] < 5 and not stream["ended"], stream)
    bench.check(f"{poller.looks} looks at the counters: they add up and never go back", poller.looks and not poller.faults, poller.faults[:3])
    bench.check("the generation is of the last reload", after["npf_policy_generation"] == 1 + done, after["npf_policy_generation"])
    for q in (0.5, 0.99, 0.999):
        still, busy = (quantile(rounds.counts[kind], q) for kind in (False, True))
        print(f"      p{100 * q:g} of a burst: {still:.1f} us quiet, {busy:.1f} us with reloads")
    numbers = [int(rounds.counts[kind][float("inf")]) for kind in (False, True)]
    if bench.options.reloads >= 1000:
        bench.check("p99.9 is at most 50 us above the quiet one's", busy <= still + 50, f"bursts: {numbers}, load {os.getloadavg()[0]:.1f}")
    half = resident[len(resident) // 2 - 1]
    grown = (resident[-1] - half) / max(1, done - done * (len(resident) // 2) // ROUNDS)
    if bench.options.reloads >= 100:
        bench.check("memory grows by less than 1 KiB a reload, of the second half", grown < 1, f"{resident} KiB")
    bench.check("it ends with status 0", appliance.stop() == 0)


def restarts(bench):
    """iperf3 from client to server, and SIGTERM and a start, again and again."""
    path = bench.scratch / "restarts.json"
    wire.write_objects(path, objects_of(bench.client, bench.server, (OPEN,), (OPEN,)))
    flags = ["--flows-dir", bench.scratch / "flows", "--state-dir", bench.scratch / "state"]
    appliance = bench.appliance(path, *flags)
    serving = bench.server.start("iperf3", "-s", "-1")
    time.sleep(0.5)
    asking = bench.client.start("iperf3", "-c", bench.server.v4, "-t", "3600", "-b", "50M", "-i", "1", "--forceflush", "-f", "m")
    time.sleep(2)
    gaps, statuses = [], []

    def sent():
        return appliance.metrics().get("npf_port_sent_bytes_total{port=\"net_af_packet1\"}", 0)
    for _ in range(bench.options.restarts):
        begin = time.monotonic()
        statuses.append(appliance.stop())
        appliance = bench.appliance(path, *flags)
        try:
            appliance.wait(lambda: sent() > 2_000_000, "iperf3 goes on", 20)
            gaps.append(time.monotonic() - begin)
        except TimeoutError as error:
            bench.check("iperf3 goes on", False, error)
            break
        time.sleep(0.5)
    bench.check(f"after each of {bench.options.restarts} restarts the connection of iperf3 goes on",
                len(gaps) == bench.options.restarts and asking.poll() is None,
                f"2 MB more after at most {max(gaps, default=0):.1f} s" if gaps else "")
    asking.send_signal(signal.SIGINT)
    text = asking.communicate(timeout=10)[0]
    bench.check("and ends as it was asked to", "interrupt - the client has terminated" in text or "receiver" in text,
                text.strip().splitlines()[-1:])
    serving.kill()
    bench.check("each SIGTERM gave status 0", not any(statuses), statuses)
    appliance.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--fifo", action="store_true")
    options = parser.parse_args()
    wire.isolate(options.binary)
    bench = Bench(options)
    if options.reloads:
        bench.apart()
        reloads(bench)
    if options.restarts:
        restarts(bench)
    print(f"{bench.checks} checks, {bench.faults} wrong")
    return 1 if bench.faults or not bench.checks else 0


if __name__ == "__main__":
    sys.exit(main())
