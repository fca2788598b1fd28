#!/bin/bash
# The release build's switchboard for `switchboard-sim load --switchboard`, below the priority of the load test itself.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/realtime.sh" 10 "$here/../../build/release/switchboard" "$@"
