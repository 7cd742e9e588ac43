#!/usr/bin/env bash
# expectations.sh NPF SOURCE_DIR: npf test as people and CI meet it: statuses, what is told of a
# failure, and the formats. JUnit's is held against the schema that NPF_JUNIT_XSD names.
set -uo pipefail
npf=$1
example=$2/examples/three-tier
expectations=$2/examples/expectations/shop.yaml
# shellcheck source=tests/cli/ask.sh
source "$2/tests/cli/ask.sh"
input=(-f "$example/policies.yaml" -f "$example/cluster.yaml" --now 2027-01-01T00:00:00Z)

# The example holds, in every format.
status 0 "$npf" test "$expectations" "${input[@]}"
says "6 of 6 expectations hold"
"$npf" test - "${input[@]}" -o tap < "$expectations" > "$work/out" 2> "$work/err" || fail "standard input"
says "ok 6 - shop/* to internet is denied"

# One that fails is told with its rule and line; two files are two suites.
cat > "$work/wrong.yaml" << 'YAML'
expectations:
- name: "nobody calls <the api> & \"it\" \u0001 is # alone"
  from: {namespaces: "kubernetes.io/metadata.name in (shop,batch)"}
  to: {pods: {app: api}, namespace: shop}
  expect: deny
- {from: batch/report, to: "192.0.2.0/24:443", expect: allow}
YAML
status 1 "$npf" test "$work/wrong.yaml" "$expectations" "${input[@]}"
says "expected deny, but"
says "shop/frontend (10.244.1.10) to shop/api (10.244.1.20): TCP 8080"
says "allowed by    shop/api spec.ingress[0].from[0].ports[0]  $example/policies.yaml:67"
says "7 of 8 expectations hold"
status 1 "$npf" test "$work/wrong.yaml" "${input[@]}" -o tap
says "1..2"
says "not ok 1 - nobody calls <the api> & \"it\"   is \\# alone"
says "ok 2 - batch/report to 192.0.2.0/24:443 is allowed"
status 1 "$npf" test "$work/wrong.yaml" "${input[@]}" -o json
python3 - "$work/out" << 'PYTHON' || fail "json"
import json, sys
report = json.load(open(sys.argv[1]))
first, second = report["expectations"]
assert report["failed"] == 1 and second["ok"] and not first["ok"], report
assert first["line"] == 2 and first["failed_classes"] == len(first["failures"]), first
failure = first["failures"][0]
assert failure["verdict"] == "allow" and failure["ports"] == ["TCP 8080"], failure
assert failure["why"]["ingress"]["allowing"][0]["line"] == 67, failure
PYTHON
status 1 "$npf" test "$work/wrong.yaml" "$expectations" "${input[@]}" -o junit
says 'timestamp="2027-01-01T00:00:00" hostname="localhost" tests="2" failures="1"'
python3 - "$work/out" << 'PYTHON' || fail "junit is no XML"
import sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
assert [len(suite.findall("testcase")) for suite in suites] == [2, 6]
name = suites[0].find("testcase").get("name")
assert name == 'nobody calls <the api> & "it" \ufffd is # alone', name
assert "shop/api spec.ingress[0]" in suites[0].find("testcase/failure").text
PYTHON

# What is wrong in a file, and what concerns nothing, are status 3, all of them.
printf 'expectations:\n- {from: shop/frontned, to: shop/api, expect: allow}\n- {from: shop/api, to: {pods: app=x}, expect: deny}\n' > "$work/nothing.yaml"
status 3 "$npf" test "$work/nothing.yaml" "${input[@]}"
silent
warns 'nothing.yaml:2:10: expectations[0].from: no pod, workload or Service shop/frontned; did you mean "frontend"?'
warns 'nothing.yaml:3:24: expectations[1].to: matches no pod'
printf 'expectations:\n- {form: a, to: b, expect: alow}\n' > "$work/typo.yaml"
status 3 "$npf" test "$work/typo.yaml" "${input[@]}"
silent
warns 'typo.yaml:2:4: expectations[0].form: unknown field'
warns 'typo.yaml:2:28: expectations[0].expect: must be allow or deny'
status 4 "$npf" test "$work/none.yaml" "${input[@]}"
status 2 "$npf" test "${input[@]}"
status 0 "$npf" test --help
says "Example"

# A Service with ports and an Ingress decide nothing: the image is the same to the byte.
cat > "$work/exposed.yaml" << 'YAML'
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop, namespace: elsewhere}, spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
YAML
status 0 "$npf" compile "${input[@]}" -o "$work/without.npf"
status 0 "$npf" compile "${input[@]}" -f "$work/exposed.yaml" -o "$work/with.npf"
cmp "$work/without.npf" "$work/with.npf" || fail "an Ingress changed the image"

[[ $failures -eq 0 ]] || exit 1
"$npf" test "$work/wrong.yaml" "$expectations" "${input[@]}" -o junit > "$work/junit.xml" 2> /dev/null
if [[ ! -e ${NPF_JUNIT_XSD:-} ]] || ! command -v xmllint > /dev/null; then
  echo "skipped: JUnit against its schema; it takes xmllint and a schema that NPF_JUNIT_XSD names"
  exit 77
fi
xmllint --noout --schema "$NPF_JUNIT_XSD" "$work/junit.xml" || exit 1
