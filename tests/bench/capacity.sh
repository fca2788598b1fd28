#!/bin/bash
# Switchboard, the floor relay and a Node bridge in turn, three rounds, under the same calls: what a caller frame costs each
# of them. The program under test has CPU 0 for itself, the callers and the agents live on CPU 1. See capacity.md.
#
#   capacity.sh [CALLS [CALLS_OF_NODE]]
#
# ROUNDS (3), SECONDS_EACH (20, measured), RAMP (100/s), AGENT_PORT (18800) and OUT (build/load) change the rest.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
calls=${1:-900}
node_calls=${2:-400}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-20}
ramp=${RAMP:-100/s}
agent_port=${AGENT_PORT:-18800}
out=${OUT:-$root/build/load}
programs=$root/build/release
agent=http://127.0.0.1:$agent_port
bench=$root/tests/bench

die() {
  printf 'capacity: %s\n' "$*" >&2
  exit 1
}

(($(nproc) >= 2)) || die "needs two CPUs, one for the program under test and one for its callers"
[[ $calls =~ ^[0-9]+$ && $node_calls =~ ^[0-9]+$ ]] || die "usage: capacity.sh [CALLS [CALLS_OF_NODE]]"
mkdir -p "$out"

# A run that hangs is ended: ramp, settling, hanging up and a cold start of PostgreSQL on top of what is measured.
patience=$((seconds + calls * 2 / ${ramp%%/*} + 120))

under_test=
generator=
finish() {
  local pid
  for pid in $generator $under_test; do kill "$pid" 2>/dev/null || true; done
  for pid in $generator $under_test; do wait "$pid" 2>/dev/null || true; done
  under_test='' generator=''
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# load LABEL ROUND ARGUMENTS...: one run of the load test, and a second one when something else on the machine made the first
# one's frames late.
load() {
  load_once "$@"
  if grep -q 'the generator was the bottleneck' "$out/$1-$2.txt"; then load_once "$@"; fi
  reports+=("$out/$1-$2.json")
}

# In the background, so that a signal reaches us at once.
load_once() {
  local label=$1 round=$2 status=0
  shift 2
  local file=$out/$label-$round.json
  rm -f "$file"
  timeout --kill-after=60 "$patience" "$bench/realtime.sh" 20 "$programs/switchboard-sim" load --label "$label" --scenario talk --ramp "$ramp" \
    --for "${seconds}s" --pin 1 --json "$file" "$@" >"$out/$label-$round.txt" 2>"$out/$label-$round.log" &
  generator=$!
  wait "$generator" || status=$?
  generator=''
  # Status 1 says that something was lost or failed; the report has it, and the table will show it.
  [[ -s $file ]] || {
    tail -n 20 "$out/$label-$round.log" "$out/$label-$round.txt" >&2
    die "$label, round $round: no report (status $status)"
  }
}

ours() {
  load ours "$1" --switchboard "$bench/realtime_switchboard.sh" --pin-gateway 0 --calls "$calls"
}

# reference LABEL ROUND CALLS PROGRAM...: starts it on CPU 0, loads it, ends it.
reference() {
  local label=$1 round=$2 with=$3 words
  shift 3
  exec {lines}< <(exec taskset -c 0 "$bench/realtime.sh" 10 "$@" --agent "$agent" --agent-id agent_load 2>"$out/$label-$round.program.log")
  under_test=$!
  read -r -t 20 -u "$lines" words || die "$label did not start; see $out/$label-$round.program.log"
  [[ $words == "ready "* ]] || die "$label said '$words' instead of ready"
  load "$label" "$round" --target "${words#ready }" --pid "$under_test" --port "$agent_port" --calls "$with"
  exec {lines}<&-
  finish
}

export TWILIO_ACCOUNT_SID=${TWILIO_ACCOUNT_SID:-AC00000000000000000000000000000000}
export TWILIO_AUTH_TOKEN=${TWILIO_AUTH_TOKEN:-00000000000000000000000000000000}

reports=()
for ((round = 1; round <= rounds; ++round)); do
  printf 'Round %d of %d: ours' "$round" "$rounds"
  ours "$round"
  printf ', floor'
  reference floor "$round" "$calls" "$programs/floor_relay"
  printf ', node'
  reference node "$round" "$node_calls" node "$bench/reference/node_bridge.mjs"
  printf '\n'
done

"$programs/switchboard-sim" ratios --floor floor --json "$out/capacity.json" --html "$out/capacity.html" "${reports[@]}"
printf 'All runs: %s/capacity.html, ratios: %s/capacity.json\n' "$out" "$out"
