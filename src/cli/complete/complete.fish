# Completions of @NAME@ for fish, generated from its table of commands and options.

# Prints the command on the line; false if there is none yet.
function __@ID@_command
    set -l is_value
    for word in (commandline -opc)[2..]
        if test -n "$is_value"
            set is_value
        else if contains -- $word @VALUED@
            set is_value yes
        else if contains -- $word @NAMES@
            echo $word
            return 0
        end
    end
    return 1
end

# Whether the command on the line is one of these.
function __@ID@_in
    contains -- (__@ID@_command; or echo none) $argv
end

function __@ID@_images
    set -l cur (commandline -ct)
    switch $cur
        case 'oci:*'
            __fish_complete_directories (string replace oci: '' -- $cur) | string replace -r '^' oci:
        case 'oci-archive:*' 'docker-archive:*'
            set -l prefix (string replace -r ':.*' : -- $cur)
            __fish_complete_path (string replace $prefix '' -- $cur) | string replace -r '^' $prefix
        case '*'
            set -l recall '@RECALL@'
            test -n "$recall"; and @NAME@ $recall (commandline -opc)[2..] "$cur" 2>/dev/null
            printf '%s\n' oci: oci-archive: docker-archive:
    end
end

complete -c @NAME@ -f
@COMMANDS@
@OPTIONS@
@OPERANDS@
