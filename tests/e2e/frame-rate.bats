#!/usr/bin/env bats
# frame-rate: fewer frames.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

# recording COUNT MILLISECONDS: a file of frames that were captured so far apart.
recording() {
  make_pictures "$1"
  local n
  for ((n = 1; n <= $1; ++n)); do
    part "p$n.jpg" "X-Timestamp: $(((n - 1) * $2 / 1000)).$(printf %06d $(((n - 1) * $2 % 1000 * 1000)))" "X-Sequence: $((n - 1))"
  done
}
sequences() { frames headers "$1" | jq -r '."x-sequence"' | xargs; }

@test "frame-rate --every passes the first of each N frames" {
  make_pictures 10
  frame-rate --every 4 <pictures.mjpeg >out
  equals "$(sequences out)" "0 4 8"
}

@test "frame-rate --every 1 passes all of a file byte for byte" {
  make_pictures 10
  frame-rate --every 1 <pictures.mjpeg >out
  same_bytes out pictures.mjpeg
}

@test "frame-rate --fps thins a recording evenly by its own times" {
  recording 12 100 >in
  frame-rate --fps 5 <in >out
  equals "$(sequences out)" "0 2 4 6 8 10"
}

@test "frame-rate --fps passes all of a recording that is slow enough" {
  recording 6 300 >in
  frame-rate --fps 5 <in >out
  equals "$(sequences out)" "0 1 2 3 4 5"
}

@test "frame-rate --fps 0 is no limit" {
  recording 6 1 >in
  frame-rate --fps 0 <in >out
  equals "$(sequences out)" "0 1 2 3 4 5"
}

@test "frame-rate --fps passes a live frame that nothing follows, too" {
  make_pictures 2
  fifo_camera 7 in
  start rate frame-rate --fps 2 --input in
  part p1.jpg >&7
  eventually has_picture rate.out p1.jpg
  part p2.jpg >&7
  eventually has_picture rate.out p2.jpg
}

@test "frame-rate --fps lets at most so many live frames pass" {
  start rate bash -c 'camgrab test --size 160x120 --fps 100 --frames 200 | frame-rate --fps 10'
  ends rate
  # Two seconds of frames, two hundred; the times say how long they were. Twice the rate is allowed, since a machine
  # that is busy delays the first and not the last.
  local first last
  first=$(frames headers rate.out | head -n 1 | jq -r '."x-timestamp"')
  last=$(frames headers rate.out | tail -n 1 | jq -r '."x-timestamp"')
  at_most "$(frames count rate.out)" "$(jq -n "(($last - $first) * 20 | floor) + 3")"
}

@test "frame-rate --same drops frames that are equal to the last one passed, and only those" {
  make_pictures 2
  for n in 1 1 2 2 1; do part "p$n.jpg"; done >in
  frame-rate --same <in >out
  equals "$(frames list out | cut -d ' ' -f 1 | xargs)" "$(sum_of p1.jpg) $(sum_of p2.jpg) $(sum_of p1.jpg)"
}

@test "frame-rate keeps the headers that it does not know" {
  make_pictures 1
  part p1.jpg "X-Detections: {\"objects\":[]}" "X-Camera: door" "X-Own: stays" "X-Signal: held" >in
  frame-rate <in >out
  equals "$(frames headers out | jq -c '[."x-detections", ."x-camera", ."x-own", ."x-signal"]')" \
    '["{\"objects\":[]}","door","stays","held"]'
}

@test "frame-rate says at the end what it has seen, passed and dropped" {
  make_pictures 10
  run --separate-stderr frame-rate --every 4 --output none <pictures.mjpeg
  equals "$status $output" "0 "
  equals "$stderr" "frame-rate: 10 seen, 3 passed, 7 dropped (70.0 %)"
}

@test "frame-rate counts what it dropped because a newer frame had come with it" {
  make_pictures 50
  run --separate-stderr bash -c 'cat pictures.mjpeg | frame-rate --output none'
  matches "$stderr" '^frame-rate: 50 seen, ([0-9]+) passed, ([0-9]+) dropped'
  equals "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" 50
}

@test "frame-rate --stats says so each time" {
  make_pictures 1
  fifo_camera 7 in
  start rate frame-rate --stats 50ms --input in
  part p1.jpg >&7
  eventually says rate "1 seen, 1 passed, 0 dropped (0.0 %)"
}

@test "frame-rate --frames ends after so many have passed" {
  make_pictures 10
  frame-rate --every 2 --frames 3 <pictures.mjpeg >out
  equals "$(sequences out)" "0 2 4"
}

@test "frame-rate --every-frame passes each frame of a pipe" {
  make_pictures 60
  # shellcheck disable=SC2002 # a pipe is what this is about
  cat pictures.mjpeg | frame-rate --every-frame >out
  same_bytes out pictures.mjpeg
}

@test "frame-rate --trace adds its hop" {
  make_pictures 1
  part p1.jpg "X-Trace: camgrab=1.000000" >in
  frame-rate --trace <in >out
  matches "$(frames headers out | jq -r '."x-trace"')" '^camgrab=1\.000000;frame-rate=[0-9.]+/[0-9.]+$'
}

@test "frame-rate of nothing is a quiet end" {
  run --separate-stderr frame-rate </dev/null
  equals "$status $output" "0 "
  equals "$stderr" "frame-rate: 0 seen, 0 passed, 0 dropped (0.0 %)"
}

@test "frame-rate ends at once when the input ends with the last frame" {
  make_pictures 1
  fifo_camera 7 in
  start rate frame-rate --stats 1h <in
  part p1.jpg >&7
  exec 7>&-
  ends rate
  has_picture rate.out p1.jpg
}

@test "frame-rate names an input that does not exist, and ends with 66" {
  run --separate-stderr frame-rate --input nosuch.mjpeg
  equals "$status ${#stderr_lines[@]}" "66 1"
  contains "$stderr" "nosuch.mjpeg"
}

@test "frame-rate with an input that cannot be understood ends with 64 and one line" {
  run --separate-stderr frame-rate --input tcp:nowhere
  equals "$status $output ${#stderr_lines[@]}" "64  1"
}

@test "frame-rate refuses to read frames from a terminal" {
  run script -qec "frame-rate --output none" /dev/null
  equals "$status" 64
  contains "$output" "standard input is a terminal"
}

@test "frame-rate refuses to write frames to a terminal" {
  make_pictures 1
  run script -qec "frame-rate <pictures.mjpeg" /dev/null
  equals "$status" 64
  contains "$output" "standard output is a terminal"
}

@test "frame-rate ends with 0 on SIGTERM" {
  fifo_camera 7 in
  start rate frame-rate --stats 20ms --input in
  eventually says rate "0 seen"
  kill -TERM "$(pid_of rate)"
  ends rate
}
