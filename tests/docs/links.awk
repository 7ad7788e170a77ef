# Prints the links of a Markdown page, LINE TARGET each, or with -v anchors=1 the anchors of its
# headings, as GitHub makes them. Text in blocks and between backticks is not looked at.
# Usage: awk [-v anchors=1] -f links.awk PAGE

function anchor_of(heading,    anchor) {
    sub(/^#+ +/, "", heading)
    anchor = tolower(heading)
    gsub(/[^a-z0-9 _-]/, "", anchor)
    gsub(/ /, "-", anchor)
    return seen[anchor]++ ? anchor "-" (seen[anchor] - 1) : anchor
}

/^```/ { inside = !inside; next }
inside { next }

anchors {
    if (/^#+ /) print anchor_of($0)
    next
}

{
    line = $0
    gsub(/`[^`]*`/, "code", line)
    while (match(line, /\]\([^)]*\)/)) {
        print FNR, substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
    }
}
