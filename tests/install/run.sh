#!/usr/bin/env bash
# run.sh SOURCE_DIR BUILD_DIR: installs BUILD_DIR into a fresh tree, takes the C++ and the C program
# out of docs/embedding.md, builds them against that tree with CMake and with pkg-config, and runs
# them on examples/three-tier.
set -euo pipefail
source_dir=$1
build_dir=$2
work=$build_dir/install-test
prefix=$work/prefix
programs=$work/programs
example=$source_dir/examples/three-tier

rm -rf "$work"
mkdir -p "$programs"
cmake --install "$build_dir" --prefix "$prefix" > "$work/install.log"
if [[ -e $prefix/include/npf.h ]]; then echo "a bare npf.h is installed"; exit 1; fi

for file in bin/npf bin/kubectl-npf bin/kubectl_complete-npf share/man/man1/npf.1 \
  share/man/man1/npf-validate.1 share/man/man1/npf-replay.1 \
  share/bash-completion/completions/npf share/zsh/site-functions/_npf \
  share/fish/vendor_completions.d/npf.fish; do
  [[ -s $prefix/$file ]] || { echo "not installed: $file"; exit 1; }
done
for program in npf-dpdk:8 npf-bench:1; do
  name=${program%:*}
  [[ -e $prefix/bin/$name ]] || continue
  for file in "man/man${program#*:}/$name.${program#*:}" "bash-completion/completions/$name"; do
    [[ -s $prefix/share/$file ]] || { echo "not installed: $file"; exit 1; }
  done
done
status=0
said=$("$prefix/bin/kubectl-npf" validate 2>&1) || status=$?
[[ $status -eq 2 && $said == *"-A -o json | kubectl npf VERB -f -"* && $said == *"see kubectl npf validate --help" ]] ||
  { echo "kubectl-npf validate: status $status, $said"; exit 1; }
PATH=$prefix/bin:$PATH "$prefix/bin/kubectl_complete-npf" val | grep -q '^validate' ||
  { echo "kubectl_complete-npf does not complete"; exit 1; }

# The first block of that language.
fenced() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } on && /^```/ { exit } on' "$source_dir/docs/embedding.md"; }
fenced cpp > "$programs/program.cc"
fenced c > "$programs/program.c"
[[ -s $programs/program.cc && -s $programs/program.c ]] || { echo "no programs in docs/embedding.md"; exit 1; }

"$prefix/bin/npf" compile -f "$example/policies.yaml" -f "$example/cluster.yaml" -o "$work/three-tier.npf" > /dev/null

expect() {  # wanted command...
  local got
  got=$("${@:2}")
  if [[ $got != "$1" ]]; then echo "${*:2}: printed \"$got\", wanted \"$1\""; exit 1; fi
  echo "ok: ${*:2}: $got"
}
refuse() {  # wanted-status command...
  local status=0
  "${@:2}" 2> /dev/null || status=$?
  if [[ $status -ne $1 ]]; then echo "${*:2}: status $status, wanted $1"; exit 1; fi
  echo "ok: ${*:2}: status $status"
}

cmake -G Ninja -S "$source_dir/tests/install" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" \
  -DPROGRAMS="$programs" > "$work/configure.log"
cmake --build "$work/cmake" > "$work/build.log" || { cat "$work/build.log"; exit 1; }
expect allow "$work/cmake/cpp_program" "$example/policies.yaml" "$example/cluster.yaml"
expect allow "$work/cmake/c_program" "$work/three-tier.npf"
refuse 3 "$work/cmake/c_program" "$example/policies.yaml"
refuse 3 "$work/cmake/c_program" "$work/no-such-file"

pc_dir=$(dirname "$(find "$prefix" -name npf-runtime.pc)")
export PKG_CONFIG_PATH=$pc_dir
# shellcheck disable=SC2046
cc -std=gnu11 -Wall -Wextra -Werror "$programs/program.c" -o "$work/c_pkg" $(pkg-config --cflags --libs npf-runtime)
# shellcheck disable=SC2046
c++ -std=c++20 -Wall -Wextra -Werror "$programs/program.cc" -o "$work/cpp_pkg" $(pkg-config --cflags --libs npf)
expect allow "$work/c_pkg" "$work/three-tier.npf"
expect allow "$work/cpp_pkg" "$example/policies.yaml" "$example/cluster.yaml"

# What the archives define for C: our nouns, and none of NetBSD's.
symbols=$(nm --defined-only -g "$(dirname "$pc_dir")"/libnpf_*.a 2> /dev/null | awk '$3 ~ /^npf/ { print $3 }' | sort -u)
foreign=$(grep -vE '^npf_(program_|classify|explain|status|version)' <<< "$symbols" || true)
if [[ -n $foreign ]]; then echo "C symbols that are not ours: $foreign"; exit 1; fi
echo "ok: $(wc -l <<< "$symbols") C symbols"
