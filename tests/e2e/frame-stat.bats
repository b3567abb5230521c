#!/usr/bin/env bats
# frame-stat: what a stream is like; every broken server of interop.md is read, and explained.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/variants

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# reads VARIANT: all four pictures come out of it, byte for byte: from a file, and from a pipe that gives a few bytes at
# a time.
reads() {
  variant "$1" p1.jpg p2.jpg p3.jpg p4.jpg >in
  cat p1.jpg p2.jpg p3.jpg p4.jpg >wanted
  frame-stat --pass --every-frame <in >out 2>err
  frames payloads out >got
  same_bytes got wanted
  dd if=in obs=37 status=none | frame-stat --pass --every-frame >out 2>err
  frames payloads out >got
  same_bytes got wanted
}
# doctor VARIANT [TEXT...]: these are among the findings.
doctor() {
  variant "$1" p1.jpg p2.jpg p3.jpg p4.jpg >in
  local findings text
  findings=$(frame-stat --doctor <in)
  for text in "${@:2}"; do contains "$findings" "$text"; done
}

# --- the summary and the figures

@test "frame-stat sums up a recording" {
  run --separate-stderr frame-stat <pictures.mjpeg
  equals "$status" 0
  matches "${lines[0]}" '^4 frames in [0-9.]+ s: [0-9.]+ fps, [0-9.]+ Mbit/s$'
  contains "$output" "picture:  160x120"
  contains "$output" "sequence: 0 missing in 0 gaps, 0 restarts"
  equals "$stderr" ""
}

@test "frame-stat counts every frame of a pipe, also when they come together" {
  camgrab test --size 160x120 --frames 200 --every-frame --fps 1000 >many.mjpeg
  # shellcheck disable=SC2002 # a pipe is what this is about
  run bash -c 'cat many.mjpeg | frame-stat'
  matches "${lines[0]}" '^200 frames '
}

@test "frame-stat makes up no gaps in a pipe" {
  camgrab test --size 160x120 --frames 200 --every-frame --fps 1000 >many.mjpeg
  # shellcheck disable=SC2002 # a pipe is what this is about
  run bash -c 'cat many.mjpeg | frame-stat'
  contains "$output" "sequence: 0 missing in 0 gaps, 0 restarts"
}

@test "frame-stat counts the gaps in X-Sequence and the restarts" {
  for n in 0 1 5 6 2; do part p1.jpg "X-Sequence: $n"; done >in
  contains "$(frame-stat <in)" "sequence: 3 missing in 1 gaps, 1 restarts"
}

@test "frame-stat tells the age by X-Timestamp" {
  part p1.jpg "X-Timestamp: $(($(date +%s) - 100)).000000" >in
  local age
  age=$(frame-stat --json <in | jq '.age_ms.p50 | floor')
  at_least "$age" 99000
  at_most "$age" 200000
}

@test "frame-stat tells the time from hop to hop by X-Trace" {
  part p1.jpg "X-Trace: camgrab=100.000000;frame-detect=100.250000/100.750000" >in
  local figures
  figures=$(frame-stat <in)
  contains "$figures" "camgrab > frame-detect: 250"
  contains "$figures" "frame-detect: 500"
}

@test "frame-stat says what it skipped, by reason" {
  variant cut_off_between p1.jpg >in
  run --separate-stderr frame-stat <in
  contains "$output" "skipped:  1 truncated"
  contains "$stderr" "standard input: skipped 1 truncated"
}

@test "frame-stat --json writes lines that are JSON, with the figures in them" {
  camgrab test --size 160x120 --fps 20 --frames 30 --every-frame | frame-stat --json >out
  at_least "$(wc -l <out)" 2
  while read -r line; do jq -e '.fps >= 0 and .width == 160 and (.age_ms.p99 | type) == "number"' <<<"$line" >/dev/null; done <out
  equals "$(jq -s 'map(.frames) | add' <out)" 30
}

@test "frame-stat --json names the skips" {
  variant cut_off_between p1.jpg >in
  equals "$(frame-stat --json <in 2>/dev/null | jq -c .skipped)" '{"truncated":1}'
}

@test "frame-stat --frames ends after so many" {
  matches "$(frame-stat --frames 2 <pictures.mjpeg)" '^2 frames '
}

@test "frame-stat --pass passes a file byte for byte" {
  frame-stat --pass <pictures.mjpeg >out
  same_bytes out pictures.mjpeg
}

@test "frame-stat --pass --every-frame passes a pipe byte for byte" {
  # shellcheck disable=SC2002 # a pipe is what this is about
  cat pictures.mjpeg | frame-stat --pass --every-frame >out
  same_bytes out pictures.mjpeg
}

@test "frame-stat --pass sums up on standard error" {
  run --separate-stderr bash -c 'frame-stat --pass <pictures.mjpeg >/dev/null'
  matches "$stderr" '^4 frames '
}

@test "frame-stat --pass --json writes its figures to standard error" {
  run --separate-stderr bash -c 'frame-stat --pass --json <pictures.mjpeg >/dev/null'
  equals "$(jq -s 'map(.frames) | add' <<<"$stderr")" 4
}

@test "frame-stat --pass ends with 0 when its reader is gone" {
  # shellcheck disable=SC2016 # for the inner shell
  run bash -c 'camgrab test --size 160x120 | frame-stat --pass | head -c 1000 >/dev/null; exit "${PIPESTATUS[1]}"'
  equals "$status" 0
}

@test "frame-stat sums up on SIGINT and ends with 0" {
  fifo_camera 7 in
  start stat frame-stat --json --input in
  part p1.jpg >&7
  eventually grep -q '"frames":1' stat.out
  kill -INT "$(pid_of stat)"
  ends stat
}

@test "frame-stat of nothing is no error" {
  run --separate-stderr frame-stat </dev/null
  equals "$status" 0
  matches "$output" '^0 frames '
}

@test "frame-stat ends at once when the input ends with the last frame" {
  fifo_camera 7 in
  start stat frame-stat <in
  part p1.jpg >&7
  exec 7>&-
  ends stat
  printed stat "1 frames"
}

@test "frame-stat refuses to read frames from a terminal" {
  run script -qec "frame-stat" /dev/null
  equals "$status" 64
  contains "$output" "standard input is a terminal"
}

@test "frame-stat --doctor and --pass exclude each other" {
  run --separate-stderr frame-stat --doctor --pass </dev/null
  equals "$status ${#stderr_lines[@]}" "64 1"
}

@test "frame-stat shows a live line on a terminal" {
  fifo_camera 7 in
  start stat script -qec "frame-stat <in" /dev/null
  part p1.jpg >&7
  eventually printed stat "160x120"
  exec 7>&-
  ends stat
}

# --- the doctor

@test "frame-stat --doctor finds nothing bad in our own stream" {
  lacks "$(frame-stat --doctor <pictures.mjpeg)" "BAD"
}
@test "frame-stat --doctor --json writes JSON" {
  variant without_type p1.jpg >in
  equals "$(frame-stat --doctor --json <in | jq -r 'map(select(.weight == "bad") | .text) | .[0]')" "1 of 1 parts have no Content-Type"
}
@test "frame-stat --doctor ends with 65 when there is no picture" {
  run frame-stat --doctor <<<"nothing"
  equals "$status" 65
  contains "$output" "no whole JPEG was found"
}
@test "frame-stat --doctor ends by itself after thirty frames of a live stream" {
  start stat bash -c 'camgrab test --size 160x120 --fps 100 | frame-stat --doctor'
  ends stat
}
@test "frame-stat --doctor sees that our own stream sends a line end and no boundary behind each picture" {
  camgrab test --size 160x120 --fps 20 --frames 12 | frame-stat --doctor --frames 10 >out
  contains "$(cat out)" "a line end, and no boundary, follows each JPEG at once"
}
@test "frame-stat --doctor names the status of an answer that is no stream" {
  printf 'HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<html>' >in
  run frame-stat --doctor <in
  contains "$output" "the server answered with status 404"
}
@test "frame-stat --doctor finds a Content-Type that no browser takes" { doctor wrong_type "Content-Type is 'text/html" "multipart/x-mixed-replace"; }
@test "frame-stat --doctor finds a boundary announced with its dashes" { doctor announced_with_dashes "the boundary is announced with its dashes ('--frame')"; }
@test "frame-stat --doctor finds a boundary that is not the one announced" { doctor announced_other "the boundary announced is 'other', the one used 'frame'"; }
@test "frame-stat --doctor finds that no boundary is announced" { doctor not_announced "no boundary is announced"; }
@test "frame-stat --doctor finds text in front of the first boundary" { doctor preamble "text stands in front of the first boundary"; }
@test "frame-stat --doctor finds parts without Content-Type" { doctor without_type "4 of 4 parts have no Content-Type"; }
@test "frame-stat --doctor finds parts without Content-Length" { doctor without_length "4 of 4 parts have no Content-Length" "one frame late"; }
@test "frame-stat --doctor finds parts without any header" { doctor without_headers "4 of 4 parts have no Content-Type" "4 of 4 parts have no Content-Length"; }
@test "frame-stat --doctor finds lengths that are too small" { doctor length_too_small "4 Content-Lengths are wrong"; }
@test "frame-stat --doctor finds lengths that are too large" { doctor length_too_large "Content-Lengths are wrong"; }
@test "frame-stat --doctor finds lines that end in LF alone" { doctor lf_with_length "header lines end in LF alone"; }
@test "frame-stat --doctor finds that LF without a length is one endless frame to ffmpeg" { doctor lf_without_length "LF alone" "one endless frame"; }
@test "frame-stat --doctor finds closing boundaries between parts" { doctor closing_as_separator "the closing boundary (--b--) stands between parts"; }
@test "frame-stat --doctor finds boundaries with no line end in front" { doctor without_line "boundaries follow the JPEG with no line end between"; }
@test "frame-stat --doctor finds JPEGs with no multipart around them" { doctor bare "JPEGs follow each other with no multipart around them"; }
@test "frame-stat --doctor finds bytes behind the end of the JPEGs" { doctor padded "4 parts have bytes behind the end of their JPEG"; }
@test "frame-stat --doctor finds pictures that were cut off" { doctor cut_off_between "4 pictures were cut off"; }
@test "frame-stat --doctor finds that there is no X-Timestamp" { doctor plain "no X-Timestamp"; }
@test "frame-stat --doctor finds JPEGs without Huffman tables" {
  frames strip-tables p1.jpg bare.jpg
  part bare.jpg >in
  contains "$(frame-stat --doctor <in)" "1 of 1 JPEGs have no Huffman tables"
}
@test "frame-stat --doctor finds progressive JPEGs" {
  ffmpeg -v error -i p1.jpg -f null - # decodable at all
  type jpegtran >/dev/null 2>&1 || skip "jpegtran (libjpeg-turbo-progs) is not here"
  jpegtran -progressive p1.jpg >progressive.jpg
  part progressive.jpg >in
  contains "$(frame-stat --doctor <in)" "1 of 1 JPEGs are progressive"
}

# --- every variant yields all its frames

@test "frame-stat reads the plain stream of mjpeg-frames(5)" { reads plain; }
@test "frame-stat reads the bytes of ffmpeg's mpjpeg" { reads ffmpeg; }
@test "frame-stat reads the bytes of GStreamer's multipartmux" { reads gstreamer; }
@test "frame-stat reads a Foscam: a padded length" { reads foscam; }
@test "frame-stat reads an ESP32-CAM: an HTTP head, no line end behind the pictures" { reads esp32; }
@test "frame-stat reads headers in lower case and any order" { reads lower_case; }
@test "frame-stat reads headers in upper case with no space" { reads upper_case; }
@test "frame-stat reads a header line of 60,000 bytes" { reads long_header; }
@test "frame-stat reads a JSON header with a boundary in its text" { reads json_header; }
@test "frame-stat reads parts without Content-Length" { reads without_length; }
@test "frame-stat reads parts without Content-Type" { reads without_type; }
@test "frame-stat reads parts without any header" { reads without_headers; }
@test "frame-stat reads LF for CRLF with Content-Length" { reads lf_with_length; }
@test "frame-stat reads LF for CRLF without Content-Length" { reads lf_without_length; }
@test "frame-stat reads boundaries with no line end in front" { reads without_line; }
@test "frame-stat reads boundaries with no line end in front, and no length" { reads without_line_and_length; }
@test "frame-stat reads a stream that begins with a blank line" { reads blank_line_first; }
@test "frame-stat reads a stream with a preamble" { reads preamble; }
@test "frame-stat reads a stream with its HTTP head" { reads http_head; }
@test "frame-stat reads a stream with an HTTP head whose lines end in LF" { reads http_head_lf; }
@test "frame-stat reads a stream whose boundary is announced with dashes" { reads announced_with_dashes; }
@test "frame-stat reads a stream whose boundary is announced in quotes" { reads announced_quoted; }
@test "frame-stat reads a stream whose boundary is not the one announced" { reads announced_other; }
@test "frame-stat reads a stream without its first boundary" { reads without_first_boundary; }
@test "frame-stat reads a stream with a closing boundary" { reads closing_at_end; }
@test "frame-stat reads a stream with a closing boundary behind each part" { reads closing_as_separator; }
@test "frame-stat reads a stream with closing boundaries for separators" { reads only_closing_boundaries; }
@test "frame-stat reads lengths that are too small" { reads length_too_small; }
@test "frame-stat reads lengths that are too large" { reads length_too_large; }
@test "frame-stat reads lengths of zero in front of pictures" { reads length_zero; }
@test "frame-stat reads lengths that are no numbers" { reads length_no_number; }
@test "frame-stat reads bare JPEGs" { reads bare; }
@test "frame-stat reads padded JPEGs, and cuts the padding off" { reads padded; }
@test "frame-stat reads padded JPEGs without Content-Length" { reads padded_without_length; }
@test "frame-stat reads past parts of other types" { reads other_types_between; }
@test "frame-stat reads past empty parts" { reads empty_parts_between; }
@test "frame-stat reads past pictures that are cut off" { reads cut_off_between; }

@test "frame-stat does not take the end of an EXIF thumbnail for the end of the picture" {
  for n in 1 2 3 4; do
    with_thumbnail "p$n.jpg" "p$(((n % 4) + 1)).jpg" >thumb.jpg
    mv thumb.jpg "t$n.jpg"
  done
  for n in 1 2 3 4; do mv "t$n.jpg" "p$n.jpg"; done
  reads without_length
  reads bare
}

@test "frame-stat reads JPEGs without Huffman tables" {
  for n in 1 2 3 4; do
    frames strip-tables "p$n.jpg" stripped
    mv stripped "p$n.jpg"
  done
  reads plain
  reads bare
}

@test "frame-stat ends with 66 when the input does not exist" {
  run --separate-stderr frame-stat --input nosuch
  equals "$status ${#stderr_lines[@]}" "66 1"
}
