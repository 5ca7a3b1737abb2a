"""Comparing heads with another device of the owner's (head.md, Comparing heads)."""

import base64
import re

from postern import check, dec, enc, history_root, sha256

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def head_code(device):
    """HEAD-08, to be read out."""
    return f"{device.generation}:" + "-".join(re.findall("....", _digits(device)))


def head_text(device):
    """HEAD-08, for a QR code."""
    named = [device.owner, device.incarnation, device.generation, device.head_hash]
    return "postern-head:" + base64.urlsafe_b64encode(enc(["postern/1/head-text", *named])).decode().rstrip("=")


def _digits(device):
    named = [device.owner, device.incarnation, device.generation, device.head_hash]
    bits = int.from_bytes(sha256(enc(["postern/1/head-code", *named]))[:10], "big")
    return "".join(DIGITS[bits >> 5 * (15 - at) & 31] for at in range(16))


def read_head(shown):
    """(generation, digits, None) of a code; (generation, None, fields) of a text."""
    shown = shown.strip()
    if shown.startswith("postern-head:"):
        body = shown.removeprefix("postern-head:")
        fields = dec(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        is_text = isinstance(fields, list) and len(fields) == 5 and fields[0] == "postern/1/head-text"
        check(is_text, "malformed", "not a head's text")
        return fields[3], None, fields
    generation, _, rest = shown.partition(":")
    digits = re.sub("[\\s-]", "", rest).upper().translate(str.maketrans("OIL", "011"))
    is_code = re.fullmatch("[1-9][0-9]{0,15}", generation) and len(digits) == 16 and all(c in DIGITS for c in digits)
    check(is_code, "malformed", "not a head's code")
    return int(generation), digits, None


def compare_head(device, shown):
    """HEAD-09: True if the two agree, None if nothing can be told; `forked`, `withheld`."""
    generation, digits, fields = read_head(shown)
    check(fields is None or fields[1] == device.owner, "usage", "another owner's head")
    if generation > device.generation or fields and fields[2] != device.incarnation:
        device.fetch_state()
    if fields and fields[2] != device.incarnation:
        return None
    check(device.generation >= generation, "withheld", "the edge showed a newer head to another device")
    if device.generation == generation:
        same = digits == _digits(device) if fields is None else fields[4] == device.head_hash
        check(same, "forked", "two heads of one generation")
        return True
    if fields is None:
        return None
    signed, path, (size, root) = device.head_with_history(generation)
    check(path is not None, "withheld", "how the newest head builds on the other's")
    check(history_root(fields[4], size - (device.generation - generation), size, path) == root, "forked", "history")
    return True
