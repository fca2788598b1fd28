#!/bin/bash
# What else happens on the gateway's machine must not be heard: the latency of the same calls, undisturbed and with one
# disturbance at a time. See capacity.md.
#
#   jitter.sh [CALLS]
#
# SECONDS_EACH (15), RAMP (100/s), AGENT_PORT (18810), PORT (18811), OPS_PORT (18812) and OUT (build/load) change the rest.
# Exit 1 when a disturbance added more than 2 ms to the 99th percentile of a direction, or audio was lost.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bench=$root/tests/bench
calls=${1:-300}
seconds=${SECONDS_EACH:-15}
ramp=${RAMP:-100/s}
agent_port=${AGENT_PORT:-18810}
port=${PORT:-18811}
ops_port=${OPS_PORT:-18812}
out=${OUT:-$root/build/load}
[[ $calls =~ ^[0-9]+$ ]] || { echo "usage: jitter.sh [CALLS]" >&2; exit 2; }
mkdir -p "$out"
folder=$(mktemp -d /tmp/switchboard-jitter-XXXXXX)
chmod 755 "$folder"

gateway='' noise='' stopped=''
finish() {
  if [[ -n $stopped ]]; then kill -CONT $stopped 2>/dev/null || true; fi
  for pid in $noise $gateway; do kill "$pid" 2>/dev/null || true; done
  for pid in $noise $gateway; do wait "$pid" 2>/dev/null || true; done
  noise='' gateway='' stopped=''
}
trap 'finish; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000 TWILIO_AUTH_TOKEN=00000000000000000000000000000000
export SWITCHBOARD_ADDRESS=127.0.0.1 PORT=$port SWITCHBOARD_OPS_PORT=$ops_port SWITCHBOARD_CORES=1 DATABASE_URL=
export SWITCHBOARD_LOG_LEVEL=warning SWITCHBOARD_DRAIN_GRACE=1s SWITCHBOARD_MAX_CALLS=10000 SWITCHBOARD_MAX_SOCKETS=20000
# A flood of connections that prove nothing is what is measured, so the share of one address is not the limit here.
export SWITCHBOARD_MAX_UNPROVEN=4096 SWITCHBOARD_MAX_UNPROVEN_OF_ADDRESS=4096
export TWILIO_API_BASE_URL=http://127.0.0.1:$agent_port ELEVENLABS_API_BASE_URL=http://127.0.0.1:$agent_port
export ELEVENLABS_API_KEY=sk_load

# begin http|https: a gateway of its own on CPU 0, its PostgreSQL with the callers on CPU 1.
begin() {
  local line tenant
  export PUBLIC_BASE_URL=$1://127.0.0.1:$port SWITCHBOARD_DATA_DIR=$folder/$1
  if [[ $1 == https ]]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
      -addext subjectAltName=IP:127.0.0.1 -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
    export SWITCHBOARD_TLS_CERT=$folder/certificate.pem SWITCHBOARD_TLS_KEY=$folder/key.pem
  fi
  exec {lines}< <(cd "$folder" && exec taskset -c 0 "$bench/realtime_switchboard.sh" serve 2>"$out/jitter-gateway.log")
  gateway=$!
  read -r -t 90 -u "$lines" line || { tail -n 5 "$out/jitter-gateway.log" >&2; exit 1; }
  [[ $line == ready* ]] || { echo "jitter: the gateway said '$line'" >&2; exit 1; }
  postmaster=$(head -n 1 "$SWITCHBOARD_DATA_DIR/postgres/cluster/postmaster.pid")
  for pid in "$postmaster" $(pgrep -P "$postmaster"); do taskset -a -p -c 1 "$pid" >/dev/null; done
  tenant=$(cd "$folder" && "$root/build/release/switchboard" tenants add --name Jitter --timezone UTC --max-concurrent-calls 10000)
  (cd "$folder" && "$root/build/release/switchboard" agents add --tenant "$tenant" --name Desk --elevenlabs-agent-id agent_load --number +15550001111 >/dev/null)
  # The gateway learns of a new number within a second.
  until [[ $(curl -s "http://127.0.0.1:$ops_port/healthz") == *'"numbers":1'* ]]; do sleep 0.1; done
}

# measure LABEL: one run of the load test against the gateway that stands.
measure() {
  local status=0
  taskset -c 1 "$bench/realtime.sh" 20 "$root/build/release/switchboard-sim" load --label "$1" --target "$PUBLIC_BASE_URL" --pid "$gateway" \
    --port "$agent_port" --calls "$calls" --ramp "$ramp" --for "${seconds}s" --pin 1 --json "$out/jitter-$1.json" \
    >"$out/jitter-$1.txt" 2>"$out/jitter-$1.log" || status=$?
  [[ -s $out/jitter-$1.json ]] || { tail -n 5 "$out/jitter-$1.log" "$out/jitter-$1.txt" >&2; exit 1; }
}

# with KIND URL LABEL: the same while noise.mjs does its worst.
with() {
  exec {words}< <(exec taskset -c 1 node "$bench/reference/noise.mjs" "$1" "$2")
  noise=$!
  read -r -t 20 -u "$words" _ || { echo "jitter: $1 did not begin" >&2; exit 1; }
  measure "$3"
  kill "$noise"
  cat <&"$words" | sed 's/^/  /'
  wait "$noise" 2>/dev/null || true
  noise=''
}

begin http
measure quiet
with requests "http://127.0.0.1:$port" requests
with metrics "http://127.0.0.1:$ops_port" back-office
with stalled "http://127.0.0.1:$port" stalled-sockets
stopped="$postmaster $(pgrep -P "$postmaster" | tr '\n' ' ')"
kill -STOP $stopped
measure database-stopped
kill -CONT $stopped
stopped=''
finish
begin https
measure quiet-tls
with handshakes "https://127.0.0.1:$port" handshakes
finish

node - "$out" <<'JS'
const fs = require('node:fs')
const out = process.argv[2]
const run = (name) => {
  const all = JSON.parse(fs.readFileSync(`${out}/jitter-${name}.json`, 'utf8'))
  return all.runs[0]
}
const p99 = (r) => [r.to_agent.latency.corrected.p99_ms, r.to_caller.latency.corrected.p99_ms]
const lost = (r) => r.to_agent.frames.lost + r.to_caller.frames.lost + r.calls.failed
let bad = false
console.log('disturbance         p99 to agent  p99 to caller   added   added  lost or failed')
for (const [base, names] of [['quiet', ['quiet', 'requests', 'back-office', 'stalled-sockets', 'database-stopped']],
                             ['quiet-tls', ['quiet-tls', 'handshakes']]]) {
  const before = p99(run(base))
  for (const name of names) {
    const now = run(name)
    const [a, c] = p99(now)
    const added = [a - before[0], c - before[1]]
    if (added.some((ms) => !(ms <= 2)) || lost(now) > 0) bad = true
    console.log(name.padEnd(20) + a.toFixed(2).padStart(9) + ' ms' + c.toFixed(2).padStart(12) + ' ms' +
                added.map((ms) => ms.toFixed(2).padStart(8)).join('') + String(lost(now)).padStart(12))
  }
}
process.exit(bad ? 1 : 0)
JS
