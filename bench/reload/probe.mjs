// Loaded into the gateway: on SIGUSR2 it writes what the process holds into the file that PROBE_FILE names.
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const file = process.env.PROBE_FILE;

process.on('SIGUSR2', () => {
  // As if memory were short: pages that are free are given back, which V8 else does when it likes.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  let listeners = 0;
  for (const name of process.eventNames()) listeners += process.listenerCount(name);
  // Without the one that the look itself needs.
  const descriptors = readdirSync('/proc/self/fd').length - 1;
  const { rss, heapUsed, external } = process.memoryUsage();
  // Whole or not at all: somebody waits for the file.
  writeFileSync(
    `${file}.new`,
    JSON.stringify({ rss, heapUsed, external, descriptors, listeners, resources }),
  );
  renameSync(`${file}.new`, file);
});
