/** The root certificates that the runtime trusts for TLS. */
import { getCACertificates } from "node:tls";
import { readPem } from "../../shared/x509/pem.ts";
import type { FoundCertificate } from "./file_content.ts";

/** `bundled` came with the runtime (Mozilla's list); `system` is what this machine's administrator installed. */
export type RootStore = "bundled" | "system";

/** Yields the roots of a store as an import would find them in a file. */
export function* runtimeRoots(store: RootStore): Generator<FoundCertificate> {
  let number = 0;
  for (const text of getCACertificates(store)) {
    number++;
    for (const { bytes } of readPem(text)) yield { source: `${store} root ${number}`, der: bytes };
  }
}
