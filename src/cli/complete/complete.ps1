# Completions of @NAME@ for PowerShell, generated from its table of commands and options.

using namespace System.Management.Automation

Register-ArgumentCompleter -Native -CommandName '@NAME@' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commands = @(
@COMMANDS@
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
@VALUES@
    }
    $candidates = if ($null -ne $values) {
        $values
    } elseif ($wordToComplete.StartsWith('-')) {
@GLOBAL@
        switch -CaseSensitive -Exact ($command) {
@OWN@
        }
    } elseif ($command) {
        switch -CaseSensitive -Exact ($command) {
@OPERANDS@
        }
    } else {
        $commands
    }
    if ($candidates -ccontains 'oci:' -and '@RECALL@') {
        $candidates = @(& '@NAME@' '@RECALL@' @words $wordToComplete 2>$null) + $candidates
    }
    $candidates | ForEach-Object {
        if ($_ -is [string] -and $_) { [CompletionResult]::new($_) } else { $_ }
    } | Where-Object { $_ -and $_.CompletionText.StartsWith($wordToComplete, 'Ordinal') }
}
