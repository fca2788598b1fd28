#!/bin/bash
# realtime.sh PRIORITY PROGRAM [ARGUMENTS...]: at real-time priority where this user may set one, so that whatever else runs on
# the machine does not show in the figures; as it is elsewhere. Compilers beside a load test otherwise make its frames late.
priority=$1
shift
if chrt -f "$priority" true 2>/dev/null; then exec chrt -f "$priority" "$@"; fi
exec "$@"
