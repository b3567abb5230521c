#!/usr/bin/env bats
# webrtc-serve: WHEP, the WebSocket, the settings, and video that a second implementation (aiortc) decodes.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

OFFER=$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp
DATA_OFFER=$FP_ROOT/tests/data/rtc/chromium-data.sdp
SDP=(-H 'Content-Type: application/sdp')
FRAGMENT=(-H 'Content-Type: application/trickle-ice-sdpfrag')
OTHER=(-H 'Origin: https://other.example')

# webrtc [ARG...]: a server without a camera of its own in its arguments shows a test card.
webrtc() {
  local input=(--input 'exec:camgrab test --size 320x240 --fps 15')
  [[ " $* " == *' --input '* ]] && input=()
  start server webrtc-serve --listen 127.0.0.1:0 "${input[@]}" "$@"
  find_url server
  WS=ws${URL#http}/api/webrtc/ws
}
# one_picture COLOUR [ARG...]: a server whose camera shows what is written to descriptor 7.
from_fifo() {
  fifo_camera 7 cam.fifo
  webrtc --input cam.fifo "$@"
}
whep() { get "${SDP[@]}" --data-binary "@$OFFER" "$URL/whep" "$@"; }
whep_status() { status_of "${SDP[@]}" --data-binary "@$OFFER" "$URL/whep" "$@"; }
# Begins a session that nobody connects, and gives its address.
whep_session() { echo "$URL$(whep -D - -o /dev/null | tr -d '\r' | awk 'tolower($1) == "location:" { print $2 }')"; }
settings() { get "$URL/api/webrtc/settings" | jq -c "$1"; }
change() { get -X POST -d "$1" "$URL/api/webrtc/settings" "${@:2}"; }
metric() { get "$URL/metrics" | awk -v name="framepipe_webrtc_$1" '$1 == name { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
metric_above() { [ "$(metric "$1")" -gt "$2" ]; }
words() { timeout $((FP_DEADLINE_S + 30)) "$PYTHON" "$SUPPORT/webrtc_words.py" "$@"; }
# viewer URL [ARG...]: JSON of what it saw.
viewer() { timeout $((2 * FP_DEADLINE_S)) "$PYTHON" "$SUPPORT/webrtc_viewer.py" "$@"; }
# A viewer in the background that stays.
staying() { start "$1" "$PYTHON" "$SUPPORT/webrtc_viewer.py" "$WS" --frames 1000000 --timeout 1000 "${@:2}"; }

# --- pages

@test "webrtc-serve gives its page, and every module that it names" {
  webrtc
  contains "$(head_value content-security-policy "$URL/")" "default-src 'self'"
  get "$URL/" | grep -o 'assets/[a-zA-Z0-9._/-]*' | sort -u >todo
  at_least "$(wc -l <todo)" 3
  : >seen
  while [ -s todo ]; do
    local path
    path=$(head -n 1 todo)
    sed -i 1d todo
    grep -qxF "$path" seen && continue
    echo "$path" >>seen
    equals "$path $(status_of "$URL/$path")" "$path 200"
    [[ $path == *.js ]] || continue
    get "$URL/$path" | sed -nE "s/^.*from '([^']*)';\$/\\1/p" | while read -r name; do
      realpath -m --relative-to=/ "/$(dirname "$path")/$name"
    done >>todo
  done
  at_least "$(wc -l <seen)" 8
}

@test "webrtc-serve answers 404 where nothing is, 405 to what is not possible, and 421 to a name that is not its own" {
  webrtc
  equals "$(status_of "$URL/nosuch")" 404
  equals "$(status_of "$URL/whepper")" 404
  equals "$(status_of "$URL/whep")" 405
  equals "$(head_value allow "$URL/whep")" 'POST, OPTIONS'
  equals "$(status_of -X PUT "$URL/state")" 405
  equals "$(status_of -H 'Host: evil.example' "$URL/whep" -d x)" 421
  equals "$(status_of "$URL/api/webrtc/ws")" 426
}

# --- WHEP

@test "webrtc-serve answers an offer by WHEP with a session, which DELETE ends" {
  webrtc
  whep -D head.txt >answer.sdp
  tr -d '\r' <head.txt >answer.head
  contains "$(cat answer.head)" 'HTTP/1.1 201'
  contains "$(cat answer.head)" 'Content-Type: application/sdp'
  contains "$(cat answer.head)" 'Accept-Patch: application/trickle-ice-sdpfrag'
  matches "$(cat answer.head)" 'ETag: "[0-9a-f]+"'
  matches "$(cat answer.head)" 'Location: /whep/[0-9a-f]{32}'
  contains "$(cat answer.sdp)" 'a=sendonly'
  contains "$(cat answer.sdp)" 'typ host'
  local session
  session=$URL$(awk '$1 == "Location:" { print $2 }' answer.head)
  equals "$(metric sessions)" 1
  equals "$(state '.viewers[0].kind')" whep
  equals "$(status_of -X DELETE "$session")" 200
  equals "$(metric sessions)" 0
  equals "$(metric 'viewers_gone_total{reason="left"}')" 1
  equals "$(status_of -X DELETE "$session")" 404
}

@test "webrtc-serve says what is wrong with an offer" {
  webrtc
  equals "$(status_of -d @"$OFFER" "$URL/whep")" 415
  equals "$(whep_status -H 'Accept: text/html')" 406
  equals "$(status_of "${SDP[@]}" -d junk "$URL/whep")" 400
  equals "$(get "${SDP[@]}" -d junk "$URL/whep" | jq -r '.error | type')" string
  contains "$(get "${SDP[@]}" --data-binary "@$DATA_OFFER" "$URL/whep" | jq -r .error)" \
    "addTransceiver('video', {direction: 'recvonly'})"
  contains "$(sed -E '/VP8/d' "$OFFER" | get "${SDP[@]}" --data-binary @- "$URL/whep" | jq -r .error)" VP8
  head -c 70000 /dev/zero | tr '\0' a >large
  equals "$(status_of "${SDP[@]}" --data-binary @large "$URL/whep")" 413
  equals "$(metric 'refused_total{reason="offer"}')" 4
  equals "$(metric sessions)" 0
  equals "$(whep_status)" 201
}

@test "webrtc-serve takes candidates by PATCH, and begins no session anew" {
  webrtc
  local session
  session=$(whep_session)
  printf 'a=mid:0\r\na=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\na=end-of-candidates\r\n' >fragment
  equals "$(status_of -X PATCH "${FRAGMENT[@]}" --data-binary @fragment "$session")" 204
  head -c 60000 /dev/urandom >junk
  equals "$(status_of -X PATCH "${FRAGMENT[@]}" --data-binary @junk "$session")" 204
  equals "$(status_of -X PATCH "${SDP[@]}" --data-binary @fragment "$session")" 415
  equals "$(status_of -X PATCH "${FRAGMENT[@]}" -H 'If-Match: "else"' --data-binary @fragment "$session")" 412
  equals "$(status_of -X PATCH "${FRAGMENT[@]}" -H 'If-Match: *' --data-binary @fragment "$session")" 422
  equals "$(status_of -X PATCH "${FRAGMENT[@]}" --data-binary @fragment "$URL/whep/0123")" 404
  equals "$(status_of "$session")" 405
  equals "$(metric sessions)" 1
}

@test "webrtc-serve lets no page of another origin watch, but those that it was told" {
  webrtc --allow-origin https://page.example
  local page=(-H 'Origin: https://page.example')
  equals "$(whep_status "${OTHER[@]}")" 403
  equals "$(words --origin https://other.example "$WS" 1)" 'status 403'
  equals "$(whep_status "${page[@]}")" 201
  contains "$(words --origin https://page.example "$WS" 1 '{"type":"ping","t":1}')" pong
  local asked=(-X OPTIONS "${page[@]}" -H 'Access-Control-Request-Method: POST' "$URL/whep")
  equals "$(head_value access-control-allow-origin "${asked[@]}")" https://page.example
  contains "$(head_value access-control-allow-methods "${asked[@]}")" POST
  contains "$(head_value access-control-allow-headers "${asked[@]}")" Content-Type
  equals "$(head_value accept-post "${asked[@]}")" application/sdp
  contains "$(head_value access-control-expose-headers "${page[@]}" "$URL/state")" Location
}

@test "webrtc-serve lets any page watch with --allow-origin '*', and none change anything" {
  webrtc --allow-origin '*'
  equals "$(whep_status "${OTHER[@]}")" 201
  contains "$(words --origin https://other.example "$WS" 1 '{"type":"ping","t":1}')" pong
  equals "$(status_of -X POST "${OTHER[@]}" -d '{"bitrate_kbps":800}' "$URL/api/webrtc/settings")" 403
  equals "$(settings .bitrate_kbps)" 1500
}

@test "webrtc-serve turns away viewers over its limits, and takes them when one has gone" {
  webrtc --max-viewers 2
  local session
  session=$(whep_session)
  equals "$(whep_status)" 201
  equals "$(whep_status)" 503
  equals "$(head_value retry-after "${SDP[@]}" --data-binary "@$OFFER" "$URL/whep")" 5
  contains "$(words "$WS" 1 "$(jq -Rsc '{type: "offer", sdp: .}' "$OFFER")")" --max-viewers
  equals "$(metric 'refused_total{reason="max-viewers"}')" 3
  equals "$(status_of -X DELETE "$session")" 200
  equals "$(whep_status)" 201
}

@test "webrtc-serve limits the viewers of one address where that was asked for" {
  webrtc --max-viewers-per-address 1
  equals "$(whep_status)" 201
  equals "$(whep_status)" 503
  equals "$(metric 'refused_total{reason="max-viewers-per-address"}')" 1
}

@test "webrtc-serve ends a session that never connects" {
  webrtc
  equals "$(whep_status)" 201
  eventually metric_is 'viewers_gone_total{reason="never-connected"}' 1
  equals "$(metric sessions)" 0
  equals "$(metric encodes_total)" 0
  eventually metric_is pipelines 0
}

@test "webrtc-serve offers media on loopback alone when it listens there alone, and on the ports that it was told" {
  webrtc --udp-ports 42000-42099
  whep | grep '^a=candidate' >candidates
  at_least "$(wc -l <candidates)" 1
  # shellcheck disable=SC2016 # awk's own
  run -1 awk '$5 != "127.0.0.1" || $6 < 42000 || $6 > 42099 { found = 1 } END { exit !found }' candidates
}

@test "webrtc-serve tells of a STUN server in Link and settings, and of a relay to nobody" {
  webrtc --stun 127.0.0.1:9 --turn me:secret@127.0.0.1:9
  equals "$(head_value link "${SDP[@]}" --data-binary "@$OFFER" "$URL/whep")" '<stun:127.0.0.1:9>; rel="ice-server"'
  equals "$(settings .ice_servers)" '[{"urls":"stun:127.0.0.1:9"}]'
  lacks "$(get "$URL/state")$(get "$URL/metrics")$(tr '\0' ' ' <"/proc/$(pid_of server)/cmdline")" secret
}

# --- settings and figures

@test "webrtc-serve tells its settings, and changes the bitrate for everybody" {
  webrtc --codec h264 --bitrate 2M --size 160x120 --fps 5
  equals "$(settings .)" '{"codec":"h264","bitrate_kbps":2000,"size":"160x120","fps":5,"viewers":0,"read_only":false,"ice_servers":[]}'
  equals "$(change '{"bitrate_kbps":800}' | jq .bitrate_kbps)" 800
  equals "$(change '{"bitrate":"1.2M"}' | jq .bitrate_kbps)" 1200
  equals "$(settings .bitrate_kbps)" 1200
  local body
  for body in '' '[]' '{}' '{"bitrate_kbps":1}' '{"bitrate_kbps":1e9}' '{"bitrate_kbps":"x"}' '{"bitrate":null}' \
    '{"bitrate_kbps":800,"codec":"vp8"}'; do
    equals "$body $(status_of -X POST -d "$body" "$URL/api/webrtc/settings")" "$body 400"
  done
  equals "$(settings .bitrate_kbps)" 1200
}

@test "webrtc-serve lets nobody change anything with --read-only" {
  webrtc --read-only
  equals "$(status_of -X POST -d '{"bitrate_kbps":800}' "$URL/api/webrtc/settings")" 403
  equals "$(settings '[.bitrate_kbps, .read_only]')" '[1500,true]'
}

@test "webrtc-serve is healthy while its camera has fresh frames" {
  make_pictures 1
  from_fifo --stale 1s
  equals "$(status_of "$URL/healthz")" 503
  part p1.jpg >&7
  eventually answers 200 "$URL/healthz"
  eventually answers 503 "$URL/healthz"
  contains "$(get "$URL/metrics")" 'framepipe_camera_frames_total{camera="camera"} 1'
}

# --- the WebSocket

@test "webrtc-serve answers pings and errors over its WebSocket, and says nothing to simple-peer's own words" {
  webrtc
  words "$WS" 3 '{"renegotiate":true}' '{"transceiverRequest":{"kind":"video"}}' '{"candidate":{"candidate":"","sdpMid":"0"}}' \
    '{"type":"ping","t":12.5}' '{"type":"nosuch"}' 'no JSON' >got
  equals "$(sed -n 1p got | jq -c '[.type, .t, (.server | type)]')" '["pong",12.5,"number"]'
  equals "$(sed -n 2p got | jq -r .type)" error
  contains "$(sed -n 2p got)" nosuch
  equals "$(sed -n 3p got | jq -r .type)" error
  equals "$(words "$WS" 1 '{"type":"answer","sdp":"v=0"}' | jq -r .type)" error
  equals "$(words "$WS" 1 bytes:xyz)" 'closed 1003'
}

@test "webrtc-serve sends figures to a page that asks for them" {
  webrtc
  words "$WS" 2 '{"type":"figures","every_ms":1}' '{"type":"figures","every_ms":250}' >got
  contains "$(sed -n 1p got)" '250 to 10000'
  equals "$(sed -n 2p got)" '{"type":"figures","frames_sent":0,"dropped":0,"bitrate_kbps":1500,"viewers":0,"rtp":null,"captured_ms":null,"sequence":null}'
}

@test "webrtc-serve ends the session of a page that closes its WebSocket, and replaces it at a second offer" {
  webrtc
  local offer
  offer=$(jq -Rsc '{type: "offer", sdp: .}' "$OFFER")
  equals "$(words "$WS" 1 "$offer" "$offer" | jq -r .type)" answer
  eventually metric_is sessions 0
  equals "$(metric 'viewers_gone_total{reason="replaced"}')" 1
  equals "$(metric 'viewers_gone_total{reason="left"}')" 1
}

# --- video

@test "webrtc-serve is watched by WHEP in VP8" {
  webrtc
  viewer "$URL/whep" >got
  equals "$(jq -c '[.frames, .size, .codec]' got)" '[10,[320,240],"vp8"]'
  eventually metric_is viewers 0
  equals "$(metric viewers_total)" 1
}

@test "webrtc-serve is watched by WHEP in H.264" {
  webrtc --codec h264
  viewer "$URL/whep" >got
  equals "$(jq -c '[.frames, .size, .codec]' got)" '[10,[320,240],"h264"]'
}

@test "webrtc-serve is watched by WebSocket in both codecs, and sends no word that was not asked for" {
  webrtc
  equals "$(viewer "$WS" | jq -c '[.frames, .codec, .unknown]')" '[10,"vp8",[]]'
  kill -TERM "$(pid_of server)"
  ends server
  webrtc --codec h264
  equals "$(viewer "$WS" | jq -c '[.frames, .codec, .unknown]')" '[10,"h264",[]]'
}

@test "webrtc-serve tells a viewer that has no codec of its own" {
  webrtc
  contains "$(viewer "$URL/whep" --codec h264 | jq -r .error)" VP8
  contains "$(viewer "$WS" --codec h264 | jq -r .error)" VP8
}

@test "webrtc-serve offers its video to a page whose offer is empty, or of a data channel alone" {
  webrtc
  equals "$(viewer "$WS" --no-mline | jq -c '[.frames, .codec]')" '[10,"vp8"]'
  equals "$(viewer "$WS" --application-only | jq -c '[.frames, .codec]')" '[10,"vp8"]'
}

@test "webrtc-serve encodes once for all who watch, and not at all when nobody does" {
  webrtc
  eventually state_is '.cameras[0].frames > 5' true
  equals "$(metric encodes_total)" 0
  staying first
  eventually metric_is viewers 1
  staying second
  eventually metric_is viewers 2
  eventually state_is '[.viewers[] | .sent > 20] | all' true
  state '[.webrtc.encoder.encoded, ([.viewers[].sent] | add)]' | jq -e '.[0] < .[1]'
  kill -TERM "$(pid_of first)" "$(pid_of second)"
  eventually metric_is viewers 0
  local encoded frames
  encoded=$(metric encodes_total)
  frames=$(state '.cameras[0].frames')
  eventually state_is ".cameras[0].frames > $frames + 10" true
  at_most "$(metric encodes_total)" $((encoded + 1)) # one may have been under way
}

@test "webrtc-serve follows the bitrate at once" {
  webrtc --input 'exec:camgrab test --size 640x480 --fps 30' --codec h264 --bitrate 4000
  staying viewer
  eventually metric_above encodes_total 60
  local bytes=() at before kbps
  for kbps in 4000 60; do
    change "{\"bitrate_kbps\":$kbps}" >settings.json
    at=$(metric encodes_total)
    eventually metric_above encodes_total $((at + 20))
    at=$(metric encodes_total)
    before=$(metric encoded_bytes_total)
    eventually metric_above encodes_total $((at + 60))
    bytes+=("$((($(metric encoded_bytes_total) - before) / 60))") # a picture, or a little more
  done
  echo "${bytes[@]}" >&2
  at_least "${bytes[0]}" $((2 * bytes[1]))
}

@test "webrtc-serve notices a viewer that is killed within 15 seconds" {
  webrtc
  run -137 viewer "$WS" --kill
  run -137 viewer "$URL/whep" --kill
  local began=$SECONDS
  eventually metric_is sessions 0
  at_most $((SECONDS - began)) 15
}

@test "webrtc-serve shows the last picture to who comes while the source pauses" {
  from_fifo --stale 1h
  ffmpeg -v error -f lavfi -i color=red:size=160x128 -frames:v 1 red.jpg
  part red.jpg >&7
  eventually state_is '.cameras[0].frames' 1
  local url
  for url in "$WS" "$URL/whep"; do
    viewer "$url" --frames 1 >got
    jq -e '.size == [160, 128] and .colour[0] > 200 and .colour[1] < 60 and .colour[2] < 60' got
  done
}

@test "webrtc-serve shows a card to who comes before the first picture" {
  from_fifo
  equals "$(viewer "$WS" --frames 1 | jq -c .frames)" 1
  equals "$(state '.cameras[0].frames')" 0
}

@test "webrtc-serve goes on with pictures of another size, and past damaged ones" {
  webrtc --input "exec:camgrab test --size 160x120 --frames 20 --fps 10; printf 'damaged'; camgrab test --size 320x200 --fps 10"
  viewer "$WS" --frames 60 >got
  equals "$(jq -c '[.frames, .size]' got)" '[60,[320,200]]'
}

@test "webrtc-serve fits pictures into --size" {
  webrtc --size 200x100
  equals "$(viewer "$WS" --frames 3 | jq -c .size)" '[200,100]'
}

@test "webrtc-serve speaks TLS, and its WebSocket too" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
  chmod 600 key.pem
  start server webrtc-serve --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem --input test
  eventually grep -q 'https://127.0.0.1:[0-9]*/' server.err
  URL=$(sed -n 's,.*\(https://127\.0\.0\.1:[0-9]*\)/.*,\1,p' server.err | head -n 1)
  equals "$(status_of --cacert cert.pem "$URL/api/webrtc/settings")" 200
  equals "$(viewer "wss${URL#https}/api/webrtc/ws" --ca cert.pem | jq -c .frames)" 10
  equals "$(viewer "$URL/whep" --ca cert.pem | jq -c .frames)" 10
}

# --- the program

@test "webrtc-serve ends by SIGTERM with its viewers, and with its input" {
  webrtc
  staying viewer
  eventually metric_is viewers 1
  kill -TERM "$(pid_of server)"
  ends server
  make_pictures 3
  run --separate-stderr webrtc-serve --listen 127.0.0.1:0 --input pictures.mjpeg
  equals "$status" 0
  contains "$stderr" 'the input has ended'
  run -66 webrtc-serve --listen 127.0.0.1:0 --input /dev/null
}

@test "webrtc-serve says in one line what is wrong with its options" {
  local options
  while read -r options; do
    # shellcheck disable=SC2086
    run --separate-stderr webrtc-serve --listen 127.0.0.1:0 --input test $options
    equals "$options: $status" "$options: 64"
    equals "$options: ${#stderr_lines[@]}" "$options: 1"
    lacks "$stderr" secret
  done <<'END'
--bitrate 10
--bitrate much
--codec vp9
--udp-ports 9-8
--udp-ports 0-70000
--ice-address somewhere
--ice-address 192.0.2.1
--ice-address 0.0.0.0
--stun nowhere
--turn 127.0.0.1:3478
--turn me:secret@nowhere
--relay-only
--allow-origin page.example
END
  run --separate-stderr env FRAMEPIPE_TURN_CREDENTIALS=secret webrtc-serve --listen 127.0.0.1:0 --turn 127.0.0.1:9
  equals "$status" 64
  lacks "$stderr" secret
}

@test "webrtc-serve finds its relay's password in a file or in the environment" {
  echo 'me:secret' >credentials
  webrtc --turn 127.0.0.1:9 --turn-credentials credentials
  kill -TERM "$(pid_of server)"
  ends server
  FRAMEPIPE_TURN_CREDENTIALS=me:secret webrtc --turn 127.0.0.1:9
  run -66 webrtc-serve --listen 127.0.0.1:0 --turn 127.0.0.1:9 --turn-credentials nosuch
}
