#!/usr/bin/env python3
"""sarif.py SCHEMA FILE...: every file is a SARIF log as the standard's JSON schema says (draft 7, or
draft 4 in older editions). The schema is not part of the project; where it or the validator is
absent, this is said, and the status is 77: skipped."""
import json
import sys


def main(schema_path, paths):
    try:
        import jsonschema
    except ImportError:
        print("skipped: needs python3-jsonschema")
        return 77
    try:
        with open(schema_path, encoding="utf-8") as file:
            schema = json.load(file)
    except OSError as error:
        print(f"skipped: needs the JSON schema of SARIF 2.1.0, NPF_SARIF_SCHEMA: {error}")
        return 77
    validator = jsonschema.validators.validator_for(schema)(schema)
    faults = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            log = json.load(file)
        for error in validator.iter_errors(log):
            faults += 1
            print(f"{path}: {error.json_path}: {error.message}")
    print(f"{len(paths)} logs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
