#!/usr/bin/env bash
# Rebuilds the firmware, the demo kernel and the benchmark program from source; their images are committed, so
# that nobody needs a cross compiler to run them.
#   scripts/guests.sh [firmware|guest|bench]           build, and write the new sums
#   scripts/guests.sh --check [firmware|guest|bench]   build, and compare with the committed sums
set -euo pipefail
cd "$(dirname "$0")/.."
check=
if [ "${1:-}" = --check ]; then
  check=yes
  shift
fi
houses=("$@")
if [ $# = 0 ]; then
  houses=(firmware guest bench)
fi
for house in "${houses[@]}"; do
  if [ "$house" != firmware ] && [ "$house" != guest ] && [ "$house" != bench ]; then
    echo "usage: scripts/guests.sh [--check] [firmware|guest|bench]" >&2
    exit 2
  fi
done

for tool in make i686-linux-gnu-gcc powerpc-linux-gnu-gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "guests: $tool is missing (Debian: make gcc-i686-linux-gnu gcc-powerpc-linux-gnu)" >&2
    exit 1
  fi
done

compilers() {
  for target in i686 powerpc; do
    "$target-linux-gnu-gcc" --version | head -n 1
    "$target-linux-gnu-ld" --version | head -n 1
  done
}

for house in "${houses[@]}"; do
  make -s -C "$house" clean
  make -s -C "$house"
  (
    cd "$house/images"
    if [ "$check" ]; then
      if ! sha256sum --check --quiet SHA256SUMS; then
        echo "guests: $house differs from what is committed; it was built with:" >&2
        cat COMPILER >&2
        exit 1
      fi
    else
      find . -maxdepth 1 -type f ! -name SHA256SUMS ! -name COMPILER -printf '%f\n' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
      compilers > COMPILER
    fi
    echo "guests: $house: $(wc -l < SHA256SUMS) files agree"
  )
done
