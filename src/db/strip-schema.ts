// drizzle-kit writes `"public".` into foreign keys; one schema is one city, so no name may stay.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

for (const name of readdirSync('migrations').filter((file) => file.endsWith('.sql'))) {
  const file = `migrations/${name}`;
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"public".', ''));
}
