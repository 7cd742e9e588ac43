#!/usr/bin/env bash
# helm.sh BASE: renders a chart as Argo CD does, of BASE and of the working tree, and compares what
# they allow. For Kustomize, render() is `kubectl kustomize "$1/overlays/prod"`.
set -euo pipefail
base=$1
out=npf-out
mkdir -p "$out"
render() { helm template shop "$1/chart" --namespace shop; }

before=$(mktemp -d)
trap 'git worktree remove --force "$before"' EXIT
git worktree add --quiet --detach "$before" "$base"
render "$before" > "$out/before.yaml"
render . > "$out/after.yaml"

npf validate -n shop -f "$out/after.yaml"
npf lint -n shop -f "$out/after.yaml"
npf test expectations.yaml -n shop -f "$out/after.yaml"
npf diff -n shop "$out/before.yaml" "$out/after.yaml" || [[ $? -eq 1 ]]
