#!/usr/bin/env bats
# frame-record: every frame into files that stay whole.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() {
  if [ -e "$T/mounted" ]; then
    clean_up # whoever writes there ends first
    umount "$T/disk"
  fi
  clean_up
}

# The files of a recording in the order of their names, which is that of time, and the sequence numbers in them.
files() { find "$1" -name '*.mjpeg' -not -name '.*' | sort; }
sequences() { files "$1" | xargs -r cat >all.mjpeg && frames headers all.mjpeg | jq -r '."x-sequence"' | xargs; }
sequences_of() { frames headers "$1" | jq -r '."x-sequence"' | xargs; }
has_recorded() { [ "$(frames count "$1")" -ge "$2" ]; }
# Each file has an index that says where its frames are.
indexes_hold() {
  local file
  while read -r file; do
    equals "$(head -n 1 "$file.index")" "framepipe-index 1"
    equals "$(tail -n 1 "$file.index")" "end $(size_of "$file")"
    equals "$(sed '1d;$d' "$file.index" | awk '{ print $3 }' | xargs)" "$(frames headers "$file" | jq -r '."x-sequence"' | xargs)"
    local offset
    while read -r offset; do
      equals "$(tail -c "+$((offset + 1))" "$file" | head -c 9 | tr -d '\r\n')" "--frame"
    done < <(sed '1d;$d' "$file.index" | awk '{ print $1 }')
  done < <(files "$1")
}
# The same of Matroska; what is in them comes out by frame-play.
films() { find "$1" -name '*.mkv' -not -name '.*' | sort; }
film_sequences() { films "$1" | xargs -r frame-play --speed max --output all.mjpeg && frames headers all.mjpeg | jq -r '."x-sequence"' | xargs; }
# What ffmpeg, which knows nothing of us, finds in a film: SHA1 of all pictures one behind the other.
film_pictures() { ffmpeg -v error -xerror -nostdin -i "$1" -c copy -f image2pipe - | sha1sum | cut -d ' ' -f 1; }
film_shows() { ffprobe -v error -count_packets -show_entries "$2" -of csv=p=0 "$1" | xargs; }
# recording COUNT MILLISECONDS: frames that were captured so far apart, from 2025-11-21 01:20:00 UTC on.
recording() {
  make_pictures "$1"
  local n
  for ((n = 0; n < $1; ++n)); do
    part "p$((n + 1)).jpg" "X-Timestamp: $((1763688000 + n * $2 / 1000)).$(printf %06d $((n * $2 % 1000 * 1000)))" "X-Sequence: $n"
  done
}
# A disk of so many megabytes at ./disk; only root can have one.
small_disk() {
  [ "$EUID" -eq 0 ] || skip "mounting a small disk needs root"
  mkdir disk
  mount -t tmpfs -o "size=$1" tmpfs "$T/disk" 2>/dev/null || skip "no tmpfs can be mounted here"
  touch "$T/mounted"
}

@test "frame-record writes the stream byte for byte, headers too, and an index" {
  make_pictures 3
  part p1.jpg "X-Timestamp: 1763688000.000000" "X-Sequence: 7" "X-Camera: porch" "X-Detections: {\"objects\":[]}" "X-Own: stays" >in
  part p2.jpg "X-Timestamp: 1763688000.040000" "X-Sequence: 8" >>in
  frame-record rec <in
  equals "$(files rec)" "rec/2025-11-21/01-20-00.mjpeg"
  same_bytes rec/2025-11-21/01-20-00.mjpeg in
  indexes_hold rec
  contains "$(cat rec/2025-11-21/01-20-00.mjpeg.index)" " 1763688000.000000 7 porch"
}

@test "frame-record records every frame of a pipe" {
  timeout 60 camgrab test --size 160x120 --fps 200 --frames 300 --every-frame | frame-record rec
  equals "$(sequences rec)" "$(seq -s ' ' 0 299)"
}

@test "frame-record --segment begins a new file after a time" {
  recording 10 250 >in
  frame-record --segment 1s rec <in
  equals "$(files rec | xargs)" "rec/2025-11-21/01-20-00.mjpeg rec/2025-11-21/01-20-01.mjpeg rec/2025-11-21/01-20-02.mjpeg"
  equals "$(frames count rec/2025-11-21/01-20-01.mjpeg)" 4
  cat rec/*/*.mjpeg >out
  same_bytes out in
  indexes_hold rec
}

@test "frame-record --segment begins a new file after a size" {
  recording 10 10 >in
  frame-record --segment 20K rec <in
  at_least "$(files rec | wc -l)" 2
  equals "$(sequences rec)" "0 1 2 3 4 5 6 7 8 9"
}

@test "frame-record refuses a --segment that is neither a time nor a size, saying how to write it" {
  run --separate-stderr frame-record --segment 10x rec
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "10m,500M"
}

@test "frame-record --name calls files as it says, in UTC or local time" {
  recording 1 1 >in
  frame-record --name 'cam-%Y%m%dT%H%M%S' rec <in
  there rec/cam-20251121T012000.mjpeg
  TZ=XYZ-2 frame-record --local --name '%H' local <in
  there local/03.mjpeg
}

@test "frame-record --name that leaves the folder is refused" {
  run --separate-stderr frame-record --name '../%H' rec </dev/null
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "../%H"
}

@test "frame-record never overwrites a file" {
  recording 2 1 >in
  frame-record rec <in
  frame-record rec <in
  equals "$(files rec | xargs)" "rec/2025-11-21/01-20-00.mjpeg rec/2025-11-21/01-20-00_2.mjpeg"
}

@test "frame-record --cameras has a folder for each camera" {
  make_pictures 4
  {
    part p1.jpg "X-Camera: porch"
    part p2.jpg "X-Camera: yard"
    part p3.jpg "X-Camera: porch"
    part p4.jpg "X-Camera: ../../etc"
  } >in
  frame-record --cameras --name a rec <in
  equals "$(files rec | xargs)" "rec/%2E.%2F..%2Fetc/a.mjpeg rec/porch/a.mjpeg rec/yard/a.mjpeg"
  equals "$(frames count rec/porch/a.mjpeg)" 2
}

@test "frame-record records live frames only" {
  make_pictures 3
  {
    part p1.jpg "X-Signal: held"
    part p2.jpg "X-Signal: live"
    part p3.jpg "X-Signal: card"
  } >in
  frame-record --name a rec <in
  equals "$(frames list rec/a.mjpeg | cut -d ' ' -f 1)" "$(sum_of p2.jpg)"
}

@test "frame-record -o passes all frames on, recorded or not" {
  make_pictures 2
  part p1.jpg "X-Sequence: 0" >in
  part p2.jpg "X-Sequence: 1" "X-Signal: card" >>in
  frame-record -o - rec <in >out
  equals "$(frames headers out | jq -r '."x-sequence"' | xargs)" "0 1"
}

@test "frame-record --frames ends after so many have been recorded" {
  make_pictures 5
  frame-record --frames 3 --name a rec <pictures.mjpeg
  equals "$(frames count rec/a.mjpeg)" 3
}

@test "frame-record --keep removes the oldest by size, and nothing of anybody else" {
  mkdir rec
  echo mine >rec/mine.mjpeg
  recording 40 10 >in
  frame-record --segment 10K --keep 60K rec <in
  at_most "$(files rec | grep -v mine | while read -r f; do cat "$f" "$f.index"; done | wc -c)" 61440
  files rec | grep -v mine | xargs cat >kept.mjpeg
  has_picture kept.mjpeg p40.jpg
  equals "$(cat rec/mine.mjpeg)" mine
}

@test "frame-record --keep removes what is too old, with its index and its folder" {
  recording 2 1 >in
  frame-record rec <in
  touch -d '2 days ago' rec/2025-11-21/01-20-00.mjpeg
  camgrab test --size 160x120 --frames 1 | frame-record --keep 1d rec
  not_there rec/2025-11-21
  equals "$(files rec | wc -l)" 1
}

@test "frame-record keeps a file of its own name back until it is whole" {
  fifo_camera 7 in
  make_pictures 2
  start rec frame-record --name a --input in rec
  part p1.jpg >&7
  eventually has_recorded rec/.a.mjpeg.part 1
  not_there rec/a.mjpeg
  kill -TERM "$(pid_of rec)"
  ends rec
  equals "$(frames list rec/a.mjpeg | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
  not_there rec/.a.mjpeg.part
  indexes_hold rec
}

@test "frame-record ends the file of a live source by itself when no more frames come" {
  fifo_camera 7 in
  make_pictures 1
  start rec frame-record --name a --segment 200ms --input in rec
  part p1.jpg >&7
  eventually test -e rec/a.mjpeg
}

# A second apart; where a + stands a person is seen, where an o a dog, and P is a person of another camera.
events() {
  make_pictures "${#1}"
  local n objects camera
  for ((n = 0; n < ${#1}; ++n)); do
    objects="" camera=porch
    case ${1:n:1} in
      +) objects='{"label":"person","confidence":0.8}' ;;
      o) objects='{"label":"dog","confidence":0.6}' ;;
      P) objects='{"label":"person","confidence":0.8}' camera=yard ;;
    esac
    part "p$((n + 1)).jpg" "X-Timestamp: $((1763688000 + n)).000000" "X-Sequence: $n" "X-Camera: $camera" \
      "X-Detections: {\"model\":\"m\",\"objects\":[$objects]}"
  done
}

@test "frame-record --when records events, from --pre before to --post after them, each in a file of its own" {
  events '....+......o..++....' >in
  run --separate-stderr frame-record --when 'person>0.5' --pre 2s --post 1s rec <in
  equals "$(files rec | while read -r file; do sequences_of "$file"; done)" "$(printf '%s\n' '2 3 4 5' '12 13 14 15 16')"
  contains "$stderr" "2 events"
  indexes_hold rec
}
@test "frame-record --when takes any label, other comparisons, and more than one condition" {
  events '..+..o..' >in
  frame-record --when '*' any <in
  equals "$(sequences any)" "2 5"
  frame-record --when '*<0.7' low <in
  equals "$(sequences low)" "5"
  frame-record --when 'cat' --when 'dog>=0.6' either <in
  equals "$(sequences either)" "5"
  frame-record --when 'person>0.8' none <in
  equals "$(files none)" ""
}

@test "frame-record --when with --cameras has events of each camera" {
  events '....P...+' >in
  frame-record --cameras --when person --pre 1s rec <in
  equals "$(sequences rec/porch) $(sequences rec/yard)" "7 8 4"
}

@test "frame-record --when ends an event of a live source by itself when no more frames come" {
  fifo_camera 7 in
  events '+' >event
  start rec frame-record --when person --post 100ms --name a --input in rec
  cat event >&7
  eventually test -e rec/a.mjpeg
}

@test "frame-record refuses a --when that is none, and --pre without it" {
  run --separate-stderr frame-record --when 'person=1' rec
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "person>0.5"
  run --separate-stderr frame-record --pre 10s rec
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "--when"
}

@test "frame-record loses no frame that was written when it is killed, and mends the file at the next start" {
  fifo_camera 7 in
  make_pictures 5
  start rec frame-record --name a --input in rec
  for n in 1 2 3; do part "p$n.jpg" >&7; done
  eventually has_recorded rec/.a.mjpeg.part 3
  kill -KILL "$(pid_of rec)"
  ends rec 137
  head -c 500 p4.jpg >>rec/.a.mjpeg.part
  run --separate-stderr frame-record --name a rec </dev/null
  equals "$status" 0
  contains "$stderr" "mended 1 open segment of 3 frames, without 500 B"
  equals "$(frames list rec/a.mjpeg | cut -d ' ' -f 1 | xargs)" "$(for n in 1 2 3; do sum_of "p$n.jpg"; done | xargs)"
  not_there rec/.a.mjpeg.part
  indexes_hold rec
}

@test "frame-record killed twenty times at random loses none of what it had written" {
  mkfifo in
  local round
  for ((round = 1; round <= 20; ++round)); do
    start "camera$round" bash -c 'exec camgrab test --size 160x120 --fps 200 --every-frame --output in'
    start "rec$round" frame-record --segment 100ms --name "$(printf %02d "$round")-%H%M%S" --input in rec
    eventually bash -c "ls -A rec 2>/dev/null | grep -q '^[.]*$(printf %02d "$round")-'"
    sleep "0.$(printf %03d $((RANDOM % 400)))" # the moment is what is random
    kill -KILL "$(pid_of "rec$round")"
    ends "rec$round" 137
    kill -KILL "$(pid_of "camera$round")"
    ends "camera$round" 137
    # What is in the open file now must be in a whole one later.
    find rec -name '.*.mjpeg.part' | while read -r file; do frames list "$file" || true; done | cut -d ' ' -f 1 >>written
  done
  frame-record rec </dev/null
  equals "$(find rec -name '*.part' | wc -l)" 0
  indexes_hold rec
  files rec | while read -r file; do frames list "$file"; done | cut -d ' ' -f 1 | sort -u >found
  sort -u written | comm -23 - found >lost
  equals "$(wc -l <lost)" 0
  local file
  for file in $(files rec); do equals "$file $(frames tail "$file" | wc -c)" "$file 0"; done
  files rec | head -n 3 | while read -r file; do
    at_least "$(ffprobe -v error -f mpjpeg -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$file")" 1
  done
}

@test "frame-record --format mkv writes the same pictures into Matroska that others play, with all headers" {
  make_pictures 30
  local n
  for ((n = 0; n < 30; ++n)); do
    part "p$((n + 1)).jpg" "X-Timestamp: $((1763688000 + n / 10)).$((n % 10))00000" "X-Sequence: $n" "X-Camera: porch" "X-Detections: {\"objects\":[]}"
  done >in
  frame-record --format mkv rec <in
  equals "$(films rec)" "rec/2025-11-21/01-20-00.mkv"
  local film=rec/2025-11-21/01-20-00.mkv
  equals "$(film_pictures "$film")" "$(frames payloads in | sha1sum | cut -d ' ' -f 1)"
  equals "$(film_shows "$film" stream=codec_name,width,height,avg_frame_rate,nb_read_packets)" "mjpeg,160,120,10/1,30"
  equals "$(film_shows "$film" format=duration)" "3.000000"
  equals "$(film_shows "$film" format_tags=creation_time)" "2025-11-21T01:20:00.000000Z"
  frame-play --speed max rec >out
  same_bytes out in
}

@test "frame-record --format mkv writes films in which ffmpeg finds a place without reading what is in front of it" {
  recording 400 100 >in
  frame-record --format mkv --name a rec <in
  run ffmpeg -nostdin -v debug -ss 38 -i rec/a.mkv -c copy -frames:v 1 -f framemd5 out
  contains "$(tail -n 1 out)" "$(md5sum <p381.jpg | cut -d ' ' -f 1)"
  # What it looks at to find out what a file holds, and then the place.
  at_least "$(size_of rec/a.mkv)" 1900000
  at_most "$(sed -n 's/.*Statistics: \([0-9]*\) bytes read.*/\1/p' <<<"$output" | tail -n 1)" 900000
}

@test "frame-record --format mkv begins a new file where the size of the pictures changes" {
  make_pictures 2 320x240
  mv p1.jpg large1.jpg
  mv p2.jpg large2.jpg
  make_pictures 2
  { part p1.jpg && part p2.jpg && part large1.jpg && part large2.jpg; } >in
  frame-record --format mkv --name a rec <in
  equals "$(films rec | xargs)" "rec/a.mkv rec/a_2.mkv"
  equals "$(film_shows rec/a.mkv stream=width,height,nb_read_packets)" "160,120,2"
  equals "$(film_shows rec/a_2.mkv stream=width,height,nb_read_packets)" "320,240,2"
}

@test "frame-record --format mkv does the rest as with the other format: segments, events, cameras, what is kept" {
  recording 10 250 >in
  frame-record --format mkv --segment 1s timed <in
  equals "$(films timed | xargs)" "timed/2025-11-21/01-20-00.mkv timed/2025-11-21/01-20-01.mkv timed/2025-11-21/01-20-02.mkv"
  equals "$(film_sequences timed)" "$(seq -s ' ' 0 9)"
  events '....+......P..++....' >in
  frame-record --format mkv --when 'person>0.5' --pre 2s --post 1s events <in
  equals "$(film_sequences events)" "2 3 4 5 9 10 11 12 13 14 15 16"
  frame-record --format mkv --cameras --name a cameras <in
  equals "$(films cameras | xargs)" "cameras/porch/a.mkv cameras/yard/a.mkv"
  recording 40 10 >in
  frame-record --format mkv --segment 10K --keep 60K kept <in
  at_most "$(films kept | while read -r f; do cat "$f" "$f.index"; done | wc -c)" 61440
  contains "$(film_sequences kept)" " 39"
}

@test "frame-record --format mkv killed twenty times at random loses no frame that it had written, and all films play" {
  mkfifo in
  local round
  for ((round = 1; round <= 20; ++round)); do
    start "camera$round" bash -c 'exec camgrab test --size 160x120 --fps 200 --every-frame --output in'
    start "rec$round" frame-record --format mkv --segment 100ms --name "$(printf %02d "$round")-%H%M%S" --input in rec
    eventually bash -c "ls -A rec 2>/dev/null | grep -q '^[.]*$(printf %02d "$round")-'"
    sleep "0.$(printf %03d $((RANDOM % 400)))" # the moment is what is random
    kill -KILL "$(pid_of "rec$round")"
    ends "rec$round" 137
    kill -KILL "$(pid_of "camera$round")"
    ends "camera$round" 137
    # What is in the open file now must be in a whole one later.
    find rec -name '.*.mkv.part' | while read -r file; do
      frame-play --quiet --speed max --output open.mjpeg "$file" && frames list open.mjpeg
    done | cut -d ' ' -f 1 >>written || true
  done
  frame-record --format mkv rec </dev/null
  equals "$(find rec -name '*.part' | wc -l)" 0
  at_least "$(wc -l <written)" 20
  frame-play --speed max rec >all.mjpeg
  frames list all.mjpeg | cut -d ' ' -f 1 | sort -u >found
  sort -u written | comm -23 - found >lost
  equals "$(wc -l <lost)" 0
  local film
  for film in $(films rec); do
    equals "$film $(film_shows "$film" stream=nb_read_packets)" "$film $(($(wc -l <"$film.index") - 2))"
    matches "$(film_shows "$film" format=duration)" '^[0-9]+\.[0-9]+$'
    equals "$film $(tail -n 1 "$film.index")" "$film end $(size_of "$film")"
  done
  for film in $(films rec | tail -n 3); do ffmpeg -nostdin -v error -xerror -i "$film" -fps_mode passthrough -f null -; done
}

@test "frame-record --format mkv on a full disk removes the oldest, and what is left plays" {
  small_disk 1M
  camgrab test --size 160x120 --fps 500 --frames 600 --every-frame >in
  run --separate-stderr frame-record --format mkv --min-free 0 --segment 100K disk <in
  equals "$status" 0
  contains "$stderr" "600 frames"
  equals "$(grep -c "the oldest recordings are removed" <<<"$stderr")" 1
  equals "$(film_sequences disk | tr ' ' '\n' | sort -n | tail -n 1)" 599
  local film
  for film in $(films disk); do equals "$film $(film_shows "$film" stream=nb_read_packets)" "$film $(($(wc -l <"$film.index") - 2))"; done
}

@test "frame-record --format mkv on a disk that others have filled goes on in a whole film when there is room" {
  small_disk 1M
  make_pictures 3
  fifo_camera 7 in
  start rec frame-record --format mkv --min-free 0 --name a --input in disk
  part p1.jpg >&7
  eventually test -s disk/.a.mkv.part
  head -c 2M /dev/zero >disk/others 2>/dev/null || true
  more() { part p2.jpg >&7 && says rec "No space left on device; frames are lost"; }
  eventually more
  rm disk/others
  recovers() { part p3.jpg >&7 && says rec "recording again; "; }
  eventually recovers
  kill -TERM "$(pid_of rec)"
  ends rec
  equals "$(film_shows disk/a.mkv stream=nb_read_packets)" "$(sed -n 's/.*frame-record: \([0-9]*\) frames, .*/\1/p' rec.err)"
  has_picture <(frame-play --speed max disk) p3.jpg
}

@test "frame-record refuses a --format that there is none of" {
  run --separate-stderr frame-record --format avi rec
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "mkv"
}

@test "frame-record leaves the open file of another one alone" {
  fifo_camera 7 in
  make_pictures 2
  start rec frame-record --name a --input in rec
  part p1.jpg >&7
  eventually has_recorded rec/.a.mjpeg.part 1
  frame-record --name a rec <p2.jpg
  there rec/.a.mjpeg.part
  part p2.jpg >&7
  exec 7>&-
  kill -TERM "$(pid_of rec)"
  ends rec
  equals "$(frames list rec/a.mjpeg | head -n 1 | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
  equals "$(frames list rec/a_2.mjpeg | cut -d ' ' -f 1)" "$(sum_of p2.jpg)"
}

@test "frame-record on a full disk removes the oldest, says so once, and goes on" {
  small_disk 1M
  camgrab test --size 160x120 --fps 500 --frames 600 --every-frame >in
  at_least "$(size_of in)" 1500000
  run --separate-stderr frame-record --min-free 0 --segment 100K disk <in
  equals "$status" 0
  equals "$(grep -c "the oldest recordings are removed" <<<"$stderr")" 1
  contains "$stderr" "600 frames"
  indexes_hold disk
  # Of many files of one second the names are not in the order of time.
  equals "$(sequences disk | tr ' ' '\n' | sort -n | tail -n 1)" 599
}

@test "frame-record keeps so much of the disk free as --min-free says" {
  small_disk 4M
  camgrab test --size 160x120 --fps 500 --frames 900 --every-frame >in
  frame-record --min-free 3M --segment 100K disk <in
  at_least "$(df --output=avail -k disk | tail -n 1)" 2900
  at_least "$(files disk | wc -l)" 1
}

@test "frame-record on a disk that others have filled loses frames, says so, and records again when there is room" {
  small_disk 1M
  make_pictures 3
  fifo_camera 7 in
  head -c 2M /dev/zero >disk/others 2>/dev/null || true
  start rec frame-record --min-free 0 --input in disk
  part p1.jpg >&7
  eventually says rec "No space left on device; frames are lost"
  rm disk/others
  again() { part p2.jpg >&7 && says rec "recording again; "; }
  eventually again
  kill -TERM "$(pid_of rec)"
  ends rec
  equals "$(grep -c 'frames are lost' rec.err)" 1
  equals "$(sequences disk | wc -w)" "$(sed -n 's/.*frame-record: \([0-9]*\) frames, .*/\1/p' rec.err)"
}

@test "frame-record of a recording ends with 74 when its disk stays full" {
  small_disk 100K
  camgrab test --size 160x120 --fps 500 --frames 100 --every-frame >in
  run --separate-stderr frame-record --min-free 0 disk <in
  equals "$status" 74
  contains "$stderr" "No space left on device"
}

@test "frame-record names a folder that it cannot make, and ends with 73" {
  echo x >file
  run --separate-stderr frame-record file/rec </dev/null
  equals "$status ${#stderr_lines[@]}" "73 1"
  contains "$stderr" "file/rec"
}

@test "frame-record makes its folder" {
  make_pictures 1
  frame-record a/b/c <pictures.mjpeg
  equals "$(files a/b/c | wc -l)" 1
}

@test "frame-record's files play in ffmpeg" {
  camgrab test --size 160x120 --fps 100 --frames 25 --every-frame | frame-record --name a rec
  equals "$(ffprobe -v error -f mpjpeg -count_frames -show_entries stream=width,height,nb_read_frames -of csv=p=0 rec/a.mjpeg)" "160,120,25"
}

@test "frame-record ends with 0 on SIGTERM, and says what it has recorded" {
  fifo_camera 7 in
  make_pictures 1
  start rec frame-record --name a --input in rec
  part p1.jpg >&7
  eventually has_recorded rec/.a.mjpeg.part 1
  kill -TERM "$(pid_of rec)"
  ends rec
  says rec "1 frames, "
}
