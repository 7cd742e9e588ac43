#!/usr/bin/env python3
"""live.py NPF-DPDK SOURCE [--kills N] [NAME...]: what happens to real traffic through the appliance, one
scenario after the other; without names, all of them but those of LONG.

The pods are those of examples/three-tier, with kernels' own stacks, at both sides of a wire. Prints
a line for every check; status 1 where one fails, 77 where none can run."""
import argparse
import collections
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

import wire

LEFT = {"frontend": 10, "postgres": 30, "report": 40}
RIGHT = {"api": 20, "dns": 53}
TCP_PORTS = (22, 53, 80, 5432, 8080, 9090)
UDP_PORTS = (53, 7001, 7002, 7003)


class Bench:
    """The wire, its pods, and what was found."""

    def __init__(self, options):
        self.options, self.faults, self.checks, self.scenario = options, 0, 0, ""
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="npf-live."))
        self.example = options.source / "examples/three-tier"
        self.link = wire.Wire()
        self.pods, self.running = {}, None
        for side, hosts in (("left", LEFT), ("right", RIGHT)):
            for name, host in hosts.items():
                self.pods[name] = self.link.pod(name, side, [f"10.244.1.{host}/24", f"fd00:10:244:1::{host}/64"])
        self.pods["outside"] = self.link.pod("outside", "right", ["203.0.113.80/24", "2001:db8:80::80/64"])
        for pod in self.pods.values():
            pod.ask("serve", TCP=TCP_PORTS, UDP=UDP_PORTS)

    def check(self, what, holds, found=""):
        self.checks += 1
        self.faults += not holds
        print(f"{'ok   ' if holds else 'WRONG'} {self.scenario}: {what}{f' ({found})' if found != '' else ''}", flush=True)

    def appliance(self, paths, *flags, **more):
        inputs = [a for path in paths for a in ("-f", path)]
        self.running = wire.Appliance(self.options.binary, self.link.pairs[0], [*inputs, *flags], **more)
        return self.running.wait_until_up()

    def objects(self, name, *objects):
        path = self.scratch / f"{name}.json"
        wire.write_objects(path, objects)
        return path

    def probe_all(self, table):
        """[(source, destination, protocol, port, expected)], over IPv4 and IPv6, all at once."""
        waited = []
        for src, dst, proto, port, expected in table:
            for to in (self.pods[dst].v4, self.pods[dst].v6):
                probe = {"proto": proto, "to": to, "port": port, "timeout": 5 if expected == "open" else 0.7}
                waited.append((f"{src} -> {to} {proto} {port} is {expected}", expected, self.pods[src],
                               self.pods[src].begin("probes", probes=[probe])))
        for what, expected, pod, which in waited:
            came = pod.finish(which)[0]
            self.check(what, came == expected, "" if came == expected else came)

    def counted(self, pod):
        return self.pods[pod].ask("counted")


def policy(name, namespace, labels, **spec):
    types = [t for t in ("Ingress", "Egress") if t.lower() in spec]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"podSelector": {"matchLabels": labels} if labels else {}, "policyTypes": types, **spec}}


def objects_of_pods(bench, namespace, *names):
    return [wire.namespace_object(namespace)] + [
        wire.pod_object(namespace, name, bench.pods[name].addresses, {"app": name}) for name in names]


def of(name):
    return [{"podSelector": {"matchLabels": {"app": name}}}]


def three_tier(bench):
    appliance = bench.appliance([bench.example / "cluster.yaml", bench.example / "policies.yaml"])
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"),
                     ("api", "postgres", "TCP", 5432, "open"),
                     ("frontend", "dns", "UDP", 53, "open"),
                     ("postgres", "dns", "UDP", 53, "open"),
                     ("report", "dns", "TCP", 53, "open"),
                     ("report", "outside", "TCP", 80, "open"),
                     ("frontend", "dns", "TCP", 53, "timeout"),
                     ("frontend", "api", "TCP", 9090, "timeout"),
                     ("frontend", "api", "TCP", 22, "timeout"),
                     ("frontend", "api", "ICMP", 0, "timeout"),
                     ("frontend", "outside", "TCP", 80, "timeout"),
                     ("outside", "frontend", "TCP", 80, "timeout"),
                     ("report", "api", "TCP", 8080, "timeout"),
                     ("api", "frontend", "TCP", 8080, "timeout"),
                     ("postgres", "api", "TCP", 8080, "timeout")])
    if shutil.which("curl"):
        for host in (bench.pods["api"].v4, f"[{bench.pods['api'].v6}]"):
            for port, expected in ((8080, "ok\n"), (9090, "")):
                done = bench.pods["frontend"].run("curl", "-s", "-m", "1", f"http://{host}:{port}/goods")
                bench.check(f"curl of {host}:{port} brings {expected!r}", done.stdout == expected, done.stdout)
    appliance.stop()


def write_shop(bench, folder, allowed):
    folder.mkdir(exist_ok=True)
    shutil.copy(bench.example / "cluster.yaml", folder)
    text = (bench.example / "policies.yaml").read_text()
    (folder / "policies.yaml").write_text(text if allowed else text.split("\n---\n")[0] + "\n")


def until(holds, seconds=10):
    """Whether it comes to hold, on a machine that may be busy."""
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def policy_change(bench, *flags):
    keep = bool(flags)
    folder = bench.scratch / "shop"
    write_shop(bench, folder, True)
    appliance = bench.appliance([folder], *flags)
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    for family, to in (("v4", api.v4), ("v6", api.v6)):
        frontend.ask("stream", name=f"{bench.scenario}.{family}", to=to, port=8080)

    def echoes():
        return [frontend.ask("stream_state", name=f"{bench.scenario}.{f}")["echoes"] for f in ("v4", "v6")]
    bench.check("connections are alive", until(lambda: min(echoes()) > 10), echoes())
    write_shop(bench, folder, False)
    appliance.reload()
    then = echoes()
    if keep:
        until(lambda: all(b > a + 10 for a, b in zip(then, echoes())))
    else:
        time.sleep(0.7)
    later = echoes()
    # What the policy before let pass may still be on its way.
    if keep:
        bench.check("they live on under a policy that denies them", all(b > a + 10 for a, b in zip(then, later)), (then, later))
    else:
        bench.check("they stand still under a policy that denies them", all(b <= a + 1 for a, b in zip(then, later)), (then, later))
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
    write_shop(bench, folder, True)
    appliance.reload()
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    write_shop(bench, folder, False)
    (folder / "policies.yaml").write_text("kind: NetworkPolicy\n")
    appliance.process.send_signal(signal.SIGHUP)
    appliance.wait(lambda: "nothing has changed" in appliance.said(), "a wrong input is refused")
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "TCP", 9090, "timeout")])
    appliance.stop()


def policy_change_keep(bench):
    policy_change(bench, "--established", "keep")


def becomes(appliance, status, word=""):
    """What /readyz says at last; it looks once a second."""
    end = time.monotonic() + 5
    while (answer := appliance.get("/readyz"))[0] != status and time.monotonic() < end:
        time.sleep(0.1)
    return answer[0] == status and word in answer[1]


def refusals(bench):
    """A wrong edit, and the edit taken back; a load that nobody confirms."""
    folder = bench.scratch / "refused"
    write_shop(bench, folder, True)
    socket = bench.scratch / "run" / "npf.sock"
    appliance = bench.appliance([folder], "--control", socket, metrics=wire.METRICS)
    right = (folder / "policies.yaml").read_text()
    bench.check("it is ready", becomes(appliance, 200))
    (folder / "policies.yaml").write_text("kind: NetworkPolicy\n")
    appliance.process.send_signal(signal.SIGHUP)
    bench.check("a wrong edit makes it not ready, and says so", becomes(appliance, 503, "update_refused"))
    (folder / "policies.yaml").write_text(right)
    appliance.process.send_signal(signal.SIGHUP)
    bench.check("the edit taken back makes it ready again", becomes(appliance, 200))
    npf = bench.options.binary.parent.parent / "tools/npf/npf"
    if npf.exists():
        denies = bench.objects("denies", *objects_of_pods(bench, "shop", "frontend", "api"), policy("deny", "shop", {}, ingress=[]))

        def load():
            done = wire.within(None, npf, "load", "-f", denies, "--confirm", "2s", "--socket", socket)
            bench.check("a load is taken", "generation" in done.stdout, done.stderr)
        load()
        bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
        appliance.wait(lambda: "was not confirmed in time" in appliance.said(), "what is not confirmed is taken back")
        bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
        load()
        (folder / "policies.yaml").write_text(right.split("\n---\n")[0] + "\n")
        appliance.process.send_signal(signal.SIGHUP)
        time.sleep(2.5)
        bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
        bench.check("what was read again is not taken back", appliance.said().count("was not confirmed in time") == 1)
    appliance.stop()


def takeover(bench):
    """kill -9, a policy that cannot be read, and a start: the last good one decides, and connections live on."""
    folder = bench.scratch / "kept"
    write_shop(bench, folder, True)
    state, flows = bench.scratch / "state", bench.scratch / "flows"
    flags = ["--state-dir", state, "--flows-dir", flows]
    appliance = bench.appliance([folder], *flags)
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    frontend.ask("stream", name="kept", to=api.v4, port=8080)
    time.sleep(0.5)
    (folder / "policies.yaml").write_text("kind: NetworkPolicy\n")
    appliance.stop(signal.SIGKILL)
    before = frontend.ask("stream_state", name="kept")["echoes"]
    appliance = bench.appliance([folder], *flags)
    appliance.wait(lambda: frontend.ask("stream_state", name="kept")["echoes"] > before + 10, "the connection lives on")
    bench.check("the connection lives on", True)
    bench.check("the last good policy decides", "the last good policy decides" in appliance.said())
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"), ("frontend", "api", "TCP", 9090, "timeout")])
    appliance.stop()


def spoofed(bench):
    """What is behind each port is known, and report is said to be behind the other one."""
    nodes = {"frontend": "left", "report": "right", "api": "right"}
    path = bench.objects("nodes", wire.namespace_object("shop"),
                         *(wire.pod_object("shop", n, bench.pods[n].addresses, {"app": n}, node=node) for n, node in nodes.items()))
    appliance = bench.appliance([path], "--behind", "net_af_packet0=left", "--behind", "net_af_packet1=right",
                                placement="node-wire", metrics=wire.METRICS)
    bench.probe_all([("frontend", "api", "TCP", 8080, "open"),
                     *(("report", "api", proto, port, "timeout") for proto, port in (("TCP", 8080), ("TCP", 80), ("UDP", 7001)))])
    bench.check("it is counted", appliance.metrics().get('npf_drops_total{reason="spoofed"}', 0) > 0)
    bench.check("it makes it not ready", becomes(appliance, 503, "spoofed"))
    appliance.stop()


def path_mtu(bench):
    """A router at the right side has a narrow link to the server behind it."""
    link, frontend = bench.link, bench.pods["frontend"]
    link.namespace("router", "right", ["10.244.1.254/24", "fd00:10:244:1::fe/64"])
    wire.sysctl("router", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    link.add_namespace("far")
    wire.ip("link add narrow mtu 1300 type veth peer name eth0 netns far", "address add 10.244.9.254/24 dev narrow",
            "address add fd00:10:244:9::fe/64 dev narrow nodad", "link set narrow up", ns="router")
    wire.ip("link set eth0 up", "address add 10.244.9.10/24 dev eth0", "address add fd00:10:244:9::10/64 dev eth0 nodad",
            "route add default via 10.244.9.254", "route add ::/0 via fd00:10:244:9::fe", ns="far")
    link.plain("router", "narrow")
    link.plain("far", "eth0")
    wire.ip("route add 10.244.9.0/24 via 10.244.1.254", "route add fd00:10:244:9::/64 via fd00:10:244:1::fe", ns=frontend.ns)
    far = wire.Pod("far", "far", "", ["10.244.9.10", "fd00:10:244:9::10"])
    far.ask("serve", TCP=[8080])
    bench.pods["far"] = far
    ports = [{"protocol": "TCP", "port": 8080}]
    path = bench.objects("mtu", *objects_of_pods(bench, "shop", "frontend", "far"),
                         policy("deny", "shop", {}, ingress=[], egress=[]),
                         policy("out", "shop", {"app": "frontend"}, egress=[{"to": of("far"), "ports": ports}]),
                         policy("in", "shop", {"app": "far"}, ingress=[{"from": of("frontend"), "ports": ports}]))
    appliance = bench.appliance([path])
    for to in far.addresses:
        try:
            counted = frontend.ask("send", to=to, port=8080, bytes=300_000, timeout=8)
        except TimeoutError:
            counted = 0
        bench.check(f"300000 bytes arrive at {to}", counted == 300_000, counted)
        route = frontend.run("ip", "route", "get", to).stdout
        bench.check("the sender was told of the narrow link", "mtu 1300" in route, " ".join(route.split()))
    bench.probe_all([("frontend", "far", "ICMP", 0, "timeout"), ("far", "frontend", "TCP", 8080, "timeout")])
    appliance.stop()


def neighbours(bench):
    """ARP and neighbour discovery, where policy denies everything."""
    names = [*LEFT, *RIGHT]
    path = bench.objects("deny", *objects_of_pods(bench, "shop", *names), policy("deny", "shop", {}, ingress=[], egress=[]))
    appliance = bench.appliance([path])
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    wire.ip("neighbour flush dev eth0", ns=frontend.ns)
    wire.ip("neighbour flush dev eth0", ns=api.ns)
    bench.probe_all([("frontend", "api", proto, port, "timeout") for proto, port in (("TCP", 8080), ("UDP", 7001), ("ICMP", 0))])
    known = {n["dst"]: n.get("lladdr") for n in json.loads(frontend.run("ip", "-j", "neighbour").stdout)}
    for address in api.addresses:
        bench.check(f"{address} was found on the link", known.get(address) == api.mac, known.get(address))
    appliance.stop()


def flooded(bench):
    """Objects under which frontend may send to UDP 7001 of api, and nobody anything else; and floods
    of that, of UDP 7002, and of UDP 7003 from report."""
    path = bench.objects("flood", *objects_of_pods(bench, "shop", "frontend", "report", "api"),
                         policy("deny", "shop", {}, ingress=[], egress=[]),
                         policy("out", "shop", {"app": "frontend"}, egress=[{"to": of("api")}]),
                         policy("in", "shop", {"app": "api"},
                                ingress=[{"from": of("frontend"), "ports": [{"protocol": "UDP", "port": 7001}]}]))
    to = bench.pods["api"].addresses
    bench.pods["frontend"].ask("flood", name="f", to=[[a, p] for a in to for p in (7001, 7002)], sources=2, pause=0.002)
    bench.pods["report"].ask("flood", name="f", to=[[a, 7003] for a in to], sources=2, pause=0.002)
    bench.pods["api"].ask("count")
    return path


def kills(bench):
    """kill -9, and SIGTERM, under traffic; and as many starts."""
    path = flooded(bench)
    promiscuous = link_state()
    rounds = bench.options.kills
    silent, statuses, longest = 0, [], 0.0
    before = bench.counted("api")

    def allowed():
        return bench.counted("api").get("17/7001", 0)
    for number in range(rounds + 5):
        count = allowed()
        begin = time.monotonic()
        appliance = bench.appliance([path])
        while allowed() <= count and time.monotonic() < begin + 5:
            time.sleep(0.01)
        longest = max(longest, time.monotonic() - begin)
        silent += allowed() <= count
        how = signal.SIGKILL if number < rounds else signal.SIGTERM
        statuses.append((how, appliance.stop(how)))
    after = bench.counted("api")
    sent = bench.pods["frontend"].ask("flood_stop", name="f")
    sent.update({"report": bench.pods["report"].ask("flood_stop", name="f")["7003"]})
    delta = {k: after.get(k, 0) - before.get(k, 0) for k in after}
    arrived = delta.get("17/7002", 0) + delta.get("17/7003", 0)
    bench.check(f"after each of {rounds + 5} starts allowed datagrams pass", silent == 0, f"at the latest after {longest:.2f} s")
    bench.check(f"{rounds} kill -9, 5 SIGTERM, {delta.get('17/7001', 0)} allowed datagrams passed; of "
                f"{sent['7002'] + sent['report']} denied ones none did", arrived == 0, f"{arrived}: {delta}" if arrived else "")
    bench.check("SIGTERM ends it with status 0", all(s == 0 for how, s in statuses if how == signal.SIGTERM), "")
    bench.check("nothing is left at the interfaces", link_state() == promiscuous, (promiscuous, link_state()))


def link_state():
    """What an appliance could leave at its interfaces."""
    links = json.loads(wire.within(None, "ip", "-j", "-d", "link").stdout)
    return [(link["ifname"], link["operstate"], link["promiscuity"], "xdp" in link) for link in links if link["ifname"] != "lo"]


def vxlan(bench):
    """Pods inside a VXLAN of the kernel, whose packets cross the wire inside of it."""
    inner = {"frontend": 1, "api": 2}
    for name, host in inner.items():
        pod = bench.pods[name]
        wire.ip(f"address add 192.168.50.{host}/24 dev eth0",
                f"link add vx0 mtu 1400 type vxlan id 7 local 192.168.50.{host} remote 192.168.50.{3 - host} dstport 4789 dev eth0",
                "link set vx0 up", f"address add 10.99.0.{host}/24 dev vx0", f"address add fd00:99::{host}/64 dev vx0 nodad", ns=pod.ns)
        bench.link.plain(pod.ns, "vx0")
    path = bench.objects("vxlan", wire.namespace_object("shop"),
                         *(wire.pod_object("shop", n, [f"10.99.0.{h}", f"fd00:99::{h}"], {"app": n}) for n, h in inner.items()),
                         policy("in", "shop", {"app": "api"},
                                ingress=[{"from": of("frontend"), "ports": [{"protocol": "TCP", "port": 8080}]}]))

    def check_inner(expected):
        for to in ("10.99.0.2", "fd00:99::2"):
            for port, wanted in expected:
                came = bench.pods["frontend"].probe("TCP", to, port, 3 if wanted == "open" else 0.7)
                bench.check(f"inside, {to} TCP {port} is {wanted}", came == wanted, "" if came == wanted else came)
    appliance = bench.appliance([path], "--overlay", "vxlan,vni=7,endpoints=192.168.50.0/24")
    check_inner([(8080, "open"), (9090, "timeout")])
    appliance.stop()

    appliance = bench.appliance([path], metrics=wire.METRICS)
    check_inner([(9090, "timeout")])
    bench.check("a VXLAN that no --overlay names makes /readyz red, and is named there", becomes(appliance, 503, "tunnel"),
                appliance.get("/readyz"))
    appliance.stop()
    for name in inner:
        wire.ip("link del vx0", ns=bench.pods[name].ns)


def kernel_put():
    """Frames that came to the appliance's interfaces."""
    links = json.loads(wire.within(None, "ip", "-j", "-s", "link").stdout)
    return sum(link["stats64"]["rx"]["packets"] for link in links if link["ifname"] in ("wa", "wb"))


def counters(bench):
    """What /metrics says adds up: to itself, and to what the kernel put onto the interfaces."""
    path = flooded(bench)
    for pod in ("frontend", "report"):
        bench.pods[pod].ask("flood_stop", name="f")
    appliance = bench.appliance([path], metrics=wire.METRICS)
    arrived = bench.counted("api").get("17/7001", 0)

    def numbers():
        """By the kernel, and by the appliance, when both stand still."""
        time.sleep(0.3)
        sums = collections.Counter({"the kernel put": kernel_put()})
        for name, value in appliance.metrics().items():
            sums[name.split("{")[0]] += int(value)
        return sums
    before = numbers()
    to = bench.pods["api"].addresses
    for pod, port in (("frontend", 7001), ("report", 7003)):
        bench.pods[pod].ask("flood", name="c", to=[[a, port] for a in to], sources=2, pause=0.001)
    time.sleep(1)
    for pod in ("frontend", "report"):
        bench.pods[pod].ask("flood_stop", name="c")
    after = numbers()
    after.subtract(before)
    allowed, denied = after["npf_passes_total"], after["npf_drops_total"]
    sums = {"the kernel put": after["the kernel put"],
            "ports": after["npf_port_received_packets_total"] + after["npf_port_missed_total"],
            "judged": after["npf_packets_total"] + after["npf_port_missed_total"],
            "by reason": allowed + denied + after["npf_port_missed_total"]}
    bench.check("received, judged, and allowed + denied are one number", len(set(sums.values())) == 1, sums)
    bench.check("some were allowed, some denied", min(allowed, denied) > 100, (allowed, denied))
    bench.check("what was allowed was sent", (allowed, 0) == (after["npf_port_sent_packets_total"], after["npf_port_not_sent_total"]),
                (allowed, after["npf_port_sent_packets_total"], after["npf_port_not_sent_total"]))
    came = bench.counted("api").get("17/7001", 0) - arrived
    bench.check("what was sent arrived", 0 < came <= allowed, (came, allowed))
    bench.check("/healthz and /readyz are green", appliance.get("/healthz")[0] == 200 and becomes(appliance, 200))
    appliance.stop()


def follow(bench):
    """Files change as the kubelet changes those of a mounted ConfigMap, and nobody says so."""
    folder = bench.scratch / "mounted"
    folder.mkdir()

    def mount(number, allowed):
        write_shop(bench, folder / f"..{number}", allowed)
        (folder / "..data_tmp").symlink_to(f"..{number}")
        (folder / "..data_tmp").rename(folder / "..data")
    mount(1, False)
    for name in ("cluster.yaml", "policies.yaml"):
        (folder / name).symlink_to(f"..data/{name}")
    appliance = bench.appliance([folder], "--follow")
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
    mount(2, True)
    shutil.rmtree(folder / "..1")
    appliance.wait(lambda: appliance.said().count("read again") == 1, "the link is followed")
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    (folder / "..2/policies.yaml").write_text("kind: NetworkPolicy\n")
    appliance.wait(lambda: "nothing has changed" in appliance.said(), "a wrong edit is refused")
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    mount(3, False)
    appliance.wait(lambda: appliance.said().count("read again") == 2, "the next one is followed")
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
    appliance.stop()


def deny_all_but(bench, name, *ports):
    return bench.objects(name, *objects_of_pods(bench, "shop", "frontend", "api"),
                         policy("in", "shop", {"app": "api"}, ingress=[{"ports": [{"protocol": t, "port": p} for t, p in ports]}]))


def audit(bench):
    """What policy denies passes, and all of it is told as what policy denies."""
    appliance = bench.appliance([deny_all_but(bench, "audit", ("TCP", 8080))], "--mode", "audit", metrics=wire.METRICS)
    bench.probe_all([("frontend", "api", proto, port, "open") for proto, port in (("TCP", 9090), ("UDP", 7001), ("UDP", 7001), ("ICMP", 0))])
    counts = appliance.metrics()
    bench.check("nothing of it is told as no_state, nor as established",
                not any(counts.get(f'npf_{w}_total{{reason="{r}"}}') for w, r in (("drops", "no_state"), ("passes", "established"))),
                {n: v for n, v in counts.items() if n.startswith(("npf_drops", "npf_passes"))})
    told = sum(v for n, v in counts.items() if n.startswith("npf_policy_verdicts") and 'verdict="deny"' in n)
    bench.check("each opening is counted once with its policy", told == 8, told)
    bench.probe_all([("frontend", "api", "TCP", 8080, "open")])
    bench.check("what is allowed is established", appliance.metrics().get('npf_passes_total{reason="established"}', 0) > 4)
    appliance.stop()


def tap(bench):
    appliance = wire.Appliance(bench.options.binary, bench.link.pairs[0], ["-f", deny_all_but(bench, "tap", ("TCP", 8080)), "--mode", "tap"])
    appliance.wait(lambda: "watching, mode tap" in appliance.said(), "it says that it watches")
    bench.check("it does not say that it forwards", "forwarding" not in appliance.said(), appliance.said())
    bench.probe_all([("frontend", "api", "TCP", 8080, "timeout")])
    appliance.stop()


def reject(bench):
    """Who is denied by policy is told, with the word of TCP or ICMP, but not without end."""
    appliance = bench.appliance([deny_all_but(bench, "reject", ("TCP", 8080), ("UDP", 7001))], "--deny", "reject", metrics=wire.METRICS)
    frontend, api = bench.pods["frontend"], bench.pods["api"]
    bench.probe_all([("frontend", "api", "TCP", 9090, "refused"), ("frontend", "api", "TCP", 8080, "open"),
                     ("frontend", "api", "UDP", 7001, "open")])
    for to, words in ((api.v4, ("No route to host",)), (api.v6, ("Permission denied",))):
        came = frontend.probe("UDP", to, 7002, 2)
        bench.check(f"UDP to {to} is answered by ICMP", came in words, came)
    before = appliance.metrics()["npf_rejects_total"]
    frontend.ask("flood", name="reject", to=[[api.v4, 7002]], sources=20, pause=0.005)
    time.sleep(2.5)
    frontend.ask("flood_stop", name="reject")
    given = appliance.metrics()["npf_rejects_total"] - before
    bench.check("of thousands, at most 100 a second are told", 100 <= given <= 400, given)
    appliance.stop()


def as_user(bench):
    """It begins as root and goes on as nobody."""
    folder = bench.scratch / "user"
    write_shop(bench, folder, True)
    socket, state = bench.scratch / "run" / "user.sock", bench.scratch / "user-state"
    bench.scratch.chmod(0o755)
    appliance = bench.appliance([folder], "--user", "nobody", "--control", socket, "--state-dir", state)
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{appliance.process.pid}/status").read_text().splitlines() if ":\t" in line)
    bench.check("it is nobody's, without further rights", (status["Uid"].split()[0], status["NoNewPrivs"], status["Seccomp"]) == ("65534", "1", "2"),
                status["Uid"])
    bench.check("with two capabilities", int(status["CapEff"], 16) == (1 << 12 | 1 << 13), status["CapEff"])
    (folder / "policies.yaml").write_text((folder / "policies.yaml").read_text().split("\n---\n")[0] + "\n")
    image = state / "policy.image"
    before = image.stat().st_mtime_ns
    appliance.reload()
    appliance.wait(lambda: image.stat().st_mtime_ns != before, "the policy is kept")
    bench.check("the policy is kept, for this user alone", (image.stat().st_mode & 0o777, image.stat().st_uid) == (0o600, 65534), oct(image.stat().st_mode))
    npf = bench.options.binary.parent.parent / "tools/npf/npf"
    if npf.exists():
        done = wire.within(None, npf, "status", "--socket", socket)
        bench.check("its socket answers", "generation" in done.stdout, done.stderr)
    appliance.stop()
    appliance = bench.appliance([folder], "--user", "nobody", "--control", socket, "--state-dir", state)
    bench.check("the next one takes over the policy, and the socket's place", "the last good policy decides" in appliance.said(), appliance.said())
    appliance.wait(lambda: "read again" in appliance.said(), "then the files are read")
    appliance.stop()


def starts(bench):
    """Starts under traffic, with ten thousand policies of which the last good image is there."""
    small = flooded(bench)
    many = json.loads(small.read_text())["items"]
    for n in range(10_000):
        many.append(wire.pod_object(f"ns{n % 100}", f"p{n}", [f"10.99.{n >> 8}.{n & 255}"], {"app": f"a{n}"}))
        many.append(policy(f"p{n}", f"ns{n % 100}", {"app": f"a{n}"}, ingress=[
            {"from": of(f"a{(n + 100) % 10_000}"), "ports": [{"protocol": "TCP", "port": 1000 + n % 1000}]}]))
    path = bench.scratch / "many.json"
    wire.write_objects(path, many)
    flags = ["--state-dir", bench.scratch / "starts"]
    bench.appliance([path], *flags).stop()
    before = bench.counted("api")
    seconds = []
    for number in range(bench.options.starts):
        count = bench.counted("api").get("17/7001", 0)
        begin = time.monotonic()
        appliance = wire.Appliance(bench.options.binary, bench.link.pairs[0], ["-f", path, *flags], placement="fabric")
        while bench.counted("api").get("17/7001", 0) <= count and time.monotonic() < begin + 10:
            time.sleep(0.005)
        seconds.append(time.monotonic() - begin)
        if number % 10 == 0:
            appliance.wait(lambda: "read again" in appliance.said(), "the files are read behind it")
        appliance.stop(signal.SIGKILL if number % 2 else signal.SIGTERM)
    after = bench.counted("api")
    for pod in ("frontend", "report"):
        bench.pods[pod].ask("flood_stop", name="f")
    delta = {k: after.get(k, 0) - before.get(k, 0) for k in after}
    arrived = delta.get("17/7002", 0) + delta.get("17/7003", 0)
    bench.check(f"{len(seconds)} starts, {delta.get('17/7001', 0)} allowed datagrams passed, and no denied one", arrived == 0, delta if arrived else "")
    seconds.sort()
    found = f"median {seconds[len(seconds) // 2]:.2f} s, longest {seconds[-1]:.2f} s, load {os.getloadavg()[0]:.1f}"
    # Where others have the processors, a start takes as long as they leave it.
    bench.check("it enforces within a second of its start", seconds[-1] < 1 or os.getloadavg()[0] > os.cpu_count(), found)


def ask_telemetry(prefix, *commands):
    """{command: answer} over DPDK's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
        link.settimeout(5)
        link.connect(f"/run/dpdk/{prefix}/dpdk_telemetry.v2")
        link.recv(16384)  # a greeting
        answers = {}
        for command in commands:
            link.send(command.encode())
            answers.update(json.loads(link.recv(16384)))
    return answers


def telemetry(bench):
    """DPDK's own telemetry has /npf/..., which says what /metrics says."""
    appliance = bench.appliance([flooded(bench)], metrics=wire.METRICS, telemetry="npf_live")
    time.sleep(0.5)
    for pod in ("frontend", "report"):
        bench.pods[pod].ask("flood_stop", name="f")
    names = ["/npf/status", "/npf/counters", "/npf/reasons", "/npf/workers", "/npf/connections"]
    listed = ask_telemetry("npf_live", "/")["/"]
    bench.check("the commands are listed", set(names) <= set(listed), listed)
    time.sleep(0.3)
    answers, metrics = ask_telemetry("npf_live", *names), appliance.metrics()
    status, counters, reasons = answers["/npf/status"], answers["/npf/counters"], answers["/npf/reasons"]
    bench.check("status", (status["mode"], status["generation"]) == ("enforce", metrics["npf_policy_generation"]), status)
    judged = sum(v for k, v in metrics.items() if k.startswith(("npf_passes_total", "npf_drops_total")))
    bench.check("counters are those of /metrics", counters["judged_packets"] == judged > 0, (counters, judged))
    bench.check("reasons add up", sum(reasons.values()) == counters["allowed_packets"] + counters["denied_packets"] == judged,
                (reasons, counters))
    bench.check("workers", list(answers["/npf/workers"]) == ["worker_0_busy_permille"], answers["/npf/workers"])
    bench.check("connections", answers["/npf/connections"]["entries_max"] == metrics["npf_conntrack_entries_max"], answers)
    appliance.stop()


SCENARIOS = {f.__name__: f for f in (three_tier, policy_change, policy_change_keep, refusals, takeover, spoofed, path_mtu, neighbours, kills,
                                     vxlan, counters, telemetry, follow, audit, tap, reject, as_user, starts)}


LONG = {"starts"}  # only where they are named


def run(options, scenarios):
    """Those that are named, or all that are not long; the exit status."""
    if unknown := set(options.names) - scenarios.keys():
        print(f"no such scenario: {', '.join(unknown)}; there are {', '.join(scenarios)}", file=sys.stderr)
        return 2
    wire.isolate(options.binary)
    bench = Bench(options)
    begin = time.monotonic()
    for name in options.names or [name for name in scenarios if name not in LONG]:
        bench.scenario = name
        try:
            scenarios[name](bench)
        except (RuntimeError, TimeoutError) as error:
            bench.check("ends", False, error)
            for pod in bench.pods.values():
                pod.ask("quiet")
            if bench.running and bench.running.process.poll() is None:  # the next one wants its place
                bench.running.process.kill()
                bench.running.process.wait()
    print(f"{bench.checks} checks, {bench.faults} wrong, {time.monotonic() - begin:.0f} s")
    return 1 if bench.faults or not bench.checks else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20, help="kill -9 so many times")
    parser.add_argument("--starts", type=int, default=3, help="start so many times with ten thousand policies")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    return run(parser.parse_intermixed_args(), SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
