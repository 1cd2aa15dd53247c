#!/usr/bin/env bash
# Makes Linux guests for pc out of Debian's packages, on a machine that has apt:
#
#   npm run guests:linux [FOLDER]      default guest/linux/images
#
# FOLDER/pc and FOLDER/pc-pae get a kernel as shipped (686 and 686-pae) and an initramfs of busybox, the drivers of virtio and ext4 as
# modules, and guest/linux/init. `npm run test:linux` looks there. Nothing is installed; apt's lists and files go to a scratch folder.
set -eu
here="$(cd "$(dirname "$0")/.." && pwd)"
mkdir -p "${1:-$here/guest/linux/images}"
out="$(cd "${1:-$here/guest/linux/images}" && pwd)"

for tool in apt-get dpkg-deb node; do
  command -v "$tool" >/dev/null || { echo "guests:linux: needs $tool (a Debian machine, or its container)" >&2; exit 1; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# i386 packages whatever this machine is, without touching its own lists.
mkdir -p lists/partial cache/archives/partial
apt=(-o APT::Architecture=i386 -o APT::Architectures=i386 -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
apt-get "${apt[@]}" -q update || echo "guests:linux: some of apt's lists are old or missing; going on with those there are" >&2

# In the order in which they have to be loaded.
modules=(virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk failover net_failover virtio_net
  virtio_console virtio-rng netfs fscache 9pnet 9pnet_virtio 9p crc16 mbcache jbd2 crc32c_generic ext4)

# The newest kernel of a flavour is what its empty package depends on.
kernel_of() { apt-cache "${apt[@]}" depends "$1" | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)/\1/p' | head -n 1; }

make_guest() { # FOLDER FLAVOUR
  local package lib root name file
  package="$(kernel_of "linux-image-$2")"
  [ -n "$package" ] || { echo "guests:linux: Debian has no linux-image-$2 here" >&2; return 1; }
  apt-get "${apt[@]}" -q download "$package"
  dpkg-deb -x "$package"_*.deb "kernel-$1"
  mkdir -p "$out/$1"
  cp "kernel-$1"/boot/vmlinuz-* "$out/$1/vmlinuz"
  lib="$(echo "kernel-$1"/lib/modules/*)"
  root="root-$1"
  mkdir -p "$root/bin" "$root/dev" "$root/modules"
  cp busybox/bin/busybox "$root/bin/"
  install -m 755 "$here/guest/linux/init" "$root/init"
  for name in "${modules[@]}"; do
    file="$(find "$lib" -name "$name.ko" | head -n 1)"
    # What a kernel has built in needs no module.
    [ -n "$file" ] || { grep -q "/$name.ko\$" "$lib/modules.builtin" && continue; echo "guests:linux: $2 has no $name" >&2; return 1; }
    cp "$file" "$root/modules/"
    echo "$name.ko" >>"$root/modules/order"
  done
  node "$here/scripts/cpio.ts" "$root" >"$out/$1/initrd-devices.cpio.gz"
  echo "guests:linux: $out/$1: $package"
}

apt-get "${apt[@]}" -q download busybox-static
dpkg-deb -x busybox-static_*.deb busybox
make_guest pc 686
make_guest pc-pae 686-pae
