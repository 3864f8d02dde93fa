#!/bin/sh
# The Containerfile, built and asked: does it answer for a scan that it can only read, not as root, without a
# network, without torch, in less than 700 MB, and does its health check hold?
#
#   PYTHON=python sh tests/check_container.sh      python is one that has gadoscope and scipy: it makes the scan
#
# Needs buildah, and to be root. Where the registry of the base image is out of reach, a base of the same name is made
# of Debian's packages, if debootstrap is there. Takes minutes and some gigabytes, all of which it removes.
set -eu
PYTHON=$(command -v "${PYTHON:-python3}")
case $PYTHON in /*) ;; *) PYTHON=$PWD/$PYTHON ;; esac
MOST_MEGABYTES=700
skip() { echo "skipped: $1" && exit 0; }
command -v buildah >/dev/null || skip "no buildah here to build the container"
test "$(id -u)" -eq 0 || skip "only root may build without a daemon and take the network away"

work=$(mktemp -d)
images() { buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
clean_up() {
    images rm --all >/dev/null 2>&1 || true
    images rmi --all --force >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT

make_base() {
    echo "no registry in reach: a base of Debian's packages stands in for $base"
    debootstrap --variant=minbase --include=python3.11,python3-pip,python3-venv,ca-certificates bookworm "$work/debian" \
        >"$work/base.log" 2>&1 || { tail -5 "$work/base.log" && skip "neither the base image nor Debian's packages are to be had"; }
    # As in the image that it stands for: no documentation, no package lists, and pip may install.
    rm -rf "$work/debian/var/cache/apt/archives" "$work/debian/var/lib/apt/lists" "$work/debian/usr/share/doc" \
        "$work/debian/usr/share/man" "$work/debian/usr/share/locale" "$work/debian/usr/lib/python3.11/EXTERNALLY-MANAGED"
    ln -s /usr/bin/python3.11 "$work/debian/usr/local/bin/python"
    ln -s /usr/bin/pip3 "$work/debian/usr/local/bin/pip"
    empty=$(images from scratch)
    images add "$empty" "$work/debian" / >/dev/null
    images commit --quiet "$empty" "$base" >/dev/null
    images rm "$empty" >/dev/null
    rm -rf "$work/debian"
}

base=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' Containerfile | sort -u)
timeout 60 buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" pull --quiet "$base" \
    >/dev/null 2>&1 || {
    command -v debootstrap >/dev/null || skip "$base is out of reach, and there is no debootstrap to make one like it"
    make_base
}

# What this machine trusts and where its pip looks, the build may use; none of it stays in the image.
set -- --volume /etc/ssl/certs:/etc/ssl/certs:ro
if test -e /etc/pip.conf; then set -- "$@" --volume /etc/pip.conf:/etc/pip.conf:ro; fi
images bud --isolation chroot --format docker --network host --pull-never "$@" --tag gadoscope . >"$work/build.log" 2>&1 ||
    { tail -20 "$work/build.log" && exit 1; }

said() { images inspect --type image --format "{{.Docker.Config.$1}}" gadoscope; }
test "$(said User)" = gadoscope
test "$(said Entrypoint)" = "[gadoscope]"
said Healthcheck | grep -q "gadoscope doctor"

"$PYTHON" -m gadoscope phantom "$work/scans" --form dicom --subjects 1 --slices 12 --seed 2 >/dev/null
chmod -R a+rX "$work/scans" && chmod a+x "$work"
container=$(images from --pull-never gadoscope)
# Without a network: a namespace of its own, in which there is none.
inside() {
    unshare --net buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" run --isolation chroot \
        --volume "$work/scans:/scans:ro" "$container" -- "$@"
}
test "$(inside id -u)" = 1000
inside gadoscope doctor >"$work/doctor" || { cat "$work/doctor" && exit 1; }
inside gadoscope classify /scans >"$work/answers.csv"
grep -q "answered,PRE_CONTRAST" "$work/answers.csv"
grep -q "answered,POST_CONTRAST" "$work/answers.csv"
if inside touch /scans/new 2>/dev/null; then echo "the scans could be written" && exit 1; fi
if inside python -c "import torch" 2>/dev/null; then echo "torch is in the container" && exit 1; fi
if inside python -c "import socket; socket.create_connection(('192.0.2.1', 80), 2)" 2>/dev/null; then exit 1; fi

megabytes() { du -sm "$(images mount "$1")" | cut -f1; }
whole=$(megabytes "$container")
below=$(megabytes "$(images from --pull-never "$base")")
echo "the container takes $whole MB: $below of the base, $((whole - below)) of ours"
test "$whole" -lt "$MOST_MEGABYTES"
echo "the container is built, answers read-only and without a network, and looks after itself"
