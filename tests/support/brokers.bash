# shellcheck shell=bash
# shellcheck disable=SC2034 # BROKER and the like are for the tests
# Brokers for the tests of MQTT: Debian's mosquitto and nats-server. Neither can be asked for any free port, so one that is
# free now is tried, and another one when it has been taken in the meantime.

free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# mosquitto_with [LINE...]: starts it as `broker` on PORT, with these lines in its configuration; BROKER is its URL.
mosquitto_with() {
  BROKER_LINES=("$@")
  local try
  for try in 1 2 3 4 5; do
    PORT=$(free_port)
    mosquitto_again && break
  done
  listening "$PORT" || fails "no mosquitto after $try tries"
  BROKER=mqtt://127.0.0.1:$PORT
}
# The same again on its port, after it was stopped. As root it would become another user, who may not read the test's files.
mosquitto_again() {
  printf '%s\n' "user $(id -un)" "listener $PORT 127.0.0.1" "${BROKER_LINES[@]}" >"$T/mosquitto.conf"
  grep -q '^allow_anonymous' "$T/mosquitto.conf" || echo 'allow_anonymous true' >>"$T/mosquitto.conf"
  start broker mosquitto -v -c "$T/mosquitto.conf"
  eventually broker_settled
  listening "$PORT" && ! gone "$(pid_of broker)"
}
broker_settled() { gone "$(pid_of broker)" || listening "$PORT"; }
kill_broker() {
  local pid
  pid=$(pid_of broker)
  kill -KILL -- "-$pid"
  eventually gone "$pid"
}

# cluster: three nodes n1, n2, n3 of nats-server with MQTT and JetStream; N1, N2 and N3 are their MQTT ports, and MONITOR is
# that of n1's figures.
cluster() {
  local i ports=() routes
  for i in 1 2 3 4 5 6 7 8 9 10; do ports+=("$(free_port)"); done
  N1=${ports[0]} N2=${ports[1]} N3=${ports[2]} MONITOR=${ports[9]}
  routes="nats://127.0.0.1:${ports[6]},nats://127.0.0.1:${ports[7]},nats://127.0.0.1:${ports[8]}"
  for i in 0 1 2; do
    cat >"$T/n$((i + 1)).conf" <<EOF
server_name: n$((i + 1))
listen: 127.0.0.1:${ports[3 + i]}
jetstream { store_dir: "$T/js$((i + 1))", max_mem: 64M, max_file: 256M }
mqtt { listen: 127.0.0.1:${ports[i]} }
cluster { name: framepipe, listen: 127.0.0.1:${ports[6 + i]}, routes: [${routes//,/, }] }
EOF
    [ "$i" != 0 ] || echo "http: 127.0.0.1:$MONITOR" >>"$T/n1.conf"
    start "n$((i + 1))" nats-server -c "$T/n$((i + 1)).conf"
  done
  for i in "$N1" "$N2" "$N3"; do eventually listening "$i"; done
  # Until the three have chosen a leader, nobody is let in. And a node sets itself up for MQTT with its first client, which
  # takes all three of them: one that never had a client takes none when another one is gone.
  for i in "$N1" "$N2" "$N3"; do eventually mosquitto_pub -V mqttv311 -h 127.0.0.1 -p "$i" -t probe -m x -q 1; done
}
kill_node() {
  local pid
  pid=$(pid_of "$1")
  kill -KILL -- "-$pid"
  eventually gone "$pid"
}
