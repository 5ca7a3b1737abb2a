"""A Postern device in Python, written from shared/spec and docs/clients.md alone; ids in comments are theirs.

It is a worked example and a test, not a product: one thread, one file of memory, suite p256 (KEY-01, WRAP-01),
whose key and certificate the owner brought along (PAIR-06)."""

import base64
import hashlib
import hmac
import http.client
import io
import json
import os
import time
from urllib.parse import urlsplit

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

import names
import xwing

BODY_LIMIT = 1_048_576  # bytes, CONV-08
PART_BYTES = 524_288  # INBOX-02
TABLES = {"devices": 1, "certificates": 2, "messages": 3, "changes": 4}
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class PosternError(Exception):
    """What went wrong; `code` is one of docs/clients.md, and all that a caller decides on."""

    def __init__(self, code, text=""):
        super().__init__(f"{code}: {text}")
        self.code = code


def check(holds, code, text):
    if not holds:
        raise PosternError(code, text)


# --- Encoding (conventions.md) ---------------------------------------------------------------------------------------


def enc(value):
    """CONV-01. For text keys cbor2's canonical order, shorter first, is that of RFC 8949 section 4.2.1."""
    return cbor2.dumps(value, canonical=True)


def dec(data):
    """CONV-02: what does not encode to the same bytes again is refused."""
    try:
        value = cbor2.load(io.BytesIO(data))
        same = enc(value) == data
    except Exception:
        raise PosternError("tampered", "not CBOR") from None
    check(same and _is_plain(value, 16), "tampered", "not deterministic CBOR")
    return value


def _is_plain(value, depth):
    if depth < 0:
        return False
    if isinstance(value, list):
        return all(_is_plain(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item, depth - 1) for key, item in value.items())
    return value is None or isinstance(value, (bool, bytes, str)) or isinstance(value, int) and abs(value) < 2**53


def pad(data):
    """CONV-11: 0x80, zeros, up to PADME of the length."""
    return (data + b"\x80").ljust(_padme(max(len(data) + 1, 256)), b"\0")


def unpad(padded, further=False):
    """The other way round; rows may be padded further (ROW-03)."""
    data = padded.rstrip(b"\0")[:-1]
    is_further = further and pad(data) == padded[: len(pad(data))] and _padme(len(padded)) == len(padded)
    check(pad(data) == padded or is_further, "tampered", "padding")
    return data


def _padme(length):
    e = length.bit_length() - 1
    s = e.bit_length()
    mask = (1 << (e - s)) - 1
    return (length + mask) & ~mask


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, length=32):
    return HKDFExpand(hashes.SHA256(), length, info).derive(prk)


def opened(key, nonce, ciphertext, aad, further=False):
    try:
        return unpad(AESGCM(key).decrypt(nonce, ciphertext, aad), further)
    except PosternError:
        raise
    except Exception:
        raise PosternError("tampered", "does not open") from None


# --- Signatures (KEY-01), HPKE (wrapping.md) -------------------------------------------------------------------------


def verify(spki, signature, data):
    """Ed25519 and P-256, the kinds that this client meets."""
    key = serialization.load_der_public_key(spki)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            return key.verify(signature, data)
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1" and len(signature) == 64:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            return key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        pass
    raise PosternError("tampered", "signature")


def sign(key, data):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _labeled_extract(suite, salt, label, ikm):
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def _labeled_expand(suite, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def _hpke_context(kem, shared, info):
    """RFC 9180 section 5.1, base mode, HKDF-SHA256, AES-256-GCM: the key and nonce of the only message."""
    suite = b"HPKE" + kem.to_bytes(2, "big") + b"\0\x01" + b"\0\x02"
    context = b"\0" + _labeled_extract(suite, b"", b"psk_id_hash", b"") + _labeled_extract(suite, b"", b"info_hash", info)
    secret = _labeled_extract(suite, shared, b"secret", b"")
    key = _labeled_expand(suite, secret, b"key", context, 32)
    return AESGCM(key), _labeled_expand(suite, secret, b"base_nonce", context, 12)


def hpke_open_p256(private, encapsulated, ciphertext, info):
    """RFC 9180 section 4.1 with DHKEM(P-256, HKDF-SHA256)."""
    suite = b"KEM" + b"\0\x10"
    point = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encapsulated)
        prk = _labeled_extract(suite, b"", b"eae_prk", private.exchange(ec.ECDH(), sender))
        context = encapsulated + private.public_key().public_bytes(*point)
        shared = _labeled_expand(suite, prk, b"shared_secret", context, 32)
        aead, nonce = _hpke_context(0x0010, shared, info)
        return aead.decrypt(nonce, ciphertext, b"")
    except Exception:
        raise PosternError("tampered", "the sym key does not unwrap") from None


def hpke_seal_xwing(public, plaintext, info):
    shared, encapsulated = xwing.encapsulate(public)
    aead, nonce = _hpke_context(0x647A, shared, info)
    return [encapsulated, aead.encrypt(nonce, plaintext, b"")]


# --- Trees (tree.md) -------------------------------------------------------------------------------------------------


def table_root(rows):
    """TREE-01..03 over {row key of 40 bytes: row hash}."""

    def root(keys):
        if len(keys) == 1:
            return sha256(b"\0" + keys[0] + rows[keys[0]])
        first, last = int.from_bytes(keys[0], "big"), int.from_bytes(keys[-1], "big")
        bit = 320 - (first ^ last).bit_length()
        split = next(i for i, key in enumerate(keys) if int.from_bytes(key, "big") >> (319 - bit) & 1)
        return sha256(b"\x01" + bit.to_bytes(2, "big") + root(keys[:split]) + root(keys[split:]))

    return root(sorted(rows)) if rows else sha256(b"\x02")


def verify_proof(proof, rows, lowest, highest, root):
    """PROOF-01..03: [(key, row hash)], ascending, are all rows from key `lowest` to key `highest` under this root."""
    check(proof is not None, "withheld", "no proof")  # READ-06
    check(isinstance(proof, list) and len(proof) <= 4096, "tampered", "proof")
    nodes, shown, last, gaps = iter(proof), iter(rows), [b""], []

    def leaf(key, row_hash, above):
        fits = all(int.from_bytes(key, "big") >> (319 - bit) & 1 == side for bit, side in above)
        check(fits and key > last[0], "tampered", "a leaf's place in a proof")
        last[0] = key
        return sha256(b"\0" + key + row_hash), key

    def subtree(above):
        """The next subtree's hash, and the key of a leaf in it, None if it is pruned."""
        node = next(nodes, b"")
        if node is None:
            row = next(shown, None)
            check(row is not None, "tampered", "a proof of more rows")
            return leaf(*row, above)
        if isinstance(node, bytes):
            if len(node) == 72:
                gaps.append((node[:40], node[:40]))
                return leaf(node[:40], node[40:], above)
            check(len(node) == 32, "tampered", "a node of a proof")
            return node, None
        check(type(node) is int and (above[-1][0] if above else -1) < node < 320, "tampered", "a bit of a proof")
        (left, in_left), (right, in_right) = subtree(above + [(node, 0)]), subtree(above + [(node, 1)])
        some = in_left or in_right
        check(some, "tampered", "both sides of a node are pruned")
        for side, known in ((0, in_left), (1, in_right)):
            if not known:  # what it can hold: the bits of a leaf beside it up to b, and its side
                rest = 319 - node
                first = (int.from_bytes(some, "big") >> (rest + 1) << 1 | side) << rest
                gaps.append((first.to_bytes(40, "big"), (first | (1 << rest) - 1).to_bytes(40, "big")))
        return sha256(b"\x01" + node.to_bytes(2, "big") + left + right), some

    whole, some = subtree([]) if proof else (sha256(b"\x02"), b"none")
    check(some and next(nodes, "end") == next(shown, "end") == "end", "tampered", "a proof of something else")
    check(whole == root, "tampered", "root of a proof")
    check(all(to < lowest or highest < at for at, to in gaps), "withheld", "rows of a list")


def history_root(leaf_data, number, size, path):
    """RFC 9162 section 2.1.3.2: the root to which the path of this leaf leads, None if it leads nowhere."""
    fn, sn, r = number, size - 1, sha256(b"\0" + leaf_data)
    if not 0 <= number < size:
        return None
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


# --- Pairing (pairing.md) --------------------------------------------------------------------------------------------


def accept_grant(text, certificate_der):
    """PAIR-02, PAIR-03, PAIR-06: what the grant says, and the check code that the owner compares before its use."""
    check(text.startswith("postern-pairing:"), "malformed", "not a grant")
    body = text.strip().removeprefix("postern-pairing:")
    grant = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    fields = dec(grant)
    check(len(fields) == 10 and fields[0] == "postern/1/pairing-grant", "malformed", "not a grant")
    _, owner, device, registration, certificate, origin, edge_key, statement, newest, answers = fields
    check(answers == sha256(certificate_der), "tampered", "another request's grant")
    check(certificate in (None, certificate_der), "tampered", "a certificate for another key")
    code = base64.b32encode(sha256(enc(["postern/1/check-code", certificate_der, grant]))[:10]).decode().lower()
    profile = {"owner": owner, "device": device, "registration": registration, "origin": origin, "edge_key": edge_key}
    return profile, statement, newest, "-".join(code[i : i + 4] for i in range(0, 16, 4))


# --- Epochs and rows (keys.md, rows.md) ------------------------------------------------------------------------------


class Epoch:
    """What derives from one epoch's sym key, and the rows that are sealed under it."""

    def __init__(self, owner, incarnation, epoch, sym_key, commitment):
        self.context = [owner, incarnation, epoch]
        self.prk = mac(sha256(enc(["postern/1/epoch", *self.context])), sym_key)
        check(hmac.compare_digest(self.key("commitment", 0), commitment), "tampered", "commitment")  # KEY-03

    def key(self, purpose, table):
        return expand(self.prk, enc(["postern/1/key", purpose, table]))

    def token(self, table, kind, name):
        """ROW-01"""
        return mac(self.key("token", table), enc(["postern/1/token", kind, name]))

    def _mac(self, *fields):
        return mac(self.key("row-mac", fields[0]), enc(["postern/1/row-mac", *self.context, *fields]))

    def open_row(self, row, table, token=None, number=None):
        """ROW-07: form, place if it is known, MAC, opening, padding: (token, number, encoded plaintext). ROW-10 is the caller's."""
        fields = dec(row)
        check(isinstance(fields, list) and len(fields) == 8 and fields[:2] == [1, table], "tampered", "row")
        check(token is None or fields[2:4] == [token, number], "tampered", "row's place")
        *place, extra, nonce, ciphertext, given = fields[1:]
        check(hmac.compare_digest(self._mac(*place, extra, nonce, ciphertext), given), "tampered", "row's MAC")
        aad = enc(["postern/1/row-aad", *self.context, *place])
        return place[1], place[2], opened(self.key("row-encryption", table), nonce, ciphertext, aad, further=True)

    def seal_row(self, table, token, number, plain):
        """ROW-03, ROW-04, for a local copy (COPY-02); `plain` is encoded."""
        place, nonce = [table, token, number], os.urandom(12)
        aad = enc(["postern/1/row-aad", *self.context, *place])
        ciphertext = AESGCM(self.key("row-encryption", table)).encrypt(nonce, pad(plain), aad)
        return enc([1, *place, None, nonce, ciphertext, self._mac(*place, None, nonce, ciphertext)])


def row_hash(row):
    """ROW-05"""
    return sha256(enc(["postern/1/row-hash", row]))


def row_key(token, number):
    """A row's key in the tree of its table (tree.md)."""
    return token + number.to_bytes(8, "big")


def place_of(epoch, table, token, number, plain):
    """ROW-10: (kind, name) of the list in which a row of a fetched table stands; None for a cover row, which stands anywhere."""
    if plain[0] == "cover":
        return None
    for kind, name, at in _places(plain, number):
        if at == number and epoch.token(table, kind, name) == token:
            return kind, name
    raise PosternError("tampered", "a row's place")


# --- The device ------------------------------------------------------------------------------------------------------


class Device:
    """A logged-in device. `memory` is what must survive the process (HEAD-03, STMT-02, INBOX-09)."""

    def __init__(self, profile, private_key, memory, save):
        self.__dict__.update(profile)
        self.profile, self.key, self.memory, self.save = profile, private_key, memory, save
        self.spki = private_key.public_key().public_bytes(*SPKI)
        url = urlsplit(self.origin)
        self.base = f"{url.path}/v1/{self.owner.hex()}"
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(url.netloc, timeout=30)
        self.number = 0

    # Session (session.md)

    def exchange(self, method, target, headers, body):
        """One request, one answer: status, headers, body. Follows nothing and reads no more than the limit."""
        try:
            self.connection.request(method, target, body or None, headers)
            answer = self.connection.getresponse()
            data = answer.read(BODY_LIMIT + 1)
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise PosternError("network", str(error)) from None
        check(len(data) <= BODY_LIMIT, "too_large", "answer")
        return answer, data

    def unsigned(self, path):
        answer, data = self.exchange("GET", self.base + path, {}, b"")
        check(answer.status == 200, "unauthorized" if answer.status == 401 else "network", str(answer.status))
        return dec(data)

    def login(self):
        """SESS-01 to SESS-08."""
        challenge = self.unsigned("/challenge")["challenge"]
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes(*RAW)
        transcript = enc(
            ["postern/1/login", 1, self.owner, self.origin, self.edge_key, challenge, public, self.device, None]
        )
        fields = {"device": self.device, "ephemeral": public, "challenge": challenge}
        seen = {"seen": self.memory["head"][0]} if self.memory.get("head") else {}  # READ-07
        body = enc({**fields, "signature": sign(self.key, transcript), **seen})
        answer, data = self.exchange("POST", self.base + "/login", {"content-type": "application/cbor"}, body)
        check(answer.status == 200, "unauthorized" if answer.status == 401 else "network", str(answer.status))
        values = dec(data)
        try:  # cryptography refuses a result of zeros by itself (SESS-05)
            shared = b"".join(
                ephemeral.exchange(X25519PublicKey.from_public_bytes(key)) for key in (values["ephemeral"], self.edge_key)
            )
        except ValueError:
            raise PosternError("tampered", "key of the edge") from None
        prk = mac(sha256(enc(["postern/1/login-salt", transcript, values["ephemeral"]])), shared)
        self.c2s = expand(prk, enc(["postern/1/session-key", "c2s"]))
        self.s2c = expand(prk, enc(["postern/1/session-key", "s2c"]))
        self.verify_answer(answer, data, 0, None)
        self.session, self.number = values["session"], 0
        self.clock = (values["time"], time.monotonic())
        check(None not in (values["statement"], values["head"], values["record"]), "withheld", "the state")
        self.take_state(values)
        if self.is_fresh():
            self.send_unsent()

    def now(self):
        """The edge's time in milliseconds, counted on (SESS-11)."""
        return self.clock[0] + int((time.monotonic() - self.clock[1]) * 1000)

    def request(self, method, path, query="", body=b""):
        """SESS-09 to SESS-13: signs the request, verifies the answer, and gives its body decoded."""
        self.number += 1
        digest = _digest(body)
        covered = '("@method" "@path" "@query" "content-digest" "postern-session")'
        params = f'{covered};created={self.now() // 1000};nonce="C-{self.number}";alg="hmac-sha256"'
        lines = [
            f'"@method": {method}',
            f'"@path": {self.base}{path}',
            f'"@query": ?{query}',
            f'"content-digest": {digest}',
            f'"postern-session": {self.session}',
            f'"@signature-params": {params}',
        ]
        signature = f":{_b64(mac(self.c2s, chr(10).join(lines).encode()))}:"
        headers = {
            "content-digest": digest,
            "postern-session": self.session,
            "signature-input": f"postern={params}",
            "signature": f"postern={signature}",
        }
        if body:
            headers["content-type"] = "application/cbor"
        target = self.base + path + (f"?{query}" if query else "")
        answer, data = self.exchange(method, target, headers, body)
        if answer.getheader("signature") is None:
            raise PosternError("unauthorized" if answer.status == 401 else "network", str(answer.status))
        self.verify_answer(answer, data, self.number, signature)
        if answer.status != 200:
            raise PosternError(_problem_code(data), str(answer.status))
        return dec(data)

    def verify_answer(self, answer, data, number, request_signature):
        digest = _digest(data)
        check(answer.getheader("content-digest") == digest, "tampered", "digest")
        given = answer.getheader("signature-input") or ""
        created = given.partition(";created=")[2].partition(";")[0]
        bound = '' if request_signature is None else ' "signature";req;key="postern"'
        params = f'("@status" "content-digest"{bound});created={created};nonce="S-{number}";alg="hmac-sha256"'
        check(created.isdigit() and given == f"postern={params}", "tampered", "signature-input")
        lines = [f'"@status": {answer.status}', f'"content-digest": {digest}']
        if request_signature is not None:
            lines.append(f'"signature";req;key="postern": {request_signature}')
        lines.append(f'"@signature-params": {params}')
        expected = f"postern=:{_b64(mac(self.s2c, chr(10).join(lines).encode()))}:"
        check(hmac.compare_digest(expected, answer.getheader("signature") or ""), "tampered", "signature")

    # Statement, head, record (head.md, wrapping.md)

    def take_state(self, values):
        """SESS-08, in its order; remembers durably before anything is relied on."""
        self.take_statement(values["statement"])
        self.take_head(values["head"], values["history"])
        self.take_record(values["record"])

    def take_statement(self, signed):
        root, statement, signature = dec(signed)
        check(sha256(root) == self.owner, "tampered", "root certificate")
        certificate = x509.load_der_x509_certificate(root)
        check(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, "tampered", "not a CA")
        verify(certificate.public_key().public_bytes(*SPKI), signature, statement)
        label, owner, number, incarnation, manager, inbox, _recovery, edges, _time, _base = dec(statement)
        check(label == "postern/1/statement" and owner == self.owner, "tampered", "statement")
        known = self.memory["statement"]
        check(number >= known[0], "rolled_back", "statement")
        check(number > known[0] or sha256(signed) == known[1], "forked", "statement")
        confirmed = self.memory.setdefault("incarnation", incarnation)
        check(incarnation == confirmed, "restored", "the user has to confirm")
        check([self.origin, self.edge_key] in edges, "untrusted", "this edge is not of the owner's")  # STMT-04
        self.memory["statement"] = [number, sha256(signed)]
        self.save(self.memory)
        self.incarnation, self.manager_key, self.inbox_key = incarnation, manager, inbox

    def fetch_state(self):
        """The newest state, judged as at login; `seen` is what it has to build on (READ-07)."""
        seen = f"seen={self.memory['head'][0]}" if self.memory.get("head") else ""
        self.take_state(self.request("GET", "/record", seen))

    def read_head(self, signed):
        """HEAD-01, HEAD-02: the fields of a head under the newest statement, without its label, and its hash."""
        head, signature = dec(signed)
        verify(self.manager_key, signature, head)
        fields = dec(head)
        check(len(fields) == 16 and fields[0] == "postern/1/head", "tampered", "head")
        owner, statement, incarnation = fields[1:4]
        check([owner, incarnation] == [self.owner, self.incarnation], "tampered", "head of another owner")
        known = self.memory["statement"]
        check(statement[0] >= known[0], "rolled_back", "statement of the head")
        check(statement[0] <= known[0], "withheld", "statement of the head")
        check(statement == known, "tampered", "statement of the head")
        return fields[1:], sha256(enc(["postern/1/head-hash", head]))

    def head_with_history(self, generation):
        """The newest head, its path from that generation, unverified, and its history as [size, root] (HEAD-09)."""
        for _ in range(5):
            self.fetch_state()
            values = self.request("GET", "/head", f"seen={generation}")
            if values["head"] == self.signed_head:
                return values["head"], values["history"], self.read_head(values["head"])[0][7]
        raise PosternError("network", "the state does not come to rest")

    def take_head(self, signed, path):
        """HEAD-03, HEAD-04, READ-07."""
        fields, hash_ = self.read_head(signed)
        _, statement, _, epoch, commitment, generation, previous, (size, root), tables, made, due, acks = fields[:12]
        known = self.memory.get("head")  # [generation, hash], and where a head was seen [.., epoch, statement, time]
        if known:
            check(generation >= known[0], "rolled_back", "head")
            check(generation > known[0] or hash_ == known[1], "forked", "head")
            check(generation != known[0] + 1 or previous == known[1], "forked", "previous")
        if known and generation > known[0]:  # TREE-06
            check(isinstance(path, list), "withheld", "how the head builds on the one before")
            number = size - (generation - known[0])
            check(history_root(known[1], number, size, path) == root, "forked", "history")
        if known and len(known) > 2:
            check(epoch >= known[2] and (made >= known[4] or statement[0] > known[3]), "rolled_back", "epoch or time")
        for device, stream, number, acknowledged in acks:  # INBOX-09
            mine = self.memory["streams"].get(stream.hex()) if device == self.device else None
            if mine is not None:  # of a stream from before the memory was lost, nothing can be said
                check(number <= len(mine) and mine[number - 1] == acknowledged, "forked", "acknowledgement")
        self.memory["head"] = [generation, hash_, epoch, statement[0], made]
        self.save(self.memory)
        self.generation, self.epoch, self.commitment, self.made, self.due = generation, epoch, commitment, made, due
        self.signed_head, self.head_hash, self.sealed = signed, hash_, fields[14]
        self.tables = {number: (count, root) for number, count, root in tables}
        self.acks = {(stream, number) for device, stream, number, _ in acks if device == self.device}

    def take_record(self, record):
        """The epoch of the newest head, and what that head says under its keys."""
        self.at = self.open_record(record, self.epoch, self.commitment)
        nonce, ciphertext = self.sealed
        aad = enc(["postern/1/head-sealed", self.owner, self.incarnation, self.epoch, self.generation])
        secrets = dec(opened(self.at.key("head", 0), nonce, ciphertext, aad)) + [None] * 3
        self.content_root, self.alarm, self.listed = secrets[:3]  # HEAD-07, HEAD-12; later versions append

    def open_record(self, record, epoch, commitment):
        """Unwraps the sym key, checks the commitment before any other use (KEY-03), then the row (ROW-07)."""
        _version, table, _token, _number, extra, *_rest = dec(record)
        check(table == 1 and extra, "tampered", "record")
        device, registration, public_key, suite, encapsulated, wrapped = extra
        mine = [self.device, self.registration, self.spki, "p256"]
        check([device, registration, public_key, suite] == mine, "tampered", "record of another")  # WRAP-02
        info = enc(["postern/1/wrap", self.owner, self.incarnation, epoch, self.device, suite])
        sym_key = hpke_open_p256(self.key, encapsulated, wrapped, info)
        at = Epoch(self.owner, self.incarnation, epoch, sym_key, commitment)
        plain = dec(at.open_row(record, 1, at.token(1, "device", self.device), 0)[2])
        check(plain[0] == "device" and plain[1:3] == mine[:2] and plain[4] == self.spki, "tampered", "record's place")
        return at

    def reopened(self, signed, devices):
        """COPY-04: an earlier head of this device's memory, and its epoch by this device's row among those of the devices."""
        fields, hash_ = self.read_head(signed)
        incarnation, epoch, commitment, generation, tables = fields[2], fields[3], fields[4], fields[5], fields[8]
        newest = self.memory["head"]
        check(generation < newest[0] or hash_ == newest[1], "tampered", "a copy of another head")
        record = next((row for row in devices if dec(row)[4][0] == self.device), None)
        check(record is not None, "tampered", "a copy without this device")
        at = self.open_record(record, epoch, commitment)
        states = {number: [count, root] for number, count, root in tables}
        return {"incarnation": incarnation, "epoch": epoch, "generation": generation, "hash": hash_, "at": at, "tables": states}

    # Reading (rows.md, reading.md)

    def open_row(self, row, table, token, number):
        """The plaintext of a row that was asked for by its place."""
        return dec(self.at.open_row(row, table, token, number)[2])

    def read(self, path, query):
        """A request whose answer names generation and epoch; takes a newer state first (READ-04, READ-05)."""
        for _ in range(5):
            asked, before = self.generation, self.epoch
            try:
                values = self.request("GET", path, query())
            except PosternError as error:
                if error.code != "epoch_gone":
                    raise
                values = None
            check(values is None or values["generation"] >= asked, "rolled_back", "answer")
            if values and values["generation"] == asked and values["epoch"] == before:
                return values
            self.fetch_state()
        raise PosternError("network", "the state does not come to rest")

    def list(self, table, kind, name, order="from=0", limit=100):
        """The rows of one list as (number, plaintext), and whether there may be more. Proven: READ-06, READ-09. Cover rows among them."""
        at = TABLES[table]
        token = lambda: self.at.token(at, kind, name)
        query = lambda: f"epoch={self.epoch}&token={token().hex()}&{order}&limit={limit}&proof=1"
        values = self.read(f"/rows/{table}", query)
        rows, more = values["rows"], values["more"]
        found = [(dec(row)[3], self.open_row(row, at, token(), dec(row)[3])) for row in rows]
        key = lambda number: row_key(token(), number)
        covers = any(plain[0] == "cover" for _, plain in found)
        check(not covers or kind in ("cover", "subject", "channels", "channel"), "tampered", "a cover row's place")  # ROW-13
        pairs = [(key(number), row_hash(row)) for (number, _), row in zip(found, rows)]
        keys, (way, _, bound) = [pair[0] for pair in pairs], order.partition("=")
        check(len(rows) <= limit and (rows or not more), "tampered", "more rows to come")
        if way == "from":
            lowest, highest = key(int(bound)), keys[-1] if more else key(2**64 - 1)
        else:
            lowest, highest = keys[-1] if more else key(0), key(int(bound) - 1)
            pairs.reverse()
            keys.reverse()
        rises = all(a < b for a, b in zip(keys, keys[1:]))
        check(rises and all(lowest <= one <= highest for one in keys), "tampered", "rows out of order")
        verify_proof(values["proof"], pairs, lowest, highest, self.tables[at][1])
        return found, more

    def whole_list(self, table, kind, name, start=0):
        """A list from a number on to its end."""
        found, more = [], True
        while more:
            page, more = self.list(table, kind, name, f"from={found[-1][0] + 1 if found else start}")
            found += page
        return found

    def certificates_by_subject(self, name):
        """(DER, status) of the certificates with this canonical name; status 1 alone is usable (ROW-08)."""
        found = []
        for _, plain in self.whole_list("certificates", "subject", name):
            if plain[0] == "cover":
                continue
            same = plain[0] == "certificate" and names.subject(plain[1]) == name
            check(same, "tampered", "a certificate of another subject")
            found.append((plain[1], plain[2]))
        return found

    def certificate(self, fingerprint):
        """(DER, status) of the certificate with this fingerprint; None when it is proven that there is none."""
        rows = self.whole_list("certificates", "fingerprint", fingerprint)
        check([number for number, _ in rows] in ([], [0]), "tampered", "several rows where there is one")
        for _, plain in rows:
            check(plain[0] == "certificate" and sha256(plain[1]) == fingerprint, "tampered", "another certificate")
            return plain[1], plain[2]

    def newest_messages(self, channel, limit=20):
        found, before, more = [], 2**53 - 1, True
        while more and len(found) < limit:
            rows, more = self.list("messages", "channel", channel, f"before={before}", limit)
            for before, plain in rows:
                if plain[0] == "cover":
                    continue  # ROW-13: a page may consist of nothing else
                check(plain[0] == "message" and plain[2:4] == [channel, before], "tampered", "a message's place")
                found.append(plain)
        return found[:limit]

    def message_bytes(self, plain):
        """The whole message, of which ROW-09 checks count, order, size and SHA-256."""
        _, id_, _, _, _, _, _, size, hash_, _, count, inline = plain
        whole, index = inline, 0
        if inline is None:
            whole = b""
            while index < count:
                rows, _more = self.list("messages", "message", id_, f"from={index}")
                check(rows, "withheld", "parts of a message")
                for number, part in rows:
                    check(number == index and part[:3] == ["part", id_, index], "tampered", "a part's place")
                    whole, index = whole + part[3], index + 1
        check(index == count and len(whole) == size and sha256(whole) == hash_, "tampered", "message")
        return whole

    def whole_table(self, table):
        """TREE-04: every row of a table by its key, its root and its count those of the head."""
        for _ in range(5):
            generation, found, after = self.generation, {}, b""
            while True:
                query = lambda: f"epoch={self.epoch}&at={self.generation}" + (after and f"&after={after.hex()}" or "")
                values = self.read(f"/tables/{table}", query)
                if self.generation != generation:
                    break  # begin again, as of the newer head
                for row in values["rows"]:
                    key = self.key_of(TABLES[table], row)
                    check(key > after, "tampered", "order of rows")
                    found[key], after = row, key
                if values["next"] is None:
                    self.check_table(TABLES[table], found)
                    return found
                check(values["next"] == after, "tampered", "next")  # READ-08
        raise PosternError("network", "the state does not come to rest")

    def key_of(self, table, row):
        """The key of a row of a fetched table, of which every check passed (ROW-07, ROW-10)."""
        token, number, plain = self.at.open_row(row, table)
        place_of(self.at, table, token, number, dec(plain))
        return row_key(token, number)

    def check_table(self, table, rows):
        """TREE-04, over {row key: row}"""
        count, root = self.tables[table]
        check(len(rows) >= count, "withheld", "rows of a table")
        check(len(rows) == count, "tampered", "more rows than there are")
        check(table_root({key: row_hash(row) for key, row in rows.items()}) == root, "tampered", "root of a table")

    # Handing in (inbox.md)

    def submit(self, payload, with_copy=False, parts=(), part_key=None):
        """One submission in the device's stream; gives (stream, number), which a head acknowledges later."""
        self.fetch_state()  # INBOX-03: sealed with the epoch and keys of this moment
        check(self.is_fresh(), "stale" if time.time() * 1000 > self.due else "clock", "no head to seal under")
        self.send_unsent()  # INBOX-09: before what follows it
        stream = bytes.fromhex(self.memory.setdefault("stream", os.urandom(16).hex()))
        hashes_ = self.memory["streams"].setdefault(stream.hex(), [])
        number, plain = len(hashes_) + 1, pad(enc(payload))
        sealed_parts = [self.seal_part(part_key, part, stream, number, at, len(parts)) for at, part in enumerate(parts)]
        info = enc(["postern/1/inbox-seal", self.owner, self.incarnation, self.device, stream, number])
        sealed = hpke_seal_xwing(self.inbox_key, plain, info)
        copy = None
        if with_copy:
            nonce = os.urandom(12)
            context = [self.owner, self.incarnation, self.epoch, self.device, stream, number]
            copy = [nonce, AESGCM(self.at.key("inbox-copy", 0)).encrypt(nonce, plain, enc(["postern/1/inbox-copy", *context]))]
        submission = enc([
            "postern/1/submission", self.owner, self.incarnation, self.device, stream, number,
            hashes_[-1] if hashes_ else None, self.memory["statement"][0], self.epoch, self.memory["head"][:2],
            self.now(), sealed, [[sha256(part), len(part)] for part in sealed_parts], copy,
        ])  # fmt: skip
        signed = enc([submission, sign(self.key, submission)])
        hashes_.append(sha256(enc(["postern/1/submission-hash", submission])))
        self.memory["unsent"] = [signed, sealed_parts]  # the same bytes again after a crash, never others under that number
        self.save(self.memory)
        self.send_unsent()
        return stream, number

    def is_fresh(self):
        """HEAD-04: neither overdue (`stale`) nor from the future (`clock`), by this device's clock."""
        now = time.time() * 1000
        return self.made - 600_000 <= now <= self.due + 120_000

    def send_unsent(self):
        """INBOX-05: the same bytes twice have no effect; INBOX-04: parts go first."""
        if "unsent" in self.memory:
            signed, parts = self.memory["unsent"]
            for part in parts:
                self.request("PUT", f"/inbox/parts/{sha256(part).hex()}", "", enc({"part": part}))
            self.request("POST", "/inbox", "", enc({"submission": signed}))
            del self.memory["unsent"]
            self.save(self.memory)

    def submit_certificate(self, der, note=""):
        return self.submit(["certificate", der, note], True)

    def submit_message(self, channel, data, date=None):
        """INBOX-02: inline up to 65,536 bytes, larger ones in parts."""
        check(len(data) <= 26_214_400, "too_large", "message")
        about = ["message", channel, date, len(data), sha256(data)]
        if len(data) <= 65_536:
            return self.submit([*about, data, None])
        key, parts = os.urandom(32), [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
        return self.submit([*about, None, key], parts=parts, part_key=key)

    def seal_part(self, key, part, stream, number, index, count):
        aad = enc(["postern/1/inbox-part", self.owner, self.device, stream, number, index, count])
        return AESGCM(key).encrypt(index.to_bytes(12, "big"), pad(part), aad)

    def receipt(self, stream, number):
        """(outcome, text) of the manager's receipt for a submission, None while there is none (ROW-14)."""
        rows, _ = self.list("messages", "receipt", self.device + stream, f"from={number}", 1)
        for at, plain in rows:
            if at == number:
                mine = [self.device, stream, number, self.memory["streams"][stream.hex()][number - 1]]
                check(plain[0] == "receipt" and plain[1:5] == mine, "tampered", "a receipt for something else")
                return plain[5], plain[6]
        return None

    def is_acknowledged(self, stream, number):
        """Whether the newest head takes this submission over (INBOX-09)."""
        self.fetch_state()
        return any(of == stream and upto >= number for of, upto in self.acks)


def _places(plain, number):
    """ROW-10: the lists and numbers at which a plaintext may stand. Certificates in a subject list have any number."""
    if plain[0] == "certificate":
        return [("fingerprint", sha256(plain[1]), 0), ("subject", names.subject(plain[1]), number)]
    return {
        "device": lambda: [("device", plain[1], 0)],
        "channel": lambda: [("channels", "", number)],
        "message": lambda: [("channel", plain[2], plain[3])],
        "part": lambda: [("message", plain[1], plain[2])],
        "receipt": lambda: [("receipt", plain[1] + plain[2], plain[3])],
        "changes": lambda: [("generations", "", plain[1])],
    }[plain[0]]()


def _b64(data):
    return base64.b64encode(data).decode()


def _digest(body):
    return f"sha-256=:{_b64(sha256(body))}:"


def _problem_code(data):
    try:
        return str(json.loads(data)["code"])
    except (ValueError, KeyError, TypeError):
        return "network"
