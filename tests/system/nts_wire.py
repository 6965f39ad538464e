"""Records of the NTS key exchange, and the extension fields of NTS."""

import struct

from packets import SIZE

# Records of the key exchange (RFC 8915 §4).
END, PROTOCOL, ERROR, WARNING, AEAD, COOKIE, SERVER, PORT = range(8)
KEEP_ALIVE, FIXED_KEY, TOKEN = 8, 12, 14
UNKNOWN = 0x3fff  # to everybody
CRITICAL = 0x8000
BAD_REQUEST = 1
SIV_256 = 15

# Extension fields (RFC 8915 §5).
UNIQUE_ID, NTS_COOKIE, PLACEHOLDER, AUTHENTICATOR = (
    0x0104, 0x0204, 0x0304, 0x0404)


def record(kind, body=b"", critical=True):
    return struct.pack(">HH", kind | (CRITICAL if critical else 0),
                       len(body)) + body


def u16(*values):
    return struct.pack(f">{len(values)}H", *values)


def ke_request(*more, protocol=0, aead=SIV_256):
    return b"".join([record(PROTOCOL, u16(protocol)), record(AEAD, u16(aead)),
                     *more, record(END)])


def ke_answer(*more, cookies=(b"c" * 100,) * 8):
    """As a server gives it that sends nobody elsewhere."""
    return ke_request(*more, *(record(COOKIE, cookie, False)
                               for cookie in cookies))


def records(message):
    """Type without its critical bit, and body, of each."""
    found, at = [], 0
    while at < len(message):
        kind, length = struct.unpack_from(">HH", message, at)
        found.append((kind & ~CRITICAL, message[at + 4:at + 4 + length]))
        at += 4 + length
    return found


def field(kind, body):
    return struct.pack(">HH", kind, len(body) + 4) + body


def fields(packet):
    """Type and body of each extension field. No MAC may follow."""
    found, at = [], SIZE
    while at < len(packet):
        kind, length = struct.unpack_from(">HH", packet, at)
        if length < 4:
            raise ValueError(f"no extension field: {packet[at:].hex()}")
        found.append((kind, packet[at + 4:at + length]))
        at += length
    return found


def is_protected(packet):
    """Whether it has what the RFC demands of a request or an answer."""
    kinds = [kind for kind, _ in fields(packet)]
    if packet[0] & 7 == 4:
        return kinds == [UNIQUE_ID, AUTHENTICATOR]
    return (kinds[:2] == [UNIQUE_ID, NTS_COOKIE]
            and kinds[-1] == AUTHENTICATOR
            and set(kinds[2:-1]) <= {PLACEHOLDER})
