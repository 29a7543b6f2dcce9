// Role: the process of the sandbox's banks, score provider and kinship registry. It lives as long as
// the IPC channel to its parent does.
import { startCounterparties } from './server.ts';

const counterparties = await startCounterparties({
  port: Number(process.env.COUNTERPARTIES_PORT ?? 0),
  storeDir: process.env.COUNTERPARTIES_STORE_DIR ?? '.data/counterparties',
  key: process.env.COUNTERPARTIES_KEY ?? '',
});

process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true, port: counterparties.port });
