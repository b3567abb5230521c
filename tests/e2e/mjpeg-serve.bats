#!/usr/bin/env bats
# mjpeg-serve: the routes, the framing, the cameras, the end.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 6
}
teardown() { clean_up; }

# one_camera [ARG...]: a server with the camera `cam`, which shows what is written to descriptor 7.
one_camera() {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo "$@"
}
# with_picture [ARG...]: the same, and p1.jpg is there, with sequence 10, and stays however long a test may take.
with_picture() {
  one_camera --stale 1h "$@"
  part p1.jpg "X-Sequence: 10" >&7
  eventually shows p1.jpg
}
# test_card FPS SIZE [ARG...]: a camera `cam` that moves.
test_card() { serve --camera "cam=exec:camgrab test --fps $1 --size $2" "${@:3}"; }
has_line() { grep -qF -- "$2" "$1"; }

# --- pages

@test "mjpeg-serve gives the viewer at /" {
  one_camera
  equals "$(status_of "$URL/")" 200
  matches "$(head_value content-type "$URL/")" '^text/html'
  contains "$(get "$URL/")" "<html"
}

@test "mjpeg-serve gives everything that the viewer names under /assets/" {
  one_camera
  local path
  get "$URL/" | grep -o 'assets/[a-zA-Z0-9._-]*' | sort -u >paths
  at_least "$(wc -l <paths)" 2
  while read -r path; do equals "$path $(status_of "$URL/$path")" "$path 200"; done <paths
}

@test "mjpeg-serve names the types of its assets, so that browsers take them" {
  one_camera
  matches "$(head_value content-type "$URL/assets/viewer.js")" '^(text|application)/javascript'
  matches "$(head_value content-type "$URL/assets/style.css")" '^text/css'
  equals "$(head_value x-content-type-options "$URL/assets/viewer.js")" nosniff
}

@test "mjpeg-serve --webrtc tells the viewer where else a camera is, and lets its page connect there alone" {
  one_camera --webrtc HTTP://Pi:8889 --camera yard=exec:cat --webrtc yard=https://video.example/yard
  equals "$(state .server.webrtc.cam)" http://pi:8889/
  equals "$(state .server.webrtc.yard)" https://video.example/yard/
  matches "$(head_value content-security-policy "$URL/")" \
    "; connect-src 'self' http://pi:8889 https://video.example ws://pi:8889 wss://video.example\$"
}

@test "mjpeg-serve without --webrtc lets its page connect to itself alone" {
  one_camera
  equals "$(state .server.webrtc)" null
  matches "$(head_value content-security-policy "$URL/")" "^default-src 'self'; "
  lacks "$(head_value content-security-policy "$URL/")" connect-src
}

@test "mjpeg-serve refuses a --webrtc that no page could use, with what mends it" {
  local link words
  while IFS='|' read -r link words; do
    run --separate-stderr timeout "$FP_DEADLINE_S" mjpeg-serve --listen 127.0.0.1:0 --camera cam=test --webrtc "$link"
    equals "$link $status ${#stderr_lines[@]}" "$link 64 1"
    contains "$stderr" "$words"
    lacks "$stderr" secret
  done <<'END'
pi:8889|not of the form http(s)://HOST:PORT/
the door=http://pi:8889/|a CAMERA is of letters, digits, - and _
cam=pi:8889|http(s)://HOST:PORT/
yard=http://pi:8889/|no camera is called yard
http://me:secret@pi:8889/|leave user and password out
http://[::1]:8889/|write a name
http://pi:8889/?codec=vp8|leave out the '?'
END
}

@test "mjpeg-serve answers 404 in JSON to a path that is not there" {
  one_camera
  equals "$(status_of "$URL/nosuch")" 404
  equals "$(get "$URL/nosuch" | jq -r '.error | type')" string
}

# --- the stream and its names

for_each_alias() { # COMMAND: with each path of the stream
  local path
  for path in /stream /video /mjpeg /api/camera/stream '/?action=stream' /stream/cam /video/cam /mjpeg/cam /api/camera/stream/cam; do
    "$@" "$path" || fails "at $path"
  done
}
stream_begins_at() {
  local name=watch${1//[^a-z]/_}
  start "$name" curl -sN "$URL$1"
  eventually has_picture "$name.out" p1.jpg
}
snapshot_comes_from() { equals "$1 $(get "$URL$1" | sha1sum | cut -d ' ' -f 1)" "$1 $(sum_of p1.jpg)"; }

@test "mjpeg-serve streams under every name that clients know, with and without the camera's" {
  with_picture
  for_each_alias stream_begins_at
}

@test "mjpeg-serve gives a snapshot under every name that clients know, with and without the camera's" {
  with_picture
  local path
  for path in /snapshot /snapshot/cam '/?action=snapshot' /api/camera/snapshot /api/camera/snapshot/cam; do snapshot_comes_from "$path"; done
}

@test "mjpeg-serve without a name shows the first camera" {
  fifo_camera 7 one.fifo
  fifo_camera 8 two.fifo
  serve --camera one=one.fifo --camera two=two.fifo
  part p1.jpg >&7
  part p2.jpg >&8
  eventually shows p1.jpg
  eventually shows p1.jpg one
  eventually shows p2.jpg two
}

@test "mjpeg-serve lists its cameras at /api/camera/cameras" {
  fifo_camera 7 one.fifo
  fifo_camera 8 two.fifo
  serve --camera one=one.fifo --camera two=two.fifo
  equals "$(get "$URL/api/camera/cameras" | jq -c .)" '{"cameras":["one","two"]}'
}

@test "mjpeg-serve answers 404 in JSON to a camera that is not there" {
  one_camera
  local path
  for path in /stream/nosuch /snapshot/nosuch /events/nosuch '/wall?cameras=cam,nosuch'; do
    equals "$path $(status_of "$URL$path")" "$path 404"
    contains "$(get "$URL$path" | jq -r .error)" nosuch
  done
}

@test "mjpeg-serve answers 400 and the reason to a query that it cannot read" {
  with_picture
  local query
  for query in 'stream?fps=fast' 'stream?fps=0' 'stream?fps=-1' 'stream?fps=nan' 'stream?framing=odd' 'snapshot?max_age=x' 'snapshot?after=-1' 'wall?fps=x'; do
    equals "$query $(status_of "$URL/$query")" "$query 400"
    equals "$(get "$URL/$query" | jq -r '.error | type')" string
  done
}

@test "mjpeg-serve ignores query parameters that it does not know" {
  with_picture
  equals "$(status_of "$URL/snapshot?cachebust=12345&x")" 200
}

@test "mjpeg-serve streams frames with their length, time and sequence" {
  with_picture
  watch viewer /stream
  local taken
  taken=$(date +%s).123456  # of today: an old frame is followed by a card
  part p2.jpg "X-Sequence: 11" "X-Timestamp: $taken" "X-Own: kept" >&7
  eventually has_picture viewer.out p2.jpg
  equals "$(frames headers viewer.out | jq -c 'select(."x-sequence" == "11") | [."content-type", ."x-timestamp", ."x-own"]' | tail -n 1)" \
    "[\"image/jpeg\",\"$taken\",\"kept\"]"
}

@test "mjpeg-serve sends the headers that keep proxies and caches out of the way" {
  with_picture
  watch viewer /stream
  tr -d '\r' <viewer.head >head.txt
  has_line head.txt "Content-Type: multipart/x-mixed-replace; boundary=frame"
  has_line head.txt "Cache-Control: no-store"
  has_line head.txt "X-Accel-Buffering: no"
  has_line head.txt "X-Content-Type-Options: nosniff"
  has_line head.txt "Vary: Accept"
  has_line head.txt "Connection: close"
  run ! has_line head.txt "Transfer-Encoding"
}

@test "mjpeg-serve answers 200, not 206, to a Range" {
  with_picture
  watch viewer /stream -H 'Range: bytes=0-' -H 'Icy-MetaData: 1'
  contains "$(head -n 1 viewer.head)" " 200 "
}

@test "mjpeg-serve speaks HTTP/1.0 with those who do" {
  with_picture
  watch viewer /stream --http1.0
  eventually has_picture viewer.out p1.jpg
}

# --- framing

# The last picture in front of a complete head of the next part.
last_of_advance_is() { [ "$(frames advance "$1" | tail -n 1 | cut -d ' ' -f 1)" = "$(sum_of "$2")" ]; }

@test "mjpeg-serve sends the next part's headers ahead to a client that wants an image" {
  with_picture
  watch viewer /stream -H 'Accept: image/avif,image/webp,*/*;q=0.8'
  eventually grep -qa "^--frame-" viewer.out
  part p2.jpg >&7
  # What comes behind the picture has come with it, and nothing comes after it.
  eventually last_of_advance_is viewer.out p2.jpg
  equals "$(tail -n 2 viewer.out | tr -d '\r' | head -n 1)" "Content-Type: image/jpeg"
  run ! grep -qai "content-length" viewer.out
  run ! grep -qai "x-sequence" viewer.out
}

@test "mjpeg-serve announces the boundary that it uses in advance framing" {
  with_picture
  watch viewer '/stream?framing=advance'
  eventually test -s viewer.out
  equals "--$(tr -d '\r' <viewer.head | sed -n 's/.*boundary=//p')" "$(head -n 1 viewer.out | tr -d '\r')"
}

@test "mjpeg-serve sends lengths to a client that takes anything" {
  with_picture
  watch viewer /stream -H 'Accept: */*'
  eventually has_picture viewer.out p1.jpg
}

@test "mjpeg-serve ?framing=length overrules Accept" {
  with_picture
  watch viewer '/stream?framing=length' -H 'Accept: image/webp'
  eventually has_picture viewer.out p1.jpg
}

@test "mjpeg-serve ?framing=advance overrules Accept" {
  with_picture
  watch viewer '/stream?framing=advance' -H 'Accept: */*'
  eventually grep -qa "^--frame-" viewer.out
}

@test "mjpeg-serve has another boundary for advance framing in each process" {
  with_picture
  local one two
  one=$(head_value content-type -I "$URL/stream?framing=advance")
  serve_as other --camera cam=cam.fifo
  two=$(head_value content-type -I "$URL/stream?framing=advance")
  matches "$one" 'boundary=frame-[0-9a-f]{16}$'
  matches "$two" 'boundary=frame-[0-9a-f]{16}$'
  lacks "$one" "$two"
}

@test "frame-stat --doctor finds that no browser shows an image stream late" {
  test_card 20 160x120
  curl -sNi -H 'Accept: image/*' "$URL/stream" 2>/dev/null | frame-stat --doctor --frames 10 >out
  contains "$(cat out)" "no browser shows it late"
}

# --- methods and hosts

@test "mjpeg-serve answers HEAD with the head alone" {
  with_picture
  equals "$(status_of -I "$URL/snapshot")" 200
  equals "$(head_value content-length -I "$URL/snapshot")" "$(size_of p1.jpg)"
  equals "$(status_of -I "$URL/stream")" 200
  equals "$(status_of -I "$URL/")" 200
}

@test "mjpeg-serve answers OPTIONS with what is possible" {
  one_camera
  equals "$(status_of -X OPTIONS "$URL/stream")" 204
  equals "$(head_value allow -X OPTIONS "$URL/stream")" "GET, HEAD, OPTIONS"
}

@test "mjpeg-serve answers 405 to other methods, and says what is possible" {
  one_camera
  local method
  for method in POST PUT DELETE PATCH; do equals "$method $(status_of -X "$method" "$URL/snapshot")" "$method 405"; done
  equals "$(head_value allow -X POST "$URL/snapshot")" "GET, HEAD, OPTIONS"
}

@test "mjpeg-serve answers 421 to another Host than its own" {
  with_picture
  local path
  for path in / /snapshot /stream /state /metrics; do
    equals "$path $(status_of -H 'Host: evil.example' "$URL$path")" "$path 421"
  done
  contains "$(get -H 'Host: evil.example' "$URL/" | jq -r .error)" "--allow-host"
}

@test "mjpeg-serve answers to addresses, localhost and this machine's name" {
  with_picture
  local host
  for host in 127.0.0.1 192.168.1.2:8000 '[::1]:8000' localhost localhost:8000 LOCALHOST "$(hostname)" "$(hostname).local"; do
    equals "$host $(status_of -H "Host: $host" "$URL/snapshot")" "$host 200"
  done
}

@test "mjpeg-serve --allow-host adds a name" {
  with_picture --allow-host cams.example --allow-host Other.Example
  equals "$(status_of -H 'Host: cams.example:8000' "$URL/snapshot")" 200
  equals "$(status_of -H 'Host: other.example' "$URL/snapshot")" 200
  equals "$(status_of -H 'Host: sub.cams.example' "$URL/snapshot")" 421
}

@test "mjpeg-serve lets no other origin read by default" {
  with_picture
  equals "$(head_value access-control-allow-origin -H 'Origin: http://evil.example' "$URL/snapshot")" ""
}

@test "mjpeg-serve --allow-origin lets pages of that origin read" {
  with_picture --allow-origin https://page.example
  equals "$(head_value access-control-allow-origin "$URL/snapshot")" "https://page.example"
  equals "$(head_value access-control-allow-origin "$URL/nosuch")" "https://page.example"
  equals "$(head_value access-control-allow-methods -X OPTIONS "$URL/stream")" "GET, HEAD, OPTIONS"
  contains "$(head_value access-control-expose-headers "$URL/snapshot")" "ETag"
}

# --- snapshots

@test "mjpeg-serve gives the newest frame as a snapshot, byte for byte" {
  with_picture
  part p2.jpg >&7
  eventually shows p2.jpg
  equals "$(head_value content-type "$URL/snapshot")" "image/jpeg"
  equals "$(head_value content-length "$URL/snapshot")" "$(size_of p2.jpg)"
  equals "$(head_value cache-control "$URL/snapshot")" "no-store"
}

@test "mjpeg-serve gives a snapshot the headers of its frame, and the camera's name" {
  one_camera
  part p1.jpg "X-Sequence: 42" 'X-Detections: {"objects":[]}' >&7
  eventually shows p1.jpg
  equals "$(head_value x-sequence "$URL/snapshot")" 42
  equals "$(head_value x-detections "$URL/snapshot")" '{"objects":[]}'
  equals "$(head_value x-camera "$URL/snapshot")" cam
  matches "$(head_value x-timestamp "$URL/snapshot")" '^[0-9]+\.[0-9]{6}$'
}

@test "mjpeg-serve answers 304 to the ETag of the newest frame, and 200 when there is a newer one" {
  with_picture
  local etag
  etag=$(head_value etag "$URL/snapshot")
  equals "$(status_of -H "If-None-Match: $etag" "$URL/snapshot")" 304
  part p2.jpg "X-Sequence: 11" >&7
  eventually shows p2.jpg
  equals "$(status_of -H "If-None-Match: $etag" "$URL/snapshot")" 200
}

@test "mjpeg-serve tells the Age of a snapshot in seconds" {
  one_camera --stale 1h
  part p1.jpg "X-Timestamp: $(($(date +%s) - 100)).000000" >&7
  eventually shows p1.jpg
  local age
  age=$(head_value age "$URL/snapshot")
  at_least "$age" 100
  at_most "$age" 200
}

@test "mjpeg-serve answers 503 and Retry-After before the first frame" {
  one_camera
  equals "$(status_of "$URL/snapshot")" 503
  equals "$(head_value retry-after "$URL/snapshot")" 1
  contains "$(get "$URL/snapshot" | jq -r .error)" "waiting for the first frame"
}

@test "mjpeg-serve ?after= waits for a frame with a higher sequence" {
  with_picture
  start asker curl -s "$URL/snapshot?after=10"
  eventually state_is '.connections.open >= 2' true
  part p2.jpg "X-Sequence: 11" >&7
  ends asker
  same_bytes asker.out p2.jpg
}

@test "mjpeg-serve ?after= answers at once when there is one already" {
  with_picture
  equals "$(get "$URL/snapshot?after=9" | sha1sum | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
}

@test "mjpeg-serve ?max_age= waits for a frame that is fresh enough" {
  one_camera --stale 1h
  part p1.jpg "X-Timestamp: $(($(date +%s) - 1000)).000000" >&7
  eventually shows p1.jpg
  start asker curl -s "$URL/snapshot?max_age=600000"
  eventually state_is '.connections.open >= 2' true
  part p2.jpg >&7
  ends asker
  same_bytes asker.out p2.jpg
}

@test "mjpeg-serve ?max_age= answers at once when the newest is fresh enough" {
  with_picture
  equals "$(get "$URL/snapshot?max_age=3600000" | sha1sum | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
}

# --- stale pictures

ends_with_card() { frames list "$1" | tail -n 1 | grep -q 'card$'; }

@test "mjpeg-serve shows viewers a card before the first frame, marked as one" {
  one_camera
  watch viewer /stream
  eventually has_frames viewer.out 1
  equals "$(frames list viewer.out | head -n 1 | cut -d ' ' -f 5)" card
}

@test "mjpeg-serve answers 503 when the newest frame is older than --stale" {
  one_camera --stale 1s
  watch viewer /stream
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
  eventually answers 503 "$URL/snapshot"
  equals "$(head_value retry-after "$URL/snapshot")" 1
}

@test "mjpeg-serve shows viewers a card in place of a picture older than --stale" {
  one_camera --stale 1s
  watch viewer /stream
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
  eventually ends_with_card viewer.out
  # The card has the size of the picture.
  frames payloads viewer.out >all.mjpeg
  contains "$(frame-stat <all.mjpeg 2>/dev/null)" "160x120"
}

@test "mjpeg-serve takes the card away when frames come again" {
  one_camera --stale 1s
  watch viewer /stream
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
  eventually ends_with_card viewer.out
  part p2.jpg >&7
  eventually has_picture viewer.out p2.jpg
  equals "$(frames list viewer.out | grep -c "$(sum_of p2.jpg)")" 1
}

@test "mjpeg-serve --stale 0s keeps a picture for ever" {
  one_camera --stale 0s
  part p1.jpg "X-Timestamp: 1000000000.000000" >&7
  eventually shows p1.jpg
  equals "$(status_of "$URL/healthz")" 200
}

@test "mjpeg-serve takes an old frame that is held for no fresh one" {
  one_camera
  part p1.jpg "X-Signal: held" >&7
  watch viewer /stream
  eventually has_picture viewer.out p1.jpg
  equals "$(status_of "$URL/snapshot") $(status_of "$URL/healthz")" "503 503"
}

# --- pacing

@test "mjpeg-serve ?fps= gives at most so many frames a second" {
  test_card 60 160x120
  start viewer curl -sN "$URL/stream?fps=5"
  eventually has_frames viewer.out 11
  frames headers viewer.out | jq -r 'select(."x-signal" != "card") | ."x-timestamp"' >captured
  # However busy the machine is: ten frames at five a second are captured over two seconds, less one for what was held.
  jq -e -s '(.[9] - .[0]) > 1.0' captured
}

@test "mjpeg-serve ?fps= shows the last frame of a burst, too" {
  with_picture
  watch viewer '/stream?fps=2'
  eventually has_picture viewer.out p1.jpg
  part p2.jpg >&7
  part p3.jpg >&7
  eventually last_is viewer.out p3.jpg
}

# --- walls, events, figures

two_cameras() {
  fifo_camera 7 one.fifo
  fifo_camera 8 two.fifo
  serve --camera one=one.fifo --camera two=two.fifo
}

@test "mjpeg-serve /wall gives all cameras over one connection, each part with its camera's name" {
  two_cameras
  watch viewer /wall
  part p1.jpg >&7
  part p2.jpg >&8
  eventually has_picture viewer.out p1.jpg
  eventually has_picture viewer.out p2.jpg
  equals "$(frames list viewer.out | grep "^$(sum_of p1.jpg)" | cut -d ' ' -f 4)" one
  equals "$(frames list viewer.out | grep "^$(sum_of p2.jpg)" | cut -d ' ' -f 4)" two
  contains "$(cat viewer.head)" "multipart/mixed; boundary=frame"
}

wall_tells() { frames payloads viewer.out application/json | head -n 1 | jq -e ".cameras | length == $1"; }

@test "mjpeg-serve /wall carries figures as parts of JSON" {
  two_cameras
  watch viewer /wall
  eventually grep -qa "application/json" viewer.out
  eventually wall_tells 2
}

@test "mjpeg-serve /wall?cameras= gives those alone" {
  two_cameras
  watch viewer '/wall?cameras=two'
  part p1.jpg >&7
  eventually shows p1.jpg one
  part p2.jpg >&8
  eventually has_picture viewer.out p2.jpg
  equals "$(frames list viewer.out | cut -d ' ' -f 4 | sort -u)" two
}

@test "mjpeg-serve /events sends figures as server-sent events" {
  two_cameras
  watch viewer /events
  eventually grep -q '^data: ' viewer.out
  contains "$(cat viewer.head)" "text/event-stream"
  equals "$(sed -n 's/^data: //p' viewer.out | head -n 1 | jq -c '[.cameras[].name]')" '["one","two"]'
  equals "$(grep -m 1 '^event: ' viewer.out)" "event: figures"
}

@test "mjpeg-serve /events/NAME speaks of that camera alone" {
  two_cameras
  watch viewer /events/two
  eventually grep -q '^data: ' viewer.out
  equals "$(sed -n 's/^data: //p' viewer.out | head -n 1 | jq -c '[.cameras[].name]')" '["two"]'
}

detections() { grep -A 1 '^event: detections$' "$1" | sed -n 's/^data: //p'; }

@test "mjpeg-serve /events sends the detections of frames that carry them, and skips what is no JSON" {
  two_cameras
  watch viewer /events
  watch other /events/two
  eventually grep -q '^data: ' viewer.out
  eventually grep -q '^data: ' other.out
  part p1.jpg 'X-Sequence: 1' 'X-Detections: {"model":' >&7
  eventually state_is '.cameras[0].sequence' 1
  part p1.jpg 'X-Sequence: 5' 'X-Timestamp: 1763688000.25' 'X-Detections: { "model" : "m", "objects":[{"label":"<é>"}] }' \
    'X-Detections: {"model":"n"}' >&7
  eventually grep -q '^event: detections' viewer.out
  equals "$(detections viewer.out)" '{"camera":"one","sequence":5,"timestamp":1763688000.250000,'$(
  )'"detections":[{"model":"m","objects":[{"label":"<\u00e9>"}]},{"model":"n"}]}'
  part p2.jpg 'X-Sequence: 9' 'X-Detections: {"model":"m"}' >&8
  eventually grep -q '^event: detections' other.out
  equals "$(detections other.out | jq -c '[.camera, .sequence]')" '["two",9]'
}

@test "mjpeg-serve /state tells cameras and viewers in JSON" {
  with_picture
  watch viewer /stream
  eventually state_is '.viewers | length' 1
  equals "$(state '.cameras[0] | [.name, .width, .height, .sequence] | @csv')" '"cam",160,120,10'
  equals "$(state '.viewers[0] | [.kind, .camera, .address] | @csv')" '"stream","cam","127.0.0.1"'
}

lives() {
  part p1.jpg >&7
  state_is '.cameras[0].status' live
}

@test "mjpeg-serve /state tells how a camera fares" {
  one_camera
  equals "$(state '.cameras[0].status')" waiting
  eventually lives
  # Frames have stopped coming.
  eventually state_is '.cameras[0].status' stalled
  eventually lives
}

@test "mjpeg-serve /state counts what was skipped, by reason" {
  one_camera
  printf -- '--frame\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi\r\n' >&7
  part p1.jpg >&7
  eventually shows p1.jpg
  equals "$(state '.cameras[0].skipped."other-type"')" 1
}

@test "mjpeg-serve /state forgets a viewer that has left" {
  with_picture
  watch viewer /stream
  eventually state_is '.viewers | length' 1
  kill "$(pid_of viewer)"
  eventually state_is '.viewers | length' 0
}

@test "mjpeg-serve /metrics are in Prometheus' format" {
  with_picture
  get "$URL/metrics" >metrics
  matches "$(head_value content-type "$URL/metrics")" '^text/plain; version=0\.0\.4'
  run ! grep -vE '^(# (HELP|TYPE) framepipe_[a-z_]+ .+|framepipe_[a-z_]+(\{[^}]*\})? -?[0-9.e+-]+)$' metrics
  # Every sample has its TYPE, every name one TYPE.
  equals "$(grep '^# TYPE' metrics | cut -d ' ' -f 3 | sort | uniq -d)" ""
  grep -v '^#' metrics | sed 's/[{ ].*//; s/_bucket$//; s/_sum$//; s/_count$//' | sort -u >samples
  grep '^# TYPE' metrics | cut -d ' ' -f 3 | sort -u >types
  same_bytes samples types
}

@test "mjpeg-serve /metrics counts frames and tells whether a camera is up" {
  with_picture
  part p2.jpg >&7
  eventually shows p2.jpg
  get "$URL/metrics" >metrics
  has_line metrics 'framepipe_camera_up{camera="cam"} 1'
  has_line metrics 'framepipe_camera_frames_total{camera="cam"} 2'
  has_line metrics '# TYPE framepipe_frame_age_seconds histogram'
}

@test "mjpeg-serve /healthz is 503 before the first frame, and names the camera" {
  one_camera
  equals "$(status_of "$URL/healthz")" 503
  contains "$(get "$URL/healthz" | jq -r .error)" "cam: "
}

@test "mjpeg-serve /healthz is 200 only while each camera has a fresh frame" {
  two_cameras
  part p1.jpg >&7
  eventually shows p1.jpg one
  equals "$(status_of "$URL/healthz")" 503
  part p2.jpg >&8
  eventually shows p2.jpg two
  equals "$(status_of "$URL/healthz")" 200
}

# --- listening

@test "mjpeg-serve listens on a unix socket" {
  fifo_camera 7 cam.fifo
  start server mjpeg-serve --listen "unix:$T/http.sock" --camera cam=cam.fifo
  eventually test -S http.sock
  part p1.jpg >&7
  eventually curl -sf -o snapshot --unix-socket http.sock http://localhost/snapshot
  same_bytes snapshot p1.jpg
}

@test "mjpeg-serve removes its unix socket at the end" {
  fifo_camera 7 cam.fifo
  start server mjpeg-serve --listen "unix:$T/http.sock" --camera cam=cam.fifo
  eventually test -S http.sock
  kill -TERM "$(pid_of server)"
  ends server
  not_there http.sock
}

@test "mjpeg-serve takes the place of a unix socket that a dead process left" {
  fifo_camera 7 cam.fifo
  start server mjpeg-serve --listen "unix:$T/http.sock" --camera cam=cam.fifo
  eventually test -S http.sock
  kill -KILL "$(pid_of server)"
  ends server 137
  start again mjpeg-serve --listen "unix:$T/http.sock" --camera cam=cam.fifo
  eventually curl -sf --unix-socket http.sock http://localhost/state
}

@test "mjpeg-serve listens on several addresses" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --listen "unix:$T/http.sock"
  equals "$(status_of "$URL/state")" 200
  equals "$(status_of --unix-socket http.sock http://localhost/state)" 200
}

@test "mjpeg-serve takes over the socket of systemd's activation" {
  type systemd-socket-activate >/dev/null 2>&1 || skip "systemd-socket-activate is not here"
  fifo_camera 7 cam.fifo
  start server systemd-socket-activate --listen="$T/http.sock" mjpeg-serve --camera cam=cam.fifo
  eventually test -S http.sock
  part p1.jpg >&7
  eventually curl -sf -o snapshot --unix-socket http.sock http://localhost/snapshot
  same_bytes snapshot p1.jpg
}

@test "mjpeg-serve leaves a socket of systemd's activation in its place at the end" {
  type systemd-socket-activate >/dev/null 2>&1 || skip "systemd-socket-activate is not here"
  fifo_camera 7 cam.fifo
  start server systemd-socket-activate --listen="$T/http.sock" mjpeg-serve --camera cam=cam.fifo
  eventually test -S http.sock
  eventually curl -sf --unix-socket http.sock http://localhost/state
  kill -TERM "$(pid_of server)"
  ends server
  there http.sock
}

@test "mjpeg-serve with a port that is taken ends with 69 and a hint" {
  one_camera
  run --separate-stderr mjpeg-serve --listen "${URL#http://}" --camera cam=cam.fifo
  equals "$status ${#stderr_lines[@]}" "69 1"
  contains "$stderr" "Address already in use"
  contains "$stderr" "--listen"
}

@test "mjpeg-serve says loudly that an address beyond loopback has no password" {
  fifo_camera 7 cam.fifo
  start server mjpeg-serve --listen 0.0.0.0:0 --camera cam=cam.fifo
  eventually says server "warning"
  eventually says server "no password"
}

@test "mjpeg-serve with two cameras of one name ends with 64" {
  run --separate-stderr mjpeg-serve --listen 127.0.0.1:0 --camera a=one.fifo --camera a=two.fifo
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "two cameras are called a"
}

@test "mjpeg-serve with a camera's name that cannot stand in a path ends with 64" {
  run --separate-stderr mjpeg-serve --listen 127.0.0.1:0 --camera "a/b=one.fifo"
  equals "$status ${#stderr_lines[@]}" "64 1"
}

@test "mjpeg-serve with a camera's file that does not exist ends with 66" {
  run --separate-stderr mjpeg-serve --listen 127.0.0.1:0 --camera a=nosuch.fifo
  equals "$status" 66
  contains "$stderr" "nosuch.fifo"
}

@test "mjpeg-serve refuses to read frames from a terminal" {
  run script -qec "mjpeg-serve --listen 127.0.0.1:0" /dev/null
  equals "$status" 64
  contains "$output" "standard input is a terminal"
}

# --- where cameras come from

@test "mjpeg-serve reads standard input as the camera 'camera'" {
  fifo_camera 7 in
  serve <in
  part p1.jpg >&7
  eventually shows p1.jpg camera
}

@test "mjpeg-serve reads a FIFO again when another writer comes" {
  mkfifo cam.fifo
  serve --camera cam=cam.fifo
  part p1.jpg >cam.fifo
  eventually shows p1.jpg
  part p2.jpg >cam.fifo
  eventually shows p2.jpg
}

@test "mjpeg-serve reads a unix socket, and connects again when it comes back" {
  serve --camera "cam=unix:$T/cam.sock"
  fifo_camera 7 in.fifo
  start producer frame-rate --input in.fifo --output "unix-listen:$T/cam.sock"
  eventually state_is '.cameras[0].opened' 1
  part p1.jpg >&7
  eventually shows p1.jpg
  kill -KILL "$(pid_of producer)"
  ends producer 137
  start producer frame-rate --input in.fifo --output "unix-listen:$T/cam.sock"
  eventually state_is '.cameras[0].opened' 2
  part p2.jpg >&7
  eventually shows p2.jpg
}

@test "mjpeg-serve listens for a producer on unix-listen:, one after the other" {
  serve --camera "cam=unix-listen:$T/cam.sock"
  eventually test -S cam.sock
  frame-rate --output "unix:$T/cam.sock" < <(part p1.jpg)
  eventually shows p1.jpg
  frame-rate --output "unix:$T/cam.sock" < <(part p2.jpg)
  eventually shows p2.jpg
}

@test "mjpeg-serve listens for a producer on tcp-listen:" {
  # The port is not told: any that is free now will do, and another is tried when it is not free any more.
  local port
  for _ in 1 2 3 4 5; do
    port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    start server mjpeg-serve --listen 127.0.0.1:0 --camera "cam=tcp-listen:127.0.0.1:$port"
    eventually test -s server.err
    says server "http://" && break
  done
  find_url server
  part p1.jpg >/dev/tcp/127.0.0.1/"$port"
  eventually shows p1.jpg
}

@test "mjpeg-serve strips orders to filters from what comes over the network" {
  local port
  port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  serve --camera "cam=tcp-listen:127.0.0.1:$port"
  part p1.jpg "X-Gate: open" "X-Overlay: skeleton=1" "X-Own: kept" >/dev/tcp/127.0.0.1/"$port"
  eventually shows p1.jpg
  equals "$(head_value x-gate "$URL/snapshot")$(head_value x-overlay "$URL/snapshot")$(head_value x-own "$URL/snapshot")" kept
}

child_of_server() { pgrep -P "$(pid_of server)" | head -n 1; }
no_child() { [ -z "$(child_of_server)" ]; }
another_child_than() {
  local now
  now=$(child_of_server)
  [ -n "$now" ] && [ "$now" != "$1" ]
}

@test "mjpeg-serve starts an exec: camera again when it is killed, and its viewers stay" {
  test_card 20 160x120
  watch viewer /stream
  eventually has_frames viewer.out 3
  local child
  child=$(child_of_server)
  kill -KILL -- "-$child"
  eventually another_child_than "$child"
  local had
  had=$(frames count viewer.out)
  eventually has_frames viewer.out $((had + 3))
  alive "$(pid_of viewer)"
  eventually state_is '.cameras[0].opened >= 2' true
}

@test "mjpeg-serve says what became of an exec: camera" {
  serve --camera "cam=exec:exit 7"
  eventually says server "exit code 7; trying again"
}

@test "mjpeg-serve ends its exec: camera with itself" {
  test_card 20 160x120
  eventually answers 200 "$URL/snapshot"
  local child
  child=$(child_of_server)
  kill -TERM "$(pid_of server)"
  ends server
  eventually gone "$child"
}

@test "mjpeg-serve --on-demand runs a camera only while somebody watches" {
  test_card 20 160x120 --on-demand --idle 0s
  equals "$(child_of_server)" ""
  equals "$(state '.cameras[0].status')" idle
  watch viewer /stream
  eventually has_frames viewer.out 3
  [ -n "$(child_of_server)" ]
  kill "$(pid_of viewer)"
  eventually no_child
  eventually state_is '.cameras[0].status' idle
}
@test "mjpeg-serve --on-demand starts a camera for a snapshot" {
  test_card 20 160x120 --on-demand --idle 0s
  equals "$(status_of "$URL/snapshot")" 200
  eventually no_child
}

@test "mjpeg-serve runs a camera on demand that says so itself" {
  serve --camera "cam=exec:camgrab test --size 160x120,on-demand" --idle 0s
  equals "$(state '.cameras[0].status')" idle
  watch viewer /stream
  eventually has_frames viewer.out 3
}

@test "mjpeg-serve takes an idle camera for healthy" {
  test_card 20 160x120 --on-demand
  equals "$(status_of "$URL/healthz")" 200
}

@test "mjpeg-serve refuses standard input on demand with 64" {
  run --separate-stderr mjpeg-serve --listen 127.0.0.1:0 --camera a=-,on-demand </dev/null
  equals "$status ${#stderr_lines[@]}" "64 1"
}

# --- connections

# raw: sends standard input as it is, and prints the answer until the server closes.
raw() {
  local port=${URL##*:}
  timeout "$FP_DEADLINE_S" socat -t "$FP_DEADLINE_S" - "TCP:127.0.0.1:$port"
}

@test "mjpeg-serve closes a connection whose header drips in too slowly" {
  one_camera
  exec 9<>"/dev/tcp/127.0.0.1/${URL##*:}"
  printf 'GET / HTTP/1.1\r\n' >&9
  drip() {
    trap '' PIPE
    while printf 'X-A: 1\r\n' >&9; do sleep 0.2; done 2>/dev/null
  }
  # Ten seconds, then the next drop finds the connection closed.
  drip
  at_least "$SECONDS" 5
}

@test "mjpeg-serve answers 431 to a header of 17 KiB" {
  one_camera
  equals "$(status_of -H "X-Long: $(head -c 17408 /dev/zero | tr '\0' x)" "$URL/")" 431
}

@test "mjpeg-serve answers pipelined requests in their order" {
  with_picture
  {
    printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
    printf 'GET /nosuch HTTP/1.1\r\nHost: localhost\r\n\r\n'
    printf 'GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n'
    printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  } | raw >answers
  equals "$(grep -ao 'HTTP/1.1 [0-9]*' answers | cut -d ' ' -f 2 | xargs)" "200 404 200 200"
}

@test "mjpeg-serve answers pipelined requests behind one that waits, in their order" {
  with_picture
  printf 'GET /snapshot?after=10 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nosuch HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >requests
  start client socat -t "$FP_DEADLINE_S" - "TCP:127.0.0.1:${URL##*:}" <requests
  eventually state_is '.connections.open >= 2' true
  part p2.jpg "X-Sequence: 11" >&7
  ends client
  equals "$(grep -ao 'HTTP/1.1 [0-9]*' client.out | cut -d ' ' -f 2 | xargs)" "200 404"
}

@test "mjpeg-serve answers 400 to what is no HTTP" {
  one_camera
  contains "$(printf 'nonsense\r\n\r\n' | raw | head -n 1)" " 400 "
}

@test "mjpeg-serve answers 400 to an HTTP/1.1 request without Host" {
  one_camera
  contains "$(printf 'GET / HTTP/1.1\r\n\r\n' | raw | head -n 1)" " 400 "
}

@test "mjpeg-serve keeps a connection for the next request" {
  with_picture
  equals "$(curl -s -o /dev/null -o /dev/null -w '%{num_connects} ' "$URL/state" "$URL/healthz")" "1 0 "
}

gets_in() {
  watch "$1" /stream
  grep -q ' 200 ' "$1.head"
}

@test "mjpeg-serve --max-connections turns further viewers away with 503" {
  with_picture --max-connections 2
  # Earlier connections may not have been seen to end yet.
  eventually gets_in one
  eventually gets_in two
  equals "$(status_of "$URL/snapshot")" 503
}

grew() { [ "$(size_of "$1")" -gt "$2" ]; }

@test "mjpeg-serve --stall-timeout closes a viewer that takes not a byte, and others see nothing of it" {
  test_card 60 1280x720 --stall-timeout 3s
  exec 9<>"/dev/tcp/127.0.0.1/${URL##*:}"
  printf 'GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n' >&9
  watch viewer /stream
  eventually state_is '.connections.stalled' 1
  local had
  had=$(size_of viewer.out)
  eventually grew viewer.out "$had"
  eventually state_is '.viewers | length' 1
}

# --- the end

@test "mjpeg-serve ends with 0 on SIGTERM, and each viewer's last frame is whole" {
  test_card 60 640x480
  watch one /stream
  watch two '/stream?framing=advance'
  eventually has_frames one.out 5
  eventually grew two.out 50000
  kill -TERM "$(pid_of server)"
  ends server
  eventually gone "$(pid_of one)"
  eventually gone "$(pid_of two)"
  equals "$(frames tail one.out | wc -c)" 0
  run --separate-stderr frame-stat <two.out
  lacks "$output$stderr" truncated
}

@test "mjpeg-serve ends with 0 on SIGINT" {
  one_camera
  kill -INT "$(pid_of server)"
  ends server
}

@test "mjpeg-serve ends with 0 when its input has ended, and viewers have its last frame" {
  mkfifo in
  exec 7<>in
  serve <in
  watch viewer /stream
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
  part p2.jpg >&7
  exec 7>&-
  ends server
  eventually gone "$(pid_of viewer)"
  last_is viewer.out p2.jpg
}

@test "mjpeg-serve ends with 66 and a hint when its input ends before the first frame" {
  run --separate-stderr mjpeg-serve --listen 127.0.0.1:0 </dev/null
  equals "$status" 66
  contains "$stderr" "before the first frame"
}
