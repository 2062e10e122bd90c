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
        [[ -n $recall ]] && asked=("${(@f)$(@NAME@ "$recall" "$PREFIX" 2>/dev/null)}")
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
    local curcontext=$curcontext state line
    local -A opt_args
    local -a options=(
@GLOBAL@
    )
    _arguments -C -s -S $options '1: :_@ID@_commands' '*:: :->operands'
    [[ $state == operands ]] || return
    case $words[1] in
@OPERANDS@
    esac
}

if [[ $funcstack[1] == _@ID@ ]]; then
    _@ID@ "$@"
else
    compdef _@ID@ @NAME@
fi
