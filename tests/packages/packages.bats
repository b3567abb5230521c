#!/usr/bin/env bats
# The Debian packages in a Debian of their own (ROOT, made by tests/packages/run): the first test installs them, the last
# one purges them. Its network is this machine's, so that curl, the broker and the peers are those of the other tests.
# shellcheck disable=SC2153,SC2154 # ROOT and DEBS come from tests/packages/run

bats_require_minimum_version 1.5.0
load ../support/common
load ../support/brokers

TOOLS='camgrab dirwatch frame-convert frame-detect frame-play frame-publish frame-rate frame-record frame-stat
  frame-subscribe mjpeg-relay mjpeg-serve webrtc-ingest webrtc-serve'
IN=(chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/tmp DEBIAN_FRONTEND=noninteractive)
USER_IN=(chroot --userspec=65534:65534 "${IN[@]:1}")
OURS=(framepipe framepipe-detect framepipe-mqtt framepipe-webrtc)

setup() {
  set_up
  ((BATS_TEST_NUMBER == 1)) || there "$ROOT/usr/bin/mjpeg-serve" # what is not installed need not be waited for
}
teardown() { clean_up; }

# In there, as root; and as a user who owns nothing, which is how programs are to be run.
inside() { "${IN[@]}" "$@"; }
use() { "${USER_IN[@]}" "$@"; }
# A shell's line, by that user.
line() { use sh -c "$1"; }
# begin NAME LINE: in the background.
begin() { start "$1" "${USER_IN[@]}" sh -c "$2"; }
apt() {
  inside timeout 600 apt-get -qq -y -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io "$@" \
    >"$T/apt.err" 2>&1 || fails "apt-get $*"
}
depends() { dpkg-deb -f "$DEBS/$1"_*.deb Depends; }
installed() { inside dpkg-query -W | cut -f 1; }

# What is there and of what kind, without what apt, dpkg and programs write as they run.
listed() {
  (cd "$ROOT" && find . -xdev \( -path ./proc -o -path ./run -o -path ./tmp -o -path ./mnt -o -path ./var/cache/apt -o -path ./var/log \
    -o -path ./var/lib/apt -o -path './var/lib/dpkg/*-old' -o -path './var/lib/dpkg/lock*' \) -prune \
    -o -printf '%y %m %u:%g %p %l\n' | sort -k 4)
}

@test "packages: apt installs them with what they depend on and nothing else" {
  # systemd's, which may be there or not.
  mkdir -p "$ROOT/var/cache/private"
  chmod 700 "$ROOT/var/cache/private"
  listed >"$BATS_FILE_TMPDIR/before"
  cp "$ROOT/etc/passwd" "$BATS_FILE_TMPDIR/passwd"
  installed >packages.before
  local debs=("$ROOT"/mnt/*.deb)
  apt install --no-install-recommends "${debs[@]/#$ROOT/}"
  installed >packages.after
  equals "$(comm -13 packages.before packages.after | xargs)" "${OURS[*]}"
  equals "$(inside dpkg --audit)" ''
  equals "$(inside dpkg --verify "${OURS[@]}")" ''
}

@test "packages: each depends on what its programs need, the first one on neither OpenCV, GStreamer nor a broker's library" {
  contains "$(depends framepipe)" libturbojpeg
  local big
  for big in opencv gst mosquitto; do lacks "$(depends framepipe)" "$big"; done
  contains "$(depends framepipe-detect)" libopencv-imgproc
  contains "$(depends framepipe-webrtc)" gstreamer1.0-nice
  contains "$(depends framepipe-mqtt)" libmosquitto1
  for big in opencv gst; do lacks "$(depends framepipe-mqtt)" "$big"; done
}

@test "packages: every tool runs, has its manual, and completions for three shells" {
  local tool
  for tool in $TOOLS; do
    matches "$(use "$tool" --version)" "^$tool "
    contains "$(use "$tool" --help)" Usage
    there "$ROOT/usr/share/man/man1/$tool.1.gz"
    use bash -n "/usr/share/bash-completion/completions/$tool" || fails "completions of $tool"
    contains "$(head -n 1 "$ROOT/usr/share/zsh/vendor-completions/_$tool")" "#compdef $tool"
    contains "$(cat "$ROOT/usr/share/fish/vendor_completions.d/$tool.fish")" "complete -c $tool"
  done
  there "$ROOT/usr/share/man/man5/mjpeg-frames.5.gz"
  there "$ROOT/usr/share/man/man7/framepipe.7.gz"
}

@test "packages: a test card is at /snapshot, in /stream and in the page, as README.md begins" {
  begin server 'camgrab test | mjpeg-serve --listen 127.0.0.1:0'
  find_url server
  eventually answers 200 -f "$URL/snapshot"
  get -f "$URL/snapshot" >now.jpg
  equals "$(head -c 2 now.jpg | xxd -p)" ffd8
  contains "$(get "$URL/")" '<title>'
  watch stream /stream
  eventually has_frames stream.out 3
}

@test "packages: frames are recorded, and played as they were" {
  line 'mkdir /tmp/rec; camgrab test --size 160x120 --frames 20 --every-frame --fps 1000 >/tmp/all.mjpeg; frame-record -q /tmp/rec </tmp/all.mjpeg'
  use frame-play -q --speed max --every-frame /tmp/rec >played.mjpeg
  equals "$(frames list played.mjpeg | cut -d ' ' -f 1)" "$(frames list "$ROOT/tmp/all.mjpeg" | cut -d ' ' -f 1)"
}

@test "packages: motion is found" {
  line 'camgrab test --size 320x240 --fps 10 --frames 20 --every-frame | frame-detect -q --detector motion --every-frame -o none --json -' >found.json
  contains "$(cat found.json)" '"label":"motion"'
}

@test "packages: a WebRTC viewer sees the test card" {
  begin server 'exec webrtc-serve --listen 127.0.0.1:0 --input "exec:camgrab test --size 320x240 --fps 15"'
  find_url server
  local seen
  seen=$(timeout $((2 * FP_DEADLINE_S)) "$PYTHON" "$SUPPORT/webrtc_viewer.py" "$URL/whep" --frames 5) || fails "$seen"
  equals "$(jq -c .size <<<"$seen")" '[320,240]'
}

@test "packages: frames go through a broker" {
  mosquitto_with
  begin sub "exec frame-subscribe $BROKER/cams/door --frames 3"
  begin pub "camgrab test --size 160x120 | frame-publish $BROKER/cams/door"
  eventually has_frames sub.out 3
}

@test "packages: the units are ones that systemd knows, and none was enabled" {
  local unit units=()
  for unit in $(inside dpkg -L "${OURS[@]}" | grep '^/lib/systemd/system/.*\.'); do
    units+=("${unit/@./@test.}")
  done
  at_least ${#units[@]} 10
  run -0 inside systemd-analyze verify --man=no "${units[@]}"
  equals "$output" ''
  equals "$(find "$ROOT/etc/systemd" -lname '*framepipe*' -o -lname '*camgrab*')" ''
  matches "$(inside getent passwd framepipe)" '^framepipe:.*/usr/sbin/nologin$'
  there "$ROOT/lib/udev/rules.d/70-framepipe-cameras.rules"
}

@test "packages: news, copyright and examples are there" {
  local doc=$ROOT/usr/share/doc/framepipe
  there "$doc/copyright"
  contains "$(zcat "$doc/NEWS.md.gz")" '# News'
  there "$doc/README.md.gz"
  there "$doc/examples/nginx.conf"
  not_there "$doc/LICENSE"
}

@test "packages: purged, nothing is left of them but the user of the cameras" {
  # What GStreamer makes for the units.
  mkdir "$ROOT/var/cache/framepipe-ingest" "$ROOT/var/cache/private/framepipe-webrtc"
  touch "$ROOT/var/cache/framepipe-ingest/registry.bin"
  apt purge "${OURS[@]}"
  listed >after
  # What systemd-sysusers makes beside the files that it changes.
  local beside=' \./etc/((passwd|group|shadow|gshadow)-|\.pwd\.lock) '
  run diff <(grep -vE "$beside" "$BATS_FILE_TMPDIR/before") <(grep -vE "$beside" after)
  equals "$output" ''
  equals "$(diff "$BATS_FILE_TMPDIR/passwd" "$ROOT/etc/passwd" | sed -n 's/^[<>] \([^:]*\):.*/\1/p')" framepipe
}
