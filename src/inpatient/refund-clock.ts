// Law: an inpatient's money is back within working days: weekends and holidays do not count, weekend
// days that are worked do. Pure.
import { DateTime } from 'luxon';
import type { StayPolicy } from './stay-policy.ts';

type Calendar = Pick<StayPolicy, 'refundWorkingDays' | 'holidays' | 'extraWorkdays'>;

/** The last business day, YYYY-MM-DD (Shanghai), of money that came to be given back at `since`. */
export function refundDueBy(since: Date, calendar: Calendar): string {
  let day = DateTime.fromJSDate(since, { zone: 'Asia/Shanghai' }).startOf('day');
  for (let left = calendar.refundWorkingDays; left > 0; ) {
    day = day.plus({ days: 1 });
    if (isWorked(day, calendar)) left -= 1;
  }
  return day.toFormat('yyyy-MM-dd');
}

function isWorked(day: DateTime, { holidays, extraWorkdays }: Calendar): boolean {
  const date = day.toFormat('yyyy-MM-dd');
  if (extraWorkdays.includes(date)) return true;
  return day.weekday <= 5 && !holidays.includes(date);
}
