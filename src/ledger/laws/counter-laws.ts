// Laws of the counter: who stood there for a patient, and who agreed to a large hold.
import { sql } from 'drizzle-orm';
import { holdsForEach, type Law } from './law.ts';

const proxyIsAnother = holdsForEach(
  'A proxy is never the patient, nor the payer of a visit of somebody unnamed',
  sql`
    select id, proxy_citizen_id is distinct from citizen_id
      and (citizen_id is not null or payer_citizen_id is null) as holds
    from visit where proxy_citizen_id is not null`,
);

const confirmedInTime = holdsForEach(
  'A large hold was confirmed by the payer of its visit, by their own act and in time, or not at all',
  sql`
    select c.id, case c.status
        when 'pending' then c.resolved_at is null
        when 'confirmed' then c.resolved_at < c.expires_at and v.payer_citizen_id = c.payer_citizen_id
          and c.confirmed_by in ('app', 'paymentCode', 'face', 'nfc', 'insuranceCode')
        else c.resolved_at is not null and c.confirmed_by is null end as holds
    from hold_confirmation c left join visit v on v.id = c.visit_id`,
);

export const counterLaws: readonly Law[] = [proxyIsAnother, confirmedInTime];
