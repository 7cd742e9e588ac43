#!/usr/bin/env python3
"""rows.py BUILD: what the appliance does where something fails: a table of faults, and of what clients
send to its socket, with the tests of each and what came of them when ctest last ran in BUILD. Status 1
where one failed or was not run.
rows.py --check: only that every row has a test."""
import pathlib
import re
import sys

# Which there are; docs/testing.md says so, too. A test bears its row in its name.
ROWS = {
    "F1": "no policy, or an empty file by mistake: closed; open only where that is asked for by name",
    "F2": "an update that is wrong or too large: refused, the one before goes on, and there is an alarm",
    "F3": "an address of no known pod: outside the cluster; in a pod CIDR, denied and counted",
    "F4": "two live pods with one address: one of them has it, and it is told",
    "F5": "no room for another connection: new ones denied, established ones go on",
    "F6": "no room for another datagram in fragments: fragments denied, all else goes on",
    "F7": "a worker hangs: the process ends, and nothing passes",
    "F8": "no random numbers at the start: it does not start",
    "O1": "traffic of one node: the report and /readyz say so",
    "O2": "masqueraded traffic: likewise",
    "O3": "encrypted traffic, denied: likewise",
    "O4": "encrypted traffic, judged by its outer header: likewise",
    "B50": "a request over the limit, half a frame, nothing, garbage",
    "B51": "a message that does not parse, text that is not UTF-8, depth, unknown fields",
    "B52": "a message whose fields cannot mean anything",
    "B53": "an unknown method, changes at once, a client that goes away",
    "B54": "who may connect, how many, and where the socket may stand",
    "B55": "a thousand clients, a byte now and then",
    "B56": "no descriptor is left, signals, short writes",
    "B57": "names that would forge lines",
}
HERE = pathlib.Path(__file__).resolve().parent


def tests_by_row():
    """Names of tests by rows: of control_test, and scenarios of faults.py."""
    named = {row: [] for row in ROWS}
    for source in sorted((HERE.parent / "control").glob("*_test.cc")):
        for suite, test in re.findall(r"TEST(?:_F)?\((\w+), (\w+)\)", source.read_text()):
            if (row := re.match(r"B5\d", test)) and row[0] in named:
                named[row[0]].append(f"control.{suite}.{test}")
    for name in re.findall(r"^def (\w+)\(bench\)", (HERE / "faults.py").read_text(), re.M):
        row = name.split("_")[0].upper()
        if row in named:
            named[row].append(f"e2e.faults: {name}")
    return named


def results_of(build):
    """By test of ctest's, and by scenario of faults.py."""
    results, name = {}, None
    log = pathlib.Path(build) / "Testing/Temporary/LastTest.log"
    for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
        if begins := re.match(r"\d+/\d+ Test(?:ing)?: (.+)", line):
            name = begins[1]
        if ends := re.match(r"Test (Passed|Failed|Timeout|Skipped)", line):
            results[name] = ends[1].lower()
        if check := re.match(r"(ok|WRONG|skip) +(\w+): ", line):
            scenario = f"e2e.faults: {check[2]}"
            worst = {"ok": "passed", "WRONG": "failed", "skip": "skipped"}[check[1]]
            if results.get(scenario) != "failed":
                results[scenario] = worst
    return results


def main():
    named = tests_by_row()
    bare = [row for row, tests in named.items() if not tests]
    if "--check" in sys.argv:
        print(f"no test: {', '.join(bare)}" if bare else f"{len(named)} rows, each with a test")
        return 1 if bare else 0
    results, missing = results_of(sys.argv[1]), bool(bare)
    print(f"{'ROW':5}{'TEST':64}RESULT")
    for row, tests in named.items():
        print(f"{row:5}{ROWS[row]}")
        for test in tests:
            result = results.get(test, "not run")
            missing = missing or result not in ("passed", "skipped")
            print(f"{'':5}{test:64}{result}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
