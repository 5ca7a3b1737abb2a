/** What devices hand in (shared/spec/inbox.md). */
import { LIMITS } from "../../shared/limits.ts";
import { decodeSignedSubmission } from "../../shared/protocol/submission.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { integer, limit, optional } from "./parameters.ts";

const submit = endpoint({
  ...{ route: "inbox", method: "POST", access: "device", query: {}, body: "inbox", answer: "empty" },
  summary: "Hands in a signed submission.",
}, async ({ store, principal, body: { submission } }) => {
  await store.submit(principal, submission, decodeSignedSubmission(submission));
  return { body: {} };
});

const list = endpoint({
  ...{ route: "inbox", method: "GET", access: "session", body: null, answer: "inbox" },
  query: { after: optional(integer()), limit },
  summary: "Submissions in order of arrival: all of the owner's, to the manager and to devices.",
}, async ({ store, principal, query: { after = 0, limit = LIMITS.defaultAnswerEntries } }) => {
  const { entries, next } = await store.list(principal, after, limit);
  return { body: { entries, next } };
});

const putPart = endpoint({
  ...{ route: "inboxPart", method: "PUT", access: "device", query: {}, body: "inboxPart", answer: "empty" },
  summary: "Stores an encrypted part, ahead of the submission that names it.",
}, async ({ store, principal, path: { hash }, body: { part }, now }) => {
  await store.putPart(principal, hash, part, now);
  return { body: {} };
});

const getPart = endpoint({
  ...{ route: "inboxPart", method: "GET", access: "session", query: {}, body: null, answer: "inboxPart" },
  summary: "An encrypted part, to the manager or to the device that stored it.",
}, async ({ store, principal, path: { hash } }) => ({ body: { part: await store.getPart(principal, hash) } }));

export const INBOX: readonly Endpoint[] = [submit, list, putPart, getPart];
