/** How certificates are shown. Pure. */
import type { Bytes } from "../../../shared/bytes/bytes.ts";
import { toHex } from "../../../shared/bytes/encoding.ts";
import { CERTIFICATE_STATUS } from "../../../shared/protocol/tables.ts";
import { readCertificate } from "../../../shared/x509/certificate.ts";
import { displayDn } from "../../../shared/x509/dn.ts";
import { writePem } from "../../../shared/x509/pem.ts";
import type { ImportedCertificates } from "../../certificates/import.ts";
import type { CertificatesTable } from "../../store/schema.ts";
import { isoOrNull, moment } from "../../text/moments.ts";
import type { Json, Output } from "../output.ts";
import { clip, count, pairs, plain, table } from "../../text/layout.ts";

type Line = Omit<CertificatesTable, "der">;

/** Enough of a fingerprint to name one among a million. */
const SHOWN_FINGERPRINT_BYTES = 8;
const SUBJECT_COLUMNS = 60;

function statusName(status: number): string {
  return Object.entries(CERTIFICATE_STATUS).find(([, value]) => value === status)?.[0] ?? String(status);
}

function certificateJson(line: Line): Json {
  return {
    fingerprint: toHex(line.fingerprint),
    subject: line.display_subject,
    status: statusName(line.status),
    reason: line.reason,
    trusted: line.anchor === 1,
    origin: line.origin,
    note: line.note,
    notBefore: isoOrNull(line.not_before),
    notAfter: isoOrNull(line.not_after),
    added: isoOrNull(line.added),
  };
}

export function presentCertificates(lines: readonly Line[], limit: number, none: string): Output {
  const rows = lines.map((line) => [
    shownFingerprint(line.fingerprint),
    line.anchor === 1 ? "trusted" : statusName(line.status),
    moment(line.not_after).slice(0, 10),
    clip(line.display_subject, SUBJECT_COLUMNS),
  ]);
  const more = lines.length === limit ? `\nThe first ${limit}; for more: --limit N` : "";
  return {
    json: { certificates: lines.map(certificateJson) },
    text: rows.length === 0 ? none : table(["FINGERPRINT", "STATUS", "UNTIL", "SUBJECT"], rows) + more,
  };
}

/** Those that wait, each with the reason, and how to decide. */
export function presentWaiting(lines: readonly Line[]): Output {
  const blocks = lines.map((line) =>
    `${shownFingerprint(line.fingerprint)}  ${plain(line.display_subject)}\n  ${plain(line.reason)}${
      line.note === "" ? "" : `\n  note: ${plain(line.note)}`
    }`
  );
  const how = "\n\nDecide: postern cert allow FINGERPRINT, or postern cert block FINGERPRINT";
  return {
    json: { waiting: lines.map(certificateJson) },
    text: blocks.length === 0 ? "No certificate waits for review" : blocks.join("\n") + how,
  };
}

/** One certificate whole. */
export function presentCertificate(row: CertificatesTable): Output {
  const certificate = readCertificate(row.der);
  const pem = writePem("CERTIFICATE", row.der);
  return {
    json: {
      ...certificateJson(row) as Record<string, Json>,
      issuer: displayDn(certificate.issuerName),
      canonicalIssuer: row.issuer,
      canonicalSubject: row.subject,
      serial: certificate.serial,
      isCa: certificate.isCa,
      pem,
    },
    text: [
      pairs([
        ["subject", row.display_subject],
        ["issuer", displayDn(certificate.issuerName)],
        ["serial", certificate.serial],
        ["valid", `${moment(row.not_before)} to ${moment(row.not_after)}`],
        ["authority", certificate.isCa ? "yes" : "no"],
        ["fingerprint", toHex(row.fingerprint)],
        ["status", statusName(row.status) + (row.anchor === 1 ? ", trusted to vouch for others" : "")],
        ["reason", row.reason || null],
        ["came by", `${row.origin}, ${moment(row.added)}`],
        ["note", row.note || null],
      ]),
      "",
      pem.trimEnd(),
    ].join("\n"),
  };
}

export function presentImport(imported: ImportedCertificates): Output {
  const { usable, waiting, blocked, anchors, known, problems } = imported;
  const parts = [
    `${count(usable, "certificate")} usable${anchors > 0 ? `, ${anchors} of them trusted to vouch for others` : ""}`,
    ...(waiting > 0 ? [`${waiting} waiting for review (postern cert review)`] : []),
    ...(blocked > 0 ? [`${blocked} blocked`] : []),
    ...(known > 0 ? [`${known} known before`] : []),
    ...(problems.length > 0 ? [`${count(problems.length, "problem")}:`] : []),
  ];
  const told = problems.map(({ source, error }) => `  ${plain(source)}: ${plain(error.message)} [${error.code}]`);
  return {
    json: {
      ...{ usable, waiting, blocked, trusted: anchors, known },
      problems: problems.map(({ source, error }) => ({ source, code: error.code, message: error.message })),
    },
    text: [parts.join("; "), ...told].join("\n"),
  };
}

export function presentDecision(row: CertificatesTable, next: string): Output {
  return {
    json: certificateJson(row),
    text: `${plain(row.display_subject)} is ${statusName(row.status)}${
      row.anchor === 1 ? " and trusted" : ""
    }. ${next}`,
  };
}

function shownFingerprint(fingerprint: Bytes): string {
  return toHex(fingerprint.subarray(0, SHOWN_FINGERPRINT_BYTES));
}
