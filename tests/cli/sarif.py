#!/usr/bin/env python3
"""sarif.py NPF SOURCE_DIR: what `npf lint -o sarif` writes is SARIF as the standard's JSON schema says, for
every example and for no finding at all. The schema is not part of the project: NPF_SARIF_SCHEMA names
the file. Where it or the validator is absent, this is said, and the status is 77: skipped."""
import json
import os
import pathlib
import subprocess
import sys


def log_of(npf, arguments):
    done = subprocess.run([npf, "lint", "-o", "sarif", "--fail-on", "never", *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout)


def main(npf, root):
    try:
        import jsonschema
    except ImportError:
        print("skipped: needs python3-jsonschema")
        return 77
    path = os.environ.get("NPF_SARIF_SCHEMA", "")
    if not path:
        print("skipped: NPF_SARIF_SCHEMA has to name the JSON schema of SARIF 2.1.0")
        return 77
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)(schema)
    faults = logs = results = 0
    for policies in sorted((root / "examples").rglob("policies.yaml")):
        cluster = next(folder / "cluster.yaml" for folder in policies.parents
                       if (folder / "cluster.yaml").exists())
        for more in ([], ["--level", "error"], ["--docs-url", "https://example.org/docs/"]):
            log = log_of(npf, ["-f", str(policies), "-f", str(cluster), *more])
            logs += 1
            results += len(log["runs"][0]["results"])
            for error in validator.iter_errors(log):
                faults += 1
                print(f"{policies} {more}: {error.json_path}: {error.message}")
    print(f"{logs} logs, {results} results, {faults} faults")
    return 1 if faults or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
