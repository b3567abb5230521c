#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031  # each test is a subshell, and has its own list of what it started
# scripts/mp4_to_jpg_frames.sh: a video becomes numbered JPEG files, each whole from the moment it has its name.

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
script=$root/scripts/mp4_to_jpg_frames.sh
bin=${FP_BIN:-$root/build/release/bin}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  started=()
}

teardown() {
  local pid
  for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
}

# A clip of $2 seconds at $3 pictures a second.
make_clip() {
  ffmpeg -nostdin -loglevel error -f lavfi -i "testsrc2=size=64x48:rate=$3:duration=$2" -c:v mpeg4 "$1" </dev/null
}

# Runs the script in the background; teardown ends it.
start() {
  "$script" "$@" </dev/null >out 2>err 3>&- &
  started+=("$!")
}

# Waits until so many pictures have landed in a directory that is there already, at most 20 s.
wait_for_pictures() {  # DIR COUNT
  timeout 20 "$bin/dirwatch" "$1" --fps 0 --existing --every-frame --frames "$2" -q -o none
}

count() { find "$1" -name 'frame_*.jpg' | wc -l; }

@test "every picture of the clip gets a number, from 1" {
  make_clip clip.mp4 1 10
  run "$script" clip.mp4 frames 10
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(count frames)" -eq 10 ]
  [ -s frames/frame_000001.jpg ]
  [ -s frames/frame_000010.jpg ]
}

@test "20 pictures a second unless FPS says otherwise" {
  make_clip clip.mp4 1 10
  "$script" clip.mp4 by_default
  "$script" clip.mp4 five 5
  [ "$(count by_default)" -eq 20 ]
  [ "$(count five)" -eq 5 ]
}

@test "DIR is made, with those above it" {
  make_clip clip.mp4 1 5
  "$script" clip.mp4 a/b/c 5
  [ "$(count a/b/c)" -eq 5 ]
}

@test "a second run goes on counting and overwrites nothing" {
  make_clip clip.mp4 1 5
  "$script" clip.mp4 frames 5
  echo mine > frames/frame_000041.jpg
  "$script" clip.mp4 frames 5
  [ "$(cat frames/frame_000041.jpg)" = mine ]
  [ -s frames/frame_000042.jpg ]
  [ "$(count frames)" -eq 11 ]
}

@test "names with spaces, colons, percent signs and a leading dash work" {
  make_clip 'a clip: 100%.mp4' 1 5
  "$script" -- 'a clip: 100%.mp4' '-to %03d:here' 5
  [ "$(count './-to %03d:here')" -eq 5 ]
}

@test "a file that ends in .jpg is whole: it was renamed, and its temporary name is no frame for dirwatch" {
  mkdir frames
  "$bin/dirwatch" frames --fps 0 --every-frame --frames 20 -o seen.mjpeg 2>dirwatch.err 3>&- &
  started+=("$!")
  local watcher=$!
  # dirwatch has its watch when its inotify descriptor is there.
  timeout 20 bash -c "until grep -qs inotify /proc/$watcher/fdinfo/*; do :; done"
  make_clip clip.mp4 1 20
  strace -f -qq -e trace=rename,renameat,renameat2 -o renames "$script" clip.mp4 frames 20 || skip "no strace here"
  [ "$(grep -c '"frames/frame_[0-9]*\.jpg\.tmp", "frames/frame_[0-9]*\.jpg"' <(sed 's/file://g; s/AT_FDCWD, //g' renames))" -eq 20 ]
  wait "$watcher"
  run cat dirwatch.err
  [[ "$output" != *skipped* ]]
}

@test "--loop begins again and goes on counting" {
  make_clip clip.mp4 1 5
  mkdir frames
  start clip.mp4 frames 5 --loop
  wait_for_pictures frames 12
  kill -TERM "${started[0]}"
  wait "${started[0]}"
  [ "$(count frames)" -ge 12 ]
  [ -s frames/frame_000012.jpg ]
}

@test "--realtime keeps the pace of the clip" {
  make_clip clip.mp4 2 10
  local begin=$EPOCHREALTIME
  "$script" clip.mp4 frames 10 --realtime
  local took_ms=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
  [ "$(count frames)" -eq 20 ]
  [ "$took_ms" -ge 1500 ]
}

@test "SIGTERM ends it quietly: exit 0, no words, no half of a picture" {
  mkdir frames
  start testsrc frames 10 --realtime --loop
  wait_for_pictures frames 3
  kill -TERM "${started[0]}"
  wait "${started[0]}"
  [ ! -s err ]
  [ ! -s out ]
  [ -z "$(find frames -name '*.tmp')" ]
}

@test "Ctrl-C on a terminal ends it quietly" {
  command -v script >/dev/null || skip "no script(1) here"
  mkdir frames
  mkfifo keys
  # The shell of script(1) gets the Ctrl-C too: its trap keeps it alive to say how our script ended.
  # A background job has SIGINT ignored, which no trap can undo: env does.
  env --default-signal=INT script -qec "trap : INT; '$script' testsrc frames 10 --realtime --loop; echo status \$?" /dev/null <keys >screen 2>&1 3>&- &
  started+=("$!")
  exec 7>keys
  wait_for_pictures frames 3
  printf '\003' >&7
  timeout 20 tail --pid="$!" -f /dev/null
  exec 7>&-
  grep -q 'status 0' screen
  [ "$(grep -ci -e error -e signal screen)" -eq 0 ]
}

@test "testsrc needs no clip" {
  "$script" testsrc frames 2
  [ "$(count frames)" -eq 20 ]
}

@test "errors are one line and an exit code of sysexits(3)" {
  echo 'no video' > text.mp4
  : > file
  expect() {  # STATUS TEXT ARGUMENT...
    local status_wanted=$1 text=$2
    shift 2
    run "$script" "$@"
    echo "$*: $status: $output"
    [ "$status" -eq "$status_wanted" ] && [ "${#lines[@]}" -eq 1 ] && [[ "$output" == mp4_to_jpg_frames.sh:\ *"$text"* ]]
  }
  expect 64 'see mp4_to_jpg_frames.sh --help'
  expect 64 'see mp4_to_jpg_frames.sh --help' text.mp4
  expect 64 'see mp4_to_jpg_frames.sh --help' text.mp4 frames 20 more
  expect 64 '--fast: no such option' text.mp4 frames --fast
  expect 64 "FPS '0' is no number" text.mp4 frames 0
  expect 64 "FPS 'ten' is no number" text.mp4 frames ten
  expect 64 "FPS '1001' is no number" text.mp4 frames 1001
  expect 65 'text.mp4: Invalid data' text.mp4 frames
  expect 66 'nosuch.mp4: no such file' nosuch.mp4 frames
  expect 73 'file/frames: cannot be made' text.mp4 file/frames
}

@test "without ffmpeg it says so and exits 69" {
  run env PATH=/nonexistent /bin/bash "$script" testsrc frames
  [ "$status" -eq 69 ]
  [[ "$output" == *"ffmpeg is not installed"* ]]
}

@test "--help tells all there is" {
  run "$script" --help
  [ "$status" -eq 0 ]
  for word in INPUT DIR FPS --realtime --loop testsrc .tmp 'exit status'; do [[ "$output" == *"$word"* ]]; done
}
