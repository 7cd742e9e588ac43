#!/usr/bin/env python3
"""gaps.py NPF SOURCE: `npf gaps` as people and scripts meet it, over the recorded capture of the
three-tier example and over the flow logs of tests/data/flows. Prints what is wrong; status 1 then."""
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

npf, source = sys.argv[1], pathlib.Path(sys.argv[2])
example, flows = source / "examples/three-tier", source / "tests/data/flows"
scratch = tempfile.TemporaryDirectory()
work = pathlib.Path(scratch.name)
POLICIES, CLUSTER, CAPTURE = example / "policies.yaml", example / "cluster.yaml", example / "three-tier.pcap"
INPUT = ["-f", POLICIES, "-f", CLUSTER]
# Of the capture: where nothing enforced the policy.
PROVEN = {("shop/frontend", "shop/postgres", "TCP", 5432), ("shop/frontend", "shop/api", "TCP", 9090),
          ("batch/report", "shop/api", "TCP", 8080), ("shop/frontend", "203.0.113.80", "TCP", 80),
          ("shop/frontend", "2001:db8:80::80", "TCP", 80), ("shop/frontend", "kube-system/dns", "TCP", 53),
          ("shop/frontend", "203.0.113.80", "UDP", 53), ("shop/frontend", "shop/api", "ICMP", None),
          ("shop/frontend", "shop/postgres", "ICMPv6", None)}
REFUSED = {("shop/frontend", "shop/api", "TCP", 22), ("shop/frontend", "shop/api", "TCP", 8081),
           ("shop/postgres", "shop/frontend", "TCP", 4444)}
faults = []


def run(*arguments, text=None):
    done = subprocess.run([npf, "gaps", *map(str, arguments)], capture_output=True, input=text or b"")
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check(what, holds, found=""):
    if not holds:
        faults.append(f"FAILED: {what}: {found}")


def named(row):
    return (row.get("src_pod") or row["src"], row.get("dst_pod") or row["dst"], row["proto"], row.get("dst_port"))


def graded(rows, grade):
    return {named(row) for row in rows if row.get("grade") == grade}


def as_json(*arguments, wanted=1, text=None):
    status, out, err = run(*INPUT, *arguments, "-o", "json", text=text)
    check(f"status {wanted} of {arguments}", status == wanted, (status, err))
    return json.loads(out)


def captures():
    report = as_json("-r", CAPTURE)
    check("the proven ones", graded(report["gaps"], "proven") == PROVEN, graded(report["gaps"], "proven") ^ PROVEN)
    check("the refused ones", graded(report["gaps"], "suggested") == REFUSED)
    by = next(row for row in report["gaps"] if named(row) == ("batch/report", "shop/api", "TCP", 8080))["denied_by"]
    check("policy, file and line", {"direction": "ingress", "kind": "NetworkPolicy", "policy": "shop/api",
                                    "file": str(POLICIES), "line": 51} in by, by)
    at_api = as_json("-r", CAPTURE, "--captured-at", "shop/api")
    check("at the pod a RST proves", graded(at_api["gaps"], "proven") == PROVEN | {r for r in REFUSED if r[1] == "shop/api"})
    # The same packets from two places are the same connections.
    twice = as_json("-r", CAPTURE, "-r", CAPTURE, "--captured-at", "node-a", "--captured-at", "fabric")
    check("merged", [(named(r), r["connections"]) for r in sorted(twice["gaps"], key=named)] ==
          [(named(r), r["connections"]) for r in sorted(report["gaps"], key=named)])
    check("merged: packets", sum(r["packets"] for r in twice["gaps"]) == 2 * sum(r["packets"] for r in report["gaps"]))
    # Cut in the middle of a record.
    cut = work / "cut.pcap"
    cut.write_bytes(CAPTURE.read_bytes()[:-10])
    status, out, err = run(*INPUT, "-r", cut, "-o", "json")
    check("a cut capture", status == 3 and "packet 276" in err and graded(json.loads(out)["gaps"], "proven"), err)


def policies_by_time():
    open_now, before = work / "open.yaml", work / "before.yaml"
    open_now.write_text(CLUSTER.read_text())
    before.write_text(CLUSTER.read_text())
    update = ["--update", f"2026-11-23T11:45:32Z={POLICIES},{CLUSTER}"]
    status, out, _ = run("-f", before, *update, "-r", CAPTURE, "-o", "json", "--grace", 0)
    late = {p for p in PROVEN if p[1] not in ("shop/postgres",) and p[3] != 9090} | {("shop/frontend", "shop/postgres", "ICMPv6", None)}
    check("only what was seen later", status == 1 and graded(json.loads(out)["gaps"], "proven") == late, out)
    status, out, _ = run("-f", before, *update, "-r", CAPTURE, "-o", "json", "--grace", 60)
    check("grace", status == 0 and not json.loads(out)["gaps"], out)


def flow_logs():
    hubble = as_json("--flows", flows / "hubble.jsonl", "--unanswered")
    check("hubble: proven", graded(hubble["gaps"], "proven") == {("shop/frontend", "shop/postgres", "TCP", 5432),
                                                              ("shop/postgres", "shop/frontend", "TCP", 4444)}, hubble)
    check("hubble: suggested", graded(hubble["gaps"], "suggested") == {("shop/frontend", "shop/api", "TCP", 9090)})
    check("hubble: dropped", graded(hubble["not_delivered"], "dropped") == {("batch/report", "shop/api", "TCP", 8080)})
    check("hubble: nothing", graded(hubble["not_delivered"], "nothing") == {("shop/frontend", "shop/postgres", "TCP", 22)})
    unanswered = [("shop/api", "shop/postgres", "TCP", 5432)]
    check("hubble: unanswered", [named(r) for r in hubble["unanswered"]] == unanswered)
    check("hubble: the claim", [r.get("claim") for r in hubble["gaps"] if r["dst_port"] == 9090] == ["audit mode"])
    for name, text in (("goldmane.jsonl", None), ("whisker.json", None), ("-", gzip.compress((flows / "goldmane.jsonl").read_bytes()))):
        report = as_json("--flows", name if text else flows / name, "--unanswered", text=text)
        check(f"{name}: proven", graded(report["gaps"], "proven") == {("shop/frontend", "shop/postgres", "TCP", 5432)}, report)
        check(f"{name}: dropped", graded(report["not_delivered"], "dropped") == {("batch/report", "shop/api", "TCP", 8080)})
        check(f"{name}: unanswered", [named(r) for r in report["unanswered"]] == unanswered)
        check(f"{name}: the claim", "allowed by Profile kns.shop" in [r.get("claim") for r in report["gaps"]])
    lines = (flows / "hubble.jsonl").read_text().splitlines(True)
    bad = work / "bad.jsonl"
    bad.write_text("".join(lines[:9] + ["{\"flow\": oops}\n"] + lines[9:]))
    status, out, err = run(*INPUT, "--flows", bad, "-o", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    check("a bad line: what came before", rows and rows[-1]["kind"] == "summary" and
          graded(rows, "proven") == {("shop/frontend", "shop/postgres", "TCP", 5432)}, out)
    check("a bad line: its number, and status 3", status == 3 and f"{bad}: line 10: " in err, (status, err))


def other_endings():
    for arguments, wanted, words in (
            ((), 2, "needs a capture (-r) or a flow log (--flows)"),
            (("-r", CAPTURE, "--captured-at", "mars"), 2, "no such node in the input (mars)"),
            (("-r", CAPTURE, "--captured-at", "shop/none"), 2, "no such pod in the input (shop/none)"),
            (("-r", CAPTURE, "--captured-at", "node-a", "--captured-at", "fabric"), 2, "one for each of 1"),
            (("--flows", flows / "hubble.jsonl", "--captured-at", "node-a"), 2, "there is no -r"),
            (("-r", CAPTURE, "--update", "yesterday=x"), 2, "--update: needs TIME=PATH,PATH"),
            (("-r", CAPTURE, "--update", "17=x,"), 2, "--update: has an empty path"),
            (("-r", CAPTURE, "--update", "17=x", "--update", "17=y"), 2, "names a time twice"),
            (("-r", CAPTURE, "--overlay", "mars"), 2, "--overlay"),
            (("-r", work / "none.pcap"), 4, "none.pcap"), (("--flows", work / "none.json"), 4, "none.json"),
            (("-r", POLICIES), 3, "policies.yaml"), (("--flows", CAPTURE), 3, "line 1: ")):
        status, out, err = run(*INPUT, *arguments)
        check(f"{arguments}: status {wanted}, {words}", status == wanted and words in err, (status, err))
        check(f"{arguments}: no output", out == "", out)
    status, _, err = run(*INPUT, "-r", CAPTURE, "--connections-max", 1)
    check("what is left out is counted", status in (0, 1) and "left out: " in err, err)
    status, out, _ = run("-f", CLUSTER, "-r", CAPTURE)
    check("without policy there is no gap", status == 0 and out.startswith("connections that policy denies: 0 seen"), out)


for part in (captures, policies_by_time, flow_logs, other_endings):
    part()
print("\n".join(faults) or "all as it should be")
sys.exit(1 if faults else 0)
