# shellcheck shell=bash
# A relay for WebRTC, for bats files that have loaded common.bash.

# coturn: a relay with examples/coturn/turnserver.conf, but for its addresses and that it may reach loopback; RELAY.
coturn() {
  type turnserver >/dev/null 2>&1 || skip "coturn is not here"
  local attempt port
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    sed -e "s/^listening-port=.*/listening-port=$port/" -e '/^denied-peer-ip=/d' "$FP_ROOT/examples/coturn/turnserver.conf" \
      >turnserver.conf
    printf '%s\n' listening-ip=127.0.0.1 relay-ip=127.0.0.1 allow-loopback-peers "pidfile=$T/turn" "userdb=$T/turndb" \
      >>turnserver.conf
    start turn turnserver -c turnserver.conf --log-file stdout
    eventually turn_runs_or_ended
    # shellcheck disable=SC2034 # for the tests
    RELAY=127.0.0.1:$port
    ! gone "$(pid_of turn)" && return
  done
  fails "turnserver does not start ($attempt attempts)"
}
# It says nothing of its UDP port.
turn_runs_or_ended() { gone "$(pid_of turn)" || grep -q "0100007F:$(printf %04X "$port") " /proc/net/udp; }
