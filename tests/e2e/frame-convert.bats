#!/usr/bin/env bats
# frame-convert: frames of another size, quality, side up.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

# picture NAME SIZE [CJPEG-OPTION...]: a real encoder's JPEG of ffmpeg's test picture.
picture() {
  ffmpeg -v error -f lavfi -i "testsrc2=size=$2" -frames:v 1 -f image2 -c:v ppm -y "$1.ppm"
  cjpeg -quality 90 "${@:3}" -outfile "$1.jpg" "$1.ppm"
}
# convert JPEG OPTION...: the one frame that comes out is out.jpg.
convert() {
  part "$1" "X-Timestamp: 1763688000.007000" "X-Sequence: 42" "X-Camera: yard" >in
  run --separate-stderr frame-convert "${@:2}" --input in --output out
  equals "$status $output" "0 "
  frames split out out
  mv out1.jpg out.jpg
}
size() { ffprobe -v error -show_entries stream=width,height -of csv=s=x:p=0 "$1"; }
pixel_format() { ffprobe -v error -show_entries stream=pix_fmt -of csv=p=0 "$1"; }
# same_pixels A.jpg B.jpg: to the last bit.
same_pixels() {
  djpeg "$1" >a.ppm
  djpeg "$2" >b.ppm
  same_bytes a.ppm b.ppm
}
# How alike two pictures are, in dB; what ffmpeg calls "inf" is 100.
likeness() {
  ffmpeg -v info -nostats -i "$1" -i "$2" -lavfi psnr -f null - 2>&1 | sed -nE 's/.*average:([0-9a-z]+).*/\1/p' | sed 's/inf/100/'
}
# without_loss ARGUMENT-OF-JPEGTRAN... -- OPTION...: what comes out is what jpegtran makes.
without_loss() {
  local theirs=()
  while [ "$1" != -- ]; do theirs+=("$1") && shift; done
  shift
  convert p.jpg "$@"
  contains "$stderr" "1 frames, 0 re-encoded, 0 dropped"
  jpegtran -perfect -copy all "${theirs[@]}" -outfile theirs.jpg p.jpg
  same_pixels out.jpg theirs.jpg
  equals "$(size out.jpg)" "$(size theirs.jpg)"
}

@test "frame-convert --rotate and --flip are without loss, as jpegtran -perfect" {
  local sample degrees
  for sample in 2x2 2x1 1x1; do
    picture p 320x240 -sample "$sample"
    for degrees in 90 180 270; do without_loss -rotate "$degrees" -- --rotate "$degrees"; done
    without_loss -flip horizontal -- --flip h
    without_loss -flip vertical -- --flip v
    without_loss -transpose -- --rotate 90 --flip h
    without_loss -transverse -- --rotate 90 --flip v
  done
}

@test "frame-convert turns progressive, optimised and gray pictures without loss, too" {
  local kind
  for kind in -progressive -optimize -grayscale; do
    picture p 320x240 "$kind"
    without_loss -rotate 90 -- --rotate 90
  done
}

@test "frame-convert --crop is without loss between blocks, wherever it ends" {
  picture p 320x240
  without_loss -crop 100x77+32+48 -- --crop 100x77+32+48
  without_loss -crop 288x192+32+48 -- --crop 9999x9999+32+48
}

@test "frame-convert --gray is without loss" {
  picture p 333x77
  without_loss -grayscale -- --gray
  equals "$(pixel_format out.jpg)" gray
}

@test "frame-convert turns 1920x1080 without loss where only whole blocks must move" {
  picture p 1920x1080
  without_loss -rotate 270 -- --rotate 270
  without_loss -flip horizontal -- --flip h
}

@test "frame-convert encodes again where blocks are not whole, says why, and counts" {
  picture p 320x232
  run jpegtran -perfect -rotate 90 -outfile theirs.jpg p.jpg
  [ "$status" -ne 0 ]
  convert p.jpg --rotate 90
  equals "$stderr" "frame-convert: frames are decoded and re-encoded: a height of 232 is no multiple of 16
frame-convert: 1 frames, 1 re-encoded, 0 dropped"
  equals "$(size out.jpg)" 232x320
  # The same picture as a real program turns it.
  ffmpeg -v error -i p.jpg -vf transpose=clock -q:v 1 -y theirs.jpg
  at_least "$(likeness out.jpg theirs.jpg | cut -d . -f 1)" 32
}

@test "frame-convert --crop at an odd place shows what ffmpeg shows there" {
  picture p 320x240 -sample 1x1
  convert p.jpg --crop 101x55+33+21 --quality 95
  equals "$(size out.jpg)" 101x55
  ffmpeg -v error -i p.jpg -vf crop=101:55:33:21:exact=1 -q:v 1 -y theirs.png
  at_least "$(likeness out.jpg theirs.png | cut -d . -f 1)" 28
}

@test "frame-convert --width and --height alone keep the proportions and never enlarge" {
  picture p 640x480
  local wanted
  for wanted in "--width 320:320x240" "--height 240:320x240" "--width 333:333x250" "--width 2000:640x480"; do
    # shellcheck disable=SC2086 # an option and its value
    convert p.jpg ${wanted%:*}
    equals "$wanted $(size out.jpg)" "$wanted ${wanted#*:}"
  done
}

@test "frame-convert with --width and --height gives that very size, larger too" {
  picture p 320x240
  convert p.jpg --width 401 --height 101
  equals "$(size out.jpg)" 401x101
  convert p.jpg --width 641 --height 480
  equals "$(size out.jpg)" 641x480
}

@test "frame-convert shrinks as a real scaler does" {
  picture p 1280x720
  local width
  for width in 640 500 333 160; do
    convert p.jpg --width "$width" --quality 95
    ffmpeg -v error -i p.jpg -vf "scale=$(size out.jpg | tr x :):flags=area" -y theirs.png
    at_least "$(likeness out.jpg theirs.png | cut -d . -f 1)" 24
  done
}

@test "frame-convert --quality alone encodes again, for fewer bytes" {
  picture p 640x480
  convert p.jpg --quality 30
  contains "$stderr" "re-encoded: another quality"
  equals "$(size out.jpg)" 640x480
  at_most "$(size_of out.jpg)" $(($(size_of p.jpg) / 2))
}

@test "frame-convert passes what needs no change byte for byte" {
  picture p 320x240
  convert p.jpg --width 320
  same_bytes out.jpg p.jpg
  convert p.jpg
  same_bytes out.jpg p.jpg
}

@test "frame-convert keeps every header of a frame" {
  picture p 320x240
  part p.jpg "X-Timestamp: 1763688000.007000" "X-Sequence: 42" "X-Camera: yard" "X-Signal: held" \
    "X-Trace: camgrab=1.000000" "X-Own: stays" >in
  frame-convert --quality 50 --input in >out
  equals "$(frames headers out | jq -c 'del(."content-length")')" \
    '{"content-type":"image/jpeg","x-timestamp":"1763688000.007000","x-sequence":"42","x-camera":"yard","x-signal":"held","x-trace":"camgrab=1.000000","x-own":"stays"}'
}

@test "frame-convert --trace adds its hop" {
  picture p 320x240
  part p.jpg "X-Trace: camgrab=1.000000" >in
  frame-convert --trace --rotate 90 <in >out
  matches "$(frames headers out | jq -r '."x-trace"')" '^camgrab=1\.000000;frame-convert=[0-9.]+/[0-9.]+$'
}

@test "frame-convert moves X-Detections with the picture" {
  picture p 640x480
  part p.jpg 'X-Detections: {"model":"m","objects":[{"label":"a","box":[10,20,30,40],"keypoints":[[15,25,0.5]]}]}' >in
  frame-convert --width 320 --input in >out
  equals "$(frames headers out | jq -r '."x-detections"')" \
    '{"model":"m","objects":[{"label":"a","box":[5,10,15,20],"keypoints":[[7.5,12.5,0.5]]}]}'
  frame-convert --rotate 90 --input in >out
  equals "$(frames headers out | jq -r '."x-detections"' | jq -c '.objects[0].box')" '[420,10,40,30]'
}

@test "frame-convert leaves X-Detections alone when nothing moves" {
  picture p 320x240
  part p.jpg 'X-Detections: {"objects" : [ {"box":[1.234567,2,3,4]} ]}' >in
  frame-convert --quality 50 --input in >out
  equals "$(frames headers out | jq -r '."x-detections"')" '{"objects" : [ {"box":[1.234567,2,3,4]} ]}'
}

@test "frame-convert drops X-Detections that it cannot read, with one warning, and counts" {
  picture p 320x240
  { part p.jpg "X-Detections: none"; part p.jpg "X-Detections: {"; } >in
  run --separate-stderr frame-convert --width 160 --input in --output out
  equals "$(grep -c "X-Detections dropped" <<<"$stderr")" 1
  contains "$stderr" "2 without their X-Detections"
  equals "$(frames headers out | jq -r '."x-detections"' | xargs)" "null null"
}

@test "frame-convert keeps EXIF where nothing is lost, and drops it where the picture is encoded again" {
  picture p 320x240
  picture thumb 64x48
  # shellcheck source=tests/support/variants.bash
  source "$SUPPORT/variants.bash"
  with_thumbnail p.jpg thumb.jpg >exif.jpg
  convert exif.jpg --rotate 90
  grep -qa Exif out.jpg
  convert exif.jpg --rotate 90 --quality 80
  run ! grep -qa Exif out.jpg
}

@test "frame-convert --text writes the frame's own time into the corner" {
  ffmpeg -v error -f lavfi -i color=white:size=640x480 -frames:v 1 -f image2 -c:v ppm white.ppm
  cjpeg -quality 90 -outfile p.jpg white.ppm
  convert p.jpg --text '%F %T.%{ms} %{camera} %{sequence}'
  contains "$stderr" "re-encoded: text in the picture"
  djpeg -grayscale out.jpg >bottom.pgm
  convert p.jpg --text '%F %T.%{ms} %{camera} %{sequence}' --text-at top-right
  djpeg -grayscale out.jpg >top.pgm
  # shares FILE: how much of each quarter is dark: left top, right top, left bottom, right bottom.
  shares() {
    "$PYTHON" - "$1" <<'END'
import sys
data = open(sys.argv[1], "rb").read()
magic, size, most, pixels = data.split(b"\n", 3)
width, height = map(int, size.split())
for rows in (range(height // 2), range(height // 2, height)):
    for columns in (range(width // 2), range(width // 2, width)):
        print(sum(pixels[y * width + x] < 100 for y in rows for x in columns) > 300, end=" ")
END
  }
  equals "$(shares bottom.pgm | cut -d ' ' -f 1-3)" "False False True"
  equals "$(shares top.pgm | cut -d ' ' -f 2-3)" "True False"
  # Another time, another picture; the same time, the same one.
  convert p.jpg --text '%S'
  cp out.jpg first.jpg
  convert p.jpg --text '%S'
  same_bytes out.jpg first.jpg
  part p.jpg "X-Timestamp: 1763688001.007000" >in
  frame-convert --text '%S' --input in >out
  run ! has_picture out first.jpg
}

@test "frame-convert converts every frame of a file, in order" {
  make_pictures 40
  frame-convert --width 80 <pictures.mjpeg >out
  equals "$(frames headers out | jq -r '."x-sequence"' | xargs)" "$(seq -s ' ' 0 39)"
}

@test "frame-convert --every-frame converts each frame of a pipe" {
  make_pictures 40
  # shellcheck disable=SC2002 # a pipe is what this is about
  cat pictures.mjpeg | frame-convert --every-frame --rotate 180 >out
  equals "$(frames count out)" 40
}

@test "frame-convert converts a live camera, and ends with it" {
  start convert bash -c 'camgrab test --size 320x240 --fps 50 --frames 50 | frame-convert --width 160 --text %T'
  ends convert
  at_least "$(frames count convert.out)" 1
  frames split convert.out c
  equals "$(size c1.jpg)" 160x120
}

@test "frame-convert drops a damaged frame, counts it, and goes on" {
  picture p 320x240
  "$PYTHON" - p.jpg >torn.jpg <<'END'
import sys
data = open(sys.argv[1], "rb").read()
sys.stdout.buffer.write(data[:len(data) // 2] + b"\xff\xd9")
END
  { part torn.jpg; part p.jpg; } >in
  local option
  for option in "--rotate 90" "--width 100" "--gray" "--quality 70"; do
    # shellcheck disable=SC2086 # an option and its value
    run --separate-stderr frame-convert $option --input in --output out
    equals "$status $(frames count out)" "0 1"
    contains "$stderr" "1 dropped (1 damaged)"
  done
}

@test "frame-convert takes padding in front of the end marker for no damage" {
  picture p 320x240
  { head -c -2 p.jpg; printf '\0\0\0\377\331'; } >padded.jpg
  convert padded.jpg --rotate 90
  jpegtran -perfect -rotate 90 -outfile theirs.jpg p.jpg
  same_pixels out.jpg theirs.jpg
}

# What --adaptive says of a reader; $1 is how long that one sleeps for each frame.
@test "frame-convert --adaptive lowers the quality, then the size, for a reader that is slow, and says so" {
  start convert bash -c 'camgrab test --size 640x480 --fps 20 |
    frame-convert --adaptive --min-quality 75 --max-quality 85 |
    while head -c 2000 >/dev/null; do sleep 0.05; done'
  eventually says convert "quality 75 at the full size: the reader could take "
  eventually says convert "quality 75 at half the size: the reader could take "
}

@test "frame-convert --adaptive raises the quality for a reader that is fast" {
  start convert bash -c 'camgrab test --size 320x240 --fps 20 |
    frame-convert --adaptive --quality 50 --max-quality 60 -o exec:"cat >/dev/null"'
  eventually says convert "quality 60 at the full size: the reader could take "
}

@test "frame-convert refuses what cannot be meant, in one line that says what can" {
  local args
  while read -r args; do
    # shellcheck disable=SC2086 # several arguments
    run --separate-stderr frame-convert $args
    equals "$args: $status $output ${#stderr_lines[@]}" "$args: 64  1"
    matches "$stderr" "^frame-convert: .*$(awk '{ print $1 }' <<<"$args")"
  done <<'END'
--crop 100x100
--crop 0x100+0+0
--crop 100x100+-1+0
--rotate 45
--flip x
--quality 0
--width 16385
--text %{nosuch}
--text-at top-left
--min-quality 40
--adaptive --every-frame
--min-quality 80 --max-quality 40 --adaptive
--width 16384 --height 16384
END
}

@test "frame-convert says at the end what it has done" {
  make_pictures 5
  run --separate-stderr frame-convert --width 80 --output none <pictures.mjpeg
  equals "$stderr" "frame-convert: frames are decoded and re-encoded: another size
frame-convert: 5 frames, 5 re-encoded, 0 dropped"
}

@test "frame-convert of nothing is a quiet end" {
  run --separate-stderr frame-convert --rotate 90 </dev/null
  equals "$status $output" "0 "
  equals "$stderr" "frame-convert: 0 frames, 0 re-encoded, 0 dropped"
}

@test "frame-convert ends with 0 on SIGTERM, and on a reader that leaves" {
  fifo_camera 7 in
  start convert frame-convert --input in --rotate 90
  make_pictures 1
  part p1.jpg >&7
  eventually has_frames convert.out 1
  kill -TERM "$(pid_of convert)"
  ends convert
  # shellcheck disable=SC2016 # the inner shell expands it
  start left bash -c 'camgrab test | frame-convert --width 100 | head -c 1000 >/dev/null; exit "${PIPESTATUS[1]}"'
  ends left
}
