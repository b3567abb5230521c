#!/usr/bin/env bats
# tests/support/detections.py, by which frame-detect is judged: that it can say no.

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  echo '{"p": [{"label": "circle", "box": [10, 20, 60, 70]}]}' >truth.json
  echo '{"objects": [{"class": 1, "label": "dog", "confidence": 0.75, "box": [1, 2, 300, 4], "keypoints": [[5, 6, 0.5]]}]}' >case.json
}
teardown() { clean_up; }

check() { "$PYTHON" "$SUPPORT/detections.py" "$@"; }
# found OBJECT...: as frame-detect says it, in found.json.
found() {
  local IFS=,
  printf '{"model":"m","ms":1.5,"objects":[%s]}\n' "$*" >found.json
}
# says_no PATTERN ARG...: ends with 1, for this reason.
says_no() {
  run check "${@:2}"
  equals "$status" 1
  matches "$output" "$1"
}
circle='{"label":"circle","confidence":0.9,"box":[11,21,50,50]}'
dog='{"label":"dog","confidence":0.75,"box":[1,2,300,4],"keypoints":[[5,6,0.5]]}'

@test "what is where it should be is right" {
  found "$circle"
  run check truth found.json truth.json p
  equals "$status" 0
  found "$dog"
  run check case found.json case.json
  equals "$status $output" '0 '
}

@test "a box beside its place, a wrong label, one too many and one too few are wrong" {
  found "${circle/11,21/20,30}"
  says_no 'circle at .*the nearest is at .*IoU 0\.[0-9]+' truth found.json truth.json p
  found "${circle/circle/square}"
  says_no 'circle at .*not found' truth found.json truth.json p
  found "$circle" "$circle"
  says_no 'nothing is there' truth found.json truth.json p
  found
  says_no 'not found' truth found.json truth.json p
}

@test "what is less sure than asked for does not count" {
  found "$circle" "${circle/0.9/0.39}"
  run check truth found.json truth.json p
  equals "$status" 0
  found "${circle/0.9/0.39}"
  says_no 'not found' truth found.json truth.json p
}

@test "a case is compared number by number, relative above 1" {
  found "${dog/300/300.02}"
  run check case found.json case.json
  equals "$status" 0
  found "${dog/300/300.04}"
  says_no 'object 0: box 2: 300\.04 and not 300' case found.json case.json
  found "${dog/0.75/0.7502}"
  says_no 'object 0: confidence' case found.json case.json
  found "${dog/5,6/5,6.01}"
  says_no 'object 0: keypoints 0 1' case found.json case.json
  found "${dog%,\"keypoints*}}"
  says_no 'object 0: keypoints is missing' case found.json case.json
  found "${dog/dog/cat}"
  says_no "object 0: 'cat' and not 'dog'" case found.json case.json
  run check case found.json case.json --no-labels
  equals "$status" 0
}

@test "only the label that is asked for may be recognised" {
  found '{"label":"swipe-up","confidence":0.9}'
  run check label found.json swipe-up
  equals "$status" 0
  says_no 'recognised, and not swipe-down' label found.json swipe-down
  found
  says_no 'nothing recognised' label found.json swipe-up
}

@test "what is no JSON of X-Detections is wrong whatever is asked" {
  local line
  for line in '{"model":"m","ms":1,"objects":[{"label":"x","confidence":NaN}]}' '{"model":"m","ms":1,"error":"why","objects":[]}' \
    '{"model":"m","ms":1,"objects":[{"label":"café","confidence":1}]}' '{"model":"m","ms":1,"objects":[{"label":"x","confidence":2}]}' \
    '{"ms":1,"objects":[]}' '{"model":"m","ms":1,"objects":[{"label":"x","confidence":1,"box":[1,2,3]}]}'; do
    echo "$line" >found.json
    says_no . label found.json x
  done
  printf '{"model":"%017000d","ms":1,"objects":[]}\n' 0 >found.json
  says_no 'too many for a header' label found.json x
}

@test "the headers of a stream are read, the last one counts" {
  found
  { printf -- '--frame\r\nX-Detections: %s\r\n\r\n' "$(cat found.json)"; } >stream
  found "$circle"
  { printf -- '\r\n--frame\r\nX-Detections: %s\r\n\r\n' "$(cat found.json)"; } >>stream
  run check truth stream truth.json p
  equals "$status" 0
}
