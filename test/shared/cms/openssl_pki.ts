/** A publisher's certificates made by OpenSSL alone, in a folder where its commands run. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { type Certificate, readCertificate } from "../../../shared/x509/certificate.ts";
import { readPem } from "../../../shared/x509/pem.ts";
import { OpensslFolder } from "../x509/openssl_folder.ts";

const KEYS: Readonly<Record<string, readonly string[]>> = {
  rsa: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
  pss: ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
  weak: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
  p256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  p521: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
  ed25519: ["-algorithm", "ED25519"],
};

export const CODE_SIGNING =
  "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nbasicConstraints=critical,CA:FALSE\n";
export const AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";

/** How a certificate is made; it is `NAME.pem`, its key `NAME.key`. */
export interface Issue {
  readonly key: keyof typeof KEYS | string;
  /** The name of the issuer; itself if there is none. */
  readonly by?: string;
  readonly extensions?: string;
  readonly options?: readonly string[];
  readonly subject?: string;
}

export class OpensslPki extends OpensslFolder {
  static override async make(): Promise<OpensslPki> {
    return new OpensslPki(await Deno.makeTempDir({ prefix: "postern-openssl-" }));
  }

  /** @throws whatever OpenSSL says */
  async issue(
    name: string,
    { key, by, extensions = CODE_SIGNING, options = [], subject }: Issue,
  ): Promise<Certificate> {
    await this.run("genpkey", ...KEYS[key] ?? [], "-out", `${name}.key`);
    await this.write(`${name}.ext`, `${extensions}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`);
    const dn = subject ?? `/O=Publisher/CN=${name}`;
    await this.run("req", "-new", "-key", `${name}.key`, "-subj", dn, "-out", `${name}.csr`);
    const issuer = by === undefined ? ["-signkey", `${name}.key`] : ["-CA", `${by}.pem`, "-CAkey", `${by}.key`];
    const x509 = ["x509", "-req", "-in", `${name}.csr`, "-days", "9", "-extfile", `${name}.ext`, "-out", `${name}.pem`];
    await this.run(...x509, ...issuer, ...options);
    return await this.certificate(name);
  }

  async certificate(name: string): Promise<Certificate> {
    const [block] = readPem(new TextDecoder().decode(await this.read(`${name}.pem`)));
    return readCertificate(block?.bytes ?? new Uint8Array(0));
  }

  /** `openssl cms -sign` of `manifest.json`, with exactly these options behind the signer's; returns the file. */
  async sign(name: string, ...options: readonly string[]): Promise<Bytes> {
    await this.run(
      ...["cms", "-sign", "-in", "manifest.json", "-out", "manifest.json.sig", "-signer", `${name}.pem`],
      ...["-inkey", `${name}.key`, ...options],
    );
    return await this.read("manifest.json.sig");
  }
}
