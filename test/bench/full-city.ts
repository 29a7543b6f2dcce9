// Bench: holds a second in a city with all its citizens enrolled and years of postings, next to the same
// holds in an empty city. Both stand side by side and take turns; processes are those of both together.
import { institutions } from '../../src/sandbox/city/hospitals.ts';
import type { Bench } from './bench.ts';
import { type City, terminalsIn } from './city.ts';
import type { Round } from './figure.ts';
import { makeFiller, POSTINGS_A_VISIT } from './fill.ts';
import { type Place, placeAll } from './hold.ts';

/** Enrolled citizens and families for 10 million postings; a smaller past has fewer of both. */
const WHOLE = { postings: 10_000_000, citizens: 876_400, families: 100_000 };
/** Each on a line of its own, over all institutions. */
const VISITS = 1600;

export const fullCity: Bench = async (options, say) => {
  const rounds: Round[] = [];
  const share = Math.min(1, options.count / WHOLE.postings);
  const size = {
    visits: Math.ceil(options.count / POSTINGS_A_VISIT),
    citizens: Math.max(VISITS, Math.round(WHOLE.citizens * share)),
    families: Math.round(WHOLE.families * share),
  };
  await options.withCity((empty) =>
    options.withCity(async (full) => {
      const began = performance.now();
      const inFull = await fill(full, size);
      const fillSeconds = (performance.now() - began) / 1000;
      say(`${await aboutSize(full)}, filled in ${fillSeconds.toFixed(0)} s`);
      const inEmpty = await fill(empty, { visits: 0, citizens: VISITS, families: 0 });
      for (let round = 0; round <= options.rounds; round += 1) {
        const { value: yardstick } = await placeAll(empty, inEmpty);
        const measured = await placeAll(full, inFull);
        if (round === 0) continue;
        rounds.push({ ...measured, yardstick });
        say(`${measured.value.toFixed(0)} holds/s, empty city ${yardstick.toFixed(0)}/s`);
      }
    }),
  );
  return {
    figure: 'full-city',
    unit: 'holds/s',
    yardstick: 'the same holds in an empty city',
    reach: { atLeast: 0.9 },
    rounds,
  };
};

/** Returns open visits in it, without a hold. */
async function fill(
  city: City,
  { visits, citizens, families }: { visits: number; citizens: number; families: number },
): Promise<Place[]> {
  const [person] = await city.people(1);
  if (!person) throw new Error('nobody to take as a template');
  const filler = await makeFiller(city, person);
  const ids = await filler.inBulk(async () => {
    await filler.citizens(1, citizens);
    await filler.families(families);
    await filler.visits(1, visits, { citizens });
    return filler.openVisits(VISITS, { citizens });
  });
  const terminals = terminalsIn(city, institutions.length);
  return Promise.all(
    ids.map(async (visitId, index) => ({ visitId, token: await terminals.tokenOf(index + 1) })),
  );
}

async function aboutSize(city: City): Promise<string> {
  const [row] = await city.sql<
    { lines: string; families: string; postings: string; mib: string }[]
  >`
    select (select count(*) from credit_line) as lines, (select count(*) from family_link) as families,
      (select count(*) from posting) as postings, pg_database_size(current_database()) / 1048576 as mib`;
  return row
    ? `${row.lines} lines, ${row.families} families, ${row.postings} postings, ${row.mib} MiB`
    : '';
}
