# Completions of @NAME@ for bash, generated from its table of commands and options.

# Sets what may follow the option $1: `offer`, and how many words it `takes`.
_@ID@_option() {
    offer='' takes=0
    case $1 in
@OPTIONS@
    esac
}

# Sets what may follow the command $1: `offer`, its own `options`, and what is `further` to follow.
_@ID@_command() {
    offer='' further='' options=''
    case $1 in
@COMMANDS@
    esac
}

# Reads candidates for $1 from stdin, one per line, and puts $2 before them.
_@ID@_reply() {
    local candidate
    while IFS= read -r candidate; do
        [[ $2$candidate == "$1"* ]] && COMPREPLY+=("$2$candidate")
    done
}

# Files (-f) or directories (-d) for $2 without the prefix $3.
_@ID@_paths() {
    compopt -o filenames 2>/dev/null
    _@ID@_reply "$2" "$3" < <(compgen "$1" -- "${2#"$3"}")
}

_@ID@_images() {
    case $1 in
    oci:*) _@ID@_paths -d "$1" oci: ;;
    oci-archive:*) _@ID@_paths -f "$1" oci-archive: ;;
    docker-archive:*) _@ID@_paths -f "$1" docker-archive: ;;
    *)
        local recall='@RECALL@'
        [[ $recall ]] && _@ID@_reply "$1" '' < <(@NAME@ "$recall" "${words[@]:1:last-1}" "$1" 2>/dev/null)
        _@ID@_reply "$1" '' < <(printf '%s\n' oci: oci-archive: docker-archive:)
        [[ ${COMPREPLY[*]} == *: ]] && compopt -o nospace 2>/dev/null
        ;;
    esac
}

# Completes $2 by the offer $1.
_@ID@_offer() {
    case $1 in
    @images) _@ID@_images "$2" ;;
    @files) _@ID@_paths -f "$2" '' ;;
    @directories) _@ID@_paths -d "$2" '' ;;
    ?*)
        local list
        read -ra list <<<"$1"
        _@ID@_reply "$2" '' < <(printf '%s\n' "${list[@]}")
        ;;
    esac
}

# Reads the options and the command before the word that is being completed.
_@ID@_before() {
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
            _@ID@_option "${word%%=*}"
            ((takes)) && ((takes--))
        elif [[ $word == --* ]]; then
            _@ID@_option "$word"
        else
            # Short options, combined; the first that takes a value takes the rest.
            while word=${word:1} && [[ $word ]]; do
                _@ID@_option "-${word:0:1}"
                ((takes)) && [[ ${word:1} ]] && ((takes--)) && break
                ((takes)) && break
            done
        fi
    done
}

_@ID@() {
    # COMP_WORDS is divided at every : and =, which images and options contain.
    local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    local last=$((${#words[@]} - 1))
    local cur=${words[last]} command='' operand='' operands='' offer='' further='' options='' takes=0

    COMPREPLY=()
    _@ID@_before "${words[@]:1:last-1}"
    if ((takes)); then
        _@ID@_offer "$offer" "$cur"
    elif [[ ! $operands && $cur == --*=* ]]; then
        _@ID@_option "${cur%%=*}"
        _@ID@_offer "$offer" "${cur#*=}"
        cur=${cur#*=}
    elif [[ ! $operands && $cur == -* ]]; then
        _@ID@_command "$command"
        _@ID@_offer "$options @GLOBAL@" "$cur"
    elif [[ $command ]]; then
        _@ID@_command "$command"
        [[ $operand ]] && offer=$further
        _@ID@_offer "$offer" "$cur"
    else
        _@ID@_offer '@NAMES@' "$cur"
    fi
    # Readline replaces only what follows the last : of the word.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local i prefix=${cur%"${cur##*:}"}
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
        done
    fi
}

complete -F _@ID@ @NAME@
