"""What the test runs.  main.py code FOLDER  prints the check code;  main.py turn FOLDER  does one of everything;
main.py copy FOLDER HEAD…  brings the local copy forward and compares heads;  main.py proofs FILE  and  main.py names FILE
check tree.json and names.json of shared/spec/vectors.

FOLDER has key.pem, cert.pem, grant.txt, subject.pem (a certificate whose subject is looked up), new.pem (one to hand in),
letter.eml and long.eml; memory.cbor and copy.cbor are kept there. Answers are one JSON object."""

import json
import os
import sys
import time

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import names
from comparing import compare_head, head_code, head_text
from local_copy import LocalCopy
from postern import PosternError, accept_grant, dec, Device, history_root, sha256, verify_proof


def main(command, folder, *heads):
    def file(name):
        with open(os.path.join(folder, name), "rb") as opened:
            return opened.read()

    def kept(name):
        try:
            return cbor2.loads(file(name))
        except FileNotFoundError:
            return None

    def keep(name, value):
        """Replaced as a whole, durably (docs/clients.md, What to remember)."""
        path = os.path.join(folder, name)
        with open(path + ".new", "wb") as opened:
            opened.write(cbor2.dumps(value))
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(path + ".new", path)

    def der(name):
        return x509.load_pem_x509_certificate(file(name)).public_bytes(serialization.Encoding.DER)

    profile, statement, newest, code = accept_grant(file("grant.txt").decode(), der("cert.pem"))
    if command == "code":
        return {"checkCode": code}
    memory = kept("memory.cbor") or {"statement": statement, "head": newest, "streams": {}}
    key = serialization.load_pem_private_key(file("key.pem"), None)
    device = Device(profile, key, memory, lambda memory: keep("memory.cbor", memory))
    device.login()
    copy = LocalCopy(device, kept("copy.cbor"), lambda value: keep("copy.cbor", value))
    copy.sync()
    state = {"generation": device.generation, "copy": copy.how, "code": head_code(device), "text": head_text(device)}
    if command == "copy":
        return {**state, "agrees": [compare_head(device, head) for head in heads]}
    messages = device.newest_messages("inbox")
    result = {
        **state,
        "found": [[found.hex(), status] for found, status in device.certificates_by_subject(names.subject(der("subject.pem")))],
        "absent": device.certificate(sha256(b"no certificate")) is None,
        "messages": [[plain[9][2], device.message_bytes(plain).hex()] for plain in messages],
        "rows": {name: len(device.whole_table(name)) for name in ("devices", "certificates", "messages")},
    }
    sent = [
        device.submit_certificate(der("new.pem")),
        device.submit_message("outbox", file("letter.eml")),
        device.submit_message("outbox", file("long.eml")),
    ]
    deadline = time.monotonic() + 60
    while not all(device.is_acknowledged(*one) for one in sent):
        if time.monotonic() > deadline:
            raise PosternError("withheld", "no acknowledgement within a minute")
        time.sleep(0.5)
    return {**result, "receipts": [device.receipt(*one) for one in sent]}


def proofs(path):
    """What holds is accepted, and with a node, a hash or a row left out it is not."""
    with open(path) as opened:
        steps = {step["name"]: step for step in json.load(opened)["steps"]}
    of = bytes.fromhex
    accepted = missed = 0
    for name, step in steps.items():
        if not name.startswith("proof "):
            continue
        given, proof = step["inputs"], dec(of(step["outputs"]["encoded"]))
        rows = [(of(row["key"]), of(row["rowHash"])) for row in given["rows"]]
        range_ = [of(given["lowest"]), of(given["highest"]), of(given["root"])]
        verify_proof(proof, rows, *range_)
        accepted += 1
        damaged = [(proof[:i] + proof[i + 1 :], rows) for i in range(len(proof))]
        damaged += [(proof, rows[:i] + rows[i + 1 :]) for i in range(len(rows))]
        damaged += [([row[0] + row[1] if node is None else node for node in proof], []) for row in rows[:1]]
        for nodes, shown in damaged:
            try:
                verify_proof(nodes, shown, *range_)
                missed += 1
            except PosternError:
                pass
    heads = [of(hash_) for hash_ in steps["history tree"]["inputs"]["headHashes"]]
    root = of(steps["history tree"]["outputs"]["rootsBySize"][-1])
    paths = [[of(hash_) for hash_ in path] for path in steps["paths in the history"]["outputs"]["pathsByNumber"]]
    for number, path in enumerate(paths):
        results = [history_root(heads[number], at, len(heads), path) == root for at in range(len(heads))]
        accepted += results == [at == number for at in range(len(heads))]
    return {"accepted": accepted, "missed": missed}


def canonical_names(path):
    """Which names of the example come out otherwise than it says."""
    with open(path) as opened:
        steps = json.load(opened)["steps"]
    of = bytes.fromhex
    other = [s["name"] for s in steps if names.canonical(of(s["inputs"]["der"])).encode() != of(s["outputs"]["utf8"])]
    return {"checked": len(steps), "other": other}


if __name__ == "__main__":
    commands = {"proofs": proofs, "names": canonical_names}
    try:
        print(json.dumps(commands[sys.argv[1]](sys.argv[2]) if sys.argv[1] in commands else main(*sys.argv[1:])))
    except PosternError as error:
        print(json.dumps({"error": error.code, "text": str(error)}))
        sys.exit(1)
