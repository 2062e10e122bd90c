# Completions of docker-registry for fish, generated from its table of commands and options.

# Prints the command on the line; false if there is none yet.
function __docker_registry_command
    set -l is_value
    for word in (commandline -opc)[2..]
        if test -n "$is_value"
            set is_value
        else if contains -- $word --jq -q --arg --color --platform --os --arch --variant --images --jobs -j --user -u --media-type --cacert --cert --key --timeout --retries --max-age --cache-dir --sort --match --exclude --semver --artifact-type --state --output -o --all --type --tags --annotations --platforms --template --target --page
            set is_value yes
        else if contains -- $word tags manifestlist digestlist manifest digest config id labels history layers platforms inspect referrers changed diff downloadlayer verifytool catalog ratelimit push delete testregistry generate help
            echo $word
            return 0
        end
    end
    return 1
end

# Whether the command on the line is one of these.
function __docker_registry_in
    contains -- (__docker_registry_command; or echo none) $argv
end

function __docker_registry_images
    set -l cur (commandline -ct)
    switch $cur
        case 'oci:*'
            __fish_complete_directories (string replace oci: '' -- $cur) | string replace -r '^' oci:
        case 'oci-archive:*' 'docker-archive:*'
            set -l prefix (string replace -r ':.*' : -- $cur)
            __fish_complete_path (string replace $prefix '' -- $cur) | string replace -r '^' $prefix
        case '*'
            set -l recall '__images'
            test -n "$recall"; and docker-registry $recall (commandline -opc)[2..] "$cur" 2>/dev/null
            printf '%s\n' oci: oci-archive: docker-archive:
    end
end

complete -c docker-registry -f
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a tags -d 'List the tags of a repository'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a manifestlist -d 'Print the manifest list or OCI index of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a digestlist -d 'Print the digest of the manifest list or OCI index'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a manifest -d 'Print the manifest of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a digest -d 'Print the digest of an image on one platform'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a config -d 'Print the configuration of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a id -d 'Print the image ID, the digest of the configuration'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a labels -d 'Print the labels of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a history -d 'Print how an image was built'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a layers -d 'List the layers of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a platforms -d 'List the platforms of an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a inspect -d 'Show an image with all manifests of its list'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a referrers -d 'List what refers to an image'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a changed -d 'Say whether an image has changed'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a diff -d 'Show what differs between two images'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a downloadlayer -d 'Download one layer, or all, and verify it'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a verifytool -d 'Recompute the digests of an image and compare them'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a catalog -d 'List the repositories of a registry'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a ratelimit -d 'Print how much a registry still allows'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a push -d 'Put images together as a manifest list or index'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a delete -d 'Delete a manifest, and with it its tags'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a testregistry -d 'Find out what a registry supports, by trying'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a generate -d 'Print the man page or a shell\'s completions'
complete -c docker-registry -n 'not __docker_registry_command >/dev/null' -a help -d 'Show the help of a command'
complete -c docker-registry -s r -l raw -d 'Print documents byte for byte, other JSON on one line'
complete -c docker-registry -s q -l jq -x -d 'Run a jq filter over the answer'
complete -c docker-registry -l arg -x -d 'Bind $NAME in the filter to the string VALUE'
complete -c docker-registry -s e -l exit-status -d 'Exit with 8 if the last result is null or false'
complete -c docker-registry -l json -d 'Print an answer that is text as JSON'
complete -c docker-registry -l color -x -a 'auto always never' -d 'Colour what is printed'
complete -c docker-registry -l platform -x -a 'all linux/386 linux/amd64 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 linux/mips64le linux/ppc64le linux/riscv64 linux/s390x windows/amd64 windows/arm64' -d 'Choose OS/ARCH[/VARIANT][:OSVERSION], or all'
complete -c docker-registry -l os -x -a 'darwin freebsd linux windows' -d 'Choose the operating system'
complete -c docker-registry -l arch -x -a '386 amd64 arm arm64 loong64 mips64le ppc64le riscv64 s390x' -d 'Choose the architecture'
complete -c docker-registry -l variant -x -a 'v5 v6 v7 v8' -d 'Choose the variant, such as v7'
complete -c docker-registry -l images -r -F -d 'Read images from FILE, or from stdin if it is -'
complete -c docker-registry -s j -l jobs -x -d 'Ask for N images at the same time'
complete -c docker-registry -s u -l user -x -d 'Log in to the image\'s registry'
complete -c docker-registry -l password-stdin -d 'Read the password of --user from stdin'
complete -c docker-registry -l index -d 'Ask for manifest lists and indexes only'
complete -c docker-registry -l oci -d 'Ask for OCI manifests and indexes only'
complete -c docker-registry -l media-type -x -d 'Ask for manifests of this media type only'
complete -c docker-registry -l plain-http -d 'Use HTTP instead of HTTPS'
complete -c docker-registry -s k -l insecure -d 'Accept any TLS certificate'
complete -c docker-registry -l cacert -r -F -d 'Trust the certificates in FILE too'
complete -c docker-registry -l cert -r -F -d 'Present the client certificate in FILE'
complete -c docker-registry -l key -r -F -d 'Use the key of the client certificate in FILE'
complete -c docker-registry -l timeout -x -d 'Give up after so long a silence'
complete -c docker-registry -l retries -x -d 'Try again so often what may pass'
complete -c docker-registry -s v -l verbose -d 'Show each request; twice: as a curl command'
complete -c docker-registry -l no-cache -d 'Neither read nor write the cache'
complete -c docker-registry -l offline -d 'Answer from the cache alone'
complete -c docker-registry -l max-age -x -d 'Believe the cache about tags for so long'
complete -c docker-registry -l cache-dir -x -a '(__fish_complete_directories)' -d 'Keep the cache in DIR'
complete -c docker-registry -s h -l help -d 'Show help; after a command, that command\'s'
complete -c docker-registry -s V -l version -d 'Show the version'
complete -c docker-registry -n '__docker_registry_in tags' -l sort -x -a 'semver name created' -d 'Sort by version, by name or by age'
complete -c docker-registry -n '__docker_registry_in tags' -l match -x -d 'Only tags in which the regular expression matches'
complete -c docker-registry -n '__docker_registry_in tags' -l exclude -x -d 'No tags in which the regular expression matches'
complete -c docker-registry -n '__docker_registry_in tags' -l semver -x -d 'Only versions in the range, such as ^1.4 or \'>=1.2 <2\''
complete -c docker-registry -n '__docker_registry_in tags' -l no-artifacts -d 'Leave out the tags of signatures and the like'
complete -c docker-registry -n '__docker_registry_in inspect' -l expand-config -d 'Put the configuration in the place of its descriptor'
complete -c docker-registry -n '__docker_registry_in referrers' -l artifact-type -x -d 'Only those of this artifact type'
complete -c docker-registry -n '__docker_registry_in changed' -l state -r -F -d 'Compare with what FILE remembers, and remember there'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -s o -l output -r -F -d 'Write to FILE, or to stdout if it is -'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -l all -x -a '(__fish_complete_directories)' -d 'Download all layers of an image into DIR'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -l decompress -d 'Write the tar inside'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -l force -d 'Overwrite a file that has another content'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -l no-progress -d 'Show no progress'
complete -c docker-registry -n '__docker_registry_in verifytool' -l layers -d 'Download every layer too and check it and its diff ID'
complete -c docker-registry -n '__docker_registry_in catalog' -l tags -d 'Print an object of repositories and their tags'
complete -c docker-registry -n '__docker_registry_in push' -l type -x -a 'docker oci' -d 'Make Docker\'s manifest list or an OCI index'
complete -c docker-registry -n '__docker_registry_in push' -l ignore-missing -d 'Leave out images that are not there'
complete -c docker-registry -n '__docker_registry_in push' -l tags -x -d 'Give the list these tags too'
complete -c docker-registry -n '__docker_registry_in push' -l annotations -x -d 'Annotate the OCI index'
complete -c docker-registry -n '__docker_registry_in push' -l platforms -x -d 'With from-args: the platforms of the list'
complete -c docker-registry -n '__docker_registry_in push' -l template -x -d 'With from-args: the image for a platform'
complete -c docker-registry -n '__docker_registry_in push' -l target -x -d 'With from-args: the name of the list'
complete -c docker-registry -n '__docker_registry_in delete' -l yes -d 'Delete without asking'
complete -c docker-registry -n '__docker_registry_in generate' -l page -x -d 'With man: the page of this command'
complete -c docker-registry -n '__docker_registry_in tags' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in manifestlist' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in digestlist' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in manifest' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in digest' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in config' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in id' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in labels' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in history' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in layers' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in platforms' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in inspect' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in referrers' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in changed' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in diff' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in downloadlayer' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in verifytool' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in ratelimit' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in push' -x -a 'from-spec from-args'
complete -c docker-registry -n '__docker_registry_in push; and contains -- from-spec (commandline -opc)' -F
complete -c docker-registry -n '__docker_registry_in delete' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in testregistry' -x -a '(__docker_registry_images)'
complete -c docker-registry -n '__docker_registry_in generate' -x -a 'man bash zsh fish powershell'
complete -c docker-registry -n '__docker_registry_in help' -x -a 'tags manifestlist digestlist manifest digest config id labels history layers platforms inspect referrers changed diff downloadlayer verifytool catalog ratelimit push delete testregistry generate help'
