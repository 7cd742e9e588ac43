#!/usr/bin/env bash
# run.sh NPF SOURCE_DIR: the command as people and scripts meet it: exit statuses, what goes to
# standard output and what does not, and the answers of the three-tier example.
set -uo pipefail
npf=$1
source_dir=$2
example=$2/examples/three-tier
schema() { python3 "$source_dir/tests/cli/check_schema.py" "$source_dir/docs/verdict.schema.json" < "$work/out" || fail "not as the schema says"; }
# shellcheck source=tests/cli/ask.sh
source "$source_dir/tests/cli/ask.sh"
input=(-f "$example/policies.yaml" -f "$example/cluster.yaml")

# Usage: one line, and where to look.
for arguments in "" "nonsense" "eval" "explain a" "replay" "gaps" "gaps -f x" "version --what" "eval --placement mars" "list" "diff" "diff x" \
  "compile --pair-table tree -f x" "verify --extra-max -1 -f x"; do
  # shellcheck disable=SC2086
  status 2 "$npf" $arguments
  silent
  err_lines 1
  warns "--help"
done
for verb in validate lint eval explain gaps list diff test replay compile verify version; do
  status 0 "$npf" $verb --help
  says "Example"
done
status 0 "$npf" version -o json
says '"image_format":'
status 0 "$npf" --version

# Environment.
status 4 "$npf" compile "${input[@]}" -o "$work/no/such/dir/image"
silent
status 4 "$npf" eval "${input[@]}" --traffic "$work/none.csv"
silent
status 4 "$npf" validate -f "$work/none.yaml"
if [[ -e /dev/full ]]; then
  "$npf" version > /dev/full 2> "$work/err"
  [[ $? -eq 4 ]] || fail "a full disk is not status 4"
fi
"$npf" replay "${input[@]}" -r "$example/three-tier.pcap" -o jsonl 2> "$work/err" | head -1 > /dev/null
[[ ${PIPESTATUS[0]} -le 4 ]] || fail "a closed pipe ended npf with ${PIPESTATUS[0]}"

# lint: status 1 from --fail-on on, 0 below, and only findings on standard output.
mistake=("$npf" lint -f "$source_dir/examples/mistakes/02-label/policies.yaml" -f "$source_dir/examples/mistakes/cluster.yaml")
status 1 "${mistake[@]}"
says "peer-no-match (proof)"
status 0 "${mistake[@]}" --fail-on error --level error
silent
status 0 "${mistake[@]}" --fail-on never -o json
says '"id":"peer-no-match","level":"warning","basis":"proof"'
status 3 "$npf" lint -f "$source_dir/README.md"
silent
status 2 "${mistake[@]}" --level loud

# Bad input: status 3, nothing on standard output.
printf 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec: {podSelector: {}, ingres: []}\n' > "$work/typo.yaml"
status 3 "$npf" explain -f "$work/typo.yaml" 10.0.0.1 10.0.0.2
silent
warns "typo.yaml:4:"
printf 'not an image' > "$work/bad.npf"
status 3 "$npf" verify "${input[@]}" --program "$work/bad.npf"
silent

# A stated limit.
status 5 "$npf" compile "${input[@]}" --image-max 16
[[ -s $work/err ]] || fail "a limit without a message"

# eval: columns are kept, replaced, and quoted; bad rows are all told.
cat > "$work/traffic.csv" << 'CSV'
note,src_ip,dst_ip,proto,dst_port,verdict,extra
"a, ""b""",10.244.1.10,10.244.1.20,TCP,8080,deny,1
second,10.244.1.10,10.244.1.30,TCP,5432,allow,2
third,fd00:10:244:1::20,fd00:10:244:1::30,6,5432,,3
ping,10.244.1.10,10.244.1.20,ICMP/8,,,4
nd,fd00:10:244:1::10,fd00:10:244:1::20,ICMPv6/135,,,5
probe,10.244.1.1,10.244.1.20,TCP,9090,,6
self,10.244.1.10,10.244.1.10,UDP,9,,7
CSV
status 0 "$npf" eval "${input[@]}" --traffic "$work/traffic.csv"
cat > "$work/wanted.csv" << 'CSV'
note,src_ip,dst_ip,proto,dst_port,verdict,extra,egress,ingress,reason
"a, ""b""",10.244.1.10,10.244.1.20,TCP,8080,allow,1,allow,allow,policy
second,10.244.1.10,10.244.1.30,TCP,5432,deny,2,deny,deny,policy
third,fd00:10:244:1::20,fd00:10:244:1::30,6,5432,allow,3,allow,allow,policy
ping,10.244.1.10,10.244.1.20,ICMP/8,,deny,4,deny,deny,policy
nd,fd00:10:244:1::10,fd00:10:244:1::20,ICMPv6/135,,allow,5,allow,allow,link_control
probe,10.244.1.1,10.244.1.20,TCP,9090,allow,6,allow,allow,local_node
self,10.244.1.10,10.244.1.10,UDP,9,allow,7,allow,allow,loopback
CSV
diff "$work/wanted.csv" "$work/out" || fail "eval's rows"
gzip -k "$work/traffic.csv"
status 0 "$npf" eval "${input[@]}" --traffic "$work/traffic.csv.gz"
diff "$work/wanted.csv" "$work/out" > /dev/null || fail "eval of .gz"
"$npf" eval "${input[@]}" --traffic - < "$work/traffic.csv" > "$work/out" 2> /dev/null
diff "$work/wanted.csv" "$work/out" > /dev/null || fail "eval of standard input"

printf 'src_ip,dst_ip,proto,dst_port\n10.0.0.1,10.0.0.2,TCP,80\n10.0.0.1,10.0.0.2,TCP,\n10.0.0,fd00::1,GRE,x\n10.0.0.1,10.0.0.2,TCP,80\nshort\n' > "$work/bad.csv"
status 3 "$npf" eval "${input[@]}" --traffic "$work/bad.csv"
[[ $(wc -l < "$work/out") -eq 2 ]] || fail "the whole rows before a bad one: $(cat "$work/out")"
warns "bad.csv:3: dst_port"
warns "bad.csv:4: src_ip"
warns "bad.csv:4: proto"
warns "bad.csv:6: 1 fields; the header has 4"
for header in "" "src_ip,dst_ip,proto" "src_ip,dst_ip,proto,dst_port,proto"; do
  printf '%s\n' "$header" > "$work/header.csv"
  status 3 "$npf" eval "${input[@]}" --traffic "$work/header.csv"
  silent
done

# Resolved names: domainNames match what the table has that has not expired.
cat > "$work/names.yaml" << 'YAML'
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: by-name}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress:
  - {action: Accept, to: [{domainNames: ["*.example.com"]}]}
  - {action: Deny, to: [{networks: [0.0.0.0/0]}]}
YAML
printf 'note,address,name,expires\n"a, ""b""",203.0.113.10,API.example.com.,2027-01-01T00:00:00Z\n,203.0.113.11,cdn.example.com,\n' > "$work/names.csv"
named=("${input[@]}" -f "$work/names.yaml" --domains "$work/names.csv")
status 0 "$npf" explain "${named[@]}" --now 2026-12-31T23:59:59Z shop/frontend 203.0.113.10:443
warns "names.csv:1:1: warning: the column note is not read; name, address and expires are"
for now in 2027-01-01T00:00:00Z 1798761600 2027-01-01T01:00:00+01:00; do
  status 1 "$npf" explain "${named[@]}" --now "$now" shop/frontend 203.0.113.10:443
  warns "names.csv:2:42: warning: name API.example.com.: expires: 203.0.113.10 is no longer the address of the name; it is not used"
done
status 0 "$npf" explain "${named[@]}" --now 1798761600 shop/frontend 203.0.113.11:443
status 1 "$npf" explain "${input[@]}" -f "$work/names.yaml" shop/frontend 203.0.113.11:443
warns "names.yaml:9:27: warning: ClusterNetworkPolicy by-name: spec.egress[0].to[0].domainNames[0]: no address of *.example.com is known; it matches nothing"
gzip -kf "$work/names.csv"
status 0 "$npf" validate -f "$work/names.yaml" --domains "$work/names.csv.gz" --now 1 -o json
says '"used":{"ClusterNetworkPolicy":1,"ResolvedName":2}'
status 0 "$npf" validate -f "$work/names.yaml" --domains "$work/names.csv" --domains "$work/names.csv" --now 1
grep -qE '^ResolvedName +4 +read' "$work/out" || fail "validate counts resolved names: $(cat "$work/out")"
for now in 0 -1 soon infinite-future " 5" 2027-13-01T00:00:00Z; do
  status 2 "$npf" validate -f "$work/names.yaml" "--now=$now"
done
printf 'name,address,expires\n*.example.com,192.0.2.1,\na.example,192.0.2,\na.example,192.0.2.1,soon\na.example\n"a"x,\na.example,192.0.2.1,1\n' > "$work/bad_names.csv"
status 3 "$npf" validate -f "$work/names.yaml" --domains "$work/bad_names.csv"
silent
warns 'bad_names.csv:2:1: name *.example.com: name: must be a domain name of two labels or more, as www.example.com (found "*.example.com")'
warns 'bad_names.csv:3:11: name a.example: address: must be an IP address, as 203.0.113.10 or 2001:db8::10 (found "192.0.2")'
warns 'bad_names.csv:4:21: name a.example: expires: must be a time, as 2027-01-01T00:00:00Z or 1798761600 (found "soon")'
warns 'bad_names.csv:5:1: 1 fields; the header has 3'
warns 'bad_names.csv:6:1: a quote stands inside a field'
warns 'bad_names.csv:7:21: warning: name a.example: expires: 192.0.2.1 is no longer the address'
for header in "" "name,expires" "name,address,name"; do
  printf '%s\n' "$header" > "$work/header.csv"
  status 3 "$npf" validate -f "$work/names.yaml" --domains "$work/header.csv"
  silent
done
warns "header.csv:1:14: the column name stands twice in the header"
status 4 "$npf" validate -f "$work/names.yaml" --domains "$work/none.csv"

# explain: which line of which file.
status 0 "$npf" explain "${input[@]}" shop/frontend shop/api:8080
says "allow (policy)"
says "policies.yaml:48"
status 1 "$npf" explain "${input[@]}" shop/frontend shop/api:8081
says "port 8081, the rule has 8080"
says "policies.yaml:48"
status 1 "$npf" explain "${input[@]}" -6 shop/frontend shop/postgres:5432
says "fd00:10:244:1::30"
status 1 "$npf" explain "${input[@]}" shop/frontend shop/api:ICMP/8
status 0 "$npf" explain "${input[@]}" shop/frontend "[fd00:10:244:1::20]:ICMPv6/135"
status 1 "$npf" explain "${input[@]}" -n shop frontend 203.0.113.80:80 -o json
says '"verdict":"deny"'
schema
status 0 "$npf" explain "${input[@]}" 10.244.1.1 shop/api:22 -o json
schema
status 2 "$npf" explain "${input[@]}" shop/nobody shop/api:8080
status 2 "$npf" explain "${input[@]}" shop/frontend shop/api:http
silent

# compile and verify: an image made of these objects is proven, one made of others is not.
status 0 "$npf" compile "${input[@]}" -o "$work/image"
says "shop/default-deny"
status 0 "$npf" compile -f "$example" -o "$work/image2" --report json
python3 -c 'import json,sys; json.load(sys.stdin)' < "$work/out" || fail "compile --report json is no JSON"
cmp "$work/image" "$work/image2" || fail "the same objects from a directory give another image"
status 0 "$npf" verify "${input[@]}" --program "$work/image"
silent
sed 's/port: 5432/port: 5433/' "$example/policies.yaml" > "$work/other.yaml"
status 1 "$npf" verify -f "$work/other.yaml" -f "$example/cluster.yaml" --program "$work/image"
says "the reference"
status 1 "$npf" verify -f "$work/other.yaml" -f "$example/cluster.yaml" --program "$work/image" -o json
python3 -c 'import json,sys; assert json.load(sys.stdin)["differences"] > 0' < "$work/out" || fail "verify -o json"

# The recorded capture: what the day at the shop needs is allowed, what the intruder tries is not.
status 0 "$npf" replay "${input[@]}" -r "$example/three-tier.pcap" -o jsonl
[[ $(wc -l < "$work/out") -eq 276 ]] || fail "one line for each of the 276 packets"
schema

# list: rows between workloads, what is chosen, and what is open.
status 0 "$npf" list "${input[@]}" --to shop/postgres
says "shop/api"
says "TCP 5432"
status 0 "$npf" list "${input[@]}" -n shop --from app=frontend,tier!=x --to external -o csv
says "from_kind,from,to_kind,to,ports,family"
status 0 "$npf" list "${input[@]}" -o json
python3 -c 'import json,sys; rows = json.load(sys.stdin)["rows"]; assert any(e.get("name") == "api" for r in rows for e in r["to"])' \
  < "$work/out" || fail "list -o json"
status 0 "$npf" list "${input[@]}" -o dot
says "digraph"
status 0 "$npf" list "${input[@]}" -o md
says "| from | to | ports |"
status 0 "$npf" list "${input[@]}" --exposure
says "OPEN TO"
status 0 "$npf" list "${input[@]}" --exposure -o json
python3 -c 'import json,sys; assert json.load(sys.stdin)["exposure"]' < "$work/out" || fail "list --exposure -o json"
status 2 "$npf" list "${input[@]}" --to shop/nobody
silent
warns "shop/nobody"
status 2 "$npf" list "${input[@]}" --exposure -o dot
status 3 "$npf" list -f "$work/typo.yaml"
silent

# diff: nothing where nothing changes, and the line and a witness where something does.
shared=(-f "$example/cluster.yaml")
status 0 "$npf" diff "${shared[@]}" "$example/policies.yaml" "$example/policies.yaml"
silent
status 1 "$npf" diff "${shared[@]}" "$example/policies.yaml" "$work/other.yaml"
says "denied   shop/api -> shop/postgres  TCP 5432"
says "allowed  shop/api -> shop/postgres  TCP 5433"
says "other.yaml:"
says "for example 10.244.1.20 -> 10.244.1.30 TCP 5433"
status 1 "$npf" diff "${shared[@]}" "$example/policies.yaml" "$work/other.yaml" -o json \
  --trace "$example/three-tier.pcap"
python3 -c 'import json,sys; d = json.load(sys.stdin); assert len(d["changes"]) >= 2 and d["changed_packets"] == 60' \
  < "$work/out" || fail "diff -o json: $(head -c 300 "$work/out")"
status 1 "$npf" diff "${shared[@]}" "$example/policies.yaml" "$work/other.yaml" -o md
says "| newly | from |"
status 1 "$npf" diff "${shared[@]}" "$example/policies.yaml" "$work/other.yaml" -o sarif
says '"newly-denied"'
status 0 "$npf" diff "${shared[@]}" "$work/image" "$example/policies.yaml"
status 1 "$npf" diff "${shared[@]}" "$work/image" "$work/other.yaml"
status 2 "$npf" diff "${shared[@]}" - -
status 2 "$npf" diff "${shared[@]}" "$example/policies.yaml," "$work/other.yaml"
status 4 "$npf" diff "${shared[@]}" "$work/none.yaml" "$work/other.yaml"
status 3 "$npf" diff "${shared[@]}" "$work/typo.yaml" "$work/other.yaml"
silent

if [[ $failures -gt 0 ]]; then echo "$failures failures"; exit 1; fi
echo "all as it should be"
