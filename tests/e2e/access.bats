#!/usr/bin/env bats
# Who is let in: --auth, --token, --grant and --sign, at every route of every server, and what guessers get.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr
# shellcheck disable=SC2016 # hashes hold dollars
load ../support/common

bats_require_minimum_version 1.5.0

# "swordfish", with few rounds, so that a loaded machine compares it soon.
HASH='$6$rounds=1000$framepipe$dMy9f4Pcb0l9SGFSVzlOs3n/6w9ZmkqrV8.MxAlEbeUeiR.8N.8oM1iRFm8T4pwbuoiOE2QQ1io6iqGSf8ajB1'
TOKEN=0123456789abcdef0123
ANNA=(-u anna:swordfish)
BEN=(-u ben:swordfish)
PROGRAM=(-H "Authorization: Bearer $TOKEN")

setup() {
  set_up
  printf 'anna:%s\nben:%s\n' "$HASH" "$HASH" >users
  printf 'program %s\n' "$TOKEN" >tokens
  chmod 600 users tokens
}
teardown() { clean_up; }

# two_cameras [ARG...]: door shows p1.jpg and yard p2.jpg, behind passwords and tokens.
two_cameras() {
  make_pictures 2
  fifo_camera 7 door.fifo
  fifo_camera 8 yard.fifo
  serve --auth users --token tokens --camera door=door.fifo --camera yard=yard.fifo "$@"
  part p1.jpg >&7
  part p2.jpg >&8
  eventually known_state_is '[.cameras[].frames] | add' 2
}
WHO=("${PROGRAM[@]}") # sees everything
known_state() { get "${WHO[@]}" "$URL/state" | jq -r "$1"; }
known_state_is() { [ "$(known_state "$1")" = "$2" ]; }
metric() { get "${WHO[@]}" "$URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
some_wait() { [ "$(metric framepipe_auth_waiting)" -ge "$1" ]; }
# sign CAMERAS TIME: a token for links.
sign() { mjpeg-serve --sign "$1" --valid "$2" --token tokens | sed 's/^token=//'; }
# The paths that a manual names under ROUTES.
routes() {
  sed -n '/^\.Sh ROUTES/,/^\.S[hs] [^R]/p' "$FP_ROOT/man/$1.1" | sed -n 's/^\.It //p' | tr ' ' '\n' |
    grep '^/' | sort -u
}
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }
no_picture() { ! LC_ALL=C grep -aq $'\xff\xd8\xff' "$1" || fails "there is a picture in $1"; }
# all_refuse CODE CURL-ARG... -- URL...: each of them, and none has a byte of a picture.
all_refuse() {
  local code=$1 options=()
  shift
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  get "${options[@]}" -w '\n%{http_code} %{url_effective}\n' "$@" >answers.out
  equals "$(grep -ac "^$code http" answers.out) with $code" "$# with $code" || fails "$(grep -a '^[0-9]* http' answers.out)"
  no_picture answers.out
}

# every_route MANUAL: of the server at URL, with whatever is wrong.
every_route() {
  local path urls=() tails=()
  while read -r path; do
    [[ $path == */ && $path != / ]] && path+=door
    urls+=("$URL$path")
    tails+=("$URL$path")
    [[ $path == /*\?* || $path == / ]] || tails+=("$URL$path/door" "$URL$path/nowhere")
  done < <(routes "$1")
  at_least "${#urls[@]}" 6
  urls=("${tails[@]}" "$URL/assets/viewer.js" "$URL/nowhere" "$URL//stream" "$URL/stream/../stream" "$URL/%73tream")
  local known=("${urls[@]}")
  # Without a word /healthz is open.
  mapfile -t urls < <(printf '%s\n' "${known[@]}" | grep -v '/healthz$')
  local expired altered
  expired=$(sign '*' 1s)
  altered=$(sign door 1h)
  altered=${altered/door/yard}
  eventually answers 401 -H "Authorization: Bearer $expired" "$URL/state"
  all_refuse 401 --path-as-is -H "Authorization: Bearer $expired" -- "${known[@]}"
  all_refuse 401 --path-as-is -- "${urls[@]}"
  all_refuse 401 --path-as-is -X POST -d '{"frame":""}' -- "${urls[@]}"
  all_refuse 401 --path-as-is -X DELETE -- "${urls[@]}"
  all_refuse 401 --path-as-is -u anna:wrong -- "${known[@]}"
  all_refuse 401 --path-as-is -H 'Authorization: Bearer fedcba98765432100123' -- "${known[@]}"
  all_refuse 401 --path-as-is -H 'Authorization: Digest username="anna"' -- "${known[@]}"
  all_refuse 401 --path-as-is -H "Authorization: Bearer $altered" -- "${known[@]}"
  local links=() bad
  for bad in "$altered" "$TOKEN"; do
    for path in "${known[@]}"; do
      [[ $path == *\?* ]] && links+=("$path&token=$bad") || links+=("$path?token=$bad")
    done
  done
  all_refuse 401 --path-as-is -- "${links[@]}"
}

# Sets WRONG to headers that show something that is not right. Expired ones have expired by then.
show_wrong() {
  local expired good
  expired=$(sign '*' 1s)
  good=$(sign '*' 1h)
  WRONG=("Authorization: Basic $(printf anna:wrong | base64)" "Authorization: Basic $(printf nobody:swordfish | base64)"
    "Authorization: Bearer fedcba98765432100123" "Authorization: Bearer $expired"
    "Authorization: Bearer ${good%?}$([[ $good == *0 ]] && echo 1 || echo 0)"
    "Authorization: Bearer $(sed -E "s/[.][0-9]+[.]/.$((EPOCHSECONDS + 86400))./" <<<"$good")"
    "Authorization: Bearer $(sign door 1h | sed 's/door/camera/')"
    "Authorization: Basic $(printf 'program:%s' "$TOKEN" | base64)" "X-Nothing: at all")
  eventually answers 401 -H "Authorization: Bearer $expired" "$URL/state"
}
SOCKET=(--http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
# open_socket NAME CURL-ARG...: a WebSocket in the background, open when it returns.
open_socket() {
  start "$1" curl -sNv "${SOCKET[@]}" "${@:2}"
  eventually says "$1" '< HTTP/1.1 101'
}
# refuses_wrong CURL-ARG... URL: whatever is wrong, in a header or as a link, is answered with 401 and no picture.
# From an address each: five wrong ones make the sixth wait.
refuses_wrong() {
  local number=0 header url=${!#}
  for header in "${WRONG[@]}"; do
    number=$((number + 1))
    all_refuse 401 --interface "127.0.3.$number" -H "$header" "${@:1:$#-1}" -- "$url"
    [[ $header == *Bearer* ]] || continue
    all_refuse 401 --interface "127.0.4.$number" "${@:1:$#-1}" -- "$url?token=${header##* }"
  done
}
# --- every route

@test "mjpeg-serve refuses everybody it does not know at every route of its manual" {
  two_cameras --filter 'copy=cat' --allow-source test
  every_route mjpeg-serve
  equals "$(status_of "$URL/healthz")" 200
  equals "$(known_state '[.cameras[].viewers] | add')" 0
}

@test "webrtc-serve refuses everybody it does not know at every route of its manual" {
  [ -x "$FP_BIN/webrtc-serve" ] || skip "webrtc-serve was not built"
  start server webrtc-serve --listen 127.0.0.1:0 --auth users --token tokens --input 'exec:camgrab test --size 320x240'
  find_url server
  every_route webrtc-serve
  all_refuse 401 -X POST -H 'Content-Type: application/sdp' --data-binary "@$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp" -- \
    "$URL/whep"
  equals "$(known_state .webrtc.begun)" 0
}

@test "webrtc-ingest refuses everybody it does not know at every route of its manual" {
  [ -x "$FP_BIN/webrtc-ingest" ] || skip "webrtc-ingest was not built"
  start server webrtc-ingest --listen 127.0.0.1:0 --auth users --token tokens --exec 'cat >/dev/null'
  find_url server
  every_route webrtc-ingest
}

@test "mjpeg-relay refuses everybody it does not know, and does not connect for them" {
  two_cameras
  local upstream=$URL
  start relay mjpeg-relay --listen 127.0.0.1:0 --auth users --token tokens "door=$upstream/stream/door?token=$(sign door 1h)"
  find_url relay
  every_route mjpeg-serve
  equals "$(get "${PROGRAM[@]}" "$upstream/state" | jq '.cameras[0].viewers')" 0
}

@test "whatever is wrong with a password or a token, no stream, WebSocket or session by WHEP comes of it" {
  two_cameras
  show_wrong
  refuses_wrong "$URL/stream/door"
  refuses_wrong "$URL/wall"
  local upstream=$URL
  start relay mjpeg-relay --listen 127.0.0.1:0 --auth users --token tokens "door=$upstream/stream/door?token=$(sign door 1h)"
  find_url relay
  refuses_wrong "$URL/stream/door"
  equals "$(known_state '[.cameras[].viewers] | add')" 0

  [ -x "$FP_BIN/webrtc-serve" ] || return 0
  start video webrtc-serve --listen 127.0.0.1:0 --auth users --token tokens --input 'exec:camgrab test --size 320x240'
  find_url video
  local offer=(-X POST -H 'Content-Type: application/sdp' --data-binary "@$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp")
  refuses_wrong "${SOCKET[@]}" "$URL/api/webrtc/ws"
  refuses_wrong "${offer[@]}" "$URL/whep"
  equals "$(known_state '[.webrtc.begun, .connections.open] | join(" ")')" "0 1"
  # What is right begins one, and what is wrong neither ends it nor adds to it.
  local session
  session=$URL$(head_value location "${PROGRAM[@]}" "${offer[@]}" "$URL/whep")
  refuses_wrong -X DELETE "$session"
  refuses_wrong -X PATCH -H 'Content-Type: application/trickle-ice-sdpfrag' -d 'a=ice-ufrag:x' "$session"
  equals "$(known_state '.webrtc.sessions | length')" 1

  [ -x "$FP_BIN/webrtc-ingest" ] || return 0
  start ingest webrtc-ingest --listen 127.0.0.1:0 --auth users --token tokens --exec 'cat >/dev/null'
  find_url ingest
  refuses_wrong "${SOCKET[@]}" "$URL/ws"
  open_socket known "${PROGRAM[@]}" "$URL/ws"
}

# --- who is known

@test "a right password and a right token see everything, from the first request on" {
  two_cameras
  start viewer curl -sN "${ANNA[@]}" "$URL/stream/door"
  eventually has_picture viewer.out p1.jpg
  get "${BEN[@]}" "$URL/snapshot/yard" >got.jpg
  same_bytes got.jpg p2.jpg
  get "${PROGRAM[@]}" "$URL/snapshot" >got.jpg
  same_bytes got.jpg p1.jpg
  equals "$(status_of "${ANNA[@]}" -X POST "$URL/api/camera/stop?camera=yard")" 200
}

@test "whoever shows nothing is asked for both; a program by token alone for a token" {
  two_cameras
  contains "$(get -D - "$URL/stream" | tr -d '\r')" 'WWW-Authenticate: Basic realm="framepipe", charset="UTF-8"
WWW-Authenticate: Bearer realm="framepipe"'
  equals "$(get "$URL/stream" | jq -r .error)" 'this needs a password or a token'
  serve_as other --token tokens --camera door=exec:'camgrab test'
  equals "$(head_value www-authenticate "$URL/")" 'Bearer realm="framepipe"'
  equals "$(status_of "${ANNA[@]}" "$URL/")" 401
  contains "$(head_value www-authenticate -H 'Authorization: Bearer x' "$URL/")" 'error="invalid_token"'
}

@test "/healthz is open and says nothing but whether all is well" {
  two_cameras --stale 300ms
  equals "$(get "$URL/healthz" | jq -c .)" '{"error":"no fresh frame"}' || eventually answers 503 "$URL/healthz"
  eventually answers 503 "$URL/healthz"
  lacks "$(get "$URL/healthz")" door
  contains "$(get "${ANNA[@]}" "$URL/healthz")" door
  equals "$(status_of -u anna:wrong "$URL/healthz")" 401
}

@test "a page of an allowed origin may ask beforehand, and reads why it is refused" {
  two_cameras --allow-origin https://page.example
  local page=(-H 'Origin: https://page.example')
  equals "$(status_of -X OPTIONS "${page[@]}" -H 'Access-Control-Request-Headers: authorization' "$URL/stream")" 204
  contains "$(head_value access-control-allow-headers -X OPTIONS "${page[@]}" "$URL/stream")" Authorization
  equals "$(head_value access-control-allow-origin "${page[@]}" "$URL/stream")" https://page.example
  equals "$(status_of -H 'Host: evil.example' "${ANNA[@]}" "$URL/")" 421
}

@test "many requests with one password cost one comparison" {
  two_cameras
  local i
  for i in {1..12}; do start "client$i" curl -s "${ANNA[@]}" -o "got$i.jpg" "$URL/snapshot/door"; done
  for i in {1..12}; do
    ends "client$i"
    same_bytes "got$i.jpg" p1.jpg
  done
  equals "$(metric framepipe_auth_checks_total)" 1
}

@test "a large body is not taken from somebody who shows nothing" {
  two_cameras --filter 'copy=cat'
  head -c 300000 /dev/zero >large
  equals "$(status_of -X POST --data-binary @large "$URL/detect_once")" 413
  equals "$(status_of -X POST --data-binary @large -H 'Authorization: Bearer 0123456789abcdef0124' "$URL/detect_once")" 413
  equals "$(status_of -X POST --data-binary @large "${PROGRAM[@]}" "$URL/detect_once")" 400
  equals "$(status_of -X POST --data-binary @large "${ANNA[@]}" "$URL/detect_once")" 400
}

# --- grants

@test "a camera that was not granted is refused everywhere and in no list" {
  two_cameras --grant anna:yard --grant 'ben:*' --grant 'program:*' --filter 'copy=cat' --allow-source test
  local path
  for path in stream video mjpeg api/camera/stream snapshot api/camera/snapshot detect_once detect_stream events; do
    all_refuse 403 "${ANNA[@]}" -- "$URL/$path/door" "$URL/$path/nowhere"
  done
  all_refuse 403 "${ANNA[@]}" -- "$URL/?action=snapshot_0" "$URL/?action=stream_0" "$URL/wall?cameras=door" \
    "$URL/wall?cameras=yard,door"
  all_refuse 403 "${ANNA[@]}" -X POST -- "$URL/api/camera/stop?camera=door" "$URL/api/camera/stop?camera=yard" \
    "$URL/api/camera/start" "$URL/api/camera/cameras/new?source=test"
  all_refuse 403 "${ANNA[@]}" -X DELETE -- "$URL/api/camera/cameras/door" "$URL/api/camera/cameras/yard"
  equals "$(get "${ANNA[@]}" "$URL/api/camera/cameras" | jq -c .cameras)" '["yard"]'
  start door curl -sN "${BEN[@]}" "$URL/stream/door"
  eventually has_picture door.out p1.jpg
  lacks "$(get "${ANNA[@]}" "$URL/state")" door
  lacks "$(get "${ANNA[@]}" "$URL/metrics")" door
  equals "$(get "${ANNA[@]}" "$URL/state" | jq -c '[.server.control, .server.can_add, (.viewers | length)]')" '[false,false,0]'
  equals "$(get "${BEN[@]}" "$URL/state" | jq -c '[.server.control, .server.can_add, (.viewers | length)]')" '[true,true,1]'
  get "${ANNA[@]}" "$URL/snapshot" >got.jpg
  same_bytes got.jpg p2.jpg
  start wall curl -sN "${ANNA[@]}" "$URL/wall"
  start events curl -sN "${ANNA[@]}" "$URL/events"
  eventually has_picture wall.out p2.jpg
  eventually printed events '"name":"yard"'
  part p1.jpg 'X-Detections: {"objects":[{"label":"cat"}]}' >&7
  part p2.jpg 'X-Detections: {"objects":[{"label":"dog"}]}' >&8
  eventually printed events '"dog"'
  lacks "$(cat events.out)" cat
  lacks "$(cat events.out)" door
  lacks "$(frames list wall.out)" "$(sum_of p1.jpg)"
  lacks "$(tr -d '\0' <wall.out)" '"door"'
}

@test "whoever has no grant, where there are any, sees no camera" {
  two_cameras --grant 'program:*' --grant anna:attic
  all_refuse 403 "${BEN[@]}" -- "$URL/stream" "$URL/snapshot" "$URL/wall" "$URL/events" "$URL/stream/door"
  equals "$(get "${BEN[@]}" "$URL/state" | jq -c .cameras)" '[]'
  equals "$(status_of "${BEN[@]}" "$URL/")" 200
}

@test "a grant holds for a camera that comes later" {
  two_cameras --grant 'program:*' --grant anna:attic --allow-source test
  start wall curl -sN "${ANNA[@]}" "$URL/wall"
  equals "$(status_of "${PROGRAM[@]}" -X POST "$URL/api/camera/cameras/attic?source=test")" 200
  eventually has_frames wall.out 2
  lacks "$(tr -d '\0' <wall.out)" '"door"'
  equals "$(status_of "${ANNA[@]}" "$URL/snapshot/attic")" 200
}

@test "webrtc-serve and webrtc-ingest: a grant of another camera is none" {
  [ -x "$FP_BIN/webrtc-serve" ] || skip "webrtc-serve was not built"
  start server webrtc-serve --listen 127.0.0.1:0 --auth users --grant anna:door --grant ben:camera \
    --input 'exec:camgrab test --size 320x240'
  find_url server
  local offer=(-X POST -H 'Content-Type: application/sdp' --data-binary "@$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp")
  all_refuse 403 "${ANNA[@]}" -- "$URL/state" "$URL/metrics" "$URL/api/webrtc/ws"
  equals "$(status_of "${ANNA[@]}" "${offer[@]}" "$URL/whep")" 403
  equals "$(status_of "${BEN[@]}" "${offer[@]}" "$URL/whep")" 201
  equals "$(status_of "${BEN[@]}" -X POST -d '{"bitrate_kbps":500}' "$URL/api/webrtc/settings")" 403
  start ingest webrtc-ingest --listen 127.0.0.1:0 --auth users --grant anna:camera --grant 'ben:*' --exec 'cat >/dev/null'
  find_url ingest
  all_refuse 403 "${ANNA[@]}" -- "$URL/state" "$URL/metrics" "$URL/ws"
  equals "$(status_of "${BEN[@]}" "$URL/ws")" 426
}

@test "with a password that the browser adds, no other page may watch by WebSocket, --allow-origin '*' or not" {
  [ -x "$FP_BIN/webrtc-serve" ] || skip "webrtc-serve was not built"
  start server webrtc-serve --listen 127.0.0.1:0 --auth users --token tokens --allow-origin '*' \
    --input 'exec:camgrab test --size 320x240'
  find_url server
  local page=(-H 'Origin: https://evil.example')
  equals "$(status_of "${ANNA[@]}" "${page[@]}" "$URL/api/webrtc/ws")" 403
  equals "$(status_of "${ANNA[@]}" -H "Origin: $URL" "$URL/api/webrtc/ws")" 426
  equals "$(status_of "${PROGRAM[@]}" "${page[@]}" "$URL/api/webrtc/ws")" 426
}

# --- links

@test "a signed link shows its camera, and no other, and changes nothing" {
  two_cameras --filter 'copy=cat'
  local token
  token=$(sign yard 1h)
  get "$URL/snapshot/yard?token=$token" >got.jpg
  same_bytes got.jpg p2.jpg
  get -H "Authorization: Bearer $token" "$URL/snapshot" >got.jpg
  same_bytes got.jpg p2.jpg
  all_refuse 403 -- "$URL/snapshot/door?token=$token" "$URL/stream/door?token=$token" "$URL/wall?cameras=door&token=$token" \
    "$URL/detect_once/door?token=$token" "$URL/events/door?token=$token"
  all_refuse 403 -X POST -- "$URL/api/camera/stop?camera=yard&token=$token" "$URL/detect_once?token=$token"
  lacks "$(get "$URL/state?token=$token")" door
}

@test "a signed link shows no more than its signer was granted" {
  WHO=("${BEN[@]}")
  two_cameras --grant program:yard --grant 'ben:*'
  local token
  token=$(sign 'yard,door' 1h)
  equals "$(status_of "$URL/snapshot/yard?token=$token")" 200
  equals "$(status_of "$URL/snapshot/door?token=$token")" 403
  token=$(sign '*' 1h)
  equals "$(status_of "$URL/snapshot/yard?token=$token")" 200
  equals "$(status_of "$URL/snapshot/door?token=$token")" 403
}

# ended NAME: the answer was complete, or broken off.
ended() { gone "$(pid_of "$1")"; }
runs() { ! ended "$1"; }

@test "when a link expires what it shows ends, and what another one shows goes on" {
  two_cameras
  local brief lasting path
  brief=$(sign '*' 6s)
  lasting=$(sign '*' 1h)
  for path in stream/door wall events; do start "${path%/*}" curl -sN "$URL/$path?token=$brief"; done
  start lasting curl -sN "$URL/stream/door?token=$lasting"
  eventually has_picture stream.out p1.jpg
  eventually has_picture lasting.out p1.jpg
  eventually has_picture wall.out p2.jpg
  eventually printed events data:
  for path in stream wall events; do eventually ended "$path"; done
  part p2.jpg >&7
  eventually has_picture lasting.out p2.jpg
  no_picture events.out
}

@test "--sign prints a token that fits into an address, and says what it needs" {
  run --separate-stderr mjpeg-serve --sign door,yard --valid 1h --token tokens
  equals "$status $stderr" "0 "
  matches "$output" '^token=fp1\.program\.[0-9]+\.door,yard\.[0-9a-f]{64}$'
  for tool in mjpeg-relay webrtc-serve webrtc-ingest; do
    [ -x "$FP_BIN/$tool" ] || continue
    run --separate-stderr "$tool" --sign '*' --token tokens
    matches "$output" '^token=fp1\.program\.[0-9]+\.\*\.[0-9a-f]{64}$'
  done
  run --separate-stderr mjpeg-serve --sign door
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "--token FILE"
  run --separate-stderr mjpeg-serve --sign 'do or' --token tokens
  equals "$status ${#stderr_lines[@]}" "64 1"
}

# --- guesses

@test "after five wrong passwords the next answer takes a second, also when it is right" {
  two_cameras
  local i before
  for i in 1 2 3 4; do equals "$(status_of -u "anna:wrong$i" "$URL/")" 401; done
  before=$(milliseconds)
  equals "$(status_of -u anna:wrong5 "$URL/")" 401
  equals "$(status_of "${ANNA[@]}" "$URL/snapshot")" 200
  at_least $(($(milliseconds) - before)) 1000
  # And then she is known, and it is over.
  equals "$(metric framepipe_auth_locked)" 0
}

@test "wrong tokens count as well" {
  two_cameras
  local i before
  for i in 1 2 3 4; do equals "$(status_of -H "Authorization: Bearer wrong$i" "$URL/")" 401; done
  before=$(milliseconds)
  for i in 5 6 7; do equals "$(status_of -H "Authorization: Bearer wrong$i" "$URL/")" 401; done
  at_least $(($(milliseconds) - before)) 3000
}

@test "whoever repeats one wrong password is no guesser" {
  two_cameras
  local i
  for i in {1..20}; do equals "$(status_of -u anna:old "$URL/")" 401; done
  equals "$(metric framepipe_auth_checks_total)" 1
  equals "$(metric framepipe_auth_locked)" 0
  equals "$(status_of "${ANNA[@]}" "$URL/")" 200
}

@test "guesses from another address hold up nobody who is known at theirs" {
  two_cameras
  local i
  equals "$(status_of "${ANNA[@]}" "$URL/")" 200
  for i in {1..5}; do equals "$(status_of --interface 127.0.0.2 -u "anna:wrong$i" "$URL/")" 401; done
  for i in {6..9}; do start "guess$i" curl -s -o /dev/null --interface 127.0.0.2 -u "anna:wrong$i" "$URL/"; done
  # Whoever comes from elsewhere as anna has to wait with them; anna has not.
  eventually some_wait 1
  start stranger curl -s -w '%{http_code}' -o /dev/null --interface 127.0.0.3 "${ANNA[@]}" "$URL/"
  eventually some_wait 2
  equals "$(status_of "${ANNA[@]}" "$URL/snapshot")" 200
  equals "$(cat stranger.out)" ""
}

@test "guesses at the same time wait one behind the other, and too many are turned away" {
  two_cameras
  local i
  start viewer curl -sN "${PROGRAM[@]}" "$URL/stream/door"
  eventually has_picture viewer.out p1.jpg
  for i in {1..40}; do start "guess$i" curl -s -o /dev/null -w '%{http_code}' --interface 127.0.0.2 -u "anna:wrong$i" "$URL/"; done
  eventually grep -q 429 guess*.out
  # Those who watch do not notice.
  part p2.jpg >&7
  eventually has_picture viewer.out p2.jpg
  at_most "$(metric framepipe_auth_checks_total)" 12
}

@test "refusals stand in the log and in the metrics, and no secret with them" {
  two_cameras --grant anna:yard --grant 'program:*'
  local token
  token=$(sign door 1h)
  status_of "$URL/"
  status_of -u anna:oldfish "$URL/stream?token=$token"
  status_of -H 'Authorization: Bearer not-a-token' "$URL/state"
  status_of "${ANNA[@]}" "$URL/stream/door"
  status_of -u $'eve\n:x' "$URL/"
  eventually says server "refused: 127.0.0.1: no such user, or another password ('anna'): GET /stream"
  eventually says server "refused: 127.0.0.1: this needs a password or a token: GET /"
  eventually says server "refused: 127.0.0.1: no such token: GET /state"
  eventually says server "refused: 127.0.0.1: camera 'door' is not for 'anna': GET /stream/door"
  eventually says server "('eve\\x0a')"
  local secret
  for secret in swordfish oldfish not-a-token "$TOKEN" "$token"; do lacks "$(cat server.err)" "$secret"; done
  equals "$(metric 'framepipe_auth_refused_total{reason="nothing"}')" 1
  equals "$(metric 'framepipe_auth_refused_total{reason="password"}')" 2
  equals "$(metric 'framepipe_auth_refused_total{reason="token"}')" 1
  equals "$(metric 'framepipe_auth_refused_total{reason="camera"}')" 1
}

# --- files

@test "a file that was written is read again, at once or by SIGHUP, and a wrong one changes nothing" {
  two_cameras
  equals "$(status_of "${ANNA[@]}" "$URL/")" 200
  printf 'carl:%s\n' "$HASH" >new
  chmod 600 new
  mv new users
  eventually answers 401 "${ANNA[@]}" "$URL/"
  eventually answers 200 -u carl:swordfish "$URL/"
  echo nonsense >users
  kill -HUP "$(pid_of server)"
  eventually says server "users, line 1: not of the form USER:HASH"
  eventually answers 200 -u carl:swordfish "$URL/"
  printf 'other %s\n' fedcba9876543210fedc >tokens
  eventually answers 401 "${PROGRAM[@]}" "$URL/"
}

@test "who is taken out of a file is shown nothing more, and others notice nothing" {
  two_cameras
  local path link
  link=$(sign door 1h)
  for path in stream/door wall events; do start "anna-${path%/*}" curl -sN "${ANNA[@]}" "$URL/$path"; done
  start ben curl -sN "${BEN[@]}" "$URL/stream/door"
  start program curl -sN "${PROGRAM[@]}" "$URL/stream/door"
  start link curl -sN "$URL/stream/door?token=$link"
  local who
  for who in anna-stream anna-wall ben program link; do eventually has_picture "$who.out" p1.jpg; done
  eventually printed anna-events data:

  printf 'ben:%s\n' "$HASH" >users
  for who in anna-stream anna-wall anna-events; do eventually ended "$who"; done
  part p2.jpg >&7
  for who in ben program link; do eventually has_picture "$who.out" p2.jpg; done

  printf 'program %s\n' fedcba9876543210fedc >tokens
  for who in program link; do eventually ended "$who"; done
  # Another password is another one's.
  runs ben
  printf 'ben:%s\n' '$6$rounds=1000$other$Qm1nTyU3zkq1xXbqCqSNhUu0Qd0VdZB0tZl6m0c3Pq2oTn8kkzV2oCz8zqM1rWqk9zN0oS8aA4r8oR7mCkW5e.' >users
  eventually ended ben
}

@test "who is taken out of a file is shown nothing more by mjpeg-relay" {
  two_cameras
  start relay mjpeg-relay --listen 127.0.0.1:0 --auth users "door=$URL/stream/door?token=$(sign door 1h)"
  find_url relay
  start viewer curl -sN "${ANNA[@]}" "$URL/stream/door"
  start other curl -sN "${BEN[@]}" "$URL/stream/door"
  eventually has_picture viewer.out p1.jpg
  eventually has_picture other.out p1.jpg
  printf 'ben:%s\n' "$HASH" >users
  eventually ended viewer
  part p2.jpg >&7
  eventually has_picture other.out p2.jpg
}

@test "webrtc-serve and webrtc-ingest: sessions end with what their viewers were let in by" {
  [ -x "$FP_BIN/webrtc-serve" ] || skip "webrtc-serve was not built"
  start server webrtc-serve --listen 127.0.0.1:0 --auth users --token tokens --input 'exec:camgrab test --size 320x240'
  find_url server
  local offer=(-X POST -H 'Content-Type: application/sdp' --data-binary "@$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp")
  local brief
  brief=$(sign camera 8s)
  equals "$(status_of "${offer[@]}" "$URL/whep?token=$brief")" 201
  open_socket brief "$URL/api/webrtc/ws?token=$brief"

  # Who really watches: by a link, and a user.
  start viewer "$PYTHON" "$SUPPORT/webrtc_viewer.py" "$URL/whep?token=$(sign camera 1h)" --frames 1000000 --timeout 1000
  open_socket ben "${BEN[@]}" "$URL/api/webrtc/ws"
  eventually known_state_is .webrtc.connected 1
  eventually known_state_is .webrtc.gone.barred 1
  eventually ended brief
  equals "$(known_state .webrtc.connected)" 1

  WHO=("${ANNA[@]}")
  printf 'program %s\n' fedcba9876543210fedc >tokens
  eventually known_state_is .webrtc.gone.barred 2
  equals "$(known_state .webrtc.connected)" 0
  runs ben
  printf 'anna:%s\n' "$HASH" >users
  eventually ended ben

  [ -x "$FP_BIN/webrtc-ingest" ] || return 0
  start ingest webrtc-ingest --listen 127.0.0.1:0 --auth users --exec 'cat >/dev/null'
  find_url ingest
  open_socket anna "${ANNA[@]}" "$URL/ws"
  printf 'ben:%s\n' "$HASH" >users
  eventually ended anna
}

@test "a wrong --auth, --token or --grant ends every server with one line" {
  local tool
  printf 'anna:plain\n' >plain
  for tool in mjpeg-serve webrtc-serve webrtc-ingest; do
    [ -x "$FP_BIN/$tool" ] || continue
    run --separate-stderr "$tool" --listen 127.0.0.1:0 --auth plain
    equals "$tool $status ${#stderr_lines[@]}" "$tool 78 1"
    contains "$stderr" "--auth plain, line 1: the hash of anna is weak, or none (htpasswd -B"
    run --separate-stderr "$tool" --listen 127.0.0.1:0 --token nowhere
    equals "$tool $status ${#stderr_lines[@]}" "$tool 66 1"
    run --separate-stderr "$tool" --listen 127.0.0.1:0 --grant anna:door
    equals "$tool $status ${#stderr_lines[@]}" "$tool 64 1"
    contains "$stderr" "--grant needs --auth FILE or --token FILE"
    run --separate-stderr "$tool" --listen 127.0.0.1:0 --auth users --grant anna
    equals "$tool $status ${#stderr_lines[@]}" "$tool 64 1"
    contains "$stderr" "write USER:CAMERA,CAMERA or USER:*"
  done
  run --separate-stderr mjpeg-relay --auth users http://127.0.0.1:1/
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "--listen"
}

@test "the word about a missing password goes, and one about missing TLS comes, beyond loopback" {
  start server mjpeg-serve --listen 0.0.0.0:0 --auth users --camera door=exec:'camgrab test'
  eventually says server "there is no TLS"
  lacks "$(cat server.err)" "there is no password"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout key.pem -out cert.pem 2>/dev/null
  start other mjpeg-serve --listen 0.0.0.0:0 --auth users --tls-cert cert.pem --tls-key key.pem --camera door=exec:'camgrab test'
  eventually says other https://localhost
  lacks "$(cat other.err)" "TLS:"
  lacks "$(cat other.err)" "there is no"
}

@test "a file of tokens that everybody can read is told of, and a grant for somebody who is not there" {
  chmod 644 tokens
  start server mjpeg-serve --listen 127.0.0.1:0 --token tokens --grant porgram:door --camera door=exec:'camgrab test'
  eventually says server "--token tokens: every user of this machine can read it"
  eventually says server "--grant porgram: nobody of this name is in the file of --token yet"
}
