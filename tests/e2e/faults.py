#!/usr/bin/env python3
"""faults.py NPF-DPDK SOURCE [NAME...]: what the appliance does where something fails, and where what it
sees contradicts what it was told; one scenario after the other, without names all of them.

Scenarios F1 to F8 are the rows of the table of faults in docs/testing.md, O1 to O4 what nobody at this
place can look into, B50 to B55 what clients of its socket send. Prints a line for every check; status
1 where one fails, 77 where none can run."""
import argparse
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import live
import wire
from live import becomes, objects_of_pods, of, policy

NODE = {"apiVersion": "v1", "kind": "Node"}


def run_to_end(bench, *flags, before=()):
    """The exit status and what it said of an appliance that is to end by itself."""
    vdevs = [f"--vdev=net_af_packet{n},iface={end}" for n, end in enumerate(bench.link.pairs[0][1:])]
    command = [*before, bench.options.binary, *wire.EAL, "--lcores=0@0,1@0", *vdevs, "--", "--placement", "fabric", *flags]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def asked(bench, *command):
    """A verb of npf; skipped where it is not there."""
    npf = bench.options.binary.parent.parent / "tools/npf/npf"
    return wire.within(None, npf, *command) if npf.exists() else None


def report_says(bench, socket_path, what, *words):
    done = asked(bench, "status", "--pods", "--socket", socket_path)
    if done is not None:
        bench.check(f"the report says so: {what}", all(w in done.stdout for w in words), done.stdout.strip()[:200] or done.stderr)


def through_taps(bench, paths, *flags, **more):
    """An appliance between two TAP devices, each bridged to an end of the wire: the AF_PACKET driver has the kernel join
    fragments before it hands them out."""
    appliance = bench.appliance(paths, *flags, vdevs=["net_tap0,iface=ta", "net_tap1,iface=tb"], **more)
    wire.within(None, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0")
    wire.sysctl(None, "net.ipv6.conf.default.disable_ipv6=1")
    for n, (tap, end) in enumerate((("ta", "wa"), ("tb", "wb"))):
        wire.ip(f"link add tapbr{n} type bridge mcast_snooping 0", f"link set tapbr{n} up", f"link set {tap} master tapbr{n}", f"link set {tap} up",
                f"link set {end} master tapbr{n}")
    return appliance


def f1_no_policy(bench):
    empty = bench.scratch / "empty.yaml"
    empty.write_text("# nothing\n")
    folder = bench.scratch / "folder"
    folder.mkdir(exist_ok=True)
    for path, word in ((empty, "no objects"), (folder, "no objects"), (bench.scratch / "absent", "No such file")):
        status, said = run_to_end(bench, "-f", path)
        bench.check(f"{path.name}: it does not start, and says why", status in (3, 4) and word in said, (status, said.strip()[-120:]))
    namespaces = bench.objects("namespaces", wire.namespace_object("shop"))
    appliance = bench.appliance([namespaces])
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    appliance.stop()


def f1_fail_open(bench):
    """The explicit, loud exception."""
    path = bench.scratch / "wrong.yaml"
    path.write_text("kind: NetworkPolicy\n")
    status, said = run_to_end(bench, "-f", path)
    bench.check("without --fail-open it ends", status == 3, (status, said.strip()[-120:]))
    appliance = bench.appliance([path], "--fail-open", "--follow", metrics=wire.METRICS)
    bench.check("with it it says loudly that it enforces nothing", "NO POLICY IS ENFORCED" in appliance.said())
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    bench.check("it is not ready", becomes(appliance, 503, "fail_open"))
    bench.check("the metric says so", appliance.metrics()["npf_fail_open"] == 1)
    live.write_shop(bench, bench.scratch / "right", True)
    cluster = (bench.scratch / "right/cluster.yaml").read_text()
    new = bench.scratch / "new"
    new.write_text(cluster + "\n---\n" + (bench.scratch / "right/policies.yaml").read_text())
    new.rename(path)
    appliance.wait(lambda: "read again" in appliance.said(), "the right file is followed")
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "TCP", 9090, "timeout")])
    bench.check("the metric is 0 again", appliance.metrics()["npf_fail_open"] == 0)
    appliance.stop()


def f2_refused_updates(bench):
    folder = bench.scratch / "updates"
    live.write_shop(bench, folder, True)
    socket_path = bench.scratch / "run" / "npf.sock"
    appliance = bench.appliance([folder], "--control", socket_path, metrics=wire.METRICS)
    many = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"namespace": "shop", "name": "many"},
            "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": n} for n in range(1, 60_000)], "from": [
                {"ipBlock": {"cidr": f"10.{n >> 8}.{n & 255}.0/24"}} for n in range(60_000)]}]}}
    wire.write_objects(bench.scratch / "many.json", [many])
    for what, text in (("not YAML", "{"), ("of a wrong kind", "kind: NetworkPolicy\n"), ("cut off", "apiVersion: v1\nkind: Pod\nmetadata: {na")):
        (folder / "policies.yaml").write_text(text)
        refused = appliance.said().count("nothing has changed")
        appliance.process.send_signal(signal.SIGHUP)
        appliance.wait(lambda: appliance.said().count("nothing has changed") > refused, "a wrong input is refused")
        now = appliance.metrics()
        bench.check(f"what is {what} changes nothing, and raises the alarm",
                    now["npf_policy_update_refused"] == 1 and now["npf_policy_generation"] == 1, what)
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "TCP", 9090, "timeout")])
    done = asked(bench, "load", "-f", bench.scratch / "many.json", "--socket", socket_path)
    if done is not None:
        generation = appliance.metrics()["npf_policy_generation"]
        bench.check("what is over a limit is refused, with status 5 or as a load that fits", (done.returncode, generation) in ((5, 1), (0, 2)),
                    (done.returncode, done.stderr.strip()[-160:]))
    appliance.stop()


def f3_unknown_pod(bench):
    path = bench.objects("unknown", *objects_of_pods(bench, "shop", "frontend"))
    appliance = bench.appliance([path], "--pod-cidr", "10.244.0.0/16", "--pod-cidr", "fd00:10:244::/48", metrics=wire.METRICS)
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
    bench.check("it is counted", appliance.metrics().get('npf_drops_total{reason="unknown_pod"}', 0) > 0)
    appliance.stop()
    deny = policy("in", "shop", {"app": "frontend"}, ingress=[{"from": [{"ipBlock": {"cidr": f"{bench.pods['api'].v4}/32"}}]}])
    path = bench.objects("world", *objects_of_pods(bench, "shop", "frontend"), deny)
    appliance = bench.appliance([path])
    came = [bench.pods[name].probe("TCP", bench.pods["frontend"].v4, 8080, 0.7) for name in ("api", "dns")]
    bench.check("without a pod CIDR it is outside the cluster: ipBlock rules alone speak of it", came == ["open", "timeout"], came)
    appliance.stop()


def f4_one_address_twice(bench):
    """The younger of two live pods has the address, and nobody gets what both may."""
    pods = []
    for name, born in (("old", "2024-01-01T00:00:00Z"), ("young", "2025-01-01T00:00:00Z")):
        made = wire.pod_object("shop", name, bench.pods["api"].addresses, {"app": name})
        made["metadata"]["creationTimestamp"] = born
        pods.append(made)
    allow = [policy(f"in-{name}", "shop", {"app": name}, ingress=[{"ports": [{"protocol": "TCP", "port": port}]}])
             for name, port in (("old", 9090), ("young", 8080))]
    path = bench.objects("twice", *objects_of_pods(bench, "shop", "frontend"), *pods, *allow)
    appliance = bench.appliance([path])
    bench.check("it is told", "shop/old" in appliance.said() and "shop/young" in appliance.said(), appliance.said()[-300:])
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "TCP", 9090, "timeout")])
    appliance.stop()


def f5_connections_full(bench):
    path = bench.objects("full", *objects_of_pods(bench, "shop", "frontend", "report", "api"))
    appliance = bench.appliance([path], "--flows-max", 256, "--openings-max", 256, "--flows-per-source", 1024, metrics=wire.METRICS)
    frontend = bench.pods["frontend"]
    frontend.ask("stream", name="full", to=bench.pods["api"].v4, port=8080)
    time.sleep(0.3)
    stood = frontend.ask("hold", to=bench.pods["api"].v4, port=8080, count=400, seconds=8)
    drops = appliance.metrics().get('npf_drops_total{reason="ct_full"}', 0)
    bench.check("when the table is full, others are denied as ct_full", 100 < stood < 400 and drops > 0, (stood, drops))
    before = frontend.ask("stream_state", name="full")["echoes"]
    goes_on = live.until(lambda: frontend.ask("stream_state", name="full")["echoes"] > before + 10)
    bench.check("what is established goes on", goes_on and not frontend.ask("stream_state", name="full")["ended"], before)
    appliance.stop()


def f6_fragments_full(bench):
    path = bench.objects("fragments", *objects_of_pods(bench, "shop", "frontend", "api"))
    appliance = through_taps(bench, [path], "--fragments", "reassemble", metrics=wire.METRICS)
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    sent = frontend.ask("fragments", to=api.v4, to_mac=api.mac, mac=frontend.mac, count=20_000, **{"from": frontend.v4})
    time.sleep(0.5)
    drops = {name: int(value) for name, value in appliance.metrics().items() if name.startswith(("npf_drops", "npf_port_rec"))}
    bench.check(f"{sent} datagrams that never become whole are not forwarded, and are bounded",
                drops.get('npf_drops_total{reason="frag_incomplete"}', 0) > 1000, drops)
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "UDP", 7001, "open")])
    appliance.stop()
    wire.ip("link del tapbr0", "link del tapbr1")


def f7_worker_hangs(bench):
    """One thread is stopped, as by a fault in a driver."""
    path = bench.objects("hangs", *objects_of_pods(bench, "shop", "frontend", "api"))
    appliance = bench.appliance([path], "--watchdog", 2, metrics=wire.METRICS)
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    threads = {(task / "comm").read_text().strip(): int(task.name) for task in pathlib.Path(f"/proc/{appliance.process.pid}/task").iterdir()}
    worker = next(number for name, number in threads.items() if "worker" in name)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0x4206, worker, 0, 0) or libc.ptrace(0x4207, worker, 0, 0):  # PTRACE_SEIZE, PTRACE_INTERRUPT
        print(f"skip  {bench.scenario}: no thread can be stopped here: {os.strerror(ctypes.get_errno())}")
        appliance.stop()
        return
    begin = time.monotonic()
    health = 200
    while appliance.process.poll() is None and time.monotonic() < begin + 15:
        libc.waitpid(worker, None, 0x40000000 | os.WNOHANG)  # __WALL: who traces a thread takes note of its end
        try:
            health = max(health, appliance.get("/healthz")[0])
        except OSError:
            pass
        time.sleep(0.1)
    bench.check("the process ends with status 70", appliance.process.poll() == 70, f"{time.monotonic() - begin:.1f} s")
    bench.check("and says why", "is stuck" in appliance.said(), appliance.said()[-200:])
    bench.check("/healthz was red before", health == 503)
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])


def f8_no_random_numbers(bench):
    if not shutil.which("strace"):
        print(f"skip  {bench.scenario}: strace is not there")
        return
    path = bench.objects("random", *objects_of_pods(bench, "shop", "frontend", "api"))
    status, said = run_to_end(bench, "-f", path, before=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=getrandom",
                                                         "-e", "inject=getrandom:error=EIO"])
    bench.check("without random numbers it does not start", status not in (0, None), (status, said.strip()[-200:]))


def o1_same_node(bench):
    """Pods that the input has on one node, and whose packets cross the wire all the same."""
    path = bench.objects("same", wire.namespace_object("shop"),
                         *(wire.pod_object("shop", n, bench.pods[n].addresses, {"app": n}, node="left") for n in ("frontend", "api")))
    socket_path = bench.scratch / "run" / "npf.sock"
    appliance = bench.appliance([path], "--control", socket_path, placement="node-wire", metrics=wire.METRICS)
    bench.probe_all([("frontend", "api", "TCP", port, "open") for port in (8080, 9090, 80)])
    bench.check("it is not ready", becomes(appliance, 503, "same_node"), appliance.get("/readyz"))
    appliance.stop()
    appliance = bench.appliance([path], "--behind", "net_af_packet0=left", "--control", socket_path, placement="node-wire")
    report_says(bench, socket_path, "traffic of one node is not seen", "partly", "traffic between pods of node left does not cross")
    appliance.stop()


def o2_masqueraded(bench):
    """Packets of pods that bear their node's address."""
    node = {**NODE, "metadata": {"name": "left"}, "status": {"addresses": [
        {"type": "InternalIP", "address": bench.pods["frontend"].v4}]}}
    path = bench.objects("masquerade", wire.namespace_object("shop"), node,
                         wire.pod_object("shop", "hidden", ["10.244.1.99"], {"app": "hidden"}, node="left"),
                         wire.pod_object("shop", "api", bench.pods["api"].addresses, {"app": "api"}, node="right"))
    socket_path = bench.scratch / "run" / "npf.sock"
    appliance = bench.appliance([path], "--behind", "net_af_packet0=left", "--control", socket_path, placement="node-wire",
                                metrics=wire.METRICS)
    bench.pods["frontend"].ask("flood", name="m", to=[[bench.pods["api"].v4, 7001]], sources=200, pause=0.2)
    bench.check("it is not ready", becomes(appliance, 503, "masquerade"), appliance.get("/readyz"))
    report_says(bench, socket_path, "pods bear their nodes' addresses", "bears their nodes' addresses")
    bench.pods["frontend"].ask("flood_stop", name="m")
    appliance.stop()


ESP, GRE = 50, 47
WIREGUARD = 51820


def encrypted(bench, opaque):
    path = bench.objects("encrypted", *objects_of_pods(bench, "shop", "frontend", "api"))
    socket_path = bench.scratch / "run" / "npf.sock"
    api = bench.pods["api"]
    api.ask("count")
    for what, command in (("WireGuard", {"protocol": 17, "port": WIREGUARD}), ("IPsec ESP", {"protocol": ESP}), ("GRE", {"protocol": GRE})):
        appliance = bench.appliance([path], "--opaque", opaque, "--control", socket_path, metrics=wire.METRICS)
        before = sum(api.ask("counted").values())
        bench.pods["frontend"].ask("raw", to=api.v4, count=20, **command)
        bench.check(f"{what}: it is not ready", becomes(appliance, 503, "opaque"), appliance.get("/readyz"))
        report_says(bench, socket_path, what, "encrypted")
        came = sum(api.ask("counted").values()) - before
        if opaque == "deny":
            bench.check(f"{what}: denied as opaque",
                        live.until(lambda: appliance.metrics().get('npf_drops_total{reason="opaque"}', 0) >= 20))
        else:
            bench.check(f"{what}: passes by its outer header", came >= 20, came)
        appliance.stop()


def o3_encrypted_denied(bench):
    encrypted(bench, "deny")


def o4_encrypted_passed(bench):
    encrypted(bench, "pass")


def connect(path):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(5)
    made.connect(str(path))
    return made


def b55_slow_clients(bench):
    """A thousand clients, a byte a second each: traffic and other clients do not notice."""
    path = bench.objects("slow", *objects_of_pods(bench, "shop", "frontend", "api"))
    socket_path = bench.scratch / "run" / "npf.sock"
    appliance = bench.appliance([path], "--control", socket_path, metrics=wire.METRICS)
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    api.ask("count")
    before = api.ask("counted").get("17/7001", 0)
    frontend.ask("flood", name="slow", to=[[api.v4, 7001]], sources=4, pause=0.005)
    clients, refused, begin = [], 0, time.monotonic()
    for _ in range(1000):
        try:
            clients.append(connect(socket_path))
        except OSError:
            refused += 1
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for byte in range(5):
        for client in clients:
            try:
                client.send(preface[byte:byte + 1])
            except OSError:
                pass
        answered = asked(bench, "status", "--socket", socket_path)
        if answered is not None and byte == 4:
            bench.check("another client of root's is told that there is no room, or is answered", answered.returncode in (0, 1, 4, 5),
                        (answered.returncode, answered.stderr.strip()[-100:]))
        time.sleep(1)
    open_files = len(list(pathlib.Path(f"/proc/{appliance.process.pid}/fd").iterdir()))
    bench.check(f"{len(clients)} connected, {refused} were refused; it holds few of them", open_files < 200, f"{open_files} descriptors")
    for client in clients:
        client.close()
    sent = frontend.ask("flood_stop", name="slow")["7001"]
    time.sleep(0.3)
    came = api.ask("counted").get("17/7001", 0) - before
    lost = appliance.metrics()['npf_port_missed_total{port="net_af_packet0"}']
    bench.check(f"of {sent} datagrams none was lost in {time.monotonic() - begin:.0f} s", came == sent and lost == 0, (came, lost))
    answered = asked(bench, "status", "--socket", socket_path)
    if answered is not None:
        bench.check("when they are gone, it answers", answered.returncode in (0, 1), answered.stderr)
    appliance.stop()


SCENARIOS = {f.__name__: f for f in (f1_no_policy, f1_fail_open, f2_refused_updates, f3_unknown_pod, f4_one_address_twice,
                                     f5_connections_full, f6_fragments_full, f7_worker_hangs, f8_no_random_numbers, o1_same_node,
                                     o2_masqueraded, o3_encrypted_denied, o4_encrypted_passed, b55_slow_clients)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    return live.run(parser.parse_args(), SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
