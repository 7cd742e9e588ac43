#!/usr/bin/env python3
"""mistakes.py NPF SOURCE_DIR [--write]: what docs/mistakes.md and docs/lint.md show is what npf prints, and in
each section of the first the output names the line of the mistake.

Every block of these pages that begins with "$ npf" is run in examples/mistakes, and its output, standard
output and error as in a terminal, is compared with what stands there; --write puts it there. The line
of a mistake is the one that ends in "# the mistake" in the policies of its directory; every directory has a
section."""
import pathlib
import re
import subprocess
import sys

npf, root = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
pages = [root / "docs/mistakes.md", root / "docs/lint.md"]
examples = root / "examples/mistakes"
BLOCK = re.compile(r"^```\n\$ npf (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(arguments):
    done = subprocess.run([npf, *arguments.split()], cwd=examples, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def line_of_mistake(name):
    lines = (examples / name / "policies.yaml").read_text().splitlines()
    marked = [i + 1 for i, line in enumerate(lines) if line.endswith("# the mistake")]
    assert len(marked) == 1, f"{name}: {len(marked)} lines are marked"
    return marked[0]


blocks, faults = [], []
for page in pages:
    text = page.read_text()
    if "--write" in sys.argv:
        text = BLOCK.sub(lambda block: f"```\n$ npf {block[1]}\n{run(block[1])}```", text)
        page.write_text(text)
    for block in BLOCK.finditer(text):
        blocks.append(block)
        if run(block[1]) != block[2]:
            faults.append(f"npf {block[1]}: prints something else than {page.name} has")
names = sorted(path.name for path in examples.iterdir() if path.is_dir())
for name in names:
    outputs = [block[2] for block in blocks if f"{name}/policies.yaml" in block[1]]
    place = re.compile(rf"{name}/policies\.yaml:{line_of_mistake(name)}\b")
    if not any(place.search(output) for output in outputs):
        faults.append(f"{name}: no output names line {line_of_mistake(name)}")
print("\n".join(faults + [f"{len(names)} mistakes, {len(faults)} faults"]))
sys.exit(1 if faults or not names else 0)
