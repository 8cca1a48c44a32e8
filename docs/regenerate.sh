#!/usr/bin/env bash
# Writes the files that are made from the program: completions, manual pages, the JSON schemas, docs/fields.md,
# docs/actions.md, docs/findings.md, docs/images.
#   docs/regenerate.sh [FOLDER]     FOLDER stands for the repository's root (the default)
# DRCTL names the binary; without it, it is built.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
into=$(realpath "${1:-$repository}")
cd "$repository"
if [[ -z ${DRCTL:-} ]]; then
  cargo build --quiet --bin drctl
  DRCTL=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/drctl
fi

mkdir -p "$into/completions" "$into/docs/man" "$into/docs/images"
# Pictures of pages in a browser are taken by hand.
[[ $into == "$repository" ]] || cp docs/images/*.png "$into/docs/images/"
"$DRCTL" plan active-passive --graph svg >"$into/docs/images/active-passive.svg"
"$DRCTL" completions bash >"$into/completions/drctl.bash"
"$DRCTL" completions zsh >"$into/completions/_drctl"
"$DRCTL" completions fish >"$into/completions/drctl.fish"
"$DRCTL" completions powershell >"$into/completions/_drctl.ps1"
for file in runbook workspace scenario template; do
  "$DRCTL" schema "$file" >"$into/docs/$file.schema.json"
done
rm -f "$into"/docs/man/*.1
"$DRCTL" man "$into/docs/man"
{
  cat <<'INTRODUCTION'
# Fields

Every field of the files that drctl reads, by where it stands. Made by `docs/regenerate.sh` from `drctl schema --markdown`: do
not edit. How they work together is told in [language.md](language.md), [workspace.md](workspace.md) and
[rehearsal.md](rehearsal.md); what stands under `with` of an action, in [actions.md](actions.md).

In round brackets stands what holds where a field is absent. In the place of a mapping, `NAME` is a name of yours, `[]` each
item of a list, and `(slack)` says that `type: slack` stands beside its fields. A name is small letters, digits and `_`; a
duration is `250ms`, `30s`, `1h30m`, `2d`.
INTRODUCTION
  for file in runbook template workspace scenario; do
    printf '\n'
    "$DRCTL" schema "$file" --markdown
  done
} >"$into/docs/fields.md"
{
  printf '# Actions\n\nWhat a step can do. Made by `docs/regenerate.sh` from `drctl actions NAME`: do not edit.\n'
  for action in $("$DRCTL" actions | awk '{ print $1 }'); do
    printf '\n## %s\n\n```text\n' "$action"
    "$DRCTL" actions "$action"
    printf '```\n'
  done
} >"$into/docs/actions.md"
{
  cat <<'INTRODUCTION'
# Findings

What `drctl validate` can find, by code. Made by `docs/regenerate.sh` from `drctl explain CODE`: do not edit.

An error stops a run. A warning is advice: it does not, unless `drctl validate --deny warnings` says so. Neither hides what
is wrong elsewhere: only what may follow from an error waits until that is mended, and the last line names it, as
`waiting` does in JSON, and in the `properties` of a SARIF run.

Where a warning does not hold, say why in the runbook, at the end of the line it is about or on the line before:

```yaml
# drctl: allow(no-way-back) more nodes than needed do no harm
- id: scale
```
INTRODUCTION
  for code in $("$DRCTL" explain | awk '{ print $1 }'); do
    printf '\n'
    "$DRCTL" explain "$code" | sed 's/^#/##/'
  done
} >"$into/docs/findings.md"
