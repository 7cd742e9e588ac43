#!/usr/bin/env bash
# hot_objects.sh OBJECT...: what every packet runs through must not allocate, throw, lock or log, so
# its objects may not even name what does.
set -euo pipefail
forbidden='^(_Zn[wa]|_Zd[la]|__cxa_(throw|allocate_exception)|_ZSt[0-9]+__throw|malloc|calloc|realloc|free|posix_memalign|aligned_alloc|pthread_|sem_|__cxa_guard|printf|fprintf|puts|fputs|fwrite|syslog|_ZN4absl|_ZNSo|_ZStls)'
bad=0
for object in "$@"; do
  names=$(nm --undefined-only --format=just-symbols "$object" | grep -E "$forbidden" || true)
  if [[ -n $names ]]; then
    echo "$object names:"
    c++filt <<< "$names"
    bad=1
  fi
done
if [[ $# -eq 0 ]]; then echo "no objects given" >&2; bad=1; fi
exit "$bad"
