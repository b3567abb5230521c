#!/usr/bin/env bats
# Options of frame-detect that would do nothing: whoever gives one expects something of it.

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  DATA=$FP_ROOT/tests/data/detect
  SHAPES=$DATA/shapes_yolov8_128.onnx
  GESTURES=$DATA/gesture_30x64x64.onnx
}
teardown() { clean_up; }

# refuses WORDS OPTIONS...: usage, and the last line says WORDS.
refuses() {
  local words=$1
  shift
  run -64 frame-detect -q "$@" -o none
  equals "${#lines[@]} ${lines[0]}" "1 frame-detect: $words"
}

@test "options of motion are refused with a network" {
  local option
  for option in '--zone 0,0,1,0,1,1' '--mask m.png' '--min-area 1' '--threshold 20' '--learn 1s'; do
    # shellcheck disable=SC2086 # two words
    refuses "${option%% *} is for --detector motion alone: leave it out" --model "$SHAPES" $option
  done
}

@test "options of networks are refused with motion" {
  local option
  for option in '--iou .4' '--confidence .4' '--threads 2' '--ort-lib x.so' '--skeleton s.txt' '--garment g.png'; do
    # shellcheck disable=SC2086
    refuses "${option%% *} is for networks, and motion needs none: leave it out" --detector motion $option
  done
}

@test "what says how a network is to be read is refused without one to be named" {
  local option
  for option in '--layout yolox' '--labels l.txt' '--keypoints 17' '--input-size 64x64' '--input-range 1' '--input-order bgr'; do
    # shellcheck disable=SC2086
    refuses "${option%% *} is for --model alone: leave it out" --detector face $option
  done
}

@test "options of sequences are refused for a network that looks at pictures" {
  refuses '--window is for a --model of sequences alone: leave it out' --detector motion --window 3s
  local option
  for option in '--window 3s' '--stride 1s' '--features pixels' '--clock-fps 30'; do
    # shellcheck disable=SC2086
    refuses "${option%% *} is for models of sequences, and shapes_yolov8_128 is yolov8: leave it out" --model "$SHAPES" $option
  done
}

@test "what is drawn or has a place is refused for a network of sequences" {
  local option
  for option in '--overlay labels' '--iou .4' '--quality 90' '--skeleton s.txt' '--garment g.png'; do
    # shellcheck disable=SC2086
    refuses "${option%% *}: gesture_30x64x64 is a model of sequences, which finds no places: leave it out" \
      --model "$GESTURES" $option
  done
}

@test "what is for many frames is refused for one picture, and the pace of live frames for a file" {
  refuses '--gate is for many frames, and --once has one: leave it out' --model "$SHAPES" --once "$DATA/shapes5_128x128.jpg" --gate open
  refuses '--passthrough-fps is for what comes live, and every frame of a file is looked at: leave it out' \
    --model "$SHAPES" --passthrough-fps 20 --input "$DATA/none.mjpeg"
}

@test "a file that is read is not written, by name, by another name or as standard input" {
  cp "$DATA/swipe-left.mjpeg" film
  ln film other
  local before
  before=$(sha256sum <film)
  run -64 frame-detect -q --detector motion -i film -o film
  equals "$output" "frame-detect: --output film: is the file that frames are read from, and would be emptied first: name another one"
  run -64 frame-detect -q --detector motion -i film -o other
  # shellcheck disable=SC2094 # that is the mistake
  run -64 frame-detect -q --detector motion -o film <film
  run -64 frame-detect -q --detector motion -i film -o none --json other
  run -64 frame-convert -q --gray -i film -o film
  run -64 frame-rate -q --fps 1 -i film -o film
  equals "$(sha256sum <film)" "$before"
  run -64 frame-detect -q --detector motion -i film -o both --json both
  equals "${lines[0]}" "frame-detect: --json both: is where the frames go, too: name another file"
}

@test "what has no end is no list of names, no mask and no picture, and blocks nobody" {
  mkfifo fifo
  run -65 frame-detect -q --model "$SHAPES" --labels fifo -o none
  equals "$output" "frame-detect: --labels: fifo: is no regular file"
  run -65 frame-detect -q --model "$SHAPES" --labels /dev/zero -o none
  run -65 frame-detect -q --detector motion --mask fifo -o none
  run -65 frame-detect -q --model "$SHAPES" --once fifo
}

@test "the picture of --once goes to a file and nowhere else" {
  local to
  for to in tcp:127.0.0.1:1 'exec:cat'; do
    run -64 frame-detect -q --model "$SHAPES" --once "$DATA/shapes5_128x128.jpg" -o "$to"
    equals "$output" "frame-detect: --output $to: with --once the picture goes to a file: name one"
  done
  run -64 frame-detect -q --model "$SHAPES" --once "$DATA/shapes5_128x128.jpg" -o -
}

@test "windows of frames without times are refused, and --clock-fps mends it" {
  run -65 frame-detect -q --model "$GESTURES" --window 1s -i "$DATA/swipe-left.mjpeg"
  matches "$output" '^frame-detect: --input .*swipe-left.mjpeg: its frames have no times'
  run -0 frame-detect -q --model "$GESTURES" --window 1s --clock-fps 30 -i "$DATA/swipe-left.mjpeg"
  equals "${#lines[@]}" 1
}

@test "a file without a frame is no success" {
  echo 'no picture' >text
  run -65 frame-detect -q --detector motion -i text -o none
  equals "${lines[-1]}" "frame-detect: --input text: there is no frame in it (is it JPEG or MJPEG?)"
}
