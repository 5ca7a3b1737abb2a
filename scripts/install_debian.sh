#!/usr/bin/env bash
# Installs what the tests need beyond npm, on Debian and its relatives. Safe to run again: with everything there it
# only looks. Tests whose tool is missing say so and skip, so that this is needed for a complete run alone.
set -euo pipefail

# Package, and the file that shows that it is there.
needed=(
  chromium:/usr/bin/chromium
  g++:/usr/bin/g++
  libfaketime:/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1
  make:/usr/bin/make
  openssl:/usr/bin/openssl
  python3:/usr/bin/python3
  python3-cbor2:/usr/lib/python3/dist-packages/cbor2
  python3-cryptography:/usr/lib/python3/dist-packages/cryptography
  softhsm2:/usr/bin/softhsm2-util
  strace:/usr/bin/strace
  systemd:/usr/bin/systemd-analyze
)

missing=()
for entry in "${needed[@]}"; do
  [ -e "${entry#*:}" ] || missing+=("${entry%%:*}")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo)
fi
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
