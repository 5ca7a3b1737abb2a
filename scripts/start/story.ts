/** One full turn of the main job: fill, push, read as a device, hand in, take over. */
import type { Bytes } from "../../shared/bytes/bytes.ts";
import { utf8 } from "../../shared/bytes/bytes.ts";
import { runtimeSurroundings } from "../../shared/client/mod.ts";
import { webCryptoRandom } from "../../shared/crypto/random.ts";
import { exportSpki, generateSigningKey } from "../../shared/crypto/signature.ts";
import type { Database } from "../../shared/database/database.ts";
import { displayDn } from "../../shared/x509/dn.ts";
import { issueRoot } from "../../shared/x509/issue.ts";
import { cryptoKeySigner } from "../../shared/x509/write_certificate.ts";
import { importCertificates } from "../../manager/certificates/import.ts";
import { listCertificates } from "../../manager/certificates/repository.ts";
import { runtimeRoots } from "../../manager/certificates/runtime_roots.ts";
import { turnLine } from "../../manager/cli/texts/turn.ts";
import { readMailbox } from "../../manager/mail/mailbox.ts";
import { importMail } from "../../manager/messages/import.ts";
import { runTurn, type TurnDone } from "../../manager/service/turn.ts";
import type { OpenDevice } from "./device.ts";
import type { Teller } from "./teller.ts";

/** Who takes part. */
export interface Cast {
  readonly db: Database;
  readonly managerFolder: string;
  readonly device: OpenDevice;
  readonly teller: Teller;
}

/** What the summary says of the device's part. */
export interface Story {
  readonly verified: boolean;
  readonly rows: { readonly devices: number; readonly certificates: number; readonly messages: number };
  readonly lookups: number;
  readonly submissions: { readonly sent: number; readonly taken: number };
}

const HOUR_MILLIS = 3_600_000;
const LOCK_WAIT_MILLIS = 10_000;

/** The runtime's roots at every start, since one may have been cut off or the runtime be newer; a mailbox when one is named. */
export async function fill({ db, teller }: Cast, mail: string | null): Promise<void> {
  const roots = await importCertificates(db, runtimeRoots("bundled"), {
    ...{ isTrusted: true, origin: "runtime", note: "", review: "untrusted" },
    onProgress: (done) => teller.progress("manager", `importing root certificates: ${done}`),
  }, Date.now());
  if (roots.usable > 0) {
    teller.tell(
      "manager",
      `imported ${roots.usable} root certificates of this runtime, which vouch for others from now on`,
    );
  }
  if (mail === null) return;
  const imported = await importMail(
    db,
    readMailbox(mail),
    {
      defaultChannel: "inbox",
      onProgress: (done) => teller.progress("manager", `importing mail: ${done}`),
    },
    () => Date.now(),
    webCryptoRandom,
  );
  const known = imported.known === 0 ? "" : `, ${imported.known} were here before`;
  teller.tell("manager", `imported ${imported.added} messages from ${mail}${known}`);
  for (const { source, error } of imported.problems) {
    teller.tell("manager", `  passed over ${source}: ${error.message}`);
  }
}

/** One turn of the manager. */
export async function turn({ db, managerFolder, teller }: Cast): Promise<TurnDone> {
  const done = await runTurn({
    ...{ db, folder: managerFolder, pid: Deno.pid, network: runtimeSurroundings(), lockWaitMillis: LOCK_WAIT_MILLIS },
    onStep: (step) => {
      if (step.step !== "inbox") teller.progress("manager", `${step.step}: ${step.done} of ${step.total} rows`);
    },
  }, { rotate: false });
  teller.tell("manager", turnLine(done));
  return done;
}

/** The device's part, and the turn in which the manager takes over what it handed in. */
export async function live(cast: Cast): Promise<Story & { readonly last: TurnDone }> {
  const { device: { device }, teller } = cast;
  const head = await device.login();
  teller.tell(
    "device",
    `logged in: generation ${head.generation}, epoch ${head.epoch}, statement ${head.statement}; edge, head and key verified`,
  );
  const { rows } = await device.verifyAll();
  teller.tell(
    "device",
    `verified everything: ${rows.devices} device, ${rows.certificates} certificate and ${rows.messages} message rows, against the signed roots`,
  );
  await followCopy(cast);
  const lookups = await lookUp(cast) + await readMessages(cast);
  const sent = await handIn(cast);
  const last = await turn(cast);
  const outcome = await device.head();
  const { pending } = await device.submit.status();
  const taken = sent - pending.length;
  teller.tell("device", `generation ${outcome.generation} acknowledges ${taken} of ${sent} submissions`);
  await followCopy(cast);
  return { verified: true, rows: countsOf(rows), lookups, submissions: { sent, taken }, last };
}

/** The device's local copy becomes that of the newest head, and can be read without the edge. */
export async function followCopy({ device: { device: { copy } }, teller }: Cast): Promise<void> {
  if (copy === null) return;
  const { asOf: { generation, epoch, freshness }, isWhole, put, removed } = await copy.sync();
  const how = isWhole ? `fetched whole, ${put} rows` : `${put} rows fetched, ${removed} gone`;
  teller.tell("device", `local copy of generation ${generation}, epoch ${epoch}, ${freshness}: ${how}, verified`);
}

/** A certificate by its subject, as a person would write it. */
async function lookUp({ db, device: { device }, teller }: Cast): Promise<number> {
  const [line] = await listCertificates(db, { status: "usable", limit: 1 });
  if (line === undefined) return 0;
  const { found } = await device.certificates.bySubject(line.display_subject);
  const usable = found.filter(({ status }) => status === "usable").length;
  teller.tell("device", `looked up ${line.display_subject}: ${found.length} found, ${usable} usable`);
  return 1;
}

async function readMessages({ device: { device }, teller }: Cast): Promise<number> {
  const { found: channels } = await device.messages.channels();
  let lookups = 1;
  for (const { name } of channels) {
    const { messages } = await device.messages.list(name, { before: Number.MAX_SAFE_INTEGER, limit: 3 });
    lookups++;
    for (const message of messages) {
      const raw = await device.messages.read(message);
      lookups++;
      teller.tell(
        "device",
        `read ${name}/${message.position}: ${message.summary.subject || "(no subject)"}, ${raw.length} bytes, whole`,
      );
    }
  }
  if (channels.length === 0) teller.tell("device", "no messages yet; give some with --mail PATH");
  return lookups;
}

async function handIn({ device: { device }, teller }: Cast): Promise<number> {
  const { der, name } = await newCertificate();
  await device.submit.certificate(der, "seen by the device of deno task start");
  teller.tell(
    "device",
    `handed in a certificate it has just seen: ${name}; the other devices see it at once, as not reviewed`,
  );
  const raw = utf8(
    `From: device@postern.invalid\r\nTo: somebody@postern.invalid\r\nSubject: from ${Deno.hostname()}\r\n` +
      `Date: ${
        new Date().toUTCString()
      }\r\nMessage-ID: <${crypto.randomUUID()}@postern.invalid>\r\n\r\nSent through the side door.\r\n`,
  );
  await device.submit.message({ channel: "outbox", raw });
  teller.tell("device", "handed in a message to be sent; the edge holds both sealed to the manager");
  return 2;
}

/** A stranger's certificate: self-signed, under a random name. */
async function newCertificate(): Promise<{ readonly der: Bytes; readonly name: string }> {
  const { privateKey, publicKey } = await generateSigningKey("Ed25519", false);
  const now = Date.now();
  const validity = { notBefore: now - HOUR_MILLIS, notAfter: now + 24 * HOUR_MILLIS };
  const certificate = await issueRoot(
    cryptoKeySigner(privateKey),
    await exportSpki(publicKey),
    validity,
    webCryptoRandom,
  );
  return { der: certificate.der, name: displayDn(certificate.subjectName) };
}

function countsOf({ devices, certificates, messages }: Story["rows"]): Story["rows"] {
  return { devices, certificates, messages };
}
