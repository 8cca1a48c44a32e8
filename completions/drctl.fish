# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_drctl_global_optspecs
    string join \n workspace= state= as= h/help V/version
end

function __fish_drctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_drctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_drctl_using_subcommand
    set -l cmd (__fish_drctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c drctl -n "__fish_drctl_needs_command" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_needs_command" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_needs_command" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_needs_command" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_needs_command" -s V -l version -d 'Print version'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "init" -d 'Make a workspace that validates and rehearses at once'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "failover" -d 'Find a failover runbook by name, and run it; with `--region`, recover all that runs there'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "failback" -d 'Find a failback runbook by name, and run it'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "run" -d 'Run any runbook file'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "validate" -d 'Check runbooks: every problem of every file, with its place'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "explain" -d 'Say what a finding of `validate` means, why it matters, and how it is mended'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "plan" -d 'Show order, waves, gates and the critical path against the RTO'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "impact" -d 'Show what a lost region or service hits, and in which order it is recovered'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "drills" -d 'Show which drills are due, overdue and done'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "fmt" -d 'Lay runbooks out: indentation, white space; never what they mean'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "doctor" -d 'Look at what runs stand on, before an outage does'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "rehearse" -d 'Rehearse a runbook on a simulated world: hours pass in milliseconds'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "test" -d 'Rehearse every scenario and judge what comes of it'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "runs" -d 'List the runs of the workspace'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "status" -d 'Show what a run is doing, what it needs, and what to type next'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "logs" -d 'Show a run\'s journal, or what a step printed'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "watch" -d 'Look on while a run goes on'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "watch-for" -d 'Look for an outage, or take an alert: down, it opens a run that waits at its first gate'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "resume" -d 'Take a run up where it was left'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "approve" -d 'Approve a gate, or answer a manual step'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "reject" -d 'Refuse a gate'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "retry" -d 'Try a failed step again'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "skip" -d 'Leave a step out'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "resolve" -d 'Say what happened to a step in doubt'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "abort" -d 'Give a run up: shows what is undone and what cannot be, then undoes it'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "report" -d 'Say what a run came to, as a page, Markdown or JSON'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "metrics" -d 'Write a run\'s state, clock and step durations as metrics for Prometheus'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "evidence" -d 'Pack a run into one file that can be checked: journal, runbook, outputs, notices, report'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "verify" -d 'Check that nobody changed a run\'s journal, or the file that `evidence` wrote'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "notify" -d 'Preview notices, announce something, deliver what is owed'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "actions" -d 'The actions steps can use'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "schema" -d 'Print the JSON schema of runbooks, scenarios, templates or the workspace, for editors'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "completions" -d 'Print a shell\'s completions'
complete -c drctl -n "__fish_drctl_needs_command" -f -a "man" -d 'Write the manual pages into a folder'
complete -c drctl -n "__fish_drctl_using_subcommand init" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand init" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand init" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand init" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l vars -d 'A YAML file of inputs\' values' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l plan -d 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l approve -d 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l drill -d 'The drill of the calendar that the run is; see `drctl drills`' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l reason -d 'Why a drill is held outside its maintenance window; it is journaled' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l since -d 'When the outage began: the clock of the RTO starts there' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l from-run -d 'An earlier run: inputs that are not given take the value of its output of the same name' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l speed -d 'With `--simulate`: how many times as fast as the wall clock' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l scenario -d 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l region -d 'Recover all that runs in a region: a runbook is made of the services in `drctl.yaml`, shown, and run' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l write -d 'With `--region`: only write the runbook into a file, to be reviewed and kept' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l dry-run -d 'Make real reads and no writes; says of every step how far it was checked'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l yes -d 'Answer prompts with yes; never a gate with `by`, never a doubt'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l simulate -d 'Run on a simulated world, with real prompts and no effect outside'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l plan-only -d 'With `--region`: only show what would be run'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -l at-once -d 'With `--region`: services wait for what they depend on, and not for those of higher priority'
complete -c drctl -n "__fish_drctl_using_subcommand failover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l vars -d 'A YAML file of inputs\' values' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l plan -d 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l approve -d 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l drill -d 'The drill of the calendar that the run is; see `drctl drills`' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l reason -d 'Why a drill is held outside its maintenance window; it is journaled' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l since -d 'When the outage began: the clock of the RTO starts there' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l from-run -d 'An earlier run: inputs that are not given take the value of its output of the same name' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l speed -d 'With `--simulate`: how many times as fast as the wall clock' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l scenario -d 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l dry-run -d 'Make real reads and no writes; says of every step how far it was checked'
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l yes -d 'Answer prompts with yes; never a gate with `by`, never a doubt'
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l simulate -d 'Run on a simulated world, with real prompts and no effect outside'
complete -c drctl -n "__fish_drctl_using_subcommand failback" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand failback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand run" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l vars -d 'A YAML file of inputs\' values' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand run" -l plan -d 'A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand run" -l approve -d 'Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l drill -d 'The drill of the calendar that the run is; see `drctl drills`' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l reason -d 'Why a drill is held outside its maintenance window; it is journaled' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l since -d 'When the outage began: the clock of the RTO starts there' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l from-run -d 'An earlier run: inputs that are not given take the value of its output of the same name' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l speed -d 'With `--simulate`: how many times as fast as the wall clock' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l scenario -d 'With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand run" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand run" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand run" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand run" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand run" -l dry-run -d 'Make real reads and no writes; says of every step how far it was checked'
complete -c drctl -n "__fish_drctl_using_subcommand run" -l yes -d 'Answer prompts with yes; never a gate with `by`, never a doubt'
complete -c drctl -n "__fish_drctl_using_subcommand run" -l simulate -d 'Run on a simulated world, with real prompts and no effect outside'
complete -c drctl -n "__fish_drctl_using_subcommand run" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l format -d 'How findings are printed' -r -f -a "human\t'For people'
short\t'One line each'
json\t'One JSON document'
sarif\t'SARIF 2.1.0'
github\t'GitHub annotations'"
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l deny -d 'End with 5 for these too, as for errors' -r -f -a "warnings\t'Warnings'"
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand validate" -l fix -d 'Mend what can be mended safely, then check again; comments and layout stay'
complete -c drctl -n "__fish_drctl_using_subcommand validate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand explain" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand explain" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand explain" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand explain" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l kind -d 'The kind, where runbooks of several kinds have that name: failover comes first' -r -f -a "failover\t''
failback\t''
drill\t''"
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l vars -d 'A YAML file of inputs\' values' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l from-run -d 'An earlier run: inputs that are not given take the value of its output of the same name' -r
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l output -d 'How it is shown' -r -f -a "human\t'For people'
json\t'One JSON document'"
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l graph -d 'Draw the steps instead' -r -f -a "mermaid\t'A flowchart for Markdown'
dot\t'For Graphviz'
svg\t'A picture'"
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l out -d 'Write the plan, for `run --plan`' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand plan" -l full -d 'Every parameter on a line of its own, and how each step is tried'
complete -c drctl -n "__fish_drctl_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l region -d 'All that runs in a region is lost' -r
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l service -d 'A service is lost, wherever it runs' -r
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l output -d 'How it is shown' -r -f -a "human\t'For people'
json\t'One JSON document'"
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l graph -d 'Draw the services instead' -r -f -a "mermaid\t'A flowchart for Markdown'
dot\t'For Graphviz'
svg\t'A picture'"
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l out -d 'Write it into a file' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand impact" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand impact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand drills" -l output -d 'How they are shown' -r -f -a "human\t'For people'
json\t'One JSON document'
ics\t'A calendar file (RFC 5545)'"
complete -c drctl -n "__fish_drctl_using_subcommand drills" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand drills" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand drills" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand drills" -l check -d 'End with 1 where one is overdue'
complete -c drctl -n "__fish_drctl_using_subcommand drills" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand fmt" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand fmt" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand fmt" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand fmt" -l check -d 'Change nothing: show what would be changed, and end with 1 where something would'
complete -c drctl -n "__fish_drctl_using_subcommand fmt" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l kind -d 'The kind, where runbooks of several kinds have that name: failover comes first' -r -f -a "failover\t''
failback\t''
drill\t''"
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l assume-down -d 'List what the runbooks and drctl itself need of this region' -r
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -l json -d 'One JSON document'
complete -c drctl -n "__fish_drctl_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l kind -d 'The kind, where runbooks of several kinds have that name: failover comes first' -r -f -a "failover\t''
failback\t''
drill\t''"
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l scenario -d 'A scenario: its file, or its name (default: nothing goes wrong, everybody agrees)' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l seed -d 'Where the randomness starts (default: the scenario\'s)' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l inject -d 'One more fault: STEP:fail, STEP:hang, STEP:timeout, STEP:lost-response or STEP:crash-after-effect' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l runs -d 'Rehearse with N seeds, and show how the times to recovery are spread' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l svg -d 'With `--runs`: draw the times to recovery' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l crash -d 'Kill drctl at that one record, as `--crash-everywhere` does: `before:N` or `after:N`' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l journal -d 'Write the journal\'s lines to a file' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -l crash-everywhere -d 'Kill drctl around every record of its journal, resume, and judge what came of it'
complete -c drctl -n "__fish_drctl_using_subcommand rehearse" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand test" -l filter -d 'Only those whose runbook or name holds this' -r
complete -c drctl -n "__fish_drctl_using_subcommand test" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand test" -l junit -d 'Write the verdicts as JUnit XML, for a CI server' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand test" -l min-coverage -d 'Fail where the scenarios reach less of the runbooks, and name what they do not reach' -r
complete -c drctl -n "__fish_drctl_using_subcommand test" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand test" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand test" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand runs" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand runs" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand runs" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand runs" -l open -d 'Only runs that have not ended'
complete -c drctl -n "__fish_drctl_using_subcommand runs" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand status" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand status" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand status" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand status" -l json -d 'One JSON document'
complete -c drctl -n "__fish_drctl_using_subcommand status" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand logs" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand logs" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand logs" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand logs" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand watch" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l kind -d 'The kind, where runbooks of several kinds have that name: failover comes first' -r -f -a "failover\t''
failback\t''
drill\t''"
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l alert -d 'Take an alert of Azure Monitor, PagerDuty or Alertmanager at its word: a file, or `-` for standard input' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l nagios-exit -d 'Take the exit code of a Nagios plugin at its word; `--alert FILE` is then what the plugin printed' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l every -d 'The time between two looks' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l threshold -d 'How many bad looks of the last ones are an outage' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l of -d 'Of how many looks that is (default: two more than `--threshold`)' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l recover -d 'How many good looks in a row are health' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l step -d 'A step of the detection phase whose verdict counts; may be given many times (default: all that have one)' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l set -d 'An input\'s value; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l vars -d 'A YAML file of inputs\' values' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l once -d 'End once the looks are clear, with 0 if it is healthy and 1 if it is degraded'
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand watch-for" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l pinned -d 'Go on with the runbook as it was when the run started'
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l adopt -d 'Go on with the edited runbook; only steps that have not started may differ'
complete -c drctl -n "__fish_drctl_using_subcommand resume" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l reason -d 'Why' -r
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l digest -d 'The digest of what you saw; without it, what the gate asks now is shown and approved' -r
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l output -d 'An answer of a manual step; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand approve" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand approve" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand reject" -l reason -d 'Why' -r
complete -c drctl -n "__fish_drctl_using_subcommand reject" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand reject" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand reject" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand reject" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand retry" -l reason -d 'Why' -r
complete -c drctl -n "__fish_drctl_using_subcommand retry" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand retry" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand retry" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand retry" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l reason -d 'Why' -r
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l output -d 'What stands in for an output of the step; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand skip" -l yes -d 'Do not ask'
complete -c drctl -n "__fish_drctl_using_subcommand skip" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l reason -d 'How you know' -r
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l output -d 'An output of the step; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l happened -d 'It happened: the step is done'
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l did-not-happen -d 'It did not happen: it is run again'
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -l retry -d 'Nobody knows; run it again all the same'
complete -c drctl -n "__fish_drctl_using_subcommand resolve" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l reason -d 'Why' -r
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l yes -d 'Do not ask'
complete -c drctl -n "__fish_drctl_using_subcommand abort" -l plan -d 'Only show what would be undone and what cannot be'
complete -c drctl -n "__fish_drctl_using_subcommand abort" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand report" -l format -d 'What it is written as (default: what the ending of `--out` says, else Markdown)' -r -f -a "html\t'One page that needs nothing else: no network, no scripts'
markdown\t'Markdown'
json\t'One JSON document'"
complete -c drctl -n "__fish_drctl_using_subcommand report" -l out -d 'The file it is written to (default: standard output)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand report" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand report" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand report" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand metrics" -l out -d 'The file it is written to, whole or not at all, such as one in the textfile collector\'s folder (default: standard output)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand metrics" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand metrics" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand metrics" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -l out -d 'The archive that is written, such as `evidence.tar`' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -l key -d 'Sign it: a secret key as `openssl genpkey -algorithm ed25519` writes it' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand evidence" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l key -d 'Of an archive: it must be signed by this key, in a public key file' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l head -d 'The journal must hold this record: its place and hash, such as 14:9f86.., or its hash' -r
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l report -d 'The journal must hold all that this report was made from; may be given many times' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l notice -d 'The journal must hold the record that this notice carries; may be given many times' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand verify" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand verify" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -f -a "preview" -d 'Render a template for every channel, and send nothing; what is not given shows as its name'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -f -a "announce" -d 'Send a notice outside of any recovery, such as a maintenance announcement: shown and asked for, then sent once'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and not __fish_seen_subcommand_from preview announce send" -f -a "send" -d 'Deliver what a run still owes: each once, and what may have been delivered only when you say so'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l run -d 'Take the values of this run: what it sent, or what it would send by now' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l var -d 'A variable (`vars.NAME`); may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l audience -d 'Who would be told: decides the channels, the language and the time zone (default: the template\'s)' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l language -d 'The language, such as `de` (default: the audience\'s)' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l html -d 'Write one page with all channels side by side, for a browser' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from preview" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l audience -d 'Who is told (default: the template\'s audience)' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l var -d 'A variable (`vars.NAME`); may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l output -d 'How it is shown' -r -f -a "human\t'Live, on a terminal; plain lines elsewhere'
plain\t'One line an event'
json\t'One JSON document an event'"
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l parallel -d 'How many steps run at a time' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l metrics -d 'Write the run\'s metrics to this file as it goes, for Prometheus\' textfile collector' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l dry-run -d 'Show what would be sent, and send nothing'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l yes -d 'Send it without asking'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -l wait -d 'Stay while the run waits for people, also without a terminal'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from announce" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l doubtful -d 'Send a delivery that may have been made already, such as `mail/ada@example.com`; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l arrived -d 'A delivery that may have been made is known to have arrived: it is owed no more; may be given many times' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l reason -d 'How you know, or why it is right to send it again or to give it up' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l owed -d 'What a run could not deliver, as it was rendered then'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l dry-run -d 'Show what is owed, and send nothing'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -l give-up -d 'Give up what STEP still owes: it is never delivered, and owed no more'
complete -c drctl -n "__fish_drctl_using_subcommand notify; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand actions" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand actions" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand actions" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand actions" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand schema" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand schema" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand schema" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand schema" -l markdown -d 'Print the fields as tables for people, in Markdown'
complete -c drctl -n "__fish_drctl_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c drctl -n "__fish_drctl_using_subcommand completions" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand completions" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand completions" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand completions" -l dynamic -d 'Such that the shell asks drctl for runbooks, runs, steps and inputs, too'
complete -c drctl -n "__fish_drctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c drctl -n "__fish_drctl_using_subcommand man" -l workspace -d 'The workspace: the folder with `drctl.yaml` (default: found from here upwards)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand man" -l state -d 'Where runs are kept (default: `.drctl` in the workspace)' -r -F
complete -c drctl -n "__fish_drctl_using_subcommand man" -l as -d 'The name your decisions are recorded under (default: your OS user); it is not authenticated' -r
complete -c drctl -n "__fish_drctl_using_subcommand man" -s h -l help -d 'Print help'
