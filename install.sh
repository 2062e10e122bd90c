#!/bin/sh
# Installs docker-registry: curl -fsSL https://raw.githubusercontent.com/OWNER/docker-registry/main/install.sh | sh
#
# Downloads the release for this system, compares its SHA-256 with the release's list, has gh verify where it was built,
# if gh is there and logged in, and puts the program into place in one step. Where that is a directory bin, the man
# pages and the completions for bash, zsh and fish go to share beside it; not with --no-extras. From the environment:
#   VERSION      which release, such as 0.1.0; default: the latest
#   INSTALL_DIR  where to; default: /usr/local/bin if it can be written to, else ~/.local/bin
#   BASE_URL     a mirror that has the releases as GitHub has them: BASE_URL/download/vVERSION/FILE;
#                over HTTPS, and all that it redirects to as well, unless the mirror itself is http://…
set -eu

repository=https://github.com/OWNER/docker-registry
project=${repository#https://github.com/}

main() {
    extras=share
    case $#,${1-} in
    0,) ;;
    1,--no-extras) extras= ;;
    *) fail "no argument but --no-extras is known" ;;
    esac
    target=$(target)
    base=${BASE_URL:-$repository/releases}
    base=${base%/}
    # Small letters, for whatever looks at the scheme.
    case $base in
    [Hh][Tt][Tt][Pp][Ss]://?*) base=https://${base#*://} ;;
    [Hh][Tt][Tt][Pp]://?*) base=http://${base#*://} ;;
    *) fail "BASE_URL wants https://… or http://…" ;;
    esac
    one_line BASE_URL "$base"
    one_line INSTALL_DIR "${INSTALL_DIR:-}"
    directory=${INSTALL_DIR:-$(default_directory)}
    # Beside its destination, so that the last step is a rename.
    temporary=$(mkdir -p "$directory" 2>/dev/null && mktemp -d "$directory/.docker-registry.XXXXXX" 2>/dev/null) ||
        fail "cannot write to $directory: set INSTALL_DIR to a directory of your own"
    trap 'rm -rf "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM

    version=${VERSION:-}
    version=${version#v}
    check_version "$version" || fail "VERSION wants a release, such as 0.1.0"
    if [ "$version" ]; then
        sums=$base/download/v$version/SHA256SUMS
    else
        sums=$base/latest/download/SHA256SUMS
    fi
    download "$sums" "$temporary/SHA256SUMS"
    line=$(grep -E "^[0-9a-f]{64} [ *]docker-registry-${version:-[0-9][^ ]*}-$target\.tar\.gz\$" "$temporary/SHA256SUMS" |
        tail -n 1)
    [ "$line" ] || fail "$sums lists no build for $target"
    file=${line#* ?}
    version=${file#docker-registry-}
    version=${version%-"$target".tar.gz}
    check_version "$version" || fail "$sums: the name of the build for $target is none"

    download "$base/download/v$version/$file" "$temporary/$file"
    [ "$(sha256 "$temporary/$file")" = "${line%% *}" ] ||
        fail "$base/download/v$version/$file: its SHA-256 is not the one in SHA256SUMS: nothing was installed"
    verify_provenance "$temporary/$file"
    install_from "$temporary/$file"
}

# Refuses the archive $1 if it was not built by this project's workflow, as far as gh can tell.
verify_provenance() {
    if ! command -v gh >/dev/null; then
        provenance="not verified, for gh is not there"
    elif ! gh attestation verify --help 2>/dev/null | grep -q -e --signer-workflow; then
        provenance="not verified, for gh is too old"
    elif ! gh auth status --hostname github.com >/dev/null 2>&1; then
        provenance="not verified, for gh is not logged in"
    elif why=$(GH_HOST=github.com gh attestation verify "$1" --repo "$project" \
        --signer-workflow "$project/.github/workflows/release.yml" 2>&1); then
        provenance="verified by gh"
    else
        fail "$base/download/v$version/$file: its provenance cannot be verified: $(last_line "$why"): nothing was installed"
    fi
}

# Whether $1 is a version, or none. What it holds becomes part of paths and patterns.
check_version() {
    case $1 in *[!0-9A-Za-z.+-]*) return 1 ;; esac
}

# Refuses the value $2 of the variable $1 if it is more than one line.
one_line() {
    case $2 in *"
"*) fail "$1 holds a line break" ;; esac
}

# Puts the program of the archive $1 into place.
install_from() {
    program=docker-registry
    case $target in *windows*) program=docker-registry.exe ;; esac
    unpacked=${1%.tar.gz}/$program
    why=$(tar -xzf "$1" -C "$temporary" "${unpacked#"$temporary"/}" 2>&1) ||
        fail "$1: cannot be unpacked: $(last_line "$why")"
    [ ! -L "$unpacked" ] || fail "$1 holds a link for a program"
    [ ! -d "$directory/$program" ] || fail "$directory/$program is a directory"
    "$unpacked" --version >/dev/null || fail "the program for $target does not run on this system"
    mv -f "$unpacked" "$directory/$program"
    echo "docker-registry $version is installed: $directory/$program"
    echo "its SHA-256 is verified, its provenance $provenance"
    case $target,$directory in
    *windows*) ;;
    *,*/bin) [ ! "$extras" ] || install_extras "$1" "${directory%/bin}/share" ;;
    esac
    case :$PATH: in
    *:"$directory":*) ;;
    *) echo "$directory is not in PATH: add it there" >&2 ;;
    esac
}

# Puts the man pages and completions of the archive $1 below $2. If that fails, the program is there all the same.
install_extras() {
    release=${1%.tar.gz}
    stem=${release##*/}
    if tar -xzf "$1" -C "$temporary" "$stem/man" "$stem/completions" 2>/dev/null &&
        mv "$release/completions/docker-registry.bash" "$release/docker-registry" &&
        move_to "$2/man/man1" "$release"/man/*.1 &&
        move_to "$2/bash-completion/completions" "$release/docker-registry" &&
        move_to "$2/fish/vendor_completions.d" "$release/completions/docker-registry.fish" &&
        move_to "$2/zsh/site-functions" "$release/completions/_docker-registry"; then
        echo "its man pages and its completions for bash, fish and zsh are installed: $2"
    else
        echo "its man pages and completions cannot be installed: $2" >&2
    fi
}

# Moves files to the directory $1.
move_to() {
    to=$1
    shift
    mkdir -p "$to" 2>/dev/null && chmod 644 "$@" && mv -f "$@" "$to" 2>/dev/null
}

# Prints which build runs here.
target() {
    os=$(uname -s)
    machine=$(uname -m)
    case $os in
    Linux)
        case $machine in
        x86_64 | amd64) echo x86_64-unknown-linux-musl ;;
        aarch64 | arm64) echo aarch64-unknown-linux-musl ;;
        armv7* | armv8l) echo armv7-unknown-linux-musleabihf ;;
        riscv64) echo riscv64gc-unknown-linux-musl ;;
        *) unsupported ;;
        esac
        ;;
    Darwin)
        # A shell that Rosetta translates says x86_64 on Apple's own processors.
        if [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then
            machine=arm64
        fi
        case $machine in
        arm64) echo aarch64-apple-darwin ;;
        x86_64) echo x86_64-apple-darwin ;;
        *) unsupported ;;
        esac
        ;;
    MINGW* | MSYS* | CYGWIN*) echo x86_64-pc-windows-msvc ;;
    *) unsupported ;;
    esac
}

unsupported() {
    fail "there is no build for $os on $machine: 'cargo install docker-registry-cli' makes one"
}

default_directory() {
    if [ -w /usr/local/bin ]; then
        echo /usr/local/bin
    else
        echo "${HOME:?}/.local/bin"
    fi
}

# Saves the URL $1 as the file $2. No redirect leads from HTTPS to HTTP.
download() {
    if command -v curl >/dev/null; then
        case $1 in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
        why=$(curl --fail --silent --show-error --location --retry 3 --proto "$protocols" --proto-redir "$protocols" \
            --connect-timeout 30 --speed-limit 1000 --speed-time 60 --output "$2" -- "$1" 2>&1) && return
    elif command -v wget >/dev/null; then
        download_by_wget "$1" "$2" && return
    else
        fail "curl or wget is needed"
    fi
    fail "$1: $(last_line "$why")"
}

# Wget can be told of neither: where it was is looked at afterwards. Sets $why.
download_by_wget() {
    # BusyBox's tries once anyway.
    case $(wget --version 2>&1) in "GNU Wget"*) tries=--tries=3 ;; *) tries=-T30 ;; esac
    why=$(LC_ALL=C wget -S -T 30 "$tries" -O "$2" -- "$1" 2>&1) || return
    case $1 in http:*) return ;; esac
    if printf '%s\n' "$why" | grep -i -q -E '^ *location:.*http:|^--.*--  *http:'; then
        why="a redirect leads from HTTPS to HTTP"
        return 1
    fi
}

# Prints the last line of $1 that is not empty, which says why, with ? for what could drive a terminal.
last_line() {
    printf '%s\n' "$1" | grep . | tail -n 1 | LC_ALL=C tr -c '[:print:]\n' '?'
}

# Prints the SHA-256 of the file $1.
sha256() {
    if command -v sha256sum >/dev/null; then
        sum=$(sha256sum <"$1")
    elif command -v shasum >/dev/null; then
        sum=$(shasum -a 256 <"$1")
    else
        fail "sha256sum or shasum is needed"
    fi
    echo "${sum%% *}"
}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

# In a function that the last line calls: a script that arrives cut short does nothing.
main "$@"
