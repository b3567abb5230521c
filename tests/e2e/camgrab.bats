#!/usr/bin/env bats
# camgrab: the test card, raw video, files and URLs. (tests/vm has the cameras.)
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

# --- raw video

y4m() { ffmpeg -v error -f lavfi -i "testsrc2=s=160x120:r=25" -frames:v "$1" -pix_fmt "${2:-yuv420p}" -f yuv4mpegpipe -; }

@test "camgrab - encodes each picture of a YUV4MPEG2 file, in order" {
  y4m 12 >raw.y4m
  camgrab - <raw.y4m >out
  equals "$(frames headers out | jq -r '."x-sequence"' | xargs)" "0 1 2 3 4 5 6 7 8 9 10 11"
}

@test "camgrab - encodes what ffmpeg pipes into it, in every sampling" {
  local format
  for format in yuv420p yuv422p yuv444p gray; do
    y4m 3 "$format" | camgrab - --every-frame --quality 95 >"$format.mjpeg"
    equals "$(frames count "$format.mjpeg")" 3
    run ffmpeg -v warning -f mpjpeg -i "$format.mjpeg" -f null -
    equals "$status $output" "0 "
  done
}

@test "camgrab - gives the colours that were put in" {
  ffmpeg -v error -f lavfi -i "color=c=red:s=64x48" -frames:v 1 -pix_fmt yuv420p -f yuv4mpegpipe - |
    camgrab - --quality 95 >out
  frames split out p
  ffmpeg -v error -i p1.jpg -f rawvideo -pix_fmt rgb24 pixels
  run od -An -tu1 -N3 pixels
  matches "$output" '^ *25[0-9] +[0-6] +[0-6]$'
}

@test "camgrab - refuses what is no YUV4MPEG2 with 65 and one line" {
  run --separate-stderr bash -c 'head -c 100000 /dev/zero | camgrab -'
  equals "$status $output ${#stderr_lines[@]}" "65  1"
  contains "$stderr" "camgrab: standard input: no YUV4MPEG2"
}

# --- files and URLs

make_clip() { ffmpeg -v error -f lavfi -i "testsrc2=s=160x120:r=25" -frames:v "$1" clip.mp4; }

@test "camgrab FILE gives each picture of a clip, and ends with 0" {
  make_clip 20
  camgrab clip.mp4 --every-frame >out
  equals "$(frames count out)" 20
}

@test "camgrab FILE scales to --size and holds --fps" {
  make_clip 50
  camgrab clip.mp4 --every-frame --size 80x60 --fps 5 >out
  equals "$(frames count out)" 10
  contains "$(frame-stat <out)" "80x60"
}

@test "camgrab FILE copes with any name of a file" {
  make_clip 3
  mv clip.mp4 "it's a (strange) \$name %d.mp4"
  camgrab "it's a (strange) \$name %d.mp4" --every-frame >out
  equals "$(frames count out)" 3
}

@test "camgrab FILE with what ffmpeg cannot read ends with 65 and ffmpeg's reason" {
  echo "no film" >clip.mp4
  run --separate-stderr camgrab clip.mp4
  equals "$status $output" "65 "
  contains "$stderr" "ffmpeg"
}

@test "camgrab FILE that is not there ends with 66 and one line" {
  run --separate-stderr camgrab ./nosuch.mp4
  equals "$status $output ${#stderr_lines[@]}" "66  1"
  contains "$stderr" "./nosuch.mp4"
}

@test "camgrab URL is opened again when it ends, and its password is nowhere to be seen" {
  make_clip 10
  start web "$PYTHON" "$SUPPORT/basic_auth.py" user s3cr3t
  eventually grep -q . web.out
  start cam camgrab "http://user:s3cr3t@127.0.0.1:$(cat web.out)/clip.mp4" -v
  eventually has_frames cam.out 11
  says cam "trying again"
  local seen
  mapfile -t seen < <(pid_of cam; descendants "$(pid_of cam)")
  contains "$(ps -o args= -p "${seen[*]}")" "camgrab http://***"
  lacks "$(ps -o args= -p "${seen[*]}")" "s3cr3t"
  lacks "$(cat cam.err)" "s3cr3t"
}

@test "camgrab URL that is refused says ffmpeg's reason without the password, and tries again" {
  start web "$PYTHON" "$SUPPORT/basic_auth.py" user other
  eventually grep -q . web.out
  start cam camgrab "http://user:s3cr3t@127.0.0.1:$(cat web.out)/clip.mp4"
  eventually says cam "401"
  eventually says cam "trying again"
  lacks "$(cat cam.err)" "s3cr3t"
}

@test "camgrab URL takes its password from a file" {
  make_clip 5
  start web "$PYTHON" "$SUPPORT/basic_auth.py" user s3cr3t
  eventually grep -q . web.out
  echo "user:s3cr3t" >secret
  camgrab --credentials secret "http://127.0.0.1:$(cat web.out)/clip.mp4" --frames 5 --every-frame >out 2>err
  equals "$(frames count out)" 5
  lacks "$(cat err)" "s3cr3t"
}

# --- cameras, as far as there is none

@test "camgrab names the mend for a device that is not there" {
  run --separate-stderr camgrab /dev/video99
  equals "$status $output ${#stderr_lines[@]}" "66  1"
  contains "$stderr" "camgrab --list"
}

@test "camgrab refuses a device that is no camera" {
  run --separate-stderr camgrab /dev/null
  equals "$status $output ${#stderr_lines[@]}" "69  1"
  contains "$stderr" "/dev/null is not a video device"
}

@test "camgrab refuses a --control that is no NAME=VALUE" {
  run --separate-stderr camgrab 0 --control brightness
  equals "$status $output ${#stderr_lines[@]}" "64  1"
}

@test "camgrab --json is JSON, also without a camera" {
  camgrab --json | jq -e '.devices | type == "array"'
}
