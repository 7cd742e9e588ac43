#!/usr/bin/env python3
"""list_page.py NPF SOURCE_DIR: the page of npf list -o html: it needs nothing else, its data says what
the other formats say, and a browser (where there is one) shows it without a console error."""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

npf, source = sys.argv[1:3]
ENTRANCE = """
{apiVersion: v1, kind: Service, metadata: {name: frontend, namespace: shop},
 spec: {type: LoadBalancer, selector: {app: frontend}, ports: [{port: 80, targetPort: http, nodePort: 30080}]},
 status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop},
 spec: {selector: {app: api}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: "shop", namespace: shop},
 spec: {rules: [{host: "</script><b>", http: {paths: [{path: /, backend: {service: {name: api, port: {number: 80}}}}]}}]}}
"""


def listed(*arguments):
    return subprocess.run([npf, "list", *arguments], check=True, capture_output=True, text=True).stdout


def unrolled(runs):
    return [number for first, count in zip(runs[::2], runs[1::2]) for number in range(first, first + count)]


def browse(path, fragment, profile):
    """The page's markup after its script ran, and what went to the console."""
    run = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={profile}", "--virtual-time-budget=4000", "--dump-dom", f"file://{path}#{fragment}"],
        capture_output=True, text=True, timeout=120)
    console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    return run.stdout, console


work = tempfile.mkdtemp()
try:
    extra = os.path.join(work, "entrance.yaml")
    with open(extra, "w", encoding="utf-8") as file:
        file.write(ENTRANCE)
    inputs = ["-f", f"{source}/examples/three-tier", "-f", extra]
    page = listed(*inputs, "-o", "html")
    assert len(page) < 100_000, len(page)
    for outside in ("http:", "https:", "src=", "@import", "url("):
        used = [m for m in re.finditer(re.escape(outside), page) if "www.w3.org/2000/svg" not in page[m.start():m.start() + 40]
                and "url(#to-" not in page[m.start():m.start() + 12]]
        assert not used, (outside, page[used[0].start() - 40:used[0].start() + 40])
    assert page.count("</script>") == 2, "the data ends its element"
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))

    sets = [unrolled(runs) for runs in data["groups"]]
    members = [[end for group in unrolled(runs) for end in sets[group]] for runs in data["lists"]]
    label = [end[0] for end in data["ends"]]
    pods = [end[1] == 0 for end in data["ends"]]
    found = {(label[a], label[b], data["ports"][row[2]]) for row in data["rows"]
             for a in members[row[0]] for b in members[row[1]] if pods[a] and pods[b] and a != b}
    table = csv.DictReader(io.StringIO(listed(*inputs, "-o", "csv")))
    wanted = {(row["from"], row["to"], row["ports"]) for row in table
              if row["from_kind"] == row["to_kind"] == "workload" and row["from"] != row["to"]}
    assert found == wanted, (found ^ wanted)
    notes = [row[4] for row in data["entrances"]]
    assert any("LoadBalancer 192.0.2.7, 80/TCP" in note and "client" in note for note in notes), notes
    assert any("NodePort 30080/TCP" in note and "node's" in note for note in notes), notes
    assert any("Ingress shop/shop" in note for note in notes), notes

    if shutil.which("chromium") is None:
        print("skipped: the page in a browser; chromium is not installed")
        sys.exit(77)
    path = os.path.join(work, "page.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
    shown, console = browse(path, "", work)
    assert not console, console
    assert shown.count("<tr tabindex") == len(data["rows"]), shown.count("<tr tabindex")
    shown, console = browse(path, "search=postgres&view=list&exposure=", work)
    assert not console and "<mark>shop/postgres</mark>" in shown, console
    shown, console = browse(path, "view=matrix", work)
    assert not console and "rows are sources, columns destinations" in shown, console
    shown, console = browse(path, "view=graph", work)
    assert not console and shown.count("<circle") >= 5, (console, shown.count("<circle"))
    shown, console = browse(path, "exposure=service", work)
    assert not console and "seen with the client" in shown, console
finally:
    shutil.rmtree(work, ignore_errors=True)
