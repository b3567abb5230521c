#!/usr/bin/env bats
# The tools among themselves and with real peers at both ends of the pipe: ffmpeg, GStreamer, curl. Byte for byte.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 20
  for n in $(seq 20); do cat "p$n.jpg"; done >payloads
}
teardown() { clean_up; }

needs() { type "$1" >/dev/null 2>&1 || skip "$1 is not here"; }
# The pictures of a stream of whatever writer, by our own reader.
ours() { frame-rate --every-frame --quiet; }

@test "what ffmpeg -f mpjpeg writes comes through byte for byte" {
  ffmpeg -v error -f mjpeg -i payloads -c copy -f mpjpeg - | ours >out
  frames payloads out >got
  same_bytes got payloads
}

@test "what ffmpeg -f mjpeg writes, with no multipart at all, comes through byte for byte" {
  ffmpeg -v error -f mjpeg -i payloads -c copy -f mjpeg - | ours >out
  frames payloads out >got
  same_bytes got payloads
}

@test "ffmpeg -f mpjpeg reads our stream byte for byte, and without a word" {
  ours <pictures.mjpeg | ffmpeg -v warning -f mpjpeg -i - -c copy -f image2pipe - >got 2>err
  same_bytes got payloads
  equals "$(cat err)" ""
}

@test "ffmpeg finds out by itself what our stream is" {
  ours <pictures.mjpeg | ffmpeg -v error -i - -c copy -f image2pipe - >got
  same_bytes got payloads
}

@test "what GStreamer's multipartmux writes comes through byte for byte" {
  needs gst-launch-1.0
  for n in $(seq 20); do cp "p$n.jpg" "$(printf 'g%03d.jpg' "$n")"; done
  gst-launch-1.0 -q multifilesrc location=g%03d.jpg start-index=1 stop-index=20 caps=image/jpeg,framerate=100/1 ! \
    multipartmux ! fdsink fd=1 | ours >out
  frames payloads out >got
  same_bytes got payloads
}

@test "GStreamer's multipartdemux reads our stream byte for byte, to the last frame" {
  needs gst-launch-1.0
  ours <pictures.mjpeg | gst-launch-1.0 -q fdsrc fd=0 do-timestamp=true ! multipartdemux ! image/jpeg ! \
    multifilesink location=got%03d.jpg
  cat got0*.jpg >got
  same_bytes got payloads
}

@test "curl -N of /stream gets each picture byte for byte" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  start viewer curl -sN "$URL/stream"
  eventually has_frames viewer.out 1 # the card: the viewer is there
  local n
  for n in 1 2 3 4 5; do
    part "p$n.jpg" >&7
    eventually has_picture viewer.out "p$n.jpg"
  done
  frames list viewer.out | grep -v card | cut -d ' ' -f 1 >got
  equals "$(xargs <got)" "$(for n in 1 2 3 4 5; do sum_of "p$n.jpg"; done | xargs)"
}

@test "curl -N of /stream has the newest picture when nothing follows it" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  start viewer curl -sN "$URL/stream"
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
}

@test "ffmpeg reads /stream byte for byte" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  part p1.jpg >&7
  eventually shows p1.jpg
  start viewer ffmpeg -v error -f mpjpeg -i "$URL/stream" -c copy -flush_packets 1 -f image2pipe -
  # It shows that it is there by the frame that it wrote.
  eventually test -s viewer.out
  part p2.jpg >&7
  eventually holds_both
}
holds_both() {
  cat p1.jpg p2.jpg >both
  cmp both viewer.out
}

@test "GStreamer reads /stream" {
  needs gst-launch-1.0
  gst-inspect-1.0 souphttpsrc >/dev/null 2>&1 || skip "souphttpsrc is not here"
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  part p1.jpg >&7
  eventually shows p1.jpg
  start viewer gst-launch-1.0 -q souphttpsrc location="$URL/stream" ! multipartdemux ! image/jpeg ! multifilesink location=got%03d.jpg
  eventually cmp got000.jpg p1.jpg
}

@test "ffmpeg -f mpjpeg feeds mjpeg-serve" {
  fifo_camera 7 in
  serve <in
  # -re: at the pace of the clip, so that it is not over before it was looked at.
  start clip ffmpeg -v error -re -f lavfi -i testsrc=size=160x120:rate=10 -f mpjpeg "$T/in" -y
  eventually answers 200 "$URL/snapshot"
  equals "$(state '.cameras[0] | [.width, .height] | @csv')" "160,120"
}

# --- as typed

# pipeline COMMANDLINE: in the background, as `line`; URL is the server's in it.
pipeline() {
  start line bash -c "$1"
  find_url line
}

@test "as typed: ffmpeg -re -i clip.mp4 -f mpjpeg - | mjpeg-serve" {
  ffmpeg -v error -f lavfi -i testsrc=size=160x120:rate=10 -t 20 -c:v mpeg4 clip.mp4
  pipeline 'ffmpeg -re -i clip.mp4 -f mpjpeg - | mjpeg-serve --listen 127.0.0.1:0'
  eventually answers 200 "$URL/snapshot"
}

@test "as typed: curl -sN URL | frame-stat" {
  serve --camera "cam=exec:camgrab test --size 160x120"
  eventually answers 200 "$URL/snapshot"
  contains "$(curl -sN "$URL/stream" | frame-stat --frames 5)" "160x120"
}

@test "as typed: curl -sNi URL | frame-stat --doctor" {
  serve --camera "cam=exec:camgrab test --size 160x120"
  eventually answers 200 "$URL/snapshot"
  local findings
  findings=$(curl -sNi "$URL/stream" | frame-stat --doctor --frames 5)
  contains "$findings" "every part has a Content-Length"
  lacks "$findings" "BAD"
}

@test "as typed: camgrab test | tee >(frame-stat) | mjpeg-serve" {
  pipeline 'camgrab test --size 160x120 --frames 40 | tee >(frame-stat >tee.out) | mjpeg-serve --listen 127.0.0.1:0'
  start viewer curl -sN "$URL/stream"
  eventually has_frames viewer.out 3
  ends line
  eventually grep -q "160x120" tee.out
}

@test "as typed: camgrab test | frame-stat --pass | mjpeg-serve" {
  pipeline 'camgrab test --size 160x120 --frames 40 | frame-stat --pass 2>pass.err | mjpeg-serve --listen 127.0.0.1:0'
  start viewer curl -sN "$URL/stream"
  eventually has_frames viewer.out 3
  ends line
  eventually grep -q "160x120" pass.err
}

@test "as typed: camgrab test | frame-rate --fps 2 | mjpeg-serve" {
  pipeline 'camgrab test --size 160x120 | frame-rate --fps 2 | mjpeg-serve --listen 127.0.0.1:0'
  eventually answers 200 "$URL/snapshot"
}

@test "as typed: dirwatch ./frames | mjpeg-serve" {
  mkdir frames
  pipeline 'dirwatch --existing ./frames | mjpeg-serve --listen 127.0.0.1:0'
  cp p1.jpg landing
  mv landing frames/frame_000001.jpg
  eventually shows p1.jpg
  cp p2.jpg landing
  mv landing frames/frame_000002.jpg
  eventually shows p2.jpg
}

@test "a directory's frames reach many viewers byte for byte" {
  mkdir frames
  pipeline 'dirwatch --existing ./frames | mjpeg-serve --listen 127.0.0.1:0'
  local n
  for n in 1 2 3 4 5 6 7 8; do start "v$n" curl -sN "$URL/stream"; done
  for n in 1 2 3 4 5 6 7 8; do eventually has_frames "v$n.out" 1; done
  cp p1.jpg landing
  mv landing frames/a.jpg
  for n in 1 2 3 4 5 6 7 8; do eventually has_picture "v$n.out" p1.jpg; done
}

@test "dirwatch under exec: comes back when it is killed, and viewers stay connected" {
  mkdir d
  serve --camera "cam=exec:dirwatch --existing d"
  start viewer curl -sN "$URL/stream"
  cp p1.jpg landing
  mv landing d/1.jpg
  eventually has_picture viewer.out p1.jpg
  kill -KILL -- "-$(pgrep -P "$(pid_of server)" | head -n 1)"
  cp p2.jpg landing
  mv landing d/2.jpg
  eventually has_picture viewer.out p2.jpg
  alive "$(pid_of viewer)"
}

@test "the camera's headers come through a whole pipeline to the viewer" {
  fifo_camera 7 in
  pipeline 'frame-rate --input in --fps 100 | frame-stat --pass 2>/dev/null | mjpeg-serve --listen 127.0.0.1:0'
  part p1.jpg "X-Sequence: 77" "X-Timestamp: $(date +%s).123456" 'X-Detections: {"objects":[]}' "X-Own: stays" >&7
  eventually shows p1.jpg
  equals "$(head_value x-sequence "$URL/snapshot") $(head_value x-detections "$URL/snapshot") $(head_value x-own "$URL/snapshot")" '77 {"objects":[]} stays'
  contains "$(head_value x-timestamp "$URL/snapshot")" ".123456"
}

@test "X-Trace tells every hop from the camera to the viewer" {
  serve --trace --camera "cam=exec:camgrab test --size 160x120 --trace | frame-rate --trace --quiet"
  start viewer curl -sN "$URL/stream"
  eventually has_live_frame viewer.out
  matches "$(frames headers viewer.out | jq -r 'select(."x-signal" != "card") | ."x-trace"' | head -n 1)" \
    '^camgrab=[0-9.]+;frame-rate=[0-9.]+/[0-9.]+;mjpeg-serve=[0-9./]+$'
}
has_live_frame() { frames list "$1" | grep -v 'card$' | grep -q .; }

@test "a slow reader of a pipe gets newer frames, not older ones" {
  # The reader takes one frame, and the next only when the source is far ahead: that one is new.
  mkfifo pipe
  start cam bash -c 'camgrab test --size 160x120 --fps 100 >pipe'
  exec 8<pipe
  start first frame-rate --quiet --frames 1 --input fd:0 <&8
  ends first
  local first
  first=$(frames headers first.out | jq -r '."x-sequence"')
  sleep 1 # this is the slow reader; the card counts by the clock, so that a busy machine changes nothing
  start second frame-rate --quiet --every-frame --frames 3 --input fd:0 <&8
  ends second
  # Without "newest wins" a pipe of 64 KiB and more would hold the next dozen frames.
  at_least "$(frames headers second.out | tail -n 1 | jq -r '."x-sequence"')" "$((first + 50))"
}
