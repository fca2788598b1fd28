#!/bin/bash
# What else happens on the gateway's machine must not be heard: the latency of the same calls, undisturbed and with one
# disturbance at a time. See capacity.md.
#
#   jitter.sh [CALLS]
#
# SECONDS_EACH (15), RAMP (100/s), AGENT_PORT (18810), PORT (18811), OPS_PORT (18812), RECEIVER_PORT (18813), CHURN (new
# calls a second where they come and go: a sixth of CALLS) and OUT (build/load) change the rest.
# Exit 1 when a disturbance added more than 2 ms to the 99th percentile of a direction (1 ms when it is the database that
# is stopped or away), or audio was lost. Calls that come and go are compared with such calls.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bench=$root/tests/bench
calls=${1:-300}
seconds=${SECONDS_EACH:-15}
ramp=${RAMP:-100/s}
agent_port=${AGENT_PORT:-18810}
port=${PORT:-18811}
ops_port=${OPS_PORT:-18812}
receiver_port=${RECEIVER_PORT:-18813}
out=${OUT:-$root/build/load}
[[ $calls =~ ^[0-9]+$ ]] || { echo "usage: jitter.sh [CALLS]" >&2; exit 2; }
churn=${CHURN:-$((calls / 6))}
mkdir -p "$out"
folder=$(mktemp -d /tmp/switchboard-jitter-XXXXXX)
chmod 755 "$folder"
# The gateway finds PostgreSQL's programs through links of ours: what is not linked cannot be started.
postgres=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 | sort -V | tail -n 1)/bin
programs=$folder/postgres-programs
mkdir "$programs"
ln -s "$postgres/postgres" "$postgres/initdb" "$programs"
export SWITCHBOARD_PG_BIN=$programs

gateway='' noise='' stopped='' receiver=''
finish() {
  if [[ -n $stopped ]]; then kill -CONT $stopped 2>/dev/null || true; fi
  [[ -e $programs/postgres ]] || ln -s "$postgres/postgres" "$programs/postgres"
  for pid in $noise $gateway $receiver; do kill "$pid" 2>/dev/null || true; done
  for pid in $noise $gateway $receiver; do wait "$pid" 2>/dev/null || true; done
  noise='' gateway='' stopped='' receiver=''
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
INTEGRATION_ENCRYPTION_KEY=$(openssl rand -hex 32)
SIM_WEBHOOK_SECRET=whsec_$(openssl rand -base64 32)
export INTEGRATION_ENCRYPTION_KEY SIM_WEBHOOK_SECRET SWITCHBOARD_EGRESS_ALLOW=127.0.0.0/8 SWITCHBOARD_EGRESS_PORTS=$receiver_port
switchboard() { (cd "$folder" && "$root/build/release/switchboard" "$@"); }

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
  find_database
  tenant=$(switchboard tenants add --name Jitter --timezone UTC --max-concurrent-calls 10000)
  switchboard agents add --tenant "$tenant" --name Desk --elevenlabs-agent-id agent_load --number +15550001111 >/dev/null
  # The gateway learns of a new number within a second.
  until [[ $(curl -s "http://127.0.0.1:$ops_port/healthz") == *'"numbers":1'* ]]; do sleep 0.1; done
}

# find_database: the gateway's PostgreSQL, which goes to the callers' CPU.
find_database() {
  local pid
  mapfile -t server <"$SWITCHBOARD_DATA_DIR/postgres/cluster/postmaster.pid"
  postmaster=${server[0]}
  for pid in "$postmaster" $(pgrep -P "$postmaster"); do taskset -a -p -c 1 "$pid" >/dev/null; done
}
sql() { "$postgres/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "${server[4]}" -p 5432 -U switchboard switchboard -c "$1"; }

# receive: four businesses of which each tells two receivers everything, so that the outbox may use all of its deliveries.
receive() {
  local line lines each name tenant
  exec {lines}< <(exec taskset -c 1 "$root/build/release/switchboard-sim" crm --port "$receiver_port")
  receiver=$!
  read -r -t 20 -u "$lines" line || { echo 'jitter: the receiver did not begin' >&2; exit 1; }
  echo "$SIM_WEBHOOK_SECRET" >"$folder/secret"
  for each in 1 2 3 4; do
    tenant=$(switchboard tenants add --name "Teller $each" --timezone UTC)
    for name in One Two; do
      switchboard integrations add --tenant "$tenant" --name $name --url "http://127.0.0.1:$receiver_port/webhook" --secret-file "$folder/secret" >/dev/null
    done
  done
}

# telling LABEL [ARGUMENTS]: while the back office has more to tell than it can.
telling() {
  sql "insert into outbox (tenant_id, id, target, integration_id, event, order_key, dedupe_key, payload)
         select i.tenant_id, 'obx_' || md5(i.id || n || clock_timestamp()), 'integration', i.id, 'call.ended', '$1' || n, '$1' || n || i.id,
                jsonb_build_object('event', 'call.ended', 'tenant_id', i.tenant_id, 'at', '2026-01-01T00:00:00.000Z', 'data', '{}'::jsonb)
         from integrations i, generate_series(1, 4000) n"
  measure "$@"
  echo "  $(sql "select count(*) || ' deliveries, ' || (select count(*) from outbox where status <> 'done') || ' more waited' from outbox where status = 'done'")"
  sql "delete from outbox"
}

# measure LABEL [ARGUMENTS]: one run of the load test against the gateway that stands.
measure() {
  local status=0 label=$1
  shift
  (($# > 0)) || set -- --ramp "$ramp"
  taskset -c 1 "$bench/realtime.sh" 20 "$root/build/release/switchboard-sim" load --label "$label" --target "$PUBLIC_BASE_URL" --pid "$gateway" \
    --port "$agent_port" --calls "$calls" --for "${seconds}s" --pin 1 --json "$out/jitter-$label.json" "$@" \
    >"$out/jitter-$label.txt" 2>"$out/jitter-$label.log" || status=$?
  [[ -s $out/jitter-$label.json ]] || { tail -n 5 "$out/jitter-$label.log" "$out/jitter-$label.txt" >&2; exit 1; }
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

come_and_go=(--scenario churn --ramp "$churn/s")
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
receive
telling outbox
measure come-and-go "${come_and_go[@]}"
telling settles-and-outbox "${come_and_go[@]}"
rm "$programs/postgres"
kill -QUIT "$postmaster"
measure database-away
measure come-and-go-database-away "${come_and_go[@]}"
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
console.log('disturbance                 p99 to agent  p99 to caller   added   added  lost or failed')
for (const [base, names] of [['quiet', ['quiet', 'requests', 'back-office', 'stalled-sockets', 'outbox', 'database-stopped',
                                        'database-away']],
                             ['come-and-go', ['come-and-go', 'settles-and-outbox', 'come-and-go-database-away']],
                             ['quiet-tls', ['quiet-tls', 'handshakes']]]) {
  const before = p99(run(base))
  for (const name of names) {
    const now = run(name)
    const [a, c] = p99(now)
    const added = [a - before[0], c - before[1]]
    const most = name.includes('database') ? 1 : 2
    if (added.some((ms) => !(ms <= most)) || lost(now) > 0) bad = true
    console.log(name.padEnd(28) + a.toFixed(2).padStart(9) + ' ms' + c.toFixed(2).padStart(12) + ' ms' +
                added.map((ms) => ms.toFixed(2).padStart(8)).join('') + String(lost(now)).padStart(12))
  }
}
process.exit(bad ? 1 : 0)
JS
