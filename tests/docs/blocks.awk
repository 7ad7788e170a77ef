# Splits a Markdown page into its fenced blocks. Writes each block's text to DIRECTORY/NUMBER and
# prints a line for it: NUMBER LINE KIND LANGUAGE REASON. LINE is that of the fence. KIND is
#
#   run       commands (sh) or a program (python) to run
#   skip      the same, but its first line is "# not tested: REASON"
#   needs     the same, but its first line is "# needs REASON"
#   output    json or text that the block before prints; only blank lines lie between
#   figure    no language, or c: a formula, a picture, a piece of the source
#   fault     anything else; REASON says what is wrong
#
# A command that stands in a figure or in an indented block would never be run: that is a fault.
# Usage: awk -v directory=DIRECTORY -f blocks.awk PAGE

function is_command(line) {
    sub(/^ *\$ /, "", line)
    return line ~ /^ *(sudo |)(apt|apt-get|awk|build\/|cp|curl|docker|examples\/|git|gunzip|gzip|install|kill|make|mv|nohup|python3|rm|sqlite3|tempotrond|zcat) /
}

function report(kind, reason) {
    printf "%d %d %s %s %s\n", number, begin, kind, language == "" ? "-" : language, reason
}

function end_block(    kind, reason) {
    close(file)
    reason = ""
    if (language == "sh" || language == "python") {
        kind = "run"
        if (first ~ /^# not tested: ./) kind = "skip"
        if (first ~ /^# needs ./) kind = "needs"
        if (kind != "run") { reason = first; sub(/^# (not tested:|needs) /, "", reason) }
    } else if (language == "json" || language == "text") {
        kind = follows ? "output" : "fault"
        reason = follows ? "" : "no command prints this " language
    } else if (language == "" || language == "c") {
        kind = commands ? "fault" : "figure"
        reason = commands ? "a command in a block that is not run" : ""
    } else {
        kind = "fault"
        reason = "no block may be " language
    }
    report(kind, reason)
    after_code = kind == "run" || kind == "skip" || kind == "needs"
}

/^```/ && !inside {
    inside = 1
    number++
    begin = FNR
    language = substr($0, 4)
    first = ""
    lines = commands = 0
    follows = after_code
    after_code = 0
    file = directory "/" number
    printf "" >file
    next
}

/^```$/ && inside {
    inside = 0
    end_block()
    next
}

inside {
    if (lines++ == 0) first = $0
    if (is_command($0)) commands++
    print >file
    next
}

/^    / && is_command($0) {
    number++
    begin = FNR
    language = ""
    report("fault", "a command in an indented block, which is not run")
}

!/^ *$/ { after_code = 0 }

END {
    if (inside) {
        close(file)
        report("fault", "the block has no end")
    }
}
