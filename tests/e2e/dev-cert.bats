#!/usr/bin/env bats
# scripts/dev-cert: a certificate for this machine that its authority vouches for.
load ../support/common

bats_require_minimum_version 1.5.0

setup() {
  set_up
  # Whether or not the machine has mkcert: without it, and later with one of ours.
  mkdir bin
  local tool
  for tool in bash openssl awk sed grep cut uname mktemp mkdir mv rm chmod cat; do
    ln -s "$(command -v "$tool")" "bin/$tool"
  done
  # The machine's name and addresses, as the test wants them.
  printf '#!/bin/sh\necho desk\n' >bin/uname.sh
  rm bin/uname
  mv bin/uname.sh bin/uname
  cat >bin/ip <<'END'
#!/bin/sh
echo '1: lo    inet 127.0.0.1/8 scope host lo'
echo '1: lo    inet6 ::1/128 scope host'
echo '2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0'
echo '2: eth0    inet6 2001:db8::7/64 scope global'
echo '2: eth0    inet6 fe80::7/64 scope link'
END
  chmod +x bin/*
}
teardown() { clean_up; }

dev_cert() { PATH=$T/bin HOME=$T/home bash "$FP_ROOT/scripts/dev-cert" "$@"; }
names_of() { openssl x509 -in "$1" -noout -ext subjectAltName | tail -n 1; }

@test "dev-cert: the certificate names localhost, this machine and its addresses, and its authority vouches for it" {
  run -0 --separate-stderr dev_cert --dir d yard.example 192.0.2.99
  contains "$output" '--tls-cert d/cert.pem --tls-key d/key.pem'
  contains "$output" 'Android'
  contains "$output" 'iPad'
  openssl verify -CAfile d/ca.pem -purpose sslserver d/cert.pem
  local name names
  names=$(names_of d/cert.pem)
  for name in DNS:localhost 'IP Address:127.0.0.1' 'IP Address:0:0:0:0:0:0:0:1' DNS:desk DNS:desk.local \
    'IP Address:192.0.2.7' 'IP Address:2001:DB8:0:0:0:0:0:7' DNS:yard.example 'IP Address:192.0.2.99'; do
    contains "$names" "$name"
  done
  lacks "$names" FE80
  equals "$(stat -c %a d/cert.pem d/key.pem d/ca.pem d/ca-key.pem | sort -u)" 600
  # shellcheck disable=SC2012 # names of our own
  equals "$(ls -A d | tr '\n' ' ')" 'ca-key.pem ca.pem cert.pem key.pem '
}

@test "dev-cert: a valid one is left alone; another name makes a new one by the same authority" {
  dev_cert
  local d=$T/home/.config/framepipe/tls
  cp -r "$d" before
  run -0 --separate-stderr dev_cert
  # shellcheck disable=SC2154 # bats sets it
  contains "$stderr" 'nothing to do'
  diff -r "$d" before
  run -0 --separate-stderr dev_cert new.example
  contains "$(names_of "$d/cert.pem")" DNS:new.example
  same_bytes "$d/ca.pem" before/ca.pem
  openssl verify -CAfile before/ca.pem "$d/cert.pem"
}

@test "dev-cert: one that soon expires, lost its key or its authority is made again" {
  dev_cert --dir d --days 1
  openssl x509 -in d/cert.pem -noout -checkend 80000
  cp d/cert.pem first.pem
  run -0 --separate-stderr dev_cert --dir d --days 397 # a day is less than a week
  contains "$stderr" 'made a certificate'
  rm d/key.pem
  run -0 --separate-stderr dev_cert --dir d
  contains "$stderr" 'made a certificate'
  lacks "$stderr" 'made an authority'
  rm d/ca.pem
  run -0 --separate-stderr dev_cert --dir d
  contains "$stderr" 'made an authority'
  openssl verify -CAfile d/ca.pem d/cert.pem
}

@test "dev-cert: mkcert makes it where it is installed" {
  mkdir authority
  echo authority >authority/rootCA.pem
  cat >bin/mkcert <<END
#!/bin/bash
[ "\$1" = -CAROOT ] && { echo $T/authority; exit; }
echo "\$*" >$T/asked
while [ \$# -gt 0 ]; do
  case \$1 in -cert-file) echo cert >"\$2" ;; -key-file) echo key >"\$2" ;; esac
  shift
done
END
  chmod +x bin/mkcert
  run -0 --separate-stderr dev_cert --dir d
  contains "$(cat asked)" 'localhost 127.0.0.1 ::1 desk desk.local 192.0.2.7 2001:db8::7'
  equals "$(cat d/cert.pem)" cert
  contains "$output" 'mkcert -install'
  contains "$output" "$T/authority/rootCA.pem"
  not_there d/ca.pem
}

@test "dev-cert: what cannot be is refused in one line" {
  run -64 --separate-stderr dev_cert --days 4000
  equals "$stderr" 'dev-cert: --days 4000: not 1 to 825'
  run -64 --separate-stderr dev_cert --frob
  contains "$stderr" '--frob: unknown option'
  run -64 --separate-stderr dev_cert 'a,DNS:evil.example'
  contains "$stderr" 'neither a name nor an address'
  touch file
  run -73 --separate-stderr dev_cert --dir file/d
  contains "$stderr" 'file/d: cannot be made'
  rm bin/openssl
  run -69 --separate-stderr dev_cert --dir d
  contains "$stderr" 'apt-get install openssl'
}

@test "dev-cert: curl trusts a server with it, by the authority alone" {
  dev_cert --dir d
  start server mjpeg-serve --listen 127.0.0.1:0 --tls-cert d/cert.pem --tls-key d/key.pem --camera test=test
  eventually grep -q 'https://127.0.0.1:' server.err
  local port
  port=$(sed -n 's,.*https://127.0.0.1:\([0-9]*\)/.*,\1,p' server.err)
  equals "$(status_of --cacert d/ca.pem "https://127.0.0.1:$port/state")" 200
  equals "$(status_of --cacert d/ca.pem "https://localhost:$port/state")" 200
}
