#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the event table of an installed libscap to standard output, as the JSON
# that schema/events.json holds. Needs a C compiler and libscap's headers (Debian:
# libfalcosecurity0-dev). In the event folder:
#
#	sh internal/gen/libscap/events.sh > schema/events.json && go generate ./schema
#
# The first argument is a root directory to do it in by chroot, for a libscap that
# is not this system's own.
set -eu

root=${1:-/}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
header="$root/usr/include/falcosecurity/driver/ppm_events_public.h"

work=$(mktemp -d "${root%/}/tmp/events.XXXXXX")
trap 'rm -rf "$work"' EXIT

cp "$here/events.c" "$work/"
sed -n 's/^[[:space:]]*PPME_\([A-Z0-9_]*\) = \([0-9]*\),.*/[\2] = "\1",/p' "$header" > "$work/symbols.inc"

# Debian folds this part of libscap into libsinsp.
inside=${work#"${root%/}"}
build="cc -std=c11 -Wall -Wextra -Werror -I/usr/include/falcosecurity -o $inside/events $inside/events.c -lsinsp && $inside/events"
if [ "$root" = / ]; then
	sh -c "$build"
else
	chroot "$root" sh -c "$build"
fi
