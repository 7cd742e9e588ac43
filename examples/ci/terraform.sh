#!/usr/bin/env bash
# terraform.sh PLAN: what a plan does to the connections of a cluster. `before` is what Terraform
# manages now; a cluster's other objects are in cluster.json, from
#   kubectl get networkpolicies,pods,namespaces,nodes,services -A -o json
set -euo pipefail
plan=$1
out=npf-out
mkdir -p "$out"
terraform show -json "$plan" > "$out/plan.json"
terraform show -json > "$out/before.json"

# Unknown values that a policy needs are refused here, with the resource's address.
npf validate -f "$out/plan.json"
npf test expectations.yaml -f "$out/plan.json" -f cluster.json
npf diff "$out/before.json" "$out/plan.json" -f cluster.json -o md > "$out/diff.md" ||
  [[ $? -eq 1 ]]
cat "$out/diff.md"
