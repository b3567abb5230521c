#!/usr/bin/env bats
# frame-detect as a whole: what it finds, live and in batches, its gate, its drawing, and what it says when it cannot.

bats_require_minimum_version 1.5.0
load ../support/common

DATA=$FP_ROOT/tests/data/detect

setup_file() {
  export MADE=$BATS_FILE_TMPDIR
  "$PYTHON" "$SUPPORT/networks.py" "$MADE/networks"
  "$PYTHON" "$SUPPORT/shapes.py" "$MADE/shapes" --seed 1001
  "$PYTHON" "$SUPPORT/gestures.py" "$MADE/gestures" --seed 1001 --vary
  "$PYTHON" "$SUPPORT/moving_square.py" make "$MADE/square"
  "$PYTHON" "$SUPPORT/slow_network.py" "$DATA/shapes_yolov8_128.onnx" "$MADE/slow.onnx" --rounds 100
  printf '%s\n' circle square triangle >"$MADE/shapes.txt"
  printf '%s\n' none swipe-left swipe-right swipe-up swipe-down >"$MADE/gestures.txt"
}
setup() {
  set_up
  NETWORKS=$MADE/networks
  unset FRAMEPIPE_ORT_LIB FRAMEPIPE_CONTROL_HEADERS
}
teardown() { clean_up; }

detect() { timeout "$FP_DEADLINE_S" frame-detect "$@"; }
shapes=(--model "$DATA/shapes_yolov8_128.onnx" --confidence .4)
find_shapes() { detect "${shapes[@]}" --labels "$MADE/shapes.txt" "$@"; }
judge() { "$PYTHON" "$SUPPORT/detections.py" "$@" >&2 || fails "$(cat "$2")"; }
square() { "$PYTHON" "$SUPPORT/moving_square.py" "$@"; }
slow_shapes() { detect --model "$MADE/slow.onnx" --confidence .4 --threads 1 --labels "$MADE/shapes.txt" "$@"; }
headers_in() { grep -ac '^X-Detections: ' "$1" || true; }
# refuses CODE PATTERN OPTION...: one line, and this exit code.
refuses() {
  run --separate-stderr detect "${@:3}" -q </dev/null
  equals "$status" "$1"
  equals "$output" ''
  # shellcheck disable=SC2154 # of bats
  matches "$stderr" "^frame-detect: [^
]*$2[^
]*$"
}
# pixels_like JPEG R G B: how many are nearly of this colour.
pixels_like() {
  djpeg -pnm "$1" | "$PYTHON" -c '
import sys, numpy as np
data = sys.stdin.buffer.read().split(b"\n", 3)
pixels = np.frombuffer(data[3], "u1").reshape(-1, 3).astype(int)
print(int((abs(pixels - [int(word) for word in sys.argv[1:]]) < 40).all(1).sum()))' "${@:2}"
}

# --- what it finds

@test "all shapes of the fixtures are found, each where it is, and nothing else" {
  local name
  for name in shapes0_640x480 shapes1_640x480 shapes2_1280x720 shapes3_1280x720 shapes4_320x240 shapes5_128x128; do
    find_shapes --once "$DATA/$name.jpg" >found.json
    judge truth found.json "$DATA/truth.json" "$name" --iou .8
    find_shapes --once "$MADE/shapes/$name.jpg" >found.json
    judge truth found.json "$MADE/shapes/truth.json" "$name" --iou .8
  done
}

@test "each gesture is recognised, and no other; doing nothing is none" {
  local folder label
  for folder in "$DATA" "$MADE/gestures"; do
    for label in swipe-left swipe-right swipe-up swipe-down none; do
      detect --model "$DATA/gesture_30x64x64.onnx" --labels "$MADE/gestures.txt" --clock-fps 30 --window 1s \
        <"$folder/$label.mjpeg" >found.json
      if [ "$label" = none ]; then
        equals "$(cat found.json)" ''
      else
        judge label found.json "$label"
      fi
    done
  done
}

# The middle of the portrait: box, the eye on the picture's left, the one on its right.
@test "a face is found within five pixels, also smaller, mirrored and moved" {
  local face=$DATA/face_640x480.jpg
  detect --detector face --once "$face" >found.json
  judge near found.json 245 72 92 92 270 97 310 97
  frame-convert --width 480 <"$face" >small.mjpeg
  frames split small.mjpeg small
  detect --detector face --once small1.jpg >found.json
  judge near found.json 184 54 69 69 202.5 72.7 232.5 72.7
  frame-convert --flip h <"$face" >mirrored.mjpeg
  frames split mirrored.mjpeg mirrored
  detect --detector face --once mirrored1.jpg >found.json
  judge near found.json 303 72 92 92 330 97 370 97
  frame-convert --crop 560x432+16+32 <"$face" >moved.mjpeg
  frames split moved.mjpeg moved
  detect --detector face --once moved1.jpg >found.json
  judge near found.json 229 40 92 92 254 65 294 65
}

@test "a picture without a face, or of one colour, has none" {
  detect --detector face --once "$DATA/shapes0_640x480.jpg" >found.json
  equals "$(jq -c .objects found.json)" '[]'
  find_shapes --once "$MADE/square/empty.jpg" >found.json
  equals "$(jq -c .objects found.json)" '[]'
}

# To what JSON shows: a hundredth of a pixel. tests/unit/detect/cases_test.cc has the other digits.
@test "networks of every layout find what the reference finds" {
  local case name options
  for case in "$NETWORKS"/*.json; do
    [ "$(jq 'has("objects")' "$case")" = true ] || continue
    name=$(basename "$case" .json)
    mapfile -t options < <(jq -r '.keypoints // empty | "--keypoints", .' "$case")
    if [[ $name != *one-class* ]] && jq -e '.objects[0].label // "" | startswith("thing")' "$case" >/dev/null; then
      options+=(--labels "$NETWORKS/labels.txt")
    fi
    detect --model "$NETWORKS/$(jq -r .model "$case")" --confidence .4 --iou .45 "${options[@]}" \
      --once "$NETWORKS/$(jq -r .picture "$case")" >found.json || fails "$name"
    if [[ $name == *pose133* ]]; then
      jq -e '.objects | length > 0' found.json >/dev/null || fails "$name: nothing is left"
    fi
    if [ "$(jq -r .truncated found.json)" = true ]; then
      judge truncated found.json
    elif [[ $name == *one-class* ]]; then
      judge case found.json "$case" --within .006 --no-labels
    else
      judge case found.json "$case" --within .006
    fi
  done
}

@test "networks of sequences recognise what the reference recognises, from pixels and from keypoints" {
  local case
  for case in "$NETWORKS"/sequence-*.json; do
    detect --model "$NETWORKS/$(jq -r .model "$case")" --layout sequence --features "$(jq -r .features "$case")" \
      --confidence .4 --window 3s --json - -o none <"$NETWORKS/$(jq -r .picture "$case")" >found.json
    judge case found.json "$case" --within 1e-4
    equals "$(wc -l <found.json)" 1
    equals "$(jq -c '.objects[0] | [.t_start, .t_end]' found.json)" '[1700000000,1700000002.5]'
    jq -e '.received > 0 and .inferred >= .received and .sequence == 5' found.json >/dev/null || fails "$(cat found.json)"
  done
}

@test "what moves is found in drawn frames, and nothing before it moves" {
  square stream "$MADE/square" --frames 15 --empty 12 >in.mjpeg
  detect --detector motion <in.mjpeg >out.mjpeg
  equals "$(frames count out.mjpeg)" 15
  frames headers out.mjpeg | jq -r '."x-detections"' >found.jsonl
  equals "$(head -n 12 found.jsonl | jq -s '[.[].objects[]] | length')" 0
  # Frame 12 shows the square of place 5.
  sed -n 13p found.jsonl >found.json
  judge near found.json 159 56 52 52 --within 8
}

@test "of a zone, only what moves in it is found" {
  square stream "$MADE/square" --frames 14 --empty 12 >in.mjpeg
  detect --detector motion --zone 0,0,.4,0,.4,1,0,1 <in.mjpeg >out.mjpeg
  equals "$(frames headers out.mjpeg | jq -r '."x-detections"' | jq -s '[.[].objects[]] | length')" 0
  detect --detector motion --zone .5,0,1,0,1,1,.5,1 <in.mjpeg >out.mjpeg
  at_least "$(frames headers out.mjpeg | jq -r '."x-detections"' | jq -s '[.[].objects[]] | length')" 1
}

# --- what it refuses

@test "a network that cannot be used is refused in one line, with what is wrong and what to do" {
  local case code name words
  for case in "$NETWORKS"/refused-*.json; do
    name=$(basename "$case" .json)
    code=69
    words='--layout names one'
    case $name in
      refused-truncated | refused-noise) code=65 words='is it a whole .onnx file' ;;
      refused-empty) code=65 words='give a whole .onnx file' ;;
      refused-run) code=65 words='export it for one of that' ;;
      refused-channels) words='1x5x64x64 was taken for a window' ;;
      refused-rank*) words='a picture is 1x3xHxW or 1xHxWx3' ;;
      refused-input-type | refused-two-inputs) words='one of 32 bit floats is needed' ;;
      refused-type) words='those of 32 bit floats are read' ;;
    esac
    refuses "$code" "--model [^ ]*$name.onnx: .*($words)" --model "$NETWORKS/$name.onnx"
  done
}

@test "without the library, or with something else in its place, it says what to do" {
  refuses 69 '--ort-lib /nonexistent/lib.so: ' "${shapes[@]}" --ort-lib /nonexistent/lib.so
  refuses 69 "--ort-lib $T/text.so: " "${shapes[@]}" --ort-lib "$T/text.so"
  echo text >text.so
  refuses 69 "--ort-lib $T/text.so: " "${shapes[@]}" --ort-lib "$T/text.so"
  FRAMEPIPE_ORT_LIB=/nonexistent/lib.so refuses 69 '/nonexistent/lib.so: ' "${shapes[@]}"
  refuses 69 'libz.so.1: is no ONNX Runtime' "${shapes[@]}" --ort-lib libz.so.1
}

# Where things are installed is hidden from it, in a mount namespace of its own.
@test "where nothing is installed, it names the script that does" {
  unshare -rm true || skip 'no namespaces here'
  bare() {
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare -rm sh -c 'for folder in /usr/local/lib/framepipe /usr/local/share/framepipe; do
        [ ! -d "$folder" ] || mount -t tmpfs none "$folder"
      done
      exec "$@"' sh env -i PATH="$PATH" HOME="$T/empty" FRAMEPIPE_LIB_DIR="$T/empty" timeout "$FP_DEADLINE_S" frame-detect -q "$@" </dev/null
  }
  mkdir empty
  run --separate-stderr bare "${shapes[@]}"
  equals "$status" 69
  equals "$stderr" 'frame-detect: ONNX Runtime is not installed (run framepipe-install-onnxruntime, scripts/install-onnxruntime in the sources, or name libonnxruntime.so.1 with --ort-lib)'
  run --separate-stderr bare --detector face
  equals "$status" 69
  matches "$stderr" '^frame-detect: --detector face: .* is not installed \(run framepipe-install-models, scripts/install-models in the sources, or name a network with --model\)$'
}

@test "files that are not there, or not what they should be, are refused by name" {
  refuses 66 '--model nothing.onnx: No such file' --model nothing.onnx
  refuses 65 '--model /: is not a regular file|--model /: .*directory' --model /
  refuses 66 '--labels nothing.txt: No such file' "${shapes[@]}" --labels nothing.txt
  printf 'circle\n\nsquare\ntriangle\n' >gap.txt
  refuses 65 '--labels gap.txt, line 2: is empty \(one name a line\)' "${shapes[@]}" --labels gap.txt
  printf 'circle\nsquare\n' >two.txt
  refuses 65 '--labels two.txt: has 2 names, and shapes_yolov8_128 has 3 classes' "${shapes[@]}" --labels two.txt
  head -c 5000 /dev/urandom >noise.txt
  refuses 65 '--labels noise.txt, line [0-9]+: is ' "${shapes[@]}" --labels noise.txt
  refuses 66 '--once: .*nothing.jpg: No such file|--once.*No such file' "${shapes[@]}" --once nothing.jpg
  refuses 65 '--once noise.txt: is no whole JPEG' "${shapes[@]}" --once noise.txt
  refuses 69 '--keypoints 21: yolov8-pose17 has 17|are not those of' --model "$NETWORKS/yolov8-pose17.onnx" --layout yolov8-pose --keypoints 21
  printf '5 7\n5 99\n' >bones.txt
  refuses 65 'bones.txt:2: there is no keypoint 99' --model "$NETWORKS/yolov8-pose17.onnx" --skeleton bones.txt
}

@test "options that make no sense together are refused" {
  refuses 64 'nothing to look for'
  refuses 64 '--detector and --model: give one' "${shapes[@]}" --detector face
  refuses 64 'frames and JSON cannot both go to standard output' "${shapes[@]}" --json -
  refuses 64 '--once has one picture' --detector motion --once "$DATA/face_640x480.jpg"
  refuses 64 '--passthrough-fps .*--every-frame' "${shapes[@]}" --passthrough-fps 30 --every-frame
  refuses 64 '--overlay' "${shapes[@]}" --overlay hats
  refuses 64 '--zone' --detector motion --zone 1,2,3
}

@test "a bad picture among frames ends nothing: the others are looked at, and it is counted" {
  local good=$MADE/square/0.jpg
  head -c 3000 "$good" >cut.jpg
  { head -c 3000 "$good"; printf '\xff\xd9'; } >half.jpg
  "$PYTHON" - "$good" huge.jpg <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"\xff\xc0")
data[at + 5:at + 9] = b"\xfd\xe8\xfd\xe8"  # 65000x65000
open(sys.argv[2], "wb").write(data)
PYTHON
  head -c 4000 /dev/urandom >noise.jpg
  { part "$good"; part cut.jpg; part half.jpg; part huge.jpg; part noise.jpg; head -c 2000 /dev/urandom; part "$good"; } >in.mjpeg
  find_shapes <in.mjpeg >out.mjpeg 2>said
  equals "$(frames count out.mjpeg)" 2
  equals "$(headers_in out.mjpeg)" 2
  matches "$(cat said)" '2 frames looked at, 2 objects, .*2 failed \(1 damaged, 1 too large\)'
}

@test "a frame over --max-frame-bytes is left out, and the next one is looked at" {
  cp "$MADE/square/0.jpg" small.jpg
  { part small.jpg; part "$DATA/shapes2_1280x720.jpg"; part small.jpg; } >in.mjpeg
  find_shapes --max-frame-bytes 100000 <in.mjpeg >out.mjpeg
  equals "$(headers_in out.mjpeg)" 2
  refuses 65 'over|larger|more than|100000' "${shapes[@]}" --max-frame-bytes 100000 --once "$DATA/shapes2_1280x720.jpg"
}

@test "a network that fails on some frames is counted, and goes on" {
  local network
  for network in fails-on-white changes-on-white; do
    { part "$NETWORKS/fails-on-white-dark.jpg"; part "$NETWORKS/$network.jpg"; part "$NETWORKS/fails-on-white-dark.jpg"; } >in.mjpeg
    detect --model "$NETWORKS/$network.onnx" <in.mjpeg >out.mjpeg 2>said
    equals "$(headers_in out.mjpeg)" 2
    matches "$(cat said)" 'a frame could not be looked at: .*[(]?1 failed|1 failed \(1 damaged\)'
    run --separate-stderr detect -q --model "$NETWORKS/$network.onnx" --once "$NETWORKS/$network.jpg"
    equals "$status" 65
  done
}

@test "a question whose picture cannot be looked at is answered with the reason" {
  part "$NETWORKS/fails-on-white.jpg" 'X-Request: 7' >in.mjpeg
  detect --model "$NETWORKS/fails-on-white.onnx" <in.mjpeg >out.mjpeg
  frames headers out.mjpeg >answer.json
  equals "$(jq -r '."x-request"' answer.json)" 7
  equals "$(jq -r '."x-detections"' answer.json | jq -c '[.objects, (.error | length > 0)]')" '[[],true]'
}

# --- batches

@test "a file of a hundred frames gives a hundred, in order, each with its own detections" {
  square stream "$MADE/square" --frames 100 >in.mjpeg
  find_shapes --json found.jsonl <in.mjpeg >out.mjpeg
  equals "$(square check "$MADE/square" out.mjpeg --every)" '100 100'
  equals "$(jq -r .sequence found.jsonl | tr '\n' ' ')" "$(seq -s ' ' 0 99) "
  find_shapes -o none --json - <in.mjpeg >lines
  equals "$(jq -c 'del(.received, .inferred, .ms)' lines)" "$(jq -c 'del(.received, .inferred, .ms)' found.jsonl)"
}

@test "with --every-frame a pipe is a batch too" {
  square stream "$MADE/square" --frames 40 | slow_shapes --every-frame --frames 10 >out.mjpeg
  equals "$(square check "$MADE/square" out.mjpeg --every)" '10 10'
}

@test "a file of a sequence keeps its frames as they are, and the event is told once" {
  local case=$NETWORKS/sequence-softmax
  cat "$case.mjpeg" >in.mjpeg
  detect --model "$case.onnx" --layout sequence --confidence .4 --window 3s -o out.mjpeg --json lines <in.mjpeg
  at_least "$(frames count out.mjpeg)" 6
  equals "$(headers_in out.mjpeg)" 1
  equals "$(wc -l <lines)" 1
}

@test "without --overlay pictures pass byte for byte, with it they are drawn on" {
  part "$DATA/shapes0_640x480.jpg" >in.mjpeg
  find_shapes <in.mjpeg >out.mjpeg
  frames payloads out.mjpeg >out.jpg
  same_bytes out.jpg "$DATA/shapes0_640x480.jpg"
  find_shapes --overlay boxes,labels <in.mjpeg >out.mjpeg
  frames payloads out.mjpeg >out.jpg
  run cmp -s out.jpg "$DATA/shapes0_640x480.jpg"
  equals "$status" 1
  djpeg -pnm out.jpg | head -c 15 | grep -aq '640 480'
  # Nothing is found, nothing is drawn.
  part "$MADE/square/empty.jpg" >in.mjpeg
  find_shapes --overlay boxes,labels <in.mjpeg >out.mjpeg
  frames payloads out.mjpeg >out.jpg
  same_bytes out.jpg "$MADE/square/empty.jpg"
  find_shapes --overlay boxes --once "$DATA/shapes0_640x480.jpg" -o drawn.jpg >found.json
  djpeg -pnm drawn.jpg | head -c 15 | grep -aq '640 480'
}

@test "two detectors in a pipe: each has its header, and the first one's stays as it was" {
  part "$DATA/face_640x480.jpg" >in.mjpeg
  detect --detector face <in.mjpeg >first.mjpeg
  find_shapes <first.mjpeg >both.mjpeg
  equals "$(headers_in both.mjpeg)" 2
  equals "$(grep -a '^X-Detections: ' both.mjpeg | head -n 1)" "$(grep -a '^X-Detections: ' first.mjpeg)"
  matches "$(grep -a '^X-Detections: ' both.mjpeg | tail -n 1)" '"model":"shapes_yolov8_128"'
}

# The picture is of one colour: any part of it with the aspect of the network gives the same keypoints.
@test "rtmpose behind a detector looks at the person's box, and at nobody when nobody was seen" {
  local name=rtmpose17-half person
  person='{"model":"p","ms":1,"objects":[{"label":"dog","confidence":1,"box":[0,0,50,50]},{"label":"person","confidence":0.9,"box":[115.2,153.6,153.6,204.8]}]}'
  jq '.objects[0].keypoints |= map([.[0] / 2 + 96, .[1] / 2 + 128, .[2]])
      | .objects[0].box |= [.[0] / 2 + 96, .[1] / 2 + 128, .[2] / 2, .[3] / 2]' "$NETWORKS/$name.json" >case.json
  { part "$NETWORKS/$name.jpg" "X-Detections: $person"; } >in.mjpeg
  detect --model "$NETWORKS/rtmpose17.onnx" --confidence .4 <in.mjpeg >out.mjpeg
  judge case out.mjpeg case.json --within .006
  { part "$NETWORKS/$name.jpg" 'X-Detections: {"model":"p","ms":1,"objects":[]}'; } >in.mjpeg
  detect --model "$NETWORKS/rtmpose17.onnx" --confidence .4 <in.mjpeg >out.mjpeg
  equals "$(grep -a '^X-Detections: ' out.mjpeg | tail -n 1 | cut -d ' ' -f 2- | jq -c .objects)" '[]'
}

@test "a recogniser of two stages: keypoints of one network make the events of the next" {
  local i
  for i in 0 1 2 3 4 5 6 7; do
    part "$NETWORKS/yolov8-pose17.jpg" "X-Timestamp: 1700000000.$((i))00000" "X-Sequence: $i"
  done >in.mjpeg
  detect --model "$NETWORKS/yolov8-pose17.onnx" --every-frame <in.mjpeg |
    detect --model "$NETWORKS/sequence-keypoints.onnx" --layout sequence --features keypoints --every-frame \
      --confidence .2 --window 600ms --stride 100ms --json - -o none >lines
  # The same event goes on: it is told once, and no line is about a frame of the first stage alone.
  equals "$(wc -l <lines)" 1
  jq -e '.model == "sequence-keypoints" and (.objects | length) == 1 and (.objects[0] | .t_end - .t_start > .4) and
         .inferred >= .received' lines >/dev/null || fails "$(cat lines)"
}

@test "a window of frames in which nobody has keypoints is no event, and that is said once" {
  for ((i = 0; i < 9; i++)); do
    part "$NETWORKS/yolov8-pose17.jpg" "X-Timestamp: 1700000000.$((i))00000" "X-Sequence: $i"
  done >in.mjpeg
  run --separate-stderr -0 frame-detect --model "$NETWORKS/sequence-keypoints.onnx" --features keypoints --every-frame \
    --confidence 0.01 --window 600ms --stride 100ms -i in.mjpeg
  equals "$output" ""
  equals "$(grep -c 'no frame of a window has an object with 17 keypoints' <<<"$stderr")" 1
}

@test "a garment is worn by a pose; without its picture there is one warning, and detection goes on" {
  local name=yolov8-pose17-upright
  "$PYTHON" -c 'import sys; sys.stdout.buffer.write(b"P6\n60 80\n255\n" + bytes((255, 0, 255)) * 4800)' | cjpeg -quality 95 >garment.jpg
  { part "$NETWORKS/$name.jpg"; part "$NETWORKS/$name.jpg"; } >in.mjpeg
  detect --model "$NETWORKS/$name.onnx" <in.mjpeg >bare.mjpeg
  detect --model "$NETWORKS/$name.onnx" --garment garment.jpg <in.mjpeg >worn.mjpeg
  frames split bare.mjpeg bare
  frames split worn.mjpeg worn
  at_least "$(($(pixels_like worn1.jpg 255 0 255) - $(pixels_like bare1.jpg 255 0 255)))" 100
  detect --model "$NETWORKS/$name.onnx" --garment nothing.png <in.mjpeg >none.mjpeg 2>said
  equals "$(grep -c -- '--garment: .*nothing.png.*detection goes on without it' said)" 1
  equals "$(headers_in none.mjpeg)" 2
  frames split none.mjpeg none
  same_bytes none1.jpg "$NETWORKS/$name.jpg"
}

# --- live

@test "live, only the newest is looked at; what leaves has the detections of its own picture, in order" {
  square stream "$MADE/square" --frames 60 --fps 20 | slow_shapes >out.mjpeg
  square check "$MADE/square" out.mjpeg --every --found 2 >counts || fails "$(cat counts)"
  # It is slower than they come.
  at_most "$(cut -d ' ' -f 1 counts)" 59
}

@test "with --passthrough-fps the picture keeps its rate, and results leave with their own frames, in their place" {
  square stream "$MADE/square" --frames 80 --fps 20 | slow_shapes --passthrough-fps 30 >out.mjpeg
  square check "$MADE/square" out.mjpeg --found 2 >counts || fails "$(cat counts)"
  at_least "$(cut -d ' ' -f 1 counts)" 60
  at_most "$(cut -d ' ' -f 2 counts)" 70
}

@test "a hundred openings and closings: the next frame is looked at, or passes; memory stays" {
  run "$PYTHON" "$SUPPORT/gate_driver.py" "$MADE/square/1.jpg" 100 frame-detect "${shapes[@]}" --gate closed
  equals "$status" 0
}

@test "a closed gate passes frames byte for byte" {
  square stream "$MADE/square" --frames 20 >in.mjpeg
  find_shapes --gate closed --overlay boxes --json lines <in.mjpeg >out.mjpeg
  equals "$(square check "$MADE/square" out.mjpeg)" '20 0'
  equals "$(cat lines)" ''
}

@test "X-Gate and X-Overlay are orders with --control-headers, for their camera; without, they are none" {
  local a=$MADE/square/0.jpg
  {
    part "$a" 'X-Camera: front'
    part "$a" 'X-Camera: front' 'X-Gate: open'
    part "$a" 'X-Camera: back'
    part "$a" 'X-Camera: front' 'X-Overlay: boxes=1'
    part "$a" 'X-Request: 1' 'X-Gate: open'
    part "$a" 'X-Request: 2'
    part "$a" 'X-Camera: front' 'X-Gate: closed'
    part "$a" 'X-Camera: front'
  } >in.mjpeg
  looked() { frames headers out.mjpeg | jq -r 'if has("x-detections") then "1" else "0" end' | tr -d '\n'; }
  find_shapes --gate closed --control-headers <in.mjpeg >out.mjpeg
  equals "$(looked)" 01011000
  frames split out.mjpeg out
  same_bytes out2.jpg "$a"
  run cmp -s out4.jpg "$a"
  equals "$status" 1
  FRAMEPIPE_CONTROL_HEADERS=1 find_shapes --gate closed <in.mjpeg >out.mjpeg
  equals "$(looked)" 01011000
  find_shapes --gate closed <in.mjpeg >out.mjpeg
  equals "$(looked)" 00000000
  find_shapes <in.mjpeg >out.mjpeg
  equals "$(looked)" 11111111
  frames split out.mjpeg out
  same_bytes out4.jpg "$a"
}
