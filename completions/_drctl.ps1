
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'drctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'drctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'drctl' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Make a workspace that validates and rehearses at once')
            [CompletionResult]::new('failover', 'failover', [CompletionResultType]::ParameterValue, 'Find a failover runbook by name, and run it; with `--region`, recover all that runs there')
            [CompletionResult]::new('failback', 'failback', [CompletionResultType]::ParameterValue, 'Find a failback runbook by name, and run it')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run any runbook file')
            [CompletionResult]::new('validate', 'validate', [CompletionResultType]::ParameterValue, 'Check runbooks: every problem of every file, with its place')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say what a finding of `validate` means, why it matters, and how it is mended')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Show order, waves, gates and the critical path against the RTO')
            [CompletionResult]::new('impact', 'impact', [CompletionResultType]::ParameterValue, 'Show what a lost region or service hits, and in which order it is recovered')
            [CompletionResult]::new('drills', 'drills', [CompletionResultType]::ParameterValue, 'Show which drills are due, overdue and done')
            [CompletionResult]::new('fmt', 'fmt', [CompletionResultType]::ParameterValue, 'Lay runbooks out: indentation, white space; never what they mean')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look at what runs stand on, before an outage does')
            [CompletionResult]::new('rehearse', 'rehearse', [CompletionResultType]::ParameterValue, 'Rehearse a runbook on a simulated world: hours pass in milliseconds')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Rehearse every scenario and judge what comes of it')
            [CompletionResult]::new('runs', 'runs', [CompletionResultType]::ParameterValue, 'List the runs of the workspace')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show what a run is doing, what it needs, and what to type next')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show a run''s journal, or what a step printed')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Look on while a run goes on')
            [CompletionResult]::new('watch-for', 'watch-for', [CompletionResultType]::ParameterValue, 'Look for an outage, or take an alert: down, it opens a run that waits at its first gate')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Take a run up where it was left')
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve a gate, or answer a manual step')
            [CompletionResult]::new('reject', 'reject', [CompletionResultType]::ParameterValue, 'Refuse a gate')
            [CompletionResult]::new('retry', 'retry', [CompletionResultType]::ParameterValue, 'Try a failed step again')
            [CompletionResult]::new('skip', 'skip', [CompletionResultType]::ParameterValue, 'Leave a step out')
            [CompletionResult]::new('resolve', 'resolve', [CompletionResultType]::ParameterValue, 'Say what happened to a step in doubt')
            [CompletionResult]::new('abort', 'abort', [CompletionResultType]::ParameterValue, 'Give a run up: shows what is undone and what cannot be, then undoes it')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Say what a run came to, as a page, Markdown or JSON')
            [CompletionResult]::new('metrics', 'metrics', [CompletionResultType]::ParameterValue, 'Write a run''s state, clock and step durations as metrics for Prometheus')
            [CompletionResult]::new('evidence', 'evidence', [CompletionResultType]::ParameterValue, 'Pack a run into one file that can be checked: journal, runbook, outputs, notices, report')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check that nobody changed a run''s journal, or the file that `evidence` wrote')
            [CompletionResult]::new('notify', 'notify', [CompletionResultType]::ParameterValue, 'Preview notices, announce something, deliver what is owed')
            [CompletionResult]::new('actions', 'actions', [CompletionResultType]::ParameterValue, 'The actions steps can use')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON schema of runbooks, scenarios, templates or the workspace, for editors')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completions')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write the manual pages into a folder')
            break
        }
        'drctl;init' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;failover' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--vars', '--vars', [CompletionResultType]::ParameterName, 'A YAML file of inputs'' values')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all')
            [CompletionResult]::new('--approve', '--approve', [CompletionResultType]::ParameterName, 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`')
            [CompletionResult]::new('--drill', '--drill', [CompletionResultType]::ParameterName, 'The drill of the calendar that the run is; see `drctl drills`')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why a drill is held outside its maintenance window; it is journaled')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'When the outage began: the clock of the RTO starts there')
            [CompletionResult]::new('--from-run', '--from-run', [CompletionResultType]::ParameterName, 'An earlier run: inputs that are not given take the value of its output of the same name')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'With `--simulate`: how many times as fast as the wall clock')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Recover all that runs in a region: a runbook is made of the services in `drctl.yaml`, shown, and run')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'With `--region`: only write the runbook into a file, to be reviewed and kept')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Make real reads and no writes; says of every step how far it was checked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer prompts with yes; never a gate with `by`, never a doubt')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Run on a simulated world, with real prompts and no effect outside')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('--plan-only', '--plan-only', [CompletionResultType]::ParameterName, 'With `--region`: only show what would be run')
            [CompletionResult]::new('--at-once', '--at-once', [CompletionResultType]::ParameterName, 'With `--region`: services wait for what they depend on, and not for those of higher priority')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;failback' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--vars', '--vars', [CompletionResultType]::ParameterName, 'A YAML file of inputs'' values')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all')
            [CompletionResult]::new('--approve', '--approve', [CompletionResultType]::ParameterName, 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`')
            [CompletionResult]::new('--drill', '--drill', [CompletionResultType]::ParameterName, 'The drill of the calendar that the run is; see `drctl drills`')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why a drill is held outside its maintenance window; it is journaled')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'When the outage began: the clock of the RTO starts there')
            [CompletionResult]::new('--from-run', '--from-run', [CompletionResultType]::ParameterName, 'An earlier run: inputs that are not given take the value of its output of the same name')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'With `--simulate`: how many times as fast as the wall clock')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Make real reads and no writes; says of every step how far it was checked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer prompts with yes; never a gate with `by`, never a doubt')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Run on a simulated world, with real prompts and no effect outside')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;run' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--vars', '--vars', [CompletionResultType]::ParameterName, 'A YAML file of inputs'' values')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all')
            [CompletionResult]::new('--approve', '--approve', [CompletionResultType]::ParameterName, 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`')
            [CompletionResult]::new('--drill', '--drill', [CompletionResultType]::ParameterName, 'The drill of the calendar that the run is; see `drctl drills`')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why a drill is held outside its maintenance window; it is journaled')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'When the outage began: the clock of the RTO starts there')
            [CompletionResult]::new('--from-run', '--from-run', [CompletionResultType]::ParameterName, 'An earlier run: inputs that are not given take the value of its output of the same name')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'With `--simulate`: how many times as fast as the wall clock')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Make real reads and no writes; says of every step how far it was checked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Answer prompts with yes; never a gate with `by`, never a doubt')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Run on a simulated world, with real prompts and no effect outside')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;validate' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How findings are printed')
            [CompletionResult]::new('--deny', '--deny', [CompletionResultType]::ParameterName, 'End with 5 for these too, as for errors')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Mend what can be mended safely, then check again; comments and layout stay')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;explain' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;plan' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'The kind, where runbooks of several kinds have that name: failover comes first')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--vars', '--vars', [CompletionResultType]::ParameterName, 'A YAML file of inputs'' values')
            [CompletionResult]::new('--from-run', '--from-run', [CompletionResultType]::ParameterName, 'An earlier run: inputs that are not given take the value of its output of the same name')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--graph', '--graph', [CompletionResultType]::ParameterName, 'Draw the steps instead')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the plan, for `run --plan`')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--full', '--full', [CompletionResultType]::ParameterName, 'Every parameter on a line of its own, and how each step is tried')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;impact' {
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'All that runs in a region is lost')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'A service is lost, wherever it runs')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--graph', '--graph', [CompletionResultType]::ParameterName, 'Draw the services instead')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write it into a file')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;drills' {
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How they are shown')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'End with 1 where one is overdue')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;fmt' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Change nothing: show what would be changed, and end with 1 where something would')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;doctor' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'The kind, where runbooks of several kinds have that name: failover comes first')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--assume-down', '--assume-down', [CompletionResultType]::ParameterName, 'List what the runbooks and drctl itself need of this region')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;rehearse' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'The kind, where runbooks of several kinds have that name: failover comes first')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'A scenario: its file, or its name (default: nothing goes wrong, everybody agrees)')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Where the randomness starts (default: the scenario''s)')
            [CompletionResult]::new('--inject', '--inject', [CompletionResultType]::ParameterName, 'One more fault: STEP:fail, STEP:hang, STEP:timeout, STEP:lost-response or STEP:crash-after-effect')
            [CompletionResult]::new('--runs', '--runs', [CompletionResultType]::ParameterName, 'Rehearse with N seeds, and show how the times to recovery are spread')
            [CompletionResult]::new('--svg', '--svg', [CompletionResultType]::ParameterName, 'With `--runs`: draw the times to recovery')
            [CompletionResult]::new('--crash', '--crash', [CompletionResultType]::ParameterName, 'Kill drctl at that one record, as `--crash-everywhere` does: `before:N` or `after:N`')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--journal', '--journal', [CompletionResultType]::ParameterName, 'Write the journal''s lines to a file')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--crash-everywhere', '--crash-everywhere', [CompletionResultType]::ParameterName, 'Kill drctl around every record of its journal, resume, and judge what came of it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;test' {
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Only those whose runbook or name holds this')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--junit', '--junit', [CompletionResultType]::ParameterName, 'Write the verdicts as JUnit XML, for a CI server')
            [CompletionResult]::new('--min-coverage', '--min-coverage', [CompletionResultType]::ParameterName, 'Fail where the scenarios reach less of the runbooks, and name what they do not reach')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;runs' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--open', '--open', [CompletionResultType]::ParameterName, 'Only runs that have not ended')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;status' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'One JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;logs' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;watch' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;watch-for' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'The kind, where runbooks of several kinds have that name: failover comes first')
            [CompletionResult]::new('--alert', '--alert', [CompletionResultType]::ParameterName, 'Take an alert of Azure Monitor, PagerDuty or Alertmanager at its word: a file, or `-` for standard input')
            [CompletionResult]::new('--nagios-exit', '--nagios-exit', [CompletionResultType]::ParameterName, 'Take the exit code of a Nagios plugin at its word; `--alert FILE` is then what the plugin printed')
            [CompletionResult]::new('--every', '--every', [CompletionResultType]::ParameterName, 'The time between two looks')
            [CompletionResult]::new('--threshold', '--threshold', [CompletionResultType]::ParameterName, 'How many bad looks of the last ones are an outage')
            [CompletionResult]::new('--of', '--of', [CompletionResultType]::ParameterName, 'Of how many looks that is (default: two more than `--threshold`)')
            [CompletionResult]::new('--recover', '--recover', [CompletionResultType]::ParameterName, 'How many good looks in a row are health')
            [CompletionResult]::new('--step', '--step', [CompletionResultType]::ParameterName, 'A step of the detection phase whose verdict counts; may be given many times (default: all that have one)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An input''s value; may be given many times')
            [CompletionResult]::new('--vars', '--vars', [CompletionResultType]::ParameterName, 'A YAML file of inputs'' values')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'End once the looks are clear, with 0 if it is healthy and 1 if it is degraded')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;resume' {
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--pinned', '--pinned', [CompletionResultType]::ParameterName, 'Go on with the runbook as it was when the run started')
            [CompletionResult]::new('--adopt', '--adopt', [CompletionResultType]::ParameterName, 'Go on with the edited runbook; only steps that have not started may differ')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;approve' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why')
            [CompletionResult]::new('--digest', '--digest', [CompletionResultType]::ParameterName, 'The digest of what you saw; without it, what the gate asks now is shown and approved')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'An answer of a manual step; may be given many times')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;reject' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;retry' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;skip' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What stands in for an output of the step; may be given many times')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;resolve' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'How you know')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'An output of the step; may be given many times')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--happened', '--happened', [CompletionResultType]::ParameterName, 'It happened: the step is done')
            [CompletionResult]::new('--did-not-happen', '--did-not-happen', [CompletionResultType]::ParameterName, 'It did not happen: it is run again')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Nobody knows; run it again all the same')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;abort' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Only show what would be undone and what cannot be')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;report' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'What it is written as (default: what the ending of `--out` says, else Markdown)')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'The file it is written to (default: standard output)')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;metrics' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'The file it is written to, whole or not at all, such as one in the textfile collector''s folder (default: standard output)')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;evidence' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'The archive that is written, such as `evidence.tar`')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Sign it: a secret key as `openssl genpkey -algorithm ed25519` writes it')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;verify' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Of an archive: it must be signed by this key, in a public key file')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'The journal must hold this record: its place and hash, such as 14:9f86.., or its hash')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'The journal must hold all that this report was made from; may be given many times')
            [CompletionResult]::new('--notice', '--notice', [CompletionResultType]::ParameterName, 'The journal must hold the record that this notice carries; may be given many times')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;notify' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('preview', 'preview', [CompletionResultType]::ParameterValue, 'Render a template for every channel, and send nothing; what is not given shows as its name')
            [CompletionResult]::new('announce', 'announce', [CompletionResultType]::ParameterValue, 'Send a notice outside of any recovery, such as a maintenance announcement: shown and asked for, then sent once')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Deliver what a run still owes: each once, and what may have been delivered only when you say so')
            break
        }
        'drctl;notify;preview' {
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Take the values of this run: what it sent, or what it would send by now')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A variable (`vars.NAME`); may be given many times')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who would be told: decides the channels, the language and the time zone (default: the template''s)')
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'The language, such as `de` (default: the audience''s)')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write one page with all channels side by side, for a browser')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;notify;announce' {
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who is told (default: the template''s audience)')
            [CompletionResult]::new('--var', '--var', [CompletionResultType]::ParameterName, 'A variable (`vars.NAME`); may be given many times')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How it is shown')
            [CompletionResult]::new('--parallel', '--parallel', [CompletionResultType]::ParameterName, 'How many steps run at a time')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Write the run''s metrics to this file as it goes, for Prometheus'' textfile collector')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be sent, and send nothing')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Send it without asking')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay while the run waits for people, also without a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;notify;send' {
            [CompletionResult]::new('--doubtful', '--doubtful', [CompletionResultType]::ParameterName, 'Send a delivery that may have been made already, such as `mail/ada@example.com`; may be given many times')
            [CompletionResult]::new('--arrived', '--arrived', [CompletionResultType]::ParameterName, 'A delivery that may have been made is known to have arrived: it is owed no more; may be given many times')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'How you know, or why it is right to send it again or to give it up')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--owed', '--owed', [CompletionResultType]::ParameterName, 'What a run could not deliver, as it was rendered then')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what is owed, and send nothing')
            [CompletionResult]::new('--give-up', '--give-up', [CompletionResultType]::ParameterName, 'Give up what STEP still owes: it is never delivered, and owed no more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;actions' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;schema' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--markdown', '--markdown', [CompletionResultType]::ParameterName, 'Print the fields as tables for people, in Markdown')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'drctl;completions' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('--dynamic', '--dynamic', [CompletionResultType]::ParameterName, 'Such that the shell asks drctl for runbooks, runs, steps and inputs, too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'drctl;man' {
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Where runs are kept (default: `.drctl` in the workspace)')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'The name your decisions are recorded under (default: your OS user); it is not authenticated')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
