#!/usr/bin/env bats
# Mutated offers, candidates and messages by the hundred. `make test` runs these once more with the address sanitizer, which
# ends a program that leaks with another code.

bats_require_minimum_version 1.5.0
load ../support/common

COUNT=${FP_HOSTILE_COUNT:-300}
SEED=${FP_HOSTILE_SEED:-7}

setup() {
  set_up
  "$PYTHON" -c 'import aiortc, websockets' 2>/dev/null || skip "python3-aiortc is not here"
  # What GLib keeps on purpose is told by the whole stack, and by names.
  export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}fast_unwind_on_malloc=0
  export LSAN_OPTIONS=suppressions=$SUPPORT/lsan.supp:print_suppressions=0
  ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer)
  export ASAN_SYMBOLIZER_PATH
}
teardown() { clean_up; }

# mutate URL KIND: some seconds for each hundred, and many more where a sanitizer is in the program.
mutate() {
  timeout $((60 + COUNT)) "$PYTHON" "$SUPPORT/webrtc_mutate.py" "$1" --kind "$2" --count "$COUNT" --seed "$SEED" >mutate.json ||
    fails "$(cat mutate.json)"
  at_least "$(jq .sent mutate.json)" "$COUNT"
  at_least "$(jq .good mutate.json)" 2
}
metric() { get "$URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
# The encoder keeps its own.
no_pipelines() { [ "$(metric framepipe_webrtc_pipelines)" -le 1 ]; }
# ends_well NAME: by SIGTERM, with nothing that a sanitizer has to say.
ends_well() {
  kill -TERM "$(pid_of "$1")"
  ends "$1"
  run -1 grep -E 'ERROR: |runtime error:|CRITICAL' "$1.err"
}

@test "a hostile peer's offers by WHEP do not keep a good one from its video" {
  start serve webrtc-serve --listen 127.0.0.1:0 --input 'exec:camgrab test --size 160x120 --fps 10'
  find_url serve
  mutate "$URL/whep" whep
  eventually metric_is framepipe_webrtc_sessions 0
  eventually no_pipelines
  ends_well serve
}

@test "a hostile peer's messages to webrtc-serve do not keep a good one from its video" {
  start serve webrtc-serve --listen 127.0.0.1:0 --input 'exec:camgrab test --size 160x120 --fps 10'
  find_url serve
  mutate "ws${URL#http}/api/webrtc/ws" ws
  eventually metric_is framepipe_webrtc_sessions 0
  eventually no_pipelines
  ends_well serve
}

@test "a hostile peer's messages to webrtc-ingest do not keep a good page from its session" {
  start ingest webrtc-ingest --listen 127.0.0.1:0 -o none
  find_url ingest
  mutate "ws${URL#http}/ws" ingest
  eventually metric_is framepipe_ingest_sessions 0
  ends_well ingest
}
