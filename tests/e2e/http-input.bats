#!/usr/bin/env bats
# http:// and https:// as an input of every tool: cameras as they are, and nothing of their passwords to be seen.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr
# shellcheck disable=SC2030,SC2031 # CAM is set in each test, for that test

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/variants

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# camera: starts tests/support/camera.py; CAM is its address.
camera() {
  start camera "$PYTHON" "$SUPPORT/camera.py" "$T"
  eventually grep -q . camera.out
  CAM=http://127.0.0.1:$(cat camera.out)
}
plain_stream() { variant plain p1.jpg p2.jpg p3.jpg p4.jpg >cam.mjpeg; }
want_all() { cat p1.jpg p2.jpg p3.jpg p4.jpg >wanted; }
sums() { sha256sum <"$1" | cut -d ' ' -f 1; }
# gives PATH: all four pictures come out of it, byte for byte.
gives() {
  timeout 60 frame-stat -i "$CAM$1" --pass --every-frame --frames 4 >out 2>err || fails "exit code $? for $1"
  frames payloads out >got
  equals "$1 $(sums got)" "$1 $(sums wanted)"
}

# --- streams

@test "http: frames are what curl gets, byte for byte" {
  camera
  plain_stream
  want_all
  curl -s "$CAM/stream/cam.mjpeg" | frame-stat --pass --every-frame 2>err >out
  frames payloads out >by_curl
  same_bytes by_curl wanted
  gives /hold/stream/cam.mjpeg
  gives /hold/chunked/cam.mjpeg
  local length
  for length in 0 -1 999999999 100; do gives "/hold/length/$length/cam.mjpeg"; done
}

@test "http: every broken framing yields all its frames" {
  camera
  want_all
  local name
  for name in plain blank_line_first preamble lf_with_length lf_without_length ffmpeg gstreamer foscam lower_case \
    upper_case long_header json_header without_length without_type without_headers without_line without_line_and_length \
    without_first_boundary closing_as_separator only_closing_boundaries length_too_small length_too_large length_zero \
    length_no_number bare padded padded_without_length other_types_between empty_parts_between closing_at_end; do
    variant "$name" p1.jpg p2.jpg p3.jpg p4.jpg >"$name.mjpeg"
    gives "/hold/stream/$name.mjpeg"
  done
}

@test "http: heads that are wrong, odd or missing do no harm" {
  camera
  want_all
  local name
  for name in http_head http_head_lf announced_with_dashes announced_quoted announced_other not_announced wrong_type esp32 \
    plain bare without_first_boundary; do
    variant "$name" p1.jpg p2.jpg p3.jpg p4.jpg >"$name.mjpeg"
    gives "/hold/raw/$name.mjpeg"
  done
  { printf 'ICY 200 OK\nno colon\nbad name: x\n' && variant plain p1.jpg p2.jpg p3.jpg p4.jpg; } >icy
  gives /hold/raw/icy
}

@test "http: a stream that ends is asked for again" {
  camera
  variant plain p1.jpg p2.jpg >cam.mjpeg
  timeout 60 frame-stat -i "$CAM/stream/cam.mjpeg" --frames 5 >out 2>err
  contains "$(cat err)" "$CAM/stream/cam.mjpeg: end of stream; trying again"
  at_least "$(wc -l <requests)" 3
}

@test "http: a picture is asked for again each second, and nobody is warned" {
  camera
  timeout 60 frame-stat -i "$CAM/typed/image-jpeg/p1.jpg" --pass --every-frame --frames 3 >out 2>err
  frames payloads out >got
  cat p1.jpg p1.jpg p1.jpg >wanted
  same_bytes got wanted
  lacks "$(cat err)" "trying again"
  matches "$(head -n 1 requests)" "^/typed/image-jpeg/p1.jpg framepipe/[0-9.]+ \*/\* none$"
}

@test "http: redirects are followed, and a loop of them ends" {
  camera
  plain_stream
  want_all
  gives /redirect/3/hold/stream/cam.mjpeg
  start stat frame-stat -i "$CAM/redirect/9/stream/cam.mjpeg"
  eventually says stat "more than 5 redirects"
}

@test "http: the doctor knows what the head announced" {
  camera
  plain_stream
  contains "$(timeout 60 frame-stat --doctor --frames 4 -i "$CAM/hold/stream/cam.mjpeg" 2>err)" "frame"
  contains "$(timeout 60 frame-stat --doctor --frames 4 -i "$CAM/hold/typed/text-html/cam.mjpeg" 2>err)" "text/html"
}

# --- refusals

@test "http: what a camera refuses is told in one line, and nothing is lost by it" {
  camera
  start stat frame-stat -i "$CAM/status/404"
  eventually says stat "$CAM/status/404: 404 As Asked; trying again"
  alive "$(pid_of stat)"
  start other frame-stat -i "$CAM/digest/stream/x"
  eventually says other "401: the camera wants a user and a password (http://USER:PASSWORD@HOST/...)"
}

@test "http: a URL that is none, and one to write to, are wrong usage" {
  run --separate-stderr frame-stat -i http://
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "no host"
  run --separate-stderr frame-rate -o http://me:geheim@cam/up
  equals "$status ${#stderr_lines[@]}" "64 1"
  contains "$stderr" "'http://cam/up': frames are not sent to URLs"
  run --separate-stderr mjpeg-serve --camera http://me:geheim@cam/
  equals "$status ${#stderr_lines[@]}" "64 1"
  lacks "$stderr" geheim
}

# --- passwords

@test "http: Digest is answered, and neither messages nor arguments nor /state show the password" {
  camera
  variant plain p1.jpg p2.jpg >cam.mjpeg
  serve --camera "a=http://me:geheim@${CAM#http://}/digest/hold/stream/cam.mjpeg?pwd=auch" -v
  eventually shows p2.jpg
  equals "$(cut -d ' ' -f 4 requests | tr '\n' ' ')" "none Digest "
  contains "$(tr '\0' ' ' <"/proc/$(pid_of server)/cmdline")" "a=http://*********@127"
  lacks "$(tr '\0' ' ' <"/proc/$(pid_of server)/cmdline")" auch
  get "$URL/state" >state
  lacks "$(cat state server.err)" geheim
  lacks "$(cat state server.err)" auch
  kill -TERM "$(pid_of camera)"
  eventually says server "trying again"
  lacks "$(cat server.err; get "$URL/state")" geheim
}

@test "https: nginx with TLS and Basic is read, and a certificate that nobody vouches for is not" {
  plain_stream
  want_all
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cam \
    -addext subjectAltName=IP:127.0.0.1 -keyout key -out cert 2>/dev/null
  echo "me:$(openssl passwd -apr1 geheim)" >users
  # nginx takes no port 0: one that is free now is taken, and another one if it is lost meanwhile.
  https() { "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' >port
    cat >nginx.conf <<END
daemon off; master_process off; pid $T/nginx.id; error_log $T/nginx.log;
events {}
http {
  access_log off; client_body_temp_path $T; proxy_temp_path $T; fastcgi_temp_path $T; uwsgi_temp_path $T; scgi_temp_path $T;
  server {
    listen 127.0.0.1:$(cat port) ssl; ssl_certificate $T/cert; ssl_certificate_key $T/key;
    auth_basic cam; auth_basic_user_file $T/users; root $T;
    types {} default_type multipart/x-mixed-replace;
  }
}
END
    start nginx nginx -c "$T/nginx.conf" -e "$T/nginx.log"
    for _ in {1..300}; do
      curl -sk -o /dev/null "https://127.0.0.1:$(cat port)/" && return 0
      gone "$(pid_of nginx)" && return 1
      sleep 0.03
    done
  }
  eventually https
  CAM=https://me:geheim@127.0.0.1:$(cat port)
  SSL_CERT_FILE=$T/cert gives /cam.mjpeg
  start stat frame-stat -i "$CAM/cam.mjpeg"
  eventually says stat "certificate: self-signed certificate (SSL_CERT_FILE=FILE trusts the certificates in FILE)"
  lacks "$(cat stat.err err)" geheim
  SSL_CERT_FILE=$T/cert start wrong frame-stat -i "https://me:falsch@127.0.0.1:$(cat port)/cam.mjpeg"
  eventually says wrong "401: the user or the password is wrong"
}

# --- every tool

@test "http: frame-convert and frame-rate read a URL, too" {
  camera
  plain_stream
  timeout 60 frame-convert -i "$CAM/hold/stream/cam.mjpeg" --width 80 --every-frame --frames 4 >out 2>err
  equals "$(frames count out)" 4
  timeout 60 frame-rate -i "$CAM/hold/stream/cam.mjpeg" --every-frame --frames 1 >out 2>err
  at_least "$(frames count out)" 1
}

@test "http: an on-demand camera is asked with its first viewer, and left with its last" {
  camera
  variant plain p1.jpg >cam.mjpeg
  serve --camera "a=$CAM/hold/stream/cam.mjpeg,on-demand" --idle 0s
  eventually state_is '.cameras[0].status' idle
  not_there requests
  watch viewer '/stream/a'
  eventually has_frames viewer.out 1
  equals "$(wc -l <requests)" 1
  connected() { [ -n "$(ss -Htn state established "dport = :${CAM##*:}")" ]; }
  connected
  kill "$(pid_of viewer)"
  left() { ! connected; }
  eventually left
  eventually state_is '.cameras[0].status' idle
}
