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
