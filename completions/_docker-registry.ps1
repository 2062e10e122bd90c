# Completions of docker-registry for PowerShell, generated from its table of commands and options.

using namespace System.Management.Automation

Register-ArgumentCompleter -Native -CommandName 'docker-registry' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commands = @(
        [CompletionResult]::new('tags', 'tags', [CompletionResultType]::ParameterValue, 'List the tags of a repository')
        [CompletionResult]::new('manifestlist', 'manifestlist', [CompletionResultType]::ParameterValue, 'Print the manifest list or OCI index of an image')
        [CompletionResult]::new('digestlist', 'digestlist', [CompletionResultType]::ParameterValue, 'Print the digest of the manifest list or OCI index')
        [CompletionResult]::new('manifest', 'manifest', [CompletionResultType]::ParameterValue, 'Print the manifest of an image')
        [CompletionResult]::new('digest', 'digest', [CompletionResultType]::ParameterValue, 'Print the digest of an image on one platform')
        [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Print the configuration of an image')
        [CompletionResult]::new('id', 'id', [CompletionResultType]::ParameterValue, 'Print the image ID, the digest of the configuration')
        [CompletionResult]::new('labels', 'labels', [CompletionResultType]::ParameterValue, 'Print the labels of an image')
        [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Print how an image was built')
        [CompletionResult]::new('layers', 'layers', [CompletionResultType]::ParameterValue, 'List the layers of an image')
        [CompletionResult]::new('platforms', 'platforms', [CompletionResultType]::ParameterValue, 'List the platforms of an image')
        [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show an image with all manifests of its list')
        [CompletionResult]::new('referrers', 'referrers', [CompletionResultType]::ParameterValue, 'List what refers to an image')
        [CompletionResult]::new('changed', 'changed', [CompletionResultType]::ParameterValue, 'Say whether an image has changed')
        [CompletionResult]::new('diff', 'diff', [CompletionResultType]::ParameterValue, 'Show what differs between two images')
        [CompletionResult]::new('downloadlayer', 'downloadlayer', [CompletionResultType]::ParameterValue, 'Download one layer, or all, and verify it')
        [CompletionResult]::new('verifytool', 'verifytool', [CompletionResultType]::ParameterValue, 'Recompute the digests of an image and compare them')
        [CompletionResult]::new('catalog', 'catalog', [CompletionResultType]::ParameterValue, 'List the repositories of a registry')
        [CompletionResult]::new('ratelimit', 'ratelimit', [CompletionResultType]::ParameterValue, 'Print how much a registry still allows')
        [CompletionResult]::new('push', 'push', [CompletionResultType]::ParameterValue, 'Put images together as a manifest list or index')
        [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a manifest, and with it its tags')
        [CompletionResult]::new('testregistry', 'testregistry', [CompletionResultType]::ParameterValue, 'Find out what a registry supports, by trying')
        [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Print the man page or a shell''s completions')
        [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Show the help of a command')
    )
    $images = @('oci:', 'oci-archive:', 'docker-archive:')
    $words = @($commandAst.CommandElements |
        Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    $command = $words | Where-Object { $commands.CompletionText -ccontains $_ } | Select-Object -First 1
    $previous = if ($words.Count) { $words[-1] } else { '' }

    # An empty answer makes PowerShell offer files.
    $values = switch -CaseSensitive -Exact ($previous) {
        '--jq' { '' }
        '-q' { '' }
        '--arg' { '' }
        '--color' { 'auto', 'always', 'never' }
        '--platform' { 'all', 'linux/386', 'linux/amd64', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64', 'linux/mips64le', 'linux/ppc64le', 'linux/riscv64', 'linux/s390x', 'windows/amd64', 'windows/arm64' }
        '--os' { 'darwin', 'freebsd', 'linux', 'windows' }
        '--arch' { '386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x' }
        '--variant' { 'v5', 'v6', 'v7', 'v8' }
        '--images' { '' }
        '--jobs' { '' }
        '-j' { '' }
        '--user' { '' }
        '-u' { '' }
        '--media-type' { '' }
        '--cacert' { '' }
        '--cert' { '' }
        '--key' { '' }
        '--timeout' { '' }
        '--retries' { '' }
        '--max-age' { '' }
        '--cache-dir' { '' }
        '--sort' { 'semver', 'name', 'created' }
        '--match' { '' }
        '--exclude' { '' }
        '--semver' { '' }
        '--artifact-type' { '' }
        '--state' { '' }
        '--output' { '' }
        '-o' { '' }
        '--all' { '' }
        '--type' { 'docker', 'oci' }
        '--tags' { '' }
        '--annotations' { '' }
        '--platforms' { '' }
        '--template' { '' }
        '--target' { '' }
        '--page' { '' }
    }
    $candidates = if ($null -ne $values) {
        $values
    } elseif ($wordToComplete.StartsWith('-')) {
        [CompletionResult]::new('--raw', '--raw', [CompletionResultType]::ParameterName, 'Print documents byte for byte, other JSON on one line')
        [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Print documents byte for byte, other JSON on one line')
        [CompletionResult]::new('--jq', '--jq', [CompletionResultType]::ParameterName, 'Run a jq filter over the answer')
        [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Run a jq filter over the answer')
        [CompletionResult]::new('--arg', '--arg', [CompletionResultType]::ParameterName, 'Bind $NAME in the filter to the string VALUE')
        [CompletionResult]::new('--exit-status', '--exit-status', [CompletionResultType]::ParameterName, 'Exit with 8 if the last result is null or false')
        [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Exit with 8 if the last result is null or false')
        [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print an answer that is text as JSON')
        [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour what is printed')
        [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'Choose OS/ARCH[/VARIANT][:OSVERSION], or all')
        [CompletionResult]::new('--os', '--os', [CompletionResultType]::ParameterName, 'Choose the operating system')
        [CompletionResult]::new('--arch', '--arch', [CompletionResultType]::ParameterName, 'Choose the architecture')
        [CompletionResult]::new('--variant', '--variant', [CompletionResultType]::ParameterName, 'Choose the variant, such as v7')
        [CompletionResult]::new('--images', '--images', [CompletionResultType]::ParameterName, 'Read images from FILE, or from stdin if it is -')
        [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Ask for N images at the same time')
        [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Ask for N images at the same time')
        [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Log in to the image''s registry')
        [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Log in to the image''s registry')
        [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password of --user from stdin')
        [CompletionResult]::new('--index', '--index', [CompletionResultType]::ParameterName, 'Ask for manifest lists and indexes only')
        [CompletionResult]::new('--oci', '--oci', [CompletionResultType]::ParameterName, 'Ask for OCI manifests and indexes only')
        [CompletionResult]::new('--media-type', '--media-type', [CompletionResultType]::ParameterName, 'Ask for manifests of this media type only')
        [CompletionResult]::new('--plain-http', '--plain-http', [CompletionResultType]::ParameterName, 'Use HTTP instead of HTTPS')
        [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
        [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any TLS certificate')
        [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in FILE too')
        [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Present the client certificate in FILE')
        [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use the key of the client certificate in FILE')
        [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after so long a silence')
        [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Try again so often what may pass')
        [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show each request; twice: as a curl command')
        [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show each request; twice: as a curl command')
        [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither read nor write the cache')
        [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Answer from the cache alone')
        [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Believe the cache about tags for so long')
        [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Keep the cache in DIR')
        [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Show help; after a command, that command''s')
        [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Show help; after a command, that command''s')
        [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Show the version')
        [CompletionResult]::new('-V', '-V', [CompletionResultType]::ParameterName, 'Show the version')
        switch -CaseSensitive -Exact ($command) {
            'tags' {
                [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by version, by name or by age')
                [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Only tags in which the regular expression matches')
                [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'No tags in which the regular expression matches')
                [CompletionResult]::new('--semver', '--semver', [CompletionResultType]::ParameterName, 'Only versions in the range, such as ^1.4 or ''>=1.2 <2''')
                [CompletionResult]::new('--no-artifacts', '--no-artifacts', [CompletionResultType]::ParameterName, 'Leave out the tags of signatures and the like')
            }
            'inspect' {
                [CompletionResult]::new('--expand-config', '--expand-config', [CompletionResultType]::ParameterName, 'Put the configuration in the place of its descriptor')
            }
            'referrers' {
                [CompletionResult]::new('--artifact-type', '--artifact-type', [CompletionResultType]::ParameterName, 'Only those of this artifact type')
            }
            'changed' {
                [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Compare with what FILE remembers, and remember there')
            }
            'downloadlayer' {
                [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE, or to stdout if it is -')
                [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE, or to stdout if it is -')
                [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Download all layers of an image into DIR')
                [CompletionResult]::new('--decompress', '--decompress', [CompletionResultType]::ParameterName, 'Write the tar inside')
                [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite a file that has another content')
                [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress')
            }
            'verifytool' {
                [CompletionResult]::new('--layers', '--layers', [CompletionResultType]::ParameterName, 'Download every layer too and check it and its diff ID')
            }
            'catalog' {
                [CompletionResult]::new('--tags', '--tags', [CompletionResultType]::ParameterName, 'Print an object of repositories and their tags')
            }
            'push' {
                [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Make Docker''s manifest list or an OCI index')
                [CompletionResult]::new('--ignore-missing', '--ignore-missing', [CompletionResultType]::ParameterName, 'Leave out images that are not there')
                [CompletionResult]::new('--tags', '--tags', [CompletionResultType]::ParameterName, 'Give the list these tags too')
                [CompletionResult]::new('--annotations', '--annotations', [CompletionResultType]::ParameterName, 'Annotate the OCI index')
                [CompletionResult]::new('--platforms', '--platforms', [CompletionResultType]::ParameterName, 'With from-args: the platforms of the list')
                [CompletionResult]::new('--template', '--template', [CompletionResultType]::ParameterName, 'With from-args: the image for a platform')
                [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'With from-args: the name of the list')
            }
            'delete' {
                [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Delete without asking')
            }
            'generate' {
                [CompletionResult]::new('--page', '--page', [CompletionResultType]::ParameterName, 'With man: the page of this command')
            }
        }
    } elseif ($command) {
        switch -CaseSensitive -Exact ($command) {
            'tags' { $images }
            'manifestlist' { $images }
            'digestlist' { $images }
            'manifest' { $images }
            'digest' { $images }
            'config' { $images }
            'id' { $images }
            'labels' { $images }
            'history' { $images }
            'layers' { $images }
            'platforms' { $images }
            'inspect' { $images }
            'referrers' { $images }
            'changed' { $images }
            'diff' { $images }
            'downloadlayer' { $images }
            'verifytool' { $images }
            'ratelimit' { $images }
            'push' { if ($previous -ceq 'push') { 'from-spec', 'from-args' } }
            'delete' { $images }
            'testregistry' { $images }
            'generate' { 'man', 'bash', 'zsh', 'fish', 'powershell' }
            'help' { 'tags', 'manifestlist', 'digestlist', 'manifest', 'digest', 'config', 'id', 'labels', 'history', 'layers', 'platforms', 'inspect', 'referrers', 'changed', 'diff', 'downloadlayer', 'verifytool', 'catalog', 'ratelimit', 'push', 'delete', 'testregistry', 'generate', 'help' }
        }
    } else {
        $commands
    }
    if ($candidates -ccontains 'oci:' -and '__images') {
        $candidates = @(& 'docker-registry' '__images' @words $wordToComplete 2>$null) + $candidates
    }
    $candidates | ForEach-Object {
        if ($_ -is [string] -and $_) { [CompletionResult]::new($_) } else { $_ }
    } | Where-Object { $_ -and $_.CompletionText.StartsWith($wordToComplete, 'Ordinal') }
}
