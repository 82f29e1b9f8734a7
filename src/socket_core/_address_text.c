/* Addresses as text. Written out here, since the systems differ: some inet_pton take what others refuse. */
#include "_address.h"

/* One decimal number of a dotted quad, 0 to 255 without leading zeros (which some read as octal); -1 where it is none.
 * Moves `at` behind it. */
static int read_octet(const char **at, const char *end) {
    const char *text = *at;
    int value = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *at - text < 3) {
        value = value * 10 + (**at - '0');
        ++*at;
    }
    if (*at == text || value > 255 || (*text == '0' && *at - text > 1))
        return -1;
    return value;
}

static int read_v4(const char *at, const char *end, uint8_t ip[4]) {
    for (int index = 0; index < 4; ++index) {
        if (index > 0 && (at == end || *at++ != '.'))
            return 0;
        int value = read_octet(&at, end);
        if (value < 0)
            return 0;
        ip[index] = (uint8_t)value;
    }
    return at == end;
}

static int hex_digit(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* One to four hexadecimal digits, stored as two bytes; returns how many digits there were, 0 for none or too many. */
static int read_group(const char *at, const char *end, uint8_t group[2]) {
    unsigned value = 0;
    int digits = 0;
    while (at + digits < end && hex_digit(at[digits]) >= 0) {
        if (digits == 4)
            return 0;
        value = value << 4 | (unsigned)hex_digit(at[digits++]);
    }
    group[0] = (uint8_t)(value >> 8);
    group[1] = (uint8_t)value;
    return digits;
}

static int has_dot(const char *at, const char *end) {
    for (; at < end && *at != ':'; ++at) {
        if (*at == '.')
            return 1;
    }
    return 0;
}

static int read_v6(const char *at, const char *end, uint8_t ip[16]) {
    uint8_t bytes[16];
    size_t size = 0;
    size_t gap = sizeof(bytes) + 1; /* where `::` stands; beyond the end: nowhere */
    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (at < end) {
        if (size + 4 <= sizeof(bytes) && has_dot(at, end)) {
            if (!read_v4(at, end, bytes + size))
                return 0;
            size += 4;
            break;
        }
        int digits = size + 2 <= sizeof(bytes) ? read_group(at, end, bytes + size) : 0;
        if (digits == 0)
            return 0;
        size += 2;
        at += digits;
        if (at == end)
            break;
        if (*at++ != ':' || at == end)
            return 0;
        if (*at == ':') {
            if (gap <= sizeof(bytes))
                return 0;
            gap = size;
            ++at;
        }
    }
    if (gap > sizeof(bytes) ? size != sizeof(bytes) : size > sizeof(bytes) - 2)
        return 0;
    memset(ip, 0, sizeof(bytes));
    if (gap > size)
        gap = size;
    memcpy(ip, bytes, gap);
    memcpy(ip + sizeof(bytes) - (size - gap), bytes + gap, size - gap);
    return 1;
}

int address_read_ip(const char *text, size_t size, uint8_t ip[16]) {
    const char *end = text + size;
    memset(ip, 0, 16);
    if (read_v4(text, end, ip))
        return 4;
    return read_v6(text, end, ip) ? 6 : 0;
}

static char *write_octet(char *at, unsigned value) {
    if (value >= 100)
        *at++ = (char)('0' + value / 100);
    if (value >= 10)
        *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

static char *write_group(char *at, const uint8_t group[2]) {
    unsigned value = (unsigned)group[0] << 8 | group[1];
    int shift = 12;
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

/* The first of the longest runs of zero groups; a single one is not worth a `::`. Returns its length in groups. */
static int longest_zeros(const uint8_t ip[16], int *start) {
    int best = 1;
    *start = -1;
    for (int index = 0; index < 8;) {
        int length = 0;
        while (index + length < 8 && ip[2 * (index + length)] == 0 && ip[2 * (index + length) + 1] == 0)
            ++length;
        if (length > best) {
            best = length;
            *start = index;
        }
        index += length + 1;
    }
    return best;
}

static char *write_v6(char *at, const uint8_t ip[16]) {
    int start;
    int length = longest_zeros(ip, &start);
    for (int index = 0; index < 8; ++index) {
        if (index == start) {
            *at++ = ':';
            *at++ = ':';
            index += length - 1;
            continue;
        }
        if (index > 0 && at[-1] != ':')
            *at++ = ':';
        at = write_group(at, ip + 2 * index);
    }
    return at;
}

size_t address_write_ip(const address_t *address, char text[ADDRESS_TEXT_BYTES]) {
    char *at = text;
    if (address->family == 6) {
        at = write_v6(at, address->ip);
    } else if (address->family == 4) {
        for (int index = 0; index < 4; ++index) {
            if (index > 0)
                *at++ = '.';
            at = write_octet(at, address->ip[index]);
        }
    }
    *at = '\0';
    return (size_t)(at - text);
}
