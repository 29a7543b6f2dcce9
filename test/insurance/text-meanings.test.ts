// What finance decided of an insurer's text wins over the patterns, in its region and at its trade.
import { sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { readErrorText, regionRules } from '../../src/insurance/regions.ts';
import { makeTextMeanings } from '../../src/insurance/text-meanings.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();

describe('a decision about a text', () => {
  const rules = regionRules('350200');
  const decided = { ...rules, meanings: new Map([['2207 系统繁忙 单号 #', 'rejected' as const]]) };

  it('wins over the patterns, whatever its trace numbers', () => {
    expect(readErrorText(rules, '2207', '系统繁忙 单号 123456')).toBe('systemTrouble');
    expect(readErrorText(decided, '2207', '系统繁忙 单号 123456')).toBe('rejected');
  });

  it('says nothing of other trades and other texts', () => {
    expect(readErrorText(decided, '2206', '系统繁忙 单号 123456')).toBe('systemTrouble');
    expect(readErrorText(decided, '2207', '系统繁忙')).toBe('systemTrouble');
  });
});

describe('the reader of decisions', () => {
  it('lives through a database that fails, and reads by region once it is back', async () => {
    const warn = vi.fn();
    const meaningsOf = makeTextMeanings(db, { warn });
    await db.execute(sql`
      insert into text_meaning (region, infno, text, meaning, set_by, set_at) values
        ('350200', '2207', '月亮太圆', 'notInsured', 'staff:wang', now()),
        ('350100', '2207', '月亮太圆', 'rejected', 'staff:wang', now()),
        ('350200', '2206', '月亮太圆', 'no such meaning', 'staff:wang', now())`);
    await db.execute(sql`alter table text_meaning rename to text_meaning_away`);
    expect(await meaningsOf('350200')).toEqual(new Map());
    expect(warn).toHaveBeenCalledOnce();
    await db.execute(sql`alter table text_meaning_away rename to text_meaning`);
    expect(await meaningsOf('350200')).toEqual(new Map([['2207 月亮太圆', 'notInsured']]));
    expect(await meaningsOf('350100')).toEqual(new Map([['2207 月亮太圆', 'rejected']]));
    expect(await meaningsOf('110000')).toEqual(new Map());
  });
});
