#compdef @NAME@
# Completions of @NAME@ for zsh, generated from its table of commands and options.

_@ID@_images() {
    local recall='@RECALL@'
    local -a asked
    if compset -P 'oci:'; then
        _files -/
    elif compset -P '(oci|docker)-archive:'; then
        _files
    else
        [[ -n $recall ]] && asked=("${(@f)$(@NAME@ "$recall" "${(@Q)before}" "$PREFIX" 2>/dev/null)}")
        asked=(${asked:#})
        (($#asked)) && compadd -a asked
        compadd -S '' -- oci: oci-archive: docker-archive:
    fi
}

_@ID@_commands() {
    local -a commands=(
@COMMANDS@
    )
    _describe -t commands command commands
}

_@ID@() {
    local -a before=("${(@)words[2,CURRENT-1]}")
    local -a valued=(@VALUED@)
    local -a commands=(@NAMES@)
    local -a options=(
@GLOBAL@
    )
    local command
    integer i
    for ((i = 2; i < CURRENT; i++)); do
        if (($valued[(Ie)$words[i]])); then
            ((i++))
        elif (($commands[(Ie)$words[i]])); then
            command=$words[i]
            # To _arguments the command is no operand.
            words[i]=()
            ((CURRENT--))
            break
        fi
    done
    case $command in
    '') _arguments -s -S $options '1: :_@ID@_commands' '*: : ' ;;
@OPERANDS@
    esac
}

if [[ $funcstack[1] == _@ID@ ]]; then
    _@ID@ "$@"
else
    compdef _@ID@ @NAME@
fi
