// The whole schema. Laws of money that SQL can hold are held here as CHECK, UNIQUE and FOREIGN KEY;
// the ones that need a trigger (balanced entries, append-only postings) are in migrations/0001.
// No schema name and no enum type: one PostgreSQL schema is one city.
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { bytes, fen, moment } from './columns.ts';

// ---- the city -------------------------------------------------------------------------------

/** One row: how far business time is from the database's clock. Always 0 in production. */
export const businessClock = pgTable(
  'business_clock',
  { one: boolean().primaryKey().default(true), offsetSeconds: integer().notNull().default(0) },
  (t) => [check('business_clock_one', sql`${t.one}`)],
);

export const hospital = pgTable('hospital', {
  /** The insurer's fixmedins_code: H + 11 digits. */
  code: text().primaryKey(),
  name: text().notNull(),
  /** 1 community and first level, 2, 3. */
  level: integer().notNull(),
  region: text().notNull(),
  /** Its contract ended: no terminal, no new visit; what was settled goes on. */
  leftAt: moment(),
});

export const lender = pgTable('lender', { code: text().primaryKey(), name: text().notNull() });

/** Versioned, dated data: credit policy, lender products, regional insurance settings. */
export const policy = pgTable(
  'policy',
  {
    kind: text().notNull(),
    name: text().notNull(),
    version: integer().notNull(),
    validFrom: moment().notNull(),
    data: jsonb().notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.name, t.version] })],
);

// ---- people and access ----------------------------------------------------------------------

export const citizen = pgTable('citizen', {
  id: text().primaryKey(),
  /** Keyed blind index of the normalised ID number; the number itself is only in `idNumber`. */
  idIndex: bytes().notNull().unique(),
  idNumber: bytes().notNull(),
  name: bytes().notNull(),
  phone: bytes(),
  /** Patient's wish, 个账授权: use personal / family account money at the insurer. */
  usePersonalAccount: boolean().notNull().default(false),
  useFamilyAccount: boolean().notNull().default(false),
  /** Verified bank account (token of the lender) that money goes back to; encrypted. */
  bankAccount: bytes(),
  bankCode: text(),
  createdAt: moment().notNull().defaultNow(),
});

export const consent = pgTable(
  'consent',
  {
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    kind: text().notNull(),
    agreementVersion: text().notNull(),
    grantedAt: moment().notNull(),
    withdrawnAt: moment(),
  },
  (t) => [
    primaryKey({ columns: [t.citizenId, t.kind, t.grantedAt] }),
    uniqueIndex('consent_live').on(t.citizenId, t.kind).where(sql`withdrawn_at is null`),
  ],
);

/** A maker of counter terminals whose signed assertions (face, NFC) we believe. */
export const terminalVendor = pgTable('terminal_vendor', {
  id: text().primaryKey(),
  /** `iss` of its assertions. */
  issuer: text().notNull().unique(),
  name: text().notNull(),
  /** Public keys, JWK. */
  keys: jsonb().notNull(),
  createdAt: moment().notNull(),
  revokedAt: moment(),
});

export const terminal = pgTable('terminal', {
  id: text().primaryKey(),
  clientId: text().notNull().unique(),
  hospitalCode: text()
    .notNull()
    .references(() => hospital.code),
  name: text().notNull(),
  jwk: jsonb().notNull(),
  revokedAt: moment(),
  createdAt: moment().notNull().defaultNow(),
});

/** Our own signing keys (private JWK encrypted) by purpose: access tokens, sandbox issuers. */
export const signingKey = pgTable('signing_key', {
  kid: text().primaryKey(),
  purpose: text().notNull(),
  publicJwk: jsonb().notNull(),
  privateJwk: bytes().notNull(),
  createdAt: moment().notNull().defaultNow(),
});

/** Spent one-time things: jti of client assertions, signed credentials. Real time. */
export const spentToken = pgTable(
  'spent_token',
  { hash: bytes().primaryKey(), kind: text().notNull(), expiresAt: moment().notNull() },
  (t) => [index('spent_token_expiry').on(t.expiresAt)],
);

/** Payment codes (60 s) and identifications (10 min): one-time, spent by the transaction using them. */
export const oneTimeCredential = pgTable(
  'one_time_credential',
  {
    hash: bytes().primaryKey(),
    kind: text().notNull(),
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    terminalId: text(),
    /** What the first credential proved (insurer's answer), kept for the opening of the visit. */
    proof: bytes(),
    expiresAt: moment().notNull(),
    usedAt: moment(),
  },
  (t) => [index('one_time_credential_expiry').on(t.expiresAt)],
);

/** Cards and insurance codes seen while the insurer could say whose they are (keyed hash). */
export const seenCredential = pgTable('seen_credential', {
  hash: bytes().primaryKey(),
  citizenId: text()
    .notNull()
    .references(() => citizen.id),
  seenAt: moment().notNull(),
});

export const accessLog = pgTable(
  'access_log',
  {
    id: text().primaryKey(),
    citizenId: text().notNull(),
    actor: text().notNull(),
    hospitalCode: text(),
    action: text().notNull(),
    at: moment().notNull(),
  },
  (t) => [index('access_log_citizen').on(t.citizenId, t.at)],
);

export const idempotencyKey = pgTable(
  'idempotency_key',
  {
    client: text().notNull(),
    key: text().notNull(),
    /** SHA-256 of method, path and canonical parsed body. */
    requestHash: bytes().notNull(),
    /** Null while the first request is still running. */
    status: integer(),
    contentType: text(),
    body: text(),
    /** Real time until which a running request is believed alive. */
    leaseUntil: moment(),
    createdAt: moment().notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.client, t.key] }), index('idempotency_age').on(t.createdAt)],
);

// ---- credit ---------------------------------------------------------------------------------

export const creditLine = pgTable(
  'credit_line',
  {
    id: text().primaryKey(),
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    lender: text()
      .notNull()
      .references(() => lender.code),
    product: text().notNull(),
    status: text().notNull(),
    /** Why nothing more is lent: "overdue" by our policy; lifted when nothing is overdue any more. */
    suspendedFor: text(),
    /** The lender's own freeze ("lender") or a death ("death"); only the lender lifts it. */
    frozenFor: text(),
    /** False once any consent is withdrawn: no new holds, what exists goes on. */
    consented: boolean().notNull().default(true),
    limit: fen().notNull(),
    inpatientExtra: fen().notNull(),
    outageExtra: fen().notNull(),
    held: fen().notNull().default(sql`0`),
    outstanding: fen().notNull().default(sql`0`),
    scoreValue: integer().notNull(),
    scoreTier: integer().notNull(),
    scoreAsOf: moment().notNull(),
    policyVersion: integer().notNull(),
    agreementVersion: text().notNull(),
    openedAt: moment().notNull(),
    closedAt: moment(),
  },
  (t) => [
    uniqueIndex('credit_line_one_open').on(t.citizenId).where(sql`status <> 'closed'`),
    check('credit_line_status', sql`${t.status} in ('active','suspended','closed')`),
    check(
      'credit_line_suspended',
      sql`${t.status} = 'closed'
      or (${t.status} = 'suspended') = (${t.suspendedFor} is not null or ${t.frozenFor} is not null)`,
    ),
    check('credit_line_frozen', sql`${t.frozenFor} in ('lender','death')`),
    check(
      'credit_line_signs',
      sql`${t.held} >= 0 and ${t.outstanding} >= 0 and ${t.limit} >= 0
      and ${t.inpatientExtra} >= 0 and ${t.outageExtra} >= 0`,
    ),
    check(
      'credit_line_closed_empty',
      sql`${t.status} <> 'closed' or (${t.held} = 0 and ${t.outstanding} = 0)`,
    ),
  ],
);

/** A payer lets a beneficiary use the payer's line, within caps. Locked after the line and its holds. */
export const familyLink = pgTable(
  'family_link',
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    payerCitizenId: text()
      .notNull()
      .references(() => citizen.id),
    beneficiaryCitizenId: text()
      .notNull()
      .references(() => citizen.id),
    status: text().notNull(),
    /** What proved the kinship; null while papers wait to be checked by a person. */
    proof: text(),
    /** What the payer says of the papers; encrypted. */
    papers: bytes(),
    visitCap: fen().notNull(),
    monthlyCap: fen().notNull(),
    /** Fen, as text, by month of placing (Shanghai, "2026-01"): held + captured - given back. */
    usedByMonth: jsonb().$type<Record<string, string>>().notNull().default({}),
    createdAt: moment().notNull(),
    acceptedAt: moment(),
    /** guardian (a child does not accept), app or counter. */
    acceptedVia: text(),
    /** A minorChild link ends by itself on the 18th birthday. */
    endsAt: moment(),
    endedAt: moment(),
    endReason: text(),
    version: integer().notNull().default(1),
  },
  (t) => [
    uniqueIndex('family_link_one')
      .on(t.payerCitizenId, t.beneficiaryCitizenId)
      .where(sql`status <> 'ended'`),
    index('family_link_beneficiary').on(t.beneficiaryCitizenId).where(sql`status <> 'ended'`),
    index('family_link_end').on(t.endsAt).where(sql`status <> 'ended'`),
    check('family_link_kind', sql`${t.kind} in ('minorChild','parentCare')`),
    check('family_link_status', sql`${t.status} in ('pending','active','ended')`),
    check('family_link_proof', sql`${t.proof} in ('registry','papers')`),
    check('family_link_accepted', sql`${t.acceptedVia} in ('guardian','app','counter')`),
    check(
      'family_link_active',
      sql`${t.status} <> 'active' or (${t.acceptedAt} is not null and ${t.proof} is not null)`,
    ),
    check('family_link_ended', sql`(${t.status} = 'ended') = (${t.endedAt} is not null)`),
    check('family_link_minor_ends', sql`${t.kind} <> 'minorChild' or ${t.endsAt} is not null`),
    check('family_link_caps', sql`${t.visitCap} > 0 and ${t.monthlyCap} > 0`),
    check('family_link_others', sql`${t.payerCitizenId} <> ${t.beneficiaryCitizenId}`),
  ],
);

export const hold = pgTable(
  'hold',
  {
    id: text().primaryKey(),
    lineId: text()
      .notNull()
      .references(() => creditLine.id),
    visitId: text().notNull(),
    status: text().notNull(),
    amount: fen().notNull(),
    captured: fen().notNull().default(sql`0`),
    /** What the guard saw when this amount was placed or raised, so that verify can check it later. */
    limitThen: fen().notNull(),
    extraThen: fen().notNull(),
    heldThen: fen().notNull(),
    outstandingThen: fen().notNull(),
    /** The family link that it was placed by; what its caps were and what they had used then, without it. */
    familyLinkId: text().references(() => familyLink.id),
    visitCapThen: fen(),
    visitUsedThen: fen(),
    monthlyCapThen: fen(),
    monthUsedThen: fen(),
    placedAt: moment().notNull(),
    expiresAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('hold_one_placed').on(t.visitId).where(sql`status = 'placed'`),
    index('hold_line').on(t.lineId).where(sql`status = 'placed'`),
    index('hold_visit').on(t.visitId),
    index('hold_expiry').on(t.expiresAt).where(sql`status = 'placed'`),
    check('hold_status', sql`${t.status} in ('placed','captured','voided','expired')`),
    check('hold_amounts', sql`${t.amount} > 0 and ${t.captured} >= 0`),
    check(
      'hold_resolved',
      sql`(${t.status} = 'placed') = (${t.resolvedAt} is null)
      and (${t.status} = 'captured' or ${t.captured} = 0)`,
    ),
    check(
      'hold_within_limit',
      sql`${t.heldThen} + ${t.outstandingThen} + ${t.amount} <= ${t.limitThen} + ${t.extraThen}`,
    ),
    check(
      'hold_within_caps',
      sql`case when ${t.familyLinkId} is null then ${t.visitCapThen} is null
        else coalesce(${t.visitUsedThen} + ${t.amount} <= ${t.visitCapThen}
          and ${t.monthUsedThen} + ${t.amount} <= ${t.monthlyCapThen}, false) end`,
    ),
    index('hold_family_link').on(t.familyLinkId).where(sql`family_link_id is not null`),
  ],
);

/** Step-up: a hold above the policy's amount waits for the payer's own word. */
export const holdConfirmation = pgTable(
  'hold_confirmation',
  {
    id: text().primaryKey(),
    visitId: text().notNull(),
    payerCitizenId: text()
      .notNull()
      .references(() => citizen.id),
    /** The total to be held once it is confirmed. */
    amount: fen().notNull(),
    status: text().notNull(),
    /** app, or the kind of the second credential shown at the counter. */
    confirmedBy: text(),
    createdAt: moment().notNull(),
    expiresAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('hold_confirmation_one').on(t.visitId).where(sql`status = 'pending'`),
    index('hold_confirmation_visit').on(t.visitId),
    index('hold_confirmation_payer').on(t.payerCitizenId).where(sql`status = 'pending'`),
    check(
      'hold_confirmation_status',
      sql`${t.status} in ('pending','confirmed','declined','expired')`,
    ),
    check('hold_confirmation_amount', sql`${t.amount} > 0`),
    check('hold_confirmation_resolved', sql`(${t.status} = 'pending') = (${t.resolvedAt} is null)`),
  ],
);

export const receivable = pgTable(
  'receivable',
  {
    id: text().primaryKey(),
    lineId: text()
      .notNull()
      .references(() => creditLine.id),
    /** The payer of then, whatever happens to links later. */
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    lender: text().notNull(),
    settlementId: text().notNull(),
    holdId: text(),
    amount: fen().notNull(),
    paid: fen().notNull().default(sql`0`),
    /** Given back by refunds and conversions while it was still owed. */
    reduced: fen().notNull().default(sql`0`),
    writtenOff: fen().notNull().default(sql`0`),
    dueAt: moment().notNull(),
    awaitsInsurance: boolean().notNull().default(false),
    overdueAt: moment(),
    /** The lender's loan (借据号) once its disbursement answer booked it. */
    loanNumber: text(),
    /** The business day whose disbursement file lists it. */
    disbursedOn: date({ mode: 'string' }),
    createdAt: moment().notNull(),
  },
  (t) => [
    uniqueIndex('receivable_loan').on(t.lender, t.loanNumber),
    index('receivable_due').on(t.dueAt).where(sql`amount > paid + reduced + written_off`),
    index('receivable_undisbursed').on(t.lender, t.createdAt).where(sql`disbursed_on is null`),
    index('receivable_owed')
      .on(t.lineId, t.dueAt)
      .where(sql`amount > paid + reduced + written_off`),
    index('receivable_citizen').on(t.citizenId, t.dueAt),
    index('receivable_settlement').on(t.settlementId),
    check(
      'receivable_signs',
      sql`${t.amount} > 0 and ${t.paid} >= 0 and ${t.reduced} >= 0
      and ${t.writtenOff} >= 0 and ${t.paid} + ${t.reduced} + ${t.writtenOff} <= ${t.amount}`,
    ),
  ],
);

export const repayment = pgTable(
  'repayment',
  {
    id: text().primaryKey(),
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    lineId: text()
      .notNull()
      .references(() => creditLine.id),
    lender: text().notNull(),
    /** citizen (they asked), relative (another person pays), autoDebit (due), lender (it told us). */
    cause: text().notNull(),
    /** Whose account is debited, when it is not the debtor's own. */
    paidByCitizenId: text().references(() => citizen.id),
    /** An auto-debit's time of trying, e.g. "2026-01-02T08:00": one a line, however many workers look. */
    slot: text(),
    amount: fen().notNull(),
    status: text().notNull(),
    /** The bank's own serial of the debit once it says one. */
    bankSerial: text(),
    reason: text(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
    /** The bank took a confirmed debit back. */
    returnedAt: moment(),
  },
  (t) => [
    uniqueIndex('repayment_slot').on(t.lineId, t.slot),
    index('repayment_paid_by').on(t.paidByCitizenId).where(sql`paid_by_citizen_id is not null`),
    uniqueIndex('repayment_serial').on(t.lender, t.bankSerial),
    check('repayment_cause', sql`${t.cause} in ('citizen','relative','autoDebit','lender')`),
    check('repayment_by', sql`(${t.cause} = 'relative') = (${t.paidByCitizenId} is not null)`),
    check('repayment_auto', sql`(${t.cause} = 'autoDebit') = (${t.slot} is not null)`),
    check('repayment_returned', sql`(${t.status} = 'returned') = (${t.returnedAt} is not null)`),
    index('repayment_open').on(t.createdAt).where(sql`status in ('processing','unknown')`),
    index('repayment_citizen').on(t.citizenId, t.createdAt),
    check('repayment_amount', sql`${t.amount} > 0`),
    check(
      'repayment_status',
      sql`${t.status} in ('processing','paid','failed','unknown','returned')`,
    ),
  ],
);

export const repaymentAllocation = pgTable(
  'repayment_allocation',
  {
    repaymentId: text()
      .notNull()
      .references(() => repayment.id),
    receivableId: text()
      .notNull()
      .references(() => receivable.id),
    amount: fen().notNull(),
    /** True while the debit is under way: at most one a receivable. */
    isOpen: boolean().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.repaymentId, t.receivableId] }),
    index('repayment_allocation_receivable').on(t.receivableId),
    uniqueIndex('one_debit_under_way').on(t.receivableId).where(sql`is_open`),
    check('allocation_amount', sql`${t.amount} > 0`),
  ],
);

// ---- visits ---------------------------------------------------------------------------------

export const visit = pgTable(
  'visit',
  {
    id: text().primaryKey(),
    hospitalCode: text()
      .notNull()
      .references(() => hospital.code),
    visitNumber: text().notNull(),
    kind: text().notNull(),
    status: text().notNull(),
    /** Null only for an unnamed emergency. */
    citizenId: text().references(() => citizen.id),
    /** Whose credit line: "self", a family link id, or null (no credit). */
    payer: text(),
    payerCitizenId: text().references(() => citizen.id),
    credentialKind: text(),
    businessDate: date({ mode: 'string' }).notNull(),
    startedAt: moment().notNull(),
    /** What the insurer's 1101 said, encrypted (psn_no, insutype, region …); null = not asked or unknown. */
    insuredPerson: bytes(),
    insured: jsonb().notNull(),
    /** Insurer's registration, once 2201 (inpatient: 2401) was answered. */
    mdtrtId: text(),
    /** Cross-region filing as last asked: {status, reason?, askedAt}; null within the region. */
    filing: jsonb(),
    /** An inpatient's discharge (2402 follows its settlement); null while admitted. */
    dischargedAt: moment(),
    /** Who stood there for the patient, with both credentials; no right to a line. */
    proxyCitizenId: text().references(() => citizen.id),
    holdDecline: text(),
    /** Clinical fields for the claim; encrypted (diagnoses). */
    clinical: bytes(),
    usePersonalAccount: boolean().notNull(),
    useFamilyAccount: boolean().notNull(),
    /** Who stood at the terminal; encrypted (a person's name). */
    operator: bytes(),
    terminalId: text(),
    chargedTotal: fen().notNull().default(sql`0`),
    openedAt: moment().notNull(),
    version: integer().notNull().default(1),
  },
  (t) => [
    uniqueIndex('visit_number').on(t.hospitalCode, t.visitNumber).where(sql`status <> 'cancelled'`),
    index('visit_citizen').on(t.citizenId, t.openedAt),
    index('visit_by_number').on(t.hospitalCode, t.visitNumber),
    index('visit_newest').on(t.hospitalCode, t.openedAt, t.id),
    check('visit_status', sql`${t.status} in ('open','settling','settled','cancelled')`),
    check('visit_charged', sql`${t.chargedTotal} >= 0`),
    check('visit_proxy', sql`${t.proxyCitizenId} <> ${t.citizenId}`),
    check('visit_discharged', sql`${t.dischargedAt} is null or ${t.kind} = 'inpatient'`),
  ],
);

export const chargeBatch = pgTable(
  'charge_batch',
  {
    visitId: text()
      .notNull()
      .references(() => visit.id),
    batch: text().notNull(),
    position: integer().notNull(),
    total: fen().notNull(),
    /** The one settlement (or running intent) that it belongs to. */
    settlementId: text(),
    createdAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.visitId, t.batch] }),
    index('charge_batch_settlement').on(t.settlementId),
    check('batch_total', sql`${t.total} >= 0`),
  ],
);

export const charge = pgTable(
  'charge',
  {
    visitId: text().notNull(),
    lineNumber: integer().notNull(),
    batch: text().notNull(),
    code: text().notNull(),
    name: text().notNull(),
    quantity: numeric({ precision: 16, scale: 4 }).notNull(),
    unitPrice: numeric({ precision: 18, scale: 6 }).notNull(),
    amount: fen().notNull(),
    occurredAt: moment().notNull(),
    isOutsideInsurance: boolean().notNull().default(false),
    /** hospitalItemCode, doctor, department, prescriptionNumber, traceCodes: as sent. */
    detail: jsonb().notNull(),
    refundedQuantity: numeric({ precision: 16, scale: 4 }).notNull().default('0'),
    refundedAmount: fen().notNull().default(sql`0`),
  },
  (t) => [
    primaryKey({ columns: [t.visitId, t.lineNumber] }),
    foreignKey({
      columns: [t.visitId, t.batch],
      foreignColumns: [chargeBatch.visitId, chargeBatch.batch],
    }).onDelete('cascade'),
    check('charge_amount', sql`${t.amount} = round(${t.quantity} * ${t.unitPrice} * 100)`),
    check(
      'charge_refunded',
      sql`${t.refundedAmount} between 0 and ${t.amount}
      and ${t.refundedQuantity} between 0 and ${t.quantity}`,
    ),
  ],
);

// ---- settlement -----------------------------------------------------------------------------

export const settlement = pgTable(
  'settlement',
  {
    id: text().primaryKey(),
    visitId: text()
      .notNull()
      .references(() => visit.id),
    hospitalCode: text().notNull(),
    citizenId: text(),
    status: text().notNull(),
    insuranceStatus: text().notNull(),
    insuranceReason: text(),
    total: fen().notNull(),
    dueAtCounter: fen().notNull(),
    /** What a refund or conversion took off the unpaid due; `dueAtCounter` itself stays as settled. */
    dueReduced: fen().notNull().default(sql`0`),
    /** What the patient owes because the insurer finally refused the rest after a refund. */
    arrears: fen().notNull().default(sql`0`),
    arrearsReduced: fen().notNull().default(sql`0`),
    /** Counter tenders that were not (wholly) needed. */
    unused: jsonb().notNull(),
    payer: text(),
    payerCitizenId: text(),
    receiptNumber: text(),
    invoice: jsonb(),
    isInterim: boolean().notNull().default(false),
    isLateCapture: boolean().notNull().default(false),
    /** Sum of what was billed less what was refunded, in fen. */
    refundable: fen().notNull(),
    settledAt: moment().notNull(),
    recordedAt: moment().notNull(),
    businessDate: date({ mode: 'string' }).notNull(),
    terminalId: text(),
    /** How long the settling request took, for the city's figures; null where a worker finished it. */
    counterMs: integer(),
  },
  (t) => [
    index('settlement_day').on(t.businessDate, t.hospitalCode),
    index('settlement_visit').on(t.visitId),
    index('settlement_citizen').on(t.citizenId, t.settledAt),
    index('settlement_payer').on(t.payerCitizenId, t.settledAt),
    check(
      'settlement_status',
      sql`${t.status} in ('awaitingPayment','settled','partlyRefunded','refunded')`,
    ),
    check(
      'settlement_insurance',
      sql`${t.insuranceStatus} in
      ('claimed','awaitingInsurance','converted','rejected','notInsured','skipped','reversed')`,
    ),
    check(
      'settlement_amounts',
      sql`${t.dueAtCounter} between 0 and ${t.total}
      and ${t.refundable} between 0 and ${t.total}`,
    ),
    check(
      'settlement_due',
      sql`(${t.status} <> 'awaitingPayment' or ${t.dueAtCounter} > 0)
      and ${t.dueReduced} between 0 and ${t.dueAtCounter}
        and ${t.arrearsReduced} between 0 and ${t.arrears}`,
    ),
  ],
);

/** One part of the bill by one source, as settled or converted; refunds never change these rows. */
export const tender = pgTable(
  'tender',
  {
    settlementId: text()
      .notNull()
      .references(() => settlement.id),
    position: integer().notNull(),
    kind: text().notNull(),
    amount: fen().notNull(),
    reference: text(),
    /** Given back so far, by refund or conversion. */
    givenBack: fen().notNull().default(sql`0`),
    paidAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.settlementId, t.position] }),
    check('tender_amounts', sql`${t.amount} > 0 and ${t.givenBack} between 0 and ${t.amount}`),
  ],
);

/** Natural keys that are unique for ever in a hospital: counter tender references, receipt numbers. */
export const usedReference = pgTable(
  'used_reference',
  {
    hospitalCode: text().notNull(),
    kind: text().notNull(),
    reference: text().notNull(),
    settlementId: text().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.hospitalCode, t.kind, t.reference] }),
    index('used_reference_settlement').on(t.settlementId),
  ],
);

/** A run with network calls: what was meant, who is at it, until when. At most one at the counter a visit. */
export const intent = pgTable(
  'intent',
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    status: text().notNull(),
    visitId: text()
      .notNull()
      .references(() => visit.id),
    settlementId: text(),
    /** The request and everything needed to go on after a crash; encrypted. */
    request: bytes().notNull(),
    client: text(),
    key: text(),
    /** Fencing: only the holder of this token may finish. Real time. */
    leaseToken: text().notNull(),
    leaseUntil: moment().notNull(),
    createdAt: moment().notNull().defaultNow(),
    finishedAt: moment(),
  },
  (t) => [
    uniqueIndex('intent_one_at_counter')
      .on(t.visitId)
      .where(sql`status = 'running' and kind in ('settle','oneScan','preview')`),
    uniqueIndex('intent_one_on_settlement')
      .on(t.settlementId)
      .where(sql`status = 'running' and kind in ('refund','convert')`),
    index('intent_visit').on(t.visitId).where(sql`status = 'running'`),
    check('intent_kind', sql`${t.kind} in ('settle','oneScan','preview','refund','convert')`),
    index('intent_key').on(t.client, t.key).where(sql`status = 'running'`),
    index('intent_lease').on(t.leaseUntil).where(sql`status = 'running'`),
    check('intent_status', sql`${t.status} in ('running','finished','undone')`),
  ],
);

// ---- insurance ------------------------------------------------------------------------------

/** Every message that changes the insurer's books: stored before it is sent, answered before used. */
export const insuranceMessage = pgTable(
  'insurance_message',
  {
    msgid: text().primaryKey(),
    intentId: text().notNull(),
    /** Which try of the same trade within the intent: 1, 2, … */
    attempt: integer().notNull(),
    infno: text().notNull(),
    route: text().notNull(),
    hospitalCode: text().notNull(),
    visitId: text().notNull(),
    request: bytes().notNull(),
    requestHash: bytes().notNull(),
    sentAt: moment().notNull(),
    /** ok | rejected | offline | unknown; null = no answer stored (unknown fate). */
    outcome: text(),
    answer: bytes(),
    answeredAt: moment(),
    /** For an unknown fate: what was learnt later (live, absent, reversed). */
    fate: text(),
  },
  (t) => [
    uniqueIndex('insurance_message_step').on(t.intentId, t.infno, t.attempt),
    index('insurance_message_visit').on(t.visitId, t.sentAt),
    index('insurance_message_reversed').on(t.sentAt).where(sql`fate = 'reversed'`),
  ],
);

/** The insurer's settlement of a bill (setl_id) as our books know it. */
export const claim = pgTable(
  'claim',
  {
    id: text().primaryKey(),
    settlementId: text()
      .notNull()
      .references(() => settlement.id),
    setlId: text().notNull(),
    hospitalCode: text().notNull(),
    mdtrtId: text().notNull(),
    msgid: text().notNull(),
    status: text().notNull(),
    insutype: text().notNull(),
    clrType: text().notNull(),
    clrOptins: text().notNull(),
    setlTime: moment().notNull(),
    total: fen().notNull(),
    fund: fen().notNull(),
    account: fen().notNull(),
    familyAccount: fen().notNull(),
    hospitalBorne: fen().notNull(),
    cash: fen().notNull(),
    /** The insurer's whole answer, encrypted. */
    split: bytes().notNull(),
    reversalSetlId: text(),
    reversedAt: moment(),
  },
  (t) => [
    uniqueIndex('claim_one_live').on(t.settlementId).where(sql`status = 'live'`),
    uniqueIndex('claim_setl_id').on(t.hospitalCode, t.setlId),
    check('claim_status', sql`${t.status} in ('live','reversed')`),
    check(
      'claim_sums',
      sql`${t.total} = ${t.fund} + ${t.account} + ${t.hospitalBorne} + ${t.cash}
      and ${t.familyAccount} between 0 and ${t.account} and ${t.fund} >= 0 and ${t.cash} >= 0
      and ${t.hospitalBorne} >= 0`,
    ),
  ],
);

/** A failing-over switch per route, shared by all processes (domain.md, Breaker). */
export const insuranceRoute = pgTable(
  'insurance_route',
  {
    route: text().primaryKey(),
    /** online (closed) · offline (open); half-open is offline with a trial under way. */
    status: text().notNull(),
    since: moment().notNull(),
    reason: text(),
    outageId: text(),
    /** Real time of recent failures of 2201–2207, for "2 within 10 s". */
    failures: integer().notNull().default(0),
    firstFailureAt: moment(),
    /** Open: from when on one trial may go all the way to 2207. */
    trialAt: moment(),
    trialToken: text(),
    trialUntil: moment(),
  },
  (t) => [check('insurance_route_status', sql`${t.status} in ('online','offline')`)],
);

/** A time in which a route was offline: seen by the breaker, or planned by the insurer. */
export const outage = pgTable(
  'outage',
  {
    id: text().primaryKey(),
    route: text().notNull(),
    isPlanned: boolean().notNull(),
    reason: text().notNull(),
    startsAt: moment().notNull(),
    /** When the breaker opened; null for a planned window that has not begun. */
    detectedAt: moment(),
    endsAt: moment(),
    drainedAt: moment(),
  },
  (t) => [
    index('outage_route').on(t.route, t.startsAt),
    uniqueIndex('outage_one_open').on(t.route).where(sql`not is_planned and ends_at is null`),
  ],
);

/** Insurer's error texts that no pattern knows: counted and shown to finance. */
export const unlistedText = pgTable(
  'unlisted_text',
  {
    region: text().notNull(),
    infno: text().notNull(),
    text: text().notNull(),
    count: integer().notNull(),
    firstAt: moment().notNull(),
    lastAt: moment().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.infno, t.text] })],
);

export const conversion = pgTable(
  'conversion',
  {
    id: text().primaryKey(),
    settlementId: text()
      .notNull()
      .references(() => settlement.id),
    hospitalCode: text().notNull(),
    route: text().notNull(),
    cause: text().notNull(),
    status: text().notNull(),
    reason: text(),
    attempts: jsonb().notNull(),
    before: jsonb().notNull(),
    after: jsonb(),
    outageId: text(),
    /** An unknown 2207 whose truth must be learnt before anything is claimed. */
    unknownMsgid: text(),
    /** Since when the truth is sought (real time); too long is a finance case. */
    unknownSince: moment(),
    /** Claims whose answer broke an invariant; the second ends in a finance case. */
    brokenClaims: integer().notNull().default(0),
    tries: integer().notNull().default(0),
    /** Who asked for it: null for our own, else the client. */
    requestedBy: text(),
    confirmedAt: moment(),
    nextAttemptAt: moment().notNull(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('conversion_one_open')
      .on(t.settlementId)
      .where(sql`status in ('queued','claiming','awaitingPatient')`),
    index('conversion_queue').on(t.route, t.nextAttemptAt).where(sql`status = 'queued'`),
    index('conversion_settlement').on(t.settlementId),
    index('conversion_outage').on(t.outageId),
    check(
      'conversion_status',
      sql`${t.status} in
      ('queued','claiming','awaitingPatient','converted','rejected','cancelled')`,
    ),
  ],
);

// ---- money back -----------------------------------------------------------------------------

export const refund = pgTable(
  'refund',
  {
    id: text().primaryKey(),
    settlementId: text()
      .notNull()
      .references(() => settlement.id),
    status: text().notNull(),
    /** Charges taken off the bill. */
    amount: fen().notNull(),
    lines: jsonb().notNull(),
    /** What came off the insurer's parts, by tender kind, fen as text. */
    insurerParts: jsonb(),
    reason: text().notNull(),
    failure: text(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('refund_one_processing').on(t.settlementId).where(sql`status = 'processing'`),
    index('refund_settlement').on(t.settlementId),
    index('refund_resolved').on(t.resolvedAt),
    check('refund_status', sql`${t.status} in ('processing','completed','failed')`),
  ],
);

/** What a refund or conversion gives back, one row a tender it goes to. */
export const moneyBack = pgTable(
  'money_back',
  {
    id: text().primaryKey(),
    settlementId: text()
      .notNull()
      .references(() => settlement.id),
    /** The refund or conversion that gives it back. */
    causeId: text().notNull(),
    position: integer().notNull(),
    kind: text().notNull(),
    amount: fen().notNull(),
    /** True: only reduced what is owed (credit, due at the counter); no money moves. */
    isReduction: boolean().notNull(),
    status: text().notNull(),
    citizenId: text(),
    reference: text(),
    voucherCode: text().unique(),
    reason: text(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('money_back_step').on(t.causeId, t.position),
    index('money_back_settlement').on(t.settlementId),
    check('money_back_amount', sql`${t.amount} > 0`),
    check('money_back_status', sql`${t.status} in ('pending','sent','done','failed','voucher')`),
  ],
);

// ---- the books ------------------------------------------------------------------------------

export const journalEntry = pgTable(
  'journal_entry',
  {
    id: text().primaryKey(),
    /** The business fact, e.g. "settlement.settled". */
    fact: text().notNull(),
    /** The thing it is about: a settlement, repayment, refund … Unique per fact. */
    subjectId: text().notNull(),
    settlementId: text(),
    legCount: integer().notNull(),
    occurredAt: moment().notNull(),
    recordedAt: moment().notNull(),
    businessDate: date({ mode: 'string' }).notNull(),
  },
  (t) => [
    uniqueIndex('journal_entry_fact').on(t.fact, t.subjectId),
    unique('journal_entry_legs').on(t.id, t.legCount),
    index('journal_entry_day').on(t.businessDate),
    index('journal_entry_settlement').on(t.settlementId),
    check('journal_entry_leg_count', sql`${t.legCount} >= 2`),
  ],
);

export const posting = pgTable(
  'posting',
  {
    entryId: text().notNull(),
    leg: integer().notNull(),
    legCount: integer().notNull(),
    /** "H" hospital or "B" lender, and which one. */
    ownerKind: text().notNull(),
    owner: text().notNull(),
    account: text().notNull(),
    /** Debit positive, credit negative, in fen. */
    amount: fen().notNull(),
    /** The other side of a mirrored account: lender of H1203, hospital of B2101. */
    counterparty: text(),
    citizenId: text(),
    settlementId: text(),
    claimId: text(),
    /** Instrument, setl_id, voucher: what the leg is about beside the settlement. */
    reference: text(),
    /** The counter shift whose drawer a leg of H1101 moves. */
    shiftId: text(),
    occurredAt: moment().notNull(),
    undoesEntryId: text(),
    undoesLeg: integer(),
    /** How much of this leg later entries undid; moved by the undoing insert (trigger). */
    undone: fen().notNull().default(sql`0`),
  },
  (t) => [
    primaryKey({ columns: [t.entryId, t.leg] }),
    foreignKey({
      columns: [t.entryId, t.legCount],
      foreignColumns: [journalEntry.id, journalEntry.legCount],
    }),
    foreignKey({ columns: [t.undoesEntryId, t.undoesLeg], foreignColumns: [t.entryId, t.leg] }),
    index('posting_account').on(t.ownerKind, t.owner, t.account, t.occurredAt),
    index('posting_settlement').on(t.settlementId),
    index('posting_citizen').on(t.citizenId).where(sql`citizen_id is not null`),
    index('posting_shift').on(t.shiftId).where(sql`shift_id is not null`),
    check('posting_leg', sql`${t.leg} between 1 and ${t.legCount}`),
    check('posting_owner', sql`${t.ownerKind} in ('H','B')`),
    check('posting_amount', sql`${t.amount} <> 0`),
    check('posting_undone', sql`${t.undone} between 0 and abs(${t.amount})`),
    check('posting_undoes', sql`(${t.undoesEntryId} is null) = (${t.undoesLeg} is null)`),
  ],
);

// ---- the lender's side ------------------------------------------------------------------------

/** Part payments that a hardship plan spreads a receivable over; none: it is due whole. */
export const instalment = pgTable(
  'instalment',
  {
    receivableId: text()
      .notNull()
      .references(() => receivable.id),
    number: integer().notNull(),
    amount: fen().notNull(),
    dueAt: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.receivableId, t.number] }),
    check('instalment_amount', sql`${t.amount} > 0 and ${t.number} > 0`),
  ],
);

/** What was done about a receivable for one due date, once each, however often a worker looks. */
export const dunningStep = pgTable(
  'dunning_step',
  {
    receivableId: text()
      .notNull()
      .references(() => receivable.id),
    /** A receivable that falls due anew begins anew. */
    dueAt: moment().notNull(),
    step: text().notNull(),
    at: moment().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.receivableId, t.dueAt, t.step] }),
    check(
      'dunning_step_kind',
      sql`${t.step} in ('remind3Days','remind1Day','due','overdue','remindOverdue','suspended')`,
    ),
  ],
);

/** A report of overdue debts to the score provider: told first, then sent; taken back when undone. */
export const scoreReport = pgTable(
  'score_report',
  {
    id: text().primaryKey(),
    lineId: text()
      .notNull()
      .references(() => creditLine.id),
    citizenId: text()
      .notNull()
      .references(() => citizen.id),
    status: text().notNull(),
    receivableIds: jsonb().$type<string[]>().notNull(),
    toldAt: moment().notNull(),
    /** Nothing is sent before; the person may object until then. */
    sendAfter: moment().notNull(),
    /** The person's own words; encrypted. */
    objection: bytes(),
    objectedAt: moment(),
    reportedAt: moment(),
    withdrawnAt: moment(),
    /** Why it was dropped or taken back. */
    reason: text(),
  },
  (t) => [
    uniqueIndex('score_report_one')
      .on(t.lineId)
      .where(sql`status in ('told','objected','reporting','reported')`),
    index('score_report_citizen').on(t.citizenId, t.toldAt),
    index('score_report_told').on(t.sendAfter).where(sql`status = 'told'`),
    check(
      'score_report_status',
      sql`${t.status} in
      ('told','objected','dropped','reporting','reported','withdrawing','withdrawn')`,
    ),
    check(
      'score_report_times',
      sql`${t.toldAt} < ${t.sendAfter}
      and (${t.status} not in ('reported','withdrawing','withdrawn') or ${t.reportedAt} is not null)`,
    ),
  ],
);

/** What a lender tells us of its own: Egret mirrors it. Numbered by the lender, taken once. */
export const lenderNotice = pgTable(
  'lender_notice',
  {
    id: text().primaryKey(),
    lender: text()
      .notNull()
      .references(() => lender.code),
    /** The lender's own number of the notice. */
    number: text().notNull(),
    kind: text().notNull(),
    lineId: text().references(() => creditLine.id),
    receivableId: text().references(() => receivable.id),
    repaymentId: text().references(() => repayment.id),
    amount: fen(),
    detail: jsonb().notNull(),
    reason: text().notNull(),
    status: text().notNull(),
    maker: text().notNull(),
    checker: text(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('lender_notice_number').on(t.lender, t.number),
    index('lender_notice_line').on(t.lineId),
    check(
      'lender_notice_kind',
      sql`${t.kind} in ('freeze','unfreeze','limit','lateCharge','hardship','writeOff','death',
      'debitReturned','debitPaidTwice','recovered','received')`,
    ),
    check('lender_notice_status', sql`${t.status} in ('proposed','applied','declined')`),
    check('lender_notice_four_eyes', sql`${t.checker} <> ${t.maker}`),
    check(
      'lender_notice_checked',
      sql`${t.kind} not in ('hardship','writeOff') or ${t.status} = 'proposed' or ${t.checker} is not null`,
    ),
  ],
);

/** One file a lender and business day: what it is asked to disburse, and its answer. */
export const disbursementFile = pgTable(
  'disbursement_file',
  {
    id: text().primaryKey(),
    lender: text()
      .notNull()
      .references(() => lender.code),
    businessDate: date({ mode: 'string' }).notNull(),
    count: integer().notNull(),
    total: fen().notNull(),
    createdAt: moment().notNull(),
    answeredAt: moment(),
    /** SHA-256 of the answer that was taken. */
    answerHash: bytes(),
  },
  (t) => [uniqueIndex('disbursement_file_day').on(t.lender, t.businessDate)],
);

// ---- payouts ----------------------------------------------------------------------------------

/** What a lender pays a hospital for a business day, net; negative is carried into a later one. */
export const payout = pgTable(
  'payout',
  {
    id: text().primaryKey(),
    lender: text()
      .notNull()
      .references(() => lender.code),
    hospitalCode: text()
      .notNull()
      .references(() => hospital.code),
    businessDate: date({ mode: 'string' }).notNull(),
    /** 1 at first, 2 for what a returned one reopened or the day brought later. */
    run: integer().notNull(),
    /** Net of its legs: positive is paid, zero or less is carried. */
    amount: fen().notNull(),
    status: text().notNull(),
    maker: text().notNull(),
    checker: text(),
    /** The later payout that this negative one was carried into. */
    carriedInto: text(),
    /** In the bank's file and statement; at most 35 characters. */
    endToEndId: text().notNull().unique(),
    fileId: text(),
    createdAt: moment().notNull(),
    approvedAt: moment(),
    sentAt: moment(),
    paidAt: moment(),
    /** The bank's reference in the statement that proved it. */
    bankReference: text(),
    returnedAt: moment(),
    returnReason: text(),
  },
  (t) => [
    uniqueIndex('payout_run').on(t.lender, t.hospitalCode, t.businessDate, t.run),
    index('payout_day').on(t.businessDate, t.hospitalCode),
    index('payout_carried')
      .on(t.lender, t.hospitalCode)
      .where(sql`status = 'carried' and carried_into is null`),
    check(
      'payout_status',
      sql`${t.status} in ('proposed','declined','carried','approved','sent','paid','returned')`,
    ),
    check(
      'payout_sign',
      sql`(${t.status} = 'carried') <= (${t.amount} <= 0)
      and (${t.status} not in ('approved','sent','paid','returned') or ${t.amount} > 0)`,
    ),
    check(
      'payout_four_eyes',
      sql`${t.checker} <> ${t.maker}
      and (${t.status} in ('proposed','declined','carried') or ${t.checker} is not null)`,
    ),
    check('payout_end_to_end', sql`length(${t.endToEndId}) <= 35`),
  ],
);

/** The legs of H1203 that a payout pays, gross; a leg is in one living payout at most. */
export const payoutLeg = pgTable(
  'payout_leg',
  {
    payoutId: text()
      .notNull()
      .references(() => payout.id),
    position: integer().notNull(),
    /** capture, refund, conversion, or carried (a negative payout of before). */
    kind: text().notNull(),
    entryId: text(),
    leg: integer(),
    carriedFrom: text().references(() => payout.id),
    settlementId: text(),
    amount: fen().notNull(),
    /** False once its payout was declined or returned: the leg waits for another. */
    isLive: boolean().notNull().default(true),
  },
  (t) => [
    primaryKey({ columns: [t.payoutId, t.position] }),
    foreignKey({ columns: [t.entryId, t.leg], foreignColumns: [posting.entryId, posting.leg] }),
    uniqueIndex('payout_leg_once').on(t.entryId, t.leg).where(sql`is_live`),
    uniqueIndex('payout_carried_once').on(t.carriedFrom).where(sql`is_live`),
    check(
      'payout_leg_kind',
      sql`${t.kind} in ('capture','refund','conversion','carried','adjustment')`,
    ),
    check(
      'payout_leg_of',
      sql`(${t.kind} = 'carried') = (${t.carriedFrom} is not null)
      and (${t.kind} = 'carried') = (${t.entryId} is null) and ${t.amount} <> 0`,
    ),
  ],
);

// ---- the counter's day --------------------------------------------------------------------------

/** One cashier's time at one terminal; its drawer is counted when it closes. */
export const counterShift = pgTable(
  'counter_shift',
  {
    id: text().primaryKey(),
    hospitalCode: text()
      .notNull()
      .references(() => hospital.code),
    terminalId: text()
      .notNull()
      .references(() => terminal.id),
    /** The hospital's own name of the shift. */
    shift: text().notNull(),
    /** Who sits there; encrypted (a person's name). */
    operator: bytes(),
    businessDate: date({ mode: 'string' }).notNull(),
    openingFloat: fen().notNull(),
    /** At closing: what the drawer should hold by the books, and what was counted. */
    expected: fen(),
    counted: fen(),
    openedAt: moment().notNull(),
    closedAt: moment(),
    /** Settlements left unpaid at its end, and what became of them. */
    unpaid: jsonb(),
  },
  (t) => [
    uniqueIndex('counter_shift_one_open').on(t.terminalId).where(sql`closed_at is null`),
    index('counter_shift_terminal').on(t.terminalId, t.openedAt),
    index('counter_shift_day').on(t.hospitalCode, t.businessDate),
    check(
      'counter_shift_closed',
      sql`(${t.closedAt} is null) = (${t.counted} is null)
      and (${t.closedAt} is null) = (${t.expected} is null)`,
    ),
    check('counter_shift_amounts', sql`${t.openingFloat} >= 0 and ${t.counted} >= 0`),
  ],
);

// ---- reconciliation -----------------------------------------------------------------------------

/** One file of a counterparty for one business day, compared with our books. */
export const reconciliation = pgTable(
  'reconciliation',
  {
    id: text().primaryKey(),
    counterparty: text().notNull(),
    businessDate: date({ mode: 'string' }).notNull(),
    /** The hospital or lender whose file it is; empty: the city's. */
    scope: text().notNull(),
    hospitalCode: text(),
    lender: text(),
    format: text().notNull(),
    /** SHA-256 of the bytes as received, hex. */
    fileHash: text().notNull(),
    status: text().notNull(),
    oursCount: integer(),
    oursTotal: fen(),
    theirsCount: integer(),
    theirsTotal: fen(),
    matched: integer(),
    /** Totals by group, sequence numbers, balances: what the file says of itself. */
    detail: jsonb().notNull(),
    /** Why the file was refused: {code, detail, row?, column?}. */
    problem: jsonb(),
    createdBy: text().notNull(),
    createdAt: moment().notNull(),
    finishedAt: moment(),
  },
  (t) => [
    uniqueIndex('reconciliation_file')
      .on(t.counterparty, t.scope, t.businessDate, t.fileHash)
      .where(sql`status <> 'failed'`),
    index('reconciliation_day').on(t.businessDate, t.counterparty),
    check(
      'reconciliation_counterparty',
      sql`${t.counterparty} in ('hospital','insurer','bank','wechatPay','alipay','counter')`,
    ),
    check('reconciliation_status', sql`${t.status} in ('running','done','failed')`),
    check('reconciliation_failed', sql`(${t.status} = 'failed') = (${t.problem} is not null)`),
  ],
);

/** One difference between two books; it lives until both agree or two people settled it. */
export const reconciliationBreak = pgTable(
  'reconciliation_break',
  {
    id: text().primaryKey(),
    /** The run that saw it first. */
    reconciliationId: text().references(() => reconciliation.id),
    counterparty: text().notNull(),
    scope: text().notNull(),
    /** What it is about in words that the next file repeats: makes a re-import find the same break. */
    subject: text().notNull(),
    kind: text().notNull(),
    businessDate: date({ mode: 'string' }).notNull(),
    hospitalCode: text(),
    lender: text(),
    settlementId: text(),
    ourAmount: fen(),
    theirAmount: fen(),
    status: text().notNull(),
    /** The person who looks after it. */
    owner: text(),
    isSelfClearing: boolean().notNull(),
    remedy: text().notNull(),
    /** What each side has: {ours: …, theirs: …}. */
    evidence: jsonb().notNull(),
    openedAt: moment().notNull(),
    resolvedAt: moment(),
    /** How it ended: {by, proposalId?, entryId?, reconciliationId?}. */
    resolution: jsonb(),
    version: integer().notNull().default(1),
  },
  (t) => [
    uniqueIndex('reconciliation_break_one')
      .on(t.counterparty, t.scope, t.subject)
      .where(sql`status = 'open'`),
    index('reconciliation_break_subject').on(t.counterparty, t.scope, t.subject),
    index('reconciliation_break_run').on(t.reconciliationId, t.id),
    index('reconciliation_break_day').on(t.businessDate, t.kind),
    index('reconciliation_break_open').on(t.businessDate).where(sql`status = 'open'`),
    check(
      'reconciliation_break_kind',
      sql`${t.kind} in ('missingAtHospital','missingAtPlatform','missingAtBank','missingAtInsurer',
      'amountOver','amountUnder','splitMismatch','statusMismatch','dateCutoff','duplicateExternal',
      'duplicateInternal','dataMismatch','ambiguous','lateCapture','conversionPending','orphanRefund',
      'fee')`,
    ),
    check('reconciliation_break_status', sql`${t.status} in ('open','cleared','resolved')`),
    check('reconciliation_break_resolved', sql`(${t.status} = 'open') = (${t.resolvedAt} is null)`),
  ],
);

/** A business day: open until it is closed, then frozen by a hash chained to the day before. */
export const businessDay = pgTable(
  'business_day',
  {
    date: date({ mode: 'string' }).primaryKey(),
    status: text().notNull(),
    /** Totals and hash as of the last provisional look, or of the close. */
    totals: jsonb().notNull(),
    /** SHA-256, hex, over the day before's hash, the entries and the breaks. */
    hash: text().notNull(),
    previousHash: text(),
    entryCount: integer().notNull(),
    /** The breaks that the hash lists, as they were. */
    breaks: jsonb().notNull(),
    computedAt: moment().notNull(),
    closedAt: moment(),
    closedBy: text(),
  },
  (t) => [
    uniqueIndex('business_day_last').on(t.date).where(sql`status = 'closed'`),
    check('business_day_status', sql`${t.status} in ('provisional','closed')`),
    check('business_day_closed', sql`(${t.status} = 'closed') = (${t.closedAt} is not null)`),
  ],
);

// ---- jobs and events ------------------------------------------------------------------------

export const job = pgTable(
  'job',
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    /** At most one live job of a kind for a subject. */
    subjectId: text().notNull(),
    payload: jsonb().notNull(),
    attempts: integer().notNull().default(0),
    lastError: text(),
    nextAttemptAt: moment().notNull().defaultNow(),
    doneAt: moment(),
    createdAt: moment().notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('job_one_live').on(t.kind, t.subjectId).where(sql`done_at is null`),
    index('job_due').on(t.nextAttemptAt).where(sql`done_at is null`),
  ],
);

export const event = pgTable(
  'event',
  {
    id: text().primaryKey(),
    type: text().notNull(),
    hospitalCode: text(),
    citizenId: text(),
    data: jsonb().notNull(),
    occurredAt: moment().notNull(),
  },
  (t) => [
    index('event_citizen').on(t.citizenId, t.occurredAt),
    index('event_type').on(t.type, t.occurredAt),
  ],
);

/** A difference that a person must decide: refused conversions, insurers that lie, orphan money. */
export const financeCase = pgTable(
  'finance_case',
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    subjectId: text().notNull(),
    hospitalCode: text(),
    detail: jsonb().notNull(),
    status: text().notNull(),
    createdAt: moment().notNull(),
    closedAt: moment(),
  },
  (t) => [uniqueIndex('finance_case_open').on(t.kind, t.subjectId).where(sql`status = 'open'`)],
);

/** What a maker proposes and another person approves or declines. */
export const proposal = pgTable(
  'proposal',
  {
    id: text().primaryKey(),
    kind: text().notNull(),
    subjectId: text().notNull(),
    hospitalCode: text(),
    detail: jsonb().notNull(),
    reason: text().notNull(),
    maker: text().notNull(),
    checker: text(),
    status: text().notNull(),
    createdAt: moment().notNull(),
    resolvedAt: moment(),
  },
  (t) => [
    uniqueIndex('proposal_one_open').on(t.kind, t.subjectId).where(sql`status = 'proposed'`),
    check('proposal_status', sql`${t.status} in ('proposed','approved','declined')`),
    check('proposal_four_eyes', sql`${t.checker} is null or ${t.checker} <> ${t.maker}`),
  ],
);

/** What finance decided an insurer's unlisted text means; overrides the patterns. */
export const textMeaning = pgTable(
  'text_meaning',
  {
    region: text().notNull(),
    infno: text().notNull(),
    text: text().notNull(),
    meaning: text().notNull(),
    setBy: text().notNull(),
    setAt: moment().notNull(),
  },
  (t) => [primaryKey({ columns: [t.region, t.infno, t.text] })],
);

/** Where hospitals want to be told of events (Standard Webhooks). */
export const webhookEndpoint = pgTable('webhook_endpoint', {
  id: text().primaryKey(),
  client: text().notNull(),
  /** Set for a terminal's endpoint: only its hospital's events. */
  hospitalCode: text(),
  url: text().notNull(),
  eventTypes: jsonb().notNull(),
  secret: bytes().notNull(),
  disabledAt: moment(),
  createdAt: moment().notNull(),
});
