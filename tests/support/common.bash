# shellcheck shell=bash
# What every bats file of tests/e2e loads: programs in the background, waiting for events, pictures, streams.
#
# Nothing here sleeps and hopes. A test says what it waits for (`eventually`), and the deadline is generous, so that a
# machine under load makes a test slow and not red. Every background process is a process group of its own and ends in
# `clean_up`; nothing is ever killed by name.

FP_DEADLINE_S=${FP_DEADLINE_S:-30}
FP_ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
FP_BIN=${FP_BIN:-$FP_ROOT/build/release/bin}
FP_BIN=$(cd "$FP_BIN" && pwd)
SUPPORT=$FP_ROOT/tests/support
PATH=$FP_BIN:$PATH
# Tests read messages; proxies and a user's own settings are not their subject.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY NOTIFY_SOCKET LISTEN_FDS LISTEN_PID
export FP_BIN PATH LC_ALL=C TZ=UTC

PYTHON=python3
[ -x /usr/bin/python3 ] && PYTHON=/usr/bin/python3

# Called by each file's setup(): T is the test's own folder.
set_up() {
  T=$BATS_TEST_TMPDIR
  cd "$T" || return 1
  exec </dev/null
}

# Called by each file's teardown().
clean_up() {
  cd / || true
  local pids=() pid_file
  for pid_file in "$T"/*.pid; do
    [ -e "$pid_file" ] && pids+=("$(cat "$pid_file")")
  done
  [ ${#pids[@]} -eq 0 ] && return 0
  # Children in groups of their own (exec: cameras) are remembered before their parent is gone.
  local all=() pid
  mapfile -t all < <(for pid in "${pids[@]}"; do descendants "$pid"; done)
  for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null; done
  local until=$((SECONDS + 3))
  while ((SECONDS < until)) && any_alive "${pids[@]}"; do sleep 0.02; done
  for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
  for pid in "${all[@]}"; do is_group_leader "$pid" && kill -KILL -- "-$pid" 2>/dev/null; done
  return 0
}

descendants() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    descendants "$child"
  done
}
is_group_leader() { [ "$(ps -o pgid= -p "$1" 2>/dev/null | tr -d ' ')" = "$1" ]; }
alive() { [ -e "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat" 2>/dev/null; }
gone() { ! alive "$1"; }
any_alive() {
  local pid
  for pid in "$@"; do alive "$pid" && return 0; done
  return 1
}

# --- assertions: what was got and what was wanted, both in the message

fails() {
  printf '%s\n' "$@" >&2
  show_logs
  return 1
}
equals() { [ "$1" = "$2" ] || fails "got:    $1" "wanted: $2"; }
contains() { [[ $1 == *"$2"* ]] || fails "in:     $1" "wanted: $2"; }
lacks() { [[ $1 != *"$2"* ]] || fails "in:         $1" "not wanted: $2"; }
matches() { [[ $1 =~ $2 ]] || fails "got:     $1" "pattern: $2"; }
at_least() { (($1 >= $2)) || fails "got $1, wanted at least $2"; }
at_most() { (($1 <= $2)) || fails "got $1, wanted at most $2"; }
same_bytes() { cmp "$1" "$2" >&2 || fails "$1 and $2 differ"; }
there() { [ -e "$1" ] || fails "no $1"; }
not_there() { [ ! -e "$1" ] || fails "$1 is there"; }

show_logs() {
  local file
  for file in "$T"/*.pid; do
    [ -e "$file" ] && gone "$(cat "$file")" && echo "--- ${file##*/}: this process has ended" >&2
  done
  for file in "$T"/*.err; do
    [ -s "$file" ] && { echo "--- ${file##*/}"; tail -n 20 "$file"; } >&2
  done
  return 0
}

# eventually COMMAND [ARG...]: tries again and again until it succeeds.
eventually() {
  local until=$((SECONDS + FP_DEADLINE_S))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || fails "not within $FP_DEADLINE_S s: $*"
    sleep 0.03
  done
}

# --- programs in the background

# start NAME COMMAND [ARG...]: in a process group of its own; NAME.out, NAME.err and NAME.pid are in the test's folder.
# Its standard input is that of the call: `start stat frame-stat <frames.fifo`.
start() {
  local name=$1
  shift
  setsid -- "$@" <&0 >"$T/$name.out" 2>"$T/$name.err" 3>&- 4>&- 7>&- 8>&- 9>&- &
  echo $! >"$T/$name.pid"
}
pid_of() { cat "$T/$1.pid"; }

# ends NAME [CODE]: waits until it has ended, and compares its exit code.
ends() {
  local pid code=0
  pid=$(pid_of "$1")
  eventually gone "$pid"
  wait "$pid" || code=$?
  rm -f "$T/$1.pid"
  equals "exit code of $1: $code" "exit code of $1: ${2:-0}"
}

inotify_watches() { grep -qs '^inotify wd' "/proc/$(pid_of "$1")/fdinfo/"*; } # dirwatch is ready for what lands
says() { grep -qF -- "$2" "$T/$1.err"; } # says NAME TEXT: on standard error
printed() { grep -qF -- "$2" "$T/$1.out"; }

# The most memory that a process ever had, in KiB.
peak_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }

# For programs that cannot take a free port by themselves; another program may have it meanwhile.
free_port() { "$PYTHON" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# --- pictures and streams

# make_pictures COUNT [SIZE]: p1.jpg ... pCOUNT.jpg, all different, and pictures.mjpeg, the stream that they came in.
make_pictures() {
  camgrab test --size "${2:-160x120}" --frames "$1" --every-frame --fps 1000 >pictures.mjpeg
  frames split pictures.mjpeg p
}

# frames WORD ARG...: the independent reader of streams, tests/support/frames.py.
frames() { "$PYTHON" "$SUPPORT/frames.py" "$@"; }

size_of() { stat -c %s -- "$1"; }
sum_of() { sha1sum <"$1" | cut -d ' ' -f 1; }

# part JPEG [HEADER...]: one part as design section 1 has it.
part() {
  printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n' "$(size_of "$1")"
  [ $# -lt 2 ] || printf '%s\r\n' "${@:2}"
  printf '\r\n'
  cat -- "$1"
  printf '\r\n'
}

# How many whole frames a file that is being written holds; for `eventually`.
has_frames() { [ "$(frames count "$1")" -ge "$2" ]; }
# Whether the file holds a frame equal to the picture.
has_picture() { frames list "$1" | grep -q "^$(sum_of "$2") "; }
# Whether the last whole frame in the file is the picture.
last_is() { [ "$(frames list "$1" | tail -n 1 | cut -d ' ' -f 1)" = "$(sum_of "$2")" ]; }

# Whether the last picture in front of the whole head of another part is this one: what a browser shows now.
browser_shows() { [ "$(frames advance "$1" | tail -n 1 | cut -d ' ' -f 1)" = "$(sum_of "$2")" ]; }

# client WORD ARG...: reads as a well-known program does, tests/support/clients.py.
client() { timeout "$FP_DEADLINE_S" "$PYTHON" "$SUPPORT/clients.py" "$@"; }

# --- mjpeg-serve

# serve [ARG...]: starts it as `server` on a free port; URL is its address, without a slash at the end.
serve() { serve_as server "$@"; }
serve_as() {
  local name=$1
  shift
  start "$name" mjpeg-serve --listen 127.0.0.1:0 "$@"
  find_url "$name"
}
# Sets URL to what mjpeg-serve has said on the standard error of NAME, which may be a pipeline.
find_url() {
  eventually grep -q 'http://127.0.0.1:[0-9]*/' "$T/$1.err"
  URL=$(sed -n 's,.*\(http://127\.0\.0\.1:[0-9]*\)/.*,\1,p' "$T/$1.err" | head -n 1)
}

# A camera that shows exactly what the test writes: `fifo_camera 7 cam`, then `part p1.jpg >&7`. Descriptors 7 to 9.
fifo_camera() {
  [ -p "$2" ] || mkfifo "$2"
  eval "exec $1<>\"\$2\""
}

status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time "$FP_DEADLINE_S" "$@"; }
# answers CODE URL; the last code that came is shown with the logs, for whoever reads a failure.
answers() {
  status_of "${@:2}" >"$T/answer.err" || true
  [ "$(cat "$T/answer.err")" = "$1" ]
}
get() { curl -s --max-time "$FP_DEADLINE_S" "$@"; }
# The value of a header in the answer; `head_value NAME CURL-ARG...`.
head_value() {
  get -D - -o /dev/null "${@:2}" | tr -d '\r' | awk -v name="${1,,}:" 'tolower($1) == name { sub(/^[^ ]* /, ""); print }'
}
state() { get "$URL/state" | jq -r "$1"; }
state_is() { [ "$(state "$1")" = "$2" ]; }
# The camera's newest picture is this one.
shows() { [ "$(get "$URL/snapshot${2:+/$2}" | sha1sum | cut -d ' ' -f 1)" = "$(sum_of "$1")" ]; }
# watch NAME PATH [CURL-ARG...]: a viewer in the background; what it gets is in NAME.out, the answer's head in NAME.head.
watch() {
  local name=$1 path=$2
  shift 2
  start "$name" curl -sN -D "$T/$name.head" "$@" "$URL$path"
  eventually grep -q '^.$' "$T/$name.head"
}
