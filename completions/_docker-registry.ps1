# Completions of docker-registry for PowerShell 5 and later. The program itself knows what fits.

using namespace System.Management.Automation

Register-ArgumentCompleter -Native -CommandName 'docker-registry' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    # Before 7.3 PowerShell drops an argument that is empty.
    $word = if ($wordToComplete -or $PSVersionTable.PSVersion -ge [version]'7.3') { $wordToComplete } else { '""' }
    $option = if ($wordToComplete -match '^--[^=]*=') { $Matches[0] } else { '' }
    # An empty answer makes PowerShell offer files.
    & 'docker-registry' __complete @words $word 2>$null | Where-Object { $_ -notmatch '^:' } | ForEach-Object {
        $candidate, $about = $_ -split "`t", 2
        $tip = if ($about) { $about } else { $candidate }
        [CompletionResult]::new($option + $candidate, $candidate, 'ParameterValue', $tip)
    }
}
