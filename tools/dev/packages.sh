# Sourced by tools/quickstart, tools/test and examples/three-tier/record.sh:
#   install_packages GROUP...
# installs what is missing of those groups of tools/packages.txt. Where nothing is missing it costs
# one dpkg-query and touches neither the network nor sudo.
# shellcheck shell=bash

install_packages() {
  local list group package wanted=() missing=() as_root=()
  list="$(dirname "${BASH_SOURCE[0]}")/../packages.txt"
  local groups=" $* " group
  while read -r group package; do
    [[ $groups == *" $group "* ]] && wanted+=("$package")
  done < <(grep -v '^#' "$list")

  if ! command -v dpkg-query > /dev/null; then
    echo "not a Debian system: the packages of tools/packages.txt are taken to be there" >&2
    return 0
  fi
  local installed
  # dpkg-query fails where one of them is unknown, and still prints the others.
  installed=" $({ dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "${wanted[@]}" 2> /dev/null ||
    true; } | awk '$2 == "ii" { printf "%s ", $1 }')"
  for package in "${wanted[@]}"; do
    [[ $installed == *" $package "* ]] || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0

  echo "installing ${#missing[@]} missing packages: ${missing[*]}" >&2
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo > /dev/null || {
      echo "not root, and no sudo: as root, run: apt-get install ${missing[*]}" >&2
      return 4
    }
    echo "not root: apt-get is run with sudo" >&2
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get -q update >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
}
