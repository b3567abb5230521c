# shellcheck shell=bash disable=SC2119,SC2120
# What the scripts that run in the machine source: checks, cameras, waiting for events.
#
# Nothing here sleeps and hopes. The processor is emulated and may be a hundred times slower than a real one: what is
# waited for has a generous deadline, and no check counts on how many frames come in a while.
set -uo pipefail

VM_DEADLINE_S=${VM_DEADLINE_S:-60} # of `eventually`
VM_CHECK_S=${VM_CHECK_S:-240}      # of a whole check
VM_LOGS=$VM_OUT/logs
VM_MODULES=/run/modules # the machine's own; the host's may be those of another kernel
mkdir -p "$VM_LOGS" /tmp/checks

# --- checks

# check NAME COMMAND [ARG...]: runs the command in a folder of its own and leaves the line "ok NAME" or "not ok NAME: REASON" in
# $VM_OUT/results. The reason is the last line that it printed; all of them are in $VM_OUT/logs/NAME. What the command
# started and did not end is ended with it.
check() {
  local name=$1 status=0 log pid watchdog
  shift
  log=$VM_LOGS/${name//\//_}
  mkdir -p "/tmp/checks/$name"
  set -m # process groups
  (
    set +m
    set -e
    cd "/tmp/checks/$name" || exit
    "$@"
  ) >"$log" 2>&1 &
  pid=$!
  { sleep "$VM_CHECK_S" && echo "not done within $VM_CHECK_S s" >>"$log" && kill -KILL -- "-$pid"; } 2>/dev/null &
  watchdog=$!
  set +m
  wait "$pid" 2>/dev/null || status=$?
  kill -KILL -- "-$watchdog" "-$pid" 2>/dev/null
  wait "$watchdog" 2>/dev/null
  if ((status == 0)); then
    echo "ok $name"
  else
    echo "not ok $name: $(tail -n 1 "$log" | grep . || echo "exit code $status")"
  fi | tee -a "$VM_OUT/results"
  rm -rf "/tmp/checks/$name"
}

fails() {
  echo "$*"
  return 1
}
equals() { [[ $1 == "$2" ]] || fails "got '$1', wanted '$2'"; }
contains() { [[ $1 == *"$2"* ]] || fails "no '$2' in '$1'"; }
at_least() { (($1 >= $2)) || fails "got $1, wanted at least $2"; }
there() { [[ -e $1 ]] || fails "no $1"; }
not_there() { [[ ! -e $1 ]] || fails "$1 is there"; }
not() { ! "$@"; }

# eventually COMMAND [ARG...]: tries again and again until it succeeds.
eventually() {
  local until=$((SECONDS + VM_DEADLINE_S))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || {
      fails "not within $VM_DEADLINE_S s: $*"
      return 1
    }
    sleep 0.05
  done
}

# --- devices. VIDEO is the node that a function means when it is not told another one.

VIDEO=/dev/video0

# c NAME=VALUE: sets a control of $VIDEO.
c() { v4l2-ctl -d "$VIDEO" -c "$1"; }

# nodes_named PATTERN: each /dev/videoN that takes pictures and whose name in sysfs is like the pattern.
nodes_named() {
  local dir
  for dir in /sys/class/video4linux/video*; do
    [[ -r $dir/name && $(<"$dir/index") == 0 && -e /dev/${dir##*/} ]] || continue
    # shellcheck disable=SC2053 # a pattern
    [[ $(<"$dir/name") == $1 ]] && echo "/dev/${dir##*/}"
  done
  return 0
}
node_count_is() { [[ $(nodes_named "$1" | wc -l) == "$2" ]]; }

# by_id NAME NODE: the link in /dev/v4l/by-id that udev would make; there is no udev here.
by_id() {
  mkdir -p /dev/v4l/by-id
  ln -sfn "../../${2##*/}" "/dev/v4l/by-id/$1"
}

# load MODULE [OPTION=VALUE...]: with all that it needs.
load() { modprobe -d "$VM_MODULES" "$@"; }
# unload MODULE: also when somebody is about to close its device.
unload() { eventually rmmod "$1"; }

# load_vivid [OPTION=VALUE...]: one webcam unless options say otherwise. Sets VIDEO to the first one's node.
load_vivid() {
  (($# > 0)) || set -- node_types=0x1 num_inputs=1 input_types=0x0
  load vivid "$@" && eventually has_vivid && VIDEO=$(nodes_named 'vivid-*' | head -n 1)
}
has_vivid() { ! node_count_is 'vivid-*' 0; }

# --- cameras that are plugged in: uvcsim. A camera is known by its name, which is its serial number.

# load_uvc [OPTION=VALUE...]: the drivers; options are uvcvideo's.
load_uvc() { load vhci-hcd && load uvcvideo "$@"; }

# plug NAME PORT [ARG...]: plugs a camera in, waits for its node, and sets VIDEO to it. The port is 0 to 7; further arguments
# are uvcsim's. A camera that a check plugs in is gone at its end.
plug() {
  local name=$1 port=$2
  shift 2
  uvcsim --serial "$name" --port "$port" --control "/tmp/$name.control" "$@" 2>>"$VM_OUT/uvcsim-$name.log" &
  echo $! >"/tmp/$name.pid"
  eventually camera "$name" && VIDEO=$(camera "$name")
}

# camera NAME: prints its /dev/videoN; fails while it has none.
camera() {
  local dir serial
  for dir in /sys/class/video4linux/video*; do
    serial=$dir/device/../serial
    [[ -r $serial && $(<"$serial") == "$1" && $(<"$dir/index") == 0 && -e /dev/${dir##*/} ]] || continue
    echo "/dev/${dir##*/}"
    return 0
  done 2>/dev/null # it may go while we look
  return 1
}

# tell NAME COMMAND: see uvcsim --help. Comes back when the camera has heard it.
tell() {
  local name=$1 heard
  shift
  heard=$(told "$name" "$*")
  # Opened for reading, too: without a camera this would wait for one.
  echo "$*" 1<>"/tmp/$name.control"
  eventually told_more "$name" "$*" "$heard"
}
told() { grep -cxF "uvcsim: told to $2" "$VM_OUT/uvcsim-$1.log" || true; }
told_more() { (($(told "$1" "$2") > $3)); }

# unplug NAME: for good.
unplug() {
  tell "$1" quit && eventually not kill -0 "$(<"/tmp/$1.pid")" && eventually not camera "$1"
}

# make_pictures DIR WxH COUNT: p1.jpg ... pCOUNT.jpg, all different.
make_pictures() {
  mkdir -p "$1"
  camgrab test --size "$2" --frames "$3" --every-frame --fps 1000 --output "$1/pictures.mjpeg" 2>/dev/null &&
    python3 "$FP_ROOT/tests/support/frames.py" split "$1/pictures.mjpeg" "$1/p" && rm "$1/pictures.mjpeg"
}

# --- streams, as v4l2-ctl sees them

# capture COUNT FORMAT WxH [OPTION...]: so many frames of $VIDEO, one behind the other in capture.raw, what was said of each
# in capture.txt.
capture() {
  v4l2-ctl -d "$VIDEO" --set-fmt-video "width=${3%x*},height=${3#*x},pixelformat=$2" --verbose --stream-mmap \
    --stream-count "$1" --stream-to capture.raw "${@:4}" >capture.txt 2>&1
}
# stream FORMAT WxH: goes on in the background, into capture.txt alone, until the end of the check; returns with the first frame.
stream() {
  v4l2-ctl -d "$VIDEO" --set-fmt-video "width=${2%x*},height=${2#*x},pixelformat=$1" --verbose --stream-mmap \
    >capture.txt 2>&1 &
  STREAM=$!
  eventually has_frames 3
}
stream_ended() { not kill -0 "$STREAM"; }

# Of capture.txt, a line for each frame: SEQUENCE BYTES SECONDS FLAGS.
seen() {
  awk '/dqbuf/ {
    sequence = bytes = seconds = flags = ""
    for (i = 1; i < NF; i++) {
      if ($i == "seq:") sequence = $(i + 1)
      if ($i == "bytesused:") bytes = $(i + 1)
      if ($i == "ts:") seconds = $(i + 1)
    }
    if (match($0, /\(.*\)/)) flags = substr($0, RSTART, RLENGTH)
    gsub(/ /, "", flags)
    print sequence, bytes, seconds, flags
  }' capture.txt
}
has_frames() { (($(seen | wc -l) >= $1)); }
# has_gap FRAMES SECONDS: between two frames, so many sequence numbers are missing, and so much time.
has_gap() {
  seen | awk -v frames="$1" -v seconds="$2" '
    NR > 1 && $1 - sequence > frames && $3 - time >= seconds { found = 1 }
    { sequence = $1; time = $3 }
    END { exit !found }'
}
has_error_flag() { seen | grep -q error; }

# The SHA-1 of each frame in capture.raw, which has those that are whole.
frame_sums() {
  local at=0 bytes flags
  while read -r _ bytes _ flags; do
    [[ $bytes -gt 0 && $flags != *error* ]] || continue
    dd if=capture.raw bs=1M iflag=skip_bytes,count_bytes skip="$at" count="$bytes" status=none | sha1sum | cut -d ' ' -f 1
    at=$((at + bytes))
  done < <(seen)
}
# Each frame in capture.raw is one of these files.
frames_are() {
  local sum count=0
  sha1sum "$@" | cut -d ' ' -f 1 >wanted
  frame_sums >got
  while read -r sum; do
    grep -qx "$sum" wanted || fails "frame $count is none of the pictures"
    count=$((count + 1))
  done <got
  at_least "$count" 1
}

# --- streams, as camgrab gives them

# grab [ARG...]: camgrab in the background, its frames in grab.mjpeg and its words in grab.err, until the end of the check;
# returns with the first frame. Without --no-signal it sends nothing while there is no picture.
grab() {
  [[ " $* " == *' --no-signal '* ]] || set -- --no-signal none "$@"
  camgrab "$@" >grab.mjpeg 2>grab.err &
  GRAB=$!
  eventually grabbed 1
}
# How many frames there are, and how many there must be.
grabs() { grep -ac '^X-Sequence: ' "${1:-grab.mjpeg}" || true; }
grabbed() { (($(grabs) >= $1)); }
# So many more than now.
grabs_more() { eventually grabbed $(($(grabs) + $1)); }
grab_says() { grep -qE -- "$1" grab.err; }
# grab_ends: SIGTERM; it ends with 0, and its summary is in grab.err.
grab_ends() {
  local status=0
  kill -TERM "$GRAB"
  wait "$GRAB" || status=$?
  equals "$status" 0
}
# grabs_are FILE...: each whole frame is one of these files.
grabs_are() {
  python3 "$FP_ROOT/tests/support/frames.py" list grab.mjpeg | cut -d ' ' -f 1 | sort -u >got
  sha1sum "$@" | cut -d ' ' -f 1 | sort -u >wanted
  at_least "$(wc -l <got)" 1
  equals "$(comm -23 got wanted | wc -l) frames that nobody sent" '0 frames that nobody sent'
}
# The numbers of the frames, and whether they only rise.
sequence() { grep -a '^X-Sequence: ' grab.mjpeg | tr -d '\r' | cut -d ' ' -f 2; }
sequence_rises() { sequence | sort -nuc; }

# refuses CODE TEXT ARG...: camgrab ends with this code and one line that holds the text.
refuses() {
  local code=$1 text=$2 status=0
  shift 2
  camgrab "$@" >grab.mjpeg 2>grab.err || status=$?
  equals "$status $(wc -l <grab.err)" "$code 1" || fails "$(<grab.err)"
  contains "$(<grab.err)" "$text"
}

# make_natural DIR WxH COUNT: p1.jpg ... pCOUNT.jpg with the noise of a camera, the same in each run.
make_natural() {
  mkdir -p "$1"
  ffmpeg -v error -f lavfi -i "testsrc2=s=$2:r=30,noise=all_seed=7:alls=10:allf=t" -frames:v "$3" -q:v 5 -huffman default "$1/p%d.jpg"
}
