#!/usr/bin/env bats
# Whatever comes in: a counted skip, bounded memory, and the good frames behind it.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

MOST_KIB=$((2 * 8 * 1024 + 40 * 1024)) # twice --max-frame-bytes 8M, and 40 MB

setup() {
  set_up
  make_pictures 3
}
teardown() { clean_up; }

# noise BYTES: random, and the same in each run: one noise in some hundreds holds an end marker where it makes a picture.
noise() { "$PYTHON" -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(int(sys.argv[1])))' "$1"; }
random_bytes() { noise 24000000; }
huge_length() {
  printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000000\r\n\r\n'
  cat p1.jpg
  printf '\r\n'
}
# A length of 1 GB, and a JPEG that goes on and on: no end marker will come.
endless_picture() {
  printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000000\r\n\r\n'
  head -c -2 p1.jpg
  head -c 24000000 /dev/zero
}
endless_header() {
  printf -- '--frame\r\nContent-Type: image/jpeg\r\nX-A: '
  head -c 200000 /dev/zero | tr '\0' a
}
# The good frames behind it. The first boundary ends what was open.
good_frames() {
  printf '\r\n'
  part p2.jpg
  part p3.jpg
}

# stat_survives HOSTILE SKIP: frame-stat reads past it, names the skip, and stays small.
stat_survives() {
  fifo_camera 7 in
  start stat frame-stat --max-frame-bytes 8M --pass --every-frame --input in
  "$1" >&7
  good_frames >&7
  eventually last_is stat.out p3.jpg
  has_picture stat.out p2.jpg
  at_most "$(peak_kib "$(pid_of stat)")" "$MOST_KIB"
  eventually grep -qE "skipped .*$2" stat.err
}
rate_survives() {
  fifo_camera 7 in
  start rate frame-rate --max-frame-bytes 8M --input in
  "$1" >&7
  good_frames >&7
  eventually last_is rate.out p3.jpg
  at_most "$(peak_kib "$(pid_of rate)")" "$MOST_KIB"
  eventually grep -qE "skipped .*$2" rate.err
}
convert_survives() {
  fifo_camera 7 in
  start convert frame-convert --width 80 --max-frame-bytes 8M --every-frame --input in
  "$1" >&7
  good_frames >&7
  eventually has_frames convert.out 2
  at_most "$(peak_kib "$(pid_of convert)")" "$MOST_KIB"
  eventually grep -qE "$2" convert.err
}
server_survives() {
  fifo_camera 7 in
  serve --max-frame-bytes 8M --camera cam=in
  "$1" >&7
  good_frames >&7
  eventually shows p3.jpg
  at_most "$(peak_kib "$(pid_of server)")" "$MOST_KIB"
  at_least "$(state '.cameras[0].skipped | add')" 1
  eventually grep -qE "skipped .*$2" server.err
}

@test "frame-stat survives 24 MB of random bytes" { stat_survives random_bytes "junk"; }
@test "frame-stat survives a Content-Length of 1 GB" { stat_survives huge_length "[0-9]+ [a-z-]+"; }
@test "frame-stat survives a picture without end" { stat_survives endless_picture "too-large"; }
@test "frame-stat survives a header without end" { stat_survives endless_header "headers-too-large"; }

@test "frame-rate survives 24 MB of random bytes" { rate_survives random_bytes "junk"; }
@test "frame-rate survives a Content-Length of 1 GB" { rate_survives huge_length "[0-9]+ [a-z-]+"; }
@test "frame-rate survives a picture without end" { rate_survives endless_picture "too-large"; }
@test "frame-rate survives a header without end" { rate_survives endless_header "headers-too-large"; }

@test "frame-convert survives 24 MB of random bytes" { convert_survives random_bytes "skipped .*junk"; }
@test "frame-convert survives a Content-Length of 1 GB" { convert_survives huge_length "skipped .*[0-9]+ [a-z-]+"; }
@test "frame-convert survives a picture without end" { convert_survives endless_picture "skipped .*too-large"; }
@test "frame-convert survives a header without end" { convert_survives endless_header "skipped .*headers-too-large"; }

# claiming WIDTH HEIGHT [CODE]: a picture that is whole in its segments and says that it is so large; CODE c2 makes it
# progressive, for which a decoder would ask for all of it at once.
claiming() {
  "$PYTHON" - p1.jpg "$@" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"\xff\xc0")
data[at + 5:at + 9] = int(sys.argv[3]).to_bytes(2, "big") + int(sys.argv[2]).to_bytes(2, "big")
if len(sys.argv) > 4:
    data[at + 1] = int(sys.argv[4], 16)
sys.stdout.buffer.write(data)
END
}
huge_picture() {
  claiming 65535 65535 >huge.jpg
  claiming 65535 65535 c2 >huger.jpg
  part huge.jpg
  part huger.jpg
}
@test "frame-convert survives a picture that claims 65535x65535 pixels" {
  convert_survives huge_picture "[0-9] dropped \([0-9] too large\)"
}

@test "mjpeg-serve survives 24 MB of random bytes" { server_survives random_bytes "junk"; }
@test "mjpeg-serve survives a Content-Length of 1 GB" { server_survives huge_length "[0-9]+ [a-z-]+"; }
@test "mjpeg-serve survives a picture without end" { server_survives endless_picture "too-large"; }
@test "mjpeg-serve survives a header without end" { server_survives endless_header "headers-too-large"; }

@test "the picture inside a part that claims 1 GB is not lost" {
  { huge_length; good_frames; } >in
  frame-stat --max-frame-bytes 8M --pass --every-frame <in >out 2>err
  equals "$(frames list out | cut -d ' ' -f 1 | xargs)" "$(sum_of p1.jpg) $(sum_of p2.jpg) $(sum_of p3.jpg)"
}

@test "a picture over --max-frame-bytes is skipped, and the next one comes" {
  camgrab test --size 1280x720 --quality 95 --frames 1 >large.mjpeg
  { cat large.mjpeg; part p1.jpg; } >in
  run --separate-stderr bash -c 'frame-stat --max-frame-bytes 20K --pass --every-frame <in >out'
  contains "$stderr" "1 too-large"
  equals "$(frames list out | cut -d ' ' -f 1)" "$(sum_of p1.jpg)"
}

dirwatch_survives() { # FILE SKIP
  mkdir d
  start dw dirwatch --max-frame-bytes 8M d
  eventually inotify_watches dw
  mv "$1" d/hostile.jpg
  eventually grep -qE "skipped .*$2" dw.err
  cp p1.jpg d/good.jpg
  eventually has_picture dw.out p1.jpg
  equals "$(frames count dw.out)" 1
  at_most "$(peak_kib "$(pid_of dw)")" "$MOST_KIB"
}

@test "dirwatch survives a file of 24 MB of random bytes" {
  random_bytes >hostile
  dirwatch_survives hostile "too-large"
}
@test "dirwatch survives a file of random bytes within the limit" {
  noise 7000000 >hostile
  dirwatch_survives hostile "not-jpeg"
}
@test "dirwatch survives a file that begins as a JPEG and goes on as noise" {
  { head -c 1000 p1.jpg && noise 3000000; } >hostile
  dirwatch_survives hostile "[0-9]+ (corrupt|truncated)"
}
@test "dirwatch --png survives a PNG that claims to be enormous" {
  # 60000 x 60000 pixels in a header that is right, and no data worth the name.
  "$PYTHON" - >hostile <<'END'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
                        + chunk(b"IDAT", zlib.compress(b"\0" * 100000)) + chunk(b"IEND", b""))
END
  mkdir d
  start dw dirwatch --max-frame-bytes 8M --png d
  eventually inotify_watches dw
  mv hostile d/hostile.png
  eventually grep -qE "skipped .*[0-9]" dw.err
  cp p1.jpg d/good.jpg
  eventually has_picture dw.out p1.jpg
  at_most "$(peak_kib "$(pid_of dw)")" "$MOST_KIB"
}
