#!/usr/bin/env bats
# camgrab: the test card. (Cameras come with their own tests.)
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

@test "camgrab test --frames ends after so many frames" {
  camgrab test --size 160x120 --fps 1000 --frames 7 --every-frame >out
  equals "$(frames count out)" 7
}

@test "camgrab test draws the size asked for" {
  camgrab test --size 322x242 --frames 1 >out
  contains "$(frame-stat <out)" "322x242"
}

@test "camgrab test draws 640x480 when no size is asked for" {
  camgrab test --frames 1 >out
  contains "$(frame-stat <out)" "640x480"
}

@test "camgrab test draws one pixel, too" {
  camgrab test --size 1x1 --frames 1 >out
  contains "$(frame-stat <out)" "1x1"
}

@test "camgrab test moves: no two frames are equal" {
  camgrab test --size 160x120 --fps 1000 --frames 20 --every-frame >out
  equals "$(frames list out | cut -d ' ' -f 1 | sort -u | wc -l)" 20
}

@test "camgrab test counts its frames from 0" {
  camgrab test --size 160x120 --fps 1000 --frames 3 --every-frame >out
  equals "$(frames headers out | jq -r '."x-sequence"' | xargs)" "0 1 2"
}

@test "camgrab test makes JPEGs that djpeg's kin decode without a word" {
  camgrab test --size 160x120 --fps 1000 --frames 3 --every-frame >out
  run ffmpeg -v warning -f mpjpeg -i out -f null -
  equals "$status $output" "0 "
}

@test "camgrab test at a lower quality makes smaller frames" {
  camgrab test --size 160x120 --frames 1 --quality 90 >good
  camgrab test --size 160x120 --frames 1 --quality 10 >bad
  at_least "$(size_of good)" "$(($(size_of bad) * 2))"
}

@test "camgrab --trace notes when the source had the frame" {
  camgrab test --size 160x120 --frames 1 --trace >out
  matches "$(frames headers out | jq -r '."x-trace"')" '^camgrab=[0-9]+\.[0-9]{6}$'
}

@test "camgrab writes to a file that --output names" {
  camgrab test --size 160x120 --frames 2 --every-frame --fps 1000 --output out
  equals "$(frames count out)" 2
}

@test "camgrab serves each subscriber of unix-listen:" {
  start cam camgrab test --size 160x120 --output "unix-listen:$T/cam.sock"
  eventually test -S cam.sock
  frame-stat --input "unix:$T/cam.sock" --frames 2 >one
  frame-stat --input "unix:$T/cam.sock" --frames 2 >two
  contains "$(cat one)" "160x120"
  contains "$(cat two)" "160x120"
}

@test "camgrab refuses to write frames to a terminal, and says what to do instead" {
  run script -qec "camgrab test" /dev/null
  equals "$status" 64
  contains "$output" "camgrab: standard output is a terminal"
  contains "$output" "mjpeg-serve"
}

@test "camgrab without a camera ends with 66 and speaks of camgrab test" {
  run --separate-stderr camgrab
  equals "$status $output" "66 "
  contains "$stderr" "camgrab test"
}

@test "camgrab with an option that it does not know ends with 64 and one line" {
  run --separate-stderr camgrab test --bogus
  equals "$status $output ${#stderr_lines[@]}" "64  1"
  matches "$stderr" "^camgrab: .*--bogus"
}

@test "camgrab with a size that is none ends with 64 and one line" {
  run --separate-stderr camgrab test --size 640
  equals "$status $output ${#stderr_lines[@]}" "64  1"
  contains "$stderr" "'640' is no size"
}

@test "camgrab with an output that it cannot create ends with 73 and names it" {
  run --separate-stderr camgrab test --output "$T/no/such/file"
  equals "$status ${#stderr_lines[@]}" "73 1"
  contains "$stderr" "$T/no/such/file"
}

@test "camgrab ends with 0 on SIGTERM, and its last frame is whole" {
  start cam camgrab test --size 160x120
  eventually has_frames cam.out 3
  kill -TERM "$(pid_of cam)"
  ends cam
  equals "$(frames tail cam.out | wc -c)" 0
}

@test "camgrab ends with 0, and says nothing, when its reader is gone" {
  # shellcheck disable=SC2016 # for the inner shell
  run --separate-stderr bash -c 'camgrab test --size 160x120 | head -c 1000 >/dev/null; exit "${PIPESTATUS[0]}"'
  equals "$status $stderr" "0 "
}

@test "camgrab takes its options from a configuration file" {
  printf 'size = "96x64"\nframes = 1\n' >camgrab.toml
  camgrab test --config camgrab.toml >out
  contains "$(frame-stat <out)" "96x64"
}

@test "camgrab with a configuration file that does not exist ends with 78" {
  run --separate-stderr camgrab test --config nosuch.toml
  equals "$status ${#stderr_lines[@]}" "78 1"
}
