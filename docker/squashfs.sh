#!/usr/bin/env bash
# Packs the image into one SquashFS file, for clusters: one file to copy, and one file for the parallel file system to look after.
# The same image gives the same file.
#
#     docker/squashfs.sh ROOT FILE
#
# ROOT is the image as a directory (`cargo enzyme image convert LAYOUT --to directory ROOT`). Run it by
#     ch-run FILE -- COMMAND                       Charliecloud, needs no root
#     apptainer exec FILE COMMAND                  Apptainer
#     mount -o loop,ro FILE DIRECTORY              the kernel, needs root
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
# -mkfs-time, -all-time: nothing of the day it was made.
exec mksquashfs "$1" "$2" -noappend -quiet -no-progress -all-root -comp zstd -Xcompression-level 9 -mkfs-time 0 -all-time 0
