"""check_schema.py SCHEMA < LINES: every line is a JSON object as the schema says. Knows the few
words of JSON Schema that docs/verdict.schema.json uses, so that the tests need no package for it."""
import json
import sys

schema = json.load(open(sys.argv[1]))
KINDS = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


def check(value, rule, where):
    if "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rsplit("/", 1)[1]]
    if "enum" in rule:
        assert value in rule["enum"], f"{where}: {value!r} is none of {rule['enum']}"
    if "type" in rule:
        kind = KINDS[rule["type"]]
        assert isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), \
            f"{where}: {value!r} is no {rule['type']}"
    if isinstance(value, dict):
        for name in rule.get("required", []):
            assert name in value, f"{where}: no {name}"
        for name, part in value.items():
            assert name in rule["properties"], f"{where}: {name} is not in the schema"
            check(part, rule["properties"][name], f"{where}.{name}")
    if isinstance(value, list):
        for part in value:
            check(part, rule["items"], where + "[]")


count = 0
for line in sys.stdin:
    count += 1
    check(json.loads(line), schema, f"line {count}")
assert count > 0, "no line"
