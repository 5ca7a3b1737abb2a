"""What the test runs.  main.py code FOLDER  prints the check code;  main.py turn FOLDER  does one of everything.

FOLDER has key.pem, cert.pem, grant.txt, subject.txt (a PEM certificate whose subject is looked up), new.pem (one to
hand in) and letter.eml; memory.cbor is kept there. Answers are one JSON object."""

import json
import os
import sys
import time

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from postern import PosternError, accept_grant, Device


def main(command, folder):
    def file(name):
        with open(os.path.join(folder, name), "rb") as opened:
            return opened.read()

    def save(memory):
        """Replaced as a whole, durably (docs/clients.md, What to remember)."""
        path = os.path.join(folder, "memory.cbor")
        with open(path + ".new", "wb") as opened:
            opened.write(cbor2.dumps(memory))
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(path + ".new", path)

    def der(name):
        return x509.load_pem_x509_certificate(file(name)).public_bytes(serialization.Encoding.DER)

    profile, statement, newest, code = accept_grant(file("grant.txt").decode(), der("cert.pem"))
    if command == "code":
        return {"checkCode": code}
    try:
        memory = cbor2.loads(file("memory.cbor"))
    except FileNotFoundError:
        memory = {"statement": statement, "head": newest, "streams": {}}
    key = serialization.load_pem_private_key(file("key.pem"), None)
    device = Device(profile, key, memory, save)
    device.login()
    wanted = x509.load_pem_x509_certificate(file("subject.pem")).subject
    messages = device.newest_messages("inbox")
    result = {
        "generation": device.generation,
        "found": [[found.hex(), status] for found, status in device.certificates_by_subject(wanted)],
        "messages": [[plain[9][2], device.message_bytes(plain).hex()] for plain in messages],
        "rows": {name: len(device.whole_table(name)) for name in ("devices", "certificates", "messages")},
    }
    sent = [device.submit_certificate(der("new.pem")), device.submit_message("outbox", file("letter.eml"))]
    deadline = time.monotonic() + 60
    while not all(device.is_acknowledged(*one) for one in sent):
        if time.monotonic() > deadline:
            raise PosternError("withheld", "no acknowledgement within a minute")
        time.sleep(0.5)
    return {**result, "acknowledged": len(sent)}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except PosternError as error:
        print(json.dumps({"error": error.code, "text": str(error)}))
        sys.exit(1)
