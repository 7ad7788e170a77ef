#include "server/base/utf8.h"

#include <string.h>

/* Bytes of the character at the beginning of the text; 0: it is not valid. */
static size_t measure_character(const char *text, size_t size)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] < 0x80)
        return 1;
    const size_t length = byte[0] < 0xC2   ? 0
                          : byte[0] < 0xE0 ? 2
                          : byte[0] < 0xF0 ? 3
                          : byte[0] < 0xF5 ? 4
                                           : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    const bool is_overlong =
        (byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xF0 && byte[1] < 0x90);
    const bool is_surrogate = byte[0] == 0xED && byte[1] > 0x9F;
    const bool is_beyond = byte[0] == 0xF4 && byte[1] > 0x8F;
    return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

bool utf8_is_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const size_t length = measure_character(text + at, size - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

void utf8_excerpt(const char *text, size_t size, char *out)
{
    static const char dots[] = "...";
    size_t at = 0, written = 0;
    while (at < size) {
        const size_t length = measure_character(text + at, size - at);
        const size_t taken = length > 0 ? length : 1;
        if (written + taken > UTF8_EXCERPT - sizeof dots) {
            memcpy(out + written, dots, sizeof dots);
            return;
        }
        const bool is_shown = length > 1 || (length == 1 && text[at] >= ' ' && text[at] != 0x7F);
        if (is_shown)
            memcpy(out + written, text + at, taken);
        else
            out[written] = '?';
        written += taken;
        at += taken;
    }
    out[written] = '\0';
}
