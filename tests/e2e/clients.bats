#!/usr/bin/env bats
# The requests that well-known programs make, and what each of them needs of the answer. The programs themselves are not
# here: tests/support/clients.py does as they do.

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# with_picture [ARG...]: the camera `cam` shows what is written to descriptor 7: p1.jpg now.
with_picture() {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h "$@"
  part p1.jpg >&7
  eventually shows p1.jpg
}
sums() {
  local n
  for n in "$@"; do sum_of "p$n.jpg"; done
}
# saw NAME N...: the client of that name was shown these pictures, and no other.
saw() { [ "$(cat "$T/$1.out")" = "$(sums "${@:2}")" ]; }
# seen PICTURE CURL-ARG...: that is a picture, and this one.
seen() { equals "${*:2}: $(get "${@:2}" | sha1sum | cut -d ' ' -f 1)" "${*:2}: $(sum_of "$1")"; }
stream_seen() { # NAME PATH: its first frame is p1.jpg
  watch "$1" "$2"
  eventually has_picture "$1.out" p1.jpg
}

# --- mjpg-streamer and ustreamer

@test "mjpg-streamer's addresses give the stream and the snapshot, whatever else stands in the query" {
  with_picture
  local query n=0
  for query in '' '&1763688000' '&timestamp=1763688000123' '&n=1&user=' '&_=1&cacheBust='; do
    seen p1.jpg "$URL/?action=snapshot$query"
    stream_seen "stream$((++n))" "/?action=stream$query"
  done
}

@test "mjpg-streamer's numbers behind stream and snapshot count the cameras from 0" {
  fifo_camera 7 one.fifo
  fifo_camera 8 two.fifo
  serve --camera one=one.fifo --camera two=two.fifo --stale 1h
  part p1.jpg >&7
  part p2.jpg >&8
  eventually shows p1.jpg one
  eventually shows p2.jpg two
  seen p1.jpg "$URL/?action=snapshot_0"
  seen p2.jpg "$URL/?action=snapshot_1&timestamp=1763688000123"
  watch viewer '/?action=stream_1'
  eventually has_picture viewer.out p2.jpg
  equals "$(status_of "$URL/?action=snapshot_2")" 404
}

@test "ustreamer's addresses give stream, snapshot and state, whatever options of its own are asked for" {
  with_picture
  stream_seen plain /stream
  stream_seen options '/stream?key=abc&extra_headers=1&advance_headers=1&dual_final_frames=1&zero_data=1'
  stream_seen compatible '/?action=stream'
  seen p1.jpg "$URL/snapshot"
  seen p1.jpg "$URL/?action=snapshot"
  equals "$(get "$URL/state" | jq -r 'type')" object
}

# --- OctoPrint

@test "OctoPrint gets its snapshot from the address of mjpg-streamer, byte for byte" {
  with_picture
  client snapshot "$URL/?action=snapshot" >got
  same_bytes got p1.jpg
}

@test "OctoPrint is told by the status that there is no picture to put into a time lapse" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  run client snapshot "$URL/?action=snapshot"
  equals "$status" 1
  contains "$output" "503"
}

@test "OctoPrint's <img>, with the time behind the address, shows each frame without the next one" {
  with_picture
  watch viewer '/?action=stream&1763688000123' -H 'Accept: image/avif,image/webp,image/*,*/*;q=0.8'
  eventually browser_shows viewer.out p1.jpg
  part p2.jpg >&7
  eventually browser_shows viewer.out p2.jpg
}

# --- Mainsail, Fluidd

@test "Mainsail's reader is shown each frame without the next one, and the newest at once when it connects anew" {
  with_picture --allow-origin http://printer.local
  start reader "$PYTHON" "$SUPPORT/clients.py" mainsail "$URL/?action=stream" http://printer.local 2 1
  eventually saw reader 1
  part p2.jpg >&7
  ends reader
  equals "$(cat reader.out)" "$(sums 1 2 2)"
}

@test "Mainsail's reader may not read without --allow-origin" {
  with_picture
  run client mainsail "$URL/?action=stream" http://printer.local 1
  equals "$status" 1
  contains "$output" "a browser would not let the page read this"
}

@test "Mainsail's reader finds no FF D8 in the headers of a frame, whatever the camera put there" {
  with_picture --allow-origin '*'
  start reader "$PYTHON" "$SUPPORT/clients.py" mainsail "$URL/stream" http://printer.local 2
  eventually saw reader 1
  part p2.jpg $'X-Own: \xff\xd8\xff' >&7
  ends reader
  equals "$(cat reader.out)" "$(sums 1 2)"
}

@test "adaptive readers poll snapshots, which no cache keeps" {
  with_picture
  seen p1.jpg "$URL/?action=snapshot&bypassCache=1763688000123"
  part p2.jpg >&7
  eventually shows p2.jpg
  seen p2.jpg "$URL/?action=snapshot&bypassCache=1763688000456"
  equals "$(head_value cache-control "$URL/?action=snapshot&bypassCache=1")" no-store
}

# --- Home Assistant

@test "Home Assistant cuts a still picture out of the stream, in either framing" {
  with_picture
  client still "$URL/stream" >got
  same_bytes got p1.jpg
  client still "$URL/stream?framing=advance" >got
  same_bytes got p1.jpg
}

@test "Home Assistant's still picture comes from /snapshot, too" {
  with_picture
  client snapshot "$URL/snapshot" >got
  same_bytes got p1.jpg
}

# home_assistant URL: proxies it, and so do we call it from here on.
home_assistant() {
  start ha "$PYTHON" "$SUPPORT/clients.py" proxy "$1"
  eventually grep -q . ha.out
  URL=http://127.0.0.1:$(cat ha.out)
}

@test "Home Assistant hands on the stream with the type that it has" {
  with_picture
  home_assistant "$URL/stream"
  watch viewer /
  eventually has_picture viewer.out p1.jpg
  part p2.jpg >&7
  eventually has_picture viewer.out p2.jpg
  contains "$(tr -d '\r' <viewer.head)" "Content-Type: multipart/x-mixed-replace; boundary=frame"
}

@test "Home Assistant's live picture is not a frame late when its address says framing=advance" {
  with_picture
  home_assistant "$URL/stream?framing=advance"
  watch viewer / -H 'Accept: image/avif,image/webp,*/*;q=0.8'
  eventually browser_shows viewer.out p1.jpg
  part p2.jpg >&7
  eventually browser_shows viewer.out p2.jpg
}

# --- motionEye, motion, ZoneMinder

@test "motionEye finds out by the type whether an address is a stream or a snapshot" {
  with_picture
  matches "$(head_value content-type -I "$URL/stream")" '^multipart/x-mixed-replace; *boundary='
  equals "$(head_value content-type "$URL/snapshot")" image/jpeg
}

@test "motion takes snapshots over one connection" {
  with_picture
  client keepalive "$URL/snapshot" 3 >got
  equals "$(cat got)" "$(sums 1 1 1)"
}

@test "ZoneMinder pulls the stream with HTTP/1.0, and has each frame without the next one" {
  with_picture
  start reader "$PYTHON" "$SUPPORT/clients.py" puller "$URL/video" 3
  eventually saw reader 1
  part p2.jpg >&7
  eventually saw reader 1 2
  part p3.jpg >&7
  ends reader
  equals "$(cat reader.out)" "$(sums 1 2 3)"
}

@test "ZoneMinder pulls a snapshot again and again" {
  with_picture
  client puller "$URL/?action=snapshot" 2 >got
  equals "$(cat got)" "$(sums 1 1)"
}
