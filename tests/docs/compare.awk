# Compares what a page says a command prints with what it printed: exits 1 if they differ. In the
# page "..." stands for any text.
# Usage: awk -f compare.awk PAGE'S PRINTED

FNR == 1 { files++ }
{ text[files] = text[files] $0 "\n" }

END {
    count = split(text[1], parts, /\.\.\./)
    at = 1
    for (i = 1; i <= count; i++) {
        length_of_part = length(parts[i])
        rest = substr(text[2], at)
        if (i == count && i > 1)
            found = length(rest) >= length_of_part ? length(rest) - length_of_part + 1 : 0
        else
            found = index(rest, parts[i])
        if (found == 0 || (i == 1 && found != 1) || substr(rest, found, length_of_part) != parts[i])
            exit 1
        at += found + length_of_part - 1
    }
    exit at != length(text[2]) + 1
}
