#!/usr/bin/env bats
# mjpeg-relay: upstreams over HTTP, to standard output and to viewers of its own.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# The upstream: a server `up` at UP with the camera `cam`, which shows what is written to descriptor 7.
upstream() {
  fifo_camera 7 cam.fifo
  serve_as up --camera cam=cam.fifo --stale 0s "$@"
  UP=$URL
}
# The relay: a server `relay` at URL.
relay() {
  start relay mjpeg-relay --listen 127.0.0.1:0 "$@"
  find_url relay
}
up_state() { get "$UP/state" | jq -r "$1"; }
up_is() { [ "$(up_state "$1")" = "$2" ]; }
sends() { part "$@" >&7; }
test_upstream() {
  serve_as up --camera "cam=exec:camgrab test --fps 20 --size 160x120"
  UP=$URL
  eventually up_is '.cameras[0].status' live
}
# Starts the upstream again on the port that it had, which another program may have got for a moment.
same_upstream_again() { eventually up_again; }
up_again() {
  [ ! -e "$T/up.pid" ] || gone "$(pid_of up)" &&
    start up mjpeg-serve --listen "${UP#http://}" --camera "cam=exec:camgrab test --fps 20 --size 160x120"
  up_is '.cameras[0].status' live
}
kill_up() {
  local pid
  pid=$(pid_of up)
  kill -KILL -- "-$pid"
  eventually gone "$pid"
}

# --- to standard output

@test "mjpeg-relay writes the frames of a URL with their headers" {
  upstream
  sends p1.jpg 'X-Sequence: 41' 'X-Timestamp: 1763688000.500000' 'X-Camera: cam' 'X-Trace: camgrab=1.0' 'X-Other: kept'
  eventually shows p1.jpg
  mjpeg-relay -q "$UP/stream" --frames 1 >out
  equals "$(frames list out | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
  local head
  head=$(frames headers out)
  contains "$head" '"x-sequence": "41"'
  contains "$head" '"x-timestamp": "1763688000.500000"'
  contains "$head" '"x-trace": "camgrab=1.0"'
  contains "$head" '"x-other": "kept"'
  contains "$head" '"x-camera": "cam"'
}

@test "mjpeg-relay names its frames when the upstream has a name" {
  upstream
  sends p1.jpg
  mjpeg-relay -q "door=$UP/stream" --frames 1 >out
  contains "$(frames headers out)" '"x-camera": "door"'
}

@test "mjpeg-relay never re-encodes: each JPEG is the same at both ends of a chain" {
  upstream
  start first mjpeg-relay --listen 127.0.0.1:0 --always "$UP/stream"
  find_url first
  local first=$URL
  start second mjpeg-relay --listen 127.0.0.1:0 --always "$first/mjpeg"
  find_url second
  watch viewer /video
  local i
  for i in 1 2 3 4; do
    sends "p$i.jpg" "X-Sequence: $i"
    eventually has_picture viewer.out "p$i.jpg"
  done
  equals "$(frames list viewer.out | awk '$5 == "-" || $5 == "live" { print $1 }' | uniq)" "$(for i in 1 2 3 4; do sum_of "p$i.jpg"; done)"
}

@test "with --trace each relay of a chain notes when it had the frame" {
  upstream --trace
  sends p1.jpg 'X-Trace: camgrab=1.0'
  relay --trace --always "$UP/stream"
  eventually shows p1.jpg
  mjpeg-relay -q --trace "$URL/stream" --frames 1 >out
  matches "$(frames headers out)" 'camgrab=1.0;mjpeg-serve=[0-9./]*;mjpeg-relay=[0-9./]*;mjpeg-relay=[0-9./]*'
}

@test "mjpeg-relay holds the last frame while its upstream is away, and goes on when it is back" {
  test_upstream
  start relay mjpeg-relay "$UP/stream"
  eventually has_frames relay.out 3
  kill_up
  eventually grep -qa 'X-Signal: held' relay.out
  same_upstream_again
  local before
  before=$(frames list relay.out | awk '$5 == "-"' | wc -l)
  eventually has_live relay.out $((before + 3))
}
has_live() { [ "$(frames list "$1" | awk '$5 == "-" || $5 == "live"' | wc -l)" -ge "$2" ]; }

@test "with --no-signal card it writes a card that says why, with none nothing" {
  start carded mjpeg-relay --no-signal card "http://127.0.0.1:1/"
  start silent mjpeg-relay --no-signal none "http://127.0.0.1:1/"
  eventually grep -qa 'X-Signal: card' carded.out
  equals "$(size_of silent.out)" 0
}

@test "an upstream that sends nothing for --timeout is asked again" {
  upstream
  sends p1.jpg
  start relay mjpeg-relay --timeout 300ms "$UP/stream"
  eventually says relay 'no frame for'
  eventually up_is '.connections.accepted >= 4' true
}

@test "frames out of a network obey no order of it" {
  upstream
  sends p1.jpg 'X-Gate: open' 'X-Overlay: skeleton=1' 'X-Fine: yes'
  mjpeg-relay -q "$UP/stream" --frames 1 >out
  lacks "$(frames headers out)" x-gate
  lacks "$(frames headers out)" x-overlay
  contains "$(frames headers out)" x-fine
}

# --- to viewers

@test "with --listen it connects only while somebody watches, and once for all" {
  test_upstream
  relay --idle 300ms "$UP/stream"
  equals "$(up_state '.viewers | length')" 0
  local i
  for i in 1 2 3 4 5; do watch "viewer$i" /stream; done
  for i in 1 2 3 4 5; do eventually has_frames "viewer$i.out" 2; done
  equals "$(up_state '.viewers | length')" 1
  for i in 1 2 3 4 5; do kill "$(pid_of "viewer$i")"; done
  eventually up_is '.viewers | length' 0
}

@test "with --always it is connected before anybody watches" {
  test_upstream
  relay --always "$UP/stream"
  eventually up_is '.viewers | length' 1
}

@test "the first thing that the viewer of a sleeping relay gets is a picture" {
  upstream
  sends p2.jpg
  relay "$UP/stream"
  watch viewer /stream
  eventually has_frames viewer.out 1
  equals "$(frames list viewer.out | head -n 1 | cut -d ' ' -f 1)" "$(sum_of p2.jpg)"
}

@test "a snapshot wakes a sleeping relay" {
  upstream
  sends p2.jpg
  relay "$UP/stream"
  eventually shows p2.jpg
}

@test "viewers stay while the upstream is away, see that its picture is held, and then the new ones" {
  test_upstream
  relay "$UP/stream"
  watch viewer /stream
  eventually has_frames viewer.out 3
  kill_up
  eventually grep -qa 'X-Signal: held' viewer.out
  same_upstream_again
  local before
  before=$(frames list viewer.out | awk '$5 == "-"' | wc -l)
  eventually has_live viewer.out $((before + 3))
  alive "$(pid_of viewer)"
}

@test "several upstreams are cameras by their names" {
  test_upstream
  relay "door=$UP/stream" "yard=$UP/stream/cam"
  equals "$(get "$URL/api/camera/cameras" | jq -c .)" '{"cameras":["door","yard"]}'
  watch viewer /stream/yard
  eventually grep -qa 'X-Camera: yard' viewer.out
  equals "$(up_state '.viewers | length')" 1
}

@test "a relayed camera can be stopped, which closes the connection, and started" {
  test_upstream
  relay "$UP/stream"
  watch viewer /stream
  eventually up_is '.viewers | length' 1
  get -X POST "$URL/api/camera/stop" >/dev/null
  eventually up_is '.viewers | length' 0
  eventually grep -qa 'X-Signal: card' viewer.out
  get -X POST "$URL/api/camera/start" >/dev/null
  eventually up_is '.viewers | length' 1
}

@test "a relay has the page, and an <img> gets the browsers' framing" {
  test_upstream
  relay "$UP/stream"
  contains "$(get "$URL/")" '<html'
  watch viewer /video -H 'Accept: image/*'
  eventually grep -qa 'Content-Type: image/jpeg' viewer.out
  lacks "$(head -c 2000 viewer.out | tr -d '\0')" Content-Length
}

# --- passwords

@test "a password comes from a file, by the camera's name, and shows nowhere" {
  start cam "$PYTHON" "$SUPPORT/basic_auth.py" me s3cr3t
  eventually test -s cam.out
  echo 'door=me:s3cr3t' >secret
  start relay mjpeg-relay --listen 127.0.0.1:0 --always --credentials secret "door=http://127.0.0.1:$(cat cam.out)/p1.jpg"
  find_url relay
  eventually shows p1.jpg
  run -1 grep -r s3cr3t relay.err "/proc/$(pid_of relay)/cmdline"
  lacks "$(get "$URL/state")" s3cr3t
}

@test "a password in the URL shows neither in messages nor in the list of processes" {
  start cam "$PYTHON" "$SUPPORT/basic_auth.py" me s3cr3t
  eventually test -s cam.out
  start relay mjpeg-relay --listen 127.0.0.1:0 --always "http://me:s3cr3t@127.0.0.1:$(cat cam.out)/p1.jpg"
  find_url relay
  eventually shows p1.jpg
  kill "$(pid_of cam)"
  eventually says relay 'trying again'
  run -1 grep -r s3cr3t relay.err "/proc/$(pid_of relay)/cmdline"
}

# --- mistakes

@test "mjpeg-relay says what is wrong with its arguments" {
  run -64 --separate-stderr mjpeg-relay
  contains "$stderr" 'no URL'
  run -64 --separate-stderr mjpeg-relay tcp:pi:9000
  contains "$stderr" 'no http:// or https:// URL'
  run -64 --separate-stderr mjpeg-relay 127.0.0.1:8000/stream
  contains "$stderr" 'write http://127.0.0.1:8000/stream'
  run -66 --separate-stderr mjpeg-relay --ca nosuch.pem https://a/
  contains "$stderr" 'nosuch.pem'
  run -64 --separate-stderr mjpeg-relay http://a/ http://b/
  contains "$stderr" 'two upstreams are called camera'
  run -64 --separate-stderr mjpeg-relay a=http://a/ b=http://b/
  contains "$stderr" '--listen'
  run -64 --separate-stderr mjpeg-relay --listen :0 -o x http://a/
  contains "$stderr" 'do not go together'
  run -66 --separate-stderr mjpeg-relay --credentials nosuch http://a/
  contains "$stderr" 'nosuch'
}
