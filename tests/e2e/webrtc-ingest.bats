#!/usr/bin/env bats
# webrtc-ingest as a whole, with aiortc as the page: what comes, what goes on, and what is said back.
load ../support/common

bats_require_minimum_version 1.5.0

DATA=$FP_ROOT/tests/data/detect

setup() {
  set_up
  [ -x "$FP_BIN/webrtc-ingest" ] || skip "webrtc-ingest was not built"
  "$PYTHON" -c 'import aiortc, PIL, websockets' 2>/dev/null || skip "python3-aiortc is not here"
}
teardown() { clean_up; }

# ingest [ARG...]: in the background, as `ingest`; URL and WS are its addresses.
ingest() {
  start ingest webrtc-ingest --listen 127.0.0.1:0 "$@"
  find_ws
}
find_ws() {
  find_url ingest
  WS=ws${URL#http}/ws
}
sender() { timeout 90 "$PYTHON" "$SUPPORT/webrtc_sender.py" "$@"; }
# send NAME [ARG...]: to the end; what it printed is in NAME.json.
send() { sender "$WS" "${@:2}" >"$1.json" || fails "$(tail -n 5 "$1.json")"; }
words() { "$PYTHON" "$SUPPORT/websocket_words.py" "$WS" "$@"; }
# of NAME TYPE FILTER: of the messages of this type.
of() { jq -r "select(.type == \"$2\") | $3" "$1.json"; }
# holds NAME FILTER: of all the messages in a list.
holds() { jq -se "$2" "$1.json" >/dev/null || fails "$2" "$(cat "$1.json")"; }
size_in_pixels() { "$PYTHON" -c 'import sys; from PIL import Image; print(*Image.open(sys.argv[1]).size)' "$1"; }
metric() { get "$URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
# Pictures that are all different, in a folder in their order.
folder_of_pictures() {
  local i
  mkdir pictures
  make_pictures "$1"
  for ((i = 1; i <= $1; i++)); do mv "p$i.jpg" "pictures/$(printf %03d "$i").jpg"; done
}
# A child in a few lines of Python that writes a line for each frame; "$@" are lines of its body before that.
python_child() {
  {
    cat <<'END'
import json, os, signal, sys, time
while line := sys.stdin.buffer.readline():
    if not line.startswith(b"--"):
        continue
    header = dict(l.decode().split(": ", 1) for l in iter(lambda: sys.stdin.buffer.readline().strip(), b""))
    picture = sys.stdin.buffer.read(int(header["Content-Length"]))
    number = int(header["X-Sequence"])
END
    printf '    %s\n' "$@"
    echo '    print(json.dumps({"sequence": number, "bytes": len(picture), "camera": header["X-Camera"]}), flush=True)'
  } >child.py
  CHILD="exec $PYTHON child.py"
}

@test "pictures come whole, under their numbers, in order, and the page is told of each" {
  folder_of_pictures 25
  ingest -o out.mjpeg
  send page --frames pictures --count 25 --first 100 --fps 8 --name 'tablet 3'
  equals "$(of page received .frame | tr '\n' ' ')" "$(seq -s ' ' 100 124) "
  holds page 'all(.[] | select(.type == "received"); .T_receive >= .T_start - 1 and .T_start > 1e12)'
  kill -TERM "$(pid_of ingest)"
  ends ingest
  # The output is live, so that one may be missing on a busy machine; what is there is as it was sent.
  frames list out.mjpeg >got
  at_least "$(wc -l <got)" 20
  equals "$(cut -d ' ' -f 4 got | sort -u)" tablet-3
  of page sent '"\(.sha1) \(.bytes) \(.frame)"' >sent.txt
  equals "$(cut -d ' ' -f 1-3 got | grep -cvxFf sent.txt)" 0
  equals "$(cut -d ' ' -f 3 got)" "$(cut -d ' ' -f 3 got | sort -n)"
}

@test "PNGs become JPEGs, and pictures without a header have numbers of ours" {
  ingest -o out.mjpeg
  send png --png --size 64x48 --count 5 --fps 5
  send whole --whole --count 5 --fps 5
  equals "$(of whole received .frame | tr '\n' ' ')" '1 2 3 4 5 '
  holds whole 'all(.[] | select(.type == "received"); .T_start == null)'
  eventually has_frames out.mjpeg 6
  frames split out.mjpeg out
  equals "$(size_in_pixels out1.jpg)" '64 48'
}

@test "a track of video becomes JPEGs" {
  ingest -o out.mjpeg --mode track
  equals "$(get "$URL/api/config" | jq -r .mode)" track
  send vp8 --mode track --codec vp8 --size 320x240 --expect 5
  send h264 --mode track --codec h264 --size 320x240 --expect 5
  eventually has_frames out.mjpeg 6
  frames split out.mjpeg out
  equals "$(size_in_pixels out1.jpg)" '320 240'
}

@test "what a child writes comes back with the four times of its frame" {
  python_child
  ingest --exec "$CHILD"
  equals "$(get "$URL/api/config" | jq -r .exec)" true
  send page --count 15 --expect 5 --name yard
  holds page '[.[] | select(.type == "result")] | length >= 5 and
    all(.frame == .result.sequence and .T_inference >= .T_receive and .T_start > 1e12 and .result.camera == "yard")'
  holds page 'any(.type == "child" and .state == "ready")'
  # The sizes are those of the pictures that have these numbers.
  of page result '"\(.frame) \(.result.bytes)"' >results
  of page sent '"\(.frame) \(.bytes)"' >sent.txt
  equals "$(grep -cvxFf sent.txt results)" 0
  eventually metric_is framepipe_ingest_sessions 0
  at_least "$(metric framepipe_ingest_results_total)" 5
  at_least "$(metric framepipe_ingest_total_seconds_count)" 1
  at_least "$(metric framepipe_ingest_processing_seconds_count)" 5
  says ingest '(yard) from 127.0.0.1 has ended after'
  says ingest 'transfer'
}

@test "a page of simple-peer gets its answer and its results, and nothing else" {
  python_child
  ingest --exec "$CHILD"
  send page --simple-peer --count 10 --expect 3
  equals "$(jq -r 'select(.type != "sent") | .type' page.json | sort -u | tr '\n' ' ')" 'answer result '
}

@test "frame-detect says what moves, and which gesture was made" {
  [ -x "$FP_BIN/frame-detect" ] || skip "frame-detect was not built"
  ingest --exec 'frame-detect --detector motion -o none --json -'
  send motion --count 20 --expect 3
  holds motion 'all(.[] | select(.type == "result"); .frame == .result.sequence and .result.model == "motion")'
  kill -TERM "$(pid_of ingest)"
  ends ingest
  rm ingest.err  # or the next one's address is looked for in it
  printf '%s\n' none swipe-left swipe-right swipe-up swipe-down >labels.txt
  mkdir swipe
  "$PYTHON" - "$DATA/swipe-left.mjpeg" <<'END'
import sys
for number, picture in enumerate(open(sys.argv[1], "rb").read().split(b"\xff\xd9")[:-1]):
    open(f"swipe/{number:02}.jpg", "wb").write(picture + b"\xff\xd9")
END
  ingest --exec "frame-detect --model $DATA/gesture_30x64x64.onnx --labels labels.txt --layout sequence --window 2s"
  send swipe --frames swipe --fps 15 --count 400 --expect 3
  holds swipe 'any(.type == "result" and .result.objects[0].label == "swipe-left")'
  holds swipe 'all(.[] | select(.type == "result"); .frame == .result.sequence and .result.objects[0].t_end > 1e9)'
}

@test "a child that dies is told of to its page alone, which gets another one" {
  python_child 'if number == 105: sys.exit(3)'
  ingest --exec "$CHILD"
  start other "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 400 --expect 40
  send page --first 100 --count 200 --expect 20
  holds page 'any(.type == "child" and .state == "ended" and .error == "exit code 3")'
  holds page 'any(.type == "child" and .state == "restarted")'
  holds page 'any(.type == "result" and .frame > 105)'
  ends other
  equals "$(jq -r 'select(.type == "child") | .state' other.out)" ready
  says ingest 'has lost its child: exit code 3; it gets another one'
  equals "$(metric framepipe_ingest_children_ended_total)" 1
}

@test "a child that hangs is ended, and its page gets another one while others go on" {
  python_child 'if number == 105: os.kill(os.getpid(), signal.SIGSTOP)'
  ingest --exec "$CHILD" --exec-timeout 3s
  start other "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 400 --expect 60
  send page --first 100 --count 400 --expect 20
  holds page 'any(.type == "child" and .state == "hung" and .error == "it has not read its input for 3 s")'
  holds page 'any(.type == "result" and .frame > 105)'
  ends other
  equals "$(jq -r 'select(.type == "child") | .state' other.out)" ready
  equals "$(metric framepipe_ingest_children_hung_total)" 1
}

children_are() { [ "$(pgrep -c -P "$(pid_of ingest)")" = "$1" ]; }

@test "children are warm before a page comes, and those of pages that have gone are ended" {
  python_child
  ingest --exec "$CHILD" --warm 2
  eventually children_are 2
  start page "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 1000 --expect 1000
  eventually printed page '"result"'
  eventually children_are 3
  equals "$(state .children.warm)" 2
  equals "$(state '.sessions[0].child')" ready
  kill -KILL "$(pid_of page)"
  rm page.pid
  eventually children_are 2
  local warm
  warm=$(pgrep -P "$(pid_of ingest)")
  kill -TERM "$(pid_of ingest)"
  ends ingest
  # shellcheck disable=SC2086 # a list
  for pid in $warm; do gone "$pid" || fails "child $pid lives on"; done
}

@test "a command that cannot be run is told of once, and health fails" {
  ingest --exec 'exec /nowhere/program'
  eventually says ingest 'a child that nobody uses yet has ended: exit code 127; starting it again'
  answers 503 "$URL/healthz"
  contains "$(get "$URL/healthz")" 'exit code 127'
  equals "$(grep -c 'exit code 127' ingest.err)" 1
}

@test "a filter that writes frames is told that lines are wanted" {
  ingest --exec 'exec cat'
  start page "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 1000 --expect 1000
  eventually says ingest 'it writes frames to standard output, where lines of JSON are wanted'
}

@test "two pages at once are two cameras" {
  ingest -o out.mjpeg
  start one "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 20 --name one --fps 8
  send two --count 20 --first 500 --name two --fps 8
  ends one
  equals "$(frames list out.mjpeg | cut -d ' ' -f 4 | sort -u | tr '\n' ' ')" 'one two '
  equals "$(frames list out.mjpeg | awk '$4 == "one" && $3 >= 500' | wc -l)" 0
}

shows_one_of() { get "$URL/snapshot" | sha1sum | cut -d ' ' -f 1 | grep -qxFf "$1"; }

@test "mjpeg-serve behind it shows what a page sends" {
  mkfifo pipe
  start serve mjpeg-serve --listen 127.0.0.1:0 -i pipe
  ingest -o pipe
  send page --count 10 --fps 8
  find_url serve
  of page sent .sha1 >sent.txt
  eventually shows_one_of sent.txt
}

@test "when nobody reads standard output any more it ends" {
  # shellcheck disable=SC2016
  start ingest bash -c 'webrtc-ingest --listen 127.0.0.1:0 | head -c 1; exit ${PIPESTATUS[0]}'
  find_ws
  start page "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 1000 --expect 1000
  ends ingest
}

@test "one page too many is told so" {
  ingest -o none --max-sessions 2 --max-sessions-per-address 1
  start page "$PYTHON" "$SUPPORT/webrtc_sender.py" "$WS" --count 1000 --expect 1000
  eventually printed page '"received"'
  run -0 words
  contains "$output" 'no further session of your address: 1 is the most at a time (--max-sessions-per-address)'
  contains "$output" 'closed 1013'
  equals "$(metric framepipe_ingest_sessions_refused_total)" 1
  kill -KILL "$(pid_of page)"
  rm page.pid
  eventually metric_is framepipe_ingest_sessions 0
}

@test "messages of strangers are answered with what is wrong, and a page after them is served" {
  ingest -o none
  run -0 words '' '{' '[]' '"x"' 'null' '{"type":"dance"}' '{"type":["offer"]}' '{"type":"offer"}' '{"type":"offer","sdp":"x"}' \
    '{"type":"offer","sdp":"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"}' '{"type":"answer","sdp":"v=0\r\n"}' \
    '{"type":"times","frame":1e99,"T_end":1e308}' '{"type":"hello","name":["x"]}' '{"type":"ice-candidate","candidate":"candidate:x"}' \
    '{"type":"ping","t":1}'
  contains "$output" '"pong"'
  contains "$output" 'there is no message of type \"dance\" here'
  contains "$output" 'offer: '
  lacks "$output" closed
  run -0 words --deep 100000 --large 100000
  run -0 words --binary '{}'
  contains "$output" 'closed 1003'
  run -0 words --offers 12
  contains "$output" 'closed 1008'
  send junk --junk 5 --count 10 --expect 8
  equals "$(of junk received .frame | head -n 3 | tr '\n' ' ')" '1 2 3 '
  alive "$(pid_of ingest)"
}

@test "damaged pictures are counted and told of, and those around them pass" {
  mkdir pictures
  make_pictures 2
  cp p1.jpg pictures/1.jpg
  head -c 900 p2.jpg >pictures/2.jpg
  ingest -o none
  send page --frames pictures --count 8 --expect 4 --fps 8
  equals "$(of page received .frame | tr '\n' ' ')" '1 3 5 7 '
  holds page 'any(.type == "damaged" and .frame == 2 and (.error | startswith("cut off")))'
  at_least "$(metric framepipe_ingest_damaged_total)" 3
}

@test "pages, figures and refusals over HTTP" {
  ingest -o none --stun 127.0.0.1:3478
  equals "$(head_value Content-Type "$URL/")" 'text/html; charset=utf-8'
  contains "$(head_value Content-Security-Policy "$URL/")" "default-src 'self'"
  # Every module that the page asks for is there.
  local module
  for module in $(cd "$FP_ROOT/web/webrtc-ingest" && ls); do
    [ "$module" = index.html ] || equals "$(status_of "$URL/assets/webrtc-ingest/$module")" 200
  done
  sed -n "s/.*from '\.\.\/\(.*\)';/\1/p" "$FP_ROOT"/web/webrtc-ingest/*.js | sort -u | while read -r module; do
    equals "$(status_of "$URL/assets/$module")" 200
  done
  equals "$(get "$URL/api/config" | jq -c '[.mode, .exec, .ice_servers]')" '["data",false,[{"urls":"stun:127.0.0.1:3478"}]]'
  equals "$(get "$URL/healthz" | jq -r .status)" ok
  equals "$(state .server.sessions)" 0
  equals "$(status_of "$URL/nothing")" 404
  equals "$(status_of -X POST "$URL/state")" 405
  equals "$(status_of -H 'Host: evil.example' "$URL/state")" 421
  equals "$(status_of "$URL/ws")" 426
  equals "$(status_of -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
    -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Origin: https://evil.example' "$URL/ws")" 403
}

@test "by TLS a page sends, too" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
  start ingest webrtc-ingest --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem -o none
  eventually grep -q 'https://127.0.0.1' ingest.err
  local secure
  secure=wss$(sed -n 's,.*https\(://127\.0\.0\.1:[0-9]*\)/.*,\1,p' ingest.err | head -n 1)/ws
  sender "$secure" --ca cert.pem --count 5 >page.json || fails "$(tail -n 5 page.json)"
}

@test "in the clear for other machines it says what browsers will miss" {
  start ingest webrtc-ingest --listen 0.0.0.0:0 -o none
  eventually says ingest 'browsers open no camera for a page without https'
  says ingest 'anybody who can reach it can send pictures'
}
