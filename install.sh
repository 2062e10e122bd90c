#!/bin/sh
# Installs docker-registry: curl -fsSL https://raw.githubusercontent.com/OWNER/docker-registry/main/install.sh | sh
#
# Downloads the release for this system, compares its SHA-256 with the release's list, and puts the program into place
# in one step. From the environment:
#   VERSION      which release, such as 0.1.0; default: the latest
#   INSTALL_DIR  where to; default: /usr/local/bin if it can be written to, else ~/.local/bin
#   BASE_URL     a mirror that has the releases as GitHub has them: BASE_URL/download/vVERSION/FILE
set -eu

repository=https://github.com/OWNER/docker-registry

main() {
    target=$(target)
    base=${BASE_URL:-$repository/releases}
    base=${base%/}
    directory=${INSTALL_DIR:-$(default_directory)}
    # Beside its destination, so that the last step is a rename.
    temporary=$(mkdir -p "$directory" 2>/dev/null && mktemp -d "$directory/.docker-registry.XXXXXX" 2>/dev/null) ||
        fail "cannot write to $directory: set INSTALL_DIR to a directory of your own"
    trap 'rm -rf "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM

    version=${VERSION:-}
    version=${version#v}
    if [ "$version" ]; then
        sums=$base/download/v$version/SHA256SUMS
    else
        sums=$base/latest/download/SHA256SUMS
    fi
    download "$sums" "$temporary/SHA256SUMS"
    line=$(grep -E "^[0-9a-f]{64} [ *]docker-registry-${version:-[0-9][^ ]*}-$target\.tar\.gz\$" "$temporary/SHA256SUMS") ||
        fail "$sums lists no build for $target"
    file=${line#* ?}
    version=${file#docker-registry-}
    version=${version%-"$target".tar.gz}

    download "$base/download/v$version/$file" "$temporary/$file"
    [ "$(sha256 "$temporary/$file")" = "${line%% *}" ] ||
        fail "$base/download/v$version/$file: its SHA-256 is not the one in SHA256SUMS: nothing was installed"
    install_from "$temporary/$file"
}

# Puts the program of the archive $1 into place.
install_from() {
    program=docker-registry
    case $target in *windows*) program=docker-registry.exe ;; esac
    tar -xzf "$1" -C "$temporary" || fail "$1: cannot be unpacked"
    unpacked=${1%.tar.gz}/$program
    [ ! -d "$directory/$program" ] || fail "$directory/$program is a directory"
    "$unpacked" --version >/dev/null || fail "the program for $target does not run on this system"
    mv -f "$unpacked" "$directory/$program"
    echo "docker-registry $version is installed: $directory/$program"
    case :$PATH: in
    *:"$directory":*) ;;
    *) echo "$directory is not in PATH: add it there" >&2 ;;
    esac
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
    fail "there is no build for $os on $machine: 'cargo install docker-registry' makes one"
}

default_directory() {
    if [ -w /usr/local/bin ]; then
        echo /usr/local/bin
    else
        echo "${HOME:?}/.local/bin"
    fi
}

# Saves the URL $1 as the file $2.
download() {
    if command -v curl >/dev/null; then
        # No redirect leads from https to http.
        case $1 in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
        why=$(curl --fail --silent --show-error --location --retry 3 --proto "$protocols" --output "$2" "$1" 2>&1) &&
            return
    elif command -v wget >/dev/null; then
        why=$(wget -O "$2" "$1" 2>&1) && return
    else
        fail "curl or wget is needed"
    fi
    # They say more than one line; the last that is not empty says why.
    fail "$1: $(printf '%s\n' "$why" | grep . | tail -n 1)"
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
main
