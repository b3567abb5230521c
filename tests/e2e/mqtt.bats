#!/usr/bin/env bats
# frame-publish and frame-subscribe, with Debian's brokers in between.
# shellcheck disable=SC2154,SC2030,SC2031 # stderr and stderr_lines come from run --separate-stderr; a test is a subshell

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/brokers

setup() {
  set_up
  make_pictures 4
}
teardown() { clean_up; }

# A camera `door` that shows what is written to descriptor 7.
door() {
  fifo_camera 7 door.fifo
  start pub frame-publish "$BROKER/cams/door" -i door.fifo "$@"
  eventually says pub ': connected'
}
sends() { part "$@" >&7; }
# The test card, ten times a second.
test_door() {
  start pub frame-publish "$BROKER/cams/door" -i 'exec:camgrab test --fps 20 --size 160x120' "$@"
  eventually says pub ': connected'
}
# sub NAME [ARG...]: a subscriber of `door`, or of what SUB says.
sub() {
  local name=$1
  shift
  start "$name" frame-subscribe "${SUB:-$BROKER/cams/door}" "$@"
  eventually says "$name" ': connected'
  # mosquitto says so; of another broker nobody knows.
  [ ! -e "$T/broker.err" ] || eventually subscribed
}
subscribed() { grep -qE 'Sending SUBACK' "$T/broker.err"; }
status_is() {
  [ "$(timeout 5 mosquitto_sub -V mqttv311 -h 127.0.0.1 -p "${2:-$PORT}" -t cams/door/status -C 1 -W 3)" = "$1" ]
}
live() { frames list "$1" | awk '$5 == "-" || $5 == "live"'; }
has_live() { [ "$(live "$1" | wc -l)" -ge "$2" ]; }
live_count() { live "$1" | wc -l; }
kill_pub() {
  local pid
  pid=$(pid_of pub)
  kill -KILL -- "-$pid"
  eventually gone "$pid"
}

@test "mqtt: frames go through a broker byte for byte, by 3.1.1 and by 5" {
  mosquitto_with
  local version
  for version in 3.1.1 5; do
    start pub frame-publish "$BROKER/cams/door" -i exec:'cat pictures.mjpeg; sleep 30' --protocol "$version" --every-frame --qos 1
    start sub frame-subscribe "$BROKER/cams/door" --protocol "$version" --frames 1
    eventually has_frames sub.out 1
    ends sub
    matches "$(sum_of p1.jpg) $(sum_of p2.jpg) $(sum_of p3.jpg) $(sum_of p4.jpg)" "$(frames list sub.out | cut -d ' ' -f 1)"
    contains "$(frames headers sub.out)" '"x-camera": "door"'
    kill_pub
    rm -f pub.pid
  done
  grep -q 'p4, c1' broker.err || grep -qE 'New client connected .*\(p[24]' broker.err
}

@test "mqtt: other programs get a bare JPEG, and one that the broker has kept" {
  mosquitto_with
  door
  sends p1.jpg
  eventually kept p1.jpg
  contains "$(cat got)" "$(head -c 2 p1.jpg)"
}
kept() { timeout 5 mosquitto_sub -h 127.0.0.1 -p "$PORT" -t cams/door/frame -C 1 -W 3 -N >got && same_bytes got "$1"; }

@test "mqtt: with --framed a frame keeps its headers, but for orders to filters" {
  mosquitto_with
  sub sub
  door --framed
  sends p1.jpg 'X-Sequence: 41' 'X-Timestamp: 1763688000.500000' 'X-Camera: other' 'X-Fine: yes' 'X-Gate: open'
  eventually has_frames sub.out 1
  local head
  head=$(frames headers sub.out)
  contains "$head" '"x-sequence": "41"'
  contains "$head" '"x-timestamp": "1763688000.500000"'
  contains "$head" '"x-camera": "door"'
  contains "$head" '"x-fine": "yes"'
  lacks "$head" x-gate
}

@test "mqtt: what was detected is JSON on a topic of its own" {
  mosquitto_with
  start found mosquitto_sub -h 127.0.0.1 -p "$PORT" -t cams/door/detections
  eventually subscribed
  door
  sends p1.jpg 'X-Sequence: 5' 'X-Detections: {"model":"m","objects":[{"label":"person"}]}'
  eventually printed found person
  equals "$(jq -r '.camera, .sequence, .width, .detections[0].objects[0].label' found.out | xargs)" 'door 5 160 person'
}

@test "mqtt: a frame that the broker has kept is held; live ones follow" {
  mosquitto_with
  door
  sends p1.jpg
  eventually kept p1.jpg
  sub sub
  eventually has_frames sub.out 1
  contains "$(frames headers sub.out)" '"x-signal": "held"'
  sends p2.jpg
  eventually has_live sub.out 1
  equals "$(live sub.out | cut -d ' ' -f 1)" "$(sum_of p2.jpg)"
}

@test "mqtt: a camera is online with its first frame, offline at its end, and offline when it is killed" {
  mosquitto_with
  door
  eventually status_is offline
  sends p1.jpg
  eventually status_is online
  kill "$(pid_of pub)"
  ends pub
  eventually status_is offline
  door
  sends p1.jpg
  eventually status_is online
  kill_pub
  eventually status_is offline
}

@test "mqtt: a camera that falls silent is offline" {
  mosquitto_with
  door --stale 300ms
  sends p1.jpg
  eventually status_is offline
}

@test "mqtt: a broker that is stopped and started again finds both back" {
  mosquitto_with
  sub sub
  test_door
  eventually has_live sub.out 3
  local before
  for _ in 1 2; do
    kill_broker
    before=$(live_count sub.out)
    eventually mosquitto_again
    eventually has_live sub.out $((before + 3))
  done
  eventually status_is online
  contains "$(cat pub.err)" 'trying again'
}

@test "mqtt: while the broker stands still frames are dropped, and then the newest comes first" {
  mosquitto_with
  sub sub
  start pub frame-publish "$BROKER/cams/door" --qos 1 --framed \
    -i 'exec:camgrab test --fps 20 --size 160x120 | tee made.mjpeg'
  eventually has_live sub.out 3
  local stopped since made
  stopped=$(date +%s.%N)
  kill -STOP "$(pid_of broker)"
  made=$(frames count made.mjpeg)
  eventually has_frames made.mjpeg $((made + 40))
  since=$(date +%s.%N)
  kill -CONT "$(pid_of broker)"
  eventually newer_than "$since"
  # Of those forty at most one was on its way.
  local old
  old=$(timestamps sub.out | awk -v stopped="$stopped" -v since="$since" '$1 > stopped + 0.3 && $1 < since - 0.2' | wc -l)
  at_most "$old" 1
}
timestamps() { frames headers "$1" | jq -r '."x-timestamp"'; }
newer_than() { [ -n "$(timestamps sub.out | awk -v since="$1" '$1 > since')" ]; }

@test "mqtt: subscribers with --share get each frame once" {
  mosquitto_with
  SUB=$BROKER/cams/+ sub one --share workers
  SUB=$BROKER/cams/+ sub two --share workers
  eventually two_subscribed
  door --framed --every-frame --qos 1
  local i
  for i in $(seq 40); do sends "p$((i % 4 + 1)).jpg" "X-Sequence: $i"; done
  eventually both_have 30
  local numbers
  numbers=$(frames list one.out; frames list two.out)
  equals "$(cut -d ' ' -f 3 <<<"$numbers" | sort | uniq -d)" ''
  at_least "$(frames count one.out)" 5
  at_least "$(frames count two.out)" 5
}
two_subscribed() { [ "$(grep -c 'Sending SUBACK' broker.err)" -ge 2 ]; }
both_have() { [ $(($(frames count one.out) + $(frames count two.out))) -ge "$1" ]; }

@test "mqtt: several cameras come by one subscription, each with its name" {
  mosquitto_with
  SUB=$BROKER/cams/+ sub all
  SUB=$BROKER/cams/door,yard sub two
  local name
  for name in door yard attic; do
    start "pub-$name" frame-publish "$BROKER/cams/$name" -i 'exec:camgrab test --fps 5 --size 160x120'
  done
  eventually cameras_are all.out 'attic door yard'
  eventually cameras_are two.out 'door yard'
}
cameras_are() { [ "$(frames list "$1" | cut -d ' ' -f 4 | sort -u | xargs)" = "$2" ]; }

@test "mqtt: a broker with TLS is known by its authority, and nobody else is" {
  bash "$FP_ROOT/scripts/dev-cert" --dir tls >/dev/null 2>&1
  bash "$FP_ROOT/scripts/dev-cert" --dir other >/dev/null 2>&1
  mosquitto_with "certfile $T/tls/cert.pem" "keyfile $T/tls/key.pem"
  BROKER=mqtts://localhost:$PORT
  start sub frame-subscribe "$BROKER/cams/door" --ca tls/ca.pem
  start stranger frame-subscribe "$BROKER/cams/door" --ca other/ca.pem
  eventually says sub ': connected'
  eventually subscribed
  door --ca tls/ca.pem
  sends p1.jpg
  eventually has_frames sub.out 1
  eventually says stranger 'its certificate is refused'
  contains "$(cat stranger.err)" '--ca FILE'
  equals "$(size_of stranger.out)" 0
}

@test "mqtt: a certificate of another name is refused" {
  mkdir tls
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other.example \
    -addext subjectAltName=DNS:other.example -keyout tls/key.pem -out tls/cert.pem 2>/dev/null
  mosquitto_with "certfile $T/tls/cert.pem" "keyfile $T/tls/key.pem"
  start sub frame-subscribe "mqtts://127.0.0.1:$PORT/cams/door" --ca tls/cert.pem
  eventually says sub 'its certificate is refused'
}

@test "mqtt: a broker that wants a client's certificate gets it" {
  bash "$FP_ROOT/scripts/dev-cert" --dir tls >/dev/null 2>&1
  mosquitto_with "certfile $T/tls/cert.pem" "keyfile $T/tls/key.pem" "cafile $T/tls/ca.pem" 'require_certificate true'
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=door -keyout me.key -out me.csr 2>/dev/null
  openssl x509 -req -in me.csr -CA tls/ca.pem -CAkey tls/ca-key.pem -days 2 -set_serial 7 -out me.pem 2>/dev/null
  BROKER=mqtts://localhost:$PORT
  start without frame-subscribe "$BROKER/cams/door" --ca tls/ca.pem
  eventually says without 'trying again'
  lacks "$(cat without.err)" ': connected'
  door --ca tls/ca.pem --cert me.pem --key me.key
}

@test "mqtt: a password comes from a file, the environment or the URL, and shows nowhere" {
  mosquitto_passwd -b -c users me 'gehe:im'
  mosquitto_with "password_file $T/users" 'allow_anonymous false'
  echo 'me:gehe:im' >secret
  local name
  start file frame-subscribe "$BROKER/cams/door" --credentials secret
  FRAMEPIPE_MQTT_CREDENTIALS=me:gehe:im start env frame-subscribe "$BROKER/cams/door"
  start url frame-subscribe "mqtt://me:gehe%3Aim@127.0.0.1:$PORT/cams/door"
  for name in file env url; do
    eventually says "$name" ': connected'
    lacks "$(tr '\0' ' ' <"/proc/$(pid_of "$name")/cmdline")" gehe
    lacks "$(cat "$name.err")" gehe
  done
  start bad frame-subscribe "mqtt://me:falsch@127.0.0.1:$PORT/cams/door"
  eventually says bad '--credentials FILE'
  lacks "$(cat bad.err)" falsch
}

@test "mqtt: Home Assistant finds the camera by a kept message" {
  mosquitto_with
  door --home-assistant
  local config
  config=$(timeout 20 mosquitto_sub -h 127.0.0.1 -p "$PORT" -t 'homeassistant/camera/+/config' -C 1)
  equals "$(jq -r '.topic, .availability_topic, .name, .unique_id' <<<"$config" | xargs)" \
    'cams/door/frame cams/door/status door framepipe_cams_door'
}

@test "mqtt: a picture that the broker does not take is dropped, and the next one goes" {
  mosquitto_with 'max_packet_size 20000'
  camgrab test --size 1280x720 --frames 1 >large.mjpeg
  frames split large.mjpeg large
  at_least "$(size_of large1.jpg)" 20001
  sub sub
  door --protocol 5
  sends large1.jpg
  eventually says pub 'larger than the broker takes'
  sends p1.jpg
  eventually has_picture sub.out p1.jpg
}

@test "mqtt: what is no picture is skipped and said" {
  mosquitto_with
  sub sub
  head -c 5000 /dev/urandom >noise
  mosquitto_pub -h 127.0.0.1 -p "$PORT" -t cams/door/frame -f noise
  mosquitto_pub -h 127.0.0.1 -p "$PORT" -t cams/door/frame -n
  mosquitto_pub -h 127.0.0.1 -p "$PORT" -t cams/door/frame -f p3.jpg
  eventually has_picture sub.out p3.jpg
  eventually grep -q 'skipped' sub.err
}

@test "mqtt: a recording goes out whole and in order" {
  mosquitto_with
  start sub mosquitto_sub -h 127.0.0.1 -p "$PORT" -t cams/door/frame -q 1 -C 4 -N
  eventually subscribed
  frame-publish -q "$BROKER/cams/door" -i pictures.mjpeg --qos 1
  ends sub
  cat p1.jpg p2.jpg p3.jpg p4.jpg >wanted
  same_bytes sub.out wanted
}

@test "mqtt: --frames ends after so many" {
  mosquitto_with
  timeout 30 frame-publish "$BROKER/cams/door" -i 'exec:camgrab test --fps 20 --size 160x120' --frames 3
  contains "$(grep -c 'Received PUBLISH.*cams/door/frame' broker.err)" 3
}

@test "mqtt: a broker that is not there is waited for, and SIGTERM ends the waiting" {
  start pub frame-publish "mqtt://127.0.0.1:1/cams/door" -i pictures.mjpeg
  eventually says pub 'Connection refused'
  kill "$(pid_of pub)"
  ends pub
}

@test "mqtt: what is wrong on the command line is said in one line" {
  local line
  while IFS='|' read -r line wanted; do
    # shellcheck disable=SC2086 # a command line
    run -64 --separate-stderr timeout 10 $line </dev/null
    equals "${#stderr_lines[@]}" 1
    contains "$stderr" "$wanted"
  done <<'END'
frame-publish http://b/cams/door|write mqtt://HOST/PREFIX/NAME
frame-publish mqtt://b|no camera is named
frame-publish mqtt://b/cams/+ -i pictures.mjpeg|name one
frame-publish mqtt://b/cams/a,b -i pictures.mjpeg|name one
frame-publish mqtt://b/cams/a --ca x.pem|mqtts://
frame-publish mqtt://b/cams/a --qos 2|--qos
frame-publish mqtts://b/cams/a --cert x.pem|--key
frame-publish mqtt://b/cams/a --home-assistant a+b|no prefix of a topic
frame-publish mqtt://b/cams/a --framed --home-assistant|do not go together
frame-subscribe mqtt://b/cams/a --share a/b|letters
frame-subscribe mqtt://b/cams/#|'#' mean nothing
END
  run -66 --separate-stderr timeout 10 frame-subscribe mqtts://127.0.0.1/cams/a --ca nowhere.pem
  contains "$stderr" nowhere.pem
}

@test "mqtt: through a cluster of three frames flow on when the publisher's node is killed" {
  cluster
  SUB=mqtt://127.0.0.1:$N2/cams/door sub sub
  BROKER=mqtt://127.0.0.1:$N1,127.0.0.1:$N3
  test_door --framed
  eventually has_live sub.out 3
  kill_node n1
  local before
  before=$(live_count sub.out)
  eventually has_live sub.out $((before + 20))
  contains "$(cat pub.err)" 'trying again'
  in_order sub.out
}

@test "mqtt: through a cluster of three frames flow on when a third node is killed" {
  cluster
  SUB=mqtt://127.0.0.1:$N2/cams/door sub sub
  BROKER=mqtt://127.0.0.1:$N1
  test_door --framed --qos 1
  eventually has_live sub.out 3
  kill_node n3
  local before
  before=$(live_count sub.out)
  eventually has_live sub.out $((before + 20))
  in_order sub.out
}

# What follows kills the very node that leads what nats-server asks at each connection, subscription or kept frame. A new
# leader is there after some 4 s, 3.5 at the earliest; with a connection that stands by nobody waits for it.
@test "mqtt: through a cluster frames flow on when the publisher's node is killed, which led the sessions" {
  led_cluster sessions
  SUB=mqtt://127.0.0.1:$OTHER/cams/door sub sub
  BROKER=mqtt://127.0.0.1:$LEADER,127.0.0.1:$THIRD
  test_door --framed
  eventually says pub 'standing by'
  kill_leader_and_wait
  gap_is_short
  in_order sub.out
}

@test "mqtt: through a cluster frames flow on when the subscriber's node is killed, which led the sessions" {
  led_cluster sessions
  SUB=mqtt://127.0.0.1:$LEADER,127.0.0.1:$THIRD/cams/door sub sub
  eventually says sub 'standing by'
  BROKER=mqtt://127.0.0.1:$OTHER
  test_door --framed
  kill_leader_and_wait
  gap_is_short
  in_order sub.out
}

@test "mqtt: through a cluster frames flow on when a third node is killed, which led what is kept" {
  led_cluster kept
  SUB=mqtt://127.0.0.1:$OTHER/cams/door sub sub
  BROKER=mqtt://127.0.0.1:$THIRD,127.0.0.1:$LEADER
  test_door --framed
  eventually says pub 'standing by'
  kill_leader_and_wait
  gap_is_short
  in_order sub.out
}
# led_cluster sessions|kept: a cluster; LEADER leads those, OTHER and THIRD are the ports of the other two.
led_cluster() {
  local -A stream=([sessions]="\$MQTT_sess" [kept]="\$MQTT_rmsgs")
  cluster
  eventually has_leader "${stream[$1]}"
  case $NODE in
    n1) LEADER=$N1 OTHER=$N2 THIRD=$N3 ;;
    n2) LEADER=$N2 OTHER=$N3 THIRD=$N1 ;;
    n3) LEADER=$N3 OTHER=$N1 THIRD=$N2 ;;
  esac
}
# NODE is who leads this stream.
has_leader() {
  NODE=$(curl -fsS "http://127.0.0.1:$MONITOR/jsz?streams=true" |
    jq -r --arg name "$1" '.account_details[].stream_detail[] | select(.name == $name).cluster.leader')
  [[ $NODE == n[123] ]]
}
kill_leader_and_wait() {
  eventually has_live sub.out 10
  KILLED=$(date +%s.%N)
  kill_node "$NODE"
  local before
  before=$(live_count sub.out)
  eventually has_live sub.out $((before + 20))
}
# Between the last frame from before the kill and the first one from after it.
gap_is_short() {
  local gap
  gap=$(timestamps sub.out | awk -v killed="$KILLED" '$1 <= killed { last = $1 } $1 > killed && !gap { gap = $1 - last } END { print gap * 1000 }')
  at_most "${gap%.*}" 3400
}
# No frame is older than the one before.
in_order() {
  local numbers
  numbers=$(live "$1" | cut -d ' ' -f 3)
  equals "$numbers" "$(sort -n <<<"$numbers")"
}
