#!/usr/bin/env bats
# What the library that runs networks does on its own account: nothing.

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

@test "the library that runs networks keeps no records of what it ran, to be sent to its makers" {
  mkdir home
  # With an environment of its own: the library is quiet wherever one of CI's variables stands.
  env -i "PATH=$PATH" "HOME=$T/home" "XDG_DATA_HOME=${XDG_DATA_HOME:-$HOME/.local/share}" \
    "FRAMEPIPE_ORT_LIB=${FRAMEPIPE_ORT_LIB-}" "FRAMEPIPE_LIB_DIR=${FRAMEPIPE_LIB_DIR-}" \
    frame-detect -q --model "$FP_ROOT/tests/data/detect/shapes_yolov8_128.onnx" \
    --once "$FP_ROOT/tests/data/detect/shapes5_128x128.jpg" >found
  contains "$(cat found)" '"model":"shapes_yolov8_128"'
  equals "$(find home -mindepth 1)" ""
}
