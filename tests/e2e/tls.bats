#!/usr/bin/env bats
# HTTPS of mjpeg-serve and mjpeg-relay: --tls-cert, --tls-key, SIGHUP, and peers that mean harm.
load ../support/common

bats_require_minimum_version 1.5.0

setup() {
  set_up
  make_certificate 1
}
teardown() { clean_up; }

# A server with p1.jpg as its only picture.
one_picture() {
  make_pictures 1
  fifo_camera 8 cam
  serve_tls --camera cam=cam
  part p1.jpg >&8
  eventually tls_state_is '.cameras[0].frames' 1
}

# make_certificate SERIAL [OPENSSL-ARG...]: cert.pem and key.pem.
make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -set_serial "$1" -keyout key.pem -out cert.pem "${@:2}" 2>/dev/null
  chmod 600 key.pem
}

# serve_tls [ARG...]: starts mjpeg-serve as `server`; URL and PORT.
serve_tls() {
  start server mjpeg-serve --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem "$@"
  find_tls server
}
find_tls() {
  eventually grep -q 'https://127.0.0.1:[0-9]*/' "$T/$1.err"
  PORT=$(sed -n 's,.*https://127\.0\.0\.1:\([0-9]*\)/.*,\1,p' "$T/$1.err" | head -n 1)
  URL=https://127.0.0.1:$PORT
}
CA=(--cacert cert.pem)
tls_state() { get "${CA[@]}" "$URL/state" | jq -r "$1"; }
tls_state_is() { [ "$(tls_state "$1")" = "$2" ]; }
tls_peer() { timeout $((FP_DEADLINE_S + 30)) "$PYTHON" "$SUPPORT/tls_client.py" "$@"; }
# shellcheck disable=SC2120 # options of openssl, from some tests
s_client() { timeout "$FP_DEADLINE_S" openssl s_client -connect "127.0.0.1:$PORT" "$@"; }
# shellcheck disable=SC2119
serial() { s_client </dev/null 2>/dev/null | openssl x509 -noout -serial | cut -d = -f 2; }

@test "https: curl gets page, snapshot and stream, by a certificate that it looks at" {
  one_picture
  equals "$(status_of "${CA[@]}" "$URL/")" 200
  get "${CA[@]}" "$URL/snapshot" >got.jpg
  same_bytes got.jpg p1.jpg
  start viewer curl -sN "${CA[@]}" "$URL/stream"
  eventually has_picture viewer.out p1.jpg
  equals "$(head_value strict-transport-security "${CA[@]}" "$URL/")" ''
  run -60 curl -s "$URL/"
}

@test "https: TLS 1.1 is refused, 1.2 and 1.3 work, by HTTP/1.1" {
  serve_tls --camera test=test
  run ! s_client -tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null
  local version
  for version in 2 3; do
    run -0 s_client "-tls1_$version" -alpn h2,http/1.1 </dev/null
    contains "$output" "TLSv1.$version, Cipher is"
    contains "$output" 'ALPN protocol: http/1.1'
  done
  eventually tls_state_is .connections.no_tls 1
}

@test "https: TLS 1.2 is spoken with authenticated encryption alone" {
  serve_tls --camera test=test
  run ! s_client -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256 </dev/null
  run -0 s_client -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256 </dev/null
  contains "$output" 'Cipher is ECDHE-ECDSA-AES128-GCM-SHA256'
}

@test "https: the handshake is not done anew on a client's wish" {
  serve_tls --camera test=test
  fifo_camera 7 wish # which does not end
  printf 'R\n' >&7
  run ! s_client -tls1_2 <&7
  contains "$output" 'RENEGOTIATING'
  matches "$output" 'no renegotiation|handshake failure'
  equals "$(status_of "${CA[@]}" "$URL/state")" 200
}

@test "https: http:// on its port is told so in words, and counted" {
  serve_tls --camera test=test
  run -0 get -i "http://127.0.0.1:$PORT/snapshot"
  contains "$output" 'HTTP/1.1 400 Bad Request'
  contains "$output" 'write https://'
  eventually tls_state_is .connections.no_tls 1
  contains "$(get "${CA[@]}" "$URL/metrics")" 'framepipe_connections_ended_total{cause="no_tls"} 1'
}

@test "https: a unix socket stays in the clear" {
  start server mjpeg-serve --listen 127.0.0.1:0 --listen unix:s.sock --tls-cert cert.pem --tls-key key.pem --camera test=test
  find_tls server
  equals "$(status_of --unix-socket s.sock http://localhost/state)" 200
  equals "$(status_of "${CA[@]}" "$URL/state")" 200
}

@test "https: a viewer that falls behind is given the newest frame, and each frame whole" {
  # Few, since the server ends a viewer that takes nothing for 15 s.
  make_pictures 20 640x480
  fifo_camera 7 cam
  serve_tls --camera cam=cam
  part p1.jpg >&7
  eventually tls_state_is '.cameras[0].frames' 1
  start late "$PYTHON" "$SUPPORT/tls_client.py" late "$URL/stream" "$T/go"
  eventually says late waiting
  local i
  for i in {2..20}; do
    part "p$i.jpg" >&7
    eventually tls_state_is '.cameras[0].frames' "$i"
  done
  touch go
  eventually last_is late.out p20.jpg
  sha1sum p*.jpg | cut -d ' ' -f 1 | sort >sent.sums
  frames list late.out | cut -d ' ' -f 1 | sort >got.sums
  equals "$(comm -13 sent.sums got.sums)" ''
  at_most "$(wc -l <got.sums)" 10
  at_least "$(tls_state '.viewers[0].dropped')" 10
}

@test "https: fifty viewers are served side by side" {
  serve_tls --camera test=test
  run -0 tls_peer many "$URL/stream?framing=length" 50 5
  equals "$output" 50
  eventually tls_state_is '.viewers | length' 0
}

@test "https: SIGHUP reads the certificate again; viewers stay, and one that cannot be read changes nothing" {
  serve_tls --camera test=test
  equals "$(serial)" 01
  start viewer curl -skN "$URL/stream"
  eventually has_frames viewer.out 1
  make_certificate 2
  kill -HUP "$(pid_of server)"
  eventually says server 'the certificate was read again: valid until '
  equals "$(serial)" 02
  echo nonsense >cert.pem
  kill -HUP "$(pid_of server)"
  eventually says server 'cert.pem: no certificate in it'
  says server 'stays the one that was read before'
  equals "$(serial)" 02
  local before
  before=$(frames count viewer.out)
  eventually has_frames viewer.out $((before + 3))
}

@test "https: each viewer's last frame is whole when the server ends" {
  serve_tls --camera "test=exec:camgrab test --size 1280x720 --fps 60"
  start viewer curl -skN "$URL/stream?framing=length"
  eventually has_frames viewer.out 5
  kill -TERM "$(pid_of server)"
  ends server
  ends viewer 0
  equals "$(frames tail viewer.out | wc -c)" 0
}

@test "https: noise and handshakes that stand still are ended and counted, and others see nothing of it" {
  serve_tls --camera test=test
  start viewer curl -skN "$URL/stream"
  eventually has_frames viewer.out 1
  tls_peer noise "$URL" 200
  at_least "$(tls_state .connections.no_tls)" 190
  tls_peer half "$URL" 40
  equals "$(tls_state .connections.timed_out)" 40
  local before
  before=$(frames count viewer.out)
  eventually has_frames viewer.out $((before + 3))
  at_most "$(peak_kib "$(pid_of server)")" 100000
}

@test "https: mjpeg-relay reads it with --ca, and serves it by TLS of its own" {
  one_picture
  timeout "$FP_DEADLINE_S" mjpeg-relay --ca cert.pem --output relayed.mjpeg --frames 1 "$URL/stream"
  has_picture relayed.mjpeg p1.jpg
  start relay mjpeg-relay --ca cert.pem --listen 127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem "$URL/stream"
  find_tls relay
  relayed() {
    get "${CA[@]}" "$URL/snapshot" >got.jpg
    cmp -s got.jpg p1.jpg
  }
  eventually relayed
}

@test "https: files that do not fit are refused in one line before anything listens" {
  refused() { # CODE TEXT ARG...
    run "-$1" --separate-stderr timeout "$FP_DEADLINE_S" mjpeg-serve --listen 127.0.0.1:0 --camera test=test "${@:3}"
    # shellcheck disable=SC2154 # bats sets it
    contains "$stderr" "$2"
    # shellcheck disable=SC2154
    equals "${#stderr_lines[@]}" 1
  }
  refused 64 '--tls-cert needs --tls-key FILE' --tls-cert cert.pem
  refused 64 '--tls-key needs --tls-cert FILE' --tls-key key.pem
  refused 66 'nosuch.pem: No such file or directory' --tls-cert nosuch.pem --tls-key key.pem
  cp key.pem old.pem
  make_certificate 2
  refused 65 'old.pem: does not fit the certificate in cert.pem' --tls-cert cert.pem --tls-key old.pem
}

@test "https: a key that others can read is warned of" {
  chmod 644 key.pem
  serve_tls --camera test=test
  says server 'everybody on this machine can read the key'
}
