/** A client in another language, written from shared/spec and docs/clients.md alone, against a real edge and manager. */
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/files.ts";
import { toHex } from "../../shared/bytes/encoding.ts";
import { assert, assertEquals } from "../assert.ts";
import { needs } from "../tools/needs.ts";
import { pythonPath } from "../tools/python.ts";

/** The state that a client came to. */
interface State {
  readonly generation: number;
  /** What it took to bring the local copy there. */
  readonly copy: "nothing" | "changes" | "lists" | "everything";
  readonly code: string;
  readonly text: string;
}

interface Turn extends State {
  readonly found: readonly (readonly [der: string, status: number])[];
  readonly messages: readonly (readonly [subject: string, bytes: string])[];
  readonly rows: Readonly<Record<"devices" | "certificates" | "messages", number>>;
  /** Whether it was proven that a certificate is not there. */
  readonly absent: boolean;
  readonly receipts: readonly (readonly [outcome: number, text: string])[];
}

const SUBJECT = '/C=DE/O=Große  Türen GmbH/CN=Ada, \\+"x"';
const HEADERS = "From: ann@example.org\r\nTo: bob@example.org\r\nDate: Tue, 1 Jan 2030 10:00:00 +0000\r\n";
const SHORT = `${HEADERS}Subject: Side door\r\n\r\nCome in.\r\n`;
/** Three parts of 524,288 bytes. */
const LONG = `${HEADERS}Subject: Long\r\n\r\n${"All the doors of the house.\r\n".repeat(40_000)}`;

needs("python", "openssl").test(
  "PAIR-06 SESS-08 SESS-13 KEY-03 READ-08 TREE-04 READ-06 READ-07 READ-09 PROOF-01 PROOF-02 ROW-13 ROW-14 COPY-01 COPY-02 COPY-03 COPY-04 HEAD-08 HEAD-09 INBOX-02 INBOX-04 INBOX-05 INBOX-09 a device in Python pairs, logs in, reads, verifies, copies, compares and submits",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "postern-python-" });
    const data = join(folder, "data");
    const service = deno("piped", "scripts/start.ts", "--data", data, "--interval", "3").spawn();
    const log = service.stderr.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    try {
      await until(log, "going on as a service");
      for (const [name, subject] of [["cert", "/CN=card"], ["subject", SUBJECT], ["new", "/CN=Newcomer"]] as const) {
        await makeCertificate(folder, name, subject);
      }
      await Deno.writeTextFile(join(folder, "letter.eml"), SHORT);
      await Deno.writeTextFile(join(folder, "long.eml"), LONG);
      const manager = (...args: string[]) => answerOf(postern(join(data, "manager"), ...args));
      const certificate = join(folder, "cert.pem");
      const added = await manager("device", "add", "--certificate", certificate, "--name", "card", "--allow-classical");
      await Deno.writeTextFile(join(folder, "grant.txt"), String(added["grant"]));
      const { checkCode } = await answerOf(client("code", folder));
      assertEquals(checkCode, added["checkCode"]);
      // Beyond so few rows there are deltas and change lists.
      await manager("settings", "--full-up-to", "100");
      await manager("device", "confirm", "card", "--code", String(checkCode));
      await manager("cert", "import", join(folder, "subject.pem"));
      await manager("message", "import", join(folder, "letter.eml"), join(folder, "long.eml"));
      await manager("sync");

      const first = await turn(folder);
      const pem = await Deno.readTextFile(join(folder, "subject.pem"));
      assertEquals(first.found, [[toHex(derOf(pem)), 2]], "the certificate waits for review");
      assertEquals(
        new Map(first.messages),
        new Map([["Side door", hexOf(SHORT)], ["Long", hexOf(LONG)]]),
      );
      assert(first.rows.devices >= 2 && first.rows.certificates > 200 && first.rows.messages >= 5);
      assertEquals([first.absent, first.copy], [true, "everything"]);
      assertEquals(first.receipts, [[0, "waiting"], [0, "outbox"], [0, "outbox"]]);

      const second = await turn(folder);
      assert(second.generation > first.generation, "it goes on from what it remembers");
      assertEquals([second.receipts[0], second.copy], [[0, "known before"], "changes"]);
      await manager("rotate");
      const { copy, code, agrees } = await answerOf(client("copy", folder, second.text, first.code));
      assertEquals([copy, agrees], ["lists", [true, null]]);
      assertEquals((await manager("head", "compare", String(code)))["result"], "agree");
      const outgoing = JSON.stringify(await manager("message", "list", "--outgoing"));
      assert(outgoing.includes("Side door"), "the manager has what the client handed in");
    } finally {
      service.kill("SIGINT");
      while (!(await log.next()).done);
      await service.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
);

needs("python").test("PROOF-01 PROOF-02 TREE-06 the proofs and paths of tree.json hold in Python too", async () => {
  const found = await answerOf(client("proofs", join(PROJECT_ROOT, "shared/spec/vectors/tree.json")));
  assertEquals(found, { accepted: 7 + 5, missed: 0 });
});

needs("python").test("ROW-12 the names of names.json are the same in Python", async () => {
  const found = await answerOf(client("names", join(PROJECT_ROOT, "shared/spec/vectors/names.json")));
  assertEquals(found, { checked: 12, other: [] });
});

function deno(stderr: "piped" | "inherit", script: string, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--config", join(PROJECT_ROOT, "deno.json"), join(PROJECT_ROOT, script), ...args],
    stdin: "null",
    stdout: stderr === "piped" ? "null" : "piped",
    stderr,
  });
}

function postern(data: string, ...args: string[]): Deno.Command {
  return deno("inherit", "manager/cli/main.ts", "--data", data, "--json", ...args);
}

function client(command: string, folder: string, ...heads: string[]): Deno.Command {
  const script = join(PROJECT_ROOT, "test/clients/python/main.py");
  const args = ["-B", script, command, folder, ...heads];
  return new Deno.Command(pythonPath() ?? "python3", { args, stdin: "null", stdout: "piped", stderr: "inherit" });
}

async function turn(folder: string): Promise<Turn> {
  return await answerOf(client("turn", folder)) as unknown as Turn;
}

async function answerOf(command: Deno.Command): Promise<Record<string, unknown>> {
  const { success, stdout } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assert(success, text);
  return JSON.parse(text) as Record<string, unknown>;
}

/** Reads on until the text has come. */
async function until(log: AsyncIterator<string>, text: string): Promise<void> {
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await log.next();
    assert(done !== true, `the service ended before it said "${text}": ${seen}`);
    seen += value;
  }
}

async function makeCertificate(folder: string, name: string, subject: string): Promise<void> {
  const key = join(folder, name === "cert" ? "key.pem" : `${name}.key`);
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-utf8"];
  const args = ["req", "-x509", ...kind, "-keyout", key, "-out", join(folder, `${name}.pem`), "-subj", subject];
  assert((await new Deno.Command("openssl", { args, stdout: "null", stderr: "null" }).output()).success);
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
}

function hexOf(text: string): string {
  return toHex(new TextEncoder().encode(text));
}
