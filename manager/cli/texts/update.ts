/** How updates are shown. Pure. What a manifest says is text from outside: it is shown as that and nothing else. */
import type { ReleaseManifest } from "../../../shared/manifest/manifest.ts";
import type { UpdateChecksTable } from "../../store/schema_releases.ts";
import { count, pairs, plain, table } from "../../text/layout.ts";
import { duration, isoOrNull, moment, relative, size } from "../../text/moments.ts";
import type { Checked } from "../../update/check.ts";
import type { UpdateConfig, Window } from "../../update/config.ts";
import type { FoundRelease, ReleaseRecord } from "../../update/releases.ts";
import type { Switched } from "../../update/switch.ts";
import { tellChecked } from "../../update/tell_checked.ts";
import type { UpdateReport } from "../../update/unattended.ts";
import type { Fetched, Installed } from "../../update/updater.ts";
import { EXIT } from "../exit_codes.ts";
import type { Json, Output } from "../output.ts";

export function presentConfig(config: UpdateConfig): Output {
  const { window, health, cache, install } = config;
  const allowed = [config.allowsPublic ? "public manifests" : "", config.allowsSchema1 ? "schema 1" : ""];
  return {
    json: {
      ...config,
      window: window === null ? null : windowText(window),
      health: [...health],
      source: { ...config.source },
    },
    text: pairs([
      ["product", config.product],
      ["releases from", sourceText(config)],
      ["revocation lists", `${config.listsFile ?? "the source"}, ${config.requiresLists ? "required" : "optional"}`],
      ["allowed as well", allowed.filter((one) => one !== "").join(", ") || "nothing"],
      ["by itself", config.auto === "off" ? "nothing" : `${config.auto}, every ${duration(config.intervalMillis)}`],
      ["switches", whenText(config)],
      ["cache", cache ?? "of this data folder"],
      ["installed in", install ?? "nowhere: releases are only downloaded"],
      ["health check", health.length === 0 ? "none" : `${health.join(" ")}, within ${duration(config.healthMillis)}`],
      ["keeps", count(config.keep, "version")],
      ["after a switch", config.restarts ? "postern run ends, to be started anew" : "goes on"],
    ]),
  };
}

const UNDER_WAY = "a switch was cut off: the next postern update apply, or the service, finishes it";

export function presentChecked(checked: Checked, { current, isUnderWay }: Installed): Output {
  const { index, release, passed, isTakenBack } = checked;
  const runs = current ?? "nothing";
  const found = release === null
    ? `Nothing newer: ${runs} is installed (index ${index.number}).`
    : `Release ${release.version}${release.isCritical ? ", which is critical," : ""} is there; ${runs} is installed.`;
  return {
    json: {
      ...{ index: index.number, indexExpires: isoOrNull(index.expires), current, found: release?.version ?? null },
      ...{ passedOver: passed.map(({ version, why }) => ({ version, why })), isTakenBack, isUnderWay },
    },
    text: lines(found, tellChecked(checked), isUnderWay ? UNDER_WAY : ""),
  };
}

/** @param nothing what to say if there was nothing */
export function presentFetched(fetched: Fetched | null, nothing: string, { isUnderWay }: Installed): Output {
  const rest = isUnderWay ? UNDER_WAY : "";
  if (fetched === null) return { json: { version: null, why: nothing, isUnderWay }, text: lines(nothing, rest) };
  const { manifest: { version }, fetched: bytes, reused } = fetched;
  return {
    json: { version, fetched: bytes, reused, isUnderWay },
    text: lines(`Release ${version} is downloaded: ${size(bytes)} fetched, ${size(reused)} were here.`, rest),
  };
}

/** Sentences, each on its line; empty ones are left out. */
function lines(...texts: readonly string[]): string {
  return texts.filter((text) => text !== "").map(plain).map((text) =>
    `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`
  ).join("\n");
}

/** @param nothing what to say if there was nothing */
export function presentSwitched(switched: Switched | null, nothing: string): Output {
  if (switched === null) return { json: { outcome: "current", why: nothing }, text: lines(nothing) };
  const { from, to, returned } = switched;
  if (returned === null) {
    return {
      json: { outcome: "applied", from, to },
      text: `Switched from ${from ?? "nothing"} to ${to}. What runs already goes on until it is restarted.`,
    };
  }
  return {
    json: { outcome: "returned", from, to, why: returned },
    text: `Went back from ${to} to ${from ?? "nothing"}: ${plain(returned)}.`,
    exit: EXIT.findings,
  };
}

export function presentUpdateReport({ product, text, code }: UpdateReport): Output {
  return { json: { update: product, text, code }, text: `updates of ${plain(product)}: ${plain(text)}` };
}

export interface UpdateStatus extends Installed {
  readonly config: UpdateConfig;
  readonly check: UpdateChecksTable | null;
}

export function presentUpdateStatus(all: readonly UpdateStatus[], now: number): Output {
  return {
    json: {
      products: all.map(({ config, current, staged, check, isUnderWay }) => ({
        ...{ product: config.product, source: { ...config.source }, auto: config.auto, current, staged: [...staged] },
        ...{ isUnderWay, lastCheck: check === null ? null : checkJson(check) },
      })),
    },
    text: all.length === 0
      ? "No product is followed: postern update configure"
      : all.map((one) => statusText(one, now)).join("\n\n"),
  };
}

function statusText({ config, current, staged, check, isUnderWay }: UpdateStatus, now: number): string {
  return pairs([
    ["product", config.product],
    ["releases from", sourceText(config)],
    ["runs", config.install === null ? "not installed by this manager" : current ?? "nothing yet"],
    ["staged", staged.join(", ") || null],
    ["last check", check === null ? "never" : `${relative(check.time, now)}: ${checkText(check)}`],
    ["by itself", config.auto],
    ["unfinished", isUnderWay ? UNDER_WAY : null],
  ]);
}

function checkText({ outcome, version, detail }: UpdateChecksTable): string {
  if (outcome === "current") return plain(detail === "" ? "nothing newer" : `nothing newer; ${detail}`);
  if (outcome === "found") return plain(`release ${version} is there${detail === "" ? "" : `; ${detail}`}`);
  return `${plain(detail)} [${outcome}]; what runs keeps running`;
}

function checkJson({ time, outcome, version, detail }: UpdateChecksTable): Json {
  return { time: isoOrNull(time), outcome, version, detail };
}

export function presentHistory(records: readonly ReleaseRecord[], found: readonly FoundRelease[] | null): Output {
  const pathsOf = new Map(found?.map(({ record, paths }) => [record.version, paths]) ?? []);
  const rows = records.map((one) => [
    ...[one.version, one.origin, moment(one.accepted), stateOf(one)],
    ...found === null ? [] : [(pathsOf.get(one.version) ?? []).slice(0, 3).map(plain).join(" ")],
  ]);
  return {
    json: {
      releases: records.map((one) => ({
        ...{ version: one.version, tagName: one.tag_name, origin: one.origin, signer: one.signer },
        ...{ accepted: isoOrNull(one.accepted), downloaded: isoOrNull(one.downloaded) },
        ...{ applied: isoOrNull(one.applied), returned: isoOrNull(one.returned) },
        ...found === null ? {} : { paths: [...pathsOf.get(one.version) ?? []] },
      })),
    },
    text: rows.length === 0
      ? "No releases"
      : table(["version", "opened as", "accepted", "state", ...found === null ? [] : ["found in"]], rows),
  };
}

function stateOf({ downloaded, applied, returned }: ReleaseRecord): string {
  if (returned !== null) return `gone back from ${moment(returned)}`;
  if (applied !== null) return `applied ${moment(applied)}`;
  return downloaded === null ? "known" : `downloaded ${moment(downloaded)}`;
}

export function presentRelease(record: ReleaseRecord, manifest: ReleaseManifest): Output {
  const { version, tagName, isCritical, created, expires, floor, commit, notes, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return {
    json: {
      ...{ product: manifest.product, version, tagName, isCritical, created: isoOrNull(created) },
      ...{ expires: isoOrNull(expires), floor: floor ?? null, commit: commit ?? null, notes: notes ?? null },
      ...{ origin: record.origin, signer: record.signer },
      files: files.map(({ path, size: length, mode, sha256 }) => ({ path, size: length, mode, sha256 })),
    },
    text: [
      pairs([
        ["product", manifest.product],
        ["version", `${version}${isCritical ? ", critical" : ""}`],
        ["made", moment(created)],
        ["until", moment(expires)],
        ["floor", floor ?? null],
        ["commit", commit ?? null],
        ["opened as", record.origin],
        ["signed by", record.signer],
        ["state", stateOf(record)],
        ["files", `${count(files.length, "file")}, ${size(bytes)}`],
      ]),
      ...notes === undefined ? [] : [`\n${notes.trimEnd().split("\n").map(plain).join("\n")}`],
      "",
      ...files.map((file) => `${file.mode}  ${size(file.size).padStart(9)}  ${plain(file.path)}`),
    ].join("\n"),
  };
}

function whenText({ window, criticalAtOnce }: UpdateConfig): string {
  if (window === null) return "at any time";
  return `between ${windowText(window)} UTC${criticalAtOnce ? ", at once if a release is critical" : ""}`;
}

function windowText({ from, to }: Window): string {
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${clock(from)}-${clock(to)}`;
}

function sourceText({ source }: UpdateConfig): string {
  if (source.kind === "http") return source.url;
  return source.kind === "folder" ? source.path : `${source.base}/${source.repository}`;
}
