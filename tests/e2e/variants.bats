#!/usr/bin/env bats
# mjpeg-serve: quality, width and height of a stream, and quality=auto.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

# with_picture SIZE COUNT [ARG...]: the camera `cam`, which shows what is written to descriptor 7, and that is p1.jpg now.
with_picture() {
  make_pictures "$2" "$1"
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h "${@:3}"
  show_next 1
}
# The camera has taken pNUMBER.jpg, with that sequence.
show_next() {
  part "p$1.jpg" "X-Sequence: $1" >&7
  eventually shows "p$1.jpg"
}
metric() { get "$URL/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
ENCODES='framepipe_encodes_total{camera="cam"}'
VARIANTS='framepipe_variants{camera="cam"}'

# The sizes of the pictures that a viewer has got, each once: "640x360".
sizes_in() {
  rm -f picture*.jpg
  frames split "$1" picture
  file picture*.jpg | grep -o ', [0-9]*x[0-9]*,' | tr -d ', ' | sort -u
}
has_size() { sizes_in "$1" | grep -qx "$2"; }
has_sequence() { frames headers "$1" | jq -r '."x-sequence"' | grep -qx "$2"; }
never_goes_back() { frames headers "$1" | jq -r '."x-sequence"' | sort -nc; }

@test "fifty viewers of three variants cost three encodes a frame" {
  with_picture 1280x720 6
  local query number=0 viewer
  for query in 'width=640&n=[1-20]' 'quality=40&n=[21-40]' 'quality=40&width=320&n=[41-50]'; do
    number=$((number + 1))
    start "crowd$number" curl -sN -Z --parallel-immediate --parallel-max 50 "$URL/stream?$query" -o 'viewer#1.frames'
  done
  eventually state_is '[.viewers[] | select(.sent > 0)] | length' 50
  equals "$(state '[.cameras[0].variants[] | [.variant, .viewers]] | sort | tojson')" '[["q40",20],["q40w320",10],["w640",20]]'
  equals "$(metric "$ENCODES")" 3
  for number in 2 3 4 5 6; do
    show_next "$number"
    eventually metric_is "$ENCODES" $((3 * number))
  done
  for viewer in viewer*.frames; do eventually has_sequence "$viewer" 6; done
  # Nothing was made twice, nothing was left out, and nothing comes after it.
  equals "$(metric "$ENCODES")" 18
  equals "$(metric 'framepipe_encode_superseded_total{camera="cam"}')" 0
  equals "$(metric 'framepipe_variant_encodes_total{camera="cam",variant="q40w320"}')" 6
  equals "$(sizes_in viewer1.frames) $(sizes_in viewer21.frames) $(sizes_in viewer50.frames)" "640x360 1280x720 320x180"
  # Viewers of one variant have the very same bytes.
  equals "$(cut -d ' ' -f 1 <(frames list viewer1.frames) | uniq)" "$(cut -d ' ' -f 1 <(frames list viewer20.frames) | uniq)"
}

@test "a variant ends with its last viewer, and its threads with it" {
  with_picture 320x240 3
  watch one '/stream?width=160'
  watch other '/stream?width=160'
  eventually has_size one.out 160x120
  equals "$(metric "$VARIANTS")" 1
  at_least "$(find "/proc/$(pid_of server)/task" -mindepth 1 -maxdepth 1 | wc -l)" 2
  kill "$(pid_of one)"
  eventually state_is '.viewers | length' 1
  equals "$(metric "$VARIANTS")" 1
  kill "$(pid_of other)"
  eventually metric_is "$VARIANTS" 0
  one_thread() { [ "$(find "/proc/$(pid_of server)/task" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]; }
  eventually one_thread
  show_next 2
  show_next 3
  # What was counted stays, and does not grow.
  equals "$(metric "$ENCODES")" 1
}

@test "quality, width and height work under every name of the stream, and the headers stay" {
  with_picture 320x240 1
  local path number=0
  for path in /stream /video /mjpeg /api/camera/stream /stream/cam /video/cam /mjpeg/cam /api/camera/stream/cam '/?action=stream'; do
    number=$((number + 1))
    start "v$number" curl -sN -G -d width=160 -d quality=30 "$URL$path"
    eventually has_size "v$number.out" 160x120 || fails "at $path"
  done
  equals "$(frames headers v1.out | jq -r '[."x-sequence", ."x-camera"] | @csv' | head -n 1)" '"1","cam"'
}

@test "width or height alone keeps the proportions, both are obeyed, and nothing grows" {
  with_picture 320x240 1
  local query wanted number=0
  while read -r query wanted; do
    number=$((number + 1))
    start "v$number" curl -sN "$URL/stream?$query"
    eventually has_frames "v$number.out" 1
    equals "$query $(sizes_in "v$number.out")" "$query $wanted"
  done <<-'END'
	width=80 80x60
	height=120 160x120
	width=100&height=100 100x100
	width=8192&height=8192 320x240
	width=8192 320x240
	width=100&height=8192 100x240
	END
}

@test "a size that the camera has already passes its very bytes on" {
  with_picture 320x240 1
  watch viewer '/stream?width=320'
  eventually has_picture viewer.out p1.jpg
  equals "$(metric "$ENCODES")" 0
}

@test "less quality makes smaller frames" {
  with_picture 320x240 1
  watch good '/stream?quality=95'
  watch bad '/stream?quality=5'
  eventually has_frames good.out 1
  eventually has_frames bad.out 1
  bytes_of() { frames list "$1" | head -n 1 | cut -d ' ' -f 2; }
  at_least "$(bytes_of good.out)" $((2 * $(bytes_of bad.out)))
}

@test "a value that cannot be is answered with 400 and the reason" {
  with_picture 320x240 1
  local query
  for query in quality=0 quality=101 quality=best quality=-1 quality= width=15 width=8193 width=x width=-640 height=15 height=8193 height=1e3 width=99999999999999999999; do
    equals "$query $(status_of "$URL/stream?$query")" "$query 400"
    contains "$(get "$URL/stream?$query" | jq -r .error)" "${query%%=*} must be "
    equals "wall $query $(status_of "$URL/wall?$query")" "wall $query 400"
  done
}

@test "the ninth variant of a camera is answered with 503, the eighth again is not" {
  with_picture 320x240 1
  local number
  for number in 1 2 3 4 5 6 7 8; do watch "v$number" "/stream?quality=$number"; done
  equals "$(metric "$VARIANTS")" 8
  equals "$(status_of "$URL/stream?quality=9") $(status_of "$URL/wall?width=16")" "503 503"
  matches "$(head_value retry-after "$URL/stream?quality=9")" '^[0-9]+$'
  contains "$(get "$URL/stream?quality=9" | jq -r .error)" "q1, q2"
  watch again '/stream?quality=8'
  watch plain /stream
  contains "$(head -n 1 again.head)$(head -n 1 plain.head)" " 200 "
  # There is room again when one has gone.
  kill "$(pid_of v1)"
  eventually metric_is "$VARIANTS" 7
  watch ninth '/stream?quality=9'
  eventually has_frames ninth.out 1
}

@test "snapshots are the camera's own, whatever is watched" {
  with_picture 320x240 1
  watch viewer '/stream?width=80&quality=10'
  eventually has_size viewer.out 80x60
  equals "$(get "$URL/snapshot?width=80" | sha1sum | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
}

@test "a damaged frame in between is left out, counted and said, and stops nothing" {
  with_picture 320x240 2
  watch viewer '/stream?width=160'
  eventually has_sequence viewer.out 1
  { head -c $(($(size_of p2.jpg) / 2)) p2.jpg && printf '\xff\xd9'; } >damaged.jpg
  part damaged.jpg "X-Sequence: 50" >&7
  eventually metric_is 'framepipe_encode_failures_total{camera="cam"}' 1
  part p2.jpg "X-Sequence: 51" >&7
  eventually has_sequence viewer.out 51
  run ! has_sequence viewer.out 50
  says server "frame left out of w160"
  equals "$(state '.cameras[0].variants[0] | [.encoded, .failed] | tojson')" '[2,1]'
}

@test "cards come in the size that was asked for, too" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  watch viewer '/stream?width=160'
  eventually has_size viewer.out 160x120
  equals "$(frames headers viewer.out | jq -r '."x-signal"' | head -n 1)" card
}

@test "/wall?width= makes the pictures of each camera so wide" {
  make_pictures 2 320x240
  fifo_camera 7 one.fifo
  fifo_camera 8 two.fifo
  serve --camera one=one.fifo --camera two=two.fifo --stale 1h
  part p1.jpg >&7
  part p2.jpg >&8
  eventually shows p1.jpg one
  eventually shows p2.jpg two
  watch wall '/wall?width=160&quality=50'
  from() { frames headers wall.out | jq -r '."x-camera"' | grep -qx "$1"; }
  eventually from one
  eventually from two
  equals "$(sizes_in wall.out)" 160x120
  equals "$(state '.viewers[0].variant')" q50w160
}

@test "paced viewers cost no more encodes than the fastest of them wants" {
  serve --camera 'cam=exec:camgrab test --fps 50 --size 160x120'
  eventually state_is '.cameras[0].status' live
  watch one '/stream?width=80&fps=2'
  watch other '/stream?width=80&fps=5'
  eventually has_frames other.out 20
  # Twenty frames of fifty a second, at five a second, are 200 in all.
  at_most "$(metric "$ENCODES")" 60
}

@test "a viewer of a variant has the last frame when the input has ended" {
  make_pictures 2 1280x720
  mkfifo in
  exec 7<>in
  serve --stale 1h <in
  part p1.jpg "X-Sequence: 1" >&7
  watch viewer '/stream?width=640'
  eventually has_sequence viewer.out 1
  part p2.jpg "X-Sequence: 2" >&7
  exec 7>&-
  ends server
  eventually gone "$(pid_of viewer)"
  has_sequence viewer.out 2
}

@test "advance framing goes with variants" {
  with_picture 320x240 1
  watch viewer '/stream?width=160' -H 'Accept: image/avif,*/*;q=0.8'
  eventually grep -qa '^--frame-' viewer.out
  advanced() { [ "$(frames advance viewer.out | wc -l)" -ge 1 ]; }
  eventually advanced
}

@test "quality=auto begins with the best, and says so in /state" {
  with_picture 320x240 1
  watch viewer '/stream?quality=auto&width=160'
  eventually state_is '.viewers[0] | [.auto, .variant, .quality, .width] | tojson' '[true,"q90w160",90,160]'
}

# follows TARGET: a reader that is slow, and fast later.
follows() {
  serve --camera 'cam=exec:camgrab test --fps 20 --size 640x480' -v
  eventually state_is '.cameras[0].status' live
  start reader "$PYTHON" "$SUPPORT/paced_reader.py" "$URL/$1" 50000 "$T/fast"
  FP_DEADLINE_S=120 eventually state_is '(.viewers[0].quality // 100) <= 50' true
  touch fast
  FP_DEADLINE_S=120 eventually state_is '.viewers[0].quality' 90
  # It moves from one variant to the other, and leaves none behind; the log says so to whoever wants to know.
  eventually metric_is "$VARIANTS" 1
  says server "viewer 1: quality 50 at the full size: the reader could take "
}

@test "quality=auto gives a slow reader smaller frames, and the best again when it reads fast" {
  follows 'stream?quality=auto&framing=length'
  bytes() { frames headers reader.out | jq -r '."content-length"'; }
  local best
  best=$(bytes | head -n 1)
  at_most "$(bytes | sort -n | head -n 1)" $((best * 4 / 5))
  good_again() { [ "$(bytes | tail -n 1)" -ge $((best * 4 / 5)) ]; }
  eventually good_again
  never_goes_back reader.out
}

@test "quality=auto works in advance framing, too" {
  follows 'stream?quality=auto&framing=advance'
}

@test "quality=auto works on the wall, too, where it is of all cameras together" {
  follows 'wall?quality=auto'
}
