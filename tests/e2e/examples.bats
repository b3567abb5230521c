#!/usr/bin/env bats
# What examples/ shows works as it stands there; only addresses, names of files and ports are put in.

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/coturn

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# The camera `cam` shows what is written to descriptor 7: p1.jpg now.
with_picture() {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h --allow-host cameras.example.org
  part p1.jpg >&7
  eventually shows p1.jpg
}

# --- nginx

nginx_answers_or_ended() { gone "$(pid_of nginx)" || curl -sk -o /dev/null "$FRONT/"; }

# behind_nginx: the server behind examples/nginx.conf; FRONT is its address, the user is 'me', the password 'secret'.
behind_nginx() {
  type nginx >/dev/null 2>&1 || skip "nginx is not here"
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=cameras.example.org -keyout key.pem -out cert.pem 2>/dev/null
  printf 'me:%s\n' "$(openssl passwd -6 secret)" >htpasswd
  local temporary='' kind port attempt
  for kind in client_body proxy fastcgi uwsgi scgi; do temporary+="${kind}_temp_path $T/$kind; "; done
  # nginx takes no port 0, and another program may be quicker with a free one.
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    FRONT=https://127.0.0.1:$port
    sed -e "s,listen 443,listen 127.0.0.1:$port," -e "s,127\.0\.0\.1:8000,${URL#http://}," \
      -e "s,127\.0\.0\.1:8889,${VIDEO:-127.0.0.1:9}," \
      -e "s,/etc/ssl/certs/[^;]*,$T/cert.pem," -e "s,/etc/ssl/private/[^;]*,$T/key.pem," \
      -e "s,/etc/nginx/cameras.htpasswd;,$T/htpasswd;," "$FP_ROOT/examples/nginx.conf" >site.conf
    echo "events {} http { access_log off; $temporary include $T/site.conf; }" >nginx.conf
    start nginx nginx -p "$T" -c nginx.conf -e stderr -g "daemon off; master_process off; pid $T/nginx-pid;"
    eventually nginx_answers_or_ended
    ! gone "$(pid_of nginx)" && return
  done
  fails "nginx does not start ($attempt attempts)"
}
front() { get -k -u me:secret "$@"; }
# A viewer behind nginx; as `watch`.
watch_front() { URL=$FRONT watch "$1" "$2" -k -u me:secret "${@:3}"; }

@test "nginx asks for the password, and gives nothing without it" {
  with_picture
  behind_nginx
  local path
  for path in / /stream /snapshot /state '/webcam/?action=snapshot'; do
    equals "$path $(status_of -k "$FRONT$path")" "$path 401"
    equals "$path $(status_of -k -u me:wrong "$FRONT$path")" "$path 401"
  done
}

@test "nginx gives the viewer, all that it names, and snapshots byte for byte" {
  with_picture
  behind_nginx
  front "$FRONT/" | grep -o 'assets/[a-zA-Z0-9._-]*' | sort -u >paths
  at_least "$(wc -l <paths)" 2
  local path
  while read -r path; do equals "$path $(status_of -k -u me:secret "$FRONT/$path")" "$path 200"; done <paths
  front "$FRONT/snapshot" >got
  same_bytes got p1.jpg
}

@test "the viewer works below a path: all that it names is there, too" {
  with_picture
  behind_nginx
  # As a browser does it, which takes addresses from where the page is.
  front "$FRONT/webcam/" | grep -oE '(href|src)="[^"#:]*"' | cut -d '"' -f 2 | sort -u >named
  at_least "$(wc -l <named)" 3
  run -1 grep '^/' named
  local path
  while read -r path; do
    [ "$path" = stream ] || equals "$path $(status_of -k -u me:secret "$FRONT/webcam/$path")" "$path 200"
  done <named
}

@test "nginx holds no frame back, neither from programs nor from browsers, with HTTP/1.1 and with HTTP/2" {
  with_picture
  behind_nginx
  watch_front old /stream --http1.1
  watch_front new /stream --http2
  watch_front browser /stream --http2 -H 'Accept: image/avif,image/webp,*/*;q=0.8'
  contains "$(head -n 1 new.head)" HTTP/2
  local n
  for n in 1 2 3 4; do
    # Nothing comes behind it that could push it out.
    ((n == 1)) || part "p$n.jpg" >&7
    eventually has_picture old.out "p$n.jpg"
    eventually has_picture new.out "p$n.jpg"
    eventually browser_shows browser.out "p$n.jpg"
  done
}

# As the browser of whoever called https://cameras.example.org/.
named() { status_of -k -u me:secret --connect-to "::${FRONT#https://}" -X POST "$@"; }

@test "nginx passes on its name, so that its own pages may stop a camera and pages of others may not" {
  with_picture
  behind_nginx
  local stop=https://cameras.example.org/api/camera/stop
  equals "$(named -H 'Origin: https://evil.example' "$stop")" 403
  shows p1.jpg
  equals "$(named -H 'Origin: https://cameras.example.org' "$stop")" 200
  state_is '.cameras[0].status' stopped
}

@test "nginx holds no event back" {
  with_picture
  behind_nginx
  watch_front viewer /events
  eventually grep -q '^data: ' viewer.out
}

@test "nginx lets go of the camera when its viewer leaves" {
  with_picture
  behind_nginx
  watch_front viewer /stream
  eventually state_is '.viewers | length' 1
  kill "$(pid_of viewer)"
  eventually state_is '.viewers | length' 0
}

@test "nginx has the camera where OctoPi and Mainsail look for it" {
  with_picture
  behind_nginx
  client snapshot "$FRONT/webcam/?action=snapshot&timestamp=1763688000123" me:secret >got
  same_bytes got p1.jpg
  client still "$FRONT/webcam/?action=stream" me:secret >got
  same_bytes got p1.jpg
  front "$FRONT/webcam/snapshot/cam" >got
  same_bytes got p1.jpg
  watch_front viewer '/webcam/?action=stream&1763688000123' -H 'Accept: image/avif,image/webp,*/*;q=0.8'
  eventually browser_shows viewer.out p1.jpg
  part p2.jpg >&7
  eventually browser_shows viewer.out p2.jpg
}

# --- WebRTC

# with_video [ARG...]: webrtc-serve as `video`; VIDEO is its address, a host and a port.
with_video() {
  start video webrtc-serve --listen 127.0.0.1:0 --input 'exec:camgrab test --size 160x120 --fps 15' "$@"
  find_url video
  VIDEO=${URL#http://}
}
video_viewer() { timeout $((2 * FP_DEADLINE_S)) "$PYTHON" "$SUPPORT/webrtc_viewer.py" "$@"; }

@test "nginx has webrtc-serve at /live/: its page, WHEP and the WebSocket" {
  with_video --allow-host cameras.example.org
  URL=http://$VIDEO behind_nginx
  front "$FRONT/live/" | grep -oE '(href|src)="[^"#:]*"' | cut -d '"' -f 2 | sort -u >named
  at_least "$(wc -l <named)" 3
  local path session
  while read -r path; do equals "$path $(status_of -k -u me:secret "$FRONT/live/$path")" "$path 200"; done <named
  session=$(head_value location -k -u me:secret -H 'Content-Type: application/sdp' \
    --data-binary "@$FP_ROOT/tests/data/rtc/chromium-recvonly.sdp" "$FRONT/live/whep")
  # nginx makes it absolute, by the name that was called.
  matches "$session" '/live/whep/[0-9a-f]{32}$'
  equals "$(status_of -k -u me:secret -X DELETE "$FRONT/live/whep/${session##*/}")" 200
  start socket curl -sNik -u me:secret --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$FRONT/live/api/webrtc/ws"
  eventually grep -q '^HTTP/1.1 101' socket.out
}

@test "coturn relays the video of webrtc-serve, whose addresses nobody is told" {
  coturn
  echo framepipe:SECRET >turn.secret
  with_video --turn "$RELAY" --turn-credentials turn.secret --relay-only
  video_viewer "$URL/whep" >got || true
  equals "$(jq -c '[.frames, .candidates]' got)" '[10,["host","relay"]]'
}

# --- cron

# as_shown TEXT: with the test's folder and server in it.
as_shown() {
  local text=${1//\/var\/lib\/timelapse/$T/lapse}
  printf '%s\n' "${text//http:\/\/127.0.0.1:8000/$URL}"
}
# The command of examples/cron, as cron hands it to the shell: without time and user, and with its percent signs.
cron_command() { as_shown "$(sed -nE 's/^(\* ){5}timelapse //p' "$FP_ROOT/examples/cron" | sed 's/\\%/%/g')"; }

# A camera goes on: however slow this machine is, there is a fresh picture.
has_ended() {
  part p2.jpg >&7
  gone "$(pid_of cron)"
}

@test "cron's line saves the newest picture under the time, once it is fresh" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h
  part p1.jpg "X-Timestamp: $(($(date +%s) - 100)).000000" >&7
  eventually shows p1.jpg
  mkdir lapse
  matches "$(cron_command)" '^curl .*/snapshot'
  start cron sh -c "$(cron_command)"
  eventually has_ended
  ends cron
  local files=(lapse/*.jpg)
  matches "${files[*]}" '^lapse/20[0-9-]+_[0-9-]+\.jpg$'
  same_bytes "${files[0]}" p2.jpg
}

@test "cron's line fails and saves nothing while there is no fresh picture" {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo
  mkdir lapse
  run sh -c "$(cron_command | sed 's/max_age=2000/x/')"
  equals "$status $(ls lapse)" "22 "
}

@test "a time lapse by frame-rate is a stream that ffmpeg makes a film of" {
  serve --camera "cam=exec:camgrab test --size 160x120 --fps 10"
  eventually answers 200 "$URL/snapshot"
  mkdir lapse
  local command
  command=$(as_shown "$(sed -n 's/^#   curl/curl/p' "$FP_ROOT/examples/cron")")
  contains "$command" "frame-rate --fps 0.01667"
  # A frame a minute is no pace for a test.
  start lapse sh -c "${command/0.01667/5}"
  eventually has_frames lapse/day.mjpeg 3
  command=$(as_shown "$(sed -n 's/^#   ffmpeg/ffmpeg/p' "$FP_ROOT/examples/cron")")
  ${command/ffmpeg/ffmpeg -v error}
  equals "$(ffprobe -v error -show_entries stream=r_frame_rate,width,height -of csv=p=0 day.mp4)" "160,120,25/1"
}

# --- systemd

@test "the cameras that systemd's example sets up are those that its server reads, with options that they take" {
  local names='' file name options tool
  for file in "$FP_ROOT"/examples/systemd/*.service.d/camera.conf; do
    name=$(sed -n 's/^Environment=FRAMEPIPE_NAME=\([^ ]*\) .*/\1/p' "$file")
    options=$(sed -n 's/.* "FRAMEPIPE_OPTIONS=\(.*\)"$/\1/p' "$file")
    tool=$(basename "${file%@*}")
    names+="--camera $name=unix:/run/framepipe/$name.sock "
    mkdir -p lapse
    cp p1.jpg lapse/2026-11-21_12-00-00.jpg
    # shellcheck disable=SC2086 # split at spaces, as systemd does it
    case $tool in
      camgrab) camgrab $options --frames 1 test >one ;;
      dirwatch) dirwatch $options --frames 1 --existing lapse >one ;;
    esac
    equals "$tool $options: $(frames count one)" "$tool $options: 1"
  done
  equals "$(sed -n 's/^FRAMEPIPE_SERVE_OPTIONS="\(.*\)"$/\1 /p' "$FP_ROOT/examples/systemd/serve.conf")" "$names"
}

@test "the unit of frame-detect reads the socket of a camera's unit, and writes to one of its own" {
  local unit=$FP_ROOT/systemd/frame-detect@.service.in command options
  options=$(sed -n 's/^Environment="FRAMEPIPE_OPTIONS=\(.*\)"$/\1/p' "$unit")
  command=$(sed -n 's,^ExecStart=@BINDIR@/,,p' "$unit")
  command=${command//%i/test}
  command=${command//\/run\/framepipe/$T}
  start camera camgrab --output "unix-listen:$T/test.sock" --size 160x120 test
  # shellcheck disable=SC2086 # split at spaces, as systemd does it
  start detector ${command/\$FRAMEPIPE_OPTIONS/$options}
  timeout "$FP_DEADLINE_S" frame-rate --input "unix:$T/test-detect.sock" --frames 1 >one
  contains "$(tr -d '\0' <one)" 'X-Detections: {"model":"motion"'
}
