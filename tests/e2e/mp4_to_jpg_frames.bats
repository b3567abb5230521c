#!/usr/bin/env bats
# scripts/mp4_to_jpg_frames.sh: a video becomes numbered JPEG files, each whole from the moment it has its name.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  script=$FP_ROOT/scripts/mp4_to_jpg_frames.sh
}
teardown() { clean_up; }

# make_clip NAME SECONDS FPS
make_clip() {
  ffmpeg -nostdin -loglevel error -f lavfi -i "testsrc2=size=64x48:rate=$3:duration=$2" -c:v mpeg4 "$1"
}
pictures_in() { find "./$1" -name 'frame_*.jpg' | wc -l; }
watching() { grep -qs '^inotify wd' "/proc/$(pid_of dw)/fdinfo/"*; }
has_pictures() { [ "$(pictures_in "$1")" -ge "$2" ]; }

@test "mp4_to_jpg_frames writes every picture of the clip, numbered from 1, and says nothing" {
  make_clip clip.mp4 1 10
  run "$script" clip.mp4 frames 10
  equals "$status $output" "0 "
  equals "$(pictures_in frames)" 10
  there frames/frame_000001.jpg
  there frames/frame_000010.jpg
}

@test "mp4_to_jpg_frames writes 20 pictures a second, unless FPS says otherwise" {
  make_clip clip.mp4 1 10
  "$script" clip.mp4 by_default
  "$script" clip.mp4 five 5
  equals "$(pictures_in by_default) $(pictures_in five)" "20 5"
}

@test "mp4_to_jpg_frames makes DIR, and the folders above it" {
  make_clip clip.mp4 1 5
  "$script" clip.mp4 a/b/c 5
  equals "$(pictures_in a/b/c)" 5
}

@test "mp4_to_jpg_frames goes on behind the highest number there is, and overwrites nothing" {
  make_clip clip.mp4 1 5
  "$script" clip.mp4 frames 5
  echo mine >frames/frame_000041.jpg
  "$script" clip.mp4 frames 5
  equals "$(cat frames/frame_000041.jpg)" mine
  there frames/frame_000042.jpg
  equals "$(pictures_in frames)" 11
}

@test "mp4_to_jpg_frames takes names with spaces, colons, percent signs and a dash in front" {
  make_clip './-a clip: 100%.mp4' 1 5
  "$script" -- '-a clip: 100%.mp4' '-to %03d:here' 5
  equals "$(pictures_in '-to %03d:here')" 5
}

@test "mp4_to_jpg_frames: a file whose name ends in .jpg is whole, however early one looks" {
  mkdir frames
  # Looks at each name as soon as it is there; 200 pictures of some 100 KB are written meanwhile.
  start reader "$PYTHON" -c '
import os
seen = set()
while len(seen) < 200:
    for name in os.listdir("frames"):
        if name in seen or not name.endswith(".jpg"):
            continue
        seen.add(name)
        with open("frames/" + name, "rb") as file:
            jpeg = file.read()
        assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9", name + " is not whole"
'
  "$script" testsrc frames 20
  ends reader
}

@test "mp4_to_jpg_frames feeds dirwatch: each picture comes out once, and no temporary file is taken for one" {
  mkdir frames
  start dw dirwatch frames --fps 0 --every-frame --frames 20
  eventually watching
  make_clip clip.mp4 1 20
  "$script" clip.mp4 frames 20
  ends dw
  equals "$(frames list dw.out | cut -d ' ' -f 1)" "$(sha1sum frames/*.jpg | cut -d ' ' -f 1)"
  equals "$(cat dw.err)" ""
}

@test "mp4_to_jpg_frames --loop begins again and goes on counting" {
  make_clip clip.mp4 1 5
  start loop "$script" clip.mp4 frames 5 --loop
  eventually has_pictures frames 12
  kill -TERM "$(pid_of loop)"
  ends loop
  there frames/frame_000012.jpg
}

@test "mp4_to_jpg_frames --realtime keeps the pace of the clip" {
  make_clip clip.mp4 2 10
  local begin_us=${EPOCHREALTIME/./}
  "$script" clip.mp4 frames 10 --realtime
  at_least "$(((${EPOCHREALTIME/./} - begin_us) / 1000))" 1500
  equals "$(pictures_in frames)" 20
}

@test "mp4_to_jpg_frames ends quietly on SIGTERM: status 0, no words, no half of a picture" {
  start run "$script" testsrc frames 10 --realtime --loop
  eventually has_pictures frames 3
  kill -TERM "$(pid_of run)"
  ends run
  equals "$(cat run.err run.out)" ""
  equals "$(find frames -name '*.tmp')" ""
}

@test "mp4_to_jpg_frames ends quietly on Ctrl-C at a terminal" {
  mkfifo keys
  exec 7<>keys
  # The shell of script(1) gets the Ctrl-C too: its trap keeps it alive to say how ours ended. A background job has SIGINT
  # ignored, which no trap can undo: env does.
  start terminal env --default-signal=INT script -qec \
    "trap : INT; '$script' testsrc frames 10 --realtime --loop; echo status \$?" /dev/null <keys
  eventually has_pictures frames 3
  printf '\003' >&7
  eventually printed terminal 'status '
  equals "$(tr -d '\r' <terminal.out)" "^Cstatus 0"
}

@test "mp4_to_jpg_frames testsrc needs no clip" {
  "$script" testsrc frames 2
  equals "$(pictures_in frames)" 20
}

# refuses STATUS TEXT ARGUMENT...: one line with TEXT in it, and this exit code.
refuses() {
  local code=0
  "$script" "${@:3}" 2>words || code=$?
  equals "$code, $(wc -l <words) line" "$1, 1 line"
  contains "$(cat words)" "mp4_to_jpg_frames.sh: "
  contains "$(cat words)" "$2"
}

@test "mp4_to_jpg_frames says what is wrong in one line, with an exit code of sysexits" {
  echo 'no video' >text.mp4
  : >file
  refuses 64 'see mp4_to_jpg_frames.sh --help'
  refuses 64 'see mp4_to_jpg_frames.sh --help' text.mp4
  refuses 64 'see mp4_to_jpg_frames.sh --help' text.mp4 frames 20 more
  refuses 64 '--fast: no such option' text.mp4 frames --fast
  refuses 64 "FPS '0' is no number" text.mp4 frames 0
  refuses 64 "FPS 'ten' is no number" text.mp4 frames ten
  refuses 64 "FPS '1001' is no number" text.mp4 frames 1001
  refuses 65 'text.mp4: Invalid data' text.mp4 frames
  refuses 66 'nosuch.mp4: no such file' nosuch.mp4 frames
  refuses 73 'file/frames: cannot be made' text.mp4 file/frames
}

@test "mp4_to_jpg_frames without ffmpeg says so, and ends with 69" {
  run env PATH=/nonexistent "$BASH" "$script" testsrc frames
  equals "$status" 69
  contains "$output" "ffmpeg is not installed"
}

@test "mp4_to_jpg_frames --help tells of everything" {
  run "$script" --help
  equals "$status" 0
  for word in INPUT DIR FPS --realtime --loop testsrc .tmp 'exit status'; do contains "$output" "$word"; done
}
