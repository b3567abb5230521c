#!/usr/bin/env bats
# slowhttptest in its four modes at a server with a hundred viewers: none of them is lost, or shown a broken, older or repeated
# frame, and the slow connections end. How old frames are meanwhile: bench/slow.py.
load ../support/common

bats_require_minimum_version 1.5.0

ATTACKERS=300

setup() {
  set_up
  type slowhttptest >/dev/null 2>&1 || skip "slowhttptest is not here"
  [ -x "$FP_BIN/loadgen" ] || skip "loadgen was not built"
}
teardown() { clean_up; }

# The server's own figures, past its limits for addresses.
connections() { get --unix-socket s.sock http://localhost/state | jq -r ".connections.$1"; }
connections_reach() { [ "$(connections "$1")" -ge "$2" ]; }

# a_hundred_viewers SECONDS [ARG...]: of `server`, who check each byte, and from when on they do.
a_hundred_viewers() {
  camgrab test --size 320x240 --frames 1 >one.mjpeg
  frames split one.mjpeg picture
  # shellcheck disable=SC2016 # for the shell that has the pipe
  start server bash -c 'feeder picture1.jpg --fps 10 --pipe 2>/dev/null | exec mjpeg-serve "$@"' - \
    --listen 127.0.0.1:0 --listen unix:s.sock "${@:2}"
  find_url server
  start viewers loadgen "$URL/stream" --viewers 100 --at-once 10 --warmup 0 --linger 0 --seconds "$1" --json
  eventually says viewers measuring
}
# attack ARG...: as many connections as ATTACKERS, until they are closed.
attack() { start attack slowhttptest -c $ATTACKERS -r $ATTACKERS -l 120 "$@"; }
# The viewers have come to their end, and nothing of what they saw is wrong.
viewers_are_well() {
  ends viewers
  equals "$(jq -c '.classes.normal | [.connected, .lost, .starved]' viewers.out)" '[100,0,0]'
  equals "$(jq -c '.classes.normal | [.bad, .unstamped, .malformed, .repeated, .order_errors]' viewers.out)" '[0,0,0,0,0]'
  equals "$(jq '.classes.normal | .checked == .frames and .frames >= 100' viewers.out)" true
  at_most "$(peak_kib "$(pgrep -P "$(pid_of server)" mjpeg-serve || pid_of server)")" 100000
}

@test "slow headers end after a time, and a hundred viewers notice nothing" {
  a_hundred_viewers 16
  attack -H -i 1 -u "$URL/"
  eventually connections_reach open $((100 + ATTACKERS))
  eventually connections_reach timed_out $ATTACKERS
  viewers_are_well
}

@test "slow bodies end after a time, and a hundred viewers notice nothing" {
  a_hundred_viewers 16
  attack -B -i 1 -s 8192 -x 8 -u "$URL/detect_once"
  eventually connections_reach open $((100 + ATTACKERS))
  eventually connections_reach timed_out $ATTACKERS
  viewers_are_well
}

@test "a multitude of ranges is one answer each, and a hundred viewers notice nothing" {
  a_hundred_viewers 6
  attack -R -a 1 -b 3000 -t GET -u "$URL/snapshot"
  eventually connections_reach accepted $((100 + ATTACKERS))
  equals "$(status_of -H 'Range: bytes=0-,1-2,2-3' "$URL/snapshot")" 200
  viewers_are_well
}

@test "slow readers of a stream are closed, and a hundred viewers notice nothing" {
  a_hundred_viewers 8 --stall-timeout 2s
  attack -X -w 512 -y 1024 -n 30 -z 16 -u "$URL/stream"
  eventually connections_reach stalled $ATTACKERS
  viewers_are_well
}

@test "more connections of an address than it may have are turned away, and a hundred viewers notice nothing" {
  a_hundred_viewers 6 --max-connections-per-address 200
  attack -H -i 1 -u "$URL/"
  eventually connections_reach refused $((ATTACKERS - 100))
  at_most "$(connections open)" 201
  viewers_are_well
}
