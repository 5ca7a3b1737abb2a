/** `postern device`: pairing, listing and revoking the owner's devices. */
import { resolve } from "node:path";
import { PosternError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { parsePairingText } from "../../../shared/protocol/pairing.ts";
import type { Certificate } from "../../../shared/x509/certificate.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { readCertificateFiles } from "../../certificates/read_files.ts";
import { bringDevice } from "../../devices/bring.ts";
import type { PendingDevice } from "../../devices/grant.ts";
import { codeOf, pairDevice } from "../../devices/pair.ts";
import { activateDevice, allDevices, deviceByName, revokeDevice } from "../../devices/repository.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { readText } from "../read_text.ts";
import { presentDevices, presentPending, presentState, shellWord } from "../texts/devices.ts";
import { drawQr } from "../texts/qr.ts";

interface AddOptions {
  readonly request?: string;
  readonly certificate?: string;
  readonly name?: string;
  readonly allowClassical?: boolean;
  readonly qr?: boolean;
}

const ADD_HELP = `
Examples:
  $ postern device add --request laptop.request        # the text that the device made
  $ postern device add --request - < laptop.request
  $ postern device add --certificate card.pem --name card --allow-classical
                                                       # an EC or RSA certificate brought along, without a request

Once it has the grant, the device shows a check code. Compare it before you confirm: that keeps a stranger's device out.`;

const REVOKE_HELP = `
The next push starts an epoch that the device cannot read. What it has read before, it has read: see docs/owners/devices.md.

Example:
  $ postern device revoke laptop --yes && postern sync`;

export const registerDevice: Register = (parent, bind: Bind) => {
  const group = parent.command("device").summary("pair, list and revoke devices").description("The owner's devices.");
  group.command("add").summary("add a device, from its request or by a certificate").description(
    "Adds a device as pending and prints its grant.",
  )
    .option("--request <file>", "the device's pairing request; - for standard input")
    .option("--certificate <file>", "a certificate that the device brings along, PEM or DER")
    .option("--name <name>", "instead of the name in the request")
    .option("--allow-classical", "consent to a key that a quantum computer breaks")
    .option("--qr", "draw the grant as a QR code too")
    .addHelpText("after", ADD_HELP).action(bind(add));
  group.command("confirm <name>").summary("make a pending device active").description(
    "Makes a pending device active, once the check codes of both sides agree.",
  )
    .option("--code <code>", "the check code that the device shows, instead of a question")
    .addHelpText("after", "\nExample:\n  $ postern device confirm laptop --code abcd-efgh-ijkl-mnop").action(
      bind(confirm),
    );
  group.command("list").summary("list devices").description("Lists active and pending devices.").option(
    "--revoked",
    "revoked ones too",
  )
    .addHelpText("after", "\nExample:\n  $ postern device list --json").action(bind(list));
  group.command("pending").summary("list devices that wait for confirmation").description(
    "Lists devices that wait for their check code to be confirmed.",
  )
    .addHelpText("after", "\nExample:\n  $ postern device pending").action(bind(pending));
  group.command("revoke <name>").summary("revoke a device for good").description("Revokes a device for good.").option(
    "--yes",
    "without asking",
  )
    .addHelpText("after", REVOKE_HELP).action(bind(revoke));
};

async function add(cli: Cli, _args: readonly string[], options: AddOptions): Promise<Output> {
  const { s } = cli;
  const { request, name, allowClassical = false } = options;
  const present = (pending: PendingDevice) =>
    presentPending(pending, options.qr === true ? (grant) => drawQr(grant, s) : null);
  const certificate = options.certificate === undefined
    ? undefined
    : await oneCertificate(resolve(cli.s.cwd, options.certificate));
  if (request !== undefined) {
    const bytes = parsePairingText(await readText(request, LIMITS.maxBodyBytes, s));
    const pair = {
      allowClassical,
      ...(name === undefined ? {} : { name }),
      ...(certificate === undefined ? {} : { certificate }),
    };
    return await withManager(cli, async (db) => present(await pairDevice(db, bytes, pair, s.now(), s.random)));
  }
  if (certificate === undefined) {
    throw new PosternError(
      "usage",
      "Name the device's request with --request, or a certificate of its own with --certificate",
    );
  }
  if (name === undefined) {
    throw new PosternError("usage", "A certificate brought along needs a name for its device: --name");
  }
  return await withManager(cli, async (db) => {
    return present(await bringDevice(db, certificate, { name, allowClassical }, s.now(), s.random));
  });
}

async function confirm(cli: Cli, [name = ""]: readonly string[], options: { code?: string }): Promise<Output> {
  return await withManager(cli, async (db) => {
    const device = await deviceByName(db, name);
    if (device.state !== "pending") {
      throw new PosternError("conflict", `The device '${name}' is ${device.state} already`);
    }
    const code = codeOf(device);
    if (!await isSameCode(cli, code, options.code)) {
      const again = `postern device revoke ${shellWord(name)}`;
      throw new PosternError(
        "tampered",
        `The check codes differ: this is not the device that you meant, or the code was misread. Look again, or start over: ${again}`,
      );
    }
    await activateDevice(db, device);
    return presentState(device, "active", "It can log in after the next push: postern sync");
  });
}

async function isSameCode(cli: Cli, code: string, given: string | undefined): Promise<boolean> {
  if (given !== undefined) return given.toLowerCase().replace(/[^a-z2-7]/g, "") === code.replaceAll("-", "");
  return await cli.s.ask.confirm(`Does the device show ${code}?`, "give the code that the device shows with --code");
}

async function list(cli: Cli, _args: readonly string[], options: { revoked?: boolean }): Promise<Output> {
  return await withManager(cli, async (db) => {
    const devices = await allDevices(db);
    const shown = options.revoked === true ? devices : devices.filter(({ state }) => state !== "revoked");
    return presentDevices(shown, "No devices yet: see postern device add --help");
  });
}

async function pending(cli: Cli): Promise<Output> {
  return await withManager(cli, async (db) => {
    const devices = await allDevices(db);
    return presentDevices(devices.filter(({ state }) => state === "pending"), "No device waits for confirmation");
  });
}

async function revoke(cli: Cli, [name = ""]: readonly string[], options: { yes?: boolean }): Promise<Output> {
  return await withManager(cli, async (db) => {
    const device = await deviceByName(db, name);
    const isSure = options.yes === true ||
      await cli.s.ask.confirm(`Revoke the device '${name}' for good?`, "say --yes");
    if (!isSure) throw new PosternError("usage", "Nothing was revoked");
    await revokeDevice(db, device, cli.s.now());
    const next = device.state === "pending"
      ? "It never had access."
      : "It reads nothing written after the next push: postern sync";
    return presentState(device, "revoked", next);
  });
}

/** @throws `usage` unless the file holds exactly one certificate */
async function oneCertificate(path: string): Promise<Certificate> {
  const found: Certificate[] = [];
  for await (const item of readCertificateFiles([path])) {
    if ("error" in item) {
      const { code, message } = item.error;
      throw new PosternError(code, message.includes(path) ? message : `Reading ${path}: ${message}`);
    }
    found.push(readCertificate(item.der));
  }
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new PosternError("usage", `There are ${found.length} certificates in ${path}; a device has exactly one`);
}
