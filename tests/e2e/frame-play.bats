#!/usr/bin/env bats
# frame-play: recordings again.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

# recording COUNT MILLISECONDS [SECOND]: frames that were captured so far apart.
recording() {
  make_pictures "$1"
  local n
  for ((n = 0; n < $1; ++n)); do
    part "p$((n + 1)).jpg" "X-Timestamp: $((${3:-1763688000} + n * $2 / 1000)).$(printf %06d $((n * $2 % 1000 * 1000)))" "X-Sequence: $n"
  done
}
sequences() { frames headers "$1" | jq -r '."x-sequence"' | xargs; }

# Matroska that frame-record did not write is read by libavformat.
with_libav() {
  ffmpeg -v error -f lavfi -i color=s=32x32:d=0.1 -c:v mjpeg probe.mkv
  run frame-play -o none probe.mkv
  [[ $output != *"libavformat is missing"* ]] || skip "built without libavformat"
}

@test "frame-play gives what frame-record wrote, byte for byte, across all its files" {
  recording 20 250 >in
  frame-record --segment 1s rec <in
  at_least "$(find rec -name '*.mjpeg' | wc -l)" 4
  frame-play --speed max rec >out
  same_bytes out in
}

@test "frame-play twice gives the same bytes, at its own pace too" {
  recording 20 20 >in
  frame-record --segment 100ms rec <in
  frame-play rec >one
  frame-play rec >two
  same_bytes one two
  same_bytes one in
}

@test "frame-play takes as long as the recording did, divided by --speed" {
  recording 6 200 >in
  local before after
  before=$(date +%s%N)
  frame-play in >out
  after=$(date +%s%N)
  at_least $(((after - before) / 1000000)) 1000
  before=$(date +%s%N)
  frame-play --speed 0.5 -o none in
  after=$(date +%s%N)
  at_least $(((after - before) / 1000000)) 2000
}

@test "frame-play --speed max does not wait for the times of a year" {
  recording 3 1000000000 >in
  timeout 20 frame-play --speed max in >out
  equals "$(sequences out)" "0 1 2"
}

@test "frame-play shortens gaps between files to --max-gap" {
  recording 2 10 >a.mjpeg
  recording 2 10 1763700000 >b.mjpeg
  timeout 20 frame-play --max-gap 50ms a.mjpeg b.mjpeg >out
  equals "$(sequences out)" "0 1 0 1"
}

@test "frame-play --from and --to take times and offsets" {
  recording 20 500 >in
  frame-record --segment 2s rec <in
  frame-play --speed max --from 2025-11-21T01:20:02 --to 2025-11-21T01:20:04Z rec >out
  equals "$(sequences out)" "4 5 6 7"
  frame-play --speed max --from +8.5s rec >out
  equals "$(sequences out)" "17 18 19"
  frame-play --speed max --from +1s --to +2s in >out
  equals "$(sequences out)" "2 3"
  TZ=XYZ-1 frame-play --speed max --local --from '2025-11-21 02:20:09' rec >out
  equals "$(sequences out)" "18 19"
}

@test "frame-play finds a place without an index, too" {
  recording 20 500 >in
  frame-record --segment 2s rec <in
  frame-play --speed max --from +3s rec >with
  find rec -name '*.index' -delete
  frame-play --speed max --from +3s rec >without
  same_bytes with without
}

@test "frame-play refuses a time that is none, saying how to write one" {
  recording 1 1 >in
  run --separate-stderr frame-play --from yesterday in
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "2026-11-21T14:03:59"
}

@test "frame-play --loop begins again at the end" {
  recording 3 1 >in
  frame-play --speed max --loop --frames 8 in >out
  equals "$(sequences out)" "0 1 2 0 1 2 0 1"
}

@test "frame-play --now stamps frames as they leave, and counts on" {
  recording 3 1 >in
  local before
  before=$(date +%s)
  frame-play --speed max --now --loop --frames 5 in >out
  equals "$(sequences out)" "0 1 2 3 4"
  at_least "$(frames headers out | head -n 1 | jq -r '."x-timestamp"' | cut -d . -f 1)" "$before"
}

@test "frame-play plays a file of bare JPEGs, the same each time" {
  make_pictures 3
  cat p1.jpg p2.jpg p3.jpg >bare.mjpeg
  frame-play --speed max bare.mjpeg >one
  frame-play --speed max bare.mjpeg >two
  same_bytes one two
  frames payloads one >pictures
  same_bytes pictures bare.mjpeg
}

@test "frame-play gives Matroska of frame-record byte for byte, at its own pace, twice, and from any place" {
  recording 20 20 >in
  frame-record --format mkv --segment 100ms rec <in
  at_least "$(find rec -name '*.mkv' | wc -l)" 4
  frame-play rec >one
  frame-play --speed 4 rec >two
  same_bytes one in
  same_bytes two in
  frame-play --speed max --from +200ms --to +300ms rec >out
  equals "$(sequences out)" "10 11 12 13 14"
  find rec -name '*.index' -delete
  frame-play --speed max --from +200ms --to +300ms rec >without
  same_bytes without out
  frame-play --speed max --loop --frames 45 rec >out
  equals "$(sequences out)" "$(seq -s ' ' 0 19) $(seq -s ' ' 0 19) 0 1 2 3 4"
}

@test "frame-play plays Matroska of ffmpeg: the same pictures, the same each time" {
  with_libav
  ffmpeg -v error -f lavfi -i testsrc=s=160x120:r=10:d=2 -c:v mjpeg -metadata creation_time=2025-11-21T01:20:00Z film.mkv
  frame-play --speed max film.mkv >one
  frame-play --speed max film.mkv >two
  same_bytes one two
  equals "$(frames payloads one | sha1sum)" "$(ffmpeg -v error -i film.mkv -c copy -f image2pipe - | sha1sum)"
  equals "$(sequences one)" "$(seq -s ' ' 0 19)"
  equals "$(frames headers one | sed -n 20p | jq -r '."x-timestamp"')" "1763688001.900000"
  frame-play --speed max --from 2025-11-21T01:20:01 film.mkv >out
  equals "$(sequences out)" "$(seq -s ' ' 10 19)"
}

@test "frame-play gives what ffmpeg has copied of a recording with its headers" {
  with_libav
  make_pictures 2
  part p1.jpg "X-Timestamp: 1763688000.000001" "X-Sequence: 7" "X-Camera: porch" "X-Own: stays" >in
  part p2.jpg "X-Timestamp: 1763688000.040000" "X-Sequence: 8" >>in
  frame-record --format mkv --name a rec <in
  ffmpeg -v error -i rec/a.mkv -c copy copied.mkv
  frame-play --speed max copied.mkv >out
  same_bytes out in
}

@test "frame-play says in one line that a film is no MJPEG, and in a folder passes it over" {
  with_libav
  ffmpeg -v error -f lavfi -i color=s=32x32:d=0.2 -c:v mpeg4 film.mkv
  run --separate-stderr frame-play film.mkv
  equals "$status ${#stderr_lines[@]}" "65 1"
  contains "$stderr" "film.mkv: its video is mpeg4"
  ffmpeg -v error -f lavfi -i sine=d=0.1 sound.mkv
  run --separate-stderr frame-play sound.mkv
  equals "$status ${#stderr_lines[@]}" "65 1"
  recording 3 1 >in
  mkdir both
  cp film.mkv both
  frame-record --format mkv --name a both <in
  frame-play --speed max both >out
  same_bytes out in
}

@test "frame-play of Matroska that is cut or overwritten gives what is whole, and never crashes" {
  with_libav
  ffmpeg -v error -f lavfi -i testsrc=s=160x120:r=10:d=2 -c:v mjpeg film.mkv
  local size cut
  size=$(size_of film.mkv)
  for cut in 4 50 400 2000 $((size / 2)) $((size - 10)); do
    head -c "$cut" film.mkv >cut.mkv
    run timeout 20 frame-play --speed max -o none cut.mkv
    [ "$status" -eq 0 ] || equals "$cut: $status" "$cut: 65"
    cp film.mkv holed.mkv
    dd if=/dev/urandom of=holed.mkv bs=1 seek="$cut" count=300 conv=notrunc status=none
    run timeout 20 frame-play --speed max -o none holed.mkv
    [ "$status" -eq 0 ] || equals "$cut: $status" "$cut: 65"
  done
  head -c $((size / 2)) film.mkv >cut.mkv
  frame-play --speed max cut.mkv >out
  at_least "$(frames count out)" 8
}

@test "frame-play skips what is damaged, and says so" {
  recording 3 1 >in
  head -c 3000 in >damaged
  head -c 100 /dev/zero >>damaged
  cat in >>damaged
  run --separate-stderr bash -c 'frame-play --speed max damaged >out'
  equals "$status" 0
  contains "$stderr" "damaged: skipped "
  contains "$(sequences out)" "0 1 2"
}

@test "frame-play leaves out the file that is being written" {
  recording 3 1 >in
  frame-record --name a rec <in
  fifo_camera 7 fifo
  start rec frame-record --name b --input fifo rec
  part p1.jpg >&7
  eventually test -s rec/.b.mjpeg.part
  frame-play --speed max rec >out
  same_bytes out in
}

@test "frame-play feeds a server like a camera" {
  recording 30 50 >in
  start play frame-play --loop --now -o unix-listen:play.sock in
  eventually test -S play.sock
  serve --camera play=unix:play.sock
  eventually answers 200 "$URL/healthz"
}

@test "frame-play names a recording that does not exist, and ends with 66" {
  run --separate-stderr frame-play nosuch.mjpeg
  equals "$status ${#stderr_lines[@]}" "66 1"
  contains "$stderr" "nosuch.mjpeg"
  mkdir empty
  run --separate-stderr frame-play empty
  equals "$status ${#stderr_lines[@]}" "66 1"
  contains "$stderr" "empty"
}

@test "frame-play of a file without frames ends with 65" {
  echo "no frames" >text
  run --separate-stderr frame-play --speed max -o none text
  equals "$status" 65
}

@test "frame-play refuses to write into what it plays" {
  recording 2 1 >in
  cp in before
  run --separate-stderr frame-play -o in in
  equals "$status" 64
  same_bytes in before
}

@test "frame-play refuses to write frames to a terminal" {
  recording 1 1 >in
  run script -qec "frame-play in" /dev/null
  equals "$status" 64
  contains "$output" "standard output is a terminal"
}

@test "frame-play ends with 0 on SIGTERM, in the middle of a long wait" {
  recording 2 100000000 >in
  start play frame-play in
  eventually has_frames play.out 1
  kill -TERM "$(pid_of play)"
  ends play
}

@test "frame-play ends quietly when its reader does" {
  recording 3 1 >in
  # shellcheck disable=SC2016 # the inner shell expands it
  run --separate-stderr bash -c 'frame-play --loop --speed max in | head -c 10 >/dev/null; exit "${PIPESTATUS[0]}"'
  equals "$status $stderr" "0 "
}
