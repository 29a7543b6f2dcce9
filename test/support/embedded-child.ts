// A process that runs the embedded database of the folder it is given, until it is killed.
import { startEmbedded } from '../../src/db/embedded.ts';

const [dataDir = ''] = process.argv.slice(2);
const database = await startEmbedded({ dataDir, durable: true });
process.send?.({ url: database.url });
process.on('disconnect', () => {
  void database.stop().then(() => process.exit(0));
});
