/** Every limit of the protocol and its implementations, in one place. Units are in the names. */
export const LIMITS = {
  /** No request or answer body is larger (spec: CONV-08). */
  maxBodyBytes: 1_048_576,
  /** No stored row is larger, ciphertext and MAC included (spec: ROW-06). */
  maxRowBytes: 1_000_000,
  /** Rows in one answer, all together (spec: READ-01). */
  maxAnswerRowBytes: 786_432,
  /** Nodes of a proof (spec: PROOF-03). */
  maxProofNodes: 4_096,
  /** Hashes in the path of a head in its history (spec: READ-07): as many as bits in the number of the last one. */
  maxHistoryPath: 53,
  /** Plaintext bytes in one part of a message (spec: ROW-09, INBOX-02). */
  messagePartBytes: 524_288,
  /** Messages up to this size stand in their channel row itself (spec: ROW-09). */
  inlineMessageBytes: 4_096,
  /** Submitted messages up to this size stand in the submission itself (spec: INBOX-02). */
  inlineSubmissionBytes: 65_536,
  /** A whole message, attachments included (spec: ROW-11). */
  maxMessageBytes: 26_214_400,
  /** DER bytes of one certificate. */
  maxCertificateBytes: 65_536,
  /** Content bytes of a certificate's serial number; RFC 5280 wants at most 20, older authorities wrote more. */
  maxSerialBytes: 64,
  /** Certificates in a path, both ends included. */
  maxPathCertificates: 8,
  /** Possible issuers that one search for a path looks at. */
  maxPathSteps: 256,
  /** Comparisons of a name with a constraint in one path. */
  maxNameComparisons: 262_144,
  /** DER of a detached signature, certificates included (spec: CMS-03). */
  maxCmsBytes: 131_072,
  /** Certificates in a detached signature (spec: CMS-03). */
  maxCmsCertificates: 8,
  /** Signed attributes of a detached signature, OpenSSL writes four (spec: CMS-03). */
  maxSignedAttributes: 16,
  /** What is signed: an encrypted manifest with recipients in the tens of thousands (spec: CMS-03). */
  maxSignedContentBytes: 67_108_864,
  /** A certificate revocation list, some hundred thousand entries (spec: CMS-17). */
  maxCrlBytes: 4_194_304,
  /** Lists in one file: each is verified for each certificate that its issuer has signed. */
  maxCrls: 64,
  /** A file that certificates are imported from. */
  maxCertificateFileBytes: 16_777_216,
  /** Files and folders in one import of certificates, and how deep folders may lie in each other. */
  maxImportFiles: 100_000,
  maxImportDepth: 16,
  /** UTF-8 bytes of a canonical distinguished name. */
  maxDnBytes: 8_192,
  /** A change list, and how many stay, of how many bytes together (spec: ROW-15). */
  maxChangeListBytes: 65_536,
  maxChangeLists: 256,
  maxChangeListsBytes: 1_048_576,
  /** UTF-8 bytes of a channel name (spec: ROW-02). */
  maxChannelBytes: 256,
  maxDeviceNameChars: 64,
  maxNoteChars: 1_024,
  /** Each of from, to and subject in a message's summary. */
  maxSummaryChars: 512,
  /** Of a message's header, as much as is read for its summary. */
  maxSummaryHeaderBytes: 262_144,
  /** The same for the headers of its MIME parts together, and for their number. */
  maxSummaryPartsBytes: 524_288,
  maxSummaryParts: 2_000,
  /** Nesting of any CBOR item (spec: CONV-02). */
  maxCborDepth: 16,
  /** An RSA-8192 SubjectPublicKeyInfo has 1062 bytes. */
  maxSpkiBytes: 2_048,
  /** An RSA-8192 signature has 1024 bytes. */
  maxSignatureBytes: 1_024,
  /** RSA moduli in use: neither breakable nor a way to keep a verifier busy (spec: KEY-01). */
  minRsaBits: 2_048,
  maxRsaBits: 8_192,
  maxRsaExponentBytes: 4,
  xwingPublicKeyBytes: 1_216,
  maxKemPublicKeyBytes: 1_216,
  maxEncapsulatedBytes: 1_120,
  /** RSA-OAEP with 8192 bits. */
  maxWrappedKeyBytes: 1_024,
  /** Acknowledgements in a head (spec: HEAD-06). */
  maxAcknowledgements: 256,
  maxHeadBytes: 65_536,
  maxHeadSealedBytes: 32_768,
  maxStatementBytes: 65_536,
  maxEdges: 8,
  maxOriginChars: 512,
  /** A head as text or code (spec: HEAD-08). */
  maxHeadTextChars: 512,
  /** Encrypted parts that one submission may name. */
  maxSubmissionParts: 64,
  /** A signed submission: an inline message sealed, and a copy of it. */
  maxSubmissionBytes: 262_144,
  /** Rows, and removals, in one chunk of a push (spec: PUSH-02). */
  maxChunkRows: 1_000,
  maxPushChunks: 100_000,
  /** Blocks, and nodes of the history, in one body of nodes; and how many bodies there may be (spec: PUSH-13). */
  maxBodyNodes: 1_000,
  maxPushNodeBodies: 100_000,
  maxCommitHeads: 512,
  maxCommitStatements: 4,
  /** Devices of one owner, and streams of each that a head acknowledges (spec: HEAD-06). */
  maxDevices: 64,
  maxStreamsPerDevice: 4,
  /** A head this long after the one before needs the word of the owner (spec: HEAD-05). */
  maxHeadGapMillis: 2_592_000_000,
  /** A head this much later than its due time is overdue (spec: HEAD-04). */
  headGraceMillis: 120_000,
  /** A head further than this ahead of the clock means that the clock is wrong (spec: HEAD-04). */
  maxClockLeadMillis: 600_000,
  /** How long an edge may take for one answer, from the first byte sent to the last one read. */
  exchangeMillis: 30_000,
  /** How often a client tries what fails for a reason that may pass, and how long it waits in between, at first and at most. */
  attempts: 4,
  firstRetryMillis: 250,
  longestRetryMillis: 10_000,
  /** How often one operation of a device starts again because the epoch or the generation went on meanwhile. */
  maxRefreshes: 4,
  /** Ranges of rows that a local copy asks for one by one; if more changed, everything is fetched. */
  maxCopyRuns: 1_024,
  /** Heads that a running device remembers the hashes of (spec: HEAD-09). */
  maxVerifiedHeads: 256,
  /** A device with its keys as text: a certificate, an SPKI and two keys are less than this in base64url. */
  maxProfileChars: 131_072,
  /** Of what an edge says when it refuses, as much as is passed on. */
  maxProblemTitleChars: 200,
  /** Finished streams of submissions that a device remembers. */
  maxRememberedStreams: 16,
  /** Drafts that a device keeps until it can send them: as many as the edge holds of it (spec: INBOX-11, INBOX-15). */
  maxDrafts: 1_000,
  /** Of how many drafts that were sent a device remembers where they stand. */
  maxRememberedDrafts: 64,
  /** How long the epoch before, and earlier generations, are served after the switch (spec: READ-02). */
  readGraceMillis: 600_000,
  /** A push that nobody touches for this long is discarded (spec: PUSH-08). */
  pushIdleMillis: 3_600_000,
  /** How long the id of a discarded push is refused (spec: PUSH-01). */
  pushMemoryMillis: 600_000,
  /** Discarded pushes of one owner that are remembered at once (spec: PUSH-01): each leaves something to be swept. */
  maxPushesGivenUp: 16,
  /** Bytes of stored rows for one owner, if the edge's configuration does not say otherwise (spec: PUSH-12). */
  defaultOwnerBytes: 1_073_741_824,
  /** Rows that one step of sweeping deletes (spec: STORE-03). */
  sweepRows: 500,
  /** What the edge holds of submissions and their parts, for an owner and for one device (spec: INBOX-11). */
  maxInboxSubmissions: 10_000,
  maxInboxDeviceSubmissions: 1_000,
  maxInboxPartBytes: 268_435_456,
  maxInboxDevicePartBytes: 67_108_864,
  /** What the manager keeps in memory of each device's submissions that came before those they follow. */
  maxInboxWaitingBytes: 1_048_576,
  /** The smallest padded plaintext, sealed (spec: CONV-11, INBOX-02): so there cannot be too many parts either. */
  minSealedPartBytes: 272,
  /** Parts that no submission names are deleted after this time (spec: INBOX-04). */
  unnamedPartMillis: 86_400_000,
  /** An acknowledged submission's number is remembered for this long, longer than a request can be repeated (spec: SESS-12). */
  inboxMemoryMillis: 600_000,
  /** A challenge can be answered this long (spec: SESS-01). */
  challengeMillis: 60_000,
  /** A session ends by itself after this time (shared/spec/session.md). */
  sessionMillis: 3_600_000,
  /** One ephemeral key of the edge serves logins for this long, and is forgotten then (spec: SESS-07). */
  edgeEphemeralMillis: 60_000,
  /** How far `created` of a request may be from the edge's clock (spec: SESS-11). */
  createdSkewSeconds: 60,
  /** Request numbers of a session that may overtake one another (spec: SESS-10). */
  requestWindow: 4_096,
  /** Devices of one owner, and opened sessions of each, that one isolate remembers with their windows. */
  openSessionHolders: 128,
  openSessionsPerHolder: 64,
  maxSessionTokenChars: 512,
  /** Nodes in one block of a tree, and the bytes of such a block with nothing but leaves at its end (spec: TREE-07). */
  maxBlockNodes: 31,
  maxBlockBytes: 1_280,
  /** Blocks that one isolate of an edge keeps: about a kilobyte each, and all of a table of some fifty thousand rows. */
  cachedBlocks: 16_384,
  /** Imported login keys that one isolate keeps. */
  loginKeys: 1_024,
  /** Rows and entries in one answer, if the request does not say otherwise (spec: READ-01). */
  defaultAnswerEntries: 100,
  maxAnswerEntries: 1_000,
  /** Token buckets of rate limits that one isolate remembers, each for addresses and for owners. */
  rateBuckets: 16_384,
  /** How long a statement waits for another process's lock on the database. */
  databaseBusyMillis: 5_000,
  /** Prepared statements that an embedded database keeps. */
  databaseStatements: 256,
  /** A copy of an edge's database that is verified: it is copied once more. */
  maxDumpBytes: 8_589_934_592,
  /** Statements that one transaction gathers from concurrent callers; a single batch may be larger. */
  databaseGroupStatements: 512,
  /** Bytes of statements and parameters that one request to a database server gathers from concurrent callers. */
  databaseGroupBytes: 1_048_576,
  /** No single call to a database server is larger: sqld drops the connection somewhere below 16 MiB. */
  databaseCallBytes: 8_388_608,
  /** How long a database server may take to answer. */
  databaseAnswerMillis: 15_000,
  /** Small files that the manager reads: settings of an edge, a recovery key, its own settings, a lock, the journal of an update. */
  maxEnvFileBytes: 65_536,
  maxRecoveryFileBytes: 4_096,
  maxSettingsBytes: 65_536,
  maxLockFileBytes: 256,
  maxJournalBytes: 4_096,
  /** How long a command waits for another process's turn. */
  lockWaitMillis: 15_000,
  /** Lines that one command lists. */
  maxListed: 1_000_000,
  /** What an owner may choose: rows up to which everything is re-encrypted, and cover rows of a delta. */
  maxFullUpToRows: 1_000_000,
  maxCoverRows: 64,
  /** More alarms, or forks, are open only when somebody wants to fill the disk; what they say is known by then. */
  maxOpenAlarms: 1_000,
  maxForks: 1_000,
  /** Redirects that are followed to a release. */
  maxRedirects: 5,
  /** How deep folders of mail, and parts of a message, may lie in each other; and of a Date header, as much as is read. */
  maxMailboxDepth: 64,
  maxMimeNesting: 50,
  maxDateHeaderChars: 512,
  /** A record with a wrapped key on the manager's disk, with room for what a key service returns. */
  maxWrappedKeyFileBytes: 16_384,
  /** How far above every number that it knows of a restored manager goes on (spec: BACKUP-09). */
  restoreGap: 1_048_576,
  /** How far a head that a device saw may be above all that backup and edge show at a restore (spec: BACKUP-20). */
  maxSeenLead: 67_108_864,
  /** Plaintext bytes in one chunk of a backup, and in one record of it (shared/spec/backup.md). */
  backupChunkBytes: 65_536,
  maxBackupRecordBytes: 8_388_608,
  maxBackupHeaderBytes: 32_768,
  maxBackupTables: 256,
  maxBackupColumns: 64,
  /** Files of a registration, decoded, and what an answer may hold (spec: REG-03, REG-06). */
  maxRegistrationRequestBytes: 4_096,
  maxRegistrationAnswerBytes: 131_072,
  maxMemberKeysBytes: 65_536,
  maxSharedKeys: 64,
  maxProductChars: 128,
  /** Versions of an MDK, registrations of one instance, and a file that all of it was exported into. */
  maxMdkVersions: 1_000,
  maxRegistrations: 32,
  maxMdkExportBytes: 4_194_304,
  maxKeyIdChars: 128,
  maxPassphraseChars: 1_024,
  /** Below this, Argon2id does not help either. */
  minNewPassphraseChars: 10,
  /** Argon2id parameters that are read from a file; four times the memory of our own, for what brings a small machine down. */
  minArgon2MemoryKib: 8_192,
  maxArgon2MemoryKib: 262_144,
  maxArgon2Passes: 16,
  maxArgon2Lanes: 16,
  /** PBKDF2 iterations that are read from an exported key; about five seconds. */
  minPbkdf2Iterations: 1_000,
  maxPbkdf2Iterations: 10_000_000,
  /** A file with an exported private key: RSA-8192 has about 6,500 characters. */
  maxPrivateKeyPemBytes: 16_384,
  maxPkcs8Bytes: 8_192,
  maxPbes2SaltBytes: 64,
  /** Where a KEK is, in a token or a key service; and what the service returns for 32 bytes, which is about 160. */
  maxPkcs11UriChars: 1_024,
  maxKmsArnChars: 1_024,
  maxKmsCiphertextBytes: 4_096,
  /** Levels of the tree of instances (spec: COVER-01). */
  maxCoverDepth: 32,
  /** Entries in the header of a release, always a power of two (spec: COVER-07): up to 65,536 instances can be revoked. */
  minCoverEntries: 64,
  maxCoverEntries: 131_072,
  /** What names a release to a cover (spec: COVER-06). */
  maxCoverReleaseBytes: 1_024,
  /** Keys of an instance in a tree of depth 32, which take 18,008 (spec: COVER-04). */
  maxCoverMemberBytes: 18_432,
  /** Files of a release (spec: MAN-03). */
  maxEnvelopeBytes: 67_108_864,
  /** Beside the content, which OpenSSL's S/MIME form repeats. */
  maxReleaseSignatureBytes: 262_144,
  maxManifestBytes: 16_777_216,
  maxIndexBytes: 1_048_576,
  maxIndexReleases: 1_024,
  /** Nesting and values of any of them. */
  maxJsonDepth: 8,
  maxJsonValues: 524_288,
  /** What a release consists of (spec: MAN-04, MAN-05). */
  maxReleaseFiles: 65_536,
  maxReleaseBytes: 68_719_476_736,
  maxReleasePathBytes: 1_024,
  maxReleasePathSegments: 32,
  maxReleaseSegmentBytes: 255,
  maxReleaseNotesBytes: 65_536,
  maxReleaseNameChars: 128,
  /** Instances that one envelope wraps its key for, each by itself (spec: MAN-14). */
  maxRecipients: 16_384,
  /** The header of schema 3 (spec: MAN-18): room for 65,536 revoked. */
  maxCoverHeaderBytes: 8_388_608,
  /** From a release's time to its end, and from an index's (spec: MAN-04, IDX-04). */
  maxReleaseLifeMillis: 158_112_000_000,
  maxIndexLifeMillis: 7_948_800_000,
  /** Certificates whose word on numbers and floors is remembered (spec: IDX-05). */
  maxRememberedSigners: 8,
} as const;
