#!/usr/bin/env python3
"""Each finding of lint has its section in docs/lint.md, once and with its level and basis, and each such
section is of a finding that there is."""
import collections
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
source = (root / "tools/lint/finding.cc").read_text()
kinds = {name: (level.lower(), "proof" if proof == "true" else "advice") for name, level, proof in
         re.findall(r'\{Id::k\w+,\s*"([a-z-]+)",\s*Level::k(\w+),\s*(true|false),', source)}
text = (root / "docs/lint.md").read_text()
heads = collections.Counter(re.findall(r"^### ([a-z-]+)$", text, re.MULTILINE))
faults = [f"{name}: {heads[name]} sections" for name in sorted(kinds) if heads[name] != 1]
faults += [f"{name}: a section, and no finding" for name in sorted(heads.keys() - kinds.keys())]
for name, (level, basis) in sorted(kinds.items()):
    said = re.search(rf"^### {name}$\n\n\*(\w+), (\w+)[;.]", text, re.MULTILINE)
    if not said or (said[1].lower(), said[2]) != (level, basis):
        faults.append(f"{name}: the section does not begin with \"*{level.capitalize()}, {basis}\"")
print("\n".join(faults + [f"{len(kinds)} findings, {len(faults)} faults"]))
sys.exit(1 if faults or not kinds else 0)
