import { homedir } from 'node:os';
import { join } from 'node:path';

const folder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'gatehouse-tests',
  'kubernetes-1.37.2',
);

/** Where the API server for the long tests is kept, and the definitions of kinds that it is given. */
export const kubePlace = {
  folder,
  server: join(folder, 'kube-apiserver'),
  definitions: join(folder, 'definitions'),
} as const;
