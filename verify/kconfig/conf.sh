#!/bin/sh
# Runs conf.mjs in the place of scripts/kconfig/conf. The tests press Enter for as long as this process lives, and fail
# when the pipe is closed while they do: what is left in it is read away before the end.
node "${CONF:-$(dirname "$0")/conf.mjs}" "$@"
status=$?
timeout 0.05 cat >/dev/null
exit $status
