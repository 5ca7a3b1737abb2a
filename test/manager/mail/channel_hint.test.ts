import fc from "fast-check";
import { channelHint, decodeModifiedUtf7, maildirLevels } from "../../../manager/mail/channel_hint.ts";
import { utf8 } from "../../../shared/bytes/bytes.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { assert, assertEquals } from "../../assert.ts";

Deno.test("decodeModifiedUtf7() decodes the examples of RFC 3501 and what servers write", () => {
  assertEquals(decodeModifiedUtf7("~peter/mail/&U,BTFw-/&ZeVnLIqe-"), "~peter/mail/台北/日本語");
  assertEquals(decodeModifiedUtf7("Entw&APw-rfe"), "Entwürfe");
  assertEquals(decodeModifiedUtf7("R&-D"), "R&D");
  assertEquals(decodeModifiedUtf7("&2D3eAA-"), "\u{1f600}");
  assertEquals(decodeModifiedUtf7("Gel&APY-scht"), "Gelöscht");
});

Deno.test("decodeModifiedUtf7() keeps a name as it is when it is anything else", () => {
  for (
    const name of ["R&D", "&", "&-&", "&AA", "&****-", "&AEE-", "&U-", "Entwürfe&APw-", "&APw-&APw-", "&2D0-", "a\tb&-"]
  ) {
    assertEquals(decodeModifiedUtf7(name), name);
  }
});

Deno.test("decodeModifiedUtf7() gives back any name that was encoded by the book", () => {
  const encode = (name: string): string =>
    name.replaceAll("&", "&-").replace(/[^\x20-\x7e]+/g, (run) => {
      const units = Uint8Array.from(
        [...Array(run.length).keys()].flatMap((i) => [run.charCodeAt(i) >> 8, run.charCodeAt(i) & 255]),
      );
      return `&${btoa(String.fromCharCode(...units)).replace(/=+$/, "").replaceAll("/", ",")}-`;
    });
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 30 }), (name) => {
    assertEquals(decodeModifiedUtf7(encode(name)), name);
  }));
});

Deno.test("maildirLevels() splits a Maildir++ folder's name", () => {
  assertEquals(maildirLevels(".Sent"), ["Sent"]);
  assertEquals(maildirLevels(".Work.Projects.2023"), ["Work", "Projects", "2023"]);
  assertEquals(maildirLevels(".INBOX.Entw&APw-rfe"), ["INBOX", "Entwürfe"]);
  assertEquals(maildirLevels("..a..b"), ["a", "b"]);
});

Deno.test("channelHint() gives only valid channel names (ROW-02)", () => {
  assertEquals(channelHint([]), undefined);
  assertEquals(channelHint(["Work", "Entwu\u0308rfe"]), "Work/Entw\u00fcrfe");
  assertEquals(channelHint(["a\nb"]), undefined);
  assertEquals(channelHint(["a\u009bb"]), undefined);
  assertEquals(channelHint(["\ud800"]), undefined);
  assertEquals(channelHint(["ü".repeat(128)]), "ü".repeat(128));
  assertEquals(channelHint(["ü".repeat(129)]), undefined);
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary", maxLength: 100 }), { maxLength: 4 }), (levels) => {
    const hint = channelHint(levels);
    if (hint === undefined) return;
    assert(hint.isWellFormed() && hint === hint.normalize("NFC") && hint.length > 0);
    assert(utf8(hint).length <= LIMITS.maxChannelBytes);
  }));
});
