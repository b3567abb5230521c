#!/usr/bin/env bats
# Both ways through coturn as a relay, with aiortc as the page: the page's own relay, and webrtc-ingest's. That of
# webrtc-serve is in examples.bats.

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/coturn

setup() {
  set_up
  "$PYTHON" -c 'import aiortc, websockets' 2>/dev/null || skip "python3-aiortc is not here"
}
teardown() { clean_up; }

peer() { timeout $((2 * FP_DEADLINE_S)) "$PYTHON" "$SUPPORT/webrtc_$1.py" "${@:2}"; }

@test "a viewer that has no address but its relay's watches by WHEP and by WebSocket" {
  coturn
  start server webrtc-serve --listen 127.0.0.1:0 --input 'exec:camgrab test --size 320x240 --fps 15'
  find_url server
  local url
  for url in "$URL/whep" "ws${URL#http}/api/webrtc/ws"; do
    peer viewer "$url" --turn "framepipe:SECRET@$RELAY" --relay-only >got || fails "$(cat got)" "$(tail -n 20 turn.out)"
    equals "$(jq -c '[.frames, .size, .candidates[0]]' got)" '[10,[320,240],"relay"]'
  done
}

@test "a camera that has no address but its relay's is taken, whole and in order" {
  coturn
  start ingest webrtc-ingest --listen 127.0.0.1:0 -o none
  find_url ingest
  peer sender "ws${URL#http}/ws" --turn "framepipe:SECRET@$RELAY" --relay-only --count 10 --fps 8 >page.json || fails "$(cat page.json)"
  equals "$(jq -r 'select(.type == "received") | .frame' page.json | tr '\n' ' ')" '1 2 3 4 5 6 7 8 9 10 '
}

@test "webrtc-ingest takes pictures through its relay, and tells a page no address of its own" {
  coturn
  echo framepipe:SECRET >turn.secret
  start ingest webrtc-ingest --listen 127.0.0.1:0 -o none --turn "$RELAY" --turn-credentials turn.secret --relay-only
  find_url ingest
  peer sender "ws${URL#http}/ws" --count 10 --fps 8 >page.json || fails "$(cat page.json)"
  equals "$(jq -r 'select(.type == "received") | .frame' page.json | tr '\n' ' ')" '1 2 3 4 5 6 7 8 9 10 '
  jq -r 'select(.type == "answer") | .sdp' page.json | grep '^a=candidate' >candidates
  at_least "$(wc -l <candidates)" 1
  equals "$(grep -c -v ' typ relay ' candidates)" 0
}
