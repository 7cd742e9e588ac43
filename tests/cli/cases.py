#!/usr/bin/env python3
"""cases.py NPF SHARED eval|verify: the command over the judged clusters of the shared folder.

eval: every tuple of every case; verdict, egress and ingress must be those of the case.
verify: every cluster of cases/public/np must be proven, with nothing on standard output.
Status 77, and why, where the folder is not there."""
import concurrent.futures
import csv
import gzip
import io
import os
import pathlib
import subprocess
import sys

npf, shared, what = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
if not (shared / "cases").is_dir():
    print(f"skipped: {shared}/cases is not there")
    sys.exit(77)
COLUMNS = ("verdict", "egress", "ingress")


def run(*arguments):
    return subprocess.run([npf, *map(str, arguments)], capture_output=True)


def judge(case):
    """Rows, and what is wrong."""
    traffic = case / "traffic.csv.gz"
    done = run("eval", "-f", case / "cluster.yaml.gz", "--traffic", traffic)
    if done.returncode != 0:
        return 0, [f"{case}: status {done.returncode}: {done.stderr.decode()[:300]}"]
    with gzip.open(traffic, "rt", newline="") as text:
        wanted = list(csv.DictReader(text))
    got = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    if len(got) != len(wanted):
        return 0, [f"{case}: {len(got)} rows, wanted {len(wanted)}"]
    wrong = [f"{case}: {g}, wanted {[w[c] for c in COLUMNS]}"
             for g, w in zip(got, wanted) if any(g[c] != w[c] for c in COLUMNS)]
    return len(got), wrong


def prove(case):
    done = run("verify", "-f", case / "cluster.yaml.gz", "--extra-max", 200000)
    if done.returncode == 0 and not done.stdout:
        return 1, []
    return 0, [f"{case}: status {done.returncode}: {done.stdout.decode()[:300]}"]


folders = ["public/np"] if what == "verify" else ["public/*", "upstream/*"]
cases = sorted(c.parent for f in folders for c in (shared / "cases").glob(f + "/*/cluster.yaml.gz"))
work = prove if what == "verify" else judge
total, faults = 0, []
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for count, wrong in pool.map(work, cases):
        total += count
        faults += wrong
print("\n".join(faults[:20]))
print(f"{what}: {len(cases)} cases, {total} {'tuples' if what == 'eval' else 'proven'}, {len(faults)} wrong")
sys.exit(1 if faults or not cases else 0)
