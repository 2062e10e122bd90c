# Completions of docker-registry for fish 3 and later. The program itself knows what fits.

function __docker_registry_complete
    set -l cur (commandline -ct)
    set -l lines (docker-registry __complete (commandline -opc)[2..] "$cur" 2>/dev/null)
    # fish replaces the whole word, option included.
    set -l option (string match -r '^--[^=]*=' -- $cur)
    set -l value (string replace -- "$option" '' $cur)
    # The last line is cobra's ShellCompDirective.
    switch "$lines[-1]"
        case :0
            __fish_complete_path "$value" | string replace -r '^' -- "$option"
        case :16
            __fish_complete_directories "$value" | string replace -r '^' -- "$option"
        case '*'
            string match -v -r '^:' -- $lines | string replace -r '^' -- "$option"
    end
end

complete -c docker-registry -f -a '(__docker_registry_complete)'
