#!/usr/bin/env python3
"""overlay.py NPF SOURCE_DIR: `npf replay --overlay` over the three-tier capture inside tunnels.

Whatever the tunnel, each packet's verdict must be the one that it has on a bare wire; what is not surely
a tunnel is denied for its own reason; and wrong flags are told, all of them, with status 2."""
import json
import pathlib
import subprocess
import sys
import tempfile

npf, source = sys.argv[1], pathlib.Path(sys.argv[2])
example = source / "examples/three-tier"
capture = example / "three-tier.pcap"
FIELDS = ("verdict", "reason", "egress", "ingress", "src", "dst", "proto", "src_port", "dst_port", "reply")
ENDPOINTS = "endpoints=192.168.0.0/24+2001:db8:1::/64"
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got}, wanted {wanted}")


def run(trace, *overlays):
    flags = [part for overlay in overlays for part in ("--overlay", overlay)]
    return subprocess.run([npf, "replay", "-f", example, "-r", trace, "-o", "jsonl", *flags],
                          capture_output=True, check=False, text=True)


def rows(trace, *overlays):
    done = run(trace, *overlays)
    expect(f"status of {overlays}", (done.returncode, done.stderr), (0, ""))
    checked = subprocess.run([sys.executable, source / "tests/cli/check_schema.py", source / "docs/verdict.schema.json"],
                             input=done.stdout, capture_output=True, check=False, text=True)
    expect(f"schema of {overlays}", checked.returncode, 0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(row):
    return tuple(row.get(field) for field in FIELDS)


def wrap(target, kind, *flags):
    subprocess.run([source / "examples/overlay/wrap.py", kind, capture, target, *flags], check=True)


bare = rows(capture)
with tempfile.TemporaryDirectory() as folder:
    wire = pathlib.Path(folder) / "wire.pcap"
    for kind, overlays in {
            "vxlan": [f"vxlan,{ENDPOINTS},port=8472,vni=1"],
            "geneve": [f"geneve,{ENDPOINTS},vni=0-5,network=one"],
            "gre": [f"gre,{ENDPOINTS},key=1+7"],
            "ip": [f"ipip,{ENDPOINTS}", f"6in4,{ENDPOINTS}"]}.items():
        # Without Ethernet there is no ARP.
        wanted = [told(row) for row in bare if kind != "ip" or "src" in row]
        for family in ([], ["--outer6"]):
            wrap(wire, kind, *family)
            inside = rows(wire, *overlays)
            expect(f"{kind} {family}", [told(row) for row in inside], wanted)
            ends = {row["outer_src"] for row in inside}
            expect(f"outer addresses of {kind}", ends,
                   {"2001:db8:1::1", "2001:db8:1::2"} if family else {"192.168.0.1", "192.168.0.2"})
            expect(f"identifiers of {kind}", {row.get("tunnel_id") for row in inside},
                   {None if kind == "ip" else 1})
            judged = rows(wire)
            expect(f"{kind} without overlays", {row["reason"] for row in judged}, {"not_a_pod"})

    wrap(wire, "vxlan", "--attacks")
    reasons = [row["reason"] for row in rows(wire, f"vxlan,{ENDPOINTS},port=8472,vni=1")[len(bare):]]
    expect("attacks (A55, A56)", reasons,
           ["tunnel_endpoint", "policy", "tunnel_id", "tunnel_no_id", "tunnel_flags", "tunnel_nested",
            "tunnel_fragment", "tunnel_fragment", "malformed"])
    judged = pathlib.Path(folder) / "judged.pcapng"
    subprocess.run([npf, "replay", "-f", example, "-r", wire, "-w", judged, "-o", "csv",
                    "--overlay", f"vxlan,{ENDPOINTS},port=8472,vni=1"], check=True, capture_output=True)
    comment = (b"npf: deny: policy: shop/frontend -> shop/postgres TCP 5432, in vxlan 1 192.168.0.1 -> 192.168.0.2; "
               b"egress of shop/frontend: ")
    expect("a comment tells the tunnel", comment in judged.read_bytes(), True)

done = run(capture, "foo", "gre,vni=1,key=5-2+x,key=2", "vxlan,port=0,endpoints=1.2.3.4/24+::ffff:1.2.3.4,vni=16777216",
           "geneve,endpoints=10.0.0.1,critical=1:1+0x10000:0x80,network=two,port", "ipip,endpoints=",
           f"vxlan,{ENDPOINTS},port=6081")
expect("status of wrong flags", (done.returncode, done.stdout), (2, ""))
expect("wrong flags", done.stderr.splitlines(), [
    'npf: --overlay 1: must begin with vxlan, geneve, gre, ipip or 6in4 (found "foo")',
    'npf: --overlay 2 (gre): takes KEY=VALUE with endpoints, key, network (found "vni=1")',
    'npf: --overlay 2 (gre): key: must be numbers or ranges from 0 to 4294967295, as 1-100+4096 (found "5-2")',
    'npf: --overlay 2 (gre): key: must be numbers or ranges from 0 to 4294967295, as 1-100+4096 (found "x")',
    'npf: --overlay 2 (gre): key: stands twice (found "key=2")',
    'npf: --overlay 3 (vxlan): port: must be a number from 1 to 65535 (found "0")',
    'npf: --overlay 3 (vxlan): endpoints: has bits beyond its length; the block is 1.2.3.0/24 (found "1.2.3.4/24")',
    'npf: --overlay 3 (vxlan): endpoints: must be addresses or blocks, as 192.168.0.0/24+fd00::/64 '
    '(found "::ffff:1.2.3.4")',
    'npf: --overlay 3 (vxlan): vni: must be numbers or ranges from 0 to 16777215, as 1-100+4096 (found "16777216")',
    'npf: --overlay 4 (geneve): critical: must be CLASS:TYPE with a type from 0x80 on, as 0x0102:0x80 (found "1:1")',
    'npf: --overlay 4 (geneve): critical: must be CLASS:TYPE with a type from 0x80 on, as 0x0102:0x80 '
    '(found "0x10000:0x80")',
    'npf: --overlay 4 (geneve): network: must be by-id or one (found "two")',
    'npf: --overlay 4 (geneve): takes KEY=VALUE with endpoints, port, vni, network, critical (found "port")',
    'npf: --overlay 5 (ipip): endpoints: must be addresses or blocks, as 192.168.0.0/24+fd00::/64 (found "")',
    'npf: --overlay 2 (gre): needs endpoints',
    'npf: --overlay 6 (vxlan): port 6081 is that of overlay 4, which is of another kind; see npf replay --help'])
many = run(capture, *[f"ipip,{ENDPOINTS}"] * 9)
expect("nine overlays", (many.returncode, many.stderr),
       (2, "npf: --overlay 9 (ipip): is one too many; at most 8 overlays; see npf replay --help\n"))

print("\n".join(failures) or "all as it should be")
sys.exit(1 if failures else 0)
