#!/usr/bin/env bash
# camgrab under the address sanitizer, with a fault every few seconds, for SOAK_SECONDS.
set -euo pipefail
# shellcheck source=tests/vm/guest/lib.sh disable=SC2119
. "$FP_ROOT/tests/vm/guest/lib.sh"
set +e # a check that fails must not take the others with it

pictures=/tmp/pictures
faults=('drop 3' 'err 2' 'trunc 2' 'corrupt 1' 'empty 1' 'pad 2' 'freeze 1.5' 'unplug 1')

descriptors() { find "/proc/$GRAB/fd" -mindepth 1 | wc -l; }
survives_faults() {
  local until=$((SECONDS + ${SOAK_SECONDS:-60})) round=0 before fault
  ASAN_OPTIONS=detect_leaks=1 "$FP_ROOT/build/asan/bin/camgrab" --no-signal none --timeout 1s -s 320x240 "$VIDEO" >grab.mjpeg 2>grab.err &
  GRAB=$!
  eventually grabbed 3
  before=$(descriptors)
  while ((SECONDS < until)); do
    fault=${faults[round++ % ${#faults[@]}]}
    tell one "$fault"
    [[ $fault != unplug* ]] || eventually not camera one
    eventually camera one
    grabs_more 3
  done
  equals "$(descriptors) descriptors" "$before descriptors"
  grab_ends # with 0: neither a fault nor a leak
  not grab_says Sanitizer
  grabs_are "$pictures"/p*.jpg
  tail -n 1 grab.err
  echo "$round faults"
}

make_natural "$pictures" 320x240 4
load_uvc
plug one 0 "320x240=$pictures"
VM_DEADLINE_S=120 VM_CHECK_S=$((${SOAK_SECONDS:-60} + 300)) check 'camgrab survives a minute of faults without a leak or a lost descriptor' survives_faults
