/** What is mutated: everything that decides whether to believe somebody; and where the tests are that must notice. */

export interface Target {
  readonly path: string;
  /** Folders and files of tests; slow ones only where they are named themselves. */
  readonly tests: readonly string[];
}

const MERKLE = ["test/shared/merkle", "test/shared/merkle/verify_proof.slow.test.ts"];
const PROTOCOL = ["test/shared/protocol"];
const CLIENT = ["test/shared/client", "test/shared/client/submit/drafts_crash.slow.test.ts"];
const THREATS = [
  "test/threats",
  ...[
    ...["backups", "carried_copies", "changed_rows", "heads", "histories"],
    ...["revocation", "submissions", "two_worlds", "whole_tables"],
  ]
    .map((name) => `test/threats/${name}.slow.test.ts`),
];
const COPIES = [
  ...["test/threats/carried_copies.slow.test.ts", "test/threats/local_copies.test.ts"],
  ...["test/shared/client/copy/local_copy.test.ts", "test/shared/client/copy/copy_lists.test.ts"],
];
const CRYPTO = ["test/shared/crypto"];
const X509 = [
  "test/shared/x509",
  ...["certificate_fuzz", "dn_openssl"].map((name) => `test/shared/x509/${name}.slow.test.ts`),
];
const CMS = ["test/shared/cms"];
const MANIFEST = ["test/shared/manifest"];
const FORMATS = ["test/shared/bytes", "test/shared/der"];
const EDGE = ["test/edge", "test/edge/store/crash.slow.test.ts"];
const UPDATE = ["test/manager/update", "test/manager/update/install.slow.test.ts"];
const MANAGER = [
  "test/manager",
  ...[
    "backup/create",
    "backup/first_turn",
    "backup/restore",
    "cli/dump",
    "cli/key",
    "cli/sync",
    "push/change_lists",
    "push/pushed_nodes",
    "push/small_store",
  ]
    .map((name) => `test/manager/${name}.slow.test.ts`),
];

function of(folder: string, names: string, ...tests: (readonly string[])[]): Target[] {
  return names.split(" ").map((name) => ({ path: `${folder}/${name}.ts`, tests: tests.flat() }));
}

export const TARGETS: readonly Target[] = [
  ...of("shared/merkle", "verify_proof sorted_root history_proofs tree_hash proof_node", MERKLE, CLIENT),
  ...of("shared/protocol", "judge_head judge_history head_code head signed statement", PROTOCOL, CLIENT, THREATS),
  ...of("shared/protocol", "acknowledgement contents edge_key epoch_keys http_signature", PROTOCOL, CLIENT, THREATS),
  ...of("shared/protocol", "origin pairing records row shapes submission tables wire", PROTOCOL, CLIENT, THREATS),
  ...of("shared/client", "device_link compare_heads freshness", CLIENT, THREATS),
  ...of("shared/client/memory", "draft_store drafts memory outbox outbox_store state", CLIENT, THREATS),
  ...of("shared/client/identity", "device_keys pair profile", CLIENT, THREATS),
  ...of("shared/client/session", "edge_session fetch_statement open_session", CLIENT, THREATS),
  ...of("shared/client/verify", "judge open_content verifier verified_heads view", CLIENT, THREATS),
  ...of("shared/client/verify", "verify_contents verify_list verify_message verify_table", CLIENT, THREATS),
  ...of("shared/client/read", "certificates list_reader lists messages pending tables", CLIENT, THREATS),
  ...of("shared/client/read", "pending_chains", CLIENT),
  ...of(
    "shared/client/submit",
    "delivery draft draft_box seal_draft seal_submission submit submitted",
    CLIENT,
    THREATS,
  ),
  ...of("shared/client/copy", "copied_table copied_tables copy_fetch copy_reader local_copy", CLIENT, THREATS),
  ...of("shared/client/copy", "copied_contents copy_carry copy_change copy_lists copy_note", COPIES),
  ...of(
    "shared/crypto",
    "aead brand ec_point ecdh ecdsa_der ed25519 equal hkdf hpke hpke_keys hpke_schedule",
    CRYPTO,
    X509,
  ),
  ...of("shared/crypto", "ml_kem public_key refusal rsa_oaep short_aead signature spki x25519 xwing", CRYPTO, X509),
  ...of("shared/x509", "asn1_time certificate chain dn extensions general_name name_constraints", X509),
  ...of("shared/x509", "path_checks path_result pem signature_scheme verify", X509),
  ...of("shared/x509", "crl crl_extensions revocation", ["test/shared/x509/crl.test.ts"], CMS),
  ...of("shared/cms", "algorithms content release_path signature_file signed_attributes signed_data", CMS),
  ...of("shared/cms", "signer_id smime verify", CMS),
  ...of(
    "shared/bytes",
    "bytes cbor_decode cbor_encode cbor_items encoding encoding_native encoding_portable padding",
    FORMATS,
  ),
  ...of("shared/der", "read", FORMATS, X509),
  ...of("edge/session", "challenge claimant login open_sessions requests token window", EDGE, THREATS),
  ...of("edge/store", "checks admit", EDGE),
  ...of("edge/store/push", "checks chunk_checks node_checks", EDGE),
  ...of("edge/store/inbox", "submit", EDGE),
  ...of("edge/http", "gate", EDGE, THREATS),
  ...of("manager/push/plan", "reconcile", MANAGER, THREATS),
  ...of("manager/push/verify", "check_proofs read_back", MANAGER, THREATS),
  ...of("manager/inbox", "earlier_life judge message_shape open process read streams take", MANAGER, THREATS),
  ...of("manager/doctor", "examine judge verify_dump verify_edge verify_state", MANAGER),
  ...of("manager/heads", "compare forks history", MANAGER, THREATS),
  ...of("manager/sync", "agree", MANAGER, THREATS),
  ...of("manager/update", "cache check download hashed_file install_folder lists switch updater", UPDATE),
  ...of("shared/cover", "open header member subsets", ["test/shared/cover"]),
  ...of(
    "shared/manifest",
    "choose_release envelope fields index_memory judge_release manifest open_envelope",
    MANIFEST,
  ),
  ...of("shared/manifest", "follow_root open_index open_manifest paths read_json recipient_table", MANIFEST),
  ...of(
    "shared/manifest",
    "registration registration_answer registration_request release_index release_keys version wrap",
    MANIFEST,
  ),
];
