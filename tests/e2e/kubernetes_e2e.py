#!/usr/bin/env python3
"""kubernetes_e2e.py NPF-DPDK SHARED [--steps N] [--chain] [--workers N]: the Kubernetes end-to-end
tests of NetworkPolicy, with real packets through the appliance.

Every pod exists at both sides of the wire with the same addresses. A probe from a to b goes from the
left a to the right b; the copies know only those of the other side as neighbours, so the left b and
the right a never meet it. Each step's objects are written where the appliance reads them, and
SIGHUP makes it read; then all of the step's probes run at once, over IPv4, and over IPv6 too where
no policy names a CIDR, for then the answers are the same.

--steps N: only every so many-eth, so that N are run; always one of each protocol.
--chain: two appliances in a row, --placement pod-port, the left one with --direction egress, the
right one with --direction ingress, as if each stood at a pod's port.

Prints a line a step, and what differs. Before the first step, the same probes through a bridge in
the appliance's place must all be open. Status 1 where anything differs, 77 where it cannot run."""
import argparse
import json
import pathlib
import sys
import tempfile
import time

import wire

PORTS = (80, 81)
PROTOCOLS = ("TCP", "UDP", "SCTP")


def v6_of(v4):
    _, _, third, fourth = v4.split(".")
    return f"fd00:10:244:{third}::{fourth}"


def name_of(pod):
    return f"{pod['namespace']}/{pod['name']}"


def all_steps(fixture):
    return [(case["id"], number, step) for case in fixture["cases"]
            for number, step in enumerate(case["steps"], 1)]


def some_steps(steps, count):
    chosen = steps[::max(1, len(steps) // count)][:count]
    for proto in PROTOCOLS:
        if not any(s["probe"]["protocol"] == proto for _, _, s in chosen):
            chosen.append(next(s for s in steps if s[2]["probe"]["protocol"] == proto))
    return chosen


class Sides:
    """Both copies of every pod, each serving every port of every protocol."""

    def __init__(self, link, steps):
        names = {name_of(p): p["ips"][0] for _, _, s in steps for p in s["state"]["pods"]}
        self.copies = {side: {name: link.pod(name, side, [f"{v4}/16", f"{v6_of(v4)}/48"])
                              for name, v4 in names.items()} for side in ("left", "right")}
        for side, other in (("left", "right"), ("right", "left")):
            for pod in self.copies[side].values():
                wire.know_each_other(pod, self.copies[other].values())
        waited = [(p, p.begin("serve", TCP=PORTS, UDP=PORTS, SCTP=PORTS))
                  for p in self.copies["right"].values()]
        for pod, which in waited:
            pod.finish(which)

    def matrix(self, names, protocols, port, expected):
        """[(source, destination, protocol, family, what came)] of all pairs; `expected`, a function
        of source and destination: where it says that a probe is denied, less time is waited."""
        waited = []
        for src in names:
            probes, about = [], []
            for dst in names:
                server = self.copies["right"][dst]
                for proto, family in protocols if src != dst else ():
                    about.append((src, dst, proto, family))
                    probes.append({"proto": proto, "port": port,
                                   "to": server.v4 if family == 4 else server.v6,
                                   "timeout": 5.0 if expected(src, dst) else 0.5})
            pod = self.copies["left"][src]
            waited.append((about, pod, pod.begin("probes", probes=probes)))
        return [(*about, came) for abouts, pod, which in waited
                for about, came in zip(abouts, pod.finish(which))]


def objects_of(state):
    """The step's objects as Kubernetes writes them, every pod with an IPv6 address too."""
    made = [wire.namespace_object(n["name"], n["labels"]) for n in state["namespaces"]]
    made += [wire.pod_object(p["namespace"], p["name"], [p["ips"][0], v6_of(p["ips"][0])], p["labels"],
                             [(q["name"], q["containerPort"], q["protocol"]) for q in p["ports"]],
                             p["node"]) for p in state["pods"]]
    return made + state["policies"]


def run_step(sides, step):
    """(probes, [what differs])"""
    names = [name_of(p) for p in step["state"]["pods"]]
    probe = step["probe"]
    families = (4,) if "ipBlock" in json.dumps(step["state"]["policies"]) else (4, 6)

    def expected(src, dst):
        return step["expected"][names.index(src)][names.index(dst)] == "."
    came = sides.matrix(names, [(probe["protocol"], f) for f in families], probe["port"], expected)
    return len(came), [f"  {src} -> {dst} {proto} {probe['port']} IPv{family}: {what}, expected "
                       f"{'open' if expected(src, dst) else 'timeout'}"
                       for src, dst, proto, family, what in came
                       if what != ("open" if expected(src, dst) else "timeout")]


def check_bridge(link, sides):
    """That the wire itself is sound: everything is open where nothing judges."""
    take_away = link.bridge()
    names = list(sides.copies["left"])
    every = [(proto, family) for proto in PROTOCOLS for family in (4, 6)]
    came = [probe for port in PORTS for probe in sides.matrix(names, every, port, lambda *_: True)]
    take_away()
    wrong = [c for c in came if c[-1] != "open"]
    print(f"through a bridge: {len(came)} probes, {len(wrong)} not open {wrong[:5] or ''}")
    return not wrong


def start(options, link, path):
    if not options.chain:
        made = [wire.Appliance(options.binary, link.pairs[0], ["-f", path], workers=options.workers)]
    else:
        made = [wire.Appliance(options.binary, pair, ["-f", path, "--direction", direction], core=core,
                               placement="pod-port")
                for core, (pair, direction) in enumerate(zip(link.pairs, ("egress", "ingress")))]
    return [appliance.wait_until_up() for appliance in made]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("shared", type=pathlib.Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--chain", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--bridge", action="store_true", help="only check the wire without an appliance")
    options = parser.parse_args()
    fixture = options.shared / "fixtures/k8s_e2e_netpol.json"
    if not fixture.is_file():
        wire.skip(f"{fixture} is not there")
    wire.isolate(*([] if options.bridge else [options.binary]))
    steps = all_steps(json.loads(fixture.read_text()))
    if options.steps:
        steps = some_steps(steps, options.steps)
    begin = time.monotonic()
    link = wire.Wire(hops=2 if options.chain else 1)
    sides = Sides(link, steps)
    print(f"built in {time.monotonic() - begin:.1f} s")
    sound = check_bridge(link, sides)
    if options.bridge:
        return 0 if sound else 1

    path = pathlib.Path(tempfile.mkdtemp()) / "objects.json"
    wire.write_objects(path, objects_of(steps[0][2]["state"]))
    appliances = start(options, link, path)
    print("CASE    STEP  PROTOCOL  PROBES  DIFFERENCES")
    total, faults = 0, 0
    for index, (case, number, step) in enumerate(steps):
        if index:
            wire.write_objects(path, objects_of(step["state"]))
            for appliance in appliances:
                appliance.reload()
        probes, wrong = run_step(sides, step)
        total, faults = total + probes, faults + len(wrong)
        print(f"{case:<7} {number:>4}  {step['probe']['protocol']:<4} {step['probe']['port']:<4} "
              f"{probes:>6}  {len(wrong):>11}", *wrong, sep="\n", flush=True)
    statuses = [appliance.stop() for appliance in appliances]
    print(f"{len({s[0] for s in steps})} cases, {len(steps)} steps, {total} probes, {faults} differences, "
          f"{time.monotonic() - begin:.0f} s; npf-dpdk ended with {statuses}")
    return 0 if sound and not faults and total and not any(statuses) else 1


if __name__ == "__main__":
    sys.exit(main())
