#!/usr/bin/env bats
# What examples/ shows works as it stands there; only addresses, names of files and ports are put in.

bats_require_minimum_version 1.5.0
load ../support/common

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

client() { timeout "$FP_DEADLINE_S" "$PYTHON" "$SUPPORT/clients.py" "$@"; }

# The camera `cam` shows what is written to descriptor 7: p1.jpg now.
with_picture() {
  fifo_camera 7 cam.fifo
  serve --camera cam=cam.fifo --stale 1h
  part p1.jpg >&7
  eventually shows p1.jpg
}

# --- nginx

free_port() { "$PYTHON" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
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
shows_last() { frames advance "$1" | tail -n 1 | grep -q "^$(sum_of "$2") "; }

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
    eventually shows_last browser.out "p$n.jpg"
  done
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
  eventually shows_last viewer.out p1.jpg
  part p2.jpg >&7
  eventually shows_last viewer.out p2.jpg
}
