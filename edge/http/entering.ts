/** How a session begins and ends, and the one thing that is told without any (shared/spec/session.md, reading.md). */
import { type Endpoint, endpoint } from "./endpoint.ts";

const challenge = endpoint(
  {
    ...{ route: "challenge", method: "GET", access: "public", query: {}, body: null, answer: "challenge" },
    summary: "Something to sign for a login.",
  },
  ({ logins, path: { owner }, now }) =>
    Promise.resolve({ body: { challenge: logins.challenge(owner, now), time: now } }),
);

const login = endpoint({
  ...{ route: "login", method: "POST", access: "public", query: {}, body: "login", answer: "login" },
  summary: "Logs a device or the manager in; the answer is signed with the new session's keys.",
}, async ({ logins, path: { owner }, body, now }) => {
  const { answer, keys } = await logins.login(owner, body, now);
  return { body: answer, keys };
});

const statement = endpoint({
  ...{ route: "statement", method: "GET", access: "public", query: {}, body: null, answer: "statement" },
  summary: "The signed owner statement in force.",
}, async ({ store, identity, path: { owner } }) => {
  const held = await store.publicStatement(owner);
  return { body: { statement: identity.admits(owner) ? held : null } };
});

const logout = endpoint({
  ...{ route: "logout", method: "POST", access: "session", query: {}, body: null, answer: "empty" },
  summary: "Ends the session.",
}, async ({ store, principal }) => {
  await store.endSession(principal, principal.expires);
  return { body: {} };
});

export const ENTERING: readonly Endpoint[] = [challenge, login, statement, logout];
