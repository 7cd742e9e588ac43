#!/usr/bin/env python3
"""bench_gate.py NPF-INSTRUCTIONS BUDGET.CSV: instructions a decision and bytes of tables, counted by
callgrind, against the budget. Noise cannot move these figures; a change that costs more says so by
changing the budget. Status 77 where callgrind is not there."""

import concurrent.futures
import csv
import os
import re
import shutil
import subprocess
import sys


def count(program, row):
    """Instructions a decision and table bytes of one row."""
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null",
         program, row["workload"], row["families"], row["traffic"], row["stage"]],
        capture_output=True, text=True, check=False)
    counted = re.search(r"Collected : (\d+)", result.stderr)
    printed = re.search(r"packets (\d+) table_bytes (\d+)", result.stdout)
    if result.returncode != 0 or counted is None or printed is None:
        sys.exit(f"{row}: {result.stdout}{result.stderr}")
    return int(counted[1]) / int(printed[1]), int(printed[2])


def main():
    program, budget = sys.argv[1:3]
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return 77
    with open(budget, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        figures = list(pool.map(lambda row: count(program, row), rows))
    over = 0
    print(f"{'workload':10}{'ip':4}{'traffic':9}{'stage':14}{'instructions':>13}{'at most':>9}"
          f"{'table bytes':>13}{'at most':>11}")
    for row, (instructions, table_bytes) in zip(rows, figures):
        holds = (instructions <= float(row["instructions_max"])
                 and table_bytes <= int(row["table_bytes_max"]))
        over += not holds
        print(f"{row['workload']:10}{row['families']:4}{row['traffic']:9}{row['stage']:14}"
              f"{instructions:13.1f}{row['instructions_max']:>9}{table_bytes:13}"
              f"{row['table_bytes_max']:>11}  {'holds' if holds else 'OVER'}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
