#!/usr/bin/env bats
# dirwatch: the newest picture that lands in a directory.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 6
  mkdir d
}
teardown() { clean_up; }

# land PICTURE PATH: as well-behaved producers do it: written elsewhere, renamed into place.
land() {
  cp "$1" landing
  mv landing "$2"
}
# watch_dir [ARG...]: dirwatch on d, ready for what lands there.
watch_dir() {
  start dw dirwatch "$@" d
  eventually inotify_watches dw
}
first_half() { head -c "$(($(size_of "$1") / 2))" "$1"; }
second_half() { tail -c "+$(($(size_of "$1") / 2 + 1))" "$1"; }
# shown PICTURE...: these came out, in this order, and no others.
shown() {
  local wanted="" picture
  for picture in "$@"; do wanted+="$(sum_of "$picture")"$'\n'; done
  equals "$(frames list dw.out | cut -d ' ' -f 1)" "${wanted%$'\n'}"
}

@test "dirwatch names a directory that does not exist, and ends with 66" {
  run --separate-stderr dirwatch NOSUCH
  equals "$status $output" "66 "
  equals "$stderr" "dirwatch: ERROR: NOSUCH does not exist or is not a directory"
}

@test "dirwatch given a file says that it is no directory, and ends with 66" {
  run --separate-stderr dirwatch ./p1.jpg
  equals "$status $output" "66 "
  equals "$stderr" "dirwatch: ERROR: ./p1.jpg does not exist or is not a directory"
}

@test "dirwatch without a directory is a usage error in one line" {
  run --separate-stderr dirwatch
  equals "$status ${#stderr_lines[@]}" "64 1"
}

@test "dirwatch refuses an order that it does not know in one line" {
  run --separate-stderr dirwatch --order colour d
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "arrival|mtime|name|timestamp"
}

@test "dirwatch refuses to write frames to a terminal, and says what to do instead" {
  run script -qec "dirwatch d" /dev/null
  equals "$status" 64
  contains "$output" "terminal"
  contains "$output" "mjpeg-serve"
}

@test "dirwatch shows a file that is renamed into the directory" {
  watch_dir
  land p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch shows a file that was written by cp" {
  watch_dir
  cp p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch shows a hard link" {
  watch_dir
  ln p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch shows a file that is overwritten in place" {
  watch_dir
  cp p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
  cat p2.jpg >d/a.jpg
  eventually has_picture dw.out p2.jpg
}

@test "dirwatch passes the bytes of the file on unchanged" {
  watch_dir
  land p1.jpg d/a.jpg
  eventually has_frames dw.out 1
  frames payloads dw.out >payload
  same_bytes payload p1.jpg
}

@test "dirwatch writes the headers of mjpeg-frames(5), Content-Type and Content-Length first" {
  watch_dir --every-frame
  land p1.jpg d/a.jpg
  land p2.jpg d/b.jpg
  eventually has_frames dw.out 2
  equals "$(frames headers dw.out | jq -c keys_unsorted | sort -u)" '["content-type","content-length","x-timestamp","x-sequence"]'
  equals "$(frames headers dw.out | jq -r '."x-sequence"' | xargs)" "0 1"
}

@test "dirwatch takes .jpg and .jpeg in any case, and no other files" {
  watch_dir --every-frame
  land p6.jpg d/a.txt
  land p6.jpg d/b.png
  land p6.jpg d/c.jpg.tmp
  land p6.jpg d/.hidden.jpg
  land p6.jpg d/jpg
  land p1.jpg d/d.jpg
  land p2.jpg d/e.JPG
  land p3.jpg d/f.jpeg
  land p4.jpg d/g.JpEg
  eventually has_frames dw.out 4
  shown p1.jpg p2.jpg p3.jpg p4.jpg
}

@test "dirwatch is not stopped by a FIFO, a directory or a dangling link called .jpg" {
  watch_dir
  mkfifo d/a.jpg
  mkdir d/b.jpg
  ln -s nowhere d/c.jpg
  land p1.jpg d/d.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch leaves out what was there before" {
  cp p1.jpg d/old.jpg
  watch_dir --every-frame
  land p2.jpg d/new.jpg
  eventually has_picture dw.out p2.jpg
  shown p2.jpg
}

@test "dirwatch --existing begins with the newest that is there" {
  cp p1.jpg d/old.jpg
  watch_dir --existing
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch --existing tells the time of the file, not of its look at it" {
  cp p1.jpg d/old.jpg
  touch -d @1700000000.25 d/old.jpg
  watch_dir --existing
  eventually has_frames dw.out 1
  equals "$(frames headers dw.out | jq -r '."x-timestamp"')" "1700000000.250000"
}

@test "dirwatch --order arrival shows what landed last, whatever its name and time say" {
  watch_dir
  land p1.jpg d/z.jpg
  eventually last_is dw.out p1.jpg
  touch -d 2001-01-01 p2.jpg
  land p2.jpg d/a.jpg
  eventually last_is dw.out p2.jpg
}

@test "dirwatch --order mtime shows the latest modification time" {
  touch -d 2020-01-01 p1.jpg
  touch -d 2022-01-01 p2.jpg
  touch -d 2021-01-01 p3.jpg
  for n in 1 2 3; do cp -p "p$n.jpg" "d/$n.jpg"; done
  watch_dir --existing --order mtime
  eventually has_frames dw.out 1
  shown p2.jpg
}

@test "dirwatch --order name counts numbers by their value" {
  cp p1.jpg d/frame_9.jpg
  cp p2.jpg d/frame_10.jpg
  cp p3.jpg d/frame_1.jpg
  watch_dir --existing --order name
  eventually has_frames dw.out 1
  shown p2.jpg
}

@test "dirwatch --order timestamp shows the latest time in the name" {
  cp p1.jpg d/z_2024-03-01_10-00-00.jpg
  cp p2.jpg d/cam_20250301T100000Z.jpg
  cp p3.jpg d/1700000000.jpg
  watch_dir --existing --order timestamp
  eventually has_frames dw.out 1
  shown p2.jpg
}

@test "dirwatch --order name leaves out what lands with a lower name than the one shown" {
  watch_dir --order name
  land p1.jpg d/frame_10.jpg
  eventually has_picture dw.out p1.jpg
  land p2.jpg d/frame_9.jpg
  land p3.jpg d/frame_11.jpg
  eventually has_picture dw.out p3.jpg
  shown p1.jpg p3.jpg
}

@test "dirwatch --png turns a PNG into a JPEG of the same size" {
  ffmpeg -v error -f lavfi -i testsrc=size=96x64 -frames:v 1 picture.png
  watch_dir --png
  land picture.png d/a.png
  eventually has_frames dw.out 1
  contains "$(frame-stat <dw.out)" "96x64"
}

@test "dirwatch --png takes JPEG files as well" {
  watch_dir --png
  land p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
}

# In these tests z.* is the newest by its name: whatever came of it would come first, and hide a.jpg.

@test "dirwatch --png does not show a PNG that is cut off, and shows it when it is whole" {
  ffmpeg -v error -f lavfi -i testsrc=size=96x64 -frames:v 1 picture.png
  watch_dir --png --order name
  first_half picture.png >d/z.png
  land p1.jpg d/a.jpg
  eventually has_frames dw.out 1
  shown p1.jpg
  second_half picture.png >>d/z.png
  eventually has_frames dw.out 2
}

@test "dirwatch never shows half a JPEG that was closed, and shows the whole one" {
  watch_dir --order name
  first_half p2.jpg >d/z.jpg
  land p1.jpg d/a.jpg
  eventually has_frames dw.out 1
  second_half p2.jpg >>d/z.jpg
  eventually has_frames dw.out 2
  shown p1.jpg p2.jpg
}

@test "dirwatch never shows half a JPEG whose writer keeps it open, and shows the whole one" {
  watch_dir --order name
  exec 7>d/z.jpg
  first_half p2.jpg >&7
  land p1.jpg d/a.jpg
  eventually has_frames dw.out 1
  second_half p2.jpg >&7
  eventually has_frames dw.out 2
  shown p1.jpg p2.jpg
  exec 7>&-
}

@test "dirwatch waits for --settle when a file is not closed" {
  watch_dir --order name --settle 60s
  exec 7>d/z.jpg
  cat p2.jpg >&7
  land p1.jpg d/a.jpg
  eventually has_frames dw.out 1
  shown p1.jpg
  exec 7>&-
  eventually has_frames dw.out 2
  shown p1.jpg p2.jpg
}

@test "dirwatch shows a whole file that its writer never closes once it has settled" {
  watch_dir --settle 50ms
  exec 7>d/a.jpg
  cat p1.jpg >&7
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch shows a settled file once, although its writer closes it later" {
  watch_dir --every-frame
  exec 7>d/a.jpg
  cat p1.jpg >&7
  eventually has_picture dw.out p1.jpg
  exec 7>&-
  land p2.jpg d/b.jpg
  eventually has_picture dw.out p2.jpg
  shown p1.jpg p2.jpg
}

@test "dirwatch counts a file that stays cut off as truncated on standard error" {
  watch_dir
  first_half p1.jpg >d/a.jpg
  eventually says dw "1 truncated"
}

@test "dirwatch counts a file that is no JPEG on standard error" {
  watch_dir
  echo "not a picture at all" >d/a.jpg
  eventually says dw "1 not-jpeg"
}

@test "dirwatch counts a file over --max-frame-bytes on standard error, and goes on" {
  watch_dir --max-frame-bytes 100K
  head -c 200000 /dev/zero >d/a.jpg
  eventually says dw "1 too-large"
  land p1.jpg d/b.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch puts in the Huffman tables that a camera left out" {
  frames strip-tables p1.jpg bare.jpg
  watch_dir
  land bare.jpg d/a.jpg
  eventually has_frames dw.out 1
  lacks "$(frame-stat --doctor <dw.out)" "Huffman"
}

@test "dirwatch cuts off what follows the end of the JPEG" {
  { cat p1.jpg && head -c 1000 /dev/zero; } >padded
  watch_dir
  land padded d/a.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch --keep deletes all older pictures but so many, and nothing else" {
  for n in 1 2 3 4 5 6; do cp "p$n.jpg" "d/f$n.jpg"; done
  touch d/a.txt d/a.png d/.a.jpg d/a.jpg.part
  mkdir d/sub d/a.jpg
  cp p1.jpg d/sub/a.jpg
  watch_dir --existing --order name --keep 2
  eventually test ! -e d/f3.jpg
  eventually test ! -e d/f1.jpg
  eventually test ! -e d/f2.jpg
  equals "$(cd d && find . -mindepth 1 | sort | xargs)" \
    "./.a.jpg ./a.jpg ./a.jpg.part ./a.png ./a.txt ./f4.jpg ./f5.jpg ./f6.jpg ./sub ./sub/a.jpg"
}

@test "dirwatch --keep 0 leaves the picture shown" {
  for n in 1 2 3; do cp "p$n.jpg" "d/f$n.jpg"; done
  watch_dir --existing --order name --keep 0
  eventually test ! -e d/f1.jpg -a ! -e d/f2.jpg
  there d/f3.jpg
}

@test "dirwatch --keep goes on deleting while pictures land" {
  watch_dir --keep 1
  for n in 1 2 3 4 5; do
    land "p$n.jpg" "d/f$n.jpg"
    eventually has_picture dw.out "p$n.jpg"
  done
  eventually test ! -e d/f3.jpg -a ! -e d/f1.jpg -a ! -e d/f2.jpg
  there d/f4.jpg
  there d/f5.jpg
}

@test "dirwatch without --keep deletes nothing" {
  watch_dir
  for n in 1 2 3; do
    land "p$n.jpg" "d/f$n.jpg"
    eventually has_picture dw.out "p$n.jpg"
  done
  kill -TERM "$(pid_of dw)"
  ends dw
  equals "$(find d -type f | wc -l)" 3
}

@test "dirwatch --poll sees files without inotify" {
  cp p1.jpg d/a.jpg
  start dw dirwatch --poll --existing d
  eventually has_picture dw.out p1.jpg
  land p2.jpg d/b.jpg
  eventually has_picture dw.out p2.jpg
  run ! inotify_watches dw
}

@test "dirwatch --poll sees a file that is written again under its name" {
  cp p1.jpg d/a.jpg
  start dw dirwatch --poll --existing d
  eventually has_picture dw.out p1.jpg
  land p2.jpg d/a.jpg
  eventually has_picture dw.out p2.jpg
}

@test "dirwatch goes on when the directory is removed and made again" {
  watch_dir
  land p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
  rm -r d
  eventually says dw "d: the directory was removed"
  mkdir d
  land p2.jpg d/a.jpg
  eventually has_picture dw.out p2.jpg
  land p3.jpg d/b.jpg
  eventually has_picture dw.out p3.jpg
}

@test "dirwatch goes on when another directory is renamed to its name" {
  watch_dir
  mkdir other
  mv d old
  mv other d
  land p1.jpg d/a.jpg
  eventually has_picture dw.out p1.jpg
}

@test "dirwatch of a thousand files at once shows the last" {
  mkdir many
  for n in $(seq 1000 1999); do ln p1.jpg "many/f$n.jpg"; done
  cp p2.jpg many/f2000.jpg
  watch_dir
  mv many/* d/
  eventually last_is dw.out p2.jpg
}

@test "dirwatch of a thousand files at once reads only a few of them" {
  mkdir many
  for n in $(seq 1000 1999); do ln p1.jpg "many/f$n.jpg"; done
  cp p2.jpg many/f2000.jpg
  watch_dir --fps 1
  mv many/* d/
  eventually last_is dw.out p2.jpg
  at_most "$(frames count dw.out)" 30
}

@test "dirwatch --every-frame gives every picture, in the order of their arrival" {
  watch_dir --every-frame
  for n in 3 1 2 6 5 4; do land "p$n.jpg" "d/$n.jpg"; done
  eventually has_frames dw.out 6
  shown p3.jpg p1.jpg p2.jpg p6.jpg p5.jpg p4.jpg
}

@test "dirwatch --frames ends after so many" {
  start dw dirwatch --every-frame --frames 2 d
  eventually inotify_watches dw
  for n in 1 2 3; do land "p$n.jpg" "d/$n.jpg"; done
  ends dw
  shown p1.jpg p2.jpg
}

@test "dirwatch ends with 0 on SIGTERM and says nothing" {
  watch_dir
  kill -TERM "$(pid_of dw)"
  ends dw
  equals "$(cat dw.err)" ""
}

@test "dirwatch ends with 0 on SIGINT" {
  watch_dir
  kill -INT "$(pid_of dw)"
  ends dw
}

@test "dirwatch ends with 0, and says nothing, when its reader is gone" {
  mkfifo out
  # shellcheck disable=SC2016 # for the inner shell
  start dw bash -c 'exec dirwatch "$1" >"$2"' - d out
  exec 7<out
  eventually inotify_watches dw
  exec 7<&-
  land p1.jpg d/a.jpg
  ends dw
  equals "$(cat dw.err)" ""
}
