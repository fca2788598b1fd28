#!/bin/bash
# instructions.sh [CALLS]: user-space instructions a caller frame costs (both directions), counted by callgrind: two runs of
# different length, and the difference of both divided by the difference in frames, so that start and end do not count.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
calls=${1:-20}
folder=$(mktemp -d /tmp/switchboard-instructions-XXXXXX)
trap 'rm -rf "$folder"' EXIT
# The child that looks for PostgreSQL as another user writes its counts, too.
chmod 777 "$folder"
command -v valgrind >/dev/null || { echo "instructions: needs valgrind" >&2; exit 1; }

# Valgrind of Debian 12 cannot read the debug information that clang 19 writes.
strip --strip-debug -o "$folder/gateway" "$root/build/release/switchboard"
cat >"$folder/switchboard" <<EOF
#!/bin/bash
# Only the gateway itself is counted, not the commands the load test runs beside it.
if [[ \$1 == serve ]]; then exec $(command -v valgrind) --tool=callgrind --callgrind-out-file="$folder/out.%p" --log-file="$folder/log.%p" "$folder/gateway" "\$@"; fi
exec "$root/build/release/switchboard" "\$@"
EOF
chmod +x "$folder/switchboard"

# run SECONDS: prints instructions and caller frames.
run() {
  "$root/build/release/switchboard-sim" load --switchboard "$folder/switchboard" --calls "$calls" --ramp 10/s --for "$1s" \
    --json "$folder/$1.json" >"$folder/$1.txt" 2>&1 || true
  local instructions frames
  instructions=$(sed -n 's/.*Collected : //p' "$folder"/log.* | sort -n | tail -1)
  rm -f "$folder"/log.*
  frames=$(node -p "JSON.parse(require('fs').readFileSync('$folder/$1.json')).runs[0].to_agent.frames.sent")
  echo "$instructions $frames"
}

read -r short short_frames < <(run 10)
read -r long long_frames < <(run 30)
echo "$(((long - short) / (long_frames - short_frames))) instructions a caller frame ($calls calls, $((long_frames - short_frames)) frames)"
