/** What is mutated: everything that decides whether a device believes an edge; and the tests that must notice, quickest first. */

export interface Target {
  readonly path: string;
  /** Stages of tests; a later one runs only for mutants that survive those before. */
  readonly stages: readonly (readonly string[])[];
}

const CLIENT = ["test/shared/client"];
const THREATS = ["test/threats"];
const COVER = ["test/shared/cover"];

export const TARGETS: readonly Target[] = [
  { path: "shared/merkle/verify_proof.ts", stages: [["test/shared/merkle/verify_proof.test.ts"], CLIENT] },
  { path: "shared/merkle/sorted_root.ts", stages: [["test/shared/merkle"], CLIENT] },
  { path: "shared/merkle/history_proofs.ts", stages: [["test/shared/merkle/history_proofs.test.ts"], CLIENT] },
  { path: "shared/protocol/judge_head.ts", stages: [["test/shared/protocol/judge_head.test.ts"], CLIENT, THREATS] },
  { path: "shared/protocol/judge_history.ts", stages: [["test/shared/protocol/judge_history.test.ts"], CLIENT] },
  { path: "shared/protocol/head_code.ts", stages: [["test/shared/protocol/head_code.test.ts"]] },
  { path: "shared/client/compare_heads.ts", stages: [["test/shared/client/compare_heads.test.ts"]] },
  { path: "shared/client/judge.ts", stages: [CLIENT, THREATS] },
  { path: "shared/client/verify_list.ts", stages: [CLIENT, THREATS] },
  { path: "shared/client/verify_table.ts", stages: [CLIENT, THREATS] },
  { path: "shared/client/verify_message.ts", stages: [["test/shared/client/verify_message.test.ts"], CLIENT] },
  { path: "shared/client/verify_contents.ts", stages: [CLIENT, THREATS] },
  { path: "shared/client/list_reader.ts", stages: [CLIENT, THREATS] },
  { path: "shared/cover/open.ts", stages: [COVER] },
  { path: "shared/cover/header.ts", stages: [["test/shared/cover/header.test.ts"], COVER] },
  { path: "shared/cover/member.ts", stages: [["test/shared/cover/member.test.ts"], COVER] },
  { path: "shared/cover/subsets.ts", stages: [["test/shared/cover/subsets.test.ts"], COVER] },
];
