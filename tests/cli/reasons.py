#!/usr/bin/env python3
"""Every reason that a verdict can have is explained once, in docs/reasons.md or docs/packets.md, stands
in the first one in any case, and no reason is explained that there is not."""
import collections
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
names = set(re.findall(r'return "(\w+)";', (root / "libnpf/base/verdict.cc").read_text())) - {"unknown"}
pages = {page: (root / "docs" / page).read_text() for page in ("reasons.md", "packets.md")}
rows = collections.Counter(row for text in pages.values()
                           for row in re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
faults = [f"{name}: explained {rows[name]} times" for name in sorted(names) if rows[name] != 1]
faults += [f"{name}: explained, and no reason" for name in sorted(rows.keys() - names)]
faults += [f"{name}: not in docs/reasons.md" for name in sorted(names)
           if f"`{name}`" not in pages["reasons.md"]]
print("\n".join(faults + [f"{len(names)} reasons, {len(faults)} faults"]))
sys.exit(1 if faults or not names else 0)
