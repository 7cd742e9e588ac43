#!/usr/bin/env python3
"""attacks.py BUILD: a table of attacks by their numbers: the tests that play each, and what came of
them when ctest last ran in BUILD. Status 1 where one failed or was not run.
attacks.py --check: only that every number has a test, or says why it has none."""
import collections
import pathlib
import re
import sys

# Which there are; docs/testing.md says where they are described.
NUMBERS = [*range(1, 15), *range(20, 35), *range(40, 59), *range(60, 83), *range(85, 91),
           *range(100, 115), *range(120, 129), *range(130, 134)]
# Played by captures of public attacks (adversarial.py), and by no test of this project.
CAPTURED = {20, 21, 22, 23, 29, 30, 31, 32, 33, 34, 40, 41, 42, 43, 44, 47, 48, 50, 51, 52, 53, 61, 62,
            63, 68, 74, 76, 77, 78, 81, 82, 85, 86, 102, 104, 105, 106, 125}
# What no library can show. Where a test is named as well, it plays the part that is the library's.
OF_AN_APPLIANCE = {
    49: "packet buffers in several segments",
    100: "traffic while a process starts",
    110: "ten minutes of it",
    126: "logs",
    127: "clients of a control socket",
    128: "packet buffers and rings that run out",
}


def tests_by_attack():
    """Names of tests by the numbers that they, or the comments on them, bear."""
    named = collections.defaultdict(set)
    for source in pathlib.Path(__file__).resolve().parents[1].rglob("*_test.cc"):
        comment, test = [], None
        for line in source.read_text().splitlines():
            begins = re.match(r"TEST(?:_[FP])?\((\w+), (\w+)\)", line)
            if begins:
                test = f"{begins[1]}.{begins[2]}"
                line = " ".join(comment) + line
            comment = comment + [line] if line.startswith("//") else []
            if line == "}":
                test = None
            for number in re.findall(r"(?<![A-Za-z0-9])A(\d{1,3})(?![0-9])", line):
                if test:
                    named[int(number)].add(test)
    return named


def results_of(build):
    """What came of each test of ctest's, and what adversarial.py said: packets and wrong ones."""
    results, packets, name = {}, {}, None
    log = pathlib.Path(build) / "Testing" / "Temporary" / "LastTest.log"
    for line in log.read_text(errors="replace").splitlines():
        begins = re.match(r"\d+/\d+ Test(?:ing)?: (.+)", line)
        if begins:
            name = begins[1]
        if re.match(r"Test (Passed|Failed|Timeout)", line) and name:
            results[name] = line.split()[1].rstrip(".").lower()
        row = re.match(r"A(\d+) +(\d+) +(\d+)$", line)
        if row and name == "tools.adversarial":
            packets[int(row[1])] = (int(row[2]), int(row[3]))
    return results, packets


def result_of(test, results):
    """Of a test that may have several instances."""
    found = {result for name, result in results.items()
             if re.search(rf"(^|[./]){re.escape(test)}(/|$)", name)}
    if not found:
        return "not run"
    return "passed" if found == {"passed"} else "/".join(sorted(found))


def untested(named):
    return [number for number in NUMBERS
            if number not in named and number not in CAPTURED and number not in OF_AN_APPLIANCE]


def print_table(build, named):
    results, packets = results_of(build)
    failed = 0
    print(f"{'ATTACK':8}{'TEST':76}RESULT")
    for number in NUMBERS:
        rows = [(test, result_of(test, results)) for test in sorted(named[number])]
        if number in packets:
            count, wrong = packets[number]
            rows.append((f"{count} packets of captures", f"{wrong} wrong" if wrong else "passed"))
        elif number in CAPTURED:
            rows.append(("captures, which are not here", "skipped"))
        if number in OF_AN_APPLIANCE:
            rows.append((OF_AN_APPLIANCE[number], "needs the appliance"))
        for test, result in rows:
            print(f"{'A' + str(number):8}{test:76}{result}")
            failed += result not in ("passed", "skipped", "needs the appliance")
    print(f"{len(NUMBERS)} attacks, {failed} tests not passed")
    return failed


def main(arguments):
    named = tests_by_attack()
    missing = untested(named)
    for number in missing:
        print(f"A{number}: no test bears this number")
    failed = 0 if arguments[0] == "--check" else print_table(arguments[0], named)
    return 1 if missing or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
