#!/usr/bin/env python3
"""bench_verdicts.py NPF NPF-BENCH SHARED: on every capture that the shared folder has a cluster for,
npf-bench, from frames to verdicts in one call, counts what `npf replay --stateless` counts.
Status 77, and why, where the folder is not there."""
import json
import pathlib
import subprocess
import sys

npf, bench, shared = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
traces = shared / "traces"
if not (traces / "clusters").is_dir():
    print(f"skipped: {traces}/clusters is not there")
    sys.exit(77)


def counts_of_replay(cluster, capture):
    done = subprocess.run([npf, "replay", "--stateless", "-f", cluster, "-r", capture, "-o", "json"],
                          capture_output=True, check=False)
    return {f"{row['verdict']} {row['reason']}": row["packets"]
            for row in json.loads(done.stdout)["reasons"]}


def counts_of_bench(cluster, capture):
    done = subprocess.run([bench, "--verdicts", "-f", cluster, "--trace", capture],
                          capture_output=True, check=False, text=True)
    rows = (line.rsplit(None, 1) for line in done.stdout.splitlines()[1:])
    return {name.strip(): int(packets.replace(",", "")) for name, packets in rows
            if name.strip() != "all"}


packets = 0
wrong = []
clusters = sorted((traces / "clusters").glob("*.cluster.yaml"))
for cluster in clusters:
    name = cluster.name.removesuffix(".cluster.yaml")
    captures = [path for path in traces.glob(f"*/{name}.*") if ".pcap" in path.name]
    if len(captures) != 1:
        wrong.append(f"{name}: {len(captures)} captures")
        continue
    replayed = counts_of_replay(cluster, captures[0])
    benched = counts_of_bench(cluster, captures[0])
    packets += sum(replayed.values())
    if replayed != benched:
        wrong.append(f"{name}: replay counts {replayed}, npf-bench {benched}")
print("\n".join(wrong))
print(f"{len(clusters)} captures, {packets} packets, {len(wrong)} wrong")
sys.exit(1 if wrong or packets == 0 else 0)
