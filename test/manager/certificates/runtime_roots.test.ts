import { rootCertificates } from "node:tls";
import { assert, assertEquals } from "../../assert.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { runtimeRoots } from "../../../manager/certificates/runtime_roots.ts";

Deno.test("runtimeRoots() yields every bundled root, each an authority and each once", () => {
  const roots = Array.from(runtimeRoots("bundled"), (found) => {
    assert("der" in found, found.source);
    return readCertificate(found.der);
  });
  assertEquals(roots.length, rootCertificates.length);
  assert(roots.length > 100, `only ${roots.length}`);
  assert(roots.every(({ isCa }) => isCa));
  assertEquals(new Set(roots.map(({ fingerprint }) => toHex(fingerprint))).size, roots.length);
});

Deno.test("runtimeRoots() yields what the system trusts, in the same form", () => {
  for (const found of runtimeRoots("system")) {
    assert("der" in found && found.source.startsWith("system root "), found.source);
  }
});
