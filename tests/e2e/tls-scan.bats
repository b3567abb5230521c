#!/usr/bin/env bats
# testssl.sh at the servers, with a certificate of scripts/dev-cert and its authority given: no finding of MEDIUM or more but
# those that are allowed here. It takes a minute, most of it waiting; the other servers have the same TLS, and are scanned with
# FP_SCAN_ALL=1. What the whole of it finds: docs/threats.md.
load ../support/common

bats_require_minimum_version 1.5.0

# What may be found, and why.
ALLOWED=(
  cert_revocation # a private authority publishes nowhere what it has taken back
)
# What must have been looked at: a scan that did not get so far proves nothing.
LOOKED_AT=(TLS1 TLS1_1 TLS1_2 TLS1_3 cipherlist_NULL cipherlist_STRONG cert_chain_of_trust heartbleed CCS ticketbleed ROBOT secure_renego
  secure_client_renego CRIME_TLS BREACH POODLE_SSL SWEET32 FREAK DROWN LOGJAM BEAST LUCKY13 RC4)

setup() {
  set_up
  type testssl >/dev/null 2>&1 || skip "testssl.sh is not here"
}
teardown() { clean_up; }

# make_certificate: in tls/, of an authority of its own, also where mkcert is installed.
make_certificate() {
  mkdir bin
  local tool
  for tool in bash openssl awk sed grep cut uname mktemp mkdir mv rm chmod cat; do ln -s "$(type -P "$tool")" "bin/$tool"; done
  PATH=$T/bin bash "$FP_ROOT/scripts/dev-cert" --dir tls >/dev/null 2>dev-cert.err
}
# scan NAME PROGRAM [ARG...]: starts a server with that certificate, and the scan of it.
scan() {
  local name=$1 port
  start "$name" "${@:2}" --listen 127.0.0.1:0 --tls-cert tls/cert.pem --tls-key tls/key.pem
  eventually grep -q 'https://127.0.0.1:[0-9]*/' "$name.err"
  port=$(sed -n 's,.*https://127\.0\.0\.1:\([0-9]*\)/.*,\1,p' "$name.err" | head -n 1)
  start "scan-$name" timeout 500 testssl --quiet --color 0 --warnings off --nodns none --add-ca tls/ca.pem --jsonfile "$name.json" \
    --protocols --std --server-defaults --vulnerable "https://127.0.0.1:$port/"
}
# is_well NAME: once its scan has ended.
is_well() {
  local allowed looked_at
  FP_DEADLINE_S=500 eventually gone "$(pid_of "scan-$1")"
  allowed=$(printf '%s\n' "${ALLOWED[@]}" | jq -Rnc '[inputs]')
  looked_at=$(printf '%s\n' "${LOOKED_AT[@]}" | jq -Rnc '[inputs]')
  equals "$1: $(jq -r --argjson allowed "$allowed" '.[] | select(.severity | IN("MEDIUM", "HIGH", "CRITICAL", "FATAL")) |
    select(.id | IN($allowed[]) | not) | [.severity, .id, .finding] | join(" ")' "$1.json")" "$1: "
  equals "$1: $(jq -c --argjson ids "$looked_at" '$ids - map(.id)' "$1.json")" "$1: []"
  equals "$1: $(jq -r '.[] | select(.id == "cert_chain_of_trust") | .finding' "$1.json")" "$1: passed."
}

scan_all() { [ -n "${FP_SCAN_ALL:-}" ] || skip "FP_SCAN_ALL=1 scans it"; }

@test "testssl.sh finds nothing in the TLS of mjpeg-serve but what a private authority brings" {
  make_certificate
  scan serve mjpeg-serve --camera test=test
  is_well serve
}

@test "testssl.sh finds nothing in the TLS of mjpeg-relay but what a private authority brings" {
  scan_all
  make_certificate
  scan relay mjpeg-relay "http://127.0.0.1:$(free_port)/"
  is_well relay
}

@test "testssl.sh finds nothing in the TLS of webrtc-serve but what a private authority brings" {
  [ -x "$FP_BIN/webrtc-serve" ] || skip "webrtc-serve was not built"
  scan_all
  make_certificate
  scan webrtc webrtc-serve --input 'exec:camgrab test'
  is_well webrtc
}
