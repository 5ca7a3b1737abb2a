"""Subjects of certificates as Postern looks them up (rows.md, Canonical names), read from DER with nothing but this file."""

import unicodedata

STRINGS = {  # tag: how its bytes are text
    0x0C: "utf-8",
    0x13: "latin-1",  # PrintableString, and the two below: also beyond their alphabets
    0x14: "latin-1",
    0x16: "latin-1",
    0x1E: 2,
    0x1C: 4,
}


def subject(certificate):
    """The canonical text of a certificate's subject; None if there is none to be read."""
    try:
        (tag, content, _), = elements(certificate)
        fields = elements(elements(content)[0][1])
        return canonical(fields[5 if fields[0][0] == 0xA0 else 4][2]) if tag == 0x30 else None
    except (ValueError, IndexError):
        return None


def canonical(name):
    """The canonical text of a Name in DER. ValueError for what is no name."""
    (_, content, _), = elements(name)
    rdns = [sorted((_attribute(pair) for _, pair, _ in elements(rdn)), key=str.encode) for _, rdn, _ in elements(content)]
    text = ",".join("+".join(rdn) for rdn in rdns)
    if len(name) > 8_192 or len(text.encode()) > 8_192:
        raise ValueError("too long for a name")
    return text


def elements(content):
    """The elements of a content: (tag, content, whole)."""
    found, at = [], 0
    while at < len(content):
        tag, length, start = content[at], content[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            length, start = int.from_bytes(content[start : start + octets], "big"), start + octets
        if start + length > len(content):
            raise ValueError("DER that ends too early")
        found.append((tag, content[start : start + length], content[at : start + length]))
        at = start + length
    return found


def _attribute(pair):
    (_, oid, _), (tag, value, whole) = elements(pair)
    text = f"#{whole.hex()}" if tag not in STRINGS else _escaped(_prepared(_decoded(value, STRINGS[tag])))
    return f"{_dotted(oid)}={text}"


def _decoded(value, how):
    if isinstance(how, str):
        return value.decode(how)
    if len(value) % how:
        raise ValueError("a string that ends within a character")
    codes = [int.from_bytes(value[at : at + how], "big") for at in range(0, len(value), how)]
    if any(0xD800 <= code < 0xE000 for code in codes):
        raise ValueError("a surrogate")
    return "".join(map(chr, codes))


def _dotted(oid):
    arcs, arc = [], 0
    for octet in oid:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs, arc = arcs + [arc], 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first] + arcs[1:]))


def _prepared(text):
    out = ""
    for c in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(c)
        if c in "\t\n\v\f\r\x85" or category[0] == "Z":
            out += " "
        elif category in ("Cc", "Cf") or _is_ignored(ord(c)):
            continue
        else:
            out += c if c == "\u0131" else "".join(x.lower() for x in "".join(y.upper() for y in c.lower()))
    return " ".join(part for part in unicodedata.normalize("NFKC", out).split(" ") if part)


def _is_ignored(c):
    ranges = (0x34F, 0x34F), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xFFFC, 0xFFFC), (0xE0100, 0xE01EF)
    return any(low <= c <= high for low, high in ranges)


def _escaped(text):
    out = "".join("\\" + c if c in '\\,+="' else c for c in text)
    return "\\" + out if out.startswith("#") else out
