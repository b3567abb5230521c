#!/usr/bin/env bats
# mjpeg-serve: cameras that start, stop, come and go, and who may have it so.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 3
}
teardown() { clean_up; }

post() { get -X POST "$@"; }
cameras() { get "$URL/api/camera/cameras" | jq -c .cameras; }
cameras_are() { [ "$(cameras)" = "$1" ]; }
status_is() { state_is ".cameras[] | select(.name == \"$1\").status" "$2"; }
# A camera whose command notes that it runs: own_camera NAME.
own_camera() { echo "$1=exec:echo \$\$ >$T/$1.running; exec camgrab test --fps 20 --size 160x120"; }
runs() { [ -e "$T/$1.running" ] && alive "$(cat "$T/$1.running")"; }
rests() { ! runs "$1"; }

# --- start and stop

@test "stopping a camera ends its own source, and starting it brings it back" {
  serve --camera "$(own_camera cam)"
  eventually runs cam
  equals "$(post "$URL/api/camera/stop")" '{"status":"stopped"}'
  eventually rests cam
  status_is cam stopped
  equals "$(post "$URL/api/camera/start")" '{"status":"started"}'
  eventually runs cam
  eventually status_is cam live
}

@test "viewers of a stopped camera stay, get a card, and then the picture again" {
  serve --camera "$(own_camera cam)"
  eventually status_is cam live
  watch viewer /stream
  eventually has_frames viewer.out 2
  post "$URL/api/camera/stop?camera=cam" >/dev/null
  eventually grep -qa 'X-Signal: card' viewer.out
  local before
  before=$(frames count viewer.out)
  post "$URL/api/camera/start?camera=cam" >/dev/null
  eventually has_frames viewer.out $((before + 3))
  alive "$(pid_of viewer)"
}

@test "a stopped camera that others feed is read on, and its frames are thrown away" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h
  part p1.jpg >&7
  eventually shows p1.jpg
  post "$URL/api/camera/stop" >/dev/null
  # More than any pipe holds: it must be taken, or this would wait for ever.
  for _ in $(seq 400); do part p2.jpg; done | timeout "$FP_DEADLINE_S" cat >&7
  eventually state_is '.cameras[0] | .ignored > 0 and .ignored + .dropped == 400' true
  post "$URL/api/camera/start" >/dev/null
  part p3.jpg >&7
  eventually shows p3.jpg
}

@test "a stopped camera gives no snapshots and is no failure of health" {
  serve --camera "$(own_camera cam)"
  eventually status_is cam live
  post "$URL/api/camera/stop" >/dev/null
  equals "$(status_of "$URL/snapshot")" 503
  contains "$(get "$URL/snapshot")" 'has been stopped'
  equals "$(status_of "$URL/healthz")" 200
}

@test "a stopped camera that is on demand stays stopped when viewers come" {
  serve --camera "$(own_camera cam),on-demand"
  post "$URL/api/camera/stop" >/dev/null
  watch viewer /stream
  eventually grep -qa 'X-Signal: card' viewer.out
  not_there cam.running
  post "$URL/api/camera/start" >/dev/null
  eventually runs cam
}

@test "start and stop name the camera that there is not" {
  serve --camera "$(own_camera cam)"
  equals "$(status_of -X POST "$URL/api/camera/stop?camera=nosuch")" 404
  contains "$(post "$URL/api/camera/start?camera=nosuch")" "no camera 'nosuch'"
}

@test "start and stop are no GET: a link or an image must change nothing" {
  serve --camera "$(own_camera cam)"
  equals "$(status_of "$URL/api/camera/stop")" 405
  equals "$(head_value allow "$URL/api/camera/stop")" 'POST, OPTIONS'
}

@test "a camera that is stopped while its last frame was held shows the card, and not that frame" {
  serve --camera "cam=exec:test -e $T/once && exec sleep 1000; touch $T/once; exec camgrab test --fps 20 --size 160x120"
  eventually status_is cam live
  post "$URL/api/camera/stop" >/dev/null
  watch viewer /stream
  eventually grep -qa 'X-Signal: card' viewer.out
  post "$URL/api/camera/start" >/dev/null
  eventually grep -qa 'X-Signal: held' viewer.out
  post "$URL/api/camera/stop" >/dev/null
  last_is_card() { frames list viewer.out | tail -n 1 | grep -q 'card$'; }
  eventually last_is_card
  watch late /stream
  eventually has_frames late.out 1
  contains "$(frames list late.out | head -n 1)" card
}

@test "an on-demand camera that cannot be opened says so to its viewers, and shows its picture when it can" {
  serve --camera "cam=$T/later.sock.fifo,on-demand"
  watch viewer /stream
  eventually grep -qa 'X-Signal: card' viewer.out
  contains "$(state '.cameras[0].reason')" 'No such file'
  fifo_camera 7 later.sock.fifo
  part p1.jpg >&7
  eventually has_picture viewer.out p1.jpg
}

@test "a snapshot behind a number of before a restart is answered by the camera as it is now" {
  serve --camera "$(own_camera cam)"
  eventually status_is cam live
  local before
  before=$(state '.cameras[0].sequence')
  eventually state_is ".cameras[0].sequence > $before + 10" true
  before=$(state '.cameras[0].sequence')
  post "$URL/api/camera/stop" >/dev/null
  post "$URL/api/camera/start" >/dev/null
  eventually status_is cam live
  equals "$(status_of "$URL/snapshot?after=$before")" 200
}

@test "a snapshot passes on no order of a stranger to browsers and proxies" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 0s
  part p1.jpg 'X-Sequence: 5' 'X-Accel-Redirect: /secret' 'X-Frame-Options: ALLOWALL' >&7
  eventually shows p1.jpg
  equals "$(head_value x-sequence "$URL/snapshot")" 5
  equals "$(head_value x-accel-redirect "$URL/snapshot")" ''
  equals "$(head_value x-frame-options "$URL/snapshot")" ''
}

@test "the socket of a server that could not start does not stay" {
  run -66 mjpeg-serve --camera "cam=$T/nosuch" --listen "unix:$T/u.sock"
  not_there u.sock
}

# --- adding and removing

@test "a camera can be added, is served under its name, and can be removed" {
  serve --allow-source test
  equals "$(cameras)" '[]'
  equals "$(post "$URL/api/camera/cameras/bench?source=test")" '{"status":"added","name":"bench"}'
  equals "$(cameras)" '["bench"]'
  watch viewer /api/camera/stream/bench
  eventually has_frames viewer.out 2
  equals "$(get -X DELETE "$URL/api/camera/cameras/bench")" '{"status":"removed","name":"bench"}'
  equals "$(cameras)" '[]'
  eventually gone "$(pid_of viewer)"
  equals "$(get -X DELETE "$URL/api/camera/cameras/bench")" '{"status":"removed","name":"bench"}'
  eventually no_camgrab
}
no_camgrab() { ! pgrep -P "$(pid_of server)" camgrab; }

@test "a camera that cannot start gives the reason and leaves nothing behind" {
  serve --allow-source '/dev/video*' --allow-source 'unix:*'
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=73")" 502
  contains "$(post "$URL/api/camera/cameras/a?source=73" | jq -r .error)" '/dev/video73: No such file or directory'
  contains "$(post "$URL/api/camera/cameras/a?source=unix:$T/nobody.sock" | jq -r .error)" 'No such file'
  equals "$(cameras)" '[]'
  no_camgrab
}

@test "the source of a camera that is added is /dev/video0 when none is named" {
  serve --allow-source '/dev/video0'
  [ ! -e /dev/video0 ] || skip "there is a camera"
  contains "$(post "$URL/api/camera/cameras/a" | jq -r .error)" '/dev/video0'
}

@test "a camera added under a name that is there takes its place, and its viewers stay" {
  serve --camera "$(own_camera cam)" --allow-source test
  eventually status_is cam live
  watch viewer /stream/cam
  eventually has_frames viewer.out 2
  post "$URL/api/camera/cameras/cam?source=test" >/dev/null
  eventually rests cam
  local before
  before=$(frames count viewer.out)
  eventually has_frames viewer.out $((before + 3))
  equals "$(cameras)" '["cam"]'
}

@test "a replacement that cannot start leaves the camera as it was" {
  serve --camera "$(own_camera cam)" --allow-source '/dev/video*'
  eventually status_is cam live
  equals "$(status_of -X POST "$URL/api/camera/cameras/cam?source=73")" 502
  runs cam
  status_is cam live
}

@test "an addition whose page has gone away leaves nothing behind" {
  mkfifo silent
  exec 7<>silent
  serve --allow-source "$T/*"
  start adder curl -s -X POST "$URL/api/camera/cameras/a?source=$T/silent"
  eventually opened_by_server silent
  kill "$(pid_of adder)"
  eventually not_opened_by_server silent
  equals "$(cameras)" '[]'
}
opened_by_server() { readlink "/proc/$(pid_of server)/fd/"* | grep -q "$1"; }
not_opened_by_server() { ! opened_by_server "$1"; }

@test "nothing can be added or removed unless --allow-source says so" {
  serve --camera "$(own_camera cam)"
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=test")" 403
  equals "$(status_of -X DELETE "$URL/api/camera/cameras/cam")" 403
  equals "$(cameras)" '["cam"]'
  contains "$(state .server.can_add)" false
}

@test "commands, descriptors, standard input and listening ends cannot be added whatever is allowed" {
  serve --allow-source '*'
  local source
  for source in 'exec:touch%20pwned' 'EXEC:id' fd:0 - tcp-listen:0 "unix-listen:$T/x" 'file:///etc/passwd' \
    'rtsp://a/b%20;touch%20pwned' "$T/../../etc/passwd" 'concat:a'; do
    matches "$source $(status_of -X POST "$URL/api/camera/cameras/a?source=$source")" '(403|502|400)$'
  done
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=exec:id")" 403
  not_there pwned
  not_there x
  equals "$(cameras)" '[]'
}

@test "a URL is allowed by its scheme and host, and by nothing else in it" {
  serve --allow-source 'http://127.0.0.1'
  local url
  for url in 'http://127.0.0.1@example.invalid/' 'http://example.invalid/http://127.0.0.1' \
    'https://127.0.0.1/' 'http://127.0.0.1.example.invalid/' 'http://example.invalid%23@127.0.0.1:1@x/'; do
    equals "$url $(status_of -X POST -G --data-urlencode "source=$url" "$URL/api/camera/cameras/a")" "$url 403"
  done
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=http://127.0.0.1:1/")" 502
}

@test "a glob that begins with figures means addresses, and no name that looks like one" {
  serve --allow-source 'http://127.0.0.*'
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=http://127.0.0.example.invalid/")" 403
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=http://127.0.0.1:1/")" 502
}

@test "what an allowed address redirects to must be allowed, too" {
  start web "$PYTHON" -u "$SUPPORT/redirect.py" http://localhost:1/
  eventually test -s web.out
  serve --allow-source 'http://127.0.0.1'
  contains "$(post "$URL/api/camera/cameras/a?source=http://127.0.0.1:$(cat web.out)/" | jq -r .error)" 'not allowed'
}

@test "the same address with another password is another source" {
  start web "$PYTHON" "$SUPPORT/basic_auth.py" me right
  eventually test -s web.out
  serve --allow-source 'http://127.0.0.1'
  local at
  at=127.0.0.1:$(cat web.out)/p1.jpg
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=http://me:right@$at")" 200
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=http://me:wrong@$at")" 502
  shows p1.jpg a
}

@test "parameters in a body are not taken for others" {
  serve --camera "$(own_camera one)" --camera "$(own_camera two)"
  equals "$(status_of -X POST -d camera=two "$URL/api/camera/stop")" 400
  equals "$(status_of -X POST -H 'Content-Type: application/json' -d '{}' "$URL/api/camera/stop?camera=two")" 200
  status_is two stopped
}

@test "a name of a camera is letters, digits, - and _" {
  serve --allow-source test
  equals "$(status_of -X POST "$URL/api/camera/cameras/a%20b?source=test")" 400
  equals "$(status_of -X POST "$URL/api/camera/cameras/$(printf 'x%.0s' {1..65})?source=test")" 400
  equals "$(status_of -X POST "$URL/api/camera/cameras/a%2Fb?source=test")" 404
}

@test "the wall of all cameras follows those that come and go" {
  serve --camera "$(own_camera one)" --allow-source test
  eventually status_is one live
  watch wall /wall
  eventually grep -qa 'X-Camera: one' wall.out
  post "$URL/api/camera/cameras/two?source=test" >/dev/null
  eventually grep -qa 'X-Camera: two' wall.out
  get -X DELETE "$URL/api/camera/cameras/one" >/dev/null
  eventually rests one
  # What comes now is of the other alone.
  local before
  before=$(size_of wall.out)
  eventually larger wall.out $((before + 200000))
  tail -c 100000 wall.out >newest.part
  run -0 grep -qa 'X-Camera: two' newest.part
  run -1 grep -qa 'X-Camera: one' newest.part
}
larger() { [ "$(size_of "$1")" -gt "$2" ]; }

# --- who may

@test "a page of another origin may change nothing, unless it is named" {
  serve --camera "$(own_camera cam)" --allow-origin http://localhost:5173
  equals "$(status_of -X POST -H 'Origin: http://evil.example' "$URL/api/camera/stop")" 403
  equals "$(status_of -X POST -H 'Origin: null' "$URL/api/camera/stop")" 403
  equals "$(state '.cameras[0].status == "stopped"')" false
  equals "$(status_of -X POST -H 'Origin: http://localhost:5173' "$URL/api/camera/stop")" 200
  equals "$(status_of -X POST -H "Origin: $URL" "$URL/api/camera/start")" 200
}

@test "an origin without its scheme is refused at the start" {
  run -64 --separate-stderr mjpeg-serve --camera cam=test --allow-origin home.example.org
  contains "$stderr" 'http://HOST'
}

@test "--allow-origin '*' lets any page read, and none change anything" {
  serve --camera "$(own_camera cam)" --allow-origin '*'
  equals "$(head_value access-control-allow-origin -H 'Origin: http://any.example' "$URL/state")" '*'
  equals "$(status_of -X POST -H 'Origin: http://any.example' "$URL/api/camera/stop")" 403
}

@test "a preflight says what a named origin may do" {
  serve --camera "$(own_camera cam)" --allow-origin http://localhost:5173 --allow-origin http://other:1
  local -a ask=(-X OPTIONS -H 'Origin: http://other:1' -H 'Access-Control-Request-Method: POST')
  equals "$(head_value access-control-allow-methods "${ask[@]}" "$URL/api/camera/stop")" 'POST, OPTIONS'
  equals "$(head_value access-control-allow-methods "${ask[@]}" "$URL/api/camera/cameras/x")" 'POST, DELETE, OPTIONS'
  equals "$(head_value access-control-allow-origin "${ask[@]}" "$URL/api/camera/stop")" 'http://other:1'
  equals "$(head_value vary "${ask[@]}" "$URL/api/camera/stop")" Origin
}

@test "--read-only lets nobody change anything" {
  serve --camera "$(own_camera cam)" --allow-source test --read-only
  equals "$(status_of -X POST "$URL/api/camera/stop")" 403
  equals "$(status_of -X POST "$URL/api/camera/cameras/a?source=test")" 403
  equals "$(status_of -X DELETE "$URL/api/camera/cameras/cam")" 403
  equals "$(state '.server | "\(.control) \(.can_add)"')" 'false false'
}

# --- held frames

@test "while frames stop coming the last one is shown again, marked as held, and then the card" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 6s
  part p1.jpg >&7
  eventually shows p1.jpg
  watch viewer /stream
  eventually grep -qa 'X-Signal: held' viewer.out
  eventually grep -qa 'X-Signal: card' viewer.out
  equals "$(frames list viewer.out | head -n 2 | cut -d ' ' -f 1 | sort -u)" "$(sum_of p1.jpg)"
}
