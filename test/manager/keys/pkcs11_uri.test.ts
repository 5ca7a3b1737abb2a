import { parsePkcs11Uri } from "../../../manager/keys/pkcs11_uri.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

Deno.test("parsePkcs11Uri() reads a key's place, and takes nothing else", () => {
  const place = { token: "my token", object: "kek", library: "/usr/lib/x.so" };
  assertEquals(parsePkcs11Uri("pkcs11:token=my%20token;object=kek?module-path=/usr/lib/x.so"), place);
  assertEquals(parsePkcs11Uri("pkcs11:object=kek;token=my%20token?module-path=%2Fusr%2Flib%2Fx.so"), place);
  const bad = [
    ...["", "pkcs11:", "pkcs11:token=t;object=o", "pkcs11:token=t?module-path=/x", "token=t;object=o?module-path=/x"],
    "pkcs11:token=t;object=o?module-path=x.so",
    "pkcs11:token=t;token=t;object=o?module-path=/x",
    "pkcs11:token=t;object=o?module-path=/x&pin-value=1234",
    "pkcs11:token=%;object=o?module-path=/x",
    `pkcs11:token=t;object=o?module-path=/${"x".repeat(1_024)}`,
  ];
  for (const uri of bad) assertThrows(() => parsePkcs11Uri(uri), "usage");
});
