#!/usr/bin/env bash
# camgrab on cameras that are plugged in.
set -euo pipefail
# shellcheck source=tests/vm/guest/lib.sh disable=SC2119
. "$FP_ROOT/tests/vm/guest/lib.sh"
set +e # a check that fails must not take the others with it

pictures=/tmp/pictures
small=(-s 320x240)

passes_bytes() {
  grab "${small[@]}" "$VIDEO"
  grabs_more 10
  grab_ends
  grabs_are "$pictures"/p*.jpg
  grab_says "MJPG 320x240 at 30 fps"
  sequence_rises
}
names_of_a_camera() { # SOURCE...
  local source
  by_id usb-Rig_Camera_one-video-index0 "$VIDEO"
  for source in "$VIDEO" "${VIDEO#/dev/video}" "${VIDEO#/dev/}" usb-Rig_Camera_one-video-index0; do
    camgrab "${small[@]}" --frames 1 "$source" >"grab.mjpeg"
    equals "$source: $(grabs)" "$source: 1"
  done
  camgrab "${small[@]}" --frames 1 >"grab.mjpeg"
  equals "no name: $(grabs)" "no name: 1"
}
fills_in_tables() {
  tell one notables 1000000
  camgrab "${small[@]}" --frames 3 "$VIDEO" >grab.mjpeg
  tell one notables 0
  python3 "$FP_ROOT/tests/support/frames.py" split grab.mjpeg got
  local picture
  for picture in "$pictures"/p*.jpg; do djpeg "$picture" | sha1sum; done | sort >wanted
  for picture in got*.jpg; do djpeg "$picture" | sha1sum; done | sort -u >seen
  at_least "$(wc -l <seen)" 1
  equals "$(comm -23 seen wanted | wc -l)" 0
}
cuts_padding() {
  tell one pad 1000000
  grab "${small[@]}" "$VIDEO"
  grabs_more 3
  tell one pad 0
  grab_ends
  grabs_are "$pictures"/p*.jpg
}
# Faulty frames are left out, the others come, and the count is told.
drops() { # COMMAND N REASON
  grab "${small[@]}" "$VIDEO"
  tell one "$1" "$2"
  eventually grab_says "skipped .*$3"
  grabs_more 5
  grab_ends
  grabs_are "$pictures"/p*.jpg
  sequence_rises
  grab_says "frames, .*[0-9]+ $3"
}
gap_is_counted() { # COMMAND
  grab "${small[@]}" "$VIDEO"
  tell one "$1" 8
  grabs_more 30
  grab_ends
  grab_says "[0-9]+ lost by the driver"
  sequence_rises
}
flagged_is_counted() {
  unload uvcvideo
  load_uvc nodrop=1
  eventually camera one
  VIDEO=$(camera one)
  grab "${small[@]}" "$VIDEO"
  tell one err 5
  grabs_more 30
  grab_ends
  grab_says "[0-9]+ flagged by the driver"
  grabs_are "$pictures"/p*.jpg
}
freeze_is_noticed() {
  grab "${small[@]}" --timeout 500ms "$VIDEO"
  tell one freeze 2
  eventually grab_says "no frame for 500 ms"
  tell one freeze 0
  grabs_more 5
  grab_ends
  equals "$(grep -c 'no frame for' grab.err) said" '1 said'
}
held_while_away() {
  grab "${small[@]}" --no-signal hold "$VIDEO"
  tell one unplug 3
  eventually grep -aq 'X-Signal: held' grab.mjpeg
  local after
  after=$(grabs)
  eventually camera one
  eventually grabbed $((after + 10))
  grab_ends
  # The last one again, with its number and time.
  grep -a -B1 'X-Signal: held' grab.mjpeg | grep -a '^X-Sequence' | tr -d '\r' | sort -u >held
  equals "$(wc -l <held)" 1
  at_least "$(grep -ac "$(<held)" grab.mjpeg)" 2
}
card_while_away() {
  grab "${small[@]}" --no-signal card "$VIDEO"
  tell one unplug 3
  eventually grep -aq 'X-Signal: card' grab.mjpeg
  eventually camera one
  grabs_more 10
}
nothing_while_away() {
  grab "${small[@]}" --no-signal none "$VIDEO"
  tell one unplug 2
  eventually not camera one
  eventually camera one
  grabs_more 10
  grab_ends
  not grep -aq 'X-Signal' grab.mjpeg
  grabs_are "$pictures"/p*.jpg
}
# Somebody else holds the old node, so that the camera gets another one.
returns_under_another_number() {
  local node=$VIDEO
  exec 5<"$node"
  grab "${small[@]}" "$VIDEO"
  tell one unplug 2
  eventually not camera one
  eventually camera one
  VIDEO=$(camera one)
  [[ $VIDEO != "$node" ]] || fails "it has the same node again: $VIDEO"
  grabs_more 10
  exec 5<&-
  grab_ends
  sequence_rises
  grab_says "$VIDEO: .*MJPG"
}
viewers_stay() {
  camgrab "${small[@]}" "$VIDEO" 2>grab.err | mjpeg-serve --listen 127.0.0.1:0 2>serve.err &
  eventually grep -q 'http://' serve.err
  local url
  url=$(grep -oE 'http://[0-9.:]+' serve.err | head -n 1)
  curl -sN "$url/stream" >grab.mjpeg &
  local viewer=$!
  eventually grabbed 5
  tell one unplug 2
  eventually not camera one
  eventually camera one
  grabs_more 10
  kill -0 "$viewer"
}
two_at_once() {
  plug two 1 "320x240=$pictures"
  mkdir first second
  cd first
  grab "${small[@]}" "$(camera one)"
  cd ../second
  grab "${small[@]}" "$(camera two)"
  grabs_more 20
  grabs_are "$pictures"/p*.jpg
  cd ../first
  grabs_more 20
  grabs_are "$pictures"/p*.jpg
}
# The other one must not be taken for it.
waits_for_its_own() {
  grab "${small[@]}" --no-signal none "$(camera one)"
  tell one unplug 2
  eventually not camera one
  eventually grab_says 'opening the camera again'
  local before
  before=$(grabs)
  eventually camera one
  eventually grabbed $((before + 10))
  grab_says "$(camera one): "
  not grab_says "$(camera two): "
}
lists() {
  camgrab --list >list
  contains "$(<list)" "$VIDEO  "
  contains "$(<list)" 'MJPG'
  contains "$(<list)" '1280x720 at 30'
  contains "$(<list)" 'brightness: 0 to 255, default 128'
  camgrab --json >list.json
  jq -e --arg path "$VIDEO" '.devices[] | select(.path == $path) | .serial == "one"
    and any(.formats[]; .fourcc == "MJPG" and any(.sizes[]; .width == 1280 and .height == 720 and .fps[0] == 30))
    and any(.controls[]; .name == "brightness" and .min == 0 and .max == 255)' list.json
}
sets_controls() {
  camgrab "${small[@]}" --frames 1 --control brightness=42 --control Contrast=7 "$VIDEO" >grab.mjpeg
  v4l2-ctl -d "$VIDEO" -C brightness,contrast >got
  equals "$(tr '\n' ' ' <got)" 'brightness: 42 contrast: 7 '
  refuses 69 'brightness=900: not in 0 to 255' --control brightness=900 "$VIDEO"
  refuses 69 'it has brightness, contrast' --control nosuch=1 "$VIDEO"
}
nearest_size() {
  camgrab -s 1920x1080 --frames 1 "$VIDEO" >grab.mjpeg 2>grab.err
  grab_says 'asked for MJPG 1920x1080, the camera gives MJPG 1280x720'
}
raw_is_encoded() {
  camgrab "${small[@]}" --format yuyv --frames 2 "$VIDEO" >grab.mjpeg 2>grab.err
  grab_says 'YUYV 320x240'
  equals "$(grabs)" 2
}
busy_is_said() {
  grab "${small[@]}" "$VIDEO"
  refuses_beside 69 'another program uses the camera'
}
refuses_beside() {
  mkdir beside
  cd beside
  refuses "$1" "$2" "$VIDEO"
}
permission_is_said() {
  chmod 600 "$VIDEO"
  local status=0
  setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v camgrab)" "$VIDEO" >grab.mjpeg 2>grab.err || status=$?
  chmod 666 "$VIDEO"
  equals "$status" 77
  grab_says 'is the user in group video'
}
no_bandwidth() {
  tell one nospace 1
  refuses 69 'the USB bus has no bandwidth left' "${small[@]}" "$VIDEO"
  camgrab "${small[@]}" --frames 1 "$VIDEO" >grab.mjpeg
}
metadata_node() {
  local dir node=
  for dir in /sys/class/video4linux/video*; do
    [[ $(<"$dir/index") == 0 ]] || node=/dev/${dir##*/}
  done
  refuses 69 "$node captures no video" "$node"
}
stall_is_survived() {
  grab "${small[@]}" --timeout 1s "$VIDEO"
  tell bulk stall 5
  eventually grab_says 'opening the camera again'
  grabs_more 10
  grab_ends
  grabs_are "$pictures"/p*.jpg
}

make_natural "$pictures" 320x240 4
make_natural /tmp/large 1280x720 2
load_uvc
plug one 0 "320x240=$pictures" "1280x720=/tmp/large"
check 'camgrab passes MJPEG byte for byte' passes_bytes
check 'camgrab finds a camera by path, number, node and by-id name, and the first by none' names_of_a_camera
check 'camgrab puts in missing Huffman tables' fills_in_tables
check 'camgrab cuts off padding' cuts_padding
check 'camgrab drops truncated frames' drops trunc 6 truncated
check 'camgrab drops corrupt frames' drops corrupt 12 corrupt
check 'camgrab counts frames that the driver swallowed for errors' gap_is_counted err
check 'camgrab counts frames that the driver swallowed for emptiness' gap_is_counted empty
check 'camgrab notices a camera that freezes' freeze_is_noticed
check 'camgrab holds the last frame while the camera is away' held_while_away
VIDEO=$(camera one)
check 'camgrab shows a card while the camera is away' card_while_away
VIDEO=$(camera one)
check 'camgrab sends nothing while the camera is away when told so' nothing_while_away
VIDEO=$(camera one)
check 'camgrab finds a camera that returns under another number' returns_under_another_number
VIDEO=$(camera one)
check 'camgrab and a server keep their viewers while the camera is away' viewers_stay
VIDEO=$(camera one)
check 'camgrab lists cameras, formats, sizes, rates and controls' lists
check 'camgrab sets controls, and says what they take' sets_controls
check 'camgrab says when the camera gives another size' nearest_size
check 'camgrab encodes YUYV of a USB camera' raw_is_encoded
check 'camgrab says that a camera is in use' busy_is_said
check 'camgrab says that it may not open a camera' permission_is_said
check 'camgrab says that the bus has no bandwidth left' no_bandwidth
check 'camgrab says that a metadata node is no camera' metadata_node
check 'camgrab grabs two cameras at once' two_at_once
plug two 1 "320x240=$pictures"
check 'camgrab waits for its own camera and takes no other' waits_for_its_own
unplug two
VIDEO=$(camera one)
check 'camgrab counts frames that the driver flags' flagged_is_counted
unplug one
plug bulk 2 --bulk "320x240=$pictures"
check 'camgrab survives a stalled endpoint' stall_is_survived
