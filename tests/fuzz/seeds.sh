#!/bin/sh
# Fills corpus/<target>/ with the texts of the project. The first letter of a
# text for `compile`, `format` and `translate` picks the spelling.
set -eu
cd "$(dirname "$0")"
for target in parse_flow parse_yaml compile format translate; do
  mkdir -p "corpus/$target"
done
find ../lang ../../stdlib ../../examples found -name '*.flow' -o -name '*.flow.yaml' 2>/dev/null |
  while read -r path; do
    name=$(printf %s "$path" | tr -c 'a-z0-9\n' '_')
    case $path in
      *.yaml) parser=parse_yaml first=y ;;
      *) parser=parse_flow first=f ;;
    esac
    text=$(grep -v '^[[:space:]]*#!' "$path" || :)
    printf '%s\n' "$text" > "corpus/$parser/$name"
    for target in compile format translate; do
      printf '%s%s\n' "$first" "$text" > "corpus/$target/$name"
    done
  done
