# Completions of docker-registry for bash, generated from its table of commands and options.

# Sets what may follow the option $1: `offer`, and how many words it `takes`.
_docker_registry_option() {
    offer='' takes=0
    case $1 in
    --jq | -q) takes=1 offer='' ;;
    --arg) takes=2 offer='' ;;
    --color) takes=1 offer='auto always never' ;;
    --platform) takes=1 offer='all linux/386 linux/amd64 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/mips64le linux/ppc64le linux/riscv64 linux/s390x windows/amd64 windows/arm64' ;;
    --os) takes=1 offer='darwin freebsd linux windows' ;;
    --arch) takes=1 offer='386 amd64 arm arm64 loong64 mips64le ppc64le riscv64 s390x' ;;
    --variant) takes=1 offer='v5 v6 v7 v8' ;;
    --images) takes=1 offer='@files' ;;
    --jobs | -j) takes=1 offer='' ;;
    --user | -u) takes=1 offer='' ;;
    --media-type) takes=1 offer='' ;;
    --cacert) takes=1 offer='@files' ;;
    --cert) takes=1 offer='@files' ;;
    --key) takes=1 offer='@files' ;;
    --timeout) takes=1 offer='' ;;
    --retries) takes=1 offer='' ;;
    --max-age) takes=1 offer='' ;;
    --cache-dir) takes=1 offer='@directories' ;;
    --sort) takes=1 offer='semver name created' ;;
    --match) takes=1 offer='' ;;
    --exclude) takes=1 offer='' ;;
    --semver) takes=1 offer='' ;;
    --artifact-type) takes=1 offer='' ;;
    --state) takes=1 offer='@files' ;;
    --output | -o) takes=1 offer='@files' ;;
    --all) takes=1 offer='@directories' ;;
    --type) takes=1 offer='docker oci' ;;
    --tags) [[ $command == push ]] && takes=1 offer='' ;;
    --annotations) takes=1 offer='' ;;
    --platforms) takes=1 offer='' ;;
    --template) takes=1 offer='' ;;
    --target) takes=1 offer='' ;;
    --page) takes=1 offer='' ;;
    esac
}

# Sets what may follow the command $1: `offer`, its own `options`, and what is `further` to follow.
_docker_registry_command() {
    offer='' further='' options=''
    case $1 in
    tags) offer='@images' further='@images' options='--sort --match --exclude --semver --no-artifacts' ;;
    manifestlist) offer='@images' further='@images' options='' ;;
    digestlist) offer='@images' further='@images' options='' ;;
    manifest) offer='@images' further='@images' options='' ;;
    digest) offer='@images' further='@images' options='' ;;
    config) offer='@images' further='@images' options='' ;;
    id) offer='@images' further='@images' options='' ;;
    labels) offer='@images' further='@images' options='' ;;
    history) offer='@images' further='@images' options='' ;;
    layers) offer='@images' further='@images' options='' ;;
    platforms) offer='@images' further='@images' options='' ;;
    inspect) offer='@images' further='@images' options='--expand-config' ;;
    referrers) offer='@images' further='@images' options='--artifact-type' ;;
    changed) offer='@images' further='@images' options='--state' ;;
    diff) offer='@images' further='' options='' ;;
    downloadlayer) offer='@images' further='' options='--output -o --all --decompress --force --no-progress' ;;
    verifytool) offer='@images' further='@images' options='--layers' ;;
    catalog) offer='' further='' options='--tags' ;;
    ratelimit) offer='@images' further='' options='' ;;
    push) offer='from-spec from-args' further='@files' options='--type --ignore-missing --tags --annotations --platforms --template --target' ;;
    delete) offer='@images' further='' options='--yes' ;;
    testregistry) offer='@images' further='' options='' ;;
    generate) offer='man bash zsh fish powershell' further='' options='--page' ;;
    help) offer='tags manifestlist digestlist manifest digest config id labels history layers platforms inspect referrers changed diff downloadlayer verifytool catalog ratelimit push delete testregistry generate help' further='' options='' ;;
    esac
}

# Reads candidates for $1 from stdin, one per line, and puts $2 before them.
_docker_registry_reply() {
    local candidate
    while IFS= read -r candidate; do
        [[ $2$candidate == "$1"* ]] && COMPREPLY+=("$2$candidate")
    done
}

# Files (-f) or directories (-d) for $2 without the prefix $3.
_docker_registry_paths() {
    compopt -o filenames 2>/dev/null
    _docker_registry_reply "$2" "$3" < <(compgen "$1" -- "${2#"$3"}")
}

_docker_registry_images() {
    case $1 in
    oci:*) _docker_registry_paths -d "$1" oci: ;;
    oci-archive:*) _docker_registry_paths -f "$1" oci-archive: ;;
    docker-archive:*) _docker_registry_paths -f "$1" docker-archive: ;;
    *)
        local recall='__images'
        [[ $recall ]] && _docker_registry_reply "$1" '' < <(docker-registry "$recall" "${words[@]:1:last-1}" "$1" 2>/dev/null)
        _docker_registry_reply "$1" '' < <(printf '%s\n' oci: oci-archive: docker-archive:)
        [[ ${COMPREPLY[*]} == *: ]] && compopt -o nospace 2>/dev/null
        ;;
    esac
}

# Completes $2 by the offer $1.
_docker_registry_offer() {
    case $1 in
    @images) _docker_registry_images "$2" ;;
    @files) _docker_registry_paths -f "$2" '' ;;
    @directories) _docker_registry_paths -d "$2" '' ;;
    ?*)
        local list
        read -ra list <<<"$1"
        _docker_registry_reply "$2" '' < <(printf '%s\n' "${list[@]}")
        ;;
    esac
}

# Reads the options and the command before the word that is being completed.
_docker_registry_before() {
    local word
    for word; do
        if ((takes)); then
            ((takes--))
        elif [[ $operands || $word != -?* ]]; then
            [[ $command ]] && operand=$word
            [[ $command ]] || command=$word
        elif [[ $word == -- ]]; then
            operands=1
        elif [[ $word == --*=* ]]; then
            _docker_registry_option "${word%%=*}"
            ((takes)) && ((takes--))
        elif [[ $word == --* ]]; then
            _docker_registry_option "$word"
        else
            # Short options, combined; the first that takes a value takes the rest.
            while word=${word:1} && [[ $word ]]; do
                _docker_registry_option "-${word:0:1}"
                ((takes)) && [[ ${word:1} ]] && ((takes--)) && break
                ((takes)) && break
            done
        fi
    done
}

_docker_registry() {
    # COMP_WORDS is divided at every : and =, which images and options contain.
    local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    local last=$((${#words[@]} - 1))
    local cur=${words[last]} command='' operand='' operands='' offer='' further='' options='' takes=0

    COMPREPLY=()
    _docker_registry_before "${words[@]:1:last-1}"
    if ((takes)); then
        _docker_registry_offer "$offer" "$cur"
    elif [[ ! $operands && $cur == --*=* ]]; then
        _docker_registry_option "${cur%%=*}"
        _docker_registry_offer "$offer" "${cur#*=}"
        cur=${cur#*=}
    elif [[ ! $operands && $cur == -* ]]; then
        _docker_registry_command "$command"
        _docker_registry_offer "$options --raw -r --jq -q --arg --exit-status -e --json --color --platform --os --arch --variant --images --jobs -j --user -u --password-stdin --index --oci --media-type --plain-http --insecure -k --cacert --cert --key --timeout --retries --verbose -v --no-cache --offline --max-age --cache-dir --help -h --version -V" "$cur"
    elif [[ $command ]]; then
        _docker_registry_command "$command"
        [[ $operand ]] && offer=$further
        _docker_registry_offer "$offer" "$cur"
    else
        _docker_registry_offer 'tags manifestlist digestlist manifest digest config id labels history layers platforms inspect referrers changed diff downloadlayer verifytool catalog ratelimit push delete testregistry generate help' "$cur"
    fi
    # Readline replaces only what follows the last : of the word.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local i prefix=${cur%"${cur##*:}"}
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
        done
    fi
}

complete -F _docker_registry docker-registry
