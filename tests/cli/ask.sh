# shellcheck shell=bash
# For tests of the command: runs it, and says what of its answer is not as it should be. $work is a
# folder that is gone at the end, $failures how many there were.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
# status WANTED command...: the exit status; standard output and error are kept.
status() {
  local got=0
  "${@:2}" > "$work/out" 2> "$work/err" < /dev/null || got=$?
  [[ $got -eq $1 ]] || fail "status $got, wanted $1: ${*:2}: $(head -3 "$work/err")"
}
silent() { [[ ! -s $work/out ]] || fail "standard output is not empty: $(head -2 "$work/out")"; }
err_lines() { [[ $(wc -l < "$work/err") -eq $1 ]] || fail "wanted $1 lines on standard error: $(cat "$work/err")"; }
says() { grep -qF -- "$1" "$work/out" || fail "standard output lacks \"$1\": $(head -20 "$work/out")"; }
warns() { grep -qF -- "$1" "$work/err" || fail "standard error lacks \"$1\": $(head -5 "$work/err")"; }
