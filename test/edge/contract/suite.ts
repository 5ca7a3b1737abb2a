/** The whole contract of an edge, for whatever runs it. */
import { assertEquals } from "../../assert.ts";
import { RawClient } from "./client.ts";
import { inputContract } from "./inputs.ts";
import { loginContract } from "./logins.ts";
import { proofContract } from "./proofs.ts";
import { requestContract } from "./requests.ts";
import { roleContract } from "./roles.ts";
import type { Cast, Target } from "./target.ts";
import { transportContract } from "./transport.ts";

/** Owners that the suite uses up. */
export const OWNERS = 13;

/** Runs everything. Steps that turn the clock are passed over where it cannot be turned: the clock's target is null. */
export async function contract(t: Deno.TestContext, target: Target, cast: Cast): Promise<void> {
  const client = new RawClient(target, cast);
  await loginContract(t, client);
  await requestContract(t, client);
  await inputContract(t, client);
  await roleContract(t, client);
  await proofContract(t, client);
  await transportContract(t, client);
  await t.step("the edge logs nothing when nothing is wrong with it (STORE-01)", () => {
    assertEquals(target.log(), "");
  });
}
