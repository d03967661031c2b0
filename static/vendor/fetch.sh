#!/bin/sh
# Fetches what is vendored here again, by package name and version, and builds ../icons.svg.
# Needs npm, or node with npm beside it; the portal itself never does.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

inter=@fontsource-variable/inter@5.3.0
lucide=lucide-static@1.62.0
npm install --prefix "$work" --no-save --no-audit --no-fund --ignore-scripts "$inter" "$lucide"

package=$work/node_modules/@fontsource-variable/inter
cp "$package/files/inter-latin-wght-normal.woff2" "$here/inter-latin.woff2"
cp "$package/LICENSE" "$here/inter-LICENSE.txt"

package=$work/node_modules/lucide-static
cp "$package/LICENSE" "$here/lucide-LICENSE.txt"
{
    printf '<svg xmlns="http://www.w3.org/2000/svg">\n'
    while read -r name; do
        [ -n "$name" ] || continue
        printf '<symbol id="%s" viewBox="0 0 24 24">' "$name"
        tr '\n' ' ' < "$package/icons/$name.svg" \
            | sed -e 's/<!--[^>]*-->//' -e 's/<svg[^>]*>//' -e 's/<\/svg>//' -e 's/  */ /g' -e 's/> </></g' -e 's/^ *//' -e 's/ *$//'
        printf '</symbol>\n'
    done < "$here/icons.txt"
    printf '<symbol id="mark" viewBox="0 0 24 24"><rect width="24" height="24" rx="7" fill="var(--ink)" stroke="none"/>'
    printf '<circle cx="16.4" cy="8" r="2.6" fill="var(--accent)" stroke="none"/>'
    printf '<path d="M4.4 18.4 9.6 10.6l3.1 4.4 1.9-2.3 5 5.7z" fill="var(--on-ink)" stroke="none"/></symbol>\n'
    printf '</svg>\n'
} > "$here/../icons.svg"
