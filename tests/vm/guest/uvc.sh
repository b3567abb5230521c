#!/usr/bin/env bash
# The machine with cameras that are plugged in.
set -euo pipefail
# shellcheck source=tests/vm/guest/lib.sh
. "$FP_ROOT/tests/vm/guest/lib.sh"
set +e # a check that fails must not take the others with it

small=/tmp/pictures/small
large=/tmp/pictures/large
sizes=("320x240=$small" "1280x720=$large")

offers_sizes() {
  v4l2-ctl -d "$VIDEO" --list-formats-ext >formats
  contains "$(<formats)" "'MJPG'"
  contains "$(<formats)" "'YUYV'"
  contains "$(<formats)" 320x240
  contains "$(<formats)" 1280x720
}
pictures_arrive() { # SIZE DIR
  capture 6 MJPG "$1"
  frames_are "$2"/*.jpg
}
yuyv_arrives() {
  capture 4 YUYV 320x240
  equals "$(stat -c %s capture.raw)" $((4 * 320 * 240 * 2))
}
controls_are_kept() {
  c brightness=42
  c contrast=7
  v4l2-ctl -d "$VIDEO" -C brightness,contrast >got
  equals "$(tr '\n' ' ' <got)" 'brightness: 42 contrast: 7 '
}
dropped_frames() {
  stream MJPG 320x240
  tell one drop 15
  eventually has_gap 0 0.4
}
swallowed_frames() { # COMMAND
  stream MJPG 320x240
  tell one "$1" 5
  eventually has_gap 5 0.1
}
# Each frame is changed while the command holds, and none after it.
changed_frames() { # COMMAND FILE...
  local command=$1
  shift
  tell one "$command" 1000000
  capture 3 MJPG 320x240
  tell one "$command" 0
  frames_are "$@"
  pictures_arrive 320x240 "$small"
}
truncated() {
  local picture
  for picture in "$small"/*.jpg; do
    head -c $(($(stat -c %s "$picture") / 2)) "$picture" >"${picture##*/}"
  done
  changed_frames trunc ./*.jpg
}
corrupted() {
  tell one corrupt 1000000
  capture 3 MJPG 320x240
  tell one corrupt 0
  frame_sums >got
  at_least "$(wc -l <got)" 1
  sha1sum "$small"/*.jpg | cut -d ' ' -f 1 >wanted
  not grep -qxFf wanted got || fails 'a frame that is not damaged'
  pictures_arrive 320x240 "$small"
}
without_tables() {
  local picture
  for picture in "$small"/*.jpg; do
    python3 "$FP_ROOT/tests/support/frames.py" strip-tables "$picture" "${picture##*/}"
    not cmp -s "$picture" "${picture##*/}" || fails "$picture has no tables to begin with"
  done
  changed_frames notables ./*.jpg
}
padded() {
  local picture
  for picture in "$small"/*.jpg; do
    { cat "$picture"; head -c 1000 /dev/zero; } >"${picture##*/}"
  done
  changed_frames pad ./*.jpg
}
frozen() {
  stream MJPG 320x240
  tell one freeze 1.5
  eventually has_gap 0 1.4
}
no_bandwidth() {
  tell one nospace 1
  capture 1 MJPG 320x240 || true # v4l2-ctl's exit code says nothing
  contains "$(<capture.txt)" 'No space left on device'
  pictures_arrive 320x240 "$small"
}
comes_back() {
  local node=$VIDEO
  tell one unplug 2
  eventually not_there "$node"
  eventually camera one
  VIDEO=$(camera one)
  pictures_arrive 320x240 "$small"
}
unplugged_while_streaming() {
  stream MJPG 320x240
  tell one unplug 1
  eventually stream_ended
  eventually camera one
  VIDEO=$(camera one)
  pictures_arrive 320x240 "$small"
}
two_at_once() {
  plug two 1 "320x240=$large"
  eventually camera one
  [[ $(camera one) != "$(camera two)" ]] || fails 'two cameras at one node'
  mkdir first second
  cd first
  VIDEO=$(camera one) stream MJPG 320x240
  cd ../second
  VIDEO=$(camera two) pictures_arrive 320x240 "$large"
  cd ../first
  eventually has_frames 10
}
error_bit_delivered() {
  unload uvcvideo
  load_uvc nodrop=1
  eventually camera one
  VIDEO=$(camera one)
  stream MJPG 320x240
  tell one err 3
  eventually has_error_flag
}
bulk_stalls() {
  stream MJPG 320x240
  tell bulk stall 5
  eventually has_error_flag
}
leaves() {
  unplug bulk
  eventually node_count_is '*' 0
}

make_pictures "$small" 320x240 4
make_pictures "$large" 1280x720 2
load_uvc
plug one 0 "${sizes[@]}"
check 'uvcsim offers MJPG and YUYV in its sizes' offers_sizes
check 'uvcsim sends the pictures, byte for byte' pictures_arrive 320x240 "$small"
check 'uvcsim sends large pictures, byte for byte' pictures_arrive 1280x720 "$large"
check 'uvcsim sends YUYV, each frame whole' yuyv_arrives
check 'uvcsim keeps its controls' controls_are_kept
check 'uvcsim drop: time passes without a frame' dropped_frames
check 'uvcsim err: sequence numbers are missing' swallowed_frames err
check 'uvcsim empty: sequence numbers are missing' swallowed_frames empty
check 'uvcsim trunc: the first half of a picture arrives' truncated
check 'uvcsim corrupt: other bytes arrive' corrupted
check 'uvcsim notables: pictures arrive without their tables' without_tables
check 'uvcsim pad: zeros arrive behind the picture' padded
check 'uvcsim freeze: time passes without a frame' frozen
check 'uvcsim nospace: the stream does not begin, the next one does' no_bandwidth
check 'uvcsim unplug: the node goes, and comes back' comes_back
VIDEO=$(camera one)
check 'uvcsim unplug: a stream ends, and the camera comes back' unplugged_while_streaming
VIDEO=$(camera one)
check 'uvcsim is there twice, and the serial numbers tell which is which' two_at_once
check 'uvcsim err: with nodrop=1 frames arrive, marked as damaged' error_bit_delivered
unplug one
plug bulk 2 --bulk "${sizes[@]}"
check 'uvcsim --bulk sends the pictures, byte for byte' pictures_arrive 1280x720 "$large"
check 'uvcsim --bulk stall: frames arrive, marked as damaged' bulk_stalls
check 'uvcsim that is unplugged for good takes its node away' leaves
