#!/bin/sh
# Runs a command with a container engine, for machines without Docker: podman out of Debian's packages, unpacked into a
# temporary folder and not installed, and an image of Envoy made from the binary $ENVOY_BIN. Needs root and apt-get
# (amd64 or arm64, Debian 12). Everything is removed at the end.
#
#   ENVOY_BIN=… sh tests/envoy/podman.sh node --import tsx --test tests/envoy/container.test.ts
#
# Exit 75 with a line that says why where it cannot be done here; else the command's exit code.
set -eu

refuse() {
  echo "podman.sh: $1" >&2
  exit 75
}
[ "$(id -u)" = 0 ] || refuse "needs root"
command -v apt-get >/dev/null || refuse "needs apt-get"
[ -x "${ENVOY_BIN:-}" ] || refuse "needs ENVOY_BIN"

at=$(mktemp -d "${TMPDIR:-/tmp}/meshward-podman.XXXXXX")
service=
finish() {
  if [ -n "$service" ]; then
    podman rm --all --force --time 1 >/dev/null 2>&1 || true
    podman network prune --force >/dev/null 2>&1 || true
  fi
  # The service, and monitors that wait minutes for somebody to ask how an exec ended: whatever runs from our folder.
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in "$at"/*) kill "${process#/proc/}" 2>/dev/null || true ;; esac
  done
  [ -z "$service" ] || wait "$service" 2>/dev/null || true
  # What is ending may still write there.
  tries=0
  until rm -rf "$at" 2>/dev/null || [ "$tries" -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}
trap finish EXIT
trap 'exit 130' INT TERM
user_home=$HOME
user_path=$PATH

# The packages: podman, what it runs, and the libraries that a slim image lacks.
mkdir "$at/debs" "$at/root"
(
  cd "$at/debs"
  apt-get download -q podman runc conmon netavark aardvark-dns busybox-static iptables libgpgme11 libassuan0 libsubid4 \
    libip4tc2 libip6tc2 libnftnl11 libxtables12 libmnl0 libnetfilter-conntrack3 libnfnetlink0 libyajl2 libseccomp2 \
    >"$at/apt.log" 2>&1
) || refuse "apt-get download failed: $(tail -n 1 "$at/apt.log")"
for package in "$at"/debs/*.deb; do dpkg-deb -x "$package" "$at/root"; done
for name in iptables ip6tables; do
  for verb in "" -save -restore; do ln -sf xtables-nft-multi "$at/root/usr/sbin/$name$verb"; done
done

libraries=$(dirname "$(find "$at/root/usr/lib" -name 'libgpgme.so.11' | head -n 1)")
mkdir -p "$at/home/.config/containers" "$at/networks"
cat >"$at/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=1024:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
conmon_path = ["$at/root/usr/bin/conmon"]
helper_binaries_dir = ["$at/root/usr/lib/podman"]
[engine.runtimes]
runc = ["$at/root/usr/bin/runc", "$at/root/usr/sbin/runc"]
[network]
network_config_dir = "$at/networks"
CONF
cat >"$at/storage.conf" <<CONF
[storage]
driver = "vfs"
graphroot = "$at/store"
runroot = "$at/run"
CONF
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$at/home/.config/containers/policy.json"

podman() {
  HOME="$at/home" PATH="$at/root/usr/bin:$at/root/usr/sbin:$at/root/usr/lib/podman:$user_path" \
    LD_LIBRARY_PATH="$libraries" XTABLES_LIBDIR="$libraries/xtables" \
    CONTAINERS_CONF="$at/containers.conf" CONTAINERS_STORAGE_CONF="$at/storage.conf" \
    "$at/root/usr/bin/podman" "$@"
}

# The image: the binary, the loader and the libraries that it names, a shell.
image="$at/image"
mkdir -p "$image/usr/local/bin" "$image/bin" "$image/etc" "$image/tmp"
cp "$ENVOY_BIN" "$image/usr/local/bin/envoy"
ldd "$ENVOY_BIN" | grep -o '/[^ ]*\.so[^ ]*' | while read -r library; do
  mkdir -p "$image$(dirname "$library")"
  cp -L "$library" "$image$library"
done
cp "$at/root/bin/busybox" "$image/bin/busybox"
for name in sh mv; do ln -s busybox "$image/bin/$name"; done
echo 'root:x:0:0:root:/:/bin/sh' >"$image/etc/passwd"
tag=docker.io/envoyproxy/envoy:v1.40.0
tar -C "$image" -c . | podman import --change 'ENTRYPOINT ["/usr/local/bin/envoy"]' - "$tag" >"$at/import.log" 2>&1 ||
  refuse "podman import failed: $(tail -n 1 "$at/import.log")"

podman system service --time=0 "unix://$at/podman.sock" >"$at/service.log" 2>&1 &
service=$!
tries=0
until [ -S "$at/podman.sock" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 100 ] || refuse "podman does not start: $(tail -n 1 "$at/service.log")"
  sleep 0.1
done

HOME=$user_home DOCKER_HOST="unix://$at/podman.sock" TESTCONTAINERS_RYUK_DISABLED=true \
  MESHWARD_TEST_ULIMITS='{"nofile":{"soft":1024,"hard":4096},"nproc":{"soft":1024,"hard":4096}}' "$@"
