#!/usr/bin/env bash
# check.sh [BASE]: what a change of deploy/ has to pass, on any machine that has npf and git. BASE is
# what it is compared with, a revision of git. Reports are left in npf-out/.
set -euo pipefail
base=${1:-main}
out=npf-out
mkdir -p "$out"
failed=0

# What the API server would refuse ends it: nothing can be said about the rest.
npf validate -f deploy

# Status 1 is a finding; others are faults of the call, and end it too.
found() { [[ $? -eq 1 ]] && failed=1; }
npf lint -f deploy -o sarif > "$out/lint.sarif" || found
npf test expectations.yaml -f deploy -o junit > "$out/junit.xml" || found

# A difference is no failure; somebody should look at it.
npf diff --git "$base:deploy" deploy -o md > "$out/diff.md" || [[ $? -eq 1 ]]
cat "$out/diff.md"
exit "$failed"
