/** `postern head`: comparing what devices are shown with what the manager signed. */
import { compareHead, ownNewest } from "../../heads/compare.ts";
import { headCode, headText, parseOtherHead } from "../../../shared/protocol/head_code.ts";
import { isPosternError } from "../../../shared/errors.ts";
import { raiseAlarm } from "../../sync/alarms.ts";
import { type Cli, withManager } from "../cli.ts";
import type { Bind, Register } from "../command.ts";
import type { Output } from "../output.ts";
import { drawQr } from "../texts/qr.ts";

const COMPARE_HELP = `
An edge can show two devices two worlds only if the manager's key signs both. A device shows its newest head as a code
(1234:XXXX-XXXX-XXXX-XXXX) or as a text (postern-head:...). This command looks it up among all heads that this manager ever signed.
Get the code by a way that the edge does not control. With --alarm, if the manager never signed that head, every device is warned in
every later head, until postern alarm clear --forks.

Examples:
  $ postern head compare 1234:8RZT-0K3M-Q2VN-51XC
  $ postern head compare postern-head:... --alarm`;

export const registerHead: Register = (parent, bind: Bind) => {
  const head = parent.command("head").summary("compare what devices are shown").description(
    "Heads: the signed summary of each push.",
  );
  head.command("code").summary("the newest head, for a device to compare").description(
    "Shows the newest head as a code to be read out, and as a text for a QR code.",
  )
    .option("--qr", "draw the text as a QR code too")
    .addHelpText("after", "\nExample:\n  $ postern head code --qr").action(bind(code));
  head.command("compare").summary("whether this manager signed what a device was shown").description(
    "Compares a device's newest head with every head that this manager signed.",
  )
    .argument("<head>", "the code or text that the device shows").option("--alarm", "tell every device if it did not")
    .addHelpText("after", COMPARE_HELP).action(bind(compare));
};

async function code(cli: Cli, _args: readonly string[], options: { qr?: boolean }): Promise<Output> {
  return await withManager(cli, async (db) => {
    const newest = await ownNewest(db);
    const [code, text] = [headCode(newest), headText(newest)];
    const drawn = options.qr === true ? `\n\n${drawQr(text, cli.s)}` : "";
    return { json: { generation: newest.generation, code, text }, text: `${code}\n${text}${drawn}` };
  });
}

async function compare(cli: Cli, [given = ""]: readonly string[], options: { alarm?: boolean }): Promise<Output> {
  const other = parseOtherHead(given);
  const { generation } = other;
  return await withManager(cli, async (db) => {
    const now = cli.s.now();
    try {
      const { result, own } = await compareHead(db, other, options.alarm === true ? now : null);
      return {
        json: { result, generation, newest: own },
        text: result === "agree"
          ? `Agrees: this manager signed that head of generation ${generation}; its newest is ${own}`
          : `Not comparable: generation ${generation} is of another life of the manager, before or after a restore. Let the ` +
            "device log in, and compare again",
      };
    } catch (error) {
      if (options.alarm === true && isPosternError(error, "forked")) {
        await raiseAlarm(db, error.code, error.message, now);
      }
      throw error;
    }
  });
}
