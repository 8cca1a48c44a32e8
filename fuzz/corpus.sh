#!/usr/bin/env bash
# Makes `fuzz/corpus/TARGET/`, what fuzzing starts from: the runbooks, scenarios and templates that ship, those of the
# tests that are meant to be wrong, every expression in any of them, a journal, and the cases of the YAML test suite where
# `DRCTL_YAML_TEST_SUITE` names its folder. Needs perl, and drctl itself: `DRCTL`, or the debug build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
drctl=${DRCTL:-${CARGO_TARGET_DIR:-target}/debug/drctl}
corpus=fuzz/corpus
rm -rf "$corpus"
mkdir -p "$corpus"/{reader,runbook,settings,scenario,template,expression,journal}

# Files of one name lie in many folders: each is kept by its whole path.
keep() {
  local target=$1 file
  while read -r file; do cp "$file" "$corpus/$target/${file//\//-}"; done
}
yaml() { git ls-files '*.yaml' | grep -v '^fuzz/'; }
yaml | grep /scenarios/ | keep scenario
yaml | grep 'drctl\.yaml$' | keep settings
yaml | grep -v -e /scenarios/ -e 'drctl\.yaml$' | keep runbook
git ls-files 'templates/*.md' 'templates/*.txt' '*/templates/*.md' '*/templates/*.txt' | keep template
# The suite shows what cannot be seen: signs stand for spaces, tabs, line ends, and no end of the last line.
cases() {
  awk -v into="$corpus/reader/$(basename "$1" .yaml)" '
    /^(- |  )yaml: / { case = into "-" number++; next }
    /^(- |  )[a-z]/ { case = "" }
    case { print substr($0, 5) > case }' "$1"
}
if [[ -n ${DRCTL_YAML_TEST_SUITE:-} ]]; then
  for file in "$DRCTL_YAML_TEST_SUITE"/*.yaml; do cases "$file"; done
  find "$corpus/reader" -type f -exec perl -0pi -e 's/∎\n//; s/—|↵//g; s/␣/ /g; s/»/\t/g; s/←/\r/g; s/⇔/\xef\xbb\xbf/g' {} +
else
  yaml | keep reader
  echo "DRCTL_YAML_TEST_SUITE is not set: the reader starts from the files of this repository alone" >&2
fi

number=0
cat "$corpus"/{runbook,template}/* | grep -aoP '\{\{ \K.*?(?= \}\})|^ *when: \K.*' | sort -u | while read -r expression; do
  printf %s "$expression" >"$corpus/expression/$((number += 1))"
done

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
cat >"$state/run.yaml" <<'END'
{ drctl: 1, name: run, kind: drill, owner: drctl, execution: [{ id: one, action: shell, with: { script: echo one } }] }
END
"$drctl" --workspace . --state "$state" run "$state/run.yaml" --yes --output plain </dev/null >"$state/said" 2>&1 || true
find "$state" -name 'journal*' -type f -exec cp {} "$corpus/journal/" \;
[[ -n $(ls "$corpus/journal") ]] || { cat "$state/said" >&2; echo "the run left no journal" >&2; exit 1; }
for target in "$corpus"/*; do echo "$target: $(find "$target" -type f | wc -l)"; done
