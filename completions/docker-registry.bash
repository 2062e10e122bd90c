# Completions of docker-registry for bash 3.2 and later. The program itself knows what fits.

_docker_registry() {
    # COMP_WORDS is divided at every : and =, which images and options contain.
    local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n' words candidate directive=4
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    local cur=${words[${#words[@]} - 1]}

    COMPREPLY=()
    while IFS= read -r candidate; do
        case $candidate in
        :*) directive=${candidate#:} ;;
        *) COMPREPLY+=("${candidate%%$'\t'*}") ;;
        esac
    done < <(docker-registry __complete "${words[@]:1}" 2>/dev/null)
    [[ $cur == --*=* ]] && cur=${cur#*=}
    # The bits of cobra's ShellCompDirective: no space, no files, directories.
    ((directive & 2)) && compopt -o nospace 2>/dev/null
    if ((!(directive & 4))); then
        local kind=-f
        ((directive & 16)) && kind=-d
        compopt -o filenames 2>/dev/null
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done < <(compgen "$kind" -- "$cur")
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
