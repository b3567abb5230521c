#!/usr/bin/env bats
# WebSockets of lib/http with a client that others wrote, in the clear and by TLS.
load ../support/common

bats_require_minimum_version 1.5.0

setup() {
  set_up
  [ -x "$FP_BIN/websocket_echo" ] || skip "websocket_echo was not built"
  "$PYTHON" -c 'import websockets' 2>/dev/null || skip "python3-websockets is not here"
}
teardown() { clean_up; }

echo_server() {
  start echo "$FP_BIN/websocket_echo" "$@"
  eventually grep -q '^wss*:' echo.out
  URL=$(head -n 1 echo.out)
}
peers() { timeout 70 "$PYTHON" "$SUPPORT/websocket_client.py" "$@"; }

@test "a WebSocket says back what python's client says, in any size and in pieces, and closes by the book" {
  echo_server
  run -0 peers "$URL"
  equals "$output" ok
  equals "$(grep -c 'closed 1000' echo.out)" 20
}

@test "a WebSocket does so by TLS" {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
  echo_server cert.pem key.pem
  run -0 peers "$URL" cert.pem
  equals "$output" ok
}
