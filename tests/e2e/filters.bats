#!/usr/bin/env bats
# mjpeg-serve: filters, and what asks them.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  PYTHONPATH=$SUPPORT
  export PYTHONPATH
}
teardown() { clean_up; }

# filter NAME: a Python filter on standard input, which has frames() and write() of tests/support/filter.py.
filter() { { echo 'from filter import *'; cat; } >"$1.py"; }

# A test card, and the filter detect, which is the program of that name.
with_filter() { serve --camera front='exec:camgrab test --size 160x120 --fps 20' --filter detect="exec $PYTHON $T/$1.py" "${@:2}"; }
filter_state() { state ".filters[0].$1"; }
filter_state_is() { [ "$(filter_state "$1")" = "$2" ]; }
live() { eventually state_is '.cameras[0].status' live; }
# The process of the filter: what it says of itself on standard error.
filter_pid() { sed -n 's/.*filter detect: pid \([0-9]*\)$/\1/p' server.err | tail -n 1; }

plain_filter() {
  filter plain <<'END'
print("pid", os.getpid(), file=sys.stderr, flush=True)
for header, picture in frames():
    write(picture, header, 'X-Detections: {"model":"m","ms":1.5,"objects":[{"label":"a","confidence":0.5,"box":[1,2,3,4]}]}')
END
}

@test "twenty who ask at once are each answered for a frame not older than their request, and none is lost" {
  filter waits <<'END'
for header, picture in frames():
    while not os.path.exists("go"): time.sleep(.005)
    write(picture, header)
END
  with_filter waits --filter-timeout 1m
  live
  cat >ask.py <<'END'
import json, sys, threading, time, urllib.request
def get(path): return json.load(urllib.request.urlopen(sys.argv[1] + path, timeout=60))
def ask():
    asked = time.time()
    answer = get("/detect_once")
    sys.stdout.write("newer\n" if answer["timestamp"] >= asked else "older\n")  # as one, beside other threads
threads = [threading.Thread(target=ask) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
END
  start askers "$PYTHON" ask.py "$URL"
  eventually state_is '.cameras[0].viewers' 20
  touch go
  ends askers
  equals "$(sort askers.out | uniq -c | tr -s ' ')" ' 20 newer'
  # The one that was under way, one on a newer frame, and one for those who came after that frame.
  at_most "$(filter_state questions)" 3
  equals "$(filter_state failed)" 0
}

@test "the answer says what was found, and has the picture" {
  plain_filter
  with_filter plain
  live
  get "$URL/detect_once/front" >answer.json
  equals "$(jq -c '[.camera, .filter, .width, .height, .model, .ms, .objects, (.detections | length)]' answer.json)" \
    '["front","detect",160,120,"m",1.5,[{"label":"a","confidence":0.5,"box":[1,2,3,4]}],1]'
  jq -e '.sequence > 0 and .age_ms >= 0 and .took_ms > 0 and .timestamp > 1e9' answer.json
  jq -r .image answer.json | base64 -d >picture.jpg
  file picture.jpg | grep -q 'JPEG image data.*160x120'
  # Or the picture alone.
  get -D head -H 'Accept: image/jpeg' -o picture.jpg "$URL/detect_once?filter=detect"
  file picture.jpg | grep -q 'JPEG image data.*160x120'
  contains "$(cat head)" 'X-Detections: {"model":"m"'
  contains "$(cat head)" 'X-Camera: front'
  lacks "$(cat head)" 'X-Request'
}

@test "a posted picture is worked on, and what is none is refused" {
  plain_filter
  with_filter plain --read-only
  make_pictures 1
  get --data-binary @p1.jpg "$URL/detect_once" >answer.json
  equals "$(jq -c '[has("camera"), .filter, .width, .objects[0].label]' answer.json)" '[false,"detect",160,"a"]'
  jq -r .image answer.json | base64 -d >back.jpg
  same_bytes back.jpg p1.jpg
  equals "$(status_of --data-binary camera "$URL/detect_once")" 400
  contains "$(get --data-binary camera "$URL/detect_once")" 'the body is no JPEG: '
  # A page of another origin may not put the machine to work.
  equals "$(status_of -H 'Origin: http://elsewhere' --data-binary @p1.jpg "$URL/detect_once")" 403
}

@test "a filter that cannot work on a picture says why" {
  filter cannot <<'END'
for header, picture in frames(): write(picture, header, 'X-Detections: {"model":"m","error":"too dark","objects":[]}')
END
  with_filter cannot
  make_pictures 1
  equals "$(get -w '%{http_code}' --data-binary @p1.jpg "$URL/detect_once")" '{"error":"filter detect: too dark"}
422'
}

@test "an error counts when this filter says it, in words" {
  filter words <<'END'
for header, picture in frames():
    write(picture, header, 'X-Detections: ' + open("says").read())
END
  filter silent <<'END'
for header, picture in frames(): write(picture, header)
END
  make_pictures 1
  part p1.jpg 'X-Detections: {"model":"before","error":"too dark","objects":[]}' >in.mjpeg
  echo -n '{"model":"m","error":null,"objects":[]}' >says
  serve --camera front="exec:while cat $T/in.mjpeg; do sleep .05; done" \
    --filter words="exec $PYTHON $T/words.py" --filter silent="exec $PYTHON $T/silent.py"
  live
  equals "$(status_of "$URL/detect_once?filter=words")" 200
  echo -n '{"model":"m","error":"","objects":[]}' >says
  equals "$(status_of "$URL/detect_once?filter=words")" 200
  # What the camera brought along is no word of the filter's.
  equals "$(get "$URL/detect_once?filter=silent" | jq -c '[.looked, has("model"), has("objects"), (.detections | length)]')" \
    '[false,false,false,1]'
  echo -n '{"model":"m","error":"too small","objects":[]}' >says
  equals "$(status_of "$URL/detect_once?filter=words")" 422
}

@test "with its gate closed a filter looks at posted pictures alone" {
  with_command() { serve --camera front='exec:camgrab test --size 160x120 --fps 20' --filter detect="$1"; }
  with_command 'exec frame-detect --detector motion --gate closed'
  live
  make_pictures 1
  get "$URL/detect_once" >answer.json
  equals "$(jq -c '[.looked, has("model"), has("objects"), .detections]' answer.json)" '[false,false,false,[]]'
  get --data-binary @p1.jpg "$URL/detect_once" >answer.json
  equals "$(jq -c '[has("looked"), has("model"), has("objects")]' answer.json)" '[false,true,true]'
  # That opened it for nothing else.
  equals "$(get "$URL/detect_once" | jq .looked)" false
}

@test "a filter that is killed fails the question in hand with the reason, and then is well again" {
  filter waits <<'END'
print("pid", os.getpid(), file=sys.stderr, flush=True)
for header, picture in frames():
    print("asked", file=sys.stderr, flush=True)
    while not os.path.exists("go"): time.sleep(.005)
    write(picture, header)
END
  with_filter waits --filter-timeout 1m
  live
  start asker curl -s -w '%{http_code}' "$URL/detect_once"
  eventually says server 'filter detect: asked'
  kill -KILL "$(filter_pid)"
  ends asker
  equals "$(cat asker.out)" '{"error":"filter detect: killed by signal 9 (Killed): asked"}
503'
  touch go
  eventually answers 200 "$URL/detect_once"
  at_least "$(filter_state restarts)" 1
  eventually filter_state_is status ready
}

@test "whoever has hung up is not worked for" {
  filter waits <<'END'
for header, picture in frames():
    print("asked", file=sys.stderr, flush=True)
    while not os.path.exists("go"): time.sleep(.005)
    write(picture, header)
END
  with_filter waits --filter-timeout 1m
  make_pictures 1
  cat >abandon.py <<'END'
import json, socket, struct, sys, time, urllib.request
url, picture = sys.argv[1], open("p1.jpg", "rb").read()
host, port = url.removeprefix("http://").strip("/").split(":")
def questions(): return json.load(urllib.request.urlopen(url + "/state", timeout=60))["filters"][0]["questions"]
def post():
    peer = socket.create_connection((host, int(port)))
    peer.sendall(b"POST /detect_once HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture)
    return peer
peers = [post() for _ in range(20)]
while questions() < 20: time.sleep(.01)
for i, peer in enumerate(peers):
    if i % 2: peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # by a reset
    peer.close()
END
  timeout "$FP_DEADLINE_S" "$PYTHON" abandon.py "$URL"
  eventually filter_state_is waiting 0
  start asker curl -s -o answer.json -w '%{http_code}' --data-binary @p1.jpg "$URL/detect_once"
  eventually filter_state_is questions 21
  touch go
  ends asker
  equals "$(cat asker.out)" 200
  # The one that was in hand, and this.
  equals "$(grep -c 'filter detect: asked' server.err)" 2
}

@test "a filter that hangs fails the question at the time limit, and then is well again" {
  filter hangs <<'END'
for header, picture in frames():
    while os.path.exists("hang"): time.sleep(.005)
    write(picture, header)
END
  with_filter hangs --filter-timeout 1s
  live
  eventually answers 200 "$URL/detect_once"
  touch hang
  get -w '%{http_code}' "$URL/detect_once" >answer
  equals "$(cat answer)" '{"error":"filter detect: no answer within 1 s"}
504'
  at_least "$(filter_state timed_out)" 1
  rm hang
  eventually answers 200 "$URL/detect_once"
}

@test "a filter that cannot run: the reason reaches whoever asks" {
  serve --camera front='exec:camgrab test --size 160x120' --filter detect='echo no model here >&2; exit 69' --filter-timeout 2s
  live
  equals "$(get -w '%{http_code}' "$URL/detect_once")" '{"error":"filter detect: exit code 69: no model here"}
503'
  equals "$(filter_state trouble)" 'exit code 69: no model here'
}

@test "which filter, and none" {
  serve --camera front='exec:camgrab test --size 160x120'
  equals "$(get -w '%{http_code}' "$URL/detect_once")" '{"error":"no filter here: start mjpeg-serve with --filter NAME=COMMAND"}
404'
  serve_as other --camera front='exec:camgrab test --size 160x120' --filter one=cat --filter two=cat
  eventually answers 200 "$URL/detect_once"
  equals "$(get "$URL/detect_once" | jq -r .filter)" one
  equals "$(get "$URL/detect_once?filter=two" | jq -r .filter)" two
  equals "$(status_of "$URL/stream?filter=three")" 404
  equals "$(status_of "$URL/detect_once?overlay=hats")" 400
  equals "$(status_of "$URL/detect_once/none")" 404
  equals "$(status_of "$URL/snapshot?filter=one")" 200
  equals "$(status_of "$URL/snapshot?filter=one&max_age=10")" 400
  run mjpeg-serve --filter 'a b=cat'
  equals "$status" 64
  run mjpeg-serve --filter one=cat --filter one=cat
  equals "$status" 64
}

@test "the overlay that is asked for reaches the filter" {
  filter overlay <<'END'
for header, picture in frames():
    write(picture, header, 'X-Detections: {"objects":[],"saw":"%s"}' % header.get("x-overlay"))
END
  with_filter overlay
  make_pictures 1
  saw() { get --data-binary @p1.jpg "$URL/detect_once$1" | jq -r '.detections[0].saw'; }
  equals "$(saw '')" boxes=1,labels=1,skeleton=1
  equals "$(saw '?overlay=garment,labels')" boxes=0,labels=1,skeleton=0,garment=1
  equals "$(saw '?overlay=none')" boxes=0,labels=0,skeleton=0,garment=0
  watch plain '/stream?filter=detect'
  eventually has_frames plain.out 2
  contains "$(frames headers plain.out)" None
}

@test "streams, walls and variants of a filter's frames, for viewers of which each gets the newest" {
  plain_filter
  with_filter plain
  watch stream '/detect_stream/front'
  watch small '/stream?filter=detect&width=80&quality=40'
  watch wall '/wall?filter=detect'
  local viewer
  for viewer in stream small wall; do
    eventually has_frames $viewer.out 3
    contains "$(frames headers $viewer.out)" model
    lacks "$(frames headers $viewer.out)" x-request
  done
  frames split small.out small
  file small1.jpg | grep -q '80x60'
  equals "$(state '[.viewers[].filter] | unique | tojson')" '["detect"]'
  contains "$(get "$URL/metrics")" 'framepipe_filter_up{filter="detect"} 1'
}

@test "a camera that runs on demand runs for whoever watches its filter's frames" {
  plain_filter
  serve --camera front='exec:camgrab test --size 160x120,on-demand' --filter detect="exec $PYTHON plain.py" --idle 0s
  equals "$(state '.cameras[0].status')" idle
  equals "$(get "$URL/detect_once" | jq -r .objects[0].label)" a
  eventually state_is '.cameras[0].status' idle
  watch stream /detect_stream
  eventually has_frames stream.out 3
  kill "$(pid_of stream)"
  eventually state_is '.cameras[0].status' idle
}

@test "a stopped camera's card reaches the viewers of its filter's frames" {
  plain_filter
  with_filter plain
  watch stream /detect_stream
  eventually has_frames stream.out 2
  get -X POST "$URL/api/camera/stop" >stopped
  shows_card() { frames headers stream.out | tail -n 1 | grep -q card; }
  eventually shows_card
  equals "$(status_of "$URL/detect_once")" 503
}

@test "what a filter writes besides frames is counted, and its words go to the log" {
  filter chatty <<'END'
print("loaded", file=sys.stderr, flush=True)
for header, picture in frames():
    print("what a program prints", flush=True)
    write(picture, header)
END
  with_filter chatty
  eventually says server 'filter detect: loaded'
  make_pictures 1
  equals "$(status_of --data-binary @p1.jpg "$URL/detect_once")" 200
  equals "$(filter_state skipped)" 1
}

@test "a filter ends with its server" {
  plain_filter
  with_filter plain
  eventually says server 'filter detect: pid'
  local pid
  pid=$(filter_pid)
  kill -TERM "$(pid_of server)"
  ends server
  eventually gone "$pid"
}

@test "the examples of the manual work as they stand there" {
  serve --camera front='exec:camgrab test --size 160x120' --filter size="$FP_ROOT/examples/python/filter.py" --filter gray='frame-convert --gray'
  eventually answers 200 "$URL/detect_once"
  get "$URL/detect_once" >answer.json
  equals "$(jq -r '.objects[0].label' answer.json)" "$(jq -r .image answer.json | base64 -d | wc -c) bytes"
  get -H 'Accept: image/jpeg' "$URL/detect_once?filter=gray" >gray.jpg
  file gray.jpg | grep -q 'components 1'
  # They are in the manual.
  local line
  while read -r line; do
    [ -z "$line" ] || grep -qF -- "${line//\\/\\e}" "$FP_ROOT/man/mjpeg-serve.1" || fails "not in the manual: $line"
  done < <(grep -v '^#' "$FP_ROOT/examples/python/filter.py")
  contains "$(cat "$FP_ROOT/man/mjpeg-serve.1")" "gray='frame-convert --gray'"
}
