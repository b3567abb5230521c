#!/usr/bin/env bats
# /api/fit/stream: pictures that a page posts, worked on by a filter.

load ../support/common

setup() {
  set_up
  make_pictures 3
  write_filter
}
teardown() { clean_up; }

# Answers each frame with the picture answer.jpg and what it was asked, after 'nap' seconds (a file, when there is one);
# a line in 'asked' for each.
write_filter() {
  cp p3.jpg answer.jpg
  : >asked
  cat >filter.py <<'EOF'
import os, sys, time
source = sys.stdin.buffer
answer = open("answer.jpg", "rb").read()
while line := source.readline():
    if not line.startswith(b"--"):
        continue
    header = {}
    while (line := source.readline()).strip():
        name, value = line.decode().strip().split(": ", 1)
        header[name.lower()] = value
    source.read(int(header["content-length"]))
    with open("asked", "a") as asked:
        print(header.get("x-gate"), header.get("x-overlay"), header.get("x-camera"), file=asked)
    if os.path.exists("nap"):
        time.sleep(float(open("nap").read()))
    said = open("said").read().strip() if os.path.exists("said") else '{"model":"m","objects":[]}'
    sys.stdout.buffer.write(
        ("--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Request: %s\r\nX-Detections: %s\r\n\r\n"
         % (len(answer), header["x-request"], said)).encode() + answer + b"\r\n")
    sys.stdout.buffer.flush()
EOF
}
fit_server() { exec 7<>none.fifo; serve -i none.fifo --filter "test=exec $PYTHON filter.py" "$@"; }

# body JPEG [MORE]: what a page posts.
body() { printf '{"frame":"%s"%s}' "$(base64 -w 0 "$1")" "${2:+,$2}"; }
# post CURL-ARG...: the body comes by standard input.
post() { get -H 'Content-Type: application/json' --data-binary @- "$@" "$URL/api/fit/stream"; }
stop() { get -X POST "$@" "$URL/api/fit/stop-streaming"; }
picture_of() { jq -r .frame | base64 -d; }
FIRST='"isFirstFrame":true'

@test "a gate is closed at first: the picture comes back to the byte, and the filter is not asked" {
  mkfifo none.fifo
  fit_server
  body p1.jpg | post >answer.json
  equals "$(jq -c 'del(.frame, .took_ms)' answer.json)" '{"success":true,"detections":[],"gate":"closed"}'
  picture_of <answer.json >got.jpg
  same_bytes got.jpg p1.jpg
  equals "$(cat asked)" ""
}

@test "the first frame opens the gate, and stopping closes it" {
  mkfifo none.fifo
  fit_server
  body p1.jpg "$FIRST"',"showSkeleton":true' | post -c jar -b jar >answer.json
  equals "$(jq -c 'del(.frame, .took_ms)' answer.json)" \
    '{"success":true,"detections":[{"model":"m","objects":[]}],"gate":"open"}'
  picture_of <answer.json >got.jpg
  same_bytes got.jpg p3.jpg
  equals "$(cat asked)" "open boxes=0,labels=0,skeleton=1,garment=0 None"
  equals "$(body p1.jpg '"useWarp":true' | post -c jar -b jar | jq -r .gate)" open
  equals "$(tail -n 1 asked)" "open boxes=0,labels=0,skeleton=0,garment=1 None"
  equals "$(stop -c jar -b jar)" '{"success":true}'
  body p1.jpg | post -c jar -b jar >answer.json
  equals "$(jq -r .gate answer.json)" closed
  picture_of <answer.json >got.jpg
  same_bytes got.jpg p1.jpg
  equals "$(wc -l <asked)" 2
}

@test "what is posted in the data: form comes back in it, through an open gate and a closed one" {
  mkfifo none.fifo
  fit_server
  for more in '"a":1' "$FIRST"; do
    printf '{"frame":"data:image/jpeg;base64,%s",%s}' "$(base64 -w 0 p1.jpg)" "$more" | post >answer.json
    jq -r .frame answer.json >text
    equals "$(cut -c 1-23 text)" "data:image/jpeg;base64,"
    cut -c 24- text | base64 -d >got.jpg
    if [ "$more" = "$FIRST" ]; then same_bytes got.jpg p3.jpg; else same_bytes got.jpg p1.jpg; fi
  done
}

@test "two clients with cookies have gates of their own" {
  mkfifo none.fifo
  fit_server
  equals "$(body p1.jpg "$FIRST" | post -c one -b one | jq -r .gate)" open
  equals "$(body p1.jpg | post -c one -b one | jq -r .gate)" open
  equals "$(body p1.jpg | post -c two -b two | jq -r .gate)" closed
  equals "$(body p1.jpg "$FIRST" | post -c two -b two | jq -r .gate)" open
  stop -c one -b one
  equals "$(body p1.jpg | post -c one -b one | jq -r .gate)" closed
  equals "$(body p1.jpg | post -c two -b two | jq -r .gate)" open
}

@test "the cookie is for no script and no other site, and is set once" {
  mkfifo none.fifo
  fit_server
  body p1.jpg "$FIRST" >body.json
  matches "$(head_value set-cookie --data-binary @body.json "$URL/api/fit/stream")" \
    '^framepipe_fit=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax$'
  post -c jar -b jar <body.json
  equals "$(head_value set-cookie -b jar --data-binary @body.json "$URL/api/fit/stream")" ""
}

@test "a page that posts every 25 ms to a filter that takes 200 has each picture answered, and some of them worked on" {
  mkfifo none.fifo
  echo 0.2 >nap
  fit_server
  body p1.jpg "$FIRST" | post -c jar -b jar >/dev/null
  body p1.jpg >body.json
  "$PYTHON" - "$URL" "$(awk '/framepipe_fit/ { print $6 "=" $7 }' jar)" <<'EOF' >counts
import http.client, json, sys, threading, time
host, cookie = sys.argv[1].removeprefix("http://"), sys.argv[2]
body = open("body.json", "rb").read()
answers = [None] * 40
def post(i):
    connection = http.client.HTTPConnection(host, timeout=30)
    began = time.monotonic()
    connection.request("POST", "/api/fit/stream", body, {"Cookie": cookie})
    answers[i] = (json.loads(connection.getresponse().read()), time.monotonic() - began)
threads = []
for i in range(40):
    threads.append(threading.Thread(target=post, args=(i,)))
    threads[-1].start()
    time.sleep(0.025)
for thread in threads:
    thread.join()
done = [i for i, (answer, _) in enumerate(answers) if answer["success"]]
superseded = [i for i, (answer, _) in enumerate(answers) if answer.get("superseded")]
print(len(done), len(superseded), done[-1] if done else -1, answers[39][0]["success"])
print(max(took for _, took in answers), file=sys.stderr)
EOF
  read -r worked superseded _ last <counts
  equals $((worked + superseded)) 40
  at_least "$worked" 3
  at_least "$superseded" 1
  equals "$last" True
  # Whoever was superseded was not worked on.
  equals "$(wc -l <asked)" $((worked + 1))
}

@test "many clients share the filter: each is answered though another one posts all the time" {
  mkfifo none.fifo
  echo 0.05 >nap
  fit_server
  body p1.jpg "$FIRST" >body.json
  post -c busy -b busy <body.json >/dev/null
  (while [ ! -e stop ]; do post -b busy <body.json >/dev/null; done) 7>&- &
  local i busy=$! posts=()
  for i in 1 2 3 4 5 6 7 8; do
    post -c "jar$i" -b "framepipe_fit=$(printf '%032d' "$i")" <body.json >"answer$i.json" 7>&- &
    posts+=($!)
  done
  wait "${posts[@]}"
  touch stop
  wait "$busy"
  for i in 1 2 3 4 5 6 7 8; do equals "$(jq -r .gate "answer$i.json")" open; done
}

@test "bodies that are no JSON, no base64 and no JPEG are 400 with the reason" {
  mkfifo none.fifo
  fit_server
  local bad
  for bad in '' '{' '[1]' '{}' '{"frame":1}' '{"frame":"%%%%"}' '{"frame":"AAAA"}' \
    '{"frame":"data:image/jpeg,abc"}' '{"frame":"","isFirstFrame":1}'; do
    equals "$(printf %s "$bad" | post -o answer.json -w '%{http_code}')" 400
    equals "$(jq -c '[.success, (.error | length > 5)]' answer.json)" '[false,true]'
  done
  "$PYTHON" -c 'print("{\"a\":" + "[" * 10_000_000)' | post -o answer.json -w '%{http_code}' >code
  equals "$(cat code)" 400
  contains "$(cat answer.json)" "nested too deeply"
  at_most "$(peak_kib "$(pid_of server)")" 200000
  equals "$(cat asked)" ""
}

@test "a picture that the filter could not work on is 422 with its reason" {
  mkfifo none.fifo
  echo '{"model":"m","error":"too small","objects":[]}' >said
  fit_server
  equals "$(body p1.jpg "$FIRST" | post -o answer.json -w '%{http_code}')" 422
  equals "$(jq -c . answer.json)" '{"success":false,"error":"too small"}'
}

@test "a filter that hangs is 504, and one that is not there 404" {
  mkfifo none.fifo
  fit_server --filter-timeout 1s
  body p1.jpg "$FIRST" | post >/dev/null
  echo 100 >nap
  equals "$(body p1.jpg "$FIRST" | post -o answer.json -w '%{http_code}')" 504
  equals "$(jq -c .success answer.json)" false
  equals "$(body p1.jpg | get -o answer.json -w '%{http_code}' --data-binary @- "$URL/api/fit/stream?filter=nosuch")" 404
  contains "$(cat answer.json)" '{"success":false,"error":'
}

@test "without a filter the answer says how to start one" {
  mkfifo none.fifo
  exec 7<>none.fifo; serve -i none.fifo
  equals "$(body p1.jpg | post | jq -r .error)" "no filter here: start mjpeg-serve with --filter NAME=COMMAND"
}

@test "pages of others may not post, those that are allowed may, and --read-only forbids neither" {
  mkfifo none.fifo
  fit_server --read-only --allow-origin http://good.example
  body p1.jpg >body.json
  equals "$(status_of -H 'Origin: http://evil.example' --data-binary @body.json "$URL/api/fit/stream")" 403
  equals "$(status_of -H 'Origin: http://evil.example' -X POST "$URL/api/fit/stop-streaming")" 403
  equals "$(head_value access-control-allow-origin -H 'Origin: http://good.example' --data-binary @body.json \
    "$URL/api/fit/stream")" http://good.example
  equals "$(status_of -H 'Origin: http://good.example' --data-binary @body.json "$URL/api/fit/stream")" 200
  equals "$(head_value access-control-allow-methods -X OPTIONS -H 'Origin: http://good.example' "$URL/api/fit/stream")" \
    "POST, OPTIONS"
  equals "$(status_of "$URL/api/fit/stream")" 405
}

@test "a picture of 20 MB is posted in one go, with and without 100 Continue, and one over the limit is told so" {
  mkfifo none.fifo
  fit_server
  # Behind the end of the picture: it is cut off for the filter, and kept for whoever gets it back untouched.
  { cat p1.jpg && head -c 15000000 /dev/zero; } >large.jpg
  body large.jpg >body.json
  for expect in 'Expect: 100-continue' 'Expect:'; do
    get -H "$expect" --data-binary @body.json "$URL/api/fit/stream" >answer.json
    picture_of <answer.json >got.jpg
    same_bytes got.jpg large.jpg
  done
  { printf '{"frame":"' && head -c 60000000 /dev/zero && printf '"}'; } >body.json
  for expect in 'Expect: 100-continue' 'Expect:'; do
    equals "$(get -H "$expect" --data-binary @body.json "$URL/api/fit/stream")" \
      '{"error":"the request'"'"'s body is over 43754 KiB"}'
  done
}

@test "what a filter finds in a camera's frames is told on /events with its name" {
  mkfifo none.fifo
  fit_server
  watch viewer /events
  eventually grep -q '^data: ' viewer.out
  start asker curl -s "$URL/detect_stream"
  eventually eval 'part p1.jpg "X-Sequence: 5" >&7; sleep 0.1; grep -q "^event: detections" viewer.out'
  equals "$(grep -A 1 '^event: detections$' viewer.out | sed -n 's/^data: //p' | head -n 1 |
    jq -c '[.camera, .filter, .sequence, .detections]')" '["camera","test",5,[{"model":"m","objects":[]}]]'
}
